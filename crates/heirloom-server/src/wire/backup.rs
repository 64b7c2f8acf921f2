//! Backups on the wire.

use heirloom_core::{
    BackupId,
    backup::{BackupKind, BackupState},
};
use heirloom_pipeline::backup::{self as pipeline, FaultCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;
use crate::problem::Code;

/// Something to be done with a repository of backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// `backup`, `check`, `prune` or `proof`.
    #[schema(schema_with = schema::backup_kind)]
    pub kind: BackupKind,
    /// The repository: the absolute path of a folder.
    pub repository: String,
    /// The file on the server's machine that has its key; without one it is `backup.key` in the data folder, made
    /// by the first backup.
    #[serde(default)]
    pub key_file: Option<String>,
    /// Of a backup: leave out the files of folder archives.
    #[serde(default)]
    pub without_folders: bool,
    /// Of a check: read every byte.
    #[serde(default)]
    pub read_data: bool,
    /// Of a prune: what is kept.
    #[serde(default)]
    pub keep: Keep,
}

/// Of how many days, weeks, months and years in which there are any the last snapshot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// Days.
    pub daily: u32,
    /// Weeks.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
    /// Years.
    pub yearly: u32,
}

impl Default for Keep {
    fn default() -> Self {
        let pipeline::Retention {
            daily,
            weekly,
            monthly,
            yearly,
        } = pipeline::Retention::default();
        Self {
            daily,
            weekly,
            monthly,
            yearly,
        }
    }
}

impl From<Keep> for pipeline::Retention {
    fn from(keep: Keep) -> Self {
        Self {
            daily: keep.daily,
            weekly: keep.weekly,
            monthly: keep.monthly,
            yearly: keep.yearly,
        }
    }
}

/// What is to be done regularly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupSchedule {
    /// Into which repository: the absolute path of a folder.
    pub repository: String,
    /// The file on the server's machine that has its key; without one it is `backup.key` in the data folder, which
    /// is made if it is not there.
    #[serde(default)]
    pub key_file: Option<String>,
    /// Leave out the files of folder archives.
    #[serde(default)]
    pub without_folders: bool,
    /// How often everything is backed up, in hours. Changes in between are captured within five minutes.
    #[serde(default = "daily")]
    #[schema(minimum = 1, maximum = 8784)]
    pub every_hours: u32,
    /// How often it is proved that it can be restored, in days.
    #[serde(default = "weekly")]
    #[schema(minimum = 1, maximum = 366)]
    pub proof_days: u32,
    /// What is kept.
    #[serde(default)]
    pub keep: Keep,
}

const fn daily() -> u32 {
    24
}

const fn weekly() -> u32 {
    7
}

/// How the regular backups stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupStanding {
    /// What is done regularly; null where nothing is.
    pub schedule: Option<BackupSchedule>,
    /// When the last backup that came to its end began.
    pub last_backup_at_ms: Option<i64>,
    /// When the next one is due.
    pub next_backup_at_ms: Option<i64>,
    /// When the last proof that came to a good end began.
    pub last_proof_at_ms: Option<i64>,
    /// What needs somebody.
    pub alarms: Vec<BackupAlarm>,
    /// Whether a key was made just now: keep a copy of it elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_new_key: bool,
}

/// Something about backups that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupAlarm {
    /// What was not done as it should be: `backup`, `proof` or `capture`.
    #[schema(schema_with = schema::backup_kind)]
    pub kind: BackupKind,
    /// What is wrong with it.
    pub cause: AlarmCause,
    /// Of what failed: why, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The same in one sentence, with why it failed.
    pub words: String,
}

/// What is wrong: the last one `failed`, or it is `overdue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlarmCause {
    /// The last one failed.
    Failed,
    /// None was made in twice the time.
    Overdue,
}

/// Something that is or was done with a repository of backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: BackupId,
    /// What.
    #[schema(schema_with = schema::backup_kind)]
    pub kind: BackupKind,
    /// With which repository.
    pub repository: String,
    /// How far it is.
    #[schema(schema_with = schema::backup_state)]
    pub state: BackupState,
    /// Whether the server began it by itself.
    pub is_scheduled: bool,
    /// The file that has the key; only told to who began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Whether that key was made just now: keep a copy of it elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_new_key: bool,
    /// How far it is, while it is under way.
    pub progress: Option<BackupProgress>,
    /// What came of it.
    pub outcome: Option<BackupOutcome>,
    /// Why it failed, in one sentence.
    pub error: Option<String>,
    /// The same for programs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Code>,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupProgress {
    /// Files that there are.
    pub files: u64,
    /// Files that are done.
    pub files_done: u64,
    /// Bytes that there are.
    pub bytes: u64,
    /// Bytes that are done.
    pub bytes_done: u64,
}

impl From<pipeline::ProgressNow> for BackupProgress {
    fn from(now: pipeline::ProgressNow) -> Self {
        Self {
            files: now.files,
            files_done: now.files_done,
            bytes: now.bytes,
            bytes_done: now.bytes_done,
        }
    }
}

