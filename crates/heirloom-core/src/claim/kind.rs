//! The kinds of claim and the values that they take.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Edtf, SubjectKind, edtf::InvalidEdtf, face::Aside};

/// How many claims of a kind hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One: the best is believed.
    Single,
    /// Any number beside each other.
    Set,
    /// One is believed, and those that disagree are shown with it.
    Contested,
}

/// What type of value a kind takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// An EDTF date.
    Date,
    /// A point on Earth.
    Position,
    /// Words.
    Text,
    /// What is written somewhere: words, or nothing.
    Writing,
    /// A language by its code of ISO 639: two or three small letters.
    Language,
    /// A whole number between these bounds, both included.
    Number(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// The id of something else.
    Id,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $cardinality:ident, $value:expr;)*) => {
        /// What a claim says something of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ClaimKind { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl ClaimKind {
            /// Every kind.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The word used in the API and the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// How many claims of this kind hold at once.
            #[must_use]
            pub const fn cardinality(self) -> Cardinality {
                match self { $(Self::$name => Cardinality::$cardinality,)* }
            }

            /// The type of its values.
            #[must_use]
            pub const fn value_type(self) -> ValueType {
                match self { $(Self::$name => $value,)* }
            }
        }
    };
}

kinds! {
    /// When it was made, as EDTF.
    Date, "date", Contested, ValueType::Date;
    /// Where it was made, as a point.
    Position, "position", Contested, ValueType::Position;
    /// Where it was made, in words.
    Place, "place", Contested, ValueType::Text;
    /// Who is in it.
    Person, "person", Set, ValueType::Text;
    /// What it is called.
    Title, "title", Single, ValueType::Text;
    /// What is to be said about it.
    Caption, "caption", Single, ValueType::Text;
    /// A word to find it by.
    Tag, "tag", Set, ValueType::Text;
    /// Who made it.
    Author, "author", Set, ValueType::Text;
    /// How much it is liked: -1 rejected, 0 none, 1 to 5 stars.
    Rating, "rating", Single, ValueType::Number(-1, 5);
    /// Who built the camera or recorder.
    CameraMake, "camera_make", Single, ValueType::Text;
    /// Which camera or recorder it was.
    CameraModel, "camera_model", Single, ValueType::Text;
    /// Which lens it was.
    Lens, "lens", Single, ValueType::Text;
    /// How the stored picture is to be turned: EXIF orientation, 1 to 8.
    Orientation, "orientation", Single, ValueType::Number(1, 8);
    /// The language that is spoken in it, by its code of ISO 639.
    Language, "language", Single, ValueType::Language;
    /// What is said in a stretch of a recording.
    Said, "said", Single, ValueType::Text;
    /// Who speaks in a stretch of a recording.
    Speaker, "speaker", Single, ValueType::Text;
    /// What is written in a strip of a page; nothing, where it is empty.
    Written, "written", Single, ValueType::Writing;
    /// Who a face shows.
    Shown, "shown", Single, ValueType::Text;
    /// The group that a face is put into.
    Group, "group", Single, ValueType::Id;
    /// Why a face is left out.
    Aside, "aside", Single, ValueType::Word(Aside::WORDS);
    /// Another original that shows the same.
    Same, "same", Set, ValueType::Id;
}

/// What a claim says.
#[derive(Debug, Clone, PartialEq)]
pub enum ClaimValue {
    /// A date, however exact.
    Date(Edtf),
    /// A point on Earth (WGS 84).
    Position {
        /// Degrees north, -90 to 90.
        latitude: f64,
        /// Degrees east, -180 to 180.
        longitude: f64,
        /// Metres above the sea, where known.
        altitude_m: Option<f64>,
    },
    /// Words: at most [`ClaimValue::MAX_TEXT_BYTES`], and not empty but for what is written.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// A value that does not fit its kind of claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not {} {kind}{}", article(*kind), with_expected(expected))]
pub struct InvalidClaimValue {
    kind: ClaimKind,
    value: String,
    expected: String,
    hint: Option<String>,
}

impl InvalidClaimValue {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        self.hint.clone().unwrap_or_else(|| self.kind.example())
    }
}

const fn article(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Author | ClaimKind::Orientation | ClaimKind::Aside => "an",
        _ => "a",
    }
}

fn with_expected(expected: &str) -> String {
    match expected {
        "" => String::new(),
        expected => format!(": expected {expected}"),
    }
}

impl ClaimValue {
    /// The longest text that one claim holds, in bytes of UTF-8.
    pub const MAX_TEXT_BYTES: usize = 64 * 1024;

