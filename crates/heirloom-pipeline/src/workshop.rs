//! What tools work with: confined processes for bytes that nobody knows.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use heirloom_core::MediaKind;
use heirloom_models::{Ability, ModelState, Store};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    Ffmpeg,
    confinement::{Confinement, ConfinementError, Hand, HandSettings, JobHeader, JobLimits},
    faces::{self, FaceFinder},
    film::make_still,
    hearing::Hearings,
    loading::Kept,
    machine::{Working, processors},
    meaning::{self, Interpreter},
    pictures::{self, Beholder},
    reading::{self, Eyes, SecondReader},
    speech::{self, Ears},
    texts::{self, Comparer},
    understand::UnderstandError,
    way::{Way, Ways},
    work::Failure,
};

/// Hands that do jobs in confinement, as many as are asked for at once. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Workshop {
    confinement: Confinement,
    ffmpeg: Ffmpeg,
    idle: Arc<Mutex<Vec<Hand>>>,
    abilities: Abilities,
    ears: Arc<Kept<Ears>>,
    hearings: Hearings,
    eyes: Arc<Kept<Eyes>>,
    second: SecondReader,
    face_finder: Arc<Kept<FaceFinder>>,
    beholder: Arc<Kept<Beholder>>,
    interpreter: Arc<Kept<Interpreter>>,
    comparer: Arc<Kept<Comparer>>,
    stills: Arc<Semaphore>,
}

/// What finds out what is in films and recordings: models of this machine, and services elsewhere.
#[derive(Debug, Clone)]
pub struct Abilities {
    /// The models that there may be.
    pub models: Store,
    /// Who writes down what is said.
    pub transcription: Ways,
    /// Who reads what is written.
    pub reading: Ways,
    /// Who says what pictures show.
    pub tagging: Ways,
    /// The languages in which tesseract reads beside the models of this machine; none where it does not.
    pub tesseract: Vec<String>,
}

impl From<Store> for Abilities {
    /// Models of this machine alone.
    fn from(models: Store) -> Self {
        Self {
            models,
            transcription: Ways::default(),
            reading: Ways::default(),
            tagging: Ways::default(),
            tesseract: Vec::new(),
        }
    }
}

/// With how many threads models compute: pictures are drawn meanwhile.
fn threads() -> usize {
    (processors() / 2).max(1)
}

/// With how many threads pictures are read and looked at: what is said is written down meanwhile.
const READERS: usize = 1;

/// How many hands are kept for later, each with a process that waits.
const KEPT: usize = 4;

/// How much space is left where a folder is, if the system says so.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Removes the folders in a folder whose names begin so.
pub(crate) fn remove_folders(within: &Path, prefix: &str) {
    let entries = std::fs::read_dir(within).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, "{} stays", entry.path().display());
        }
    }
}

/// The keys of what has an ability.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelKeys {
    /// Of who works on most assets.
    usual: String,
    /// Of who works on films.
    of_films: String,
}

impl ModelKeys {
    /// Of who works on an asset of this kind.
    #[must_use]
    pub fn of(&self, kind: MediaKind) -> &str {
        match kind {
            MediaKind::Video => &self.of_films,
            _ => &self.usual,
        }
    }
}

