//! Runs that derive: started, paused, resumed, cancelled and tried again.
//!
//! Where a run stands is in the catalogue, and every process that shares it works on the same runs.
//! This process's part is the [`Engine`].

mod batch;
mod drive;
mod engine;

use heirloom_db::{Db, DbError};

pub use engine::{Engine, EngineError};

/// When the oldest run that derives and has not ended began, in milliseconds since 1970: what its tools
/// make is put into the store a moment before it is recorded, and may not be taken for unneeded then.
pub(crate) async fn oldest_run(db: &Db) -> Result<Option<i64>, DbError> {
    let runs = db.list_unended_runs().await?;
    let deriving = runs.iter().filter(|run| run.archive_id.is_none());
    Ok(deriving
        .map(|run| run.started_at_ms.unwrap_or(run.created_at_ms))
        .min())
}
