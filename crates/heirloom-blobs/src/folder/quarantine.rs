//! Moves what does not belong among the blobs out of their way, and deletes it only when its blob is to
//! be gone.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use heirloom_core::ContentHash;

use super::{
    layout::{Layout, found, make_folder, sync_folder},
    lock::ShardLock,
    stored,
};
use crate::{BlobError, Stray, error::At, seal::Form};

/// Moves a blob aside if its bytes are wrong.
pub(super) fn set_aside(layout: &Layout, hash: ContentHash) -> Result<bool, BlobError> {
    // Read under the lock: rare enough to let puts into this folder wait, and nobody can put the
    // right bytes between the look and the move.
    let _lock = ShardLock::take(layout, hash)?;
    let Some(found) = stored::find(layout, hash)? else {
        return Ok(false);
    };
    let path = found.path.clone();
    match found.blob(layout, hash).and_then(|blob| blob.hash()) {
        Ok(actual) if actual == hash => return Ok(false),
        // It may be sound: nobody here can tell.
        Err(error @ BlobError::NoKey { .. }) => return Err(error),
        _ => {}
    }
    move_aside(layout, &path)?;
    sync_folder(&layout.shard(hash))?;
    Ok(true)
}

/// Deletes what was set aside under the name of a blob, and the numbered folders that it was in.
pub(super) fn delete_set_aside(layout: &Layout, hash: ContentHash) -> Result<u64, BlobError> {
    let quarantine = layout.quarantine();
    let Some(entries) = found(fs::read_dir(&quarantine), &quarantine)? else {
        return Ok(0);
    };
    let mut deleted = 0;
    for entry in entries {
        let folder = entry.at(&quarantine)?.path();
        for form in [Form::Plain, Form::Sealed] {
            let aside = folder.join(form.name(hash));
            // Something that is no file has no bytes of a blob.
            if fs::symlink_metadata(&aside).is_ok_and(|found| found.is_file())
                && stored::remove(&aside)?
            {
                sync_folder(&folder)?;
                deleted += 1;
                // It was made for this; should somebody have put more there, it stays.
                let _ = fs::remove_dir(&folder);
            }
        }
    }
    Ok(deleted)
}

/// Moves a stray aside.
pub(super) fn set_stray_aside(layout: &Layout, stray: &Stray) -> Result<bool, BlobError> {
    let path = layout.root().join(&stray.path);
    if !stray
        .path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        let outside = io::Error::new(io::ErrorKind::InvalidInput, "the path leaves the store");
        return Err(BlobError::from_io(&path, outside));
    }
    if found(fs::symlink_metadata(&path), &path)?.is_none() {
        return Ok(false);
    }
    move_aside(layout, &path)?;
    sync_folder(path.parent().unwrap_or(layout.root()))?;
    Ok(true)
}

/// Moves anything into a new numbered folder in `quarantine/`, where it keeps its own name, and
/// says where it is now.
pub(super) fn move_aside(layout: &Layout, path: &Path) -> Result<PathBuf, BlobError> {
    let quarantine = layout.quarantine();
    make_folder(&quarantine)?;
    let mut number = highest_number(&quarantine)? + 1;
    let folder = loop {
        let folder = quarantine.join(number.to_string());
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            result => {
                result.at(&folder)?;
                break folder;
            }
        }
    };
    let aside = folder.join(path.file_name().unwrap_or_default());
    fs::rename(path, &aside).at(path)?;
    sync_folder(&folder)?;
    sync_folder(&quarantine)?;
    Ok(aside)
}

fn highest_number(quarantine: &Path) -> Result<u64, BlobError> {
    let mut highest = 0;
    for entry in fs::read_dir(quarantine).at(quarantine)? {
        let name = entry.at(quarantine)?.file_name();
        highest = name
            .to_str()
            .and_then(|name| name.parse().ok())
            .unwrap_or(0)
            .max(highest);
    }
    Ok(highest)
}
