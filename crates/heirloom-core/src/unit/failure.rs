//! Why a unit failed, as a word that programs tell apart and that people are told about in their language.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why something could not be made of an asset. The sentence beside it says more; this is what failures are
/// grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The original is at none of its places.
    Gone,
    /// What lies at its place was changed since it was last read.
    Changed,
    /// The original lies in an archive, and has to be brought back first.
    Archived,
    /// Its bytes are damaged, cut short, or make no sense.
    Damaged,
    /// It is stored in a way that is not known.
    Unsupported,
    /// What was looked for is not in it.
    Empty,
    /// It is larger than what is opened, or what came of it is larger than what is kept.
    TooLarge,
    /// It takes more memory than is allowed.
    OutOfMemory,
    /// It takes longer than is allowed.
    TimedOut,
    /// What reads it broke down over it.
    Crashed,
    /// The disk is full.
    NoSpace,
    /// A program that is needed is not there, cannot be started or lacks something.
    NoProgram,
    /// A model that is needed is not here.
    NoModel,
    /// A service elsewhere that was chosen does not answer, or refuses.
    NoService,
    /// Something else, or it failed before reasons had codes.
    Other,
}

impl FailureCode {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::Gone,
        Self::Changed,
        Self::Archived,
        Self::Damaged,
        Self::Unsupported,
        Self::Empty,
        Self::TooLarge,
        Self::OutOfMemory,
        Self::TimedOut,
        Self::Crashed,
        Self::NoSpace,
        Self::NoProgram,
        Self::NoModel,
        Self::NoService,
        Self::Other,
    ];

    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Archived => "archived",
            Self::Damaged => "damaged",
            Self::Unsupported => "unsupported",
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::OutOfMemory => "out_of_memory",
            Self::TimedOut => "timed_out",
            Self::Crashed => "crashed",
            Self::NoSpace => "no_space",
            Self::NoProgram => "no_program",
            Self::NoModel => "no_model",
            Self::NoService => "no_service",
            Self::Other => "other",
        }
    }

    /// The code that this word names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_word_wherever_it_is_written() {
        for code in FailureCode::ALL {
            assert_eq!(FailureCode::from_word(code.as_str()), Some(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert_eq!(FailureCode::from_word("damage"), None);
    }
}
