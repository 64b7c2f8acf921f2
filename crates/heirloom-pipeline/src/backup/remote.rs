//! A repository on another machine, over S3 or SFTP.
//!
//! There is nothing to lock there that would end with a process. So whoever works in the repository writes an object
//! that says so, again every few minutes; one that has become old, or whose process on this machine has ended, keeps
//! nobody out and is removed.

use std::{
    fmt, fs, io,
    sync::{
        atomic::{AtomicI64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use heirloom_blobs::{Remote, RemoteLocation, RemoteObject, S3Settings};
use rustic_core::{BytesList, FileType, Id};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{
    BackupError,
    objects::{Lock, Objects, path},
};

/// What stands behind the name of an object that is being written over SFTP.
const PARTIAL: &str = "-tmp-";
/// The folder of those who are at work.
pub(super) const IN_USE: &str = "in-use";
/// How often somebody at work says so.
const SAID_EVERY: Duration = Duration::from_secs(240);
/// How much older than our own word another's has to be to count no more, by the clock of the server.
const OLD_MS: i64 = 20 * 60 * 1000;

/// A place with objects.
#[derive(Debug)]
pub(super) struct RemoteObjects {
    remote: Remote,
    runtime: Handle,
    /// Since when we are alone at work, by the clock of the server; until then it is the least there is.
    alone_since_ms: AtomicI64,
}

/// Folders that are listed at once.
const LISTED_AT_ONCE: usize = 4;

impl RemoteObjects {
    /// The door to a place; nothing is asked of its server yet.
    pub(super) fn open(place: &RemoteLocation, s3: &S3Settings) -> Result<Self, BackupError> {
        let runtime = Handle::current();
        let remote = runtime.block_on(Remote::open(place, s3));
        Ok(Self {
            remote: remote.map_err(BackupError::Remote)?,
            runtime,
            alone_since_ms: AtomicI64::new(i64::MIN),
        })
    }

    fn list_folder(&self, folder: &str) -> io::Result<Vec<RemoteObject>> {
        let listed = self.remote.list(folder, None).try_collect();
        Ok(self.runtime.block_on(listed)?)
    }

    /// What lies in folders within a folder, their names before it.
    fn list_inner(&self, folder: &str, inner: Vec<RemoteObject>) -> io::Result<Vec<RemoteObject>> {
        let inner = inner.into_iter().filter(|inner| inner.is_folder);
        let listing: Vec<_> = inner
            .map(|inner| {
                let within = self.remote.list(&format!("{folder}{}/", inner.name), None);
                let named = within.map_ok(move |object| RemoteObject {
                    name: format!("{}/{}", inner.name, object.name),
                    ..object
                });
                named.try_collect::<Vec<_>>()
            })
            .collect();
        let listed = stream::iter(listing)
            .buffer_unordered(LISTED_AT_ONCE)
            .try_concat();
        Ok(self.runtime.block_on(listed)?)
    }

    /// Removes what somebody who was killed left half written before we were alone.
    fn remove_partial(&self, folder: &str, found: &[RemoteObject]) -> io::Result<()> {
        let since_ms = self.alone_since_ms.load(Ordering::Relaxed);
        let is_partial = |object: &&RemoteObject| {
            object.name.ends_with(PARTIAL) && object.modified_at_ms < since_ms
        };
        for partial in found.iter().filter(is_partial) {
            let object = format!("{folder}{}", partial.name);
            self.runtime.block_on(self.remote.remove(&object))?;
        }
        Ok(())
    }

    /// Whether somebody else's word keeps us out; what counts no more is removed.
    fn find_other(&self, own: &str, is_alone: bool) -> io::Result<bool> {
        let folder = format!("{IN_USE}/");
        let found = self.list_folder(&folder)?;
        let own_ms = found.iter().find(|word| word.name == own);
        let own_ms = own_ms.map_or(i64::MIN, |word| word.modified_at_ms);
        for other in found.iter().filter(|other| other.name != own) {
            if !is_alone && !other.name.starts_with(ALONE) {
                continue;
            }
            let object = format!("{folder}{}", other.name);
            let is_old = own_ms.saturating_sub(other.modified_at_ms) > OLD_MS;
            if is_old || self.has_ended(&object)? {
                self.runtime.block_on(self.remote.remove(&object))?;
            } else {
                return Ok(true);
            }
        }
        if is_alone {
            self.alone_since_ms.store(own_ms, Ordering::Relaxed);
        }
        Ok(false)
    }

    /// Whether the process of somebody's word ran on this machine and does not any more.
    fn has_ended(&self, object: &str) -> io::Result<bool> {
        let read = self.runtime.block_on(self.remote.read(object));
        let read = match read.map_err(io::Error::from) {
            // It has ended in order just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            read => read?,
        };
        let word: Option<Word> = serde_json::from_slice(&read).ok();
        Ok(word.is_some_and(|word| {
            word.boot.is_some() && word.boot == boot() && began(word.process) != word.began
        }))
    }
}

/// What the object of somebody who has to be alone is called at its beginning.
const ALONE: &str = "alone-";

/// What somebody at work says.
#[derive(Debug, Serialize, Deserialize)]
struct Word {
    /// The machine since it was started, as the kernel names it.
    boot: Option<String>,
    process: u32,
    /// When the process began, in ticks since the machine was started: its number may be another's by now.
    began: Option<u64>,
}

impl Objects for RemoteObjects {
    fn list_top(&self) -> io::Result<Vec<String>> {
        let found = self.list_folder("")?.into_iter();
        Ok(found.map(|object| object.name).collect())
    }

    fn create(&self) -> io::Result<()> {
        for name in ["keys", "snapshots", "index", "data", "locks"] {
            self.runtime.block_on(self.remote.make_folder(name))?;
        }
        Ok(())
    }

    fn list(&self, kind: FileType) -> io::Result<Vec<(Id, u32)>> {
        if kind == FileType::Config {
            let found = self.runtime.block_on(self.remote.stat("config"))?;
            let found = found.into_iter();
            return Ok(found
                .map(|config| (Id::default(), length(&config)))
                .collect());
        }
        let folder = format!("{}/", kind.dirname());
        let mut found = self.list_folder(&folder)?;
        if kind == FileType::Pack {
            found = self.list_inner(&folder, found)?;
        }
        self.remove_partial(&folder, &found)?;
        let objects = found.iter().filter(|object| !object.is_folder);
        Ok(objects
            .filter_map(|object| Some((id_of(&object.name)?, length(object))))
            .collect())
    }

    fn read(&self, kind: FileType, id: &Id) -> io::Result<Bytes> {
        Ok(self.runtime.block_on(self.remote.read(&path(kind, id)))?)
    }

    fn read_part(&self, kind: FileType, id: &Id, offset: u32, length: u32) -> io::Result<Bytes> {
        let range = u64::from(offset)..u64::from(offset) + u64::from(length);
        let path = path(kind, id);
        Ok(self.runtime.block_on(self.remote.read_part(&path, range))?)
    }

    fn write(&self, kind: FileType, id: &Id, content: BytesList) -> io::Result<()> {
        let bytes = content.slice().iter().fold(Vec::new(), |mut all, part| {
            all.extend_from_slice(part);
            all
        });
        let (path, bytes) = (path(kind, id), Bytes::from(bytes));
        Ok(self.runtime.block_on(self.remote.write(&path, bytes))?)
    }

    fn remove(&self, kind: FileType, id: &Id) -> io::Result<()> {
        Ok(self.runtime.block_on(self.remote.remove(&path(kind, id)))?)
    }

    fn lock(&self, is_alone: bool) -> io::Result<Lock> {
        let process = std::process::id();
        let word = Word {
            boot: boot(),
            process,
            began: began(process),
        };
        let word = Bytes::from(serde_json::to_vec(&word).map_err(io::Error::other)?);
        let kind = if is_alone { ALONE } else { "shared-" };
        let name = format!("{kind}{}", random_name()?);
        let object = format!("{IN_USE}/{name}");
        let written = self.remote.write(&object, word.clone());
        match self.runtime.block_on(written).map_err(io::Error::from) {
            // Who may only read the repository can do it no harm.
            Err(error) if !is_alone && error.kind() == io::ErrorKind::PermissionDenied => {
                return Ok(Lock {
                    _held: Box::new(()),
                });
            }
            written => written?,
        }
        let (ending, ended) = mpsc::channel();
        let (remote, runtime) = (self.remote.clone(), self.runtime.clone());
        let saying = thread::Builder::new().spawn(move || {
            while ended.recv_timeout(SAID_EVERY) == Err(RecvTimeoutError::Timeout) {
                let said = runtime.block_on(remote.write(&object, word.clone()));
                if let Err(error) = said {
                    tracing::warn!(%error, "others cannot be told that a repository is in use");
                }
            }
            let removed = runtime.block_on(remote.remove(&object));
            if let Err(error) = removed {
                tracing::warn!(%error, "others are told for a while that a repository is in use");
            }
        })?;
        let working = Working {
            ending: Some(ending),
            saying: Some(saying),
        };
        if self.find_other(&name, is_alone)? {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(Lock {
            _held: Box::new(working),
        })
    }
}

/// Says that somebody is at work for as long as it is there.
struct Working {
    ending: Option<Sender<()>>,
    saying: Option<JoinHandle<()>>,
}

impl fmt::Debug for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Working")
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        drop(self.ending.take());
        if let Some(saying) = self.saying.take() {
            let _ = saying.join();
        }
    }
}

fn id_of(name: &str) -> Option<Id> {
    let name = name.rsplit('/').next()?;
    Some(name)
        .filter(|name| name.len() == 64)
        .and_then(|name| name.parse().ok())
}

fn length(object: &RemoteObject) -> u32 {
    u32::try_from(object.size_bytes).unwrap_or(u32::MAX)
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    Ok(super::repository::hex_of(&bytes))
}

/// This machine since it was started.
fn boot() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // In another container the numbers of processes mean others.
    let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), numbers.display()))
}

/// When a process began (proc(5), field 22 of `stat`); `None` when there is none.
fn began(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may have anything in it.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19)?.parse().ok()
}
