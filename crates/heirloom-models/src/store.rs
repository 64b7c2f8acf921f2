//! The folder that models are in.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    error::ModelError,
    manifest::{self, Ability, Model, ModelFile, hex},
    note,
    pull::Progress,
    source::Source,
};

/// The folder that models are in: `ID/FILE`. What is under way is in `.parts` below it.
///
/// Nothing is made before something is pulled: where there is no folder, every model is missing.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// How a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelState {
    /// Every file is here.
    Here,
    /// Not every file is here.
    Missing,
    /// A file is known to have other bytes than it should.
    Damaged,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which file.
    pub file: String,
    /// What is wrong, in a sentence.
    pub why: String,
}

/// A model that somebody has.
#[derive(Debug, Clone)]
pub struct NewModel {
    /// What it is to be called.
    pub id: String,
    /// What it is for.
    pub ability: Ability,
    /// What it is, in a sentence.
    pub about: String,
    /// Its licence, as far as that is known.
    pub licence: String,
    /// Whether its ability is to use it rather than the model that it would use otherwise.
    pub is_default: bool,
    /// Its files.
    pub files: Vec<NewFile>,
}

/// A file of a model that somebody has.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Where it is.
    pub source: Source,
    /// The name that it gets; without one it keeps its own.
    pub name: Option<String>,
    /// The hash that it has to have; a file on this machine need not have one.
    pub sha256: Option<String>,
}

/// What is under way, and what keeps two from doing the same.
pub(crate) const PARTS: &str = ".parts";

impl Store {
    /// The store in a folder, which need not be there.
    #[must_use]
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        // Clients that fetch packages are started elsewhere.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All models, those that people added last, and what is wrong with notes that cannot be used.
    #[must_use]
    pub fn list(&self) -> (Vec<Model>, Vec<ModelError>) {
        let mut models = manifest::built_in();
        let (own, wrong) = note::load_all(&self.folder, &models);
        models.extend(own);
        (models, wrong)
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`ModelError::Unknown`]; [`ModelError::Manifest`] where its note cannot be used.
    pub fn model(&self, id: &str) -> Result<Model, ModelError> {
        let (models, wrong) = self.list();
        if let Some(model) = models.into_iter().find(|model| model.id == id) {
            return Ok(model);
        }
        let note = self
            .folder
            .join(id)
            .join(manifest::NOTE)
            .display()
            .to_string();
        let broken = wrong.into_iter().find(|error| match error {
            ModelError::Manifest { place, .. } => *place == note,
            _ => false,
        });
        Err(broken.unwrap_or_else(|| ModelError::Unknown { id: id.to_owned() }))
    }

    /// The model that an ability uses unless somebody says otherwise: one that was added for that, else the one that
    /// the program knows. It need not be here.
    #[must_use]
    pub fn default_for(&self, ability: Ability) -> Option<Model> {
        let models = self.list().0.into_iter();
        let mut defaults = models.filter(|model| model.ability == ability && model.is_default);
        let first = defaults.next();
        defaults.next_back().or(first)
    }

    /// What tells the models apart that an ability works with now: the key of its own, whether that is here or not, and
    /// those of what it gains from, as far as they are here. Empty where there is none.
    #[must_use]
    pub fn key_for(&self, ability: Ability) -> String {
        let own = self.default_for(ability).map(|model| model.key());
        let others = ability.gains_from().iter();
        let others = others.filter_map(|other| self.default_for(*other));
        let here = others.filter(|model| self.state(model) == ModelState::Here);
        let keys = own.into_iter().chain(here.map(|model| model.key()));
        keys.collect::<Vec<_>>().join("+")
    }

    /// The files of a model that this machine needs, by their names. They are whole: their sizes are looked at, and
    /// their hashes were right when they came.
    ///
    /// # Errors
    /// [`ModelError::Unknown`]; [`ModelError::Missing`] and [`ModelError::Damaged`], which say what to do.
    pub fn files(&self, id: &str) -> Result<BTreeMap<String, PathBuf>, ModelError> {
        let model = self.model(id)?;
        let mut files = BTreeMap::new();
        for file in model.files_here() {
            let (id, name) = (id.to_owned(), file.name.clone());
            match self.state_of_file(&model, file) {
                ModelState::Here => {
                    files.insert(name, self.path(&model, file));
                }
                ModelState::Missing => return Err(ModelError::Missing { id, file: name }),
                ModelState::Damaged => return Err(ModelError::Damaged { id, file: name }),
            }
        }
        match files.is_empty() {
            true => Err(no_arch(&model)),
            false => Ok(files),
        }
    }

    /// How a model stands, without reading it.
    #[must_use]
    pub fn state(&self, model: &Model) -> ModelState {
        let states: Vec<_> = model
            .files_here()
            .map(|file| self.state_of_file(model, file))
            .collect();
        let has = |state| states.contains(&state);
        if has(ModelState::Damaged) {
            ModelState::Damaged
        } else if states.is_empty() || has(ModelState::Missing) {
            ModelState::Missing
        } else {
            ModelState::Here
        }
    }

