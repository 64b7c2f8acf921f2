//! Copies of the blobs of a store on another machine that are in use, in a folder on this one.
//!
//! A copy comes in as a file in `incoming/`, is compared with its hash, synced and renamed: what has the name of a
//! blob was whole. When there is more than the cap, what was not used for the longest time goes; whoever reads it has
//! it open and goes on. Everything in it can be deleted at any time. Where blobs are sealed every copy is, whatever it
//! was copied from.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use heirloom_core::ContentHash;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

use crate::{
    BlobError, KeyId, Sealing,
    error::At,
    seal::{BlobFile, Form, HEADER_BYTES, Sealer, sealed_bytes},
};

/// Copies of blobs in a folder that belongs to one process. Clones mean the same.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    cap_bytes: u64,
    sealing: Sealing,
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
    form: Form,
    /// As it is stored.
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
        Self::open_sealed(folder, cap_bytes, Sealing::default())
    }

    /// The same for copies that are sealed once there is a key. The store of the cache seals with it, too.
    ///
    /// # Errors
    /// What the disk reports.
    pub fn open_sealed(
        folder: impl Into<PathBuf>,
        cap_bytes: u64,
        sealing: Sealing,
    ) -> Result<Self, BlobError> {
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
            let named = name.to_str().and_then(Form::parse);
            let stat = entry.metadata().at(&entry.path())?;
            match named.filter(|_| stat.is_file()) {
                Some((hash, form)) if form == form_of(&sealing) => {
                    found.push(((stat.mtime(), stat.mtime_nsec()), hash, form, stat.len()));
                }
                // From before blobs were sealed, or from another library.
                Some(_) => fs::remove_file(entry.path()).at(&entry.path())?,
                None => {}
            }
        }
        found.sort_unstable();
        let mut held = Held::default();
        for (_, hash, form, size_bytes) in found {
            held.add(hash, form, size_bytes);
        }
        let cache = Self {
            folder,
            cap_bytes,
            sealing,
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

    /// How copies are sealed.
    pub(crate) const fn sealing(&self) -> &Sealing {
        &self.sealing
    }

    /// Opens the copy of a blob, if there is one.
    pub(crate) fn find(&self, hash: ContentHash) -> Option<BlobFile> {
        let mut held = self.held();
        let copy = *held.copies.get(&hash)?;
        let path = self.path(hash, copy.form);
        let file = File::open(&path).ok();
        let file = file.filter(|file| {
            copy.form == form_of(&self.sealing)
                && file
                    .metadata()
                    .is_ok_and(|stat| stat.len() == copy.size_bytes)
        });
        let opened = file.and_then(|file| {
            let again = file.try_clone().ok()?;
            let blob = BlobFile::new(path.clone(), again, hash, copy.form, &self.sealing);
            Some((file, blob.ok()?))
        });
        let Some((file, blob)) = opened else {
            // Somebody tidied up, or it is from before blobs were sealed, or damaged.
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
        Some(blob)
    }

    /// A file to bring a blob in.
    pub(crate) fn begin(&self) -> Result<Incoming, BlobError> {
        let path = self.incoming();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .at(&path)?;
        let key = self.sealing.current();
        let sealer = key.as_ref().map(Sealer::begin).transpose().at(&path)?;
        if sealer.is_some() {
            // The header is known last.
            file.seek(SeekFrom::Start(HEADER_BYTES)).at(&path)?;
        }
        Ok(Incoming {
            path,
            file,
            hasher: blake3::Hasher::new(),
            size_bytes: 0,
            form: sealer.as_ref().map_or(Form::Plain, |_| Form::Sealed),
            key: sealer.as_ref().map(Sealer::key),
            sealer,
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
    ) -> Result<BlobFile, BlobError> {
        if incoming.hash() != hash {
            return Err(BlobError::Corrupt { hash });
        }
        incoming.finish()?;
        let (path, form) = (&incoming.path, incoming.form);
        let file = File::open(path).at(path)?;
        let blob = BlobFile::new(path.clone(), file, hash, form, &self.sealing)?;
        if incoming.stored_bytes() > self.cap_bytes {
            return Ok(blob);
        }
        incoming.file.sync_all().at(path)?;
        let mut held = self.held();
        fs::rename(path, self.path(hash, form)).at(path)?;
        held.remove(hash);
        held.add(hash, form, incoming.stored_bytes());
        self.evict(&mut held)?;
        Ok(blob)
    }

    /// Takes in another name of a file that has these bytes, which nobody writes to any more. Nothing happens where
    /// that cannot be, and where copies are sealed.
    pub(crate) fn link(&self, file: &Path, hash: ContentHash, size_bytes: u64) {
        let path = self.incoming();
        if self.sealing.is_on()
            || size_bytes > self.cap_bytes
            || fs::hard_link(file, &path).is_err()
        {
            return;
        }
        let mut held = self.held();
        if fs::rename(&path, self.path(hash, Form::Plain)).is_ok() {
            held.remove(hash);
            held.add(hash, Form::Plain, size_bytes);
            let _ = self.evict(&mut held);
        }
        // Two names of one file are not renamed onto each other.
        let _ = fs::remove_file(&path);
    }

    /// Lets go of the copy of a blob.
    pub(crate) fn remove(&self, hash: ContentHash) {
        let mut held = self.held();
        held.remove(hash);
        for form in [Form::Plain, Form::Sealed] {
            let _ = fs::remove_file(self.path(hash, form));
        }
    }

    /// Lets go of the copy of a blob that is not sealed as it would be now.
    pub(crate) fn remove_unsealed(&self, hash: ContentHash) {
        if !self.find(hash).is_some_and(|copy| copy.is_current()) {
            self.remove(hash);
        }
    }

    fn evict(&self, held: &mut Held) -> Result<(), BlobError> {
        while held.total_bytes > self.cap_bytes {
            let Some((_, &hash)) = held.by_use.first_key_value() else {
                break;
            };
            let form = held.copies.get(&hash).map_or(Form::Plain, |copy| copy.form);
            held.remove(hash);
            let path = self.path(hash, form);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).at(&path);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, hash: ContentHash, form: Form) -> PathBuf {
        self.folder.join(form.name(hash))
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
    fn add(&mut self, hash: ContentHash, form: Form, size_bytes: u64) {
        self.uses += 1;
        let used = self.uses;
        let kept = Kept {
            form,
            size_bytes,
            used,
        };
        self.copies.insert(hash, kept);
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
        if let Some(copy) = self.copies.get(&hash).copied() {
            self.remove(hash);
            self.add(hash, copy.form, copy.size_bytes);
        }
    }
}

/// The form in which every copy is.
fn form_of(sealing: &Sealing) -> Form {
    if sealing.is_on() {
        Form::Sealed
    } else {
        Form::Plain
    }
}

fn time(tv_nsec: i64) -> Timespec {
    Timespec { tv_sec: 0, tv_nsec }
}

/// A blob on its way in. Dropped, nothing is left of it.
pub(crate) struct Incoming {
    path: PathBuf,
    file: File,
    hasher: blake3::Hasher,
    size_bytes: u64,
    form: Form,
    /// What it is sealed with.
    key: Option<KeyId>,
    /// Until the end is sealed.
    sealer: Option<Sealer>,
}

impl Incoming {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        if let Some(sealer) = &mut self.sealer {
            let mut sealed = Vec::with_capacity(bytes.len());
            sealer.push(bytes, &mut sealed).at(&self.path)?;
            return self.file.write_all(&sealed).at(&self.path);
        }
        self.file.write_all(bytes).at(&self.path)
    }

    pub(crate) fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(self.hasher.finalize().into())
    }

    /// Writes what is still to be written: nothing is when this is called again.
    pub(crate) fn finish(&mut self) -> Result<(), BlobError> {
        if let Some(mut sealer) = self.sealer.take() {
            let mut sealed = Vec::new();
            let header = sealer.finish(self.hash(), &mut sealed).at(&self.path)?;
            self.file.write_all(&sealed).at(&self.path)?;
            self.file.write_all_at(&header, 0).at(&self.path)?;
        }
        self.file.flush().at(&self.path)
    }

    /// How many plain bytes came.
    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// How many bytes the file has in the end.
    pub(crate) const fn stored_bytes(&self) -> u64 {
        match self.form {
            Form::Plain => self.size_bytes,
            Form::Sealed => sealed_bytes(self.size_bytes),
        }
    }

    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// The key that it is sealed with.
    pub(crate) const fn key(&self) -> Option<KeyId> {
        self.key
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
