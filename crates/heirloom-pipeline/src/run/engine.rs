//! The embedded engine: works on the runs of a catalogue within this process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use heirloom_core::{
    Actor, AssetId, FamilyId, RunId,
    run::{RunEvent, RunState},
    unit::FailureCode,
};
use heirloom_db::{
    DbError, Engine as Database,
    plan::{Foreseen, Parameters, Scope},
    run::{Next, Run},
    workpiece::Workpiece,
};
use heirloom_models::{Ability, Store};
use serde_json::{Map, Value as Json};
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use super::drive::drive;
use crate::{
    Context, Ffmpeg, Tasks,
    confinement::Confinement,
    hearing::Hearings,
    machine::{Working, processors},
    reading::SecondReader,
    template::{Models, PREPARE, Step, Template, UNDERSTAND},
    tool::{
        ResourceClass,
        parameter::{ParameterError, check},
        transcript::HEARER,
    },
    voice::read_voices,
    way::Ways,
    workshop::{Abilities, Workshop},
};

/// Works on runs until it is stopped. Clones mean the same.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
}

/// Why something cannot be done with a run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such pipeline.
    #[error("there is no pipeline {name:?}; there is: {known}")]
    NoPipeline {
        /// How it was called.
        name: String,
        /// What there is.
        known: String,
    },
    /// It cannot be asked for that.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The catalogue refuses, or failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its kind.
    pub code: FailureCode,
    /// The same as a sentence without its full stop.
    pub said: String,
}

#[derive(Debug)]
pub(super) struct Shared {
    /// In the name of the operator, who owns the machine.
    pub(super) ctx: Context,
    pub(super) workshop: Workshop,
    pub(super) templates: &'static [&'static Template],
    hands: Hands,
    /// How to wake whoever drives a run.
    driven: Mutex<HashMap<RunId, Arc<Notify>>>,
    /// Why runs do not go on, for as long as they do not. It is not in the catalogue, which may be what
    /// cannot be written.
    waiting: Mutex<HashMap<RunId, Waiting>>,
    tasks: Tasks,
    pub(super) stopping: CancellationToken,
    pub(super) changes: broadcast::Sender<RunId>,
}

/// How many units of each class are worked on at once. Whoever waits longest is next, so that runs
/// take turns.
#[derive(Debug)]
struct Hands {
    cpu: Arc<Semaphore>,
    io: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    model: Arc<Semaphore>,
}

/// Where in the data folder lies what tools are at work on.
const SCRATCH: &str = "scratch";
/// How many units that wait for the disk or the network are worked on at once.
const IO_HANDS: usize = 4;
/// How often it is looked for runs that another process has begun.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many changes are kept for a listener that is slow.
const CHANGES: usize = 1024;

