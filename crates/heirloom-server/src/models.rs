//! The models that this process fetches, one after the other, and what it says of all of them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heirloom_core::{Actor, FamilyId, permission::Action};
use heirloom_models::{
    Ability, Mirror, Model, ModelError, ModelState, NewFile, NewModel, Progress, Pulling, Source,
    Store,
};
use heirloom_pipeline::{
    Context, Tasks, archive::find_around, confinement::RoomSettings, machine::graphics_cards,
    run::Engine, template::UNDERSTAND, way::WaySettings,
};
use tokio_util::sync::CancellationToken;

use crate::{
    problem::{Code, Problem},
    wire,
};

/// Where models are kept and come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsConfig {
    /// The folder; without one it is `models` in the data folder.
    pub folder: Option<PathBuf>,
    /// Who is asked for files first.
    pub mirror: Option<Mirror>,
    /// Who writes down what is said.
    pub transcription: WaySettings,
    /// Who reads what is written.
    pub reading: WaySettings,
    /// Who says what pictures show.
    pub tagging: WaySettings,
    /// The languages in which tesseract reads beside the models of this machine, by its own names; none where it does not.
    pub tesseract: Vec<String>,
    /// How long models stay in memory, and how much of it they may have.
    pub room: RoomSettings,
}

impl ModelsConfig {
    /// The models, of a library with this data folder.
    #[must_use]
    pub fn open(&self, data_folder: &Path) -> Store {
        let own = || data_folder.join("models");
        Store::open(self.folder.clone().unwrap_or_else(own))
    }
}

/// The models. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Models {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ctx: Context,
    family: FamilyId,
    engine: Engine,
    mirror: Option<Mirror>,
    work: Mutex<Work>,
    tasks: Tasks,
    stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct Work {
    /// Whether somebody is at it.
    is_working: bool,
    now: Option<Now>,
    queue: VecDeque<Job>,
    /// Why what was pulled last did not come.
    failed: HashMap<String, Problem>,
}

#[derive(Debug)]
struct Now {
    id: String,
    progress: Progress,
    cancel: CancellationToken,
}

#[derive(Debug)]
struct Job {
    id: String,
    own: BTreeMap<String, PathBuf>,
}

/// Which models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    Named(&'a [String]),
    Default,
    All,
}

