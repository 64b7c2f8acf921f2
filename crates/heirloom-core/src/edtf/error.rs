//! Why a text is not a date.

use std::{borrow::Cow, fmt};

/// A text, or parts of a date, that are no date of level 0 or 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEdtf {
    text: String,
    at: usize,
    expected: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
}

/// How much of a refused text is repeated to whoever wrote it.
const SHOWN_CHARS: usize = 60;

impl InvalidEdtf {
    pub(super) fn new(text: &str, at: usize, expected: impl Into<Cow<'static, str>>) -> Self {
        Self {
            text: text.to_owned(),
            at,
            expected: expected.into(),
            hint: None,
        }
    }

    /// For parts that never were a text: `text` is how they would have been written.
    pub(super) fn of_parts(text: String, expected: impl Into<Cow<'static, str>>) -> Self {
        Self {
            text,
            at: 0,
            expected: expected.into(),
            hint: None,
        }
    }

    pub(super) fn with_hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The byte of the text at which it stops being a date; always between two characters.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// What would have been right there: "a month from 01 to 12".
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What to write instead, where that can be guessed.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for InvalidEdtf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: String = self.text.chars().take(SHOWN_CHARS).collect();
        if shown.len() < self.text.len() {
            shown.push('…');
        }
        let character = self.text[..self.at].chars().count() + 1;
        write!(
            f,
            "{shown:?} is not a date: expected {} at character {character}",
            self.expected
        )?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidEdtf {}
