//! A blob on its way in.

use std::{
    fs::{self, File, FileTimes, Metadata, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use heirloom_core::ContentHash;

use super::{
    READ_BYTES,
    layout::{Layout, make_folder, sync_folder},
    lock::ShardLock,
    quarantine,
    stored::{self, Identity, Standing},
};
use crate::{
    BlobError, KeyId, PutBlob,
    error::At,
    seal::{Form, HEADER_BYTES, Sealer},
};

/// Whole blocks of zeros become holes, so that a sparse original costs no more here.
const BLOCK_BYTES: usize = 64 * 1024;
static ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// A file in `incoming/`. It is locked for as long as it is written, so that others can tell it from
/// one that a killed process left behind, and removed when dropped before it was placed.
pub(super) struct Incoming {
    path: PathBuf,
    file: File,
    hasher: blake3::Hasher,
    size_bytes: u64,
    ends_in_hole: bool,
    is_synced: bool,
    form: Form,
    /// What it is sealed with.
    key: Option<KeyId>,
    /// Until the end is sealed.
    sealer: Option<Sealer>,
}

impl Incoming {
    /// An empty file for a blob, which is sealed while it is written where there is a key.
    pub(super) fn create(layout: &Layout) -> Result<Self, BlobError> {
        let Some(key) = layout.sealing_key()? else {
            return Self::create_plain(layout);
        };
        let mut incoming = Self::create_plain(layout)?;
        incoming.form = Form::Sealed;
        incoming.key = Some(key.id());
        let path = &incoming.path;
        incoming.sealer = Some(Sealer::begin(&key).at(path)?);
        // The header is known last.
        incoming.file.seek(SeekFrom::Start(HEADER_BYTES)).at(path)?;
        Ok(incoming)
    }

    /// An empty file.
    pub(super) fn create_plain(layout: &Layout) -> Result<Self, BlobError> {
        loop {
            let path = next_path(layout);
            // Read-only from its birth: nobody has a reason to write to a blob, ever.
            let opened = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o444)
                .open(&path);
            let file = match opened {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                opened => opened.at(&path)?,
            };
            let incoming = Self {
                path,
                file,
                hasher: blake3::Hasher::new(),
                size_bytes: 0,
                ends_in_hole: false,
                is_synced: false,
                form: Form::Plain,
                key: None,
                sealer: None,
            };
            // Somebody who opens the store may have taken it for a leftover before it was locked.
            if incoming.lock()? {
                return Ok(incoming);
            }
        }
    }

    /// A file that is on this disk already, by one more name and read to its end; `None` where it is on
    /// another disk, where files have one name each, and where blobs are sealed.
    pub(super) fn take(layout: &Layout, source: &Path) -> Result<Option<Self>, BlobError> {
        if layout.sealing().is_on() {
            return Ok(None);
        }
        let path = loop {
            let path = next_path(layout);
            match fs::hard_link(source, &path) {
                Ok(()) => break path,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Err(BlobError::Source(error));
                }
                Err(_) => return Ok(None),
            }
        };
        // From here on, dropping it takes the name back.
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => {
                let _ = fs::remove_file(&path);
                return Err(BlobError::from_io(&path, error));
            }
        };
        let mut incoming = Self {
            path,
            file,
            hasher: blake3::Hasher::new(),
            size_bytes: 0,
            ends_in_hole: false,
            is_synced: false,
            form: Form::Plain,
            key: None,
            sealer: None,
        };
        if !incoming.lock()? {
            return Ok(None);
        }
        let permissions = fs::Permissions::from_mode(0o444);
        incoming
            .file
            .set_permissions(permissions)
            .at(&incoming.path)?;
        let mut block = vec![0; READ_BYTES];
        loop {
            match incoming.file.read(&mut block) {
                Ok(0) => return Ok(Some(incoming)),
                Ok(length) => {
                    incoming.hasher.update(&block[..length]);
                    incoming.size_bytes += length as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(BlobError::Source(error)),
            }
        }
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        if let Some(sealer) = &mut self.sealer {
            let mut sealed = Vec::with_capacity(bytes.len() + BLOCK_BYTES);
            sealer.push(bytes, &mut sealed).at(&self.path)?;
            return self.file.write_all(&sealed).at(&self.path);
        }
        for block in bytes.chunks(BLOCK_BYTES) {
            self.ends_in_hole = block == ZEROS;
            if self.ends_in_hole {
                self.file
                    .seek(SeekFrom::Current(block.len() as i64))
                    .at(&self.path)?;
            } else {
                self.file.write_all(block).at(&self.path)?;
            }
        }
        Ok(())
    }

    /// The hash of what was written.
    pub(super) fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(self.hasher.finalize().into())
    }

    /// The key that it is sealed with.
    pub(super) const fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// Waits until the bytes are on disk.
    pub(super) fn sync(&mut self) -> Result<(), BlobError> {
        if !self.is_synced {
            if let Some(mut sealer) = self.sealer.take() {
                let mut sealed = Vec::new();
                let header = sealer.finish(self.hash(), &mut sealed).at(&self.path)?;
                self.file.write_all(&sealed).at(&self.path)?;
                self.file.write_all_at(&header, 0).at(&self.path)?;
            }
            if self.ends_in_hole {
                self.file.set_len(self.size_bytes).at(&self.path)?;
            }
            self.file.sync_all().at(&self.path)?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Gives the blob its name, unless a sound copy has it already; that one is made young instead.
    /// The caller syncs the folder of the blob **in either case** before it acknowledges the put: the
    /// copy may be another process's whose own sync has not ended.
    pub(super) fn place(mut self, layout: &Layout) -> Result<PutBlob, BlobError> {
        let hash = self.hash();
        let size_bytes = self.size_bytes;
        loop {
            // Reading and syncing take long, so they are done before the lock is taken; what was
            // seen is looked at once more under the lock.
            match stored::look(layout, hash, size_bytes)? {
                Standing::Sound(path, file) => {
                    let seen = Identity::of(&file.metadata().at(&path)?);
                    let _lock = ShardLock::take(layout, hash)?;
                    if Identity::at(&path)? == Some(seen) {
                        stored::renew(&file).at(&path)?;
                        return Ok(PutBlob {
                            hash,
                            size_bytes,
                            was_new: false,
                        });
                    }
                }
                Standing::Nothing => {
                    self.sync()?;
                    let _lock = ShardLock::take(layout, hash)?;
                    if stored::find_anything(layout, hash)?.is_none() {
                        self.rename(layout, hash)?;
                        return Ok(PutBlob {
                            hash,
                            size_bytes,
                            was_new: true,
                        });
                    }
                }
                Standing::Wrong(path, seen) => {
                    self.sync()?;
                    let _lock = ShardLock::take(layout, hash)?;
                    if Identity::at(&path)? == Some(seen) {
                        let aside = quarantine::move_aside(layout, &path)?;
                        tracing::warn!(%hash, aside = %aside.display(), "a damaged blob was replaced");
                        // Where the sealing of a blob was killed there are two files.
                        if stored::find_anything(layout, hash)?.is_some() {
                            continue;
                        }
                        self.rename(layout, hash)?;
                        return Ok(PutBlob {
                            hash,
                            size_bytes,
                            was_new: true,
                        });
                    }
                }
            }
        }
    }

    /// Gives the file a name that is no blob's, whatever has that name now.
    pub(super) fn place_as(mut self, path: &Path) -> Result<(), BlobError> {
        self.sync()?;
        fs::rename(&self.path, path).at(path)?;
        self.path.clear();
        Ok(())
    }

    /// Gives the blob its name in place of the same one in an older form, and the age of that.
    /// Called under the lock of the folder.
    pub(super) fn replace(mut self, layout: &Layout, old: &Metadata) -> Result<(), BlobError> {
        self.sync()?;
        let times = FileTimes::new().set_modified(old.modified().at(&self.path)?);
        self.file.set_times(times).at(&self.path)?;
        let path = layout.blob(self.hash(), self.form);
        fs::rename(&self.path, &path).at(&path)?;
        self.path.clear();
        Ok(())
    }

    /// Called under the lock of the folder, so nothing is overwritten.
    fn rename(mut self, layout: &Layout, hash: ContentHash) -> Result<(), BlobError> {
        let path = &layout.blob(hash, self.form);
        // The age of a blob counts from its put, not from its first byte, which may be hours older.
        stored::renew(&self.file).at(&self.path)?;
        match fs::rename(&self.path, path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Somebody removed the folder of the blob while it was empty.
                let folder = path.parent().unwrap_or(path);
                make_folder(folder)?;
                sync_folder(layout.root())?;
                fs::rename(&self.path, path).at(path)?;
            }
            result => result.at(path)?,
        }
        self.path.clear();
        Ok(())
    }

    /// Whether the file is locked and still there.
    fn lock(&self) -> Result<bool, BlobError> {
        match self.file.try_lock() {
            Ok(()) => Ok(self.file.metadata().at(&self.path)?.nlink() > 0),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(BlobError::from_io(&self.path, error)),
        }
    }
}