impl Models {
    pub(crate) fn new(
        ctx: Context,
        family: FamilyId,
        engine: Engine,
        mirror: Option<Mirror>,
    ) -> Self {
        let shared = Shared {
            ctx,
            family,
            engine,
            mirror,
            work: Mutex::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.shared.engine.models()
    }

    /// All models, and how each stands.
    pub(crate) fn list(&self, actor: &Actor) -> Result<wire::Models, Problem> {
        actor.require_operator(Action::OperateMachine)?;
        let (models, wrong) = self.store().list();
        let mirror = self.shared.mirror.as_ref();
        Ok(wire::Models {
            folder: self.store().folder().display().to_string(),
            mirror: mirror.map(ToString::to_string),
            items: models.iter().map(|model| self.describe(model)).collect(),
            problems: wrong.iter().map(ToString::to_string).collect(),
            runs: self.runs(),
            graphics_cards: graphics_cards(Path::new("/")),
        })
    }

    /// What each ability runs on whose models are here.
    pub(crate) fn runs(&self) -> Vec<wire::ModelRun> {
        let is_here = |ability: Ability| {
            let model = self.store().default_for(ability);
            model.filter(|model| self.store().state(model) == ModelState::Here)
        };
        let Some(runtime) = is_here(Ability::Runtime) else {
            return Vec::new();
        };
        let runs = Ability::ALL.into_iter().filter_map(|ability| {
            let works = self.shared.engine.working(ability)?;
            Some(wire::ModelRun {
                ability: ability.as_str().to_owned(),
                model: is_here(ability)?.id,
                runtime: runtime.origin.clone(),
                threads: works.threads as u64,
                processors: works.processors as u64,
                memory_bytes: works.memory_bytes,
                is_loaded: works.is_loaded,
            })
        });
        runs.collect()
    }

    /// One model, and how it stands.
    pub(crate) fn get(&self, actor: &Actor, id: &str) -> Result<wire::Model, Problem> {
        actor.require_operator(Action::OperateMachine)?;
        Ok(self.describe(&self.store().model(id)?))
    }

    /// Begins to fetch what is missing, and goes on with it in the background.
    ///
    /// # Errors
    /// `not_found` for a model that nobody knows; nothing has begun then.
    pub(crate) async fn pull(&self, actor: &Actor, which: Which<'_>) -> Result<(), Problem> {
        self.check_folder(actor).await?;
        let mut ids = Vec::new();
        match which {
            Which::Named(named) => {
                for id in named {
                    ids.push(self.store().model(id)?.id);
                }
            }
            Which::Default | Which::All => {
                let models = self.store().list().0.into_iter();
                let wanted = models.filter(|model| model.is_default || which == Which::All);
                ids.extend(wanted.map(|model| model.id));
            }
        }
        for id in ids {
            self.begin(id, BTreeMap::new());
        }
        Ok(())
    }

    /// Takes files that somebody has: as a model of their own, or as files of one that is known, and begins to
    /// bring them in.
    ///
    /// # Errors
    /// `content_mismatch` for a file that is not what it should be; `invalid_request` for what cannot be a model.
    pub(crate) async fn add(
        &self,
        actor: &Actor,
        new: wire::NewModel,
    ) -> Result<wire::Model, Problem> {
        self.check_folder(actor).await?;
        let sources = new.files.iter().map(|file| source_of(&file.source));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let (store, cancel) = (self.store().clone(), self.shared.stopping.clone());
        let known = store.model(&new.id).ok().filter(|model| !model.is_own);
        let own = if let Some(model) = known {
            let paths = sources.into_iter().map(|source| match source {
                Source::File(path) => Ok(path),
                _ => Err(invalid(format!(
                    "{} is known here: only files of this machine can be given for it",
                    model.id
                ))),
            });
            let paths = paths.collect::<Result<Vec<_>, _>>()?;
            let id = new.id.clone();
            blocking(move || store.recognise(&id, &paths, &cancel)).await?
        } else {
            let new = parse(new.clone(), sources)?;
            blocking(move || store.add(new, &cancel)).await?;
            BTreeMap::new()
        };
        self.begin(new.id.clone(), own);
        self.get(actor, &new.id)
    }

    /// Reads every byte of a model and compares it with its hash.
    pub(crate) async fn check(&self, actor: &Actor, id: &str) -> Result<wire::ModelCheck, Problem> {
        self.check_folder(actor).await?;
        self.require_idle(id)?;
        let (store, of) = (self.store().clone(), id.to_owned());
        // Who asks and goes away stops it.
        let cancel = self.shared.stopping.child_token();
        let _stop = cancel.clone().drop_guard();
        let faults = blocking(move || store.check(&of, &cancel, &|_| {})).await?;
        Ok(wire::ModelCheck {
            id: id.to_owned(),
            state: self.get(actor, id)?.state,
            faults: faults.into_iter().map(wire::ModelFault::from).collect(),
        })
    }

    /// Removes the files of a model; one that somebody added is forgotten.
    pub(crate) async fn remove(
        &self,
        actor: &Actor,
        id: &str,
    ) -> Result<wire::ModelRemoved, Problem> {
        self.check_folder(actor).await?;
        self.require_idle(id)?;
        let (store, of) = (self.store().clone(), id.to_owned());
        let ability = store.model(id).map(|model| model.ability).ok();
        blocking(move || store.remove(&of)).await?;
        self.work().failed.remove(id);
        let next = ability.and_then(|ability| self.store().default_for(ability));
        let is_missing = next.is_some_and(|model| self.store().state(&model) != ModelState::Here);
        Ok(wire::ModelRemoved {
            id: id.to_owned(),
            without: ability
                .filter(|_| is_missing)
                .map(|ability| ability.without().to_owned()),
        })
    }

    /// Stops what is fetched, and fetches nothing more of what waits. What came stays.
    ///
    /// # Errors
    /// `refused` when nothing is.
    pub(crate) fn cancel(&self, actor: &Actor) -> Result<(), Problem> {
        actor.require_operator(Action::OperateMachine)?;
        let mut work = self.work();
        if !work.is_working {
            return Err(Problem::new(Code::Refused, "no model is being pulled"));
        }
        work.queue.clear();
        if let Some(now) = &work.now {
            now.cancel.cancel();
        }
        Ok(())
    }

    /// Stops what is fetched. The next process finds what came.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.work().queue.clear();
        self.shared.tasks.stop("what pulls models").await;
    }

