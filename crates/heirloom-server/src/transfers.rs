//! The exports and imports that run in this process, each as a run that can be seen and cancelled.

mod publish;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Instant,
};

use heirloom_core::{
    Actor, CollectionId, FamilyId, RunId,
    run::{RunEvent, RunState},
    text,
};
use heirloom_db::{collection::Collection, family::Family, plan::Parameters, run::Run};
use heirloom_pipeline::{
    Context, Tasks,
    export::{self, ExportError, Meter, check_export},
    import::{self, Checked, ImportError, check_import, remove_left_over},
    ipfs::{self, IpfsError, IpfsSettings},
    run::Engine,
    scan::Progress,
    template,
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::{
    folder::parse_folder,
    problem::{Code, Problem},
};

/// What is done here.
const PIPELINES: [&str; 4] = [
    export::PIPELINE,
    import::PIPELINE,
    ipfs::PUBLISH,
    ipfs::UNPIN,
];

/// The exports and imports of this process. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Transfers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ctx: Context,
    family: Family,
    /// What goes on with what was imported.
    engine: Engine,
    settings: IpfsSettings,
    running: Mutex<HashMap<RunId, Running>>,
    /// Held by who begins one.
    starting: tokio::sync::Mutex<()>,
    /// One publication is begun at a time, so that no collection is published twice at once.
    publishing: tokio::sync::Mutex<()>,
    tasks: Tasks,
    stopping: CancellationToken,
}

#[derive(Debug, Clone)]
struct Running {
    cancel: CancellationToken,
    meter: Arc<Meter>,
    begun: Instant,
}

/// What is to be done.
#[derive(Debug)]
enum Job {
    Export(PathBuf, Box<Family>, Option<CollectionId>),
    Import {
        what: Checked,
        is_dry: bool,
        process: bool,
    },
    Publish(Box<ipfs::Checked>),
    Unpin(Box<Collection>),
    ImportArchive(publish::Sealed),
}

/// The family with this name or id.
async fn find_family(ctx: &Context, named: &str) -> Result<Family, Problem> {
    let families = ctx.db.list_families().await?;
    let id = named.parse::<FamilyId>().ok();
    let wanted = text::fold(named);
    let is_meant = |family: &&Family| Some(family.id) == id || text::fold(&family.name) == wanted;
    let mut meant = families.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(family), None) => Ok(family.clone()),
        (Some(_), Some(_)) => {
            let message = format!("several families are called {named:?}");
            Err(Problem::new(Code::Refused, message).hint("Say which one by its id."))
        }
        (None, _) => {
            let names: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
            let message = format!("there is no family {named:?}");
            let hint = format!("Those of this library are: {}.", names.join(", "));
            Err(Problem::new(Code::NotFound, message).hint(hint))
        }
    }
}

