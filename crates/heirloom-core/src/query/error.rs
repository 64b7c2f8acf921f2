//! Why a query cannot be read.

use std::{fmt, ops::Range};

use super::{MAX_CHARS, MAX_TERMS, parse::Field};

/// Where a query cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    kind: QueryErrorKind,
    range: Range<usize>,
    character: usize,
}

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryErrorKind {
    /// It has more than [`MAX_CHARS`] characters, as typed or as printed.
    TooLong,
    /// It has more than [`MAX_TERMS`] terms.
    TooManyTerms,
    /// There is no such field.
    UnknownField {
        /// What stands before the colon.
        name: String,
        /// What follows it.
        value: String,
        /// The field that was probably meant.
        meant: Option<&'static str>,
    },
    /// Nothing follows the colon.
    MissingValue {
        /// What stands before the colon.
        field: &'static str,
    },
    /// What follows the colon is none of what can.
    InvalidValue {
        /// What stands before the colon.
        field: &'static str,
        /// What follows it.
        value: String,
        /// What could stand there.
        expected: String,
        /// What was probably meant.
        hint: Option<String>,
    },
}

impl QueryError {
    pub(super) fn new(query: &str, range: Range<usize>, kind: QueryErrorKind) -> Self {
        let character = query[..range.start].chars().count();
        Self {
            kind,
            range,
            character,
        }
    }

    /// What is wrong, for programs.
    #[must_use]
    pub const fn kind(&self) -> &QueryErrorKind {
        &self.kind
    }

    /// The bytes of the query that are wrong.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// How many characters stand before them.
    #[must_use]
    pub const fn character(&self) -> usize {
        self.character
    }

    /// What to write instead, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            QueryErrorKind::TooLong | QueryErrorKind::TooManyTerms => {
                Some("leave some of it out".to_owned())
            }
            QueryErrorKind::UnknownField { name, value, meant } => {
                let fields: Vec<String> = Field::ALL
                    .iter()
                    .map(|field| format!("{}:", field.as_str()))
                    .collect();
                let meant = meant.map(|meant| format!("did you mean {meant}:? "));
                Some(format!(
                    "{}fields are {}; to look for the words write \"{name} {value}\"",
                    meant.unwrap_or_default(),
                    fields.join(" "),
                ))
            }
            QueryErrorKind::MissingValue { field } => {
                let example = Field::from_name(field).map_or("", Field::example);
                Some(format!("write it after the colon: {field}:{example}"))
            }
            QueryErrorKind::InvalidValue { hint, .. } => hint.clone(),
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            QueryErrorKind::TooLong => {
                write!(f, "the query has more than {MAX_CHARS} characters")
            }
            QueryErrorKind::TooManyTerms => write!(f, "the query has more than {MAX_TERMS} terms"),
            QueryErrorKind::UnknownField { name, .. } => write!(f, "there is no field {name}:"),
            QueryErrorKind::MissingValue { field } => write!(f, "nothing follows {field}:"),
            QueryErrorKind::InvalidValue {
                field,
                value,
                expected,
                ..
            } => {
                write!(f, "{field}: cannot be {value:?}: expected {expected}")
            }
        }
    }
}

impl std::error::Error for QueryError {}
