//! What is wrong with a repository, one thing by itself.

use serde::{Deserialize, Serialize};

use super::source::Lacking;
use crate::fsck::Part;

/// Something in a repository that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RepositoryFault {
    /// The object, relative to the repository; empty for what is lacking in a snapshot.
    pub object: String,
    /// What is wrong, as a word.
    pub code: FaultCode,
    /// The same as one sentence.
    pub what: String,
}

/// What is wrong, as a word that programs tell apart and that people are told in their language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// Its bytes are damaged or not whole.
    Damaged,
    /// It is gone, and is needed.
    Gone,
    /// It was changed before it was backed up.
    Changed,
    /// Its bytes are others than those of the library.
    Differs,
    /// It lies in an archive class and has to be brought back first.
    Archived,
    /// The catalogue that was restored is not in order.
    Catalogue,
    /// Something else.
    Other,
}

impl FaultCode {
    /// Every code.
    pub const ALL: [Self; 7] = [
        Self::Damaged,
        Self::Gone,
        Self::Changed,
        Self::Differs,
        Self::Archived,
        Self::Catalogue,
        Self::Other,
    ];

    /// The word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Differs => "differs",
            Self::Archived => "archived",
            Self::Catalogue => "catalogue",
            Self::Other => "other",
        }
    }
}

impl From<Lacking> for FaultCode {
    fn from(lacking: Lacking) -> Self {
        match lacking {
            Lacking::Damaged => Self::Damaged,
            Lacking::Changed => Self::Changed,
            Lacking::Gone => Self::Gone,
            Lacking::Archived => Self::Archived,
        }
    }
}

impl From<Part> for FaultCode {
    fn from(part: Part) -> Self {
        match part {
            Part::Blobs | Part::Originals => Self::Damaged,
            Part::Catalogue | Part::Search | Part::Audit => Self::Catalogue,
        }
    }
}
