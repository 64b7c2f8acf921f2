//! The keys of a library: from where they are, to the stores that seal with them.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use heirloom_blobs::{BlobStore, KeyError, KeyFile, MasterKey, Sealing};
use heirloom_db::clock;
use heirloom_pipeline::{
    Tasks,
    sealing::{SealingProgress, SealingState, seal_all},
};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::{
    data_folder::DataFolder,
    problem::{Code, Problem},
    wire::{self, MasterKind},
};

/// Where the master key is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterSource {
    /// In a file that has a key.
    KeyFile(PathBuf),
    /// In a file that has a passphrase.
    PassphraseFile(PathBuf),
    /// At hand, and which variable of the environment it is from.
    Given(MasterKey, &'static str),
}

impl MasterSource {
    fn load(&self) -> Result<MasterKey, Problem> {
        let read = |path: &Path| {
            let text = fs::read_to_string(path).map(Zeroizing::new);
            text.map_err(|error| {
                let message = format!(
                    "the master key in {} cannot be read: {error}",
                    path.display()
                );
                Problem::new(Code::Refused, message).hint(
                    "Is the disk that it is on plugged in and mounted? Nothing was changed, and without it nothing \
                     can be opened.",
                )
            })
        };
        match self {
            Self::Given(master, _) => Ok(master.clone()),
            Self::KeyFile(path) => MasterKey::parse_key(&read(path)?).ok_or_else(|| {
                let message = format!("{} does not have a master key", path.display());
                Problem::new(Code::Refused, message).hint(
                    "It has to be one line of 52 letters and digits. What people make up is a passphrase: \
                     `master_passphrase_file`.",
                )
            }),
            Self::PassphraseFile(path) => {
                let words = Zeroizing::new(read(path)?.trim().to_owned());
                passphrase(words)
            }
        }
    }

    /// Writes down a new key where the file of one is named and is not there; otherwise takes what is there.
    ///
    /// # Errors
    /// Why there is none.
    pub fn load_or_create(&self) -> Result<(MasterKey, bool), Problem> {
        match self {
            Self::KeyFile(path) if path.symlink_metadata().is_err() => {
                let master = MasterKey::generate().map_err(Problem::internal)?;
                let create = || {
                    let mut file = fs::OpenOptions::new()
                        .write(true)
                        .create_new(true)
                        .mode(0o600)
                        .open(path)?;
                    writeln!(file, "{}", master.text())?;
                    file.sync_all()?;
                    match path
                        .parent()
                        .filter(|folder| !folder.as_os_str().is_empty())
                    {
                        Some(folder) => fs::File::open(folder)?.sync_all(),
                        None => Ok(()),
                    }
                };
                create().map_err(|error: io::Error| {
                    let message = format!(
                        "no master key can be written to {}: {error}",
                        path.display()
                    );
                    Problem::new(Code::Refused, message).hint(
                        "Name a file in a folder that is there and that this user may write to.",
                    )
                })?;
                Ok((master, true))
            }
            _ => Ok((self.load()?, false)),
        }
    }

    /// Where that is, for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::KeyFile(path) | Self::PassphraseFile(path) => path.display().to_string(),
            Self::Given(_, name) => format!("environment {name}"),
        }
    }
}

/// A passphrase that is worth something.
fn passphrase(words: Zeroizing<String>) -> Result<MasterKey, Problem> {
    const FEWEST: usize = 12;
    if words.chars().count() < FEWEST {
        let message = format!("the passphrase has fewer than {FEWEST} letters");
        return Err(Problem::new(Code::Refused, message)
            .hint("Whoever has the disk can try millions. Take five or six words that have nothing to do with each other."));
    }
    Ok(MasterKey::Passphrase(words))
}

/// How blobs of this library are sealed, with its keys where it has any.
///
/// # Errors
/// `refused` when the master key is not there or another; `damaged` for the file of the keys. Nothing was changed then.
pub(crate) async fn unlock(
    folder: &DataFolder,
    master: Option<&MasterSource>,
) -> Result<Sealing, Problem> {
    let sealing = Sealing::new(folder.scratch());
    let Some(file) = KeyFile::load(&folder.encryption())? else {
        return Ok(sealing);
    };
    let Some(master) = master.cloned() else {
        return Err(no_master(
            "the blobs of this library are encrypted, and no master key is given",
        ));
    };
    // A passphrase is meant to take its time.
    let opening =
        tokio::task::spawn_blocking(move || Ok::<_, Problem>(file.unlock(&master.load()?)?));
    let mut keys = opening.await.map_err(Problem::internal)??;
    keys.reverse();
    keys.into_iter().for_each(|key| sealing.use_key(key));
    Ok(sealing)
}

