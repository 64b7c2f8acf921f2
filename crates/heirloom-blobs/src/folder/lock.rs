//! One at a time changes a folder of blobs, among threads and processes.

use std::{
    fs::{File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
};

use heirloom_core::ContentHash;

use super::layout::Layout;
use crate::{BlobError, error::At};

/// Held while a blob of the folder is renamed into place, renewed or deleted; freed when dropped or
/// when the process dies. Nothing slow is done under it.
pub(super) struct ShardLock {
    _file: File,
}

impl ShardLock {
    /// Waits for the lock of the folder in which this blob is.
    pub(super) fn take(layout: &Layout, hash: ContentHash) -> Result<Self, BlobError> {
        let path = layout.lock(hash);
        // Opened anew each time: `flock` belongs to the opening, so threads exclude one another too.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .at(&path)?;
        loop {
            match file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.at(&path).map(|()| Self { _file: file }),
            }
        }
    }
}
