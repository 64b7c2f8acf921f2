//! Scanning: a folder of originals goes in, a catalogue that knows where they are comes out.
//!
//! ```text
//! walk ──jobs──► readers (threads: hash, tools)
//!   │                │ what was read
//!   └─what is gone─► record (batches, one transaction each) ──► settle (sidecars, stacks)
//! ```
//!
//! Every batch is durable, and everything that a batch leaves to be done is marked in it: folders as
//! unsettled, replacements as pending. So a scan may be killed or cancelled at any moment, and the next
//! one makes good what it left. The originals are opened for reading only, in `original`.

mod compare;
mod examine;
mod hold;
mod passed_over;
mod presence;
mod record;
mod report;
mod settle;
mod walk;
mod work;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use heirloom_blobs::BlobError;
use heirloom_core::{ArchiveId, RunId, run::RunEvent};
use heirloom_db::{Db, DbError, archive::Archive};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

pub use hold::is_underway;
pub(crate) use passed_over::{file_reason, folder_reason};
pub use report::{FileOutcome, Outcome, Progress, ScanEnd, ScanEvent, ScanReport};

pub(crate) use hold::oldest_scan;
pub(crate) use presence::has_files;

use self::{
    examine::Readers,
    hold::{Hold, take_run},
    record::Recorder,
    report::Reporter,
    settle::Settling,
    walk::{Walk, WalkError, blocking},
    work::Window,
};
use crate::{
    Context,
    archive::{RootRefused, refused, root_of},
    original::{Identity, Root},
    purge::remove_unneeded_blobs,
};

/// The pipeline's name in runs.
pub const PIPELINE: &str = "scan";

/// How far the walk runs ahead of the reading, so that it is known how much is still to come.
const JOBS_AHEAD: usize = 65_536;
/// How much of what is found waits for the record.
const EVENTS: usize = 1024;

/// How a scan is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanOptions {
    /// Whether files that look unchanged are read and compared with what was catalogued.
    pub verify: bool,
    /// Whether an empty folder is taken for what it is although files were catalogued there: the
    /// archive's own, or one where a disk was mounted.
    pub allow_empty: bool,
    /// Whether what is found is to be prepared when the scan has ended. The scan only notes it.
    pub process: bool,
    /// How many threads read and hash; 0 for as many as the machine has processors, up to eight.
    pub threads: usize,
}

/// Why a scan did not begin, or could not go on. What was stored before is kept.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The archive has no folder: it is the vault.
    #[error("the archive {0:?} is not a folder")]
    NoFolder(String),
    /// The folder cannot be used.
    #[error(transparent)]
    Root(#[from] RootRefused),
    /// The folder and those below it have no file any more.
    #[error("no file is in the folder {}, but {known} were catalogued there", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
        /// How many files were known.
        known: i64,
    },
    /// Another scan of the same archive is under way.
    #[error("the archive {0:?} is being scanned already")]
    Busy(String),
    /// The catalogue failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store of bytes failed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The system gave no threads.
    #[error("no thread could be started to read with: {0}")]
    Threads(#[source] std::io::Error),
}

impl ScanError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Root(refused) => refused.hint(),
            Self::Empty { .. } => Some(
                "Is the disk that it is on mounted? If everything was really removed, scan it with --allow-empty.",
            ),
            Self::Busy(_) => Some("Wait for that scan, or cancel it."),
            Self::Blobs(error) => error.hint(),
            Self::NoFolder(_) | Self::Db(_) | Self::Threads(_) => None,
        }
    }
}