    /// How a file of a model stands, without reading it.
    #[must_use]
    pub fn state_of_file(&self, model: &Model, file: &ModelFile) -> ModelState {
        let path = self.path(model, file);
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => ModelState::Damaged,
            Ok(found) if file.bytes.is_some_and(|bytes| bytes != found.len()) => {
                ModelState::Damaged
            }
            Ok(_) if self.mark(model, file).exists() => ModelState::Damaged,
            Ok(_) => ModelState::Here,
            Err(_) => ModelState::Missing,
        }
    }

    /// Reads every byte of the models that an ability works with. Bytes rot: when work with them fails, this tells whether
    /// they are at fault.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] and [`ModelError::Missing`], which say what to do; what the disk says.
    pub fn verify(&self, ability: Ability) -> Result<(), ModelError> {
        for used in ability.needs().iter().chain(ability.gains_from()) {
            let Some(model) = self.default_for(*used) else {
                continue;
            };
            if self.state(&model) == ModelState::Here {
                self.check(&model.id, &CancellationToken::new(), &|_| {})?;
                self.files(&model.id)?;
            }
        }
        Ok(())
    }

    /// Reads every byte of a model and compares it with its hash. What is damaged is marked, so that nobody uses it
    /// until it was pulled again; what is right loses its mark.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], [`ModelError::Cancelled`]; what the disk says when a mark cannot be written.
    pub fn check(
        &self,
        id: &str,
        cancel: &CancellationToken,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Vec<Fault>, ModelError> {
        let model = self.model(id)?;
        let (all, mut done) = (model.bytes(), 0);
        let mut faults = Vec::new();
        for file in model.files_here() {
            let path = self.path(&model, file);
            let name = file.name.clone();
            let found = hash_file(&path, cancel, |bytes| {
                report(Progress {
                    done: done + bytes,
                    all,
                });
            });
            done += file.bytes.unwrap_or(0);
            let why = match found {
                Ok(found) if found == file.sha256 => {
                    self.unmark(&model, file)?;
                    continue;
                }
                Ok(found) => {
                    let mark = self.mark(&model, file);
                    fs::write(&mark, &found).map_err(ModelError::io("written", &mark))?;
                    format!("its SHA-256 is {found}, and {} was expected", file.sha256)
                }
                Err(ModelError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    "it is missing".to_owned()
                }
                Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
                Err(error) => error.to_string(),
            };
            faults.push(Fault { file: name, why });
        }
        Ok(faults)
    }

    /// Removes the files of a model, and what came of them so far. One that somebody added is forgotten.
    ///
    /// # Errors
    /// [`ModelError::Unknown`]; [`ModelError::Busy`] while it is pulled; what the disk says.
    pub fn remove(&self, id: &str) -> Result<(), ModelError> {
        // A note that cannot be used is removed as well.
        match self.model(id) {
            Ok(_) | Err(ModelError::Manifest { .. }) => {}
            Err(error) => return Err(error),
        }
        let own = self.folder.join(id);
        if !own.exists() && !self.parts(id).exists() {
            return Ok(());
        }
        let _lock = self
            .try_lock(id)?
            .ok_or_else(|| ModelError::Busy { id: id.to_owned() })?;
        let parts = self.parts(id);
        fs::create_dir_all(&parts).map_err(ModelError::io("made", &parts))?;
        // It goes at once: a kill in between leaves nothing half removed at its place.
        let going = tempfile::tempdir_in(&parts).map_err(ModelError::io("made", &parts))?;
        match fs::rename(&own, going.path().join("model")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ModelError::io("removed", &own)(error));
            }
            _ => {}
        }
        note::sync_folder(&self.folder)?;
        drop(going);
        remove_folder(&parts)
    }

    /// Notes a model that somebody has, so that it can be pulled. Files on this machine are read for their hashes.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] for a name that it cannot have, or one that is there; what the disk says.
    pub fn add(&self, new: NewModel, cancel: &CancellationToken) -> Result<Model, ModelError> {
        if self.list().0.iter().any(|model| model.id == new.id) {
            return Err(ModelError::Invalid(format!(
                "there is a model {} already",
                new.id
            )));
        }
        let mut files = Vec::new();
        let mut origins = Vec::new();
        for file in new.files {
            origins.push(file.source.to_string());
            files.push(describe(file, cancel)?);
        }
        let model = Model {
            id: new.id,
            ability: new.ability,
            about: new.about,
            licence: new.licence,
            origin: origins.join(", "),
            is_default: new.is_default,
            is_own: true,
            files,
        };
        model.check().map_err(ModelError::Invalid)?;
        let _lock = self.try_lock(&model.id)?.ok_or_else(|| ModelError::Busy {
            id: model.id.clone(),
        })?;
        note::save(&self.folder, &model)?;
        Ok(model)
    }

    /// Which files of a model some files of the user are, by their hashes.
    ///
    /// # Errors
    /// [`ModelError::Unknown`]; [`ModelError::ForeignFile`] for one that is none of it; what the disk says.
    pub fn recognise(
        &self,
        id: &str,
        paths: &[PathBuf],
        cancel: &CancellationToken,
    ) -> Result<BTreeMap<String, PathBuf>, ModelError> {
        let model = self.model(id)?;
        let mut files = BTreeMap::new();
        for path in paths {
            let found = hash_file(path, cancel, |_| {})?;
            let Some(file) = model.files.iter().find(|file| file.sha256 == found) else {
                let wanted: Vec<_> = model
                    .files_here()
                    .map(|file| format!("{} ({})", file.sha256, file.name))
                    .collect();
                return Err(ModelError::ForeignFile {
                    path: path.clone(),
                    id: id.to_owned(),
                    found,
                    wanted: wanted.join(", "),
                });
            };
            files.insert(file.name.clone(), path.clone());
        }
        Ok(files)
    }

    /// Where a file of a model is.
    pub(crate) fn path(&self, model: &Model, file: &ModelFile) -> PathBuf {
        self.folder.join(&model.id).join(&file.name)
    }

    /// What says of a file that it was found damaged.
    fn mark(&self, model: &Model, file: &ModelFile) -> PathBuf {
        self.folder
            .join(&model.id)
            .join(format!(".{}.damaged", file.name))
    }

    /// Takes the mark from a file whose bytes are right.
    pub(crate) fn unmark(&self, model: &Model, file: &ModelFile) -> Result<(), ModelError> {
        let mark = self.mark(model, file);
        match fs::remove_file(&mark) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ModelError::io("removed", &mark)(error))
            }
            _ => Ok(()),
        }
    }

    /// Where what comes of a model is kept until it is whole.
    pub(crate) fn parts(&self, id: &str) -> PathBuf {
        self.folder.join(PARTS).join(id)
    }

    /// Takes a model for whoever holds what is given; `None` while somebody else has it. The file of the lock stays:
    /// one that was removed could be held twice.
    pub(crate) fn try_lock(&self, id: &str) -> Result<Option<File>, ModelError> {
        let folder = self.folder.join(PARTS);
        fs::create_dir_all(&folder).map_err(ModelError::io("made", &folder))?;
        let path = folder.join(format!("{id}.lock"));
        let file = File::create(&path).map_err(ModelError::io("written", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(ModelError::io("locked", &path)(error)),
        }
    }
}

