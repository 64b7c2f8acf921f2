//! One file of a blob in its place.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use heirloom_core::ContentHash;
use rustix::{
    fs::{OFlags, Timespec, Timestamps, UTIME_NOW, futimens},
    io::Errno,
};

use super::layout::{Layout, found};
use crate::{
    BlobError, BlobStat,
    error::At,
    seal::{BlobFile, Form},
};

/// A blob's file as it was found.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) form: Form,
}

impl Found {
    /// The bytes in it.
    pub(super) fn blob(self, layout: &Layout, hash: ContentHash) -> Result<BlobFile, BlobError> {
        BlobFile::new(self.path, self.file, hash, self.form, layout.sealing())
    }

    pub(super) fn identity(&self) -> Result<Identity, BlobError> {
        Ok(Identity::of(&self.file.metadata().at(&self.path)?))
    }
}

/// Opens the file of a blob for reading, in whatever form it is; `None` when there is none, or something that is no
/// file.
pub(super) fn find(layout: &Layout, hash: ContentHash) -> Result<Option<Found>, BlobError> {
    for &form in layout.forms() {
        let path = layout.blob(hash, form);
        if let Some(file) = open(&path)? {
            return Ok(Some(Found { path, file, form }));
        }
    }
    Ok(None)
}

/// Opens a file for reading; `None` when there is none, or something that is no file.
pub(super) fn open(path: &Path) -> Result<Option<File>, BlobError> {
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
pub(super) fn stat(layout: &Layout, hash: ContentHash) -> Result<Option<BlobStat>, BlobError> {
    for &form in layout.forms() {
        let path = layout.blob(hash, form);
        let metadata = found(fs::symlink_metadata(&path), &path)?.filter(Metadata::is_file);
        if let Some(metadata) = metadata {
            return Ok(Some(BlobStat {
                hash,
                size_bytes: form.plain_bytes(metadata.len()),
                last_put_ms: metadata.mtime() * 1_000 + metadata.mtime_nsec() / 1_000_000,
            }));
        }
    }
    Ok(None)
}

/// Removes a blob in every form; `false` when there was none.
pub(super) fn remove_all(layout: &Layout, hash: ContentHash) -> Result<bool, BlobError> {
    let mut was_there = false;
    for form in [Form::Plain, Form::Sealed] {
        was_there |= remove(&layout.blob(hash, form))?;
    }
    Ok(was_there)
}

/// Removes a file; `false` when there was none.
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
    /// The blob, every byte of it, and where it lies.
    Sound(PathBuf, File),
    /// Anything else, and where.
    Wrong(PathBuf, Identity),
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
pub(super) fn look(
    layout: &Layout,
    hash: ContentHash,
    size_bytes: u64,
) -> Result<Standing, BlobError> {
    let found = loop {
        if let Some(found) = find(layout, hash)? {
            break found;
        }
        match find_anything(layout, hash)? {
            None => return Ok(Standing::Nothing),
            // It came between the two looks.
            Some((_, metadata)) if metadata.is_file() => {}
            Some((path, metadata)) => return Ok(Standing::Wrong(path, Identity::of(&metadata))),
        }
    };
    let (path, identity) = (found.path.clone(), found.identity()?);
    let file = found.file.try_clone().at(&path)?;
    // A file that cannot be read is as wrong as one with other bytes.
    let is_sound = found.blob(layout, hash).is_ok_and(|blob| {
        blob.size_bytes() == size_bytes && matches!(blob.hash(), Ok(read) if read == hash)
    });
    Ok(if is_sound {
        Standing::Sound(path, file)
    } else {
        Standing::Wrong(path, identity)
    })
}

/// Whatever has the name of a blob, links not followed.
pub(super) fn find_anything(
    layout: &Layout,
    hash: ContentHash,
) -> Result<Option<(PathBuf, Metadata)>, BlobError> {
    for &form in layout.forms() {
        let path = layout.blob(hash, form);
        if let Some(metadata) = found(fs::symlink_metadata(&path), &path)? {
            return Ok(Some((path, metadata)));
        }
    }
    Ok(None)
}
