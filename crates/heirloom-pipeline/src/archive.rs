//! Which folders can be archives.

use std::{
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use heirloom_core::path;
use heirloom_db::{DbError, archive::Archive, family::Family};

use crate::{Context, original::Root, scan::has_files};

/// A folder that can be an archive, by its one true path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalRoot {
    path: PathBuf,
    archive: Option<Archive>,
}

/// Why a folder cannot be an archive. The message is for people; [`RootRefused::hint`] says what to
/// do.
#[derive(Debug, thiserror::Error)]
pub enum RootRefused {
    /// Nothing is there.
    #[error("there is no folder {}", .0.display())]
    Missing(PathBuf),
    /// It is there, and may not be looked into.
    #[error("the folder {} may not be read", .0.display())]
    Unreadable(PathBuf),
    /// No file is in it, although some were catalogued there: most likely a disk is not mounted.
    #[error("no file is in the folder {}, but some were catalogued there", .0.display())]
    Empty(PathBuf),
    /// It is something else.
    #[error("{} is a file and not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It is Heirloom's data folder or lies within it.
    #[error("{} is inside Heirloom's own data folder", .0.display())]
    InDataFolder(PathBuf),
    /// Heirloom's data folder lies within it.
    #[error("{} contains Heirloom's data folder {}", .path.display(), .data_folder.display())]
    HoldsDataFolder {
        /// The folder.
        path: PathBuf,
        /// What lies within it.
        data_folder: PathBuf,
    },
    /// It lies within an archive.
    #[error("{} is inside the archive {archive:?}", .path.display())]
    InArchive {
        /// The folder.
        path: PathBuf,
        /// That archive's name.
        archive: String,
    },
    /// An archive lies within it.
    #[error("{} contains the archive {archive:?}", .path.display())]
    HoldsArchive {
        /// The folder.
        path: PathBuf,
        /// That archive's name.
        archive: String,
    },
    /// The system says something else.
    #[error("the folder {} cannot be used: {source}", .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The folder in the data folder with the files of folder archives that a restore brought back.
const RESTORED: &str = "originals";

impl RootRefused {
    /// What a person can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => {
                Some("Check the path. Is the disk that it is on plugged in and mounted?")
            }
            Self::Unreadable(_) => Some(
                "Give the user that Heirloom runs as the right to read it and everything in it.",
            ),
            Self::Empty(_) => Some("Is the disk that it is on mounted?"),
            Self::NotAFolder(_) => Some("Name the folder that the file is in."),
            Self::InDataFolder(_) => {
                Some("Keep originals outside of the data folder, and name the folder they are in.")
            }
            Self::HoldsDataFolder { .. } => {
                Some("Move the data folder elsewhere, or name the folders beside it one by one.")
            }
            Self::InArchive { .. } => {
                Some("It is catalogued with that archive: scan the archive's own folder.")
            }
            Self::HoldsArchive { .. } => {
                Some("A file belongs to one archive: name folders that do not contain each other.")
            }
            Self::Io { .. } => None,
        }
    }
}

impl CanonicalRoot {
    /// The folder, without links or `..` on the way.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The archive whose root this is already.
    #[must_use]
    pub const fn archive(&self) -> Option<&Archive> {
        self.archive.as_ref()
    }

