//! One file of a blob in its place.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use heirloom_core::ContentHash;
use rustix::{
    fs::{OFlags, Timespec, Timestamps, UTIME_NOW, futimens},
    io::Errno,
};

use super::{READ_BYTES, layout::found};
use crate::{BlobError, BlobStat, error::At};

/// Opens the file of a blob for reading; `None` when there is none, or something that is no file.
pub(super) fn find(path: &Path) -> Result<Option<File>, BlobError> {
    // Neither a link nor a pipe that somebody put here may lead or hold us elsewhere.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => return Ok(None),
        opened => found(opened, path)?,
    };
    match file {
        Some(file) if file.metadata().at(path)?.is_file() => Ok(Some(file)),
        _ => Ok(None),
    }
}

/// Length and age of a blob; `None` when there is none, or something that is no file.
pub(super) fn stat(path: &Path, hash: ContentHash) -> Result<Option<BlobStat>, BlobError> {
    let metadata = found(fs::symlink_metadata(path), path)?.filter(Metadata::is_file);
    Ok(metadata.map(|metadata| BlobStat {
        hash,
        size_bytes: metadata.len(),
        last_put_ms: metadata.mtime() * 1_000 + metadata.mtime_nsec() / 1_000_000,
    }))
}

/// Removes a blob; `false` when there was none.
pub(super) fn remove(path: &Path) -> Result<bool, BlobError> {
    Ok(found(fs::remove_file(path), path)?.is_some())
}

/// Makes a blob as young as one that is put now, by the clock of the operating system.
pub(super) fn renew(file: &File) -> rustix::io::Result<()> {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    futimens(
        file,
        &Timestamps {
            last_access: now,
            last_modification: now,
        },
    )
}

/// What stands at the place of a blob.
pub(super) enum Standing {
    Nothing,
    /// The blob, every byte of it.
    Sound(File),
    /// Anything else.
    Wrong(Identity),
}

/// Tells a file from another one that took its place.
#[derive(PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Whatever is at this path now, links not followed.
    pub(super) fn at(path: &Path) -> Result<Option<Self>, BlobError> {
        Ok(found(fs::symlink_metadata(path), path)?.map(|metadata| Self::of(&metadata)))
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// Reads what stands at the place of a blob of this length.
pub(super) fn look(path: &Path, hash: ContentHash, size_bytes: u64) -> Result<Standing, BlobError> {
    let mut file = loop {
        if let Some(file) = find(path)? {
            break file;
        }
        match found(fs::symlink_metadata(path), path)? {
            None => return Ok(Standing::Nothing),
            // It came between the two looks.
            Some(metadata) if metadata.is_file() => {}
            Some(metadata) => return Ok(Standing::Wrong(Identity::of(&metadata))),
        }
    };
    let metadata = file.metadata().at(path)?;
    // A file that cannot be read is as wrong as one with other bytes.
    let is_sound =
        metadata.len() == size_bytes && matches!(hash_file(&mut file), Ok(read) if read == hash);
    Ok(if is_sound {
        Standing::Sound(file)
    } else {
        Standing::Wrong(Identity::of(&metadata))
    })
}

/// The hash of the rest of a file.
pub(super) fn hash_file(file: &mut File) -> io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(ContentHash::from_bytes(hasher.finalize().into())),
            Ok(length) => {
                hasher.update(&buffer[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