    /// The value as JSON: dates and texts are strings, a position is an object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Date(date) => json!(date.to_string()),
            Self::Position {
                latitude,
                longitude,
                altitude_m: None,
            } => {
                json!({ "latitude": latitude, "longitude": longitude })
            }
            Self::Position {
                latitude,
                longitude,
                altitude_m,
            } => {
                json!({ "latitude": latitude, "longitude": longitude, "altitude_m": altitude_m })
            }
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
        }
    }
}

impl ClaimKind {
    /// What it is said of.
    #[must_use]
    pub const fn subject_kind(self) -> SubjectKind {
        match self {
            Self::Said | Self::Speaker => SubjectKind::Segment,
            Self::Written => SubjectKind::Page,
            Self::Shown | Self::Group | Self::Aside => SubjectKind::Face,
            _ => SubjectKind::Asset,
        }
    }

    /// The kind that this word names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    pub(super) fn read(self, json: &Value) -> Result<ClaimValue, InvalidClaimValue> {
        let value = match (self.value_type(), json) {
            (ValueType::Date, Value::String(text)) => text
                .parse()
                .map(ClaimValue::Date)
                .map_err(|error| self.invalid_date(json, text, &error))?,
            (
                ValueType::Text
                | ValueType::Writing
                | ValueType::Language
                | ValueType::Word(_)
                | ValueType::Id,
                Value::String(text),
            ) => ClaimValue::Text(text.clone()),
            (ValueType::Number(..), Value::Number(_)) => ClaimValue::Number(
                json.as_i64()
                    .ok_or_else(|| self.invalid(json, self.expectation()))?,
            ),
            (ValueType::Position, Value::Object(object)) => {
                let degrees = |name| object.get(name).and_then(Value::as_f64);
                match (degrees("latitude"), degrees("longitude")) {
                    (Some(latitude), Some(longitude)) => ClaimValue::Position {
                        latitude,
                        longitude,
                        altitude_m: degrees("altitude_m"),
                    },
                    _ => return Err(self.invalid(json, self.expectation())),
                }
            }
            _ => return Err(self.invalid(json, self.expectation())),
        };
        Ok(value)
    }

    pub(super) fn check(self, value: &ClaimValue) -> Result<(), InvalidClaimValue> {
        let fits = match (self.value_type(), value) {
            (ValueType::Date, ClaimValue::Date(_)) => true,
            (
                ValueType::Position,
                ClaimValue::Position {
                    latitude,
                    longitude,
                    altitude_m,
                },
            ) => {
                (-90.0..=90.0).contains(latitude)
                    && (-180.0..=180.0).contains(longitude)
                    && altitude_m.is_none_or(f64::is_finite)
            }
            (ValueType::Text | ValueType::Writing, ClaimValue::Text(text)) => {
                // A NUL cannot be stored by PostgreSQL and means nothing in a text.
                (self.value_type() == ValueType::Writing || !text.trim().is_empty())
                    && text.len() <= ClaimValue::MAX_TEXT_BYTES
                    && !text.contains('\0')
            }
            (ValueType::Language, ClaimValue::Text(code)) => {
                (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase())
            }
            (ValueType::Word(words), ClaimValue::Text(word)) => words.contains(&word.as_str()),
            (ValueType::Id, ClaimValue::Text(id)) => Uuid::parse_str(id).is_ok(),
            (ValueType::Number(least, most), ClaimValue::Number(number)) => {
                (least..=most).contains(number)
            }
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(self.invalid(&value.to_json(), self.expectation()))
        }
    }

    fn invalid_date(self, json: &Value, text: &str, error: &InvalidEdtf) -> InvalidClaimValue {
        // Where there is no digit there is no date that one character is wrong in.
        if !text.contains(|c: char| c.is_ascii_digit()) {
            return self.invalid(json, String::new());
        }
        let character = text[..error.position()].chars().count() + 1;
        let expected = format!("{} at character {character}", error.expected());
        InvalidClaimValue {
            hint: error.hint().map(str::to_owned),
            ..self.invalid(json, expected)
        }
    }

    fn invalid(self, json: &Value, expected: String) -> InvalidClaimValue {
        let mut value = as_typed(json);
        if value.len() > 100 {
            value = value.chars().take(100).chain(['…']).collect();
        }
        InvalidClaimValue {
            kind: self,
            value,
            expected,
            hint: None,
        }
    }

    fn example(self) -> String {
        match self.value_type() {
            ValueType::Date => "write a date such as 1942-05-01, 1942~ or 194X".to_owned(),
            ValueType::Position => "write degrees north and east, and perhaps metres above the \
                 sea: 52.52,13.40 or 52.52,13.40,34"
                .to_owned(),
            ValueType::Text => format!(
                "write a word at least, and no more than {} bytes",
                ClaimValue::MAX_TEXT_BYTES
            ),
            ValueType::Writing => format!(
                "write no more than {} bytes; nothing says that nothing is written there",
                ClaimValue::MAX_TEXT_BYTES
            ),
            ValueType::Language => {
                "write en for English, de for German, yue for Cantonese".to_owned()
            }
            ValueType::Number(least, most) => {
                format!("write one of the numbers from {least} to {most}")
            }
            ValueType::Word(words) => format!("write one of {}", words.join(", ")),
            ValueType::Id if self == Self::Same => "write the id of another original".to_owned(),
            ValueType::Id => "write the id of a group of faces".to_owned(),
        }
    }

    fn expectation(self) -> String {
        match self.value_type() {
            ValueType::Date => "a text".to_owned(),
            ValueType::Position => {
                "a latitude from -90 to 90 and a longitude from -180 to 180".to_owned()
            }
            ValueType::Text => {
                format!("a text of 1 to {} bytes", ClaimValue::MAX_TEXT_BYTES)
            }
            ValueType::Writing => {
                format!("a text of at most {} bytes", ClaimValue::MAX_TEXT_BYTES)
            }
            ValueType::Language => "the code of a language: two or three small letters".to_owned(),
            ValueType::Number(least, most) => format!("a whole number from {least} to {most}"),
            ValueType::Word(words) => format!("one of {}", words.join(", ")),
            ValueType::Id => "an id".to_owned(),
        }
    }
}

