//! Copies of the blobs of a store on another machine that are in use, in a folder on this one.
//!
//! A copy comes in as a file in `incoming/`, is compared with its hash, synced and renamed: what has the name of a
//! blob was whole. When there is more than the cap, what was not used for the longest time goes; whoever reads it has
//! it open and goes on. Everything in it can be deleted at any time.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use heirloom_core::ContentHash;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

use crate::{BlobError, error::At};

/// Copies of blobs in a folder that belongs to one process. Clones mean the same.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    cap_bytes: u64,
    held: Arc<Mutex<Held>>,
    next: Arc<AtomicU64>,
}

/// What is there, and in which order it was used.
#[derive(Debug, Default)]
struct Held {
    copies: HashMap<ContentHash, Kept>,
    by_use: BTreeMap<u64, ContentHash>,
    total_bytes: u64,
    uses: u64,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    size_bytes: u64,
    used: u64,
}

impl Cache {
    /// Opens the cache in `folder`, making it if it is not there; `cap_bytes` is what all copies together take at
    /// most.
    ///
    /// # Errors
    /// What the disk reports.
    pub fn open(folder: impl Into<PathBuf>, cap_bytes: u64) -> Result<Self, BlobError> {
        let folder = folder.into();
        let incoming = folder.join("incoming");
        let mut making = DirBuilder::new();
        making
            .recursive(true)
            .mode(0o700)
            .create(&incoming)
            .at(&incoming)?;
        // What somebody who was killed was about to bring.
        for entry in fs::read_dir(&incoming).at(&incoming)? {
            let path = entry.at(&incoming)?.path();
            fs::remove_file(&path).at(&path)?;
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).at(&folder)? {
            let entry = entry.at(&folder)?;
            let name = entry.file_name();
            let hash = name
                .to_str()
                .and_then(|name| name.parse::<ContentHash>().ok());
            let stat = entry.metadata().at(&entry.path())?;
            if let Some(hash) = hash.filter(|_| stat.is_file()) {
                found.push(((stat.mtime(), stat.mtime_nsec()), hash, stat.len()));
            }
        }
        found.sort_unstable();
        let mut held = Held::default();
        for (_, hash, size_bytes) in found {
            held.add(hash, size_bytes);
        }
        let cache = Self {
            folder,
            cap_bytes,
            held: Arc::new(Mutex::new(held)),
            next: Arc::default(),
        };
        cache.evict(&mut cache.held())?;
        Ok(cache)
    }

    /// What all copies take.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.held().total_bytes
    }

    /// Opens the copy of a blob, if there is one.
    pub(crate) fn find(&self, hash: ContentHash) -> Option<(File, u64)> {
        let path = self.path(hash);
        let mut held = self.held();
        let copy = *held.copies.get(&hash)?;
        let file = File::open(&path).ok();
        let file = file.filter(|file| {
            file.metadata()
                .is_ok_and(|stat| stat.len() == copy.size_bytes)
        });
        let Some(file) = file else {
            // Somebody tidied up.
            held.remove(hash);
            let _ = fs::remove_file(&path);
            return None;
        };
        held.touch(hash);
        drop(held);
        // So that the order is the same after a restart.
        let (now, omit) = (time(UTIME_NOW), time(UTIME_OMIT));
        let used = Timestamps {
            last_access: omit,
            last_modification: now,
        };
        let _ = futimens(&file, &used);
        Some((file, copy.size_bytes))
    }

    /// A file to bring a blob in.
    pub(crate) fn begin(&self) -> Result<Incoming, BlobError> {
        let path = self.incoming();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .at(&path)?;
        Ok(Incoming {
            path,
            file,
            hasher: blake3::Hasher::new(),
            size_bytes: 0,
        })
    }

    /// Takes in what has come, and gives it as a file. What has no room is not kept.
    ///
    /// # Errors
    /// `Corrupt` when it is not that blob; what the disk reports.
    pub(crate) fn keep(
        &self,
        mut incoming: Incoming,
        hash: ContentHash,
    ) -> Result<File, BlobError> {
        if incoming.hash() != hash {
            return Err(BlobError::Corrupt { hash });
        }
        let path = &incoming.path;
        let file = File::open(path).at(path)?;
        if incoming.size_bytes > self.cap_bytes {
            return Ok(file);
        }
        incoming.file.flush().at(path)?;
        incoming.file.sync_all().at(path)?;
        let mut held = self.held();
        fs::rename(path, self.path(hash)).at(path)?;
        held.remove(hash);
        held.add(hash, incoming.size_bytes);
        self.evict(&mut held)?;
        Ok(file)
    }

    /// Takes in another name of a file that has these bytes, which nobody writes to any more. Nothing happens where
    /// that cannot be.
    pub(crate) fn link(&self, file: &Path, hash: ContentHash, size_bytes: u64) {
        let path = self.incoming();
        if size_bytes > self.cap_bytes || fs::hard_link(file, &path).is_err() {
            return;
        }
        let mut held = self.held();
        if fs::rename(&path, self.path(hash)).is_ok() {
            held.remove(hash);
            held.add(hash, size_bytes);
            let _ = self.evict(&mut held);
        }
        // Two names of one file are not renamed onto each other.
        let _ = fs::remove_file(&path);
    }

    /// Lets go of the copy of a blob.
    pub(crate) fn remove(&self, hash: ContentHash) {
        let mut held = self.held();
        held.remove(hash);
        let _ = fs::remove_file(self.path(hash));
    }

    fn evict(&self, held: &mut Held) -> Result<(), BlobError> {
        while held.total_bytes > self.cap_bytes {
            let Some((_, &hash)) = held.by_use.first_key_value() else {
                break;
            };
            held.remove(hash);
            let path = self.path(hash);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).at(&path);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, hash: ContentHash) -> PathBuf {
        self.folder.join(hash.to_string())
    }

    fn incoming(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.folder.join("incoming").join(number.to_string())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, hash: ContentHash, size_bytes: u64) {
        self.uses += 1;
        let used = self.uses;
        self.copies.insert(hash, Kept { size_bytes, used });
        self.by_use.insert(used, hash);
        self.total_bytes += size_bytes;
    }

    fn remove(&mut self, hash: ContentHash) {
        if let Some(copy) = self.copies.remove(&hash) {
            self.by_use.remove(&copy.used);
            self.total_bytes -= copy.size_bytes;
        }
    }

    fn touch(&mut self, hash: ContentHash) {
        if let Some(size_bytes) = self.copies.get(&hash).map(|copy| copy.size_bytes) {
            self.remove(hash);
            self.add(hash, size_bytes);
        }
    }
}

fn time(tv_nsec: i64) -> Timespec {
    Timespec { tv_sec: 0, tv_nsec }
}

/// A blob on its way in. Dropped, nothing is left of it.
#[derive(Debug)]
pub(crate) struct Incoming {
    path: PathBuf,
    file: File,
    hasher: blake3::Hasher,
    size_bytes: u64,
}

impl Incoming {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        self.file.write_all(bytes).at(&self.path)
    }

    pub(crate) fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(self.hasher.finalize().into())
    }

    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
