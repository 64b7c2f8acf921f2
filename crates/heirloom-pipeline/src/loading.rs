//! How a confined process comes by models: their folder is its working directory, and a job names their files.

use std::{collections::HashMap, fs};

use heirloom_core::unit::FailureCode;
use heirloom_models::{Ability, Model, ModelError, Runtime, Store};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::confinement::{Failure, JobHeader};

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

/// The model that an ability uses by default, and how a job names its files.
pub(crate) fn named(store: &Store, ability: Ability) -> Result<(Model, Json), Unnamed> {
    let model = store.default_for(ability);
    let model = model.ok_or(Unnamed::NoModel(ability.as_str()))?;
    let files: Vec<String> = store.files(&model.id)?.into_keys().collect();
    let files = json!({ "folder": model.id, "files": files });
    Ok((model, files))
}

/// Why a model cannot be named.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unnamed {
    /// It is missing or damaged.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// There is none for something that is needed.
    #[error("there is no model for {0}")]
    NoModel(&'static str),
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