fn no_master(message: &str) -> Problem {
    Problem::new(Code::Refused, message).hint(
        "Name the file that has it with `master_key_file` in config.toml or HEIRLOOM_MASTER_KEY_FILE, or that with the \
         passphrase with `master_passphrase_file` or HEIRLOOM_MASTER_PASSPHRASE_FILE.",
    )
}

/// The keys of an open library, and the pass that seals what is there. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Encryption {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sealing: Sealing,
    blobs: Arc<dyn BlobStore>,
    folder: PathBuf,
    key_file: PathBuf,
    state_file: PathBuf,
    master: Mutex<Option<MasterSource>>,
    pass: Mutex<Option<Arc<SealingProgress>>>,
    /// Why the last pass stopped before its end.
    problem: Mutex<Option<String>>,
    /// One change of the key file at a time.
    changing: tokio::sync::Mutex<()>,
    tasks: Tasks,
    stopping: CancellationToken,
}

impl Encryption {
    /// For the library in this folder, whose keys were unlocked into `sealing`.
    pub(crate) fn new(
        folder: &DataFolder,
        sealing: Sealing,
        blobs: Arc<dyn BlobStore>,
        master: Option<MasterSource>,
    ) -> Self {
        let shared = Shared {
            sealing,
            blobs,
            folder: folder.path().to_owned(),
            key_file: folder.encryption(),
            state_file: folder.sealing(),
            master: Mutex::new(master),
            pass: Mutex::default(),
            problem: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.shared.sealing.is_on()
    }

    /// Refuses another library's keys.
    pub(crate) fn check_family(&self, family: &str) -> Result<(), Problem> {
        match KeyFile::load(&self.shared.key_file)? {
            Some(file) if file.family() != family => {
                let path = self.shared.key_file.display();
                Err(Problem::new(
                    Code::Refused,
                    format!("{path} has the keys of another library"),
                )
                .hint("Put this library's own in its place."))
            }
            _ => Ok(()),
        }
    }

    /// Makes the first key, if there is none; says whether a master key was made as well.
    pub(crate) async fn turn_on(&self, family: &str) -> Result<bool, Problem> {
        let _changing = self.shared.changing.lock().await;
        if self.is_on() {
            return Ok(false);
        }
        let Some(source) = self.master() else {
            return Err(no_master("no master key is named"));
        };
        let (path, family) = (self.shared.key_file.clone(), family.to_owned());
        let making = tokio::task::spawn_blocking(move || {
            let (master, is_new) = source.load_or_create()?;
            let made = KeyFile::create(&family, &master, clock::now_ms());
            let (file, key) = made.map_err(Problem::internal)?;
            // What nobody can open must not be written: the keys are there for certain first.
            file.save(&path)?;
            Ok::<_, Problem>((key, is_new))
        });
        let (key, is_new) = making.await.map_err(Problem::internal)??;
        self.shared.sealing.use_key(key);
        Ok(is_new)
    }

    /// Makes another key, with which everything is sealed from now on.
    pub(crate) async fn rotate(&self) -> Result<(), Problem> {
        let _changing = self.shared.changing.lock().await;
        let key = self
            .change(|file, master| file.rotate(master, clock::now_ms()))
            .await?;
        self.shared.sealing.use_key(key);
        Ok(())
    }

    /// Wraps the keys with another master key.
    pub(crate) async fn change_master(&self, new: wire::NewMaster) -> Result<(), Problem> {
        let text = Zeroizing::new(new.text);
        let new = match new.kind {
            MasterKind::Key => MasterKey::parse_key(&text).ok_or_else(|| {
                Problem::new(
                    Code::InvalidRequest,
                    "this is no master key: one has 52 letters and digits",
                )
            })?,
            MasterKind::Passphrase => passphrase(text)?,
        };
        let _changing = self.shared.changing.lock().await;
        let changed = new.clone();
        self.change(move |file, master| file.change_master(master, &changed))
            .await?;
        *lock(&self.shared.master) = Some(MasterSource::Given(new, "changed while it serves"));
        Ok(())
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut KeyFile, &MasterKey) -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, Problem> {
        let not_on = || {
            Problem::new(Code::Refused, "the blobs of this library are not encrypted")
                .hint("`heirloom encryption on` begins with it.")
        };
        let source = self.master().filter(|_| self.is_on()).ok_or_else(not_on)?;
        let path = self.shared.key_file.clone();
        let changing = tokio::task::spawn_blocking(move || {
            let mut file = KeyFile::load(&path)?.ok_or_else(not_on)?;
            let changed = change(&mut file, &source.load()?)?;
            file.save(&path)?;
            Ok(changed)
        });
        changing.await.map_err(Problem::internal)?
    }

    /// Seals in the background what is not sealed with the newest key, if that is not done or under way.
    pub(crate) fn seal_rest(&self) {
        let Some(key) = self.shared.sealing.current() else {
            return;
        };
        if SealingState::load(&self.shared.state_file, key.id()).is_done {
            return;
        }
        let progress = Arc::new(SealingProgress::default());
        {
            let mut pass = lock(&self.shared.pass);
            if pass.is_some() {
                // It begins again by itself when it is through with an older key.
                return;
            }
            *pass = Some(Arc::clone(&progress));
            *lock(&self.shared.problem) = None;
        }
        let this = self.clone();
        self.shared.tasks.spawn(async move {
            let shared = &this.shared;
            while let Some(key) = shared.sealing.current() {
                let state = &shared.state_file;
                let stop = &shared.stopping;
                let sealed = seal_all(&*shared.blobs, key.id(), state, &progress, stop).await;
                let is_newest = shared.sealing.current().is_some_and(|now| now.id() == key.id());
                match sealed {
                    Ok(_) if !is_newest && !stop.is_cancelled() => {}
                    Ok(_) => break,
                    Err(error) => {
                        *lock(&shared.problem) = Some(error.to_string());
                        tracing::warn!("the sealing of blobs stopped, and goes on after the next start: {error}");
                        break;
                    }
                }
            }
            *lock(&shared.pass) = None;
        });
    }

    /// Lets what is under way end, so that it goes on another time.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("the sealing of blobs").await;
    }

