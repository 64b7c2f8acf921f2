//! What is wrong with a query, in the reader's words.

use heirloom_core::query::{QueryError, QueryErrorKind};

use crate::words::{Language, Word};

/// What is wrong, and what to write instead.
pub(crate) fn explain(language: Language, error: &QueryError) -> (String, Option<String>) {
    match error.kind() {
        QueryErrorKind::TooLong | QueryErrorKind::TooManyTerms => {
            (language.say(Word::QueryTooLong).to_owned(), None)
        }
        QueryErrorKind::UnknownField { name, value, meant } => {
            let what = match meant {
                Some(meant) => language.fill(
                    Word::UnknownFieldMeant,
                    &[("field", name), ("meant", meant)],
                ),
                None => language.fill(Word::UnknownField, &[("field", name)]),
            };
            let words = format!("{name} {value}");
            let gaps = [("fields", FIELDS), ("words", words.trim())];
            (what, Some(language.fill(Word::UnknownFieldHint, &gaps)))
        }
        QueryErrorKind::MissingValue { field } => {
            (language.fill(Word::MissingValue, &[("field", field)]), None)
        }
        QueryErrorKind::InvalidValue { field, value, .. } => {
            let word = match *field {
                "date" => Word::InvalidDate,
                "type" => Word::InvalidType,
                _ => Word::InvalidValue,
            };
            let gaps = [("field", *field), ("value", value.as_str())];
            (language.fill(word, &gaps), None)
        }
    }
}

const FIELDS: &str = "type: date: person: place: camera: tag: archive: in: like: is:";
