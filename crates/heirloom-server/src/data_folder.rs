//! The data folder: everything that Heirloom keeps on this machine.
//!
//! | name | what it is |
//! |---|---|
//! | `lock` | held by the one process that works here; says which |
//! | `catalogue.db` | the catalogue, unless that is in PostgreSQL |
//! | `library` | which library's catalogue goes with this folder |
//! | `blobs/` | what was derived and is too large for the catalogue |
//! | `uploads/` | what has come of files that are being handed over |
//! | `encryption.json` | the keys of the blobs, wrapped by the master key, if they are encrypted |
//! | `scratch/` | plain bytes of an encrypted blob while a program works on them; nothing has a name there |
//! | `models/` | what abilities need, unless it is kept elsewhere |
//! | `reports/` | what scans found, a line for each file |
//! | `socket` | where commands find a running server |
//! | `originals/` | files of folder archives that a restore brought back |
//! | `backup.key` | the key of the backups |
//! | `config.toml` | what the operator decided |

mod lock;

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use heirloom_blobs::KeyFile;
use heirloom_core::FamilyId;
use heirloom_pipeline::backup::is_half_restored;
use lock::Lock;

use crate::problem::{Code, Problem};

/// A data folder that this process holds. Dropping it lets it go.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    made: Vec<PathBuf>,
    _lock: Lock,
}

/// What marks a folder as one of ours.
const MARKS: [&str; 4] = ["lock", "catalogue.db", "blobs", "store"];
/// What the operator may have put there before.
const OPERATORS_OWN: [&str; 2] = ["config.toml", "lost+found"];

impl DataFolder {
    /// Takes the folder for this process; with `is_creating` it is made if it is not there.
    ///
    /// # Errors
    /// `no_library`, `not_a_library`, `in_use`, `read_only`, `no_space`; nothing was changed then.
    pub(crate) fn open(path: &Path, is_creating: bool) -> Result<Self, Problem> {
        if is_half_restored(path) {
            return Err(Problem::new(
                Code::Refused,
                format!("a restore into {} has not come to its end", path.display()),
            )
            .hint("Run the same `heirloom restore` again: it goes on where it was."));
        }
        let state = look_at(path)?;
        if state != State::Ours && !is_creating {
            return Err(no_library(path));
        }
        let mut made = Vec::new();
        if state == State::Missing {
            made = missing_parts(path);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|error| explain(path, error))?;
        }
        // Absolute and without links, so that it can be compared with the roots of archives.
        let found = path.canonicalize().map_err(|error| explain(path, error));
        let locked = found.and_then(|path| Lock::take(&path).map(|lock| (path, lock)));
        match locked {
            Ok((path, lock)) => Ok(Self {
                path,
                made: if state == State::Ours {
                    Vec::new()
                } else {
                    made
                },
                _lock: lock,
            }),
            Err(problem) => {
                remove_empty(&made);
                Err(problem)
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn catalogue(&self) -> PathBuf {
        self.path.join("catalogue.db")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// Compares the family of the catalogue with the one that this folder has been of since it was made. With the
    /// catalogue of another library, what is kept here would be known to nobody.
    ///
    /// # Errors
    /// `damaged` when it is another; what the disk says.
    pub(crate) fn belong(&self, family: FamilyId) -> Result<(), Problem> {
        let path = self.path.join("library");
        match fs::read_to_string(&path) {
            Ok(known) if known.trim() == family.to_string() => Ok(()),
            Ok(_) => Err(Problem::new(
                Code::Damaged,
                format!("the catalogue is not the one of the library in {}", self.path.display()),
            )
            .hint(
                "Put the right one in its place, or name its database with --database: `heirloom restore` makes it \
                 of a backup. Nothing was changed.",
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let partial = self.path.join("library.partial");
                let noted = fs::write(&partial, format!("{family}\n"))
                    .and_then(|()| fs::File::open(&partial)?.sync_all())
                    .and_then(|()| fs::rename(&partial, &path));
                noted.map_err(|error| explain(&path, error))
            }
            Err(error) => Err(explain(&path, error)),
        }
    }

    /// Says where the blobs are, if they are elsewhere.
    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Copies of blobs that are elsewhere.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    /// The keys of the blobs, wrapped, if they are encrypted.
    pub(crate) fn encryption(&self) -> PathBuf {
        self.path.join(KeyFile::NAME)
    }

    /// How far the sealing of blobs is.
    pub(crate) fn sealing(&self) -> PathBuf {
        self.path.join("encryption.progress")
    }

    /// Files without a name, for what is worked on.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.path.join("scratch")
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.path.join("uploads")
    }

    pub(crate) fn reports(&self) -> PathBuf {
        self.path.join("reports")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path.join("socket")
    }

    /// Takes back that a folder was made for a library that could not be.
    pub(crate) fn abandon(self) {
        if !self.made.is_empty() {
            let _ = fs::remove_file(self.path.join("lock"));
            remove_empty(&self.made);
        }
    }
}

/// Where a library is asked for that was never made, or not to its end.
pub(crate) fn no_library(path: &Path) -> Problem {
    Problem::new(
        Code::NoLibrary,
        format!("there is no library in {}", path.display()),
    )
    .hint("Make one with `heirloom scan FOLDER`, or name its folder with --data.")
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Missing,
    Empty,
    Ours,
}

fn look_at(path: &Path) -> Result<State, Problem> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Problem::new(
                Code::NotALibrary,
                format!("{} is a file, not a folder", path.display()),
            )
            .hint("Name the data folder with --data."));
        }
        Err(error) => return Err(explain(path, error)),
    };
    let mut is_empty = true;
    for entry in entries {
        let name = entry.map_err(|error| explain(path, error))?.file_name();
        if MARKS.iter().any(|mark| name == *mark) {
            return Ok(State::Ours);
        }
        is_empty &= OPERATORS_OWN.iter().any(|own| name == *own);
    }
    if is_empty {
        return Ok(State::Empty);
    }
    Err(Problem::new(
        Code::NotALibrary,
        format!("{} is no library: other files are in it", path.display()),
    )
    .hint("Name an empty folder, or one that does not exist yet, with --data."))
}

/// Which folders of a path are not there, the outermost first.
fn missing_parts(path: &Path) -> Vec<PathBuf> {
    let missing = path
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && matches!(part.try_exists(), Ok(false)));
    let mut parts: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    parts.reverse();
    parts
}

fn remove_empty(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// What the operating system says of the data folder, for people.
pub(crate) fn explain(path: &Path, error: io::Error) -> Problem {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Problem::new(
            Code::NoSpace,
            format!("no space is left on the disk that holds the data folder {shown}"),
        )
        .hint("Free some space, then try again: nothing is half stored."),
        io::ErrorKind::ReadOnlyFilesystem => Problem::new(
            Code::ReadOnly,
            format!("the data folder {shown} is on a read-only file system"),
        )
        .hint("Mount it writable, or name another folder with --data."),
        io::ErrorKind::PermissionDenied => Problem::new(
            Code::ReadOnly,
            format!("the data folder {shown} cannot be written by this user"),
        )
        .hint("Run as the user who owns it, or name another folder with --data."),
        _ => Problem::new(
            Code::Unavailable,
            format!("the data folder {shown} cannot be used: {error}"),
        ),
    }
    .caused_by(error)
}