impl Workshop {
    /// Nobody works yet. What is under way lies in `scratch`, a folder of this workshop's own.
    #[must_use]
    pub fn new(confinement: Confinement, scratch: PathBuf, abilities: Abilities) -> Self {
        // What a process left that was killed is of no use to anybody.
        if let Err(error) = std::fs::remove_dir_all(&scratch)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "what was left in {} stays", scratch.display());
        }
        let tesseract = &abilities.tesseract;
        Self {
            second: SecondReader::new(confinement.clone(), scratch.clone(), tesseract),
            ffmpeg: Ffmpeg::new(confinement.clone(), scratch),
            confinement,
            idle: Arc::default(),
            abilities,
            ears: Arc::default(),
            hearings: Hearings::default(),
            eyes: Arc::default(),
            face_finder: Arc::default(),
            beholder: Arc::default(),
            interpreter: Arc::default(),
            comparer: Arc::default(),
            stills: Arc::new(Semaphore::new(processors())),
        }
    }

    /// How bytes that nobody knows are kept from doing harm.
    #[must_use]
    pub const fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// What films and recordings are worked on with.
    #[must_use]
    pub const fn ffmpeg(&self) -> &Ffmpeg {
        &self.ffmpeg
    }

    /// The picture that a film shows at a moment, as [`make_still`] makes it: as many at once as there are processors.
    ///
    /// # Errors
    /// [`ConfinementError`]; about the file where there is no picture at that moment.
    pub async fn still(&self, film: File, at_ms: u64) -> Result<Vec<u8>, ConfinementError> {
        let turn = self.stills.acquire().await;
        let _turn = turn.map_err(|_| ConfinementError::Cancelled)?;
        // Whoever no longer wants this drops it.
        make_still(&self.ffmpeg, &film, at_ms, &CancellationToken::new()).await
    }

    /// Has a job done over one file. Dropping the future cancels it.
    ///
    /// # Errors
    /// [`ConfinementError`] tells how it ended otherwise.
    pub async fn work(
        &self,
        header: JobHeader,
        input: std::fs::File,
        limits: JobLimits,
    ) -> Result<Vec<(JobHeader, Bytes)>, ConfinementError> {
        let kept = self.idle().pop();
        let hand = match kept {
            Some(hand) => hand,
            None => Hand::start(&self.confinement, HandSettings::default()).map_err(|error| {
                ConfinementError::CouldNotStart {
                    program: "heirloom".to_owned(),
                    reason: error.to_string(),
                }
            })?,
        };
        let outcome = hand
            .work(header, input, limits, &CancellationToken::new())
            .await;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(hand);
        }
        outcome
    }

    /// The recordings that are being heard.
    #[must_use]
    pub const fn hearings(&self) -> &Hearings {
        &self.hearings
    }

    /// The models that there may be.
    #[must_use]
    pub const fn models(&self) -> &Store {
        &self.abilities.models
    }

    /// Who writes down what is said.
    #[must_use]
    pub const fn transcription(&self) -> &Ways {
        &self.abilities.transcription
    }

    /// Who reads what is written.
    #[must_use]
    pub const fn reading(&self) -> &Ways {
        &self.abilities.reading
    }

    /// Who says what pictures show.
    #[must_use]
    pub const fn tagging(&self) -> &Ways {
        &self.abilities.tagging
    }

    /// Who reads beside the models of this machine.
    #[must_use]
    pub const fn second_reader(&self) -> &SecondReader {
        &self.second
    }

    /// The key of the models of an ability, with who works beside them.
    fn local_key(&self, ability: Ability) -> String {
        let key = self.models().key_for(ability);
        match ability {
            Ability::Reading => key + &self.second.suffix(),
            _ => key,
        }
    }

    /// The key of who has an ability in this way. What pictures look like is of the models of this machine, whoever says what they
    /// show: other ones make it anew.
    fn key_of(&self, ability: Ability, way: &Way) -> String {
        let own = self.local_key(ability);
        match way {
            Way::Service(service) if ability == Ability::ImageFeatures => {
                let own = self.has_models(ability).then_some(own);
                pictures::key_beside(service, own.as_deref())
            }
            way => way.key(&own),
        }
    }

    /// The keys of what has an ability now: of the models, [as the store says](Store::key_for), or of a service that takes
    /// their place; empty for none.
    #[must_use]
    pub fn model_keys(&self, ability: Option<Ability>) -> ModelKeys {
        let Some(ability) = ability else {
            return ModelKeys::default();
        };
        let own = self.local_key(ability);
        let usual = match self.first_for(ability) {
            Some(way) => self.key_of(ability, way),
            None => own.clone(),
        };
        let of_films = match ability {
            // No service is sent what is seen in films.
            Ability::Reading | Ability::ImageFeatures => own,
            _ => usual.clone(),
        };
        ModelKeys { usual, of_films }
    }

    /// Whether the models are here that an ability works with, or somebody else has it.
    #[must_use]
    pub fn has(&self, ability: Ability) -> bool {
        self.has_models(ability) || self.first_for(ability).is_some()
    }

    fn has_models(&self, ability: Ability) -> bool {
        ability.needs().iter().all(|needed| {
            let model = self.models().default_for(*needed);
            model.is_some_and(|model| self.models().state(&model) == ModelState::Here)
        })
    }

    /// Whether somebody who may do it has what is needed for it.
    pub(crate) fn is_there(&self, way: &Way, ability: Ability) -> bool {
        !matches!(way, Way::Local) || self.has_models(ability)
    }

    /// Who has an ability, in which order, where services may take the place of models.
    fn ways(&self, ability: Ability) -> Option<&Ways> {
        match ability {
            Ability::Speech => Some(self.transcription()),
            Ability::Reading => Some(self.reading()),
            Ability::ImageFeatures => Some(self.tagging()),
            _ => None,
        }
    }

    /// Whose turn it is first.
    fn first_for(&self, ability: Ability) -> Option<&Way> {
        self.ways(ability)?.first(self.has_models(ability))
    }

    /// Who hears recordings, with the model that is used for that now.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn ears(&self) -> Result<Ears, UnderstandError> {
        let key = self.models().key_for(Ability::Speech);
        self.ears.get(&key, || {
            Ears::open(&self.confinement, self.models(), threads())
        })
    }

    /// How an ability that networks have is at work on this machine; none for what is no such ability.
    #[must_use]
    pub fn working(&self, ability: Ability) -> Option<Working> {
        let working = |threads, memory_bytes, is_loaded| Working {
            threads,
            processors: processors(),
            memory_bytes,
            is_loaded,
        };
        match ability {
            // What finds voices is so small that more threads would wait for one another.
            Ability::VoiceActivity => Some(working(1, speech::MEMORY_BYTES, self.ears.is_loaded())),
            Ability::Speech | Ability::Speaker => {
                let is_loaded = self.ears.is_loaded();
                Some(working(threads(), speech::MEMORY_BYTES, is_loaded))
            }
            Ability::Reading => {
                let is_loaded = self.eyes.is_loaded();
                Some(working(READERS, reading::MEMORY_BYTES, is_loaded))
            }
            Ability::Faces => {
                let is_loaded = self.face_finder.is_loaded();
                Some(working(1, faces::MEMORY_BYTES, is_loaded))
            }
            Ability::ImageFeatures => {
                let is_loaded = self.beholder.is_loaded();
                Some(working(READERS, pictures::MEMORY_BYTES, is_loaded))
            }
            Ability::ImageText => {
                let is_loaded = self.interpreter.is_loaded();
                Some(working(READERS, meaning::MEMORY_BYTES, is_loaded))
            }
            Ability::TextEmbedding => {
                let is_loaded = self.comparer.is_loaded();
                Some(working(READERS, texts::MEMORY_BYTES, is_loaded))
            }
            _ => None,
        }
    }

    /// Who reads pictures in this way, with the model that is used for that now.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn eyes(&self, way: &Way) -> Result<Eyes, UnderstandError> {
        let key = self.key_of(Ability::Reading, way);
        self.eyes.get_of(way.name(), &key, || match way {
            Way::Service(service) => Eyes::elsewhere(&self.confinement, Arc::clone(service)),
            _ => Ok(Eyes::open(&self.confinement, self.models(), READERS)?.beside(&self.second)),
        })
    }

    /// Who finds faces, with the model that is used for that now.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn face_finder(&self) -> Result<FaceFinder, UnderstandError> {
        let key = self.models().key_for(Ability::Faces);
        self.face_finder
            .get(&key, || FaceFinder::open(&self.confinement, self.models()))
    }

    /// Who looks at pictures in this way, with the model that is used for that now.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn beholder(&self, way: &Way) -> Result<Beholder, UnderstandError> {
        let key = self.key_of(Ability::ImageFeatures, way);
        let own = match way {
            Way::Service(_) if self.has_models(Ability::ImageFeatures) => {
                Some(self.beholder(&Way::Local)?)
            }
            _ => None,
        };
        self.beholder.get_of(way.name(), &key, || match way {
            Way::Service(service) => {
                Beholder::elsewhere(&self.confinement, Arc::clone(service), own)
            }
            _ => Beholder::open(&self.confinement, self.models(), READERS),
        })
    }

    /// Who says what pictures show and texts mean, with the model that is used for that now.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn interpreter(&self) -> Result<Interpreter, UnderstandError> {
        let key = self.models().key_for(Ability::ImageText);
        self.interpreter.get(&key, || {
            Interpreter::open(&self.confinement, self.models(), READERS)
        })
    }

    /// Who compares texts, with the model that is used for that now.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn comparer(&self) -> Result<Comparer, UnderstandError> {
        let key = self.models().key_for(Ability::TextEmbedding);
        self.comparer.get(&key, || {
            Comparer::open(&self.confinement, self.models(), READERS)
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Hand>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<ConfinementError> for Failure {
    fn from(error: ConfinementError) -> Self {
        let (code, reason) = (error.code(), error.to_string());
        match error {
            ConfinementError::Killed { .. }
            | ConfinementError::OutOfMemory
            | ConfinementError::OutOfTime { .. } => Self::Crashed(code, reason),
            ConfinementError::TooMuch(_) | ConfinementError::Failed { .. } => {
                Self::Permanent(code, reason)
            }
            ConfinementError::CouldNotStart { .. } => Self::Unavailable(code, reason),
            ConfinementError::NoSpace => Self::NoSpace(reason),
            ConfinementError::Cancelled => Self::Temporary(reason),
        }
    }
}
