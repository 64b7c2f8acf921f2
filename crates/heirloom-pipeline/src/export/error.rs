//! Why an export ends early.

use std::{io, path::PathBuf};

use heirloom_db::DbError;

/// Why an export did not begin, or could not go on. What was written before is whole, and gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something else is there.
    #[error("{} is not empty, and no export of this library", .0.display())]
    NotEmpty(PathBuf),
    /// It is no folder.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It lies where nothing is written.
    #[error("{} is in {what}, where nothing is written", .path.display())]
    Forbidden {
        /// The folder.
        path: PathBuf,
        /// What it is in.
        what: String,
    },
    /// Another export writes to it.
    #[error("another export writes to {}", .0.display())]
    Busy(PathBuf),
    /// The disk is too small.
    #[error("the disk of the export is full{}", missing(*missing_bytes))]
    NoSpace {
        /// How much is missing, as far as that is known.
        missing_bytes: Option<u64>,
    },
    /// Somebody stopped it.
    #[error("the export was stopped")]
    Cancelled,
    /// The system says something.
    #[error("{} cannot be written: {source}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
}

fn missing(bytes: Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| {
        format!(": {} MB more are needed", bytes.div_ceil(1_000_000))
    })
}

impl ExportError {
    /// What a person can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotEmpty(_) => Some("Name an empty folder, or one that is not there yet."),
            Self::NotAFolder(_) => Some("Name a folder."),
            Self::Forbidden { .. } => Some("Name a folder elsewhere, best on another disk."),
            Self::Busy(_) => Some("Wait until that one has ended."),
            Self::NoSpace { .. } => Some(
                "Free some space, or take a larger disk. Exporting there again goes on where this ended.",
            ),
            Self::Io { .. } => Some(
                "Check the disk and its permissions. Exporting there again goes on where this ended.",
            ),
            Self::Cancelled => Some("Exporting there again goes on where this ended."),
            Self::Db(_) => None,
        }
    }
}
