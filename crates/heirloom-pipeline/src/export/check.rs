//! Where an export may be written.

use std::{
    io,
    path::{Path, PathBuf},
};

use heirloom_core::{FamilyId, permission::Action};
use heirloom_db::{DbError, family::Family};

use super::{
    ExportError,
    bag::written,
    format::{LIBRARY, LibraryRecord},
    unfinished::UNFINISHED,
};
use crate::{Context, archive::root_of};

/// What systems leave in the root of a disk; a folder with nothing else is empty.
const LEFTOVERS: [&str; 8] = [
    "lost+found",
    "System Volume Information",
    "$RECYCLE.BIN",
    ".Spotlight-V100",
    ".Trashes",
    ".fseventsd",
    ".DS_Store",
    "Thumbs.db",
];

/// Decides whether an export can be written to a folder, and gives its one true path. Nothing is changed.
///
/// # Errors
/// [`ExportError`].
pub async fn check_export(
    ctx: &Context,
    family: &Family,
    folder: &Path,
) -> Result<PathBuf, ExportError> {
    let path = check_place(ctx, family, folder).await?;
    let id = family.id;
    let looking = tokio::task::spawn_blocking({
        let path = path.clone();
        move || look_at(&path, id)
    });
    looking
        .await
        .map_err(|error| written(&path, io::Error::other(error)))??;
    Ok(path)
}

/// Decides whether anything may be written at a path, and gives the one true path: not where originals are, nor in the
/// data folder.
///
/// # Errors
/// [`ExportError`].
pub(crate) async fn check_place(
    ctx: &Context,
    family: &Family,
    path: &Path,
) -> Result<PathBuf, ExportError> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(DbError::from)?;
    let path = true_path(path);
    let forbidden = |what: String| ExportError::Forbidden {
        path: path.clone(),
        what,
    };
    if path.starts_with(&ctx.data_folder) {
        return Err(forbidden("the data folder".to_owned()));
    }
    for archive in ctx.db.list_archives(&ctx.actor, family.id).await? {
        if root_of(&archive).is_some_and(|root| path.starts_with(root)) {
            return Err(forbidden(format!("the archive {:?}", archive.name)));
        }
    }
    Ok(path)
}

/// The path without links and `..`, as far as it exists.
fn true_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for existing in absolute.ancestors() {
        if let Ok(found) = existing.canonicalize() {
            let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() {
                found
            } else {
                found.join(rest)
            };
        }
    }
    absolute
}

/// Whether the folder is empty, or an export of this family.
fn look_at(path: &Path, family: FamilyId) -> Result<(), ExportError> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(ExportError::NotAFolder(path.to_owned()));
        }
        Err(error) => return Err(written(path, error)),
    };
    let mut is_empty = true;
    for entry in entries {
        let name = entry.map_err(|error| written(path, error))?.file_name();
        let name = name.to_string_lossy();
        is_empty &= name == UNFINISHED || LEFTOVERS.contains(&name.as_ref());
    }
    // In this order: whoever finishes just now has the second before the first is gone.
    for place in ["unfinished/library.json", LIBRARY] {
        let Ok(text) = std::fs::read(path.join(place)) else {
            continue;
        };
        let known: Option<LibraryRecord> = serde_json::from_slice(&text).ok();
        if known.is_some_and(|library| library.family_id == family) {
            return Ok(());
        }
        is_empty = false;
    }
    match is_empty {
        true => Ok(()),
        false => Err(ExportError::NotEmpty(path.to_owned())),
    }
}
