//! The scans that run in this process.

mod report;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heirloom_core::{
    Actor, ArchiveId, RunId,
    run::{RunEvent, RunState},
};
use heirloom_db::{Db, run::Run};
use heirloom_pipeline::{
    Context, Tasks,
    run::Engine,
    scan::{self, BegunScan, Outcome, Progress, ScanEvent, ScanOptions, ScanReport, begin_scan},
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, problem::Problem, wire};
use report::ReportFile;
pub(crate) use report::{delete_reports, report_path};

/// The scans of this process. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Scans {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ctx: Context,
    /// What goes on with what was found.
    engine: Engine,
    reports: PathBuf,
    metrics: Metrics,
    running: Mutex<HashMap<RunId, Running>>,
    /// Why the last scan of an archive failed, for where that could not be stored.
    failed: Mutex<HashMap<ArchiveId, (RunId, String)>>,
    tasks: Tasks,
    stopping: CancellationToken,
}

#[derive(Debug, Clone)]
struct Running {
    cancel: CancellationToken,
    progress: Arc<Mutex<Progress>>,
}

impl Scans {
    /// No scans yet, in the context of the operator.
    pub(crate) fn new(ctx: Context, engine: Engine, reports: PathBuf, metrics: Metrics) -> Self {
        let shared = Shared {
            ctx,
            engine,
            reports,
            metrics,
            running: Mutex::default(),
            failed: Mutex::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Begins a scan of an archive and goes on with it in the background; gives its run.
    ///
    /// # Errors
    /// Why it cannot begin; nothing was changed then.
    pub(crate) async fn start(
        &self,
        actor: &Actor,
        archive: ArchiveId,
        new: wire::NewScan,
    ) -> Result<RunId, Problem> {
        let ctx = Context {
            actor: actor.clone(),
            ..self.shared.ctx.clone()
        };
        let options = ScanOptions {
            verify: new.verify,
            allow_empty: new.allow_empty,
            process: new.process,
            ..ScanOptions::default()
        };
        let begun = begin_scan(&ctx, archive, options).await?;
        let report = match new
            .report
            .then(|| ReportFile::create(&self.shared.reports, begun.run()))
            .transpose()
        {
            Ok(report) => report,
            Err(problem) => {
                begun.abandon(&problem.to_string()).await;
                return Err(problem);
            }
        };
        self.failed().remove(&archive);
        Ok(self.go_on(archive, begun, report))
    }

    /// Goes on with the scans whose process ended before they did.
    ///
    /// # Errors
    /// When the catalogue does not say which. A scan that cannot go on is logged and stays as it is.
    pub(crate) async fn resume(&self) -> Result<(), Problem> {
        let ctx = &self.shared.ctx;
        for run in ctx.db.list_unended_runs().await? {
            let Some(archive) = run.archive_id.filter(|_| run.pipeline == scan::PIPELINE) else {
                continue;
            };
            let resumed = if run.state == RunState::Cancelling {
                end_cancelled(&ctx.db, &run).await
            } else {
                let new = wire::NewScan {
                    verify: run.parameters["verify"] == Json::Bool(true),
                    process: run.parameters["process"] == Json::Bool(true),
                    ..wire::NewScan::default()
                };
                self.start(&ctx.actor, archive, new).await.map(|_| ())
            };
            match resumed {
                Ok(()) => tracing::info!(run = %run.id, "a scan that was interrupted goes on"),
                Err(problem) => {
                    tracing::warn!(run = %run.id, "a scan that was interrupted cannot go on: {problem}");
                }
            }
        }
        Ok(())
    }

    /// Tells a run to stop.
    ///
    /// # Errors
    /// What the catalogue says: a run that has ended cannot be cancelled.
    pub(crate) async fn cancel(&self, actor: &Actor, run: &Run) -> Result<(), Problem> {
        let db = &self.shared.ctx.db;
        if run.state != RunState::Cancelling {
            db.advance_run(actor, run.id, RunEvent::Cancel, None)
                .await?;
            self.shared.engine.note_change(run.id);
        }
        let running = self.running().get(&run.id).cloned();
        match running {
            Some(running) => running.cancel.cancel(),
            None => end_cancelled(db, run).await?,
        }
        Ok(())
    }

    /// The run as it really is: one that this process worked at has failed, also when not even that
    /// could be stored. (One that another process left has not: it goes on when there is a server.)
    ///
    /// # Errors
    /// What the catalogue says.
    pub(crate) async fn judge(&self, mut run: Run) -> Result<Run, Problem> {
        let Some(archive) = run.archive_id.filter(|_| !run.state.has_ended()) else {
            return Ok(run);
        };
        let known = self.failed().get(&archive).cloned();
        let Some((_, reason)) = known.filter(|(failed, _)| *failed == run.id) else {
            return Ok(run);
        };
        // Another process may have gone on with it.
        if !scan::is_underway(&self.shared.ctx.db, archive).await? {
            run.state = RunState::Failed;
            run.error = Some(reason);
        }
        Ok(run)
    }

    /// How far each run is that this process works on.
    pub(crate) fn progress(&self) -> HashMap<RunId, Progress> {
        let running = self.running();
        let progress_of = |running: &Running| {
            *running
                .progress
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        running
            .iter()
            .map(|(run, running)| (*run, progress_of(running)))
            .collect()
    }

    /// Whether this process works on that run.
    pub(crate) fn has(&self, run: RunId) -> bool {
        self.running().contains_key(&run)
    }

    /// How many run.
    pub(crate) fn count(&self) -> usize {
        self.running().len()
    }

    /// Drops every scan where it is, as a kill would: what it found is stored, its run has not
    /// ended, and the next start goes on with it.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("scans").await;
    }

    fn go_on(&self, archive: ArchiveId, begun: BegunScan, report: Option<ReportFile>) -> RunId {
        let run = begun.run();
        let running = Running {
            cancel: CancellationToken::new(),
            progress: Arc::default(),
        };
        self.running().insert(run, running.clone());
        self.shared.engine.note_change(run);
        self.shared.metrics.scanning(self.count());
        let scans = self.clone();
        self.shared.tasks.spawn(async move {
            let leaving = Leaving {
                scans,
                archive,
                run,
            };
            let scans = &leaving.scans;
            let scanning = scans.scan(archive, begun, report, &running);
            tokio::select! {
                biased;
                () = scans.shared.stopping.cancelled() => {}
                () = scanning => {}
            }
        });
        run
    }

    async fn scan(
        &self,
        archive: ArchiveId,
        begun: BegunScan,
        mut report: Option<ReportFile>,
        running: &Running,
    ) {
        let run = begun.run();
        let metrics = &self.shared.metrics;
        let mut bytes = 0;
        let mut observe = |event: ScanEvent<'_>| match event {
            ScanEvent::File(file) => {
                metrics.met(outcome_word(file.outcome));
                if let Some(report) = &mut report {
                    report.write(file);
                }
            }
            ScanEvent::Progress(progress) => {
                metrics.read(progress.bytes_done.saturating_sub(bytes));
                bytes = bytes.max(progress.bytes_done);
                *running
                    .progress
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = *progress;
            }
        };
        let outcome = begun.finish(&running.cancel, &mut observe).await;
        if let Some(report) = report {
            report.finish();
        }
        match outcome {
            Ok(report) => {
                let next = self.prepare(run).await;
                self.store_report(run, &report, next, running).await;
            }
            Err(error) => {
                tracing::error!(%run, %error, "a scan failed");
                self.failed().insert(archive, (run, error.to_string()));
                self.store_problem(run, &error.into(), running).await;
            }
        }
    }

    /// Begins to prepare what a scan found new, if it was asked to and found anything.
    async fn prepare(&self, run: RunId) -> Option<RunId> {
        match self.shared.engine.follow(run).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%run, %error, "what was found is not prepared");
                None
            }
        }
    }

    /// Keeps why it failed, for programs.
    async fn store_problem(&self, run: RunId, problem: &Problem, running: &Running) {
        let progress = *running
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let document = json!({
            "progress": progress,
            "problem": { "code": problem.code(), "hint": problem.get_hint() },
        });
        if let Err(error) = self.shared.ctx.db.store_progress(run, &document).await {
            tracing::warn!(%run, %error, "why a scan failed could not be stored");
        }
    }

    /// Keeps what was found, so that it can be told when the scan is long over.
    async fn store_report(
        &self,
        run: RunId,
        report: &ScanReport,
        next: Option<RunId>,
        running: &Running,
    ) {
        let progress = *running
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let document = json!({ "progress": progress, "report": report, "next_run": next });
        if let Err(error) = self.shared.ctx.db.store_progress(run, &document).await {
            tracing::warn!(%run, %error, "what a scan found could not be stored");
        }
    }

    fn failed(&self) -> MutexGuard<'_, HashMap<ArchiveId, (RunId, String)>> {
        self.shared
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RunId, Running>> {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scan that is no longer among the running ones when this is dropped, however it ended.
struct Leaving {
    scans: Scans,
    archive: ArchiveId,
    run: RunId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "something went wrong inside the scan".to_owned();
            self.scans.failed().insert(self.archive, (self.run, reason));
        }
        self.scans.running().remove(&self.run);
        self.scans.shared.engine.note_change(self.run);
        self.scans.shared.metrics.scanning(self.scans.count());
    }
}

/// Ends a run that was told to stop, unless another process still works on it.
async fn end_cancelled(db: &Db, run: &Run) -> Result<(), Problem> {
    let hold = match run.archive_id {
        Some(archive) => db.hold_archive(archive).await?,
        None => None,
    };
    if hold.is_some() || run.archive_id.is_none() {
        db.advance_run(&Actor::Operator, run.id, RunEvent::Drain, None)
            .await?;
    }
    Ok(())
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::New => "new",
        Outcome::Moved => "moved",
        Outcome::Copy => "copy",
        Outcome::Returned => "returned",
        Outcome::Unchanged => "unchanged",
        Outcome::Replaced => "replaced",
        Outcome::Gone => "gone",
        Outcome::Sidecar => "sidecar",
        Outcome::Skipped => "skipped",
        Outcome::Failed => "failed",
    }
}
