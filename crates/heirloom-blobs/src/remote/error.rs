//! What can go wrong on another machine, in words that say what to do.

use std::{error::Error as _, io};

/// Why a place on another machine cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// There is no such object.
    #[error("{place} has no {object}")]
    NotFound {
        /// The place.
        place: String,
        /// The object's name in it.
        object: String,
    },
    /// The object lies in an archive class, and has to be asked for.
    #[error("{object} lies in the archive of {place} and has to be asked for first")]
    Archived {
        /// The place.
        place: String,
        /// The object's name in it.
        object: String,
    },
    /// The bucket is not there.
    #[error("{place} has no such bucket")]
    NoBucket {
        /// The place.
        place: String,
    },
    /// There are no keys for it.
    #[error("there are no keys for {place}")]
    NoKeys {
        /// The place.
        place: String,
    },
    /// The server knows who asks and refuses, or does not know the keys.
    #[error("{place} refuses these keys: {why}")]
    Refused {
        /// The place.
        place: String,
        /// What the server said.
        why: String,
    },
    /// The login with `ssh` fails.
    #[error("{place} cannot be reached with ssh: {why}")]
    NoLogin {
        /// The place.
        place: String,
        /// What `ssh` said.
        why: String,
    },
    /// The server does not answer, or the connection breaks again and again.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// The place.
        place: String,
        /// Why.
        why: String,
    },
    /// The server answers otherwise than it should.
    #[error("{place} cannot be used: {why}")]
    Failed {
        /// The place.
        place: String,
        /// What it said.
        why: String,
    },
}

impl RemoteError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => {
                Some("Look at the name: something else may be there, or nothing yet.")
            }
            Self::Archived { .. } => {
                Some("Ask its server to restore it, which takes hours, and try again then.")
            }
            Self::NoBucket { .. } => Some("Make the bucket first, or correct its name and region."),
            Self::NoKeys { .. } => Some(
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name files that have them.",
            ),
            Self::Refused { .. } => Some(
                "Look at the keys, the region and the clock; the keys have to be allowed to list the bucket, and to \
                 read, write and delete in it.",
            ),
            Self::NoLogin { .. } => Some(
                "`ssh` has to reach the machine with a key and without a question: try it once by hand, as the same user.",
            ),
            Self::Unreachable { .. } => {
                Some("Look at the address and the network, then try again: nothing is half stored.")
            }
            Self::Failed { .. } => {
                Some("Look at the address: does that server speak S3 or SFTP there?")
            }
        }
    }

    pub(super) fn new(error: &opendal::Error, place: &str, object: &str) -> Self {
        let place = place.to_owned();
        match error.kind() {
            opendal::ErrorKind::NotFound => Self::NotFound {
                place,
                object: object.to_owned(),
            },
            opendal::ErrorKind::PermissionDenied if is_archived(error) => Self::Archived {
                place,
                object: object.to_owned(),
            },
            opendal::ErrorKind::ConfigInvalid if error.message().contains("NoSuchBucket") => {
                Self::NoBucket { place }
            }
            opendal::ErrorKind::PermissionDenied => Self::Refused {
                place,
                why: plain(error),
            },
            opendal::ErrorKind::Unexpected | opendal::ErrorKind::RateLimited
                if !error.is_permanent() =>
            {
                Self::Unreachable {
                    place,
                    why: plain(error),
                }
            }
            _ => Self::Failed {
                place,
                why: plain(error),
            },
        }
    }
}

impl From<RemoteError> for io::Error {
    fn from(error: RemoteError) -> Self {
        let kind = match &error {
            RemoteError::NotFound { .. } => io::ErrorKind::NotFound,
            RemoteError::Refused { .. }
            | RemoteError::NoKeys { .. }
            | RemoteError::NoLogin { .. } => io::ErrorKind::PermissionDenied,
            RemoteError::Unreachable { .. } => io::ErrorKind::HostUnreachable,
            RemoteError::Archived { .. }
            | RemoteError::NoBucket { .. }
            | RemoteError::Failed { .. } => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Whether a server of S3 gives no bytes because they lie in an archive class.
fn is_archived(error: &opendal::Error) -> bool {
    error.message().contains("InvalidObjectState")
}

/// Whether that is why bytes that were asked for do not come.
pub(crate) fn is_archived_io(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.is_some_and(is_archived)
}

/// What the server said, without what is meant for the authors of the library.
fn plain(error: &opendal::Error) -> String {
    // `S3Error { code: "…", message: "…", … }`
    let quoted = |name: &str| {
        let (_, rest) = error.message().split_once(&format!("{name}: \""))?;
        let (text, _) = rest.split_once('"')?;
        Some(text.trim_end_matches('.')).filter(|text| !text.is_empty())
    };
    if let Some(said) = quoted("message").or_else(|| quoted("code")) {
        return said.to_owned();
    }
    let mut deepest = None;
    let mut source = error.source();
    while let Some(cause) = source {
        deepest = Some(cause.to_string());
        source = cause.source();
    }
    let said = deepest.unwrap_or_else(|| error.message().to_owned());
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match said.as_str() {
        "" => "it gave no reason".to_owned(),
        _ => said.chars().take(300).collect(),
    }
}