/// A name that no other file of this process has.
fn next_path(layout: &Layout) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    layout
        .incoming()
        .join(format!("{}-{number}", process::id()))
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What cannot be removed now is removed when the store is opened next time.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the files of puts that were killed. On a read-only file system there is nothing to do.
pub(super) fn remove_leftovers(layout: &Layout) -> Result<(), BlobError> {
    let folder = layout.incoming();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.at(&folder)?,
    };
    for entry in entries {
        let path = entry.at(&folder)?.path();
        // A file that vanishes meanwhile was placed or removed by its owner.
        let Ok(Some(file)) = stored::open(&path) else {
            continue;
        };
        if file.try_lock().is_err()
            || Identity::at(&path)? != Some(Identity::of(&file.metadata().at(&path)?))
        {
            continue;
        }
        match stored::remove(&path) {
            Ok(_) => {}
            Err(BlobError::ReadOnly { .. } | BlobError::NotPermitted { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Syncs several things at once: the file system then writes its journal once for many of them.
pub(super) fn sync_all<T: Send>(
    things: &mut [T],
    sync: impl Fn(&mut T) -> Result<(), BlobError> + Sync,
) -> Result<(), BlobError> {
    const THREADS: usize = 8;
    let share = things.len().div_ceil(THREADS).max(1);
    let sync = &sync;
    thread::scope(|scope| {
        let threads: Vec<_> = things
            .chunks_mut(share)
            .map(|share| scope.spawn(move || share.iter_mut().try_for_each(sync)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(cause) => std::panic::resume_unwind(cause),
            })
    })
}