/// A snapshot in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// When it was made.
    pub made_at_ms: i64,
    /// The machine that made it.
    pub host: String,
    /// Whether it was made between two backups, because something had changed.
    pub is_capture: bool,
    /// Files in it.
    pub files: u64,
    /// Bytes of all files in it.
    pub bytes: u64,
    /// Bytes that it added to the repository.
    pub bytes_added: u64,
}

impl From<&pipeline::Snapshot> for Snapshot {
    fn from(snapshot: &pipeline::Snapshot) -> Self {
        Self {
            id: snapshot.id.clone(),
            made_at_ms: snapshot.made_at_ms,
            host: snapshot.host.clone(),
            is_capture: snapshot.is_capture,
            files: snapshot.files,
            bytes: snapshot.bytes,
            bytes_added: snapshot.bytes_added,
        }
    }
}

/// A file that is not in a snapshot as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LackingFile {
    /// Where it is: below an archive's name, or the hash of a blob.
    pub path: String,
    /// `damaged`: its bytes are others and nothing else about it says so. `changed`: a scan has to read it first.
    /// `gone`: it is not there. `archived`: it lies in an archive class of a bucket and has to be brought back first.
    pub lacking: String,
    /// The same in one sentence.
    pub why: String,
}

impl From<&pipeline::LackingFile> for LackingFile {
    fn from(file: &pipeline::LackingFile) -> Self {
        let lacking = match file.lacking {
            pipeline::Lacking::Damaged => "damaged",
            pipeline::Lacking::Changed => "changed",
            pipeline::Lacking::Gone => "gone",
            pipeline::Lacking::Archived => "archived",
        };
        Self {
            path: file.path.clone(),
            lacking: lacking.to_owned(),
            why: file.why.clone(),
        }
    }
}

/// Something in a repository that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepositoryFault {
    /// The object, relative to the repository; empty for what is lacking in a snapshot.
    pub object: String,
    /// What is wrong, as a word.
    #[schema(schema_with = schema::fault_code)]
    #[serde(default = "other_fault")]
    #[schema(required)]
    pub code: FaultCode,
    /// The same in one sentence.
    pub what: String,
}

/// What is wrong with what was found before faults had codes.
const fn other_fault() -> FaultCode {
    FaultCode::Other
}

impl From<&pipeline::RepositoryFault> for RepositoryFault {
    fn from(fault: &pipeline::RepositoryFault) -> Self {
        Self {
            object: fault.object.clone(),
            code: fault.code,
            what: fault.what.clone(),
        }
    }
}

/// What came of something that was done with a repository. Which fields there are depends on what it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BackupOutcome {
    /// Of a backup and a proof: the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// Of a backup: files that were read, because they were not in the snapshot before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_read: Option<u64>,
    /// Of a backup and a proof: whether the files of folder archives are in the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_folders: Option<bool>,
    /// Of a backup and a proof: files that are not in the snapshot as the catalogue knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacking: Option<u64>,
    /// The first thousand of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacking_files: Vec<LackingFile>,
    /// Of a check: snapshots that were looked through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<u64>,
    /// Of a check: objects in the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Of a check: bytes of them. Of a proof: bytes that were restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Of a check: whether every byte was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_read_data: Option<bool>,
    /// Of a check and a proof: what is not as it should be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<RepositoryFault>,
    /// Of a prune: snapshots that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<u64>,
    /// Of a prune: snapshots that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// Of a prune: bytes that nothing needs any more, and that the first prune after a day frees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unneeded_bytes: Option<u64>,
    /// Of a prune: whether there are snapshots that are newer than the clock says it is now; these stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_clock_behind: Option<bool>,
    /// Of a proof: originals that were compared byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<u64>,
}

impl From<&pipeline::BackupReport> for BackupOutcome {
    fn from(report: &pipeline::BackupReport) -> Self {
        Self {
            snapshot: Some((&report.snapshot).into()),
            files_read: Some(report.files_read),
            has_folders: Some(report.has_folders),
            lacking: Some(report.lacking),
            lacking_files: report.lacking_files.iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl From<&pipeline::CheckReport> for BackupOutcome {
    fn from(report: &pipeline::CheckReport) -> Self {
        Self {
            snapshots: Some(report.snapshots),
            objects: Some(report.objects),
            bytes: Some(report.bytes),
            has_read_data: Some(report.has_read_data),
            faults: report.faults.iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl From<&pipeline::ProofReport> for BackupOutcome {
    fn from(report: &pipeline::ProofReport) -> Self {
        let restored = &report.restored;
        Self {
            snapshot: Some((&restored.snapshot).into()),
            has_folders: Some(restored.has_folders),
            lacking: Some(restored.lacking),
            bytes: Some(restored.bytes),
            compared: Some(report.compared),
            faults: report.faults.iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl From<&pipeline::PruneReport> for BackupOutcome {
    fn from(report: &pipeline::PruneReport) -> Self {
        Self {
            kept: Some(report.kept),
            removed: Some(report.removed),
            unneeded_bytes: Some(report.unneeded_bytes),
            is_clock_behind: Some(report.is_clock_behind),
            ..Self::default()
        }
    }
}
