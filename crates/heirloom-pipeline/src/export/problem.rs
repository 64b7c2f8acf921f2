//! What could not be exported, imported or published, and why.

use std::fmt::Display;

use heirloom_core::AssetId;
use serde::{Deserialize, Serialize};

use crate::open::OpenError;

/// Something that could not be exported, imported or published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The asset, where it is one.
    pub asset_id: Option<AssetId>,
    /// What it is called.
    pub name: String,
    /// What is the matter.
    #[serde(flatten)]
    pub why: Why,
}

/// What is the matter with something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Why {
    /// As a word.
    pub code: ProblemCode,
    /// Which of its files it is, where it is one of those that go with an original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The same as a sentence, with what the system says.
    pub what: String,
}

/// What is the matter, as a word that programs tell apart and that people are told in their language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// It, or a part of it, is there and cannot be read.
    Unreadable,
    /// Its bytes are not those that were written down.
    Damaged,
    /// It is not there any more.
    Gone,
    /// It was changed since it was last read.
    Changed,
    /// It lies in an archive class, and has to be brought back first.
    Archived,
    /// What it is packed in is broken.
    BrokenArchive,
    /// It is a link.
    Link,
    /// It is no ordinary file.
    NoFile,
    /// Its path leads out of the archive, or is none.
    BadPath,
    /// It is packed more densely than anything of its kind.
    TooDense,
    /// It is longer than anything that describes a picture.
    TooLong,
    /// What is written of it in the export cannot be understood.
    BadRecord,
    /// Who may see it is not said.
    NoAudience,
    /// Something else, such as what a node on IPFS says.
    Other,
}

impl ProblemCode {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::Unreadable,
        Self::Damaged,
        Self::Gone,
        Self::Changed,
        Self::Archived,
        Self::BrokenArchive,
        Self::Link,
        Self::NoFile,
        Self::BadPath,
        Self::TooDense,
        Self::TooLong,
        Self::BadRecord,
        Self::NoAudience,
        Self::Other,
    ];

    /// The word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Damaged => "damaged",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Archived => "archived",
            Self::BrokenArchive => "broken_archive",
            Self::Link => "link",
            Self::NoFile => "no_file",
            Self::BadPath => "bad_path",
            Self::TooDense => "too_dense",
            Self::TooLong => "too_long",
            Self::BadRecord => "bad_record",
            Self::NoAudience => "no_audience",
            Self::Other => "other",
        }
    }
}

impl Why {
    pub(crate) fn new(code: ProblemCode, what: impl Into<String>) -> Self {
        Self {
            code,
            path: None,
            what: what.into(),
        }
    }

    /// The same of one of its files.
    pub(crate) fn of_file(self, path: &str) -> Self {
        Self {
            what: format!("{path}: {}", self.what),
            path: Some(path.to_owned()),
            ..self
        }
    }

    pub(crate) fn unreadable(error: impl Display) -> Self {
        Self::new(
            ProblemCode::Unreadable,
            format!("it cannot be read: {error}"),
        )
    }
}

impl From<OpenError> for Why {
    fn from(error: OpenError) -> Self {
        let code = match error {
            OpenError::Gone { .. } => ProblemCode::Gone,
            OpenError::Changed { .. } => ProblemCode::Changed,
            OpenError::Unreadable { .. } => ProblemCode::Unreadable,
            OpenError::Archived { .. } => ProblemCode::Archived,
            OpenError::Damaged { .. } => ProblemCode::Damaged,
            OpenError::Db(_) => ProblemCode::Other,
        };
        Self::new(code, error.to_string())
    }
}
