//! Backups: everything that cannot be made again, encrypted and without repetition, in a repository that other
//! programs can read too (the format of restic: <https://restic.readthedocs.io/en/stable/100_references.html>).
//!
//! A *snapshot* has the catalogue as it was at one moment, every blob that it refers to then, and the files of
//! folder archives that it knows then, unless somebody else sees to those. Below the constant path `/library`
//! lie `catalogue/`, `library.json`, `originals/ARCHIVE/…` and `store/ab/cd/HASH`.
//!
//! What is read is hashed while it is read. Bytes that are not those of the catalogue's hash are not stored as if
//! they were: they are named, and the snapshot has of that file what the one before had, or nothing.
//!
//! Nothing of the library that knows the format is part of what this module shows.

mod check;
mod fault;
mod folder;
mod hold;
mod key;
mod location;
mod make;
mod manifest;
mod objects;
mod progress;
mod prove;
mod prune;
mod remote;
mod repository;
mod restore;
mod retrieve;
mod source;
mod whole;

use std::{io, path::PathBuf};

use heirloom_blobs::{BlobError, RemoteError};
use heirloom_db::DbError;

pub use check::{CheckReport, check};
pub use fault::{FaultCode, RepositoryFault};
pub use hold::hold_blobs;
pub(crate) use hold::may_remove_blobs;
pub use key::{BackupKey, KEY_FILE};
pub use location::RepositoryLocation;
pub use make::{BackupOptions, BackupReport, back_up};
pub use progress::{Progress, ProgressNow};
pub use prove::{PROOF, ProofReport, prove};
pub use prune::{PruneReport, Retention, prune};
pub use repository::{Snapshot, list_snapshots};
pub use restore::{At, RestoreReport, is_half_restored, restore};
pub(crate) use retrieve::Retriever;
pub use source::{Lacking, LackingFile};

/// A repository, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub location: RepositoryLocation,
    /// Its key.
    pub key: BackupKey,
}

/// Why something could not be done with a repository. What was stored before is still there.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no repository.
    #[error("there is no backup repository at {0}")]
    NoRepository(String),
    /// Something else is in its place.
    #[error("{0} is no backup repository: other files are in it")]
    NotARepository(String),
    /// The key opens nothing there.
    #[error("this key does not open the repository {0}")]
    WrongKey(String),
    /// There is no key.
    #[error("there is no usable key in {}: {why}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An object of the repository is not what it was.
    #[error("the repository is damaged: {0}")]
    Damaged(String),
    /// Somebody else is at work in the repository.
    #[error("somebody else is at work in the repository {0}")]
    Busy(String),
    /// The repository's disk, or where to it is restored, is full.
    #[error("no space is left at {0}")]
    NoSpace(String),
    /// The repository cannot be reached or used.
    #[error("the repository cannot be used: {0}")]
    Unavailable(String),
    /// The repository is on another machine, and cannot be used there.
    #[error("the repository cannot be used: {0}")]
    Remote(RemoteError),
    /// There is no such snapshot.
    #[error("there is no snapshot {0:?} in the repository")]
    NoSnapshot(String),
    /// It cannot be done like this.
    #[error("{0}")]
    Refused(String),
    /// It was told to stop.
    #[error("it was cancelled")]
    Cancelled,
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store of blobs failed as a whole.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// Where to it is restored cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Destination {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A thread died.
    #[error("something went wrong inside: {0}")]
    Internal(String),
}

/// Does something that blocks, elsewhere. Whoever drops this before it is done has it cancelled.
async fn blocking<T: Send + 'static>(
    cancel: &tokio_util::sync::CancellationToken,
    work: impl FnOnce(tokio_util::sync::CancellationToken) -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let own = cancel.child_token();
    let _ending = own.clone().drop_guard();
    let done = tokio::task::spawn_blocking(move || work(own)).await;
    done.map_err(|error| BackupError::Internal(error.to_string()))?
}