impl Transfers {
    pub(crate) fn new(
        ctx: Context,
        family: Family,
        engine: Engine,
        settings: IpfsSettings,
    ) -> Self {
        let shared = Shared {
            ctx,
            family,
            engine,
            settings,
            running: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            publishing: tokio::sync::Mutex::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Whether runs of this pipeline are done here.
    pub(crate) fn has_pipeline(pipeline: &str) -> bool {
        PIPELINES.contains(&pipeline)
    }

    /// Begins to export to a folder, given as path text.
    ///
    /// # Errors
    /// Why it cannot be exported there; nothing was changed then.
    pub(crate) async fn export(
        &self,
        actor: &Actor,
        new: &crate::wire::NewExport,
    ) -> Result<RunId, Problem> {
        let ctx = self.context(actor);
        let family = match &new.family {
            None => self.shared.family.clone(),
            Some(_) if new.collection_id.is_some() => {
                let message = "a collection and a whole family cannot be exported at once";
                return Err(Problem::new(Code::Refused, message).hint("Name one of them."));
            }
            Some(named) => find_family(&ctx, named).await?,
        };
        let folder = check_export(&ctx, &family, &parse_folder(&new.path)?).await?;
        let collection = new.collection_id;
        if let Some(id) = collection {
            ctx.db.get_collection(actor, id).await?;
        }
        let asked = json!({
            "folder": folder.display().to_string(), "collection_id": collection, "family_id": family.id,
        });
        let job = Job::Export(folder, Box::new(family), collection);
        self.start(&ctx, export::PIPELINE, &asked, job).await
    }

    /// Begins to import what lies at paths that are given as path text.
    ///
    /// # Errors
    /// Why it cannot be imported; nothing was changed then.
    pub(crate) async fn import(
        &self,
        actor: &Actor,
        new: &crate::wire::NewImport,
    ) -> Result<RunId, Problem> {
        let ctx = self.context(actor);
        let paths: Vec<PathBuf> = new
            .paths
            .iter()
            .map(|path| parse_folder(path))
            .collect::<Result<_, _>>()?;
        let what = check_import(&ctx, &paths, new.from.map(Into::into)).await?;
        let folders: Vec<String> = what
            .paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        // A run that says so and began none is followed by one at the next start.
        let process = new.process && !new.dry_run;
        let asked = json!({
            "folder": folders.join(", "), "from": new.from, "dry_run": new.dry_run, "process": process,
        });
        let job = Job::Import {
            what,
            is_dry: new.dry_run,
            process,
        };
        self.start(&ctx, import::PIPELINE, &asked, job).await
    }

    async fn start(
        &self,
        ctx: &Context,
        pipeline: &str,
        asked: &Json,
        job: Job,
    ) -> Result<RunId, Problem> {
        // What is begun is not taken for what a killed command left open.
        let _starting = self.shared.starting.lock().await;
        if self.running().is_empty() {
            self.end_left_open(&[export::PIPELINE, import::PIPELINE])
                .await?;
        }
        let family = &self.shared.family;
        let mut asked = asked.clone();
        asked["data_folder"] = json!(ctx.data_folder.display().to_string());
        let run = ctx
            .db
            .begin_run(&ctx.actor, family.id, pipeline, None, &asked)
            .await?
            .id;
        let running = Running {
            cancel: CancellationToken::new(),
            meter: Arc::default(),
            begun: Instant::now(),
        };
        self.running().insert(run, running.clone());
        self.shared.engine.note_change(run);
        let (transfers, ctx) = (self.clone(), ctx.clone());
        self.shared.tasks.spawn(async move {
            let leaving = Leaving {
                transfers: transfers.clone(),
                run,
            };
            let working = transfers.work(&ctx, run, job, &running);
            tokio::select! {
                biased;
                () = transfers.shared.stopping.cancelled() => running.cancel.cancel(),
                () = working => {}
            }
            drop(leaving);
        });
        Ok(run)
    }

    async fn work(&self, ctx: &Context, run: RunId, job: Job, running: &Running) {
        let family = &self.shared.family;
        let (cancel, meter) = (&running.cancel, &running.meter);
        let ended: Result<Json, Ended> = match job {
            Job::Export(folder, family, collection) => {
                export::export(ctx, &family, &folder, collection, cancel, meter)
                    .await
                    .map(|report| json!({ "export": report }))
                    .map_err(|error| match error {
                        ExportError::Cancelled => Ended::Cancelled,
                        error => Ended::Failed(Problem::from(error)),
                    })
            }
            Job::Import {
                what,
                is_dry,
                process,
            } => {
                self.bring(ctx, run, (&what, is_dry, process), running)
                    .await
            }
            Job::Publish(checked) => {
                let settings = &self.shared.settings;
                ipfs::publish(ctx, family, settings, *checked, cancel, meter)
                    .await
                    .map(|report| json!({ "publication": report }))
                    .map_err(Ended::from)
            }
            Job::Unpin(collection) => ipfs::unpin(ctx, &self.shared.settings, &collection, cancel)
                .await
                .map(|()| json!({}))
                .map_err(Ended::from),
            Job::ImportArchive(sealed) => self.import_sealed(ctx, run, sealed, running).await,
        };
        if let Err(error) = self.end(ctx, run, running, ended).await {
            tracing::error!(%run, "how it ended could not be stored: {error}");
        }
    }

    /// Imports, and begins to prepare what came.
    async fn bring(
        &self,
        ctx: &Context,
        run: RunId,
        (what, is_dry, process): (&Checked, bool, bool),
        running: &Running,
    ) -> Result<Json, Ended> {
        let (family, cancel, meter) = (&self.shared.family, &running.cancel, &running.meter);
        match import::import(ctx, family, what, is_dry, cancel, meter).await {
            Ok(report) => {
                let next = match process && report.added + report.completed > 0 {
                    true => self.prepare(run).await,
                    false => None,
                };
                Ok(json!({ "import": report, "next_run": next }))
            }
            Err(ImportError::Cancelled) => Err(Ended::Cancelled),
            Err(error) => Err(Ended::Failed(Problem::from(error))),
        }
    }

    async fn end(
        &self,
        ctx: &Context,
        run: RunId,
        running: &Running,
        ended: Result<Json, Ended>,
    ) -> Result<(), Problem> {
        let mut document = json!({ "progress": progress_of(running) });
        let (actor, db) = (&ctx.actor, &ctx.db);
        match ended {
            Ok(report) => {
                if let (Json::Object(document), Json::Object(report)) = (&mut document, report) {
                    document.extend(report);
                }
                let state = db.store_progress(run, &document).await?;
                let event = match state {
                    // It was through before it heard that it was to stop.
                    RunState::Cancelling => RunEvent::Drain,
                    _ => RunEvent::Finish,
                };
                db.advance_run(actor, run, event, None).await?;
            }
            Err(Ended::Cancelled) => {
                let state = db.store_progress(run, &document).await?;
                if state != RunState::Cancelling {
                    db.advance_run(actor, run, RunEvent::Cancel, None).await?;
                }
                db.advance_run(actor, run, RunEvent::Drain, None).await?;
            }
            Err(Ended::Failed(problem)) => {
                document["problem"] = json!({
                    "code": problem.code(), "hint": problem.get_hint(),
                });
                db.store_progress(run, &document).await?;
                let why = problem.to_string();
                db.advance_run(actor, run, RunEvent::Fail, Some(&why))
                    .await?;
            }
        }
        Ok(())
    }

    /// Begins to prepare what is here by now.
    async fn prepare(&self, run: RunId) -> Option<RunId> {
        let (engine, actor) = (&self.shared.engine, &self.shared.ctx.actor);
        let all = Parameters {
            process: true,
            ..Parameters::default()
        };
        match engine
            .start(actor, self.shared.family.id, template::PREPARE.name, &all)
            .await
        {
            Ok(next) => Some(next),
            Err(error) => {
                tracing::error!(%run, %error, "what was imported is not prepared");
                None
            }
        }
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
        }
        let running = self.running().get(&run.id).cloned();
        match running {
            Some(running) => running.cancel.cancel(),
            None => {
                db.advance_run(actor, run.id, RunEvent::Drain, None).await?;
            }
        }
        Ok(())
    }

    /// Ends the runs of this data folder whose process ended before they did, and goes on with what was being
    /// published. Asking for the same again goes on where the others were.
    ///
    /// # Errors
    /// What the catalogue says.
    pub(crate) async fn resume(&self) -> Result<(), Problem> {
        let left_open = {
            let _starting = self.shared.starting.lock().await;
            self.end_left_open(&PIPELINES).await?
        };
        for run in left_open {
            if let Err(problem) = self.go_on(&run).await {
                tracing::warn!(run = %run.id, "what was being published does not go on: {problem}");
            }
        }
        Ok(())
    }

    /// Ends the runs of these pipelines that a killed process left open, and gives them.
    async fn end_left_open(&self, pipelines: &[&str]) -> Result<Vec<Run>, Problem> {
        let ctx = &self.shared.ctx;
        remove_left_over(&ctx.data_folder);
        let own = json!(ctx.data_folder.display().to_string());
        let mut runs = ctx.db.list_unended_runs().await?;
        runs.retain(|run| {
            let is_own =
                pipelines.contains(&run.pipeline.as_str()) && run.parameters["data_folder"] == own;
            is_own && !self.running().contains_key(&run.id)
        });
        for run in &runs {
            let why = "it was interrupted; doing the same again goes on where it was";
            let mut document = run.progress.clone();
            document["problem"] = json!({ "code": Code::Interrupted });
            ctx.db.store_progress(run.id, &document).await?;
            ctx.db
                .advance_run(&ctx.actor, run.id, RunEvent::Fail, Some(why))
                .await?;
        }
        Ok(runs)
    }

    /// How far each run is that this process works on.
    pub(crate) fn progress(&self) -> HashMap<RunId, Progress> {
        let running = self.running();
        running
            .iter()
            .map(|(run, running)| (*run, progress_of(running)))
            .collect()
    }

    /// Ends all of them where they are.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("exports and imports").await;
    }

