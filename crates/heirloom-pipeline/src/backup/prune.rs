//! Letting go of old snapshots, and of what only they had.

use rustic_core::{
    ForgetGroups, Grouped, KeepOptions, LimitOption, PruneOptions, SnapshotGroupCriterion,
    jiff::{Timestamp, tz::TimeZone},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::{
    BackupError, Progress, Target, blocking,
    repository::{Access, library_snapshots, open, past_of},
    whole::{COPY_AGAIN, has_lost_snapshots, require_whole},
};

/// How many snapshots are kept: the last of each of so many days, weeks, months and years in which there are
/// any. Those between two backups are kept for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Days.
    pub daily: u32,
    /// Weeks.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
    /// Years.
    pub yearly: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            daily: 7,
            weekly: 5,
            monthly: 12,
            yearly: 75,
        }
    }
}

/// What was let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PruneReport {
    /// Snapshots that are kept.
    pub kept: u64,
    /// Snapshots that are gone.
    pub removed: u64,
    /// Bytes in the repository that nothing needs any more. They are freed by the first prune after a day.
    pub unneeded_bytes: u64,
    /// Whether there are snapshots that are newer than the clock says it is now. None of these was let go of.
    pub is_clock_behind: bool,
}

/// How long snapshots between two backups are kept.
const CAPTURES_MS: i64 = 24 * 3_600_000;

/// Lets go of the snapshots that `retention` does not keep, and of what only they had. What is not needed any
/// more is marked first and removed by the first prune after a day, so that nothing is taken from a backup
/// that another machine makes meanwhile.
///
/// # Errors
/// [`BackupError`]. What is not removed then, the next prune removes.
pub async fn prune(
    target: &Target,
    retention: Retention,
    now_ms: i64,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<PruneReport, BackupError> {
    if retention.daily + retention.weekly + retention.monthly + retention.yearly == 0 {
        return Err(BackupError::Refused(
            "that would keep no snapshot at all".to_owned(),
        ));
    }
    let (target, progress) = (target.clone(), Arc::clone(progress));
    blocking(cancel, move |cancel| {
        let opened = open(&target, Access::Alone, progress, cancel)?;
        let explain = |error: Box<rustic_core::RusticError>| opened.explain(&error);
        require_whole(&opened)?;
        if has_lost_snapshots(&opened)? {
            // Everything would be unneeded.
            let what = format!("there is no snapshot in it. {COPY_AGAIN}");
            return Err(BackupError::Damaged(what));
        }
        let mut snapshots = library_snapshots(&opened)?;
        let mut report = PruneReport {
            kept: snapshots.len() as u64,
            ..PruneReport::default()
        };
        let at_ms = |snapshot: &rustic_core::repofile::SnapshotFile| {
            snapshot.time.timestamp().as_millisecond()
        };
        let past = past_of(&snapshots, now_ms);
        // Either clock may be the wrong one. Those of the future stay, and no other makes place for them.
        report.is_clock_behind = past < snapshots.len();
        snapshots.truncate(past);
        let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let now = now.to_zoned(TimeZone::system());
        let newest = snapshots.last().map(|snapshot| snapshot.id);
        let (captures, backups): (Vec<_>, Vec<_>) = snapshots
            .into_iter()
            .partition(|snapshot| super::repository::describe(snapshot).is_capture);
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let keep = KeepOptions::default()
            .keep_daily(count(retention.daily))
            .keep_weekly(count(retention.weekly))
            .keep_monthly(count(retention.monthly))
            .keep_yearly(count(retention.yearly));
        let grouped = Grouped::from_items(backups, SnapshotGroupCriterion::new());
        let groups = ForgetGroups::from_grouped_snapshots_with_retention(grouped, &keep, &now);
        let mut removed = groups.map_err(explain)?.into_forget_ids();
        let is_old = |snapshot: &&rustic_core::repofile::SnapshotFile| {
            at_ms(snapshot) < now_ms - CAPTURES_MS
        };
        removed.extend(captures.iter().filter(is_old).map(|snapshot| snapshot.id));
        // Whatever the calendar says: never the last one.
        removed.retain(|id| Some(*id) != newest);
        opened
            .repository
            .delete_snapshots(&removed)
            .map_err(explain)?;
        report.removed = removed.len() as u64;
        report.kept -= report.removed;
        let mut options = PruneOptions::default();
        options.max_unused = LimitOption::Percentage(5);
        let plan = opened.repository.prune_plan(&options).map_err(explain)?;
        let size = plan.stats.size_sum();
        report.unneeded_bytes =
            size.unused + plan.stats.size_unref + plan.stats.size_to_delete.total();
        opened.repository.prune(&options, plan).map_err(explain)?;
        if let Some(failure) = opened.door.take_failure() {
            return Err(super::repository::explain_io(&opened.location, &failure));
        }
        Ok(report)
    })
    .await
}
