//! One of several threads that restore files.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use heirloom_blobs::{BlobStore as _, FolderStore};
use heirloom_core::ContentHash;
use rustic_core::repofile::Node;

use super::{BackupError, Done, From, NOT_WHOLE, SourceFile, at, make_folder, system_time};

/// Blobs that are smaller are put together.
const SMALL_BYTES: u64 = 1 << 20;
const TOGETHER: usize = 256;
const TOGETHER_BYTES: u64 = 8 << 20;

/// One of several threads that restore.
pub(super) struct Hand<'a> {
    pub(super) from: &'a From,
    pub(super) store: &'a FolderStore,
    pub(super) scratch: &'a Path,
    pub(super) originals: &'a Path,
    pub(super) by_path: &'a HashMap<&'a Path, &'a SourceFile>,
    pub(super) done: &'a Mutex<Done>,
    pub(super) is_going_on: bool,
}

pub(super) type Next<'a> = &'a (dyn Fn() -> Option<Result<(PathBuf, Node), BackupError>> + Sync);

impl Hand<'_> {
    pub(super) fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn restore_originals(&self, next: Next<'_>) -> Result<(), BackupError> {
        while let Some(found) = next() {
            let (inner, node) = found?;
            // What the catalogue does not know was not put there by a backup.
            let Some(file) = self.by_path.get(inner.as_path()) else {
                continue;
            };
            let path = self.originals.join(&inner);
            let is_there = self.is_going_on && is_as_stored(&path, &node);
            if !is_there {
                if let Some(parent) = path.parent() {
                    make_folder(parent)?;
                }
                match self.from.write(&node, &path, Some(file.known.content_hash)) {
                    Ok(length) => self.done().bytes += length,
                    Err(BackupError::Damaged(_)) => {
                        let mut done = self.done();
                        done.lacks(inner.display().to_string(), NOT_WHOLE);
                        done.paths.insert(inner);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            let found = fs::metadata(&path).map_err(at(&path))?;
            let ns = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000) + rest;
            let times = (
                file.known.id,
                ns(found.mtime(), found.mtime_nsec()),
                ns(found.ctime(), found.ctime_nsec()),
            );
            let mut done = self.done();
            done.files.entry(file.root).or_default().push(times);
            done.paths.insert(inner);
            drop(done);
            self.from.progress.file();
        }
        Ok(())
    }

    pub(super) fn restore_blobs(&self, number: usize, next: Next<'_>) -> Result<(), BackupError> {
        let (mut together, mut length) = (Vec::new(), 0);
        while let Some(found) = next() {
            let (inner, node) = found?;
            let name = inner
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Ok(hash) = name.parse::<ContentHash>() else {
                continue;
            };
            self.from.progress.file();
            if self.is_going_on {
                let there = self.from.runtime.block_on(self.store.stat(hash));
                if there.is_ok_and(|there| there.size_bytes == node.meta.size) {
                    self.done().blobs.insert(hash);
                    continue;
                }
            }
            if node.meta.size >= SMALL_BYTES {
                let path = self.scratch.join(format!("blob-{number}"));
                let written = match self.from.write(&node, &path, Some(hash)) {
                    Ok(written) => written,
                    Err(BackupError::Damaged(_)) => {
                        self.lack_blob(hash);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let put = self.store.put_file(&path, Some(hash));
                self.from.runtime.block_on(put)?;
                let _ = fs::remove_file(&path);
                let mut done = self.done();
                done.blobs.insert(hash);
                done.bytes += written;
                continue;
            }
            let mut bytes = Vec::new();
            let poured = self.from.pour(&node, name, |part| {
                bytes.extend_from_slice(part);
                Ok(())
            });
            match poured {
                Ok(()) if blake3::hash(&bytes).as_bytes() == hash.as_bytes() => {}
                Ok(()) | Err(BackupError::Damaged(_)) => {
                    self.lack_blob(hash);
                    continue;
                }
                Err(error) => return Err(error),
            }
            length += bytes.len() as u64;
            together.push((hash, Bytes::from(bytes)));
            if together.len() >= TOGETHER || length >= TOGETHER_BYTES {
                self.put_together(std::mem::take(&mut together))?;
                length = 0;
            }
        }
        self.put_together(together)
    }

    fn lack_blob(&self, hash: ContentHash) {
        let mut done = self.done();
        done.lacks(hash.to_string(), NOT_WHOLE);
        done.damaged_blobs.insert(hash);
    }

    fn put_together(&self, together: Vec<(ContentHash, Bytes)>) -> Result<(), BackupError> {
        let bytes = together.iter().map(|(_, bytes)| bytes.clone()).collect();
        self.from.runtime.block_on(self.store.put_many(bytes))?;
        let mut done = self.done();
        for (hash, bytes) in together {
            done.blobs.insert(hash);
            done.bytes += bytes.len() as u64;
        }
        Ok(())
    }
}

/// Whether a file is there that an earlier attempt wrote to its end: its time comes last.
fn is_as_stored(path: &Path, node: &Node) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else {
        return false;
    };
    let modified = node
        .meta
        .mtime
        .map(|time| system_time(time.as_nanosecond()));
    found.is_file() && found.len() == node.meta.size && found.modified().ok() == modified
}
