//! The words and rules of Heirloom as pure types.
//!
//! Nothing here does I/O, waits, reads the clock or draws random numbers: time, bytes and seeds are
//! handed in. Every other crate speaks in these types; each module is one noun of the glossary.

pub mod actor;
pub mod area;
pub mod audience;
pub mod backup;
pub mod breaker;
pub mod bucket;
pub mod claim;
mod digits;
pub mod duplicate;
pub mod edtf;
pub mod face;
pub mod glimpse;
pub mod hash;
pub mod id;
pub mod imprint;
pub mod map;
pub mod meaning;
pub mod media;
pub mod path;
pub mod permission;
pub mod query;
pub mod reading;
pub mod role;
pub mod run;
pub mod segment;
pub mod strip;
pub mod subject;
pub mod tag;
pub mod text;
pub mod tier;
pub mod transcript;
pub mod unit;

pub use actor::Actor;
pub use area::Area;
pub use bucket::Bucket;
pub use edtf::Edtf;
pub use glimpse::Glimpse;
pub use hash::ContentHash;
pub use id::*;
pub use media::MediaKind;
pub use segment::Segment;
pub use strip::Strip;
pub use subject::{Subject, SubjectKind};