    fn context(&self, actor: &Actor) -> Context {
        Context {
            actor: actor.clone(),
            ..self.shared.ctx.clone()
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RunId, Running>> {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a run ended that did not come to its end.
enum Ended {
    Cancelled,
    Failed(Problem),
}

impl From<IpfsError> for Ended {
    fn from(error: IpfsError) -> Self {
        match error {
            IpfsError::Cancelled => Self::Cancelled,
            error => Self::Failed(Problem::from(error)),
        }
    }
}

/// A run that is no longer among the running ones when this is dropped.
struct Leaving {
    transfers: Transfers,
    run: RunId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.transfers.running().remove(&self.run);
        self.transfers.shared.engine.note_change(self.run);
    }
}

fn progress_of(running: &Running) -> Progress {
    let meter = &running.meter;
    let elapsed = running.begun.elapsed();
    let bytes_done = meter.bytes_done.load(Ordering::Relaxed);
    let files_done = meter.files_done.load(Ordering::Relaxed);
    let seconds = elapsed.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
    let rate = |done: u64| done as f64 / seconds;
    Progress {
        files: meter.files.load(Ordering::Relaxed),
        files_done,
        bytes: meter.bytes.load(Ordering::Relaxed),
        bytes_done,
        is_listed: true,
        files_per_second: rate(files_done),
        bytes_per_second: rate(bytes_done),
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        ..Progress::default()
    }
}
