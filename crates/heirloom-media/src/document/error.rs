//! Why nothing of a document can be read or shown.

use heirloom_core::unit::FailureCode;

/// Why there is no text, or there are no pages, in words for the family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Documents of this type are kept and not read.
    #[error("Files of this type ({name}) are kept as they are, and are not read.")]
    NotRead {
        /// The type's name.
        name: &'static str,
    },
    /// It cannot be opened without its password.
    #[error("The document is locked with a password, and nothing of it can be read without it.")]
    Locked,
    /// It is locked in a way that is not known.
    #[error("The document is encrypted in a way that cannot be read yet.")]
    Encrypted,
    /// It is broken.
    #[error("The document is damaged so badly that nothing of it can be read.")]
    Damaged {
        /// What its reader said, for logs.
        detail: String,
    },
    /// There is no page in it.
    #[error("There is no page in the document.")]
    Empty,
}

impl DocumentError {
    /// The same as a word.
    #[must_use]
    pub const fn code(&self) -> FailureCode {
        match self {
            Self::NotRead { .. } | Self::Locked | Self::Encrypted => FailureCode::Unsupported,
            Self::Damaged { .. } => FailureCode::Damaged,
            Self::Empty => FailureCode::Empty,
        }
    }

    /// Damage, with what the reader said.
    pub(super) fn damaged(detail: impl std::fmt::Display) -> Self {
        Self::Damaged {
            detail: detail.to_string(),
        }
    }
}