    fn begin(&self, id: String, own: BTreeMap<String, PathBuf>) {
        let mut work = self.work();
        if work.is_underway(&id) {
            return;
        }
        work.failed.remove(&id);
        work.queue.push_back(Job { id, own });
        if !work.is_working {
            work.is_working = true;
            let models = self.clone();
            self.shared
                .tasks
                .spawn(async move { models.work_off().await });
        }
    }

    async fn work_off(self) {
        let before = self.shared.engine.ready(&UNDERSTAND);
        while let Some((job, cancel)) = self.next() {
            let id = job.id.clone();
            let models = self.clone();
            let pulled = blocking(move || models.pull_one(&job, &cancel)).await;
            match pulled {
                Ok(()) => tracing::info!(model = id, "a model is here"),
                Err(problem) => {
                    tracing::warn!(model = id, "a model is not here: {problem}");
                    self.work().failed.insert(id, problem);
                }
            }
        }
        let now = self.shared.engine.ready(&UNDERSTAND);
        if !now.is_empty() && now != before {
            self.understand().await;
        }
    }

    /// Has all that waited for a model gone through, and what another one went through before.
    async fn understand(&self) {
        let Shared {
            engine,
            ctx,
            family,
            ..
        } = &*self.shared;
        if let Err(error) = engine.understand(&ctx.actor, *family).await {
            tracing::error!(%error, "what waited for a model waits still");
        }
    }

    fn next(&self) -> Option<(Job, CancellationToken)> {
        let mut work = self.work();
        work.now = None;
        let Some(job) = work.queue.pop_front() else {
            work.is_working = false;
            return None;
        };
        let cancel = self.shared.stopping.child_token();
        work.now = Some(Now {
            id: job.id.clone(),
            progress: Progress { done: 0, all: 0 },
            cancel: cancel.clone(),
        });
        Some((job, cancel))
    }

    fn pull_one(&self, job: &Job, cancel: &CancellationToken) -> Result<(), ModelError> {
        let report = |progress| {
            if let Some(now) = &mut self.work().now {
                now.progress = progress;
            }
        };
        let pulling = Pulling {
            mirror: self.shared.mirror.as_ref(),
            ..Pulling::new(&job.own, cancel, &report)
        };
        match self.store().pull(&job.id, &pulling) {
            Err(ModelError::Cancelled) => Ok(()),
            pulled => pulled,
        }
    }

    fn describe(&self, model: &Model) -> wire::Model {
        let stands = match self.store().state(model) {
            ModelState::Here => "here",
            ModelState::Missing => "missing",
            ModelState::Damaged => "damaged",
        };
        let work = self.work();
        let now = work.now.as_ref().filter(|now| now.id == model.id);
        let is_waiting = work.queue.iter().any(|job| job.id == model.id);
        let state = match (now, is_waiting) {
            (Some(_), _) => "pulling",
            (None, true) => "waiting",
            (None, false) => stands,
        };
        let problem = work.failed.get(&model.id).filter(|_| stands != "here");
        let state_of = |file| match self.store().state_of_file(model, file) {
            ModelState::Here => "here",
            ModelState::Missing => "missing",
            ModelState::Damaged => "damaged",
        };
        let files = model.files_here().map(|file| wire::ModelFile {
            name: file.name.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            state: state_of(file).to_owned(),
        });
        wire::Model {
            id: model.id.clone(),
            ability: model.ability.as_str().to_owned(),
            about: model.about.clone(),
            licence: model.licence.clone(),
            origin: model.origin.clone(),
            is_default: model.is_default,
            is_own: model.is_own,
            bytes: model.bytes(),
            state: state.to_owned(),
            bytes_done: now.map(|now| now.progress.done),
            problem: problem.map(ToString::to_string),
            hint: problem.and_then(|problem| problem.get_hint().map(str::to_owned)),
            files: files.collect(),
        }
    }

