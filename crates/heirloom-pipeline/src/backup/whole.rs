//! Whether a repository has the packs that its index names: one that was not copied to its end has not.

use std::collections::HashMap;

use rustic_core::{
    FileType, Id,
    repofile::{IndexFile, SnapshotId},
};

use super::{
    BackupError, objects,
    repository::{Opened, explain_io, find_wrong_name},
};

/// What to do about a repository that lacks something.
pub(super) const COPY_AGAIN: &str =
    "If it was copied here, copy it again to its end; otherwise back up into a new one";

/// Refuses a repository to which nothing may be added and of which nothing may be removed: a backup leaves out what the
/// index names, as if it were there, and a prune takes for unneeded what belongs to an index that is not there yet.
///
/// # Errors
/// [`BackupError::Damaged`], which says what is lacking.
pub(super) fn require_whole(opened: &Opened) -> Result<(), BackupError> {
    let packs = opened.door.objects().list(FileType::Pack);
    let packs = packs.map_err(|error| explain_io(&opened.location, &error))?;
    let there: HashMap<Id, u32> = packs.into_iter().collect();
    let index = opened.repository.stream_files::<IndexFile>();
    let index = index.map_err(|error| unreadable_index(opened, &error))?;
    let (mut named, mut lacking, mut first) = (0_u64, 0_u64, None);
    for file in index {
        let (_, file) = file.map_err(|error| unreadable_index(opened, &error))?;
        for pack in file.packs {
            named += 1;
            if there.get(&*pack.id) != Some(&pack.pack_size()) {
                lacking += 1;
                first.get_or_insert_with(|| objects::path(FileType::Pack, &pack.id));
            }
        }
    }
    match first {
        None => Ok(()),
        Some(first) => Err(BackupError::Damaged(format!(
            "of {named} objects that its index names, {lacking} are not there or not whole, such as {first}. {COPY_AGAIN}"
        ))),
    }
}

/// Whether there are packs and no snapshot at all: the first backup was interrupted, or the copying.
///
/// # Errors
/// [`BackupError`].
pub(super) fn has_lost_snapshots(opened: &Opened) -> Result<bool, BackupError> {
    let snapshots = opened.repository.list::<SnapshotId>();
    let snapshots = snapshots.map_err(|error| opened.explain(&error))?.count();
    let packs = opened.door.objects().list(FileType::Pack);
    let packs = packs.map_err(|error| explain_io(&opened.location, &error))?;
    Ok(snapshots == 0 && !packs.is_empty())
}

fn unreadable_index(opened: &Opened, error: &rustic_core::RusticError) -> BackupError {
    find_wrong_name(&opened.door, FileType::Index)
        .map_or_else(|| opened.explain(error), BackupError::Damaged)
}
