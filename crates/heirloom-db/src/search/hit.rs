//! What was found, and why.

use heirloom_core::{
    Actor,
    text::{Phrase, Snippet, snippet},
};

use super::document::texts;
use crate::{
    Db, DbError,
    asset::{self, Asset},
};

/// How much of a text is shown, in characters.
const SNIPPET_CHARS: usize = 160;
/// How many texts are shown for one find.
const MATCHES: usize = 3;

/// A find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The asset.
    pub asset: Asset,
    /// Where the words of the query were found, the most telling first; empty for a query without
    /// words.
    pub matches: Vec<Match>,
}

/// A text in which words of the query were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What the text is to the asset.
    pub field: Field,
    /// The part of it to show.
    pub snippet: Snippet,
}

/// What a text is to an asset. The order is that in which they explain a find best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// What it is called.
    Title,
    /// Who is in it.
    Person,
    /// Where it was.
    Place,
    /// What it was tagged with.
    Tag,
    /// What was said about it.
    Caption,
    /// Who made it.
    Author,
    /// Make or model of the camera.
    Camera,
    /// The lens.
    Lens,
    /// The name of its file.
    Name,
    /// The path of its folder.
    Folder,
    /// What stands in it, as a machine read it.
    Text,
}

impl Field {
    /// The word used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Person => "person",
            Self::Place => "place",
            Self::Tag => "tag",
            Self::Caption => "caption",
            Self::Author => "author",
            Self::Camera => "camera",
            Self::Lens => "lens",
            Self::Name => "name",
            Self::Folder => "folder",
            Self::Text => "text",
        }
    }
}

impl Db {
    /// Says of each asset where the phrases are in it, as far as the actor may know of these places.
    pub(super) async fn explain(
        &self,
        actor: &Actor,
        phrases: &[(Option<Field>, Phrase)],
        assets: Vec<Asset>,
    ) -> Result<Vec<Hit>, DbError> {
        let mut hits = Vec::with_capacity(assets.len());
        if phrases.is_empty() {
            hits.extend(assets.into_iter().map(|asset| Hit {
                asset,
                matches: Vec::new(),
            }));
            return Ok(hits);
        }
        let ids: Vec<_> = assets.iter().map(|asset| asset.id).collect();
        let mut claims = self.list_text_claims(&ids).await?;
        let mut places = self.list_places_of(&ids).await?;
        for asset in assets {
            let claims = claims.remove(&asset.id).unwrap_or_default();
            let sight = actor.sight(asset.family_id);
            let mut places = places.remove(&asset.id).unwrap_or_default();
            places.retain(|place| sight.includes(place.audience));
            let shown = asset::shown_places(&places);
            let mut said = texts(&shown, &claims, None);
            said.sort_by_key(|(field, _)| *field);
            let mut matches = choose(&said, phrases);
            // What follows from a position, and what stands in it, are fetched only where nothing else
            // explains the find.
            let named;
            if !matches.explains_all && asset.placed.is_some() {
                named = self.find_place_words(asset.id).await?.unwrap_or_default();
                said.push((Field::Place, &named));
                matches = choose(&said, phrases);
            }
            let text;
            if !matches.explains_all {
                text = self.find_text(asset.id).await?.unwrap_or_default();
                said.push((Field::Text, &text));
                matches = choose(&said, phrases);
            }
            let matches = matches.found;
            hits.push(Hit { asset, matches });
        }
        Ok(hits)
    }
}

/// The texts that explain a find.
struct Chosen {
    found: Vec<Match>,
    explains_all: bool,
}

/// The fewest and best texts that have all the phrases between them.
fn choose(texts: &[(Field, &str)], phrases: &[(Option<Field>, Phrase)]) -> Chosen {
    let mut left: Vec<&(Option<Field>, Phrase)> = phrases.iter().collect();
    let mut matches = Vec::new();
    for (field, text) in texts {
        let may_be_here = |of: Option<Field>| of.is_none_or(|of| of == *field);
        let before = left.len();
        left.retain(|(of, phrase)| !(may_be_here(*of) && phrase.is_in(text)));
        if left.len() == before {
            continue;
        }
        let shown = phrases.iter().filter(|(of, _)| may_be_here(*of));
        let shown: Vec<Phrase> = shown.map(|(_, phrase)| phrase.clone()).collect();
        matches.push(Match {
            field: *field,
            snippet: snippet(text, &shown, SNIPPET_CHARS),
        });
        if left.is_empty() || matches.len() == MATCHES {
            break;
        }
    }
    Chosen {
        found: matches,
        explains_all: left.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_find_is_explained_by_the_most_telling_texts() {
        let texts = [
            (Field::Title, "Oma at the sea"),
            (Field::Place, "North Sea"),
            (Field::Name, "oma_beach.jpg"),
        ];
        let phrase = |field, text| (field, Phrase::new(text, false).unwrap());
        let of = |phrases: &[(Option<Field>, Phrase)]| -> Vec<(Field, usize)> {
            let matches = choose(&texts, phrases).found;
            let found = matches.iter();
            found
                .map(|found| (found.field, found.snippet.highlights.len()))
                .collect()
        };
        let words = [
            phrase(None, "oma"),
            phrase(None, "beach"),
            phrase(None, "sea"),
        ];
        assert_eq!(of(&words), [(Field::Title, 2), (Field::Name, 2)]);
        assert_eq!(
            of(&[phrase(Some(Field::Place), "sea")]),
            [(Field::Place, 1)]
        );
    }
}
