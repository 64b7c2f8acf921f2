//! A store with a model whose files a server has, and what real networks run on.

use std::{collections::BTreeMap, path::PathBuf, sync::OnceLock, time::Duration};

use heirloom_models::{
    Ability, Mirror, ModelError, ModelState, NewFile, NewModel, Pulling, Runtime, Source, Store,
};
use heirloom_testing::{
    files::{FileServer, Manners},
    models,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// There can be one in a process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let files = Store::open(models::folder()).files("onnxruntime").unwrap();
        Runtime::load(files.values().next().unwrap(), 1).unwrap()
    })
}

/// A store, a server, and the model `mine` that is to come from there.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    pub(crate) server: FileServer,
    pub(crate) bytes: Vec<u8>,
}

/// More than one read or write takes.
const BYTES: usize = 700_000;

impl Home {
    /// With a server that gives the file so.
    pub(crate) fn with(manners: Manners) -> Self {
        let home = Self::empty();
        home.server.put("/model.bin", &home.bytes, manners);
        home.note("mine", &home.server.url("/model.bin"), &home.bytes);
        home
    }

    /// With a server that has nothing, and no model.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bytes = (0..BYTES).map(|at| (at * at % 251) as u8).collect();
        Self {
            store: Store::open(folder.path().join("models")),
            server: FileServer::start(),
            folder,
            bytes,
        }
    }

    /// Makes a model known that comes from an address.
    pub(crate) fn note(&self, id: &str, url: &str, bytes: &[u8]) {
        let new = NewModel {
            files: vec![NewFile {
                source: Source::Url(url.to_owned()),
                name: Some("model.bin".to_owned()),
                sha256: Some(sha256(bytes)),
            }],
            ..new_model(id)
        };
        self.store.add(new, &CancellationToken::new()).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.store.folder().join("mine/model.bin")
    }

    pub(crate) async fn pull(&self) -> Result<(), ModelError> {
        self.pull_with(None, BTreeMap::new(), CancellationToken::new())
            .await
    }

    pub(crate) async fn pull_with(
        &self,
        mirror: Option<Mirror>,
        own: BTreeMap<String, PathBuf>,
        cancel: CancellationToken,
    ) -> Result<(), ModelError> {
        let store = self.store.clone();
        let pulling = move || {
            let report = |_| {};
            let pulling = Pulling {
                mirror: mirror.as_ref(),
                first_pause: Duration::from_millis(1),
                ..Pulling::new(&own, &cancel, &report)
            };
            store.pull("mine", &pulling)
        };
        tokio::task::spawn_blocking(pulling).await.unwrap()
    }

    /// That the model is here, whole, and nothing is left beside it.
    #[track_caller]
    pub(crate) fn assert_here(&self) {
        let files = self.store.files("mine").unwrap();
        assert_eq!(std::fs::read(&files["model.bin"]).unwrap(), self.bytes);
        assert_eq!(files["model.bin"], self.file());
        assert!(!self.store.folder().join(".parts/mine").exists());
    }

    /// That nothing of the model is at its place.
    #[track_caller]
    pub(crate) fn assert_missing(&self) {
        assert!(!self.file().exists());
        let model = self.store.model("mine").unwrap();
        assert_eq!(self.store.state(&model), ModelState::Missing);
        let why = self.store.files("mine").unwrap_err().to_string();
        assert!(why.contains("heirloom models pull mine"), "{why}");
    }
}

/// A model without files.
pub(crate) fn new_model(id: &str) -> NewModel {
    NewModel {
        id: id.to_owned(),
        ability: Ability::Language,
        about: "A model".to_owned(),
        licence: "CC0-1.0".to_owned(),
        is_default: false,
        files: Vec::new(),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
