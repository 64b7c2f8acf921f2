//! Truth: every SQL statement of Heirloom, on SQLite and PostgreSQL.
//!
//! Each statement is written once, in the subset that both engines share; the few places that differ
//! carry comment hooks (see `sql`). Callers see nouns and operations, never SQL. Every operation that
//! reads what a family owns takes the actor or its sight. Nothing here knows of HTTP, media or blobs.

pub mod clock;
mod connection;
mod error;
pub mod meaning;
mod migrate;
mod name;
mod page;
mod row;
mod sql;
mod value;

pub mod archive;
pub mod artifact;
pub mod asset;
pub mod audience;
pub mod audit;
pub mod backup;
pub mod blob;
pub mod claim;
pub mod collection;
pub mod count;
mod dump;
pub mod duplicate;
pub mod export;
pub mod face;
pub mod family;
pub mod folder;
pub mod health;
pub mod import;
pub mod imprint;
pub mod location;
pub mod once;
pub mod person;
pub mod place;
pub mod plan;
pub mod publication;
pub mod record;
pub mod replacement;
pub mod run;
pub mod scrub;
pub mod search;
pub mod sidecar;
pub mod stack;
pub mod text;
pub mod tier;
pub mod timeline;
pub mod unit;
pub mod upload;
pub mod vault;
pub mod voice;
pub mod workpiece;

// SQLite calls what is in it.
use heirloom_sqlite as _;

pub use connection::{Db, Engine, Location, Tx, take_pages};
pub use error::DbError;

/// Every fixed statement with its name, for the test that prepares and runs each on both engines.
#[doc(hidden)]
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        archive::STATEMENTS,
        artifact::STATEMENTS,
        artifact::LOOK_STATEMENTS,
        artifact::MADE_STATEMENTS,
        artifact::REPLACE_STATEMENTS,
        asset::STATEMENTS,
        asset::BUCKET_STATEMENTS,
        asset::PURGE_STATEMENTS,
        audience::STATEMENTS,
        audit::STATEMENTS,
        backup::STATEMENTS,
        backup::HISTORY_STATEMENTS,
        backup::SERVER_STATEMENTS,
        backup::TABLE_STATEMENTS,
        blob::STATEMENTS,
        claim::STATEMENTS,
        claim::BATCH_STATEMENTS,
        collection::STATEMENTS,
        collection::MEMBER_STATEMENTS,
        count::STATEMENTS,
        dump::STATEMENTS,
        duplicate::STATEMENTS,
        duplicate::list::STATEMENTS,
        export::STATEMENTS,
        family::STATEMENTS,
        folder::STATEMENTS,
        health::STATEMENTS,
        import::STATEMENTS,
        import::FOLDER_STATEMENTS,
        import::PART_STATEMENTS,
        location::STATEMENTS,
        imprint::STATEMENTS,
        meaning::STATEMENTS,
        migrate::STATEMENTS,
        name::STATEMENTS,
        once::STATEMENTS,
        place::STATEMENTS,
        place::LIST_STATEMENTS,
        place::MAP_STATEMENTS,
        plan::STATEMENTS,
        publication::STATEMENTS,
        record::STATEMENTS,
        replacement::STATEMENTS,
        run::STATEMENTS,
        scrub::STATEMENTS,
        tier::STATEMENTS,
        search::STATEMENTS,
        search::ALIKE_STATEMENTS,
        search::BUCKET_STATEMENTS,
        search::COVERAGE_STATEMENTS,
        search::FEW_STATEMENTS,
        search::SAVED_STATEMENTS,
        search::SUGGEST_STATEMENTS,
        search::WALK_STATEMENTS,
        sidecar::STATEMENTS,
        stack::STATEMENTS,
        text::STATEMENTS,
        face::STATEMENTS,
        person::STATEMENTS,
        person::SAY_STATEMENTS,
        voice::STATEMENTS,
        timeline::STATEMENTS,
        unit::STATEMENTS,
        unit::END_STATEMENTS,
        upload::STATEMENTS,
        vault::STATEMENTS,
        workpiece::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .map(|(name, sql)| (*name, sql.text()))
}
