//! What people type to find things, the same in the command line, the API and the web.
//!
//! A query is terms, and an asset must match them all:
//!
//! | typed | matches |
//! |---|---|
//! | `beach` | the word, however it is spelt (see [`text`](crate::text)) |
//! | `"on the beach"` | the words next to each other |
//! | `bea*`, `"on the bea"*` | a word that begins so |
//! | `-beach`, `-type:video`, `-"on the beach"` | what does not match the term |
//! | `type:image`, `type:image,video` | one of the kinds |
//! | `date:1974`, `date:1974-05`, `date:194X`, `date:1942~`, `date:1942/1945` | what may be from then: any [EDTF](crate::edtf) date |
//! | `date:1974..1980`, `date:..1950`, `date:1960..` | what may be from the one to the other, both included |
//! | `date:none` | what has no date |
//! | `person:"Anna Maria"`, `place:…`, `camera:…`, `tag:…` | the words in such a name |
//! | `archive:…`, `in:…` | what is in an archive or a collection, by name or id |
//! | `like:…` | what looks like the asset with this id |
//! | `shows:"a dog on a beach"` | pictures that show what the words say |
//! | `is:missing`, `is:replaced`, `is:deleted` | what is hidden otherwise |
//!
//! A search box must not frustrate. So every kind of quotation mark opens and closes a phrase, one
//! that is never closed reaches to the end, and a mark written twice within a phrase is the mark
//! itself. Marks within a word (`5"x7"`) are no phrases. Names of fields are known in any case and in
//! every [`Language`], and a space after their colon does no harm. `12:30`, `C:\photos` and
//! `https://…` are words; `foo:bar` is refused, because it is more likely a field misspelt than
//! something to look for. Upper and lower case, accents and the direction of writing do not matter.
//! What has no letters or digits cannot be looked for and is reported in [`Query::ignored`]: nothing
//! is dropped silently.

mod caret;
mod date;
mod error;
mod name;
mod parse;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{AssetId, MediaKind, meaning::Scene, text::Phrase};

pub use caret::{Caret, Slot};
pub use date::DateRange;
pub use error::{QueryError, QueryErrorKind};
pub use name::Language;
use parse::{Field, is_gap, is_quote};

/// The characters that a query may have, as it is typed and as it is printed.
pub const MAX_CHARS: usize = 2_000;

/// The terms that a query may have.
pub const MAX_TERMS: usize = 50;

/// What to look for. Printed, it is a canonical text that parses to the same terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All of these must match; with none, everything does.
    pub terms: Vec<Term>,
    /// What was typed but cannot be looked for.
    pub ignored: Vec<Ignored>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether what matches is left out.
    pub is_negated: bool,
    /// What matches.
    pub matcher: Matcher,
}

/// What a term matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// Words anywhere in what is known about an asset.
    Words(Phrase),
    /// Words in the name of a person, place, camera or tag.
    Field {
        /// In which.
        field: TextField,
        /// The words.
        phrase: Phrase,
    },
    /// One of these kinds, at least one, in the order of [`MediaKind::ALL`].
    Kind(Vec<MediaKind>),
    /// A date whose interval has a second in common with this one.
    Date(DateRange),
    /// No date at all.
    Undated,
    /// The archive with this name or id, as it was typed.
    Archive(String),
    /// The collection with this name or id, as it was typed.
    Collection(String),
    /// What looks or sounds like this asset.
    Like(AssetId),
    /// Pictures that show what these words say.
    Shows(Scene),
    /// What is in this state.
    Is(State),
}

/// A field whose value is searched by its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextField {
    /// Who is to be seen or heard.
    Person,
    /// Where it was.
    Place,
    /// What it was taken with: make and model.
    Camera,
    /// What somebody or something called it.
    Tag,
}

/// A state in which an asset is not listed unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No file is left of it.
    Missing,
    /// Other bytes are now where it was.
    Replaced,
    /// Somebody deleted it, and it is not yet purged.
    Deleted,
}

/// Something typed that has nothing to look for in it, such as `!!!`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// As it was typed.
    pub text: String,
    /// Its bytes in the query.
    pub range: Range<usize>,
}

impl Query {
    /// The words that are looked for everywhere, to be highlighted in what is found.
    #[must_use]
    pub fn phrases(&self) -> Vec<Phrase> {
        let terms = self.terms.iter().filter(|term| !term.is_negated);
        terms
            .filter_map(|term| match &term.matcher {
                Matcher::Words(phrase) => Some(phrase.clone()),
                _ => None,
            })
            .collect()
    }

    /// What pictures are asked for: whoever knows what the words mean says so here.
    pub fn scenes(&mut self) -> impl Iterator<Item = &mut Scene> {
        let terms = self.terms.iter_mut();
        terms.filter_map(|term| match &mut term.matcher {
            Matcher::Shows(scene) => Some(scene),
            _ => None,
        })
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        parse::parse_query(text)
    }
}

impl TextField {
    /// The word before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Place => "place",
            Self::Camera => "camera",
            Self::Tag => "tag",
        }
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Missing, Self::Replaced, Self::Deleted];

    /// The word after `is:`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, term) in self.terms.iter().enumerate() {
            let gap = if n == 0 { "" } else { " " };
            write!(f, "{gap}{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negated { "-" } else { "" };
        write!(f, "{sign}{}", self.matcher)
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(phrase) => write_phrase(f, phrase),
            Self::Field { field, phrase } => {
                write!(f, "{}:", field.as_str())?;
                write_phrase(f, phrase)
            }
            Self::Kind(kinds) => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                write!(f, "{}:{}", Field::Type.as_str(), words.join(","))
            }
            Self::Date(range) => write!(f, "{}:{range}", Field::Date.as_str()),
            Self::Undated => write!(f, "{}:{}", Field::Date.as_str(), date::NONE),
            Self::Archive(name) => write_name(f, Field::Archive, name),
            Self::Collection(name) => write_name(f, Field::In, name),
            Self::Like(asset) => write!(f, "{}:{asset}", Field::Like.as_str()),
            Self::Shows(scene) => write_name(f, Field::Shows, &scene.words),
            Self::Is(state) => write!(f, "{}:{}", Field::Is.as_str(), state.as_str()),
        }
    }
}

fn write_phrase(f: &mut fmt::Formatter<'_>, phrase: &Phrase) -> fmt::Result {
    match phrase.tokens() {
        [word] => f.write_str(word)?,
        words => write!(f, "\"{}\"", words.join(" "))?,
    }
    f.write_str(if phrase.is_prefix() { "*" } else { "" })
}

fn write_name(f: &mut fmt::Formatter<'_>, field: Field, name: &str) -> fmt::Result {
    write!(f, "{}:{}", field.as_str(), quoted(name))
}

/// A name as it stands behind a colon: in quotation marks where it needs them.
fn quoted(name: &str) -> Cow<'_, str> {
    if !name.starts_with(is_quote) && !name.contains(is_gap) && !name.is_empty() {
        return Cow::Borrowed(name);
    }
    let mut quoted = String::from("\"");
    for c in name.chars() {
        quoted.push(c);
        if is_quote(c) {
            quoted.push(c);
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}
