//! Where things lie in the folder of a store.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use heirloom_core::ContentHash;

use super::making::mark;
use crate::{
    BlobError, Sealing,
    error::At,
    seal::{DataKey, Form},
};

pub(super) const MARKER: &str = "LAYOUT";
pub(super) const INCOMING: &str = "incoming";
pub(super) const LOCKS: &str = "locks";
pub(super) const QUARANTINE: &str = "quarantine";

/// The first line of the marker of a store in which every blob is plain.
pub(super) const PLAIN_LINE: &str = "blob layout 1";
/// The first line once blobs are sealed: whoever does not know of that must not take them for strays.
pub(super) const SEALED_LINE: &str = "blob layout 2";

/// The folder of a store and the names in it.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: Arc<Path>,
    sealing: Sealing,
    /// Whether the marker says that blobs are sealed.
    is_marked: Arc<AtomicBool>,
}

impl Layout {
    /// The layout in a folder that has it.
    pub(super) fn open(root: PathBuf, sealing: Sealing) -> Result<Self, BlobError> {
        let layout = Self::at(root, sealing);
        layout.check()?;
        Ok(layout)
    }

    /// The layout as it would be in a folder.
    pub(super) fn at(root: PathBuf, sealing: Sealing) -> Self {
        Self {
            root: root.into(),
            sealing,
            is_marked: Arc::default(),
        }
    }

    pub(super) const fn sealing(&self) -> &Sealing {
        &self.sealing
    }

    /// The key to seal with, if there is one. That blobs are sealed stands in the marker before the first is.
    pub(super) fn sealing_key(&self) -> Result<Option<DataKey>, BlobError> {
        let key = self.sealing.current();
        if key.is_some() && !self.is_marked.load(Ordering::Acquire) {
            mark(self, SEALED_LINE)?;
            self.is_marked.store(true, Ordering::Release);
        }
        Ok(key)
    }

    /// The forms in which a blob may be, in the order in which they are looked for. One that is sealed while somebody
    /// looks is found at the third look.
    pub(super) fn forms(&self) -> &'static [Form] {
        if self.sealing.is_on() {
            &[Form::Sealed, Form::Plain, Form::Sealed]
        } else {
            &[Form::Plain]
        }
    }

    /// Looks whether the store is still where it was: its disk may have been unmounted.
    pub(super) fn check(&self) -> Result<(), BlobError> {
        let marker = self.marker();
        let text = match fs::read(&marker) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                let problem = "its LAYOUT file is missing";
                return Err(BlobError::NotAStore {
                    path: self.root.to_path_buf(),
                    problem,
                });
            }
            text => text.at(&marker)?,
        };
        let text = String::from_utf8_lossy(&text);
        match text.lines().next().unwrap_or_default() {
            PLAIN_LINE => Ok(()),
            SEALED_LINE if self.sealing.is_on() => {
                self.is_marked.store(true, Ordering::Release);
                Ok(())
            }
            SEALED_LINE => Err(BlobError::Locked {
                place: self.root.display().to_string(),
            }),
            other => Err(BlobError::UnknownLayout {
                path: self.root.to_path_buf(),
                found: other.chars().take(80).collect(),
            }),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder in which this blob is.
    pub(super) fn shard(&self, hash: ContentHash) -> PathBuf {
        self.root.join(shard_name(hash.as_bytes()[0]))
    }

    /// The blob that has this name here.
    pub(super) fn named_hash(&self, name: &OsStr) -> Option<ContentHash> {
        let (hash, form) = Form::parse(name.to_str()?)?;
        (form == Form::Plain || self.sealing.is_on()).then_some(hash)
    }

    /// The file of this blob in this form.
    pub(super) fn blob(&self, hash: ContentHash, form: Form) -> PathBuf {
        self.shard(hash).join(form.name(hash))
    }

    /// The file to lock while the folder of this blob is changed.
    pub(super) fn lock(&self, hash: ContentHash) -> PathBuf {
        self.root.join(LOCKS).join(shard_name(hash.as_bytes()[0]))
    }

    /// The first file that is looked for: a store that has it is complete.
    pub(super) fn marker(&self) -> PathBuf {
        self.root.join(MARKER)
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    pub(super) fn quarantine(&self) -> PathBuf {
        self.root.join(QUARANTINE)
    }
}

/// The name of the folder for blobs whose hash starts with this byte.
pub(super) fn shard_name(first_byte: u8) -> String {
    format!("{first_byte:02x}")
}

/// Whether a name at the top of the folder belongs to the layout. A disk of its own has a
/// `lost+found`.
pub(super) fn is_own(name: &str) -> bool {
    [MARKER, INCOMING, LOCKS, QUARANTINE, "lost+found"].contains(&name)
        || shard_byte(name).is_some()
}

/// The first byte of the blobs in the folder of this name.
pub(super) fn shard_byte(name: &str) -> Option<u8> {
    let byte = u8::from_str_radix(name, 16).ok()?;
    (shard_name(byte) == name).then_some(byte)
}

/// Makes a folder unless it is there. Its name is durable once the folder above is synced.
pub(super) fn make_folder(folder: &Path) -> Result<(), BlobError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        result => result.at(folder),
    }
}

/// Waits until the names in a folder are on disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BlobError> {
    match File::open(folder).and_then(|opened| opened.sync_all()) {
        // Some network file systems have no sync for folders and write them through.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result.at(folder),
    }
}

/// `None` when there is no such file.
pub(super) fn found<T>(result: io::Result<T>, path: &Path) -> Result<Option<T>, BlobError> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.at(path).map(Some),
    }
}
