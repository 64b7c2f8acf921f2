//! Why something is not published, or not opened.

use std::{io, path::PathBuf};

use heirloom_blobs::BlobError;
use heirloom_db::DbError;
use heirloom_ipfs::{CarError, SealError};

use crate::export::ExportError;

/// Why a publication did not begin, or could not go on. What was given away by then is noted, and gone on with.
#[derive(Debug, thiserror::Error)]
pub enum IpfsError {
    /// No node is configured.
    #[error("no IPFS node is configured")]
    NotConfigured,
    /// Somebody does not answer, or not in time.
    #[error("{who} cannot be reached: {why}")]
    Away {
        /// Who.
        who: &'static str,
        /// What was seen.
        why: String,
    },
    /// Somebody says no.
    #[error("{who} refused: {why}")]
    Refused {
        /// Who.
        who: &'static str,
        /// What it said.
        why: String,
    },
    /// Somebody does not take the token or the login.
    #[error("{0} does not take the token or login")]
    Token(&'static str),
    /// Somebody answers something that cannot be read.
    #[error("{who} answered something that cannot be read: {why}")]
    Rubbish {
        /// Who.
        who: &'static str,
        /// What was wrong with it.
        why: String,
    },
    /// Not everybody in the family may see some of it.
    #[error(
        "{count} of the originals in it, or the collection itself, are not for the whole family, such as {first:?}"
    )]
    Private {
        /// How many.
        count: usize,
        /// What one of them is called.
        first: String,
    },
    /// It is to be readable by everybody, and nobody said that this is meant.
    #[error(
        "what is published plain is visible to everybody for ever, and nobody consented to that"
    )]
    NoConsent,
    /// Nothing is in it.
    #[error("there is nothing in {0:?} that could be published")]
    Empty(String),
    /// It was never published.
    #[error("{0:?} was not published")]
    NotPublished(String),
    /// The collection is deleted.
    #[error("{0:?} was deleted: bring it back first")]
    Deleted(String),
    /// Something lies where it would be written.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// It lies where nothing is written.
    #[error("{} is in {what}, where nothing is written", .path.display())]
    Forbidden {
        /// The file.
        path: PathBuf,
        /// What it is in.
        what: String,
    },
    /// It is sealed, and no key opens it.
    #[error("it is sealed, and no key was given that opens it")]
    NoKey,
    /// What is in it is not described as it should be.
    #[error("its index cannot be read: {0}")]
    Index(String),
    /// An archive of blocks is not as it should be.
    #[error(transparent)]
    Car(#[from] CarError),
    /// Something sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The key of a publication cannot be stored or read.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody stopped it.
    #[error("it was stopped")]
    Cancelled,
}

impl IpfsError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotConfigured => {
                "Name one with `ipfs_node` in config.toml, such as http://127.0.0.1:5001. `heirloom ipfs export` needs none."
            }
            Self::Away { .. } => {
                "Is it running, and is its address right? Doing the same again goes on where this ended."
            }
            Self::Refused { .. } | Self::Rubbish { .. } => {
                "Is this the address of an IPFS node or a pinning service? Doing the same again goes on where this ended."
            }
            Self::Token("the IPFS node") => {
                "Put the right login into the file that `ipfs_node_login_file` names, then do the same again."
            }
            Self::Token(_) => {
                "Put the right token into the file that `ipfs_service_token_file` names, then do the same again."
            }
            Self::Private { .. } => {
                "Take them out of the collection, or say with --include-private that they are meant as well."
            }
            Self::NoConsent => {
                "Leave --plain away to have it sealed, or say with --visible-to-everybody-for-ever that this is meant."
            }
            Self::Empty(_) => {
                "Originals that are deleted, or at none of their places, are never published."
            }
            Self::NotPublished(_) => "See `heirloom ipfs status`.",
            Self::Exists(_) => "Name a file or a folder that is not there yet.",
            Self::Forbidden { .. } => "Name a file elsewhere.",
            Self::NoKey => "Name the file that has the key with --key-file.",
            Self::Seal(SealError::WrongKey) => {
                "Each collection has a key of its own: `heirloom ipfs key COLLECTION`."
            }
            Self::Car(_) | Self::Seal(_) | Self::Index(_) => {
                "Was it copied to its end? Fetch it again."
            }
            Self::Io { .. } => "Check the disk and its permissions.",
            Self::Deleted(_) | Self::Db(_) | Self::Blobs(_) | Self::Cancelled => return None,
        })
    }
}

impl From<ExportError> for IpfsError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Forbidden { path, what } => Self::Forbidden { path, what },
            ExportError::Io { path, source } => Self::Io { path, source },
            ExportError::Db(error) => Self::Db(error),
            other => Self::Io {
                path: PathBuf::new(),
                source: io::Error::other(other),
            },
        }
    }
}
