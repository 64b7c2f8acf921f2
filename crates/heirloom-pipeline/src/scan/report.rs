//! What a scan says: of each file, while it goes on, and at its end.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use heirloom_core::{ArchiveId, AssetId, RunId};
use serde::Serialize;

/// What became of one path of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// An original that was not known.
    New,
    /// A known original that is no longer where it was before.
    Moved,
    /// One more place of an original that is also elsewhere.
    Copy,
    /// A known original where it was before and was found gone.
    Returned,
    /// As it was.
    Unchanged,
    /// New bytes where others were known.
    Replaced,
    /// Nothing is there any more; what is known of it is kept.
    Gone,
    /// A new or changed file that describes originals beside it.
    Sidecar,
    /// Passed over, for a reason.
    Skipped,
    /// Could not be catalogued, for a reason; the next scan tries again.
    Failed,
}

/// What became of one path, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileOutcome {
    /// The path below the archive's root, as path text.
    pub path: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The asset, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetId>,
    /// Why it was passed over or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanEnd {
    /// It has been everywhere.
    Done,
    /// It was told to stop; what it found until then is catalogued.
    Cancelled,
}

/// What a scan found, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanReport {
    /// The run.
    pub run: RunId,
    /// What was scanned.
    pub archive: ArchiveId,
    /// How it ended.
    pub end: ScanEnd,
    /// Folders that were looked into.
    pub folders: u64,
    /// Names of files that were found, those included that were passed over.
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
    /// Paths where nothing is any more, the old paths of what was moved included.
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
    /// Originals whose bytes were found to be others, by this scan or one before, and not right since.
    pub damaged: u64,
}

impl ScanReport {
    /// How many files and folders failed.
    #[must_use]
    pub fn failed_count(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// How far a scan is. What is still to come is known as far as folders have been listed, which runs
/// ahead of the reading by some ten thousand files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Folders that were looked into.
    pub folders: u64,
    /// Names of files that were found in them.
    pub files: u64,
    /// Of these: those that are dealt with.
    pub files_done: u64,
    /// Bytes of the files that have to be read.
    pub bytes: u64,
    /// Of these: those that are read.
    pub bytes_done: u64,
    /// Whether every folder has been listed, so that nothing more comes.
    pub is_listed: bool,
    /// Files dealt with in a second, lately.
    pub files_per_second: f64,
    /// Bytes read in a second, lately.
    pub bytes_per_second: f64,
    /// How long it has been going on.
    pub elapsed_ms: u64,
}

impl Progress {
    /// How long the rest will take at this rate; `None` while that cannot be said.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, not negative and bounded"
    )]
    pub fn remaining_ms(&self) -> Option<u64> {
        let seconds = |left: u64, rate: f64| match left {
            0 => Some(0.0),
            left => (rate > 0.0).then(|| left as f64 / rate),
        };
        let files = seconds(
            self.files.saturating_sub(self.files_done),
            self.files_per_second,
        )?;
        let bytes = seconds(
            self.bytes.saturating_sub(self.bytes_done),
            self.bytes_per_second,
        )?;
        Some((files.max(bytes).min(1e9) * 1000.0) as u64)
    }
}

