//! The folder of what is not finished: who has it writes the export.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::{ExportError, bag::written};

/// Its name. It is gone when the export is.
pub(super) const UNFINISHED: &str = "unfinished";
const LOCK: &str = "lock";

/// The folder, which nobody else has.
pub(super) struct Unfinished {
    folder: PathBuf,
    _lock: File,
}

impl Unfinished {
    /// Takes it, and makes it where it is missing. `library` says whose export it is.
    pub(super) fn take(root: &Path, library: &[u8]) -> Result<Self, ExportError> {
        let folder = root.join(UNFINISHED);
        let lock = loop {
            match lock_in(&folder) {
                Ok(Some(lock)) => break lock,
                // Who had it let go of it at this moment.
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(ExportError::Busy(root.to_owned()));
                }
                Err(error) => return Err(written(&folder, error)),
            }
        };
        let own = Self {
            folder,
            _lock: lock,
        };
        // Whole from the first moment on, for whoever looks whose it is.
        let (part, path) = (own.file("part"), own.file("library.json"));
        let said = fs::write(&part, library).and_then(|()| fs::rename(&part, &path));
        said.map_err(|error| written(&path, error))?;
        Ok(own)
    }

    /// Where a file lies in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Removes it.
    pub(super) fn remove(self) -> Result<(), ExportError> {
        self.empty().map_err(|error| written(&self.folder, error))
    }

    fn empty(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Some systems put folders of their own everywhere.
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else if entry.file_name() != LOCK {
                fs::remove_file(entry.path())?;
            }
        }
        // From here on it is anybody's.
        fs::remove_file(self.file(LOCK))?;
        match fs::remove_dir(&self.folder) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

/// Takes the lock of the folder; `None` when it was removed before it was taken.
fn lock_in(folder: &Path) -> io::Result<Option<File>> {
    fs::create_dir_all(folder)?;
    let path = folder.join(LOCK);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    let (own, there) = (lock.metadata()?, fs::metadata(&path)?);
    Ok((own.ino() == there.ino() && own.dev() == there.dev()).then_some(lock))
}
