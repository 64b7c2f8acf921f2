//! What a search found, on the wire.

use heirloom_core::query::Caret;
use heirloom_db::search as db;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asset::Asset;

/// A page of what a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchPage {
    /// What was found.
    pub items: Vec<Found>,
    /// Where the next page begins: the value for `after`. Null on the last page.
    pub next: Option<String>,
    /// The query as it was understood.
    pub query: String,
    /// What was typed but cannot be looked for.
    pub ignored: Vec<Ignored>,
    /// How pictures were found by what they show; null for a query that does not ask for that.
    pub shown: Option<Shown>,
}

/// How pictures were found by what they show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shown {
    /// `pictures`: what was asked for was compared with the pictures themselves. `names`: no model is here for that, so it was
    /// compared with the names of tags, people and places, and looked for in what is written.
    pub by: String,
    /// The model that compared it; null where there is none for names either, and only the words were looked for.
    pub model: Option<String>,
}

/// An asset that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// The asset.
    #[serde(flatten)]
    pub asset: Asset,
    /// Where the words of the query are, the most telling first; empty for a query without words.
    pub matches: Vec<Match>,
}

/// A text in which words of the query are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Match {
    /// What the text is to the asset: `title`, `person`, `place`, `tag`, `caption`, `author`,
    /// `camera`, `lens`, `name`, `folder`, `text` (stands in it) or `spoken` (is said in it).
    pub field: String,
    /// The part of it that shows why, on one line.
    pub text: String,
    /// What was found in it, in order.
    pub highlights: Vec<Highlight>,
    /// When that is said, or begins to stand there, in milliseconds from the beginning of the recording or film; null for what
    /// is neither.
    #[serde(default)]
    pub at_ms: Option<u64>,
    /// The page that it stands on, from 1; null where there are no pages, or it is not known.
    #[serde(default)]
    pub page: Option<u32>,
    /// The rectangle around the line that it stands in: left, top, width and height as shares of the page; null where it
    /// was not read in a picture.
    #[serde(default, rename = "box")]
    pub rectangle: Option<Vec<f32>>,
}

/// A stretch of a text, counted in bytes of its UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Highlight {
    /// Its first byte.
    pub start: usize,
    /// The first byte behind it.
    pub end: usize,
}

/// How a query could go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suggestions {
    /// What could stand at the caret, the most telling first.
    pub items: Vec<Suggestion>,
    /// The stretch of the query that gives way to whichever is chosen, counted in bytes of its UTF-8; empty
    /// where something is put in.
    pub replaces: Highlight,
}

/// Something that a query could go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suggestion {
    /// What it is: `field`, `type`, `date`, `person`, `place`, `camera`, `tag`, `archive`, `in` (a collection)
    /// or `is` (a state).
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// What to write. A value follows a field; anything else ends a term.
    pub text: String,
    /// How many of the assets that the asker may see have just this; null where that is not counted.
    pub assets: Option<i64>,
}

impl Suggestions {
    pub(crate) fn new(caret: &Caret, found: Vec<db::Suggestion>) -> Self {
        let items = found.into_iter().map(|found| Suggestion {
            kind: found.slot.as_str().to_owned(),
            name: found.name,
            text: found.text,
            assets: found.assets,
        });
        let range = caret.range();
        Self {
            items: items.collect(),
            replaces: Highlight {
                start: range.start,
                end: range.end,
            },
        }
    }
}

/// Something typed that has nothing to look for in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ignored {
    /// As it was typed.
    pub text: String,
}

impl From<db::Match> for Match {
    fn from(found: db::Match) -> Self {
        let highlights = found.snippet.highlights.into_iter().map(|range| Highlight {
            start: range.start,
            end: range.end,
        });
        Self {
            field: found.field.as_str().to_owned(),
            highlights: highlights.collect(),
            at_ms: found.at_ms,
            page: found.spot.and_then(|spot| spot.page),
            rectangle: found
                .spot
                .and_then(|spot| spot.corners)
                .map(|corners| corners.rectangle().to_vec()),
            text: found.snippet.text,
        }
    }
}

/// How the full-text index was, and how it is since it was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndexRebuilt {
    /// How many assets there are.
    pub assets: i64,
    /// How many of them were in it.
    pub documents_before: i64,
    /// How many are.
    pub documents: i64,
    /// How many words were in it.
    pub words_before: i64,
    /// How many are.
    pub words: i64,
    /// Whether these numbers are as they were, and it could be read through.
    pub was_the_same: bool,
}

impl IndexRebuilt {
    pub(crate) fn new(before: &db::Coverage, after: &db::Coverage) -> Self {
        Self {
            assets: after.assets,
            documents_before: before.documents,
            documents: after.documents,
            words_before: before.words,
            words: after.words,
            was_the_same: before == after,
        }
    }
}
