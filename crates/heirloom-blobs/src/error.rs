//! What can go wrong with a blob.

use std::{
    io,
    path::{Path, PathBuf},
};

use heirloom_core::ContentHash;

use crate::{KeyId, RemoteError};

/// Why a blob could not be put, read or deleted. The variants are for callers, the messages for
/// people; [`BlobError::hint`] says what to do where there is something to do.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No blob has this name.
    #[error("there is no blob {hash}")]
    NotFound {
        /// The name that was asked for.
        hash: ContentHash,
    },
    /// The stored bytes are not those that the blob was named after.
    #[error("blob {hash} is damaged: its bytes are not those it was named after")]
    Corrupt {
        /// The blob's name.
        hash: ContentHash,
    },
    /// The bytes lie in the archive class of a bucket. [`BlobStore::bring_back`](crate::BlobStore::bring_back) asks
    /// for them.
    #[error(
        "the bytes of blob {hash} are in the archive of {place} and have to be brought back first"
    )]
    Archived {
        /// The blob's name.
        hash: ContentHash,
        /// The store.
        place: String,
    },
    /// The blob was sealed with a key that is not here.
    #[error("blob {hash} was sealed with the key {key}, which is not here")]
    NoKey {
        /// The blob's name.
        hash: ContentHash,
        /// The name of the key.
        key: KeyId,
    },
    /// The store has sealed blobs, and there is no key.
    #[error("the blobs in {place} are encrypted, and there is no key for them")]
    Locked {
        /// The store.
        place: String,
    },
    /// Other bytes came than were promised; nothing was stored.
    #[error("other bytes came than were promised: they hash to {actual}, not to {expected}")]
    Mismatch {
        /// The hash that the caller promised.
        expected: ContentHash,
        /// The hash of what came.
        actual: ContentHash,
    },
    /// A range starts behind the end of its blob.
    #[error("the range starts behind the end of blob {hash}, which has {size_bytes} bytes")]
    OutOfRange {
        /// The blob's name.
        hash: ContentHash,
        /// Its whole length.
        size_bytes: u64,
    },
    /// The disk or the quota is full.
    #[error("no space is left on the disk that holds {}", path.display())]
    NoSpace {
        /// What could not be written.
        path: PathBuf,
    },
    /// The file system takes no writes.
    #[error("{} is on a read-only file system", path.display())]
    ReadOnly {
        /// What could not be written.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("there is no permission to use {}", path.display())]
    NotPermitted {
        /// What could not be used.
        path: PathBuf,
    },
    /// The folder is not a blob store.
    #[error("{} is not a folder of blobs: {problem}", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What speaks against it, as the end of a sentence.
        problem: &'static str,
    },
    /// The folder has a layout that this version does not know.
    #[error("{} has the blob layout {found:?}, which this version does not know", path.display())]
    UnknownLayout {
        /// The folder.
        path: PathBuf,
        /// The first line of its layout file.
        found: String,
    },
    /// The store on another machine cannot be used.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A store on another machine belongs to somebody else, or is not the one that was there.
    #[error("{place} is not the store of this library: {problem}")]
    OtherStore {
        /// The store.
        place: String,
        /// What speaks against it, as the end of a sentence.
        problem: &'static str,
    },
    /// The runtime that does the blocking work is shutting down.
    #[error("the program is shutting down")]
    ShuttingDown,
    /// The bytes to be put could not be read from where they come.
    #[error("the bytes to be stored could not be read")]
    Source(#[source] io::Error),
    /// Anything else that the operating system reports.
    #[error("{} could not be read or written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl BlobError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Corrupt { .. } => Some(
                "Check the disk, then put the same bytes again or take the blob from a backup.",
            ),
            Self::Archived { .. } => Some(
                "Open the original in Heirloom: that asks for it. It takes hours until it is there.",
            ),
            Self::NoKey { .. } => Some(
                "Put the newest `encryption.json` of this library back in its data folder: an older one lacks keys.",
            ),
            Self::Locked { .. } => Some(
                "Put the library's `encryption.json` back in its data folder. Without it and the master key nothing opens them.",
            ),
            Self::NoSpace { .. } => {
                Some("Free some space or enlarge the disk, then try again: nothing is half stored.")
            }
            Self::ReadOnly { .. } => Some(
                "Mount it writable. A disk that turned read-only by itself may be failing: look at the system log.",
            ),
            Self::NotPermitted { .. } => Some(
                "Run as the user who owns the folder, or give this user its files with `chown -R`.",
            ),
            Self::NotAStore { .. } => Some("Is the disk mounted, and is this the right folder?"),
            Self::Remote(error) => error.hint(),
            Self::OtherStore { .. } => Some(
                "Each library needs a bucket or a prefix of its own, and keeps it: look at `store` in its configuration.",
            ),
            Self::UnknownLayout { .. } => Some("Use the version that wrote it, or a newer one."),
            Self::NotFound { .. }
            | Self::Mismatch { .. }
            | Self::OutOfRange { .. }
            | Self::ShuttingDown
            | Self::Source(_)
            | Self::Io { .. } => None,
        }
    }

    /// The error of the operating system, sorted by what a caller can do about it.
    pub(crate) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::PermissionDenied => Self::NotPermitted { path },
            _ => Self::Io { path, source },
        }
    }
}

/// Names the path in an error of the operating system.
pub(crate) trait At<T> {
    /// The same result, its error naming `path`.
    fn at(self, path: &Path) -> Result<T, BlobError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, BlobError> {
        self.map_err(|source| BlobError::from_io(path, source))
    }
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, path: &Path) -> Result<T, BlobError> {
        self.map_err(|errno| BlobError::from_io(path, errno.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::mem::discriminant;

    use super::*;

    #[test]
    fn what_the_operating_system_says_is_sorted_by_what_can_be_done() {
        let path = || PathBuf::from("/blobs");
        let (no_space, read_only, not_permitted) = (
            BlobError::NoSpace { path: path() },
            BlobError::ReadOnly { path: path() },
            BlobError::NotPermitted { path: path() },
        );
        let other = BlobError::Io {
            path: path(),
            source: io::Error::other("any"),
        };
        use rustix::io::Errno;
        for (errno, expected) in [
            (Errno::NOSPC, &no_space),
            (Errno::DQUOT, &no_space),
            (Errno::ROFS, &read_only),
            (Errno::ACCESS, &not_permitted),
            (Errno::PERM, &not_permitted),
            (Errno::IO, &other),
            (Errno::MFILE, &other),
        ] {
            let error = BlobError::from_io(&path(), errno.into());
            assert_eq!(
                discriminant(&error),
                discriminant(expected),
                "{errno:?} became {error:?}"
            );
            assert!(error.to_string().contains("/blobs"), "{error}");
            assert_eq!(
                error.hint().is_some(),
                discriminant(&other) != discriminant(&error)
            );
        }
    }
}