/// Scans an archive from its beginning to its end.
///
/// `observe` is told of each path once it is stored, and several times a second of the progress. When
/// `cancel` is cancelled the scan ends within two seconds, with everything that was found by then.
///
/// # Errors
/// [`ScanError`].
pub async fn scan(
    ctx: &Context,
    archive: ArchiveId,
    options: ScanOptions,
    cancel: &CancellationToken,
    observe: &mut (dyn FnMut(ScanEvent<'_>) + Send),
) -> Result<ScanReport, ScanError> {
    let begun = begin_scan(ctx, archive, options).await?;
    begun.finish(cancel, observe).await
}

/// A scan that has begun: its run is known and its archive is held.
#[derive(Debug)]
pub struct BegunScan {
    ctx: Context,
    archive: Archive,
    options: ScanOptions,
    root: Arc<Root>,
    /// Heirloom's own data folder, if it is there.
    data_folder: Option<Identity>,
    run: RunId,
    run_started_ms: i64,
    last_scan_ms: i64,
    hold: Hold,
}

/// Begins a scan: refuses what cannot be scanned before anything is changed, takes the archive for
/// this scan alone, and goes on with the run of a scan whose process was killed, if there is one.
///
/// # Errors
/// [`ScanError`].
pub async fn begin_scan(
    ctx: &Context,
    archive: ArchiveId,
    options: ScanOptions,
) -> Result<BegunScan, ScanError> {
    let archive = ctx.db.get_archive(&ctx.actor, archive).await?;
    let path = root_of(&archive).ok_or_else(|| ScanError::NoFolder(archive.name.clone()))?;
    let known = archive.location_count;
    let is_asked = known > 0 && !options.allow_empty;
    let (root, data_folder, is_lost) = blocking({
        let (path, data_folder) = (path.clone(), ctx.data_folder.clone());
        move || {
            let root = Root::open(&path)?;
            root.open_folder("")?;
            let data_folder = Root::open(&data_folder)
                .and_then(|root| root.identity())
                .ok();
            let is_lost = is_asked && !has_files(&root, "", data_folder)?;
            Ok((root, data_folder, is_lost))
        }
    })
    .await
    .map_err(|error| refused(&path, error))?;
    if is_lost {
        return Err(ScanError::Empty { path, known });
    }
    let Some(hold) = Hold::of(&ctx.db, archive.id).await? else {
        return Err(ScanError::Busy(archive.name));
    };
    let last_scan_ms = ctx.db.last_scan_ms(archive.id).await?;
    let (run, run_started_ms) = take_run(ctx, &archive, options).await?;
    Ok(BegunScan {
        ctx: ctx.clone(),
        archive,
        options,
        root: Arc::new(root),
        data_folder,
        run,
        run_started_ms,
        last_scan_ms,
        hold,
    })
}

impl BegunScan {
    /// The run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Scans to the end, as [`scan`] does.
    ///
    /// # Errors
    /// [`ScanError`]; the run has failed then, with the reason.
    pub async fn finish(
        self,
        cancel: &CancellationToken,
        observe: &mut (dyn FnMut(ScanEvent<'_>) + Send),
    ) -> Result<ScanReport, ScanError> {
        let reporter = Reporter::new(self.run, self.archive.id, observe);
        let outcome = match self.go_everywhere(cancel, &reporter).await {
            Ok(is_done) => self.end(is_done, &reporter).await,
            Err(error) => Err(error),
        };
        match &outcome {
            Ok(_) => self.let_go().await,
            Err(error) => self.abandon(&error.to_string()).await,
        }
        outcome
    }

    /// Ends the scan here: its run has failed, for that reason.
    pub async fn abandon(self, reason: &str) {
        let Context { db, actor, .. } = &self.ctx;
        // Where even this cannot be stored, the next scan goes on with the run.
        if let Err(error) = db
            .advance_run(actor, self.run, RunEvent::Fail, Some(reason))
            .await
        {
            tracing::warn!(run = %self.run, %error, "it could not be stored that the scan failed");
        }
        self.let_go().await;
    }

    async fn let_go(self) {
        self.hold.release().await;
        // What it let go of, and what a purge had to leave because this scan was under way.
        if let Err(error) = remove_unneeded_blobs(&self.ctx).await {
            tracing::warn!(%error, "blobs that nobody needs are left to the next scan");
        }
    }

    /// Walks, reads and records; `false` when it was told to stop before the end.
    async fn go_everywhere(
        &self,
        cancel: &CancellationToken,
        reporter: &Reporter<'_>,
    ) -> Result<bool, ScanError> {
        let db: &Db = &self.ctx.db;
        let stop = cancel.child_token();
        let (jobs, jobs_taken) = mpsc::channel(JOBS_AHEAD);
        let (events, events_taken) = mpsc::channel(EVENTS);
        let window = Arc::new(Window::default());
        let readers = Readers {
            root: Arc::clone(&self.root),
            blobs: Arc::clone(&self.ctx.blobs),
            jobs: Mutex::new(jobs_taken),
            events: events.clone(),
            window: Arc::clone(&window),
            bytes_read: Arc::clone(&reporter.bytes_read),
            stop: stop.clone(),
            runtime: Handle::current(),
        };
        readers.start(self.threads()).map_err(ScanError::Threads)?;
        let walk = Walk {
            db,
            archive: &self.archive,
            root: Arc::clone(&self.root),
            data_folder: self.data_folder,
            is_verifying: self.options.verify,
            allow_empty: self.options.allow_empty,
            reporter,
            stop: &stop,
            jobs,
            events,
            sequence: 0,
        };
        let settling = Settling {
            db,
            blobs: &self.ctx.blobs,
            archive: &self.archive,
            run: self.run,
            root: &self.root,
            reporter,
            stop: &stop,
        };
        let recorder = Recorder::new(settling, self.last_scan_ms, Arc::clone(&window));
        // Dropped or ended in any way, the threads are sent home.
        let _stopping = stop.clone().drop_guard();
        let walking = async {
            let walked = walk.run().await;
            if walked.is_err() {
                stop.cancel();
            }
            walked
        };
        let recording = async {
            let recorded = recorder.run(events_taken).await;
            if recorded.is_err() {
                stop.cancel();
            }
            window.close();
            recorded
        };
        let (walked, recorded) = tokio::join!(walking, recording);
        recorded?;
        match walked {
            Ok(is_done) => Ok(is_done && !stop.is_cancelled()),
            Err(WalkError::Db(error)) => Err(error.into()),
            // Whoever abandoned it said why.
            Err(WalkError::Abandoned) => Ok(false),
        }
    }

    async fn end(&self, is_done: bool, reporter: &Reporter<'_>) -> Result<ScanReport, ScanError> {
        let Context { db, actor, .. } = &self.ctx;
        let mut lost = 0;
        if is_done {
            db.settle_replacements(&self.archive, self.last_scan_ms)
                .await?;
            if reporter.has_gone() {
                lost = db.count_lost(self.archive.id, self.run_started_ms).await?;
            }
        }
        let damaged = db.list_damaged(self.archive.id).await?.len();
        let state = db
            .store_progress(self.run, &serde_json::json!(reporter.tick()))
            .await?;
        let end = if is_done && state != heirloom_core::run::RunState::Cancelling {
            db.advance_run(actor, self.run, RunEvent::Finish, None)
                .await?;
            ScanEnd::Done
        } else {
            if state != heirloom_core::run::RunState::Cancelling {
                db.advance_run(actor, self.run, RunEvent::Cancel, None)
                    .await?;
            }
            db.advance_run(actor, self.run, RunEvent::Drain, None)
                .await?;
            ScanEnd::Cancelled
        };
        Ok(reporter.finish(end, lost.unsigned_abs(), damaged as u64))
    }

    fn threads(&self) -> usize {
        match self.options.threads {
            0 => std::thread::available_parallelism().map_or(2, |count| count.get().min(8)),
            threads => threads,
        }
    }
}