/// A file of the user, as the manifest describes it.
fn describe(new: NewFile, cancel: &CancellationToken) -> Result<ModelFile, ModelError> {
    let (own, bytes) = match &new.source {
        Source::File(path) => {
            let length = fs::metadata(path)
                .map_err(ModelError::io("read", path))?
                .len();
            (
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
                Some(length),
            )
        }
        Source::Url(url) => {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            (path.rsplit('/').next().map(str::to_owned), None)
        }
        Source::Pypi(package) | Source::Npm(package) => {
            (package.member.rsplit('/').next().map(str::to_owned), None)
        }
    };
    let sha256 = match (&new.source, new.sha256) {
        (Source::File(path), wanted) => {
            let found = hash_file(path, cancel, |_| {})?;
            if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                return Err(ModelError::ForeignFile {
                    path: path.clone(),
                    id: "that is to be added".to_owned(),
                    found,
                    wanted,
                });
            }
            found
        }
        (_, Some(sha256)) => sha256,
        (source, None) => {
            return Err(ModelError::Invalid(format!(
                "{source} needs the SHA-256 that it has to have"
            )));
        }
    };
    Ok(ModelFile {
        name: new.name.or(own).unwrap_or_default(),
        bytes,
        sha256,
        arch: None,
        sources: vec![new.source],
    })
}

pub(crate) fn no_arch(model: &Model) -> ModelError {
    ModelError::NoArch {
        id: model.id.clone(),
        arch: std::env::consts::ARCH,
    }
}

/// How much is read at once.
pub(crate) const CHUNK_BYTES: usize = 1 << 17;

/// The SHA-256 of a file; `report` is told how far it is.
pub(crate) fn hash_file(
    path: &Path,
    cancel: &CancellationToken,
    report: impl Fn(u64),
) -> Result<String, ModelError> {
    let mut file = File::open(path).map_err(ModelError::io("read", path))?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        if cancel.is_cancelled() {
            return Err(ModelError::Cancelled);
        }
        match file
            .read(&mut chunk)
            .map_err(ModelError::io("read", path))?
        {
            0 => return Ok(hex(&hash.finalize())),
            count => {
                hash.update(&chunk[..count]);
                bytes += count as u64;
                report(bytes);
            }
        }
    }
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), ModelError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ModelError::io("removed", path)(error))
        }
        _ => Ok(()),
    }
}
