//! Importing what an export wrote, or what other programs hand out, into an empty library or one that has something.
//!
//! Originals go into the vault and keep what is known of where they were. What is here stays as it is, and everything
//! is found again by its bytes or its id, so that an import that was killed is simply done once more.

mod bag;
mod bring;
mod foreign;
mod immich;
mod layout;
mod library;
mod note;
mod originals;
mod part;
mod plan;
mod record;
mod sidecars;
mod survey;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use heirloom_blobs::BlobError;
use heirloom_core::{AssetId, permission::Action};
use heirloom_db::{DbError, family::Family};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub use note::{ImportNote, NoteCode};

use crate::{
    Context,
    export::{Meter, Problem, Why, format::VERSION},
};

/// The pipeline's name in runs.
pub const PIPELINE: &str = "import";

/// What folders in the data folder begin with in which long originals lie until the store has them.
const WORKPLACE: &str = "import-";

/// How many assets one transaction brings in.
const AT_ONCE: usize = 64;
/// How many problems are told one by one.
const TOLD: usize = 1_000;

macro_rules! sources {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $label:literal;)*) => {
        /// Where something is imported from.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Source { $($(#[$doc])* $name,)* }

        impl Source {
            /// Every one of them.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The word for it in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it is called where it says where something was.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// What a word of the API stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|source| source.as_str() == word)
            }
        }
    };
}

sources! {
    /// What an export wrote.
    Export, "export", "Export";
    /// What Google hands out of Google Photos.
    Takeout, "takeout", "Google Photos";
    /// What Photos exports, and what Apple hands out of iCloud Photos.
    Apple, "apple", "Apple Photos";
    /// The folder of Immich's uploads.
    Immich, "immich", "Immich";
    /// `PhotoPrism`'s originals with its sidecars and albums.
    PhotoPrism, "photoprism", "PhotoPrism";
    /// Any folder.
    Folder, "folder", "Folder";
}

/// What is to be imported, looked at as far as is needed to say that it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// True paths: one folder of an export, or folders and archives of others.
    pub paths: Vec<PathBuf>,
    /// Where it is from, if that is said or certain; otherwise it is guessed by the names in it.
    pub source: Option<Source>,
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Where it was.
    pub folder: String,
    /// Where it is from: a [`Source`]'s word.
    pub source: String,
    /// Whether that was guessed.
    pub is_guessed: bool,
    /// Whether it was only looked what would be done.
    pub is_dry: bool,
    /// Files that there are.
    pub files: u64,
    /// Of an import from others: files that are originals and were read.
    pub originals: u64,
    /// Of these: those that have the same bytes as one before them.
    pub duplicates: u64,
    /// Assets that are new.
    pub added: u64,
    /// Assets that were known, and that something new is known of.
    pub completed: u64,
    /// Assets that were known with all of that.
    pub known: u64,
    /// Assets that were removed here for good before, and stay away.
    pub passed_over: u64,
    /// New assets that are hidden, because they lay in a trash.
    pub hidden: u64,
    /// Claims that are new.
    pub claims: u64,
    /// Collections that are new.
    pub collections: u64,
    /// Stacks that are new.
    pub stacks: u64,
    /// Of an import from others: files that describe originals.
    pub sidecars: u64,
    /// Files that describe something that is not here.
    pub sidecars_alone: u64,
    /// Originals that nothing describes, where the other program describes each.
    pub originals_alone: u64,
    /// Files that are left out: what the other program made for itself, and what is no original.
    pub left_out: u64,
    /// How much is to be known, although nothing is wrong with it.
    pub note_count: u64,
    /// The first of it.
    pub notes: Vec<ImportNote>,
    /// How much is not as it should be.
    pub problem_count: u64,
    /// The first of it.
    pub problems: Vec<Problem>,
}

