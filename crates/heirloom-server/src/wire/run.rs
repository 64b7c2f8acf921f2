//! Runs on the wire.

use std::collections::BTreeMap;

use heirloom_core::{ArchiveId, RunId, run::RunState};
use heirloom_db as db;
use heirloom_pipeline::scan;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// One execution of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: RunId,
    /// What is executed: `scan`.
    pub pipeline: String,
    /// Where it stands.
    #[schema(schema_with = schema::run_state)]
    pub state: RunState,
    /// The archive that it works on.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub archive_id: Option<ArchiveId>,
    /// What it was asked.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
    /// How far it is.
    pub progress: Progress,
    /// What it found, once it has ended.
    pub report: Option<ScanReport>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at_ms: i64,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// How far a scan is. What is still to come is known as far as folders were listed, which runs ahead
/// of the reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Progress {
    /// Folders that were looked into.
    pub folders: u64,
    /// Files that were found in them.
    pub files: u64,
    /// Of these: those that are dealt with.
    pub files_done: u64,
    /// Bytes of the files that have to be read.
    pub bytes: u64,
    /// Of these: those that are read.
    pub bytes_done: u64,
    /// Whether every folder was listed, so that nothing more comes.
    pub is_listed: bool,
    /// Files dealt with in a second, lately.
    pub files_per_second: f64,
    /// Bytes read in a second, lately.
    pub bytes_per_second: f64,
    /// How long it has been going on.
    pub elapsed_ms: u64,
    /// How long the rest takes at this rate; null while that cannot be said.
    pub remaining_ms: Option<u64>,
}

/// What a scan found, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ScanReport {
    /// Folders that were looked into.
    pub folders: u64,
    /// Files that were found.
    pub files: u64,
    /// Originals that were not known.
    pub new: u64,
    /// Known originals in a new place, and no longer in an old one.
    pub moved: u64,
    /// Known originals in one place more.
    pub copies: u64,
    /// Known originals in a place where they were before and were found gone.
    pub returned: u64,
    /// Files that are as they were.
    pub unchanged: u64,
    /// Paths with new bytes.
    pub replaced: u64,
    /// Paths where nothing is any more.
    pub gone: u64,
    /// Of the originals at such paths: those that are nowhere now.
    pub lost: u64,
    /// Sidecars that are new or have changed.
    pub sidecars: u64,
    /// How many files and folders were passed over, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// How many files and folders failed, by reason.
    pub failed: BTreeMap<String, u64>,
    /// How many bytes were read.
    pub bytes_read: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// Originals whose bytes were found damaged, by this scan or one before, and not right since.
    pub damaged: u64,
}

/// How an archive is to be scanned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewScan {
    /// Whether every file is read again, also those that look as they did.
    pub verify: bool,
    /// Whether an empty folder is taken for what it is. It is refused otherwise when files were
    /// catalogued there, because it is what a disk that is not mounted looks like.
    pub allow_empty: bool,
    /// Whether a line is kept for each file.
    pub report: bool,
}

/// What is stored with a run: its progress, or both once it has ended.
#[derive(Default, Deserialize)]
struct Stored {
    progress: Option<Progress>,
    report: Option<ScanReport>,
}

impl Run {
    /// A run, with how far it is now if it runs here.
    pub(crate) fn new(run: &db::run::Run, live: Option<&scan::Progress>) -> Self {
        let stored: Stored = serde_json::from_value(run.progress.clone()).unwrap_or_default();
        // Whoever sees that it has ended must see what it found, which is stored a moment later.
        let is_ending = live.is_some() && run.state.has_ended() && stored.report.is_none();
        let progress = live
            .map(Progress::from)
            .or(stored.progress)
            .or_else(|| serde_json::from_value(run.progress.clone()).ok())
            .unwrap_or_default();
        Self {
            id: run.id,
            pipeline: run.pipeline.clone(),
            state: if is_ending {
                RunState::Running
            } else {
                run.state
            },
            archive_id: run.archive_id,
            parameters: run.parameters.clone(),
            progress,
            report: stored.report,
            error: run.error.clone(),
            created_at_ms: run.created_at_ms,
            started_at_ms: run.started_at_ms,
            ended_at_ms: run.ended_at_ms,
        }
    }
}

impl From<&scan::Progress> for Progress {
    fn from(progress: &scan::Progress) -> Self {
        Self {
            folders: progress.folders,
            files: progress.files,
            files_done: progress.files_done,
            bytes: progress.bytes,
            bytes_done: progress.bytes_done,
            is_listed: progress.is_listed,
            files_per_second: progress.files_per_second,
            bytes_per_second: progress.bytes_per_second,
            elapsed_ms: progress.elapsed_ms,
            remaining_ms: progress.remaining_ms(),
        }
    }
}