    /// The folder as path text, as the catalogue stores it.
    #[must_use]
    pub fn text(&self) -> String {
        path::to_text(self.path.as_os_str().as_bytes())
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

/// Decides whether a folder can be an archive beside those that there are. Naming the root of an
/// archive again is allowed and means that archive.
///
/// # Errors
/// [`RootRefused`]; nothing was changed.
pub fn check_root(
    path: &Path,
    data_folder: &Path,
    archives: &[Archive],
) -> Result<CanonicalRoot, RootRefused> {
    let refused = |error: io::Error| refused(path, error);
    let canonical = path.canonicalize().map_err(refused)?;
    Root::open(&canonical)
        .and_then(|root| root.open_folder("").map(drop))
        .map_err(refused)?;
    let path = canonical;
    let data_folder = data_folder
        .canonicalize()
        .unwrap_or_else(|_| data_folder.to_owned());
    // What a restore brought back lies there, and nobody else writes to it either.
    let is_restored = path.starts_with(data_folder.join(RESTORED))
        && path.components().count() > data_folder.components().count() + 1;
    if path.starts_with(&data_folder) && !is_restored {
        return Err(RootRefused::InDataFolder(path));
    }
    if data_folder.starts_with(&path) {
        return Err(RootRefused::HoldsDataFolder { path, data_folder });
    }
    for archive in archives {
        let Some(root) = root_of(archive) else {
            continue;
        };
        let name = || archive.name.clone();
        if root == path {
            let archive = Some(archive.clone());
            return Ok(CanonicalRoot { path, archive });
        }
        if path.starts_with(&root) {
            let archive = name();
            return Err(RootRefused::InArchive { path, archive });
        }
        if root.starts_with(&path) {
            let archive = name();
            return Err(RootRefused::HoldsArchive { path, archive });
        }
    }
    Ok(CanonicalRoot {
        path,
        archive: None,
    })
}

/// The archive of a folder, made if there is none yet. Without a `name` it is called like the folder,
/// with a number where that name is taken; a name for an archive that there is renames it.
///
/// # Errors
/// [`DbError::Denied`]; [`DbError::Refused`] when the given name is taken.
pub async fn get_or_create_archive(
    ctx: &Context,
    family: &Family,
    root: &CanonicalRoot,
    name: Option<&str>,
) -> Result<Archive, DbError> {
    if let Some(archive) = root.archive() {
        if let Some(name) = name.filter(|name| *name != archive.name) {
            ctx.db.rename_archive(&ctx.actor, archive.id, name).await?;
        }
        return ctx.db.get_archive(&ctx.actor, archive.id).await;
    }
    let mut number = 1;
    loop {
        let wanted = match (name, number) {
            (Some(name), _) => name.to_owned(),
            (None, 1) => root.name(),
            (None, number) => format!("{} ({number})", root.name()),
        };
        let text = root.text();
        match ctx
            .db
            .create_archive(&ctx.actor, family, &wanted, &text)
            .await
        {
            Err(DbError::Refused(_)) if name.is_none() && number < 1000 => number += 1,
            outcome => return outcome,
        }
    }
}

/// Looks whether an archive's folder is there, can be read, and has a file if files are known.
///
/// # Errors
/// [`RootRefused`]; the vault has no folder and is always there.
pub fn look_at_root(archive: &Archive) -> Result<(), RootRefused> {
    let Some(path) = root_of(archive) else {
        return Ok(());
    };
    let is_as_known = Root::open(&path)
        .and_then(|root| {
            root.open_folder("")?;
            Ok(archive.location_count == 0 || has_files(&root, "", None)?)
        })
        .map_err(|error| refused(&path, error))?;
    if is_as_known {
        Ok(())
    } else {
        Err(RootRefused::Empty(path))
    }
}

/// The folder of an archive; `None` for the vault.
pub(crate) fn root_of(archive: &Archive) -> Option<PathBuf> {
    path_of(archive.root.as_deref()?)
}

/// The archive that a path is in, if it is in one: nothing is ever written there.
#[must_use]
pub fn find_around<'a>(path: &Path, archives: &'a [Archive]) -> Option<&'a Archive> {
    let path = resolve(path);
    let mut archives = archives.iter();
    archives.find(|archive| root_of(archive).is_some_and(|root| path.starts_with(root)))
}

/// A path without links and `..`, as far as it exists.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let (Ok(found), Ok(rest)) = (existing.canonicalize(), path.strip_prefix(existing)) {
            return if rest.as_os_str().is_empty() {
                found
            } else {
                found.join(rest)
            };
        }
    }
    path.to_owned()
}

/// The path that path text stands for.
pub(crate) fn path_of(text: &str) -> Option<PathBuf> {
    let bytes = path::to_bytes(text)?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)))
}

pub(crate) fn refused(path: &Path, error: io::Error) -> RootRefused {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => RootRefused::Missing(path),
        io::ErrorKind::PermissionDenied => RootRefused::Unreadable(path),
        io::ErrorKind::NotADirectory => RootRefused::NotAFolder(path),
        _ => RootRefused::Io {
            path,
            source: error,
        },
    }
}