/// A value as people write it: of a position its numbers.
fn as_typed(json: &Value) -> String {
    let numbers = ["latitude", "longitude", "altitude_m"].map(|name| json.get(name));
    match numbers {
        [Some(latitude), Some(longitude), None] => format!("{latitude},{longitude}"),
        [Some(latitude), Some(longitude), Some(altitude)] => {
            format!("{latitude},{longitude},{altitude}")
        }
        _ => json.to_string(),
    }
}

impl fmt::Display for ClaimKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Statement;
    use super::*;

    #[test]
    fn values_read_back_from_their_json() {
        let position = ClaimValue::Position {
            latitude: 52.5,
            longitude: -13.25,
            altitude_m: Some(34.0),
        };
        let cases = [
            (ClaimKind::Date, ClaimValue::Date("1942~".parse().unwrap())),
            (ClaimKind::Position, position),
            (ClaimKind::Title, ClaimValue::Text("Am Meer".into())),
            (ClaimKind::Rating, ClaimValue::Number(4)),
            (ClaimKind::Written, ClaimValue::Text(String::new())),
        ];
        for (kind, value) in cases {
            let read = Statement::from_json(kind, &value.to_json()).unwrap();
            assert_eq!((read.kind(), read.value()), (kind, &value));
            let through_serde: Statement =
                serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
            assert_eq!(through_serde, read);
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_what_was_expected() {
        use ClaimKind::{Author, Date, Language, Orientation, Position, Rating, Tag, Title};
        let degrees = "expected a latitude from -90 to 90 and a longitude from -180 to 180";
        let dates = "write a date such as 1942-05-01, 1942~ or 194X";
        let cases = [
            (Date, json!("hello"), "\"hello\" is not a date", dates),
            (
                Date,
                json!("heute, später"),
                "\"heute, später\" is not a date",
                dates,
            ),
            (
                Date,
                json!("1942-13-01"),
                "\"1942-13-01\" is not a date: expected a month from 01 to 12 at character 6",
                dates,
            ),
            (
                Date,
                json!("1950s"),
                "at character 5",
                "for the decade write 195X",
            ),
            (
                Date,
                json!(1942),
                "1942 is not a date: expected a text",
                dates,
            ),
            (
                Position,
                json!({"latitude": 95.0, "longitude": 13.4}),
                &format!("95.0,13.4 is not a position: {degrees}"),
                "write degrees north and east",
            ),
            (Position, json!({"latitude": 1}), degrees, "52.52,13.40"),
            (
                Title,
                json!("  "),
                "\"  \" is not a title: expected a text of 1 to",
                "a word",
            ),
            (
                Author,
                json!("a\0b"),
                "is not an author: expected a text of 1 to",
                "a word",
            ),
            (
                Tag,
                json!("x".repeat(70_000)),
                "a text of 1 to",
                "no more than 65536 bytes",
            ),
            (
                Language,
                json!("German"),
                "\"German\" is not a language: expected the code of a language",
                "de for German",
            ),
            (
                Rating,
                json!(6),
                "6 is not a rating: expected a whole number from -1 to 5",
                "write one of the numbers from -1 to 5",
            ),
            (
                Orientation,
                json!(1.5),
                "1.5 is not an orientation: expected a whole",
                "from 1 to 8",
            ),
        ];
        for (kind, value, message, hint) in cases {
            let error = Statement::from_json(kind, &value).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(message) && said.len() < 400, "{said}");
            assert!(error.hint().contains(hint), "{said}: {}", error.hint());
        }
    }
}