impl Engine {
    /// An engine that works on nothing yet, with these models and pipelines.
    #[must_use]
    pub fn new(
        ctx: Context,
        confinement: Confinement,
        abilities: impl Into<Abilities>,
        templates: &'static [&'static Template],
    ) -> Self {
        let cores = processors();
        let hands = Hands {
            cpu: Arc::new(Semaphore::new(cores)),
            io: Arc::new(Semaphore::new(IO_HANDS)),
            memory: Arc::new(Semaphore::new(1)),
            model: Arc::new(Semaphore::new(1)),
        };
        Self {
            shared: Arc::new(Shared {
                workshop: Workshop::new(
                    confinement,
                    ctx.data_folder.join(SCRATCH),
                    abilities.into(),
                ),
                ctx,
                templates,
                hands,
                driven: Mutex::default(),
                waiting: Mutex::default(),
                tasks: Tasks::default(),
                stopping: CancellationToken::new(),
                changes: broadcast::channel(CHANGES).0,
            }),
        }
    }

    /// Goes on with the runs that have not ended and with what scans and additions found whose process
    /// was killed before it began to prepare that; where other processes share the catalogue, also with
    /// the runs that they begin.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn resume(&self) -> Result<(), DbError> {
        for run in self.shared.ctx.db.list_unfollowed_runs().await? {
            self.follow(run).await?;
        }
        for run in self.list_unended().await? {
            self.go_on(run.id);
        }
        let engine = self.clone();
        self.shared
            .tasks
            .spawn(async move { engine.read_voices().await });
        if self.shared.ctx.db.engine() == Database::Postgres {
            let engine = self.clone();
            self.shared
                .tasks
                .spawn(async move { engine.look_for_runs().await });
        }
        Ok(())
    }

    /// Begins a run of a pipeline.
    ///
    /// # Errors
    /// [`EngineError::NoPipeline`], and what the catalogue says.
    pub async fn start(
        &self,
        actor: &Actor,
        family: FamilyId,
        pipeline: &str,
        parameters: &Parameters,
    ) -> Result<RunId, EngineError> {
        let template = self.get_template(pipeline)?;
        let db = &self.shared.ctx.db;
        let steps = template.step_names();
        let run = db
            .create_deriving_run(actor, family, template.name, parameters, &steps)
            .await?;
        self.go_on(run.id);
        Ok(run.id)
    }

    /// Begins a run that finds out what is in everything, as far as models are here. What waits for a model waits on.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn understand(&self, actor: &Actor, family: FamilyId) -> Result<RunId, EngineError> {
        let template = self.get_template(UNDERSTAND.name)?;
        let steps = template.ready_names(&self.shared.workshop);
        let all = Parameters::default();
        let db = &self.shared.ctx.db;
        let run = db
            .create_deriving_run(actor, family, template.name, &all, &steps)
            .await?;
        self.go_on(run.id);
        Ok(run.id)
    }

    /// Has these recordings heard again, as far as the models are here: people say in which language they are spoken.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn hear_again(
        &self,
        family: FamilyId,
        assets: &[AssetId],
    ) -> Result<(), EngineError> {
        if self.ready(&UNDERSTAND).contains_key(HEARER.name) {
            let parameters = Parameters {
                scope: Scope::Assets(assets.to_vec()),
                ..Parameters::default()
            };
            let actor = &self.shared.ctx.actor;
            self.start(actor, family, UNDERSTAND.name, &parameters)
                .await?;
        }
        Ok(())
    }

    /// What a run would find to do at each step of its pipeline, in the order of the steps; nothing is
    /// begun.
    ///
    /// # Errors
    /// [`EngineError::NoPipeline`], and what the catalogue says.
    pub async fn foresee(
        &self,
        actor: &Actor,
        family: FamilyId,
        pipeline: &str,
        parameters: &Parameters,
    ) -> Result<Vec<(&'static Step, Foreseen)>, EngineError> {
        let template = self.get_template(pipeline)?;
        let db = &self.shared.ctx.db;
        let models = template.models(&self.shared.workshop);
        let wanted = |asset: &Workpiece| template.wanted(asset, parameters, &models);
        let foreseen = db.foresee_run(actor, family, parameters, wanted).await?;
        let of_step = |step: &Step| foreseen.get(step.name).copied().unwrap_or_default();
        let steps = template.steps.iter();
        Ok(steps.map(|step| (step, of_step(step))).collect())
    }

    /// Checks what the steps of a pipeline are asked for: see [`check`].
    ///
    /// # Errors
    /// [`EngineError::NoPipeline`] and [`EngineError::Parameter`].
    pub fn check(
        &self,
        pipeline: &str,
        asked: &BTreeMap<String, Map<String, Json>>,
    ) -> Result<BTreeMap<String, Json>, EngineError> {
        Ok(check(self.get_template(pipeline)?, asked)?)
    }

    /// The pipelines that there are.
    #[must_use]
    pub fn templates(&self) -> &'static [&'static Template] {
        self.shared.templates
    }

    fn get_template(&self, pipeline: &str) -> Result<&'static Template, EngineError> {
        let template = self.shared.find_template(pipeline);
        template.ok_or_else(|| EngineError::NoPipeline {
            name: pipeline.to_owned(),
            known: self.shared.list_names(),
        })
    }

    /// Goes on with what a run found or added, or prepared, if it has ended or is about to, was asked to (`process` in its
    /// parameters) and came upon anything: it is prepared, and what is prepared is understood as far as models are
    /// here. Gives the run that does. In the name of the operator: whoever may add something may have it looked at.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn follow(&self, run: RunId) -> Result<Option<RunId>, DbError> {
        let Shared { ctx, workshop, .. } = &*self.shared;
        let ended = ctx.db.get_run(&ctx.actor, run).await?;
        let template = match ended.pipeline == PREPARE.name {
            true => &UNDERSTAND,
            false => &PREPARE,
        };
        let Some(template) = self.shared.find_template(template.name) else {
            return Ok(None);
        };
        let steps = template.ready_names(workshop);
        let next = (!steps.is_empty()).then_some(Next {
            pipeline: template.name,
            steps: &steps,
            goes_on: template.name == PREPARE.name,
        });
        let next = ctx.db.create_next_run(run, next).await?;
        if let Some(next) = next {
            self.go_on(next);
        }
        Ok(next)
    }

    /// Lets a person's wish happen to a run: [`RunEvent::Pause`], [`RunEvent::Resume`] or
    /// [`RunEvent::Cancel`]. What is being worked on is done first when it pauses, and dropped within
    /// two seconds when it is cancelled. A run that is being cancelled already stays so.
    ///
    /// # Errors
    /// [`DbError::Refused`] when the run's state does not allow it.
    pub async fn tell(&self, actor: &Actor, run: &Run, event: RunEvent) -> Result<(), EngineError> {
        if !(event == RunEvent::Cancel && run.state == RunState::Cancelling) {
            let db = &self.shared.ctx.db;
            db.advance_run(actor, run.id, event, None).await?;
        }
        self.note_change(run.id);
        self.go_on(run.id);
        Ok(())
    }

    /// Has the failed and the cancelled units of a run that has ended tried once more; gives how many.
    ///
    /// # Errors
    /// [`DbError::Refused`] when it has not ended.
    pub async fn retry(&self, actor: &Actor, run: &Run) -> Result<u64, EngineError> {
        self.get_template(&run.pipeline)?;
        let retried = self.shared.ctx.db.retry_run(actor, run.id).await?;
        self.note_change(run.id);
        self.go_on(run.id);
        Ok(retried)
    }

    /// Hears of each run whose state or counts have changed in this process.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<RunId> {
        self.shared.changes.subscribe()
    }

    /// Tells who listens that this process has changed a run.
    pub fn note_change(&self, run: RunId) {
        // That nobody listens is fine.
        let _ = self.shared.changes.send(run);
    }

    /// How many runs this process works on.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.driven().len()
    }

    /// Why a run does not go on in this process, when that is nothing of its own: it goes on by itself when it
    /// is over.
    #[must_use]
    pub fn why_waiting(&self, run: RunId) -> Option<Waiting> {
        self.shared.waiting().get(&run).cloned()
    }

    /// The models that there may be.
    #[must_use]
    pub fn models(&self) -> &Store {
        self.shared.workshop.models()
    }

    /// Where tools work.
    #[must_use]
    pub fn workshop(&self) -> &Workshop {
        &self.shared.workshop
    }

    /// Who writes down what is said.
    #[must_use]
    pub fn transcription(&self) -> &Ways {
        self.shared.workshop.transcription()
    }

    /// Who reads beside the models of this machine.
    #[must_use]
    pub fn second_reader(&self) -> &SecondReader {
        self.shared.workshop.second_reader()
    }

    /// Who reads what is written.
    #[must_use]
    pub fn reading(&self) -> &Ways {
        self.shared.workshop.reading()
    }

    /// Who says what pictures show.
    #[must_use]
    pub fn tagging(&self) -> &Ways {
        self.shared.workshop.tagging()
    }

    /// How an ability that networks have is at work on this machine; none for what is no such ability.
    #[must_use]
    pub fn working(&self, ability: Ability) -> Option<Working> {
        self.shared.workshop.working(ability)
    }

    /// The recordings that this process hears, and what was heard of each so far.
    #[must_use]
    pub fn hearings(&self) -> &Hearings {
        self.shared.workshop.hearings()
    }

    /// The steps of a pipeline for which every model is here, with the keys of these.
    #[must_use]
    pub fn ready(&self, template: &Template) -> Models {
        template.ready(&self.shared.workshop)
    }

    /// What films and recordings are worked on with.
    #[must_use]
    pub fn ffmpeg(&self) -> &Ffmpeg {
        self.shared.workshop.ffmpeg()
    }

    /// What its tools read bytes in that nobody knows.
    #[must_use]
    pub fn confinement(&self) -> &Confinement {
        self.shared.workshop.confinement()
    }

    /// Whether this engine has the pipeline.
    #[must_use]
    pub fn has_pipeline(&self, name: &str) -> bool {
        self.shared.find_template(name).is_some()
    }

    /// Drops all work where it is, and lets go of its leases: whoever is next goes on with it.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("runs").await;
    }

    /// Sees to it that somebody drives the run, and wakes them.
    fn go_on(&self, run: RunId) {
        let mut driven = self.shared.driven();
        if let Some(wake) = driven.get(&run) {
            wake.notify_one();
            return;
        }
        let wake = Arc::new(Notify::new());
        driven.insert(run, Arc::clone(&wake));
        drop(driven);
        let engine = self.clone();
        self.shared
            .tasks
            .spawn(async move { engine.drive_to_end(run, &wake).await });
    }

    async fn drive_to_end(&self, run: RunId, wake: &Notify) {
        let leaving = Leaving {
            shared: &self.shared,
            run,
        };
        loop {
            match drive(&self.shared, run, wake).await {
                Ok(()) => break,
                // Nothing is lost: what was made and not stored is made again.
                Err(error) => {
                    tracing::warn!(run = %run, "a run is held up: {error}");
                    let code = error.failure_code();
                    let said = error.to_string();
                    self.shared.note_waiting(run, Some(Waiting { code, said }));
                    tokio::select! {
                        () = self.shared.stopping.cancelled() => break,
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
            }
        }
        drop(leaving);
        // What was purged meanwhile was kept, in case this run was about to refer to the same bytes.
        if !self.shared.stopping.is_cancelled()
            && let Err(error) = crate::purge::remove_unneeded_blobs(&self.shared.ctx).await
        {
            tracing::warn!(%run, "bytes that nobody needs stay for now: {error}");
        }
        // It may have been told something after it was last looked at.
        if !self.shared.stopping.is_cancelled() {
            let state = self
                .shared
                .ctx
                .db
                .get_run(&self.shared.ctx.actor, run)
                .await;
            if state.is_ok_and(|run| !run.state.has_ended()) {
                self.go_on(run);
            }
        }
    }

    /// Keeps the voices of transcripts that were stored before voices were.
    async fn read_voices(&self) {
        let Shared { ctx, stopping, .. } = &*self.shared;
        if let Err(error) = read_voices(ctx, stopping).await {
            tracing::warn!("voices of older transcripts are not known: {error}");
        }
    }

    async fn look_for_runs(&self) {
        loop {
            tokio::select! {
                () = self.shared.stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.list_unended().await {
                Ok(runs) => {
                    for run in runs {
                        if !self.shared.driven().contains_key(&run.id) {
                            self.go_on(run.id);
                        }
                    }
                }
                Err(error) => tracing::warn!("runs of other processes cannot be seen: {error}"),
            }
        }
    }

    async fn list_unended(&self) -> Result<Vec<Run>, DbError> {
        let mut runs = self.shared.ctx.db.list_unended_runs().await?;
        runs.retain(|run| self.has_pipeline(&run.pipeline));
        Ok(runs)
    }
}

impl Shared {
    pub(super) fn find_template(&self, name: &str) -> Option<&'static Template> {
        self.templates
            .iter()
            .copied()
            .find(|template| template.name == name)
    }

    pub(super) fn hands(&self, class: ResourceClass) -> &Arc<Semaphore> {
        match class {
            ResourceClass::Cpu => &self.hands.cpu,
            ResourceClass::Io => &self.hands.io,
            ResourceClass::Memory => &self.hands.memory,
            ResourceClass::Model => &self.hands.model,
        }
    }

    fn list_names(&self) -> String {
        let names: Vec<&str> = self
            .templates
            .iter()
            .map(|template| template.name)
            .collect();
        names.join(", ")
    }

    /// Notes why a run does not go on, or that it does.
    pub(super) fn note_waiting(&self, run: RunId, reason: Option<Waiting>) {
        let mut waiting = self.waiting();
        let before = match &reason {
            Some(reason) => waiting.insert(run, reason.clone()),
            None => waiting.remove(&run),
        };
        drop(waiting);
        if before != reason {
            let _ = self.changes.send(run);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<RunId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn driven(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Notify>>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a run off the list of those that are driven, however that ends.
struct Leaving<'a> {
    shared: &'a Shared,
    run: RunId,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.shared.driven().remove(&self.run);
        self.shared.note_waiting(self.run, None);
    }
}