/// Why an import did not begin, or could not go on. What was imported before stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing is there.
    #[error("there is nothing at {}", .0.display())]
    Missing(PathBuf),
    /// It is Heirloom's own.
    #[error("{} lies in Heirloom's own data folder", .0.display())]
    InDataFolder(PathBuf),
    /// It is something else, or not whole.
    #[error("{} is no export: {why}", .path.display())]
    NotAnExport {
        /// The folder.
        path: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// A newer version wrote it.
    #[error("the export has version {found}, and {VERSION} is the newest that is known here")]
    Newer {
        /// Its version.
        found: u32,
    },
    /// It cannot be opened.
    #[error("{} cannot be imported: {why}", .path.display())]
    Unreadable {
        /// What was named.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The data folder's disk failed or is full.
    #[error("what comes in cannot be stored: {0}")]
    Disk(#[source] std::io::Error),
    /// Somebody stopped it.
    #[error("the import was stopped")]
    Cancelled,
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store of bytes failed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl ImportError {
    /// What a person can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => {
                Some("Check the path. Is the disk that it is on plugged in and mounted?")
            }
            Self::InDataFolder(_) => Some("Name what another program handed out, or an export."),
            Self::NotAnExport { .. } => Some(
                "Name the folder that has bagit.txt in it. An export that was interrupted is finished by exporting \
                 there again.",
            ),
            Self::Newer { .. } => Some("Import it with a newer Heirloom."),
            Self::Unreadable { .. } => {
                Some("Name a folder, or a .zip or .tgz as Google and Apple hand them out.")
            }
            Self::Disk(_) => {
                Some("See that there is space; importing it again goes on where this ended.")
            }
            Self::Cancelled => Some("Importing it again goes on where this ended."),
            Self::Db(_) | Self::Blobs(_) => None,
        }
    }
}

impl Report {
    fn problem(&mut self, asset: Option<AssetId>, name: &str, why: Why) {
        self.problem_count += 1;
        if self.problems.len() < TOLD {
            self.problems.push(Problem {
                asset_id: asset,
                name: name.to_owned(),
                why,
            });
        }
    }

    fn note(&mut self, note: ImportNote) {
        self.note_count += 1;
        if self.notes.len() < TOLD {
            self.notes.push(note);
        }
    }
}

/// Whether something can be imported. Its files are not compared or read yet.
///
/// # Errors
/// [`ImportError`].
pub async fn check_import(
    ctx: &Context,
    paths: &[PathBuf],
    source: Option<Source>,
) -> Result<Checked, ImportError> {
    ctx.actor
        .require_operator(Action::ManageArchive)
        .map_err(DbError::from)?;
    let (paths, data_folder) = (paths.to_vec(), ctx.data_folder.clone());
    blocking(move || look_at_import(&paths, source, &data_folder)).await
}

/// The same without a library, for one that does not exist yet.
///
/// # Errors
/// [`ImportError`].
pub fn look_at_import(
    paths: &[PathBuf],
    source: Option<Source>,
    data_folder: &Path,
) -> Result<Checked, ImportError> {
    let data_folder = data_folder
        .canonicalize()
        .unwrap_or_else(|_| data_folder.to_owned());
    let is_export = match source {
        Some(source) => source == Source::Export,
        None => paths.iter().any(|path| library::is_bag(path)),
    };
    if is_export {
        return match paths {
            [folder] => Ok(Checked {
                paths: vec![library::check(folder)?],
                source: Some(Source::Export),
            }),
            _ => Err(ImportError::NotAnExport {
                path: paths.first().cloned().unwrap_or_default(),
                why: "exports are imported one at a time".to_owned(),
            }),
        };
    }
    let unreadable = |path: &Path, why: String| ImportError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let mut found = Vec::new();
    for path in paths {
        let there = path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ImportError::Missing(path.clone()),
            _ => unreadable(path, error.to_string()),
        })?;
        if there.starts_with(&data_folder) {
            return Err(ImportError::InDataFolder(path.clone()));
        }
        part::Part::open(&there).map_err(|error| unreadable(path, error.to_string()))?;
        if !found.contains(&there) {
            found.push(there);
        }
    }
    if found.is_empty() {
        return Err(unreadable(Path::new(""), "nothing is named".to_owned()));
    }
    Ok(Checked {
        paths: found,
        source,
    })
}

/// Imports what [`check_import`] gave, or (`is_dry`) says what that would do.
///
/// # Errors
/// [`ImportError`]. What was imported before stays, and is not imported again.
pub async fn import(
    ctx: &Context,
    family: &Family,
    what: &Checked,
    is_dry: bool,
    stop: &CancellationToken,
    meter: &Arc<Meter>,
) -> Result<Report, ImportError> {
    match (what.source, what.paths.as_slice()) {
        (Some(Source::Export), [folder]) => {
            library::import(ctx, family, folder, is_dry, stop, meter).await
        }
        (source, paths) => foreign::import(ctx, family, (paths, source), is_dry, stop, meter).await,
    }
}

/// Removes what imports left in the data folder that were killed. None may be under way.
pub fn remove_left_over(data_folder: &Path) {
    crate::workshop::remove_folders(data_folder, WORKPLACE);
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    tokio::task::spawn_blocking(act)
        .await
        .map_err(|_| ImportError::Cancelled)?
}