/// What a scan says while it goes on.
#[derive(Debug)]
pub enum ScanEvent<'a> {
    /// What became of a path; said once it is stored.
    File(&'a FileOutcome),
    /// How far it is; said several times a second.
    Progress(&'a Progress),
}

/// Whoever listens.
pub(super) type Observe<'a> = &'a mut (dyn FnMut(ScanEvent<'_>) + Send);

/// Counts what is said and passes it on.
pub(super) struct Reporter<'a> {
    state: Mutex<State<'a>>,
    /// Counted by the threads that read, block by block.
    pub(super) bytes_read: std::sync::Arc<AtomicU64>,
}

struct State<'a> {
    observe: Observe<'a>,
    report: ScanReport,
    progress: Progress,
    started: Instant,
    /// When, files and bytes done: the last few seconds, for the rate.
    samples: VecDeque<(Instant, u64, u64)>,
}

/// How long a stretch of time the rate is an average of.
const RATE_WINDOW: Duration = Duration::from_secs(8);

impl<'a> Reporter<'a> {
    pub(super) fn new(run: RunId, archive: ArchiveId, observe: Observe<'a>) -> Self {
        let report = ScanReport {
            run,
            archive,
            end: ScanEnd::Done,
            folders: 0,
            files: 0,
            new: 0,
            moved: 0,
            copies: 0,
            returned: 0,
            unchanged: 0,
            replaced: 0,
            gone: 0,
            lost: 0,
            sidecars: 0,
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            bytes_read: 0,
            duration_ms: 0,
            damaged: 0,
        };
        let started = Instant::now();
        Self {
            state: Mutex::new(State {
                observe,
                report,
                progress: Progress::default(),
                started,
                samples: VecDeque::from([(started, 0, 0)]),
            }),
            bytes_read: std::sync::Arc::default(),
        }
    }

    /// A folder was listed that has so many files.
    pub(super) fn listed(&self, files: u64) {
        let mut state = self.state();
        state.progress.folders += 1;
        state.progress.files += files;
    }

    /// One of those was a folder, of which the listing did not say so.
    pub(super) fn is_no_file(&self) {
        self.state().progress.files -= 1;
    }

    /// Every folder was listed.
    pub(super) fn all_listed(&self) {
        self.state().progress.is_listed = true;
    }

    /// A file of so many bytes is to be read.
    pub(super) fn to_read(&self, bytes: u64) {
        self.state().progress.bytes += bytes;
    }

    pub(super) fn file(
        &self,
        path: String,
        outcome: Outcome,
        asset: Option<AssetId>,
        reason: Option<String>,
    ) {
        let mut state = self.state();
        let State {
            observe, report, ..
        } = &mut *state;
        match outcome {
            Outcome::New => report.new += 1,
            Outcome::Moved => report.moved += 1,
            Outcome::Copy => report.copies += 1,
            Outcome::Returned => report.returned += 1,
            Outcome::Unchanged => report.unchanged += 1,
            Outcome::Replaced => report.replaced += 1,
            Outcome::Gone => report.gone += 1,
            Outcome::Sidecar => report.sidecars += 1,
            Outcome::Skipped | Outcome::Failed => {
                let by_reason = match outcome {
                    Outcome::Skipped => &mut report.skipped,
                    _ => &mut report.failed,
                };
                let reason = reason.clone().unwrap_or_default();
                *by_reason.entry(reason).or_default() += 1;
            }
        }
        observe(ScanEvent::File(&FileOutcome {
            path,
            outcome,
            asset,
            reason,
        }));
    }

    /// So many of the files that were listed are dealt with.
    pub(super) fn done(&self, files: u64) {
        self.state().progress.files_done += files;
    }

    /// Says how far it is.
    pub(super) fn tick(&self) -> Progress {
        let bytes = self.bytes_read.load(Ordering::Relaxed);
        let mut state = self.state();
        let now = Instant::now();
        let State {
            observe,
            progress,
            samples,
            started,
            ..
        } = &mut *state;
        progress.bytes_done = bytes.min(progress.bytes);
        progress.elapsed_ms = milliseconds(now - *started);
        samples.push_back((now, progress.files_done, bytes));
        while samples.len() > 2
            && samples
                .get(1)
                .is_some_and(|(at, ..)| now - *at > RATE_WINDOW)
        {
            samples.pop_front();
        }
        if let Some((at, files, bytes_then)) = samples.front() {
            let seconds = (now - *at).as_secs_f64();
            if seconds > 0.0 {
                progress.files_per_second = rate(progress.files_done - files, seconds);
                progress.bytes_per_second = rate(bytes - bytes_then, seconds);
            }
        }
        observe(ScanEvent::Progress(progress));
        *progress
    }

    /// The report, at the end.
    pub(super) fn finish(&self, end: ScanEnd, lost: u64, damaged: u64) -> ScanReport {
        let state = self.state();
        ScanReport {
            end,
            lost,
            damaged,
            folders: state.progress.folders,
            files: state.progress.files,
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            duration_ms: milliseconds(state.started.elapsed()),
            ..state.report.clone()
        }
    }

    pub(super) fn has_gone(&self) -> bool {
        let report = &self.state().report;
        report.gone > 0 || report.replaced > 0
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        // Counters: a listener's panic leaves them usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}
