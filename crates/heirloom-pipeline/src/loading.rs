//! How a confined process comes by models: their folder is its working directory, and a job names their files.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use heirloom_core::unit::FailureCode;
use heirloom_models::{Ability, Model, ModelError, Runtime, Store};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::confinement::{
    Confinement, ConfinementError, Failure, Hand, HandSettings, JobHeader, JobLimits,
};
use crate::{understand::UnderstandError, way::LOCAL};

/// A hand of confinement that works with the models of an ability, which it loads with the first job that needs them. It may
/// read the folder of models and nothing else.
#[derive(Debug)]
pub(crate) struct TrainedHand {
    hand: Hand,
    store: Store,
    ability: Ability,
    /// The models that it works with, or why it does without.
    models: BTreeMap<Ability, Result<Model, String>>,
    named: Json,
    threads: usize,
    key: String,
}

impl TrainedHand {
    /// With the models that the ability uses by default, which compute with so many threads. Nothing is loaded yet.
    pub(crate) fn start(
        confinement: &Confinement,
        store: &Store,
        ability: Ability,
        threads: usize,
        settings: HandSettings,
    ) -> Result<Self, UnderstandError> {
        let (mut models, mut named) = (BTreeMap::new(), json!({}));
        let is_needed = |used: &Ability| ability.needs().contains(used);
        for used in ability.needs().iter().chain(ability.gains_from()) {
            let found = store.default_for(*used);
            let found = found.ok_or(UnderstandError::NoModel(used.as_str()));
            let files = found.and_then(|model| {
                let files: Vec<String> = store.files(&model.id)?.into_keys().collect();
                named[used.as_str()] = json!({ "folder": model.id, "files": files });
                Ok(model)
            });
            match files {
                Err(error) if is_needed(used) => return Err(error),
                found => models.insert(*used, found.map_err(|error| error.to_string())),
            };
        }
        let settings = HandSettings {
            folder: Some(store.folder().to_owned()),
            ..settings
        };
        Ok(Self {
            hand: Hand::start(confinement, settings)?,
            store: store.clone(),
            ability,
            models,
            named,
            threads,
            key: store.key_for(ability),
        })
    }

    /// The model that it uses for one of the abilities that it needs or gains from, or why it does without.
    pub(crate) fn model(&self, ability: Ability) -> Result<&Model, &str> {
        let found = self.models.get(&ability).map(Result::as_ref);
        found.map_or(Err("nobody asked for it"), |found| {
            found.map_err(String::as_str)
        })
    }

    /// The id of the model that has its ability.
    pub(crate) fn model_id(&self) -> &str {
        let model = self.model(self.ability);
        model.map_or("", |model| model.id.as_str())
    }

    /// What tells all that it works with apart from others: [`Store::key_for`] its ability.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether the models are in memory.
    pub(crate) fn is_loaded(&self) -> bool {
        self.hand.has_process()
    }

    /// Does a job over a file. Where that ends the process or cannot begin, the models may be at fault: they are read then, and
    /// what is damaged is used no more until it was pulled again. No file is blamed for it.
    pub(crate) async fn work(
        &self,
        mut job: JobHeader,
        input: File,
        limits: JobLimits,
        cancelled: &CancellationToken,
    ) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
        job["models"] = self.named.clone();
        job["threads"] = self.threads.into();
        let failed = match self.hand.work(job, input, limits, cancelled).await {
            Ok(parts) => return Ok(parts),
            Err(failed) => failed,
        };
        let is_doubtful = matches!(
            failed.code(),
            FailureCode::Crashed | FailureCode::OutOfMemory | FailureCode::TimedOut
        ) || matches!(
            failed,
            ConfinementError::Failed {
                code: FailureCode::Other,
                ..
            }
        );
        if is_doubtful {
            let (store, ability) = (self.store.clone(), self.ability);
            let verified = tokio::task::spawn_blocking(move || store.verify(ability)).await;
            if let Ok(Err(damaged @ ModelError::Damaged { .. })) = verified {
                return Err(damaged.into());
            }
        }
        Err(failed.into())
    }
}

/// Somebody who works with models, or has a service do so. Clones share them.
pub(crate) trait Trained: Clone {
    /// What it works with on this machine; none where it needs no model.
    fn hand(&self) -> Option<&TrainedHand>;
}

/// Those of a kind who work with models or have a service do so, by who that is: opened when they are first needed, and anew when
/// it is other models that are used.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<HashMap<String, (String, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Trained> Kept<T> {
    /// The one that works with the models of this key.
    pub(crate) fn get(
        &self,
        key: &str,
        open: impl FnOnce() -> Result<T, UnderstandError>,
    ) -> Result<T, UnderstandError> {
        self.get_of(LOCAL, key, open)
    }

    /// The one of somebody that works with what has this key.
    pub(crate) fn get_of(
        &self,
        who: &str,
        key: &str,
        open: impl FnOnce() -> Result<T, UnderstandError>,
    ) -> Result<T, UnderstandError> {
        let mut kept = self.kept();
        if let Some((_, kept)) = kept.get(who).filter(|(of, _)| of == key) {
            return Ok(kept.clone());
        }
        let opened = open()?;
        kept.insert(who.to_owned(), (key.to_owned(), opened.clone()));
        Ok(opened)
    }

    /// Whether their models are in memory.
    pub(crate) fn is_loaded(&self) -> bool {
        let kept = self.kept();
        let mut hands = kept.values().filter_map(|(_, kept)| kept.hand());
        hands.any(TrainedHand::is_loaded)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, (String, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The library that networks run on, once it is loaded.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    runtime: Option<Runtime>,
}

/// Where a model is.
#[derive(Debug, Deserialize)]
struct Named {
    folder: String,
    files: Vec<String>,
}

impl Loading {
    /// The library that a job names, with as many threads as it says.
    pub(crate) fn runtime(&mut self, header: &JobHeader) -> Result<&Runtime, Failure> {
        if self.runtime.is_none() {
            let library = files(header, "runtime")?;
            let library = library.into_values().next();
            let library = library.ok_or_else(|| refuse("there is no ONNX Runtime".to_owned()))?;
            let library = fs::canonicalize(library)?;
            let threads = header["threads"].as_u64().unwrap_or(1) as usize;
            let runtime = Runtime::load(&library, threads);
            self.runtime = Some(runtime.map_err(|error| refuse(error.to_string()))?);
        }
        let missing = || refuse("there is no ONNX Runtime".to_owned());
        self.runtime.as_ref().ok_or_else(missing)
    }
}

/// The files of a model by their names.
pub(crate) fn files(header: &JobHeader, ability: &str) -> Result<HashMap<String, String>, Failure> {
    let model = serde_json::from_value(header["models"][ability].clone());
    let model: Named = model.map_err(|_| refuse(format!("no model for {ability} was named")))?;
    let place = |file: String| {
        let path = format!("{}/{file}", model.folder);
        (file, path)
    };
    Ok(model.files.into_iter().map(place).collect())
}

/// The bytes of a model of one file.
pub(crate) fn only(files: &HashMap<String, String>) -> Result<Vec<u8>, Failure> {
    let path = files.values().next();
    let path = path.ok_or_else(|| refuse("a model has no file".to_owned()))?;
    read(path)
}

/// The bytes of a file of a model.
pub(crate) fn read(path: &str) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(path)?)
}

pub(crate) fn refuse(reason: String) -> Failure {
    Failure::new(FailureCode::Other, reason)
}
