//! What was found, and why.

use heirloom_core::{
    Actor,
    reading::Spot,
    text::{Phrase, Snippet, snippet},
};

use super::document::texts;
use crate::{
    Db, DbError,
    asset::{self, Asset},
    text::Text,
};

/// How much of a text is shown, in characters.
const SNIPPET_CHARS: usize = 160;
/// How many texts are shown for one find.
const MATCHES: usize = 3;

/// A find.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The asset.
    pub asset: Asset,
    /// Where the words of the query were found, the most telling first; empty for a query without
    /// words.
    pub matches: Vec<Match>,
}

/// A text in which words of the query were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// What the text is to the asset.
    pub field: Field,
    /// The part of it to show.
    pub snippet: Snippet,
    /// When that is said, or begins to stand there, in milliseconds from the beginning of the recording or film.
    pub at_ms: Option<u64>,
    /// Where the line is that it stands in, where it was read in a picture or on the pages of a document.
    pub spot: Option<Spot>,
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
    /// What is said in it, as a machine heard it.
    Spoken,
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
            Self::Spoken => "spoken",
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
            let mut said = texts(&shown, &claims, &[]);
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
            let texts;
            if !matches.explains_all {
                texts = Text::corrected(self.list_texts(asset.id).await?, &claims);
                said.extend(texts.iter().map(Text::found_by));
                matches = choose(&said, phrases);
                for found in &mut matches.found {
                    let mut texts = texts.iter().filter(|text| text.has_places());
                    if let Some(text) = texts.find(|text| text.found_by().0 == found.field) {
                        *found = find_line(text, phrases);
                    }
                }
            }
            let matches = matches.found;
            hits.push(Hit { asset, matches });
        }
        Ok(hits)
    }
}

/// Where in what is said or was read most of the phrases are: when that is said, or in which line it stands.
fn find_line(text: &Text, phrases: &[(Option<Field>, Phrase)]) -> Match {
    let (field, _) = text.found_by();
    let own = phrases
        .iter()
        .filter(|(of, _)| of.is_none_or(|of| of == field));
    let phrases: Vec<Phrase> = own.map(|(_, phrase)| phrase.clone()).collect();
    let (mut before, mut most) = (0, 0);
    // What lies across two lines is shown as it is, without when or where.
    let (mut shown, mut at_ms, mut spot) = (text.words.as_str(), None, None);
    for (number, line) in text.words.lines().enumerate() {
        let found: Vec<&Phrase> = phrases.iter().filter(|it| it.is_in(line)).collect();
        // Of equals the first.
        if found.len() > most {
            most = found.len();
            shown = line;
            let first = found.iter().map(|phrase| first_word(line, phrase)).min();
            at_ms = first
                .and_then(|first| text.times.get(before + first))
                .map(|(start_ms, _)| *start_ms);
            spot = text.spots.get(number).copied();
            at_ms = at_ms.or(spot.and_then(|spot| spot.at_ms));
        }
        before += line.split_whitespace().count();
    }
    Match {
        field,
        snippet: snippet(shown, &phrases, SNIPPET_CHARS),
        at_ms,
        spot,
    }
}

/// Which word of a line a phrase that is in it begins with, where it is found first.
fn first_word(line: &str, phrase: &Phrase) -> usize {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_in = |from: usize, until: usize| phrase.is_in(&words[from..until].join(" "));
    let until = (1..=words.len()).find(|until| is_in(0, *until));
    let until = until.unwrap_or(words.len());
    (0..until)
        .rev()
        .find(|from| is_in(*from, until))
        .unwrap_or(0)
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
            at_ms: None,
            spot: None,
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
    fn what_is_said_is_found_with_when_it_is_said() {
        let text = Text {
            words: "We went to the sea.\nThe train was late.\nThe sea was cold.\n".to_owned(),
            times: [
                0, 200, 400, 600, 800, 4_200, 4_500, 4_700, 4_900, 9_000, 9_200, 9_500, 9_800,
            ]
            .map(|start_ms| (start_ms, start_ms + 200))
            .to_vec(),
            ..Text::default()
        };
        let find = |words: &[&str]| {
            let phrases = words
                .iter()
                .map(|word| (None, Phrase::new(word, false).unwrap()));
            let found = find_line(&text, &phrases.collect::<Vec<_>>());
            (found.snippet.text, found.at_ms)
        };
        assert_eq!(
            find(&["train"]),
            ("The train was late.".to_owned(), Some(4_500))
        );
        assert_eq!(
            find(&["sea", "cold"]),
            ("The sea was cold.".to_owned(), Some(9_200))
        );
        assert_eq!(find(&["sea"]).1, Some(800));
        assert_eq!(find(&["the train"]).1, Some(4_200));
    }

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
