//! The right to be the only scan of an archive, and the run that it belongs to.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use heirloom_core::{
    ArchiveId, RunId,
    run::{RunEvent, RunState},
};
use heirloom_db::{Db, DbError, archive::Archive, run::ArchiveHold};
use serde_json::json;

use super::{PIPELINE, ScanOptions};
use crate::Context;

/// Which archives this process is scanning. (Other processes are kept out by the database, or, where
/// it is a file, by the lock of the data folder.)
static HELD: Mutex<BTreeSet<ArchiveId>> = Mutex::new(BTreeSet::new());

/// An archive that is held for one scan. The hold ends when this is dropped or its process dies.
#[derive(Debug)]
pub(super) struct Hold {
    archive: ArchiveId,
    /// Other processes' turn comes when this is gone.
    across: Option<ArchiveHold>,
}

/// How often, and how long apart, an archive is asked for that another process seems to hold: of a
/// process that was killed, the database hears a moment later.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

impl Hold {
    /// Takes an archive; `None` when another scan has it.
    pub(super) async fn of(db: &Db, archive: ArchiveId) -> Result<Option<Self>, DbError> {
        if !HELD
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(archive)
        {
            return Ok(None);
        }
        // From here on, dropping it gives the archive back.
        let mut hold = Self {
            archive,
            across: None,
        };
        for _ in 0..TRIES {
            hold.across = db.hold_archive(archive).await?;
            if hold.across.is_some() {
                return Ok(Some(hold));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    /// Gives the archive back, so that the next scan may begin at once.
    pub(super) async fn release(mut self) {
        if let Some(across) = self.across.take() {
            across.release().await;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        HELD.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.archive);
    }
}

/// When the oldest scan that is under way began, in milliseconds since 1970: nothing that was put since
/// then may be taken for unneeded. A run that was left by a process that was killed is none.
pub(crate) async fn oldest_scan(db: &Db) -> Result<Option<i64>, DbError> {
    let mut oldest: Option<i64> = None;
    for run in db.list_unended_runs().await? {
        let Some(archive) = run.archive_id else {
            continue;
        };
        if is_underway(db, archive).await? {
            let began_ms = run.started_at_ms.unwrap_or(run.created_at_ms);
            oldest = Some(oldest.map_or(began_ms, |oldest| oldest.min(began_ms)));
        }
    }
    Ok(oldest)
}

/// Whether any process works at an archive. A run of it that has not ended although nobody does was
/// left: its process was killed, or could not even store that it failed.
///
/// # Errors
/// What the engine says.
pub async fn is_underway(db: &Db, archive: ArchiveId) -> Result<bool, DbError> {
    let is_here = HELD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(&archive);
    if is_here {
        return Ok(true);
    }
    match db.hold_archive(archive).await? {
        Some(hold) => {
            hold.release().await;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// The run for a scan of an archive that is held, and when it began: that of a scan that never ended
/// because its process was killed, if it was asked the same, else a new one.
pub(super) async fn take_run(
    ctx: &Context,
    archive: &Archive,
    options: ScanOptions,
) -> Result<(RunId, i64), DbError> {
    let Context { db, actor, .. } = ctx;
    let parameters = json!({ "verify": options.verify, "process": options.process });
    while let Some(left) = db.find_unended_run(archive.id).await? {
        let is_alike = left.pipeline == PIPELINE && left.parameters == parameters;
        let event = match left.state {
            RunState::Cancelling => RunEvent::Drain,
            _ if !is_alike => RunEvent::Fail,
            RunState::Running => return started(ctx, left.id).await,
            RunState::Paused => RunEvent::Resume,
            _ => RunEvent::Start,
        };
        let reason = (event == RunEvent::Fail).then_some("its process ended before it did");
        if reason.is_some() {
            let mut progress = left.progress.clone();
            progress["problem"] = json!({ "code": "interrupted" });
            db.store_progress(left.id, &progress).await?;
        }
        db.advance_run(actor, left.id, event, reason).await?;
    }
    let (family, archive) = (archive.family_id, Some(archive.id));
    let begun = db.begin_run(actor, family, PIPELINE, archive, &parameters);
    started(ctx, begun.await?.id).await
}

async fn started(ctx: &Context, run: RunId) -> Result<(RunId, i64), DbError> {
    let run = ctx.db.get_run(&ctx.actor, run).await?;
    Ok((run.id, run.started_at_ms.unwrap_or(run.created_at_ms)))
}