    /// How it stands.
    pub(crate) fn describe(&self) -> Result<wire::Encryption, Problem> {
        let shared = &self.shared;
        let file = KeyFile::load(&shared.key_file)?;
        let master = self.master();
        let state = shared
            .sealing
            .current()
            .map(|key| SealingState::load(&shared.state_file, key.id()));
        let pass = lock(&shared.pass).clone();
        let state = state.unwrap_or_default();
        let (blobs, failed) = match &pass {
            Some(pass) => (
                pass.blobs.load(Ordering::Relaxed),
                pass.failed.load(Ordering::Relaxed),
            ),
            None => (state.blobs, state.failed),
        };
        let keys = file.iter().flat_map(KeyFile::keys);
        let beside = match &master {
            Some(MasterSource::KeyFile(path) | MasterSource::PassphraseFile(path)) => path
                .canonicalize()
                .is_ok_and(|path| path.starts_with(&shared.folder)),
            _ => false,
        };
        Ok(wire::Encryption {
            is_on: self.is_on(),
            is_sealing: pass.is_some(),
            blobs,
            failed,
            problem: lock(&shared.problem).clone(),
            keys: keys
                .map(|(id, made_at_ms)| wire::EncryptionKey {
                    id: id.to_owned(),
                    made_at_ms,
                })
                .collect(),
            key_file: shared.key_file.display().to_string(),
            master: file.map(|file| {
                let kind = if file.wants_passphrase() {
                    "passphrase"
                } else {
                    "key"
                };
                kind.to_owned()
            }),
            master_from: master.map(|master| master.in_words()),
            is_master_beside: beside,
            is_new_master: false,
            is_complete: self.is_on() && state.is_done,
        })
    }

    fn master(&self) -> Option<MasterSource> {
        lock(&self.shared.master).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