    /// Only the operator, and never within an archive: nothing is ever written there.
    async fn check_folder(&self, actor: &Actor) -> Result<(), Problem> {
        actor.require_operator(Action::OperateMachine)?;
        let folder = self.store().folder();
        let archives = self
            .shared
            .ctx
            .db
            .list_archives(actor, self.shared.family)
            .await?;
        match find_around(folder, &archives) {
            None => Ok(()),
            Some(archive) => Err(Problem::new(
                Code::FolderForbidden,
                format!(
                    "{} is inside the archive {:?}, and nothing is ever written there",
                    folder.display(),
                    archive.name
                ),
            )
            .hint("Name another folder with `models` in config.toml.")),
        }
    }

    fn require_idle(&self, id: &str) -> Result<(), Problem> {
        match self.work().is_underway(id) {
            true => Err(ModelError::Busy { id: id.to_owned() }.into()),
            false => Ok(()),
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.shared
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn is_underway(&self, id: &str) -> bool {
        self.now.as_ref().is_some_and(|now| now.id == id)
            || self.queue.iter().any(|job| job.id == id)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ModelError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(Problem::internal)??)
}

fn invalid(why: impl Into<String>) -> Problem {
    ModelError::Invalid(why.into()).into()
}

fn source_of(text: &str) -> Result<Source, Problem> {
    match text.starts_with('/') {
        true => Ok(Source::File(text.into())),
        false => text.parse().map_err(invalid),
    }
}

fn parse(new: wire::NewModel, sources: Vec<Source>) -> Result<NewModel, Problem> {
    let ability = new.ability.as_deref();
    let ability = ability.and_then(heirloom_models::Ability::from_word);
    let ability = ability.ok_or_else(|| {
        let all: Vec<_> = heirloom_models::Ability::ALL
            .iter()
            .map(|one| one.as_str())
            .collect();
        invalid(format!(
            "a model that is new here needs what it is for: {}",
            all.join(", ")
        ))
    })?;
    let files = new
        .files
        .into_iter()
        .zip(sources)
        .map(|(file, source)| NewFile {
            source,
            name: file.name,
            sha256: file.sha256.map(|hash| hash.to_lowercase()),
        });
    Ok(NewModel {
        id: new.id,
        ability,
        about: new.about.unwrap_or_else(|| "Added here".to_owned()),
        licence: new.licence.unwrap_or_else(|| "not stated".to_owned()),
        is_default: new.is_default,
        files: files.collect(),
    })
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        let code = match &error {
            ModelError::Unknown { .. } => Code::NotFound,
            ModelError::Missing { .. } | ModelError::Damaged { .. } => Code::ModelMissing,
            ModelError::WrongHash { .. } | ModelError::ForeignFile { .. } => Code::ContentMismatch,
            ModelError::Invalid(_) | ModelError::Manifest { .. } => Code::InvalidRequest,
            ModelError::Busy { .. } => Code::Busy,
            ModelError::NoSpace { .. } => Code::NoSpace,
            ModelError::Io { .. }
            | ModelError::NotFetched { .. }
            | ModelError::NoProgram { .. }
            | ModelError::NoArch { .. }
            | ModelError::TooLarge { .. }
            | ModelError::Source(_)
            | ModelError::Cancelled => Code::Unavailable,
        };
        let problem = Self::new(code, message);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
