//! How much there is.

use heirloom_core::{Actor, FamilyId, permission::Action};

use crate::{Db, DbError, Engine, Tx, sql::statements, value::args};

/// How much a family has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Archives.
    pub archives: i64,
    /// Assets that are listed, missing ones included.
    pub assets: i64,
    /// Of these: at none of their places any more.
    pub missing: i64,
    /// Assets whose place newer bytes took.
    pub replaced: i64,
    /// Assets that were deleted and not purged.
    pub deleted: i64,
    /// Places of originals whose bytes were found to be others, and not right since.
    pub damaged: i64,
    /// Blobs that the catalogue refers to, of all families.
    pub blobs: i64,
}

statements! {
    COUNT_ASSETS = "SELECT state, deleted_at_ms IS NOT NULL, COUNT(*) FROM asset
        WHERE family_id = $1 GROUP BY 1, 2";
    COUNT_ARCHIVES = "SELECT COUNT(*) FROM archive WHERE family_id = $1";
    COUNT_DAMAGED = "SELECT COUNT(*) FROM asset_location l JOIN folder f ON f.id = l.folder_id
        JOIN archive r ON r.id = f.archive_id
        WHERE r.family_id = $1 AND l.damaged_at_ms IS NOT NULL AND l.gone_at_ms IS NULL";
    COUNT_BLOBS = "SELECT COUNT(*) FROM blob";
    // What that does is a trigger's.
    SETTLE = "/*pg SELECT 1 *//*lite
        INSERT INTO count_settled SELECT 1
          WHERE EXISTS (SELECT 1 FROM count_change) OR EXISTS (SELECT 1 FROM name_change) */";
}

impl Db {
    /// Counts everything, row by row: for somebody who looks after the machine, not for pages.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn count_all(&self, actor: &Actor, family: FamilyId) -> Result<Counts, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut counts = Counts::default();
        for row in self.fetch(COUNT_ASSETS, args![family]).await? {
            let (state, is_deleted, number): (String, bool, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            match (state.as_str(), is_deleted) {
                (_, true) => counts.deleted += number,
                ("replaced", false) => counts.replaced += number,
                (state, false) => {
                    counts.assets += number;
                    counts.missing += if state == "missing" { number } else { 0 };
                }
            }
        }
        for (sql, args, count) in [
            (COUNT_ARCHIVES, args![family], &mut counts.archives),
            (COUNT_DAMAGED, args![family], &mut counts.damaged),
            (COUNT_BLOBS, args![], &mut counts.blobs),
        ] {
            if let Some(row) = self.fetch_optional(sql, args).await? {
                *count = row.get(0)?;
            }
        }
        Ok(counts)
    }
}

/// Adds up what a transaction changed of the counts for the timeline, the map, places and names; PostgreSQL does
/// so with each statement.
pub(crate) async fn settle(tx: &mut Tx) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite {
        tx.execute(SETTLE, args![]).await?;
    }
    Ok(())
}
