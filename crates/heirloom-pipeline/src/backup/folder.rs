//! A repository in a folder.
//!
//! An object is written beside its place, synced, renamed and its folder synced: it is there whole or not at
//! all. What a kill left half written is removed by the next who holds the folder alone.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rustic_core::{BytesList, FileType, Id};
use rustix::fs::{FlockOperation, flock};

use super::objects::{Lock, Objects};

/// What stands behind the name of an object that is being written, as other programs of the format do.
const PARTIAL: &str = "-tmp-";
const KINDS: [FileType; 4] = [
    FileType::Key,
    FileType::Snapshot,
    FileType::Index,
    FileType::Pack,
];

/// A folder with objects.
#[derive(Debug)]
pub(super) struct FolderObjects {
    root: PathBuf,
}

impl FolderObjects {
    pub(super) const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn folder_of(&self, kind: FileType, id: &Id) -> PathBuf {
        match kind {
            FileType::Config => self.root.clone(),
            FileType::Pack => {
                let hex = id.to_hex();
                self.root.join(kind.dirname()).join(&hex.as_str()[..2])
            }
            _ => self.root.join(kind.dirname()),
        }
    }

    fn path(&self, kind: FileType, id: &Id) -> PathBuf {
        self.root.join(super::objects::path(kind, id))
    }

    /// Removes what was half written by somebody who was killed.
    fn remove_partial(&self) -> io::Result<()> {
        let mut folders: Vec<PathBuf> = vec![self.root.clone()];
        folders.extend(KINDS.map(|kind| self.root.join(kind.dirname())));
        folders.extend(subfolders(&self.root.join(FileType::Pack.dirname()))?);
        for folder in folders {
            for entry in entries(&folder)? {
                let is_partial = entry
                    .file_name()
                    .as_encoded_bytes()
                    .ends_with(PARTIAL.as_bytes());
                if is_partial && entry.file_type()?.is_file() {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

impl Objects for FolderObjects {
    fn list_top(&self) -> io::Result<Vec<String>> {
        let names = entries(&self.root)?.into_iter();
        Ok(names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect())
    }

    fn create(&self) -> io::Result<()> {
        let make = |path: &Path| {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
        };
        make(&self.root)?;
        for name in ["keys", "snapshots", "index", "data", "locks"] {
            make(&self.root.join(name))?;
        }
        for first in 0..=u8::MAX {
            make(&self.root.join("data").join(format!("{first:02x}")))?;
        }
        sync_folder(&self.root.join("data"))?;
        sync_folder(&self.root)
    }

    fn list(&self, kind: FileType) -> io::Result<Vec<(Id, u32)>> {
        if kind == FileType::Config {
            return match fs::metadata(self.root.join("config")) {
                Ok(found) => Ok(vec![(Id::default(), length(&found))]),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let folder = self.root.join(kind.dirname());
        let folders = match kind {
            FileType::Pack => subfolders(&folder)?,
            _ => vec![folder],
        };
        let mut found = Vec::new();
        for folder in folders {
            for entry in entries(&folder)? {
                let name = entry.file_name();
                let id = name.to_str().filter(|name| name.len() == 64);
                let Some(id) = id.and_then(|name| name.parse::<Id>().ok()) else {
                    continue;
                };
                let stat = match entry.metadata() {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    stat => stat?,
                };
                if stat.is_file() {
                    found.push((id, length(&stat)));
                }
            }
        }
        Ok(found)
    }

    fn read(&self, kind: FileType, id: &Id) -> io::Result<Bytes> {
        let mut bytes = Vec::new();
        File::open(self.path(kind, id))?.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    fn read_part(&self, kind: FileType, id: &Id, offset: u32, length: u32) -> io::Result<Bytes> {
        let mut bytes = vec![0; length as usize];
        File::open(self.path(kind, id))?.read_exact_at(&mut bytes, offset.into())?;
        Ok(bytes.into())
    }

    fn write(&self, kind: FileType, id: &Id, content: BytesList) -> io::Result<()> {
        let (folder, path) = (self.folder_of(kind, id), self.path(kind, id));
        fs::create_dir_all(&folder)?;
        let mut partial = path.clone().into_os_string();
        partial.push(PARTIAL);
        let write = || {
            let mut file = File::create(&partial)?;
            for part in content.slice() {
                file.write_all(part)?;
            }
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            sync_folder(&folder)
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&partial);
        })
    }

    fn remove(&self, kind: FileType, id: &Id) -> io::Result<()> {
        match fs::remove_file(self.path(kind, id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn lock(&self, is_alone: bool) -> io::Result<Lock> {
        // The folder itself: nothing has to be written for it, and it ends with the process.
        let folder = File::open(&self.root)?;
        let operation = if is_alone {
            FlockOperation::NonBlockingLockExclusive
        } else {
            FlockOperation::NonBlockingLockShared
        };
        match flock(&folder, operation) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(io::ErrorKind::ResourceBusy.into()),
            // A file system without locks: nobody else can be kept out there.
            Err(
                rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOLCK,
            ) => {}
            Err(error) => return Err(error.into()),
        }
        if is_alone {
            self.remove_partial()?;
        }
        Ok(Lock {
            _held: Box::new(folder),
        })
    }
}

fn length(found: &fs::Metadata) -> u32 {
    u32::try_from(found.len()).unwrap_or(u32::MAX)
}

/// What is in a folder; nothing in one that is not there.
fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in entries(folder)? {
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network file systems have no sync for folders and write them through.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}
