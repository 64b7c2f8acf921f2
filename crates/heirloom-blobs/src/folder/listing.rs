//! Walks through the folders of a store.

use std::{
    ffi::OsStr,
    fs::{self, FileType, ReadDir},
    io::ErrorKind,
    path::Path,
};

use heirloom_core::ContentHash;

use super::{
    layout::{self, Layout, shard_name},
    stored,
};
use crate::{BlobError, BlobStat, Stray, StrayKind, error::At};

/// The blobs of one folder after the other, each folder sorted: what is in memory at once is one
/// 256th of the names.
pub(super) struct Shards {
    layout: Layout,
    after: Option<ContentHash>,
    next: u16,
}

impl Shards {
    /// The blobs that come after this one.
    pub(super) fn new(layout: Layout, after: Option<ContentHash>) -> Self {
        let next = after.map_or(0, |hash| hash.as_bytes()[0].into());
        Self {
            layout,
            after,
            next,
        }
    }

    fn read(&self, first_byte: u8) -> Result<Vec<BlobStat>, BlobError> {
        let folder = self.layout.root().join(shard_name(first_byte));
        let mut hashes = Vec::new();
        for entry in read_folder(&folder)?.into_iter().flatten() {
            let hash = self.layout.named_hash(&entry.at(&folder)?.file_name());
            hashes.extend(hash.filter(|hash| {
                hash.as_bytes()[0] == first_byte && self.after.is_none_or(|after| *hash > after)
            }));
        }
        hashes.sort_unstable();
        hashes.dedup();
        let stats = hashes
            .into_iter()
            .map(|hash| stored::stat(&self.layout, hash));
        stats.filter_map(Result::transpose).collect()
    }
}

impl Iterator for Shards {
    type Item = Result<Vec<BlobStat>, BlobError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first_byte = u8::try_from(self.next).ok()?;
        self.next += 1;
        // A disk that is not mounted must not look like a store without blobs.
        let blobs = self.layout.check().and_then(|()| self.read(first_byte));
        if blobs.is_err() {
            self.next = u16::MAX;
        }
        Some(blobs)
    }
}

/// Everything that is in no place of the layout.
pub(super) struct Strays {
    layout: Layout,
    /// The folder that is being read; the top comes first.
    reading: Option<(Option<u8>, ReadDir)>,
    next: u16,
    is_started: bool,
}

impl Strays {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            reading: None,
            next: 0,
            is_started: false,
        }
    }

    /// Opens the next folder that is there; `false` after the last.
    fn open_next(&mut self) -> Result<bool, BlobError> {
        if !self.is_started {
            self.is_started = true;
            self.layout.check()?;
            let top = read_folder(self.layout.root())?;
            self.reading = top.map(|entries| (None, entries));
        }
        while self.reading.is_none() {
            let Ok(first_byte) = u8::try_from(self.next) else {
                return Ok(false);
            };
            self.next += 1;
            let folder = read_folder(&self.layout.root().join(shard_name(first_byte)))?;
            self.reading = folder.map(|entries| (Some(first_byte), entries));
        }
        Ok(true)
    }

    fn find_next(&mut self) -> Result<Option<Stray>, BlobError> {
        while self.open_next()? {
            let Some((place, entries)) = &mut self.reading else {
                continue;
            };
            let root = self.layout.root();
            let folder = place.map_or_else(|| root.to_owned(), |byte| root.join(shard_name(byte)));
            let Some(entry) = entries.next() else {
                self.reading = None;
                continue;
            };
            let entry = entry.at(&folder)?;
            let kind = match (*place, entry.file_type()) {
                (_, Err(error)) if error.kind() == ErrorKind::NotFound => None,
                (_, Err(error)) => return Err(BlobError::from_io(&entry.path(), error)),
                (None, Ok(kind)) => stray_at_the_top(&self.layout, &entry.file_name(), kind),
                (Some(first_byte), Ok(kind)) => {
                    stray_among_blobs(&self.layout, &entry.file_name(), kind, first_byte)
                }
            };
            if let Some(kind) = kind {
                let path = entry.path();
                let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
                return Ok(Some(Stray { path, kind }));
            }
        }
        Ok(None)
    }
}

impl Iterator for Strays {
    type Item = Result<Stray, BlobError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.find_next().transpose()
    }
}

fn stray_at_the_top(layout: &Layout, name: &OsStr, kind: FileType) -> Option<StrayKind> {
    match name.to_str() {
        Some(layout::MARKER) if kind.is_file() => None,
        Some(own) if own != layout::MARKER && layout::is_own(own) && kind.is_dir() => None,
        _ if !kind.is_file() => Some(StrayKind::NotAFile),
        _ if layout.named_hash(name).is_some() => Some(StrayKind::Misplaced),
        _ => Some(StrayKind::Misnamed),
    }
}

fn stray_among_blobs(
    layout: &Layout,
    name: &OsStr,
    kind: FileType,
    first_byte: u8,
) -> Option<StrayKind> {
    match layout.named_hash(name) {
        _ if !kind.is_file() => Some(StrayKind::NotAFile),
        None => Some(StrayKind::Misnamed),
        Some(hash) if hash.as_bytes()[0] != first_byte => Some(StrayKind::Misplaced),
        Some(_) => None,
    }
}

/// The entries of a folder; `None` when it is missing or no folder.
fn read_folder(folder: &Path) -> Result<Option<ReadDir>, BlobError> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        entries => entries.at(folder).map(Some),
    }
}
