//! What the full-text index holds of one asset: folded words, and words that name what is known.
//!
//! Three sorts of words share one document and never meet, because the words of people hold letters
//! and digits alone:
//! - `beach`: a word of a text;
//! - `#beach`: the same word in a name, behind the mark of the field that it names (see [`mark`]);
//! - `_kind_image`, `_shown_…`: something that is the case.

use std::collections::{BTreeMap, HashMap};

use heirloom_core::{
    ArchiveId, AudienceId, CollectionId, MediaKind,
    bucket::Span,
    claim::{Claim, ClaimKind, believed_texts},
    query::TextField,
    tag::Noun,
    text,
};

use super::{ADD, DELETE, Field, span::span_word};
use crate::{
    DbError, Engine, Tx,
    asset::{Asset, AssetState},
    value::{Value, args},
};

/// The longest document, in words and in bytes; what is beyond is not searched. PostgreSQL counts
/// positions up to 16,383 and holds a megabyte at most.
const MAX_WORDS: usize = 16_000;
const MAX_BYTES: usize = 512 * 1024;
/// How many words of a name count, so that one endless tag leaves room for everything else.
const MAX_NAME_WORDS: usize = 250;
/// How often one word of a document counts: PostgreSQL holds no more positions of it.
const MAX_REPEATS: u32 = 255;
/// Stands between two texts so that no phrase reaches across.
const GAP: &str = "_";

/// Which of a family's assets a document counts among. The word for it also names the audience,
/// so one word of the index decides both whether an asset is listed and whether one may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Listed: there, or missing.
    Shown,
    /// Another asset took its place.
    Replaced,
    /// Somebody deleted it.
    Deleted,
}

impl Scope {
    pub(crate) fn of(asset: &Asset) -> Self {
        match (asset.deleted_at_ms, asset.state) {
            (Some(_), _) => Self::Deleted,
            (None, AssetState::Replaced) => Self::Replaced,
            (None, AssetState::Present | AssetState::Missing) => Self::Shown,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
        }
    }

    /// The index's word for this scope within one audience.
    pub(crate) fn word(self, audience: AudienceId) -> String {
        id_word(self.as_str(), audience.uuid())
    }
}

/// The index's word for something that is the case: `_kind_image`.
pub(crate) fn fact_word(what: &str, value: &str) -> String {
    format!("_{what}_{value}")
}

/// The same for what has an id.
pub(crate) fn id_word(what: &str, id: uuid::Uuid) -> String {
    format!("_{what}_{}", id.as_simple())
}

/// What stands before each word of a name. One character, so that the index's short prefixes serve
/// the beginnings of names as they serve those of words.
pub(crate) const fn mark(field: Field) -> Option<char> {
    match field {
        Field::Title => Some('='),
        Field::Person => Some('@'),
        Field::Place => Some('~'),
        Field::Tag => Some('#'),
        Field::Camera => Some('%'),
        _ => None,
    }
}

/// The field that `field:` in a query looks into.
pub(crate) const fn field_of(field: TextField) -> Field {
    match field {
        TextField::Person => Field::Person,
        TextField::Place => Field::Place,
        TextField::Camera => Field::Camera,
        TextField::Tag => Field::Tag,
    }
}

/// What is known of an asset when its document is put together.
pub(crate) struct Known<'a> {
    pub(crate) scope: Scope,
    pub(crate) audience: AudienceId,
    pub(crate) kind: MediaKind,
    pub(crate) is_missing: bool,
    pub(crate) is_replaced: bool,
    /// First and last second of its date, if it has one.
    pub(crate) date: Option<(Option<i64>, Option<i64>)>,
    /// Folder path and file name of each place, with the archive.
    pub(crate) places: Vec<(ArchiveId, &'a str, &'a str)>,
    pub(crate) collections: &'a [CollectionId],
    pub(crate) claims: &'a [Claim],
    /// What stands in it, and what is said in it.
    pub(crate) texts: &'a [(Field, &'a str)],
    /// What follows from its position: the names of the place, the region and the country.
    pub(crate) named: Option<&'a str>,
}

/// The texts of an asset by which it is found, each with what it is: names first and long ones last,
/// because a document has an end; what a machine read in it comes after all that people say. What is shown as the reason of a find is chosen from the same.
pub(crate) fn texts<'a>(
    places: &[(ArchiveId, &'a str, &'a str)],
    claims: &'a [Claim],
    found: &[(Field, &'a str)],
) -> Vec<(Field, &'a str)> {
    const SAID: [(ClaimKind, Field); 10] = [
        (ClaimKind::Title, Field::Title),
        (ClaimKind::Person, Field::Person),
        (ClaimKind::Speaker, Field::Person),
        (ClaimKind::Shown, Field::Person),
        (ClaimKind::Place, Field::Place),
        (ClaimKind::Tag, Field::Tag),
        (ClaimKind::Author, Field::Author),
        (ClaimKind::CameraMake, Field::Camera),
        (ClaimKind::CameraModel, Field::Camera),
        (ClaimKind::Lens, Field::Lens),
    ];
    let mut texts = Vec::new();
    for (kind, field) in SAID {
        push_said(&mut texts, kind, field, claims);
    }
    for (_, folder, name) in places {
        texts.push((Field::Name, *name));
        texts.push((Field::Folder, *folder));
    }
    push_said(&mut texts, ClaimKind::Caption, Field::Caption, claims);
    texts.extend(found);
    texts
}

fn push_said<'a>(
    texts: &mut Vec<(Field, &'a str)>,
    kind: ClaimKind,
    field: Field,
    claims: &'a [Claim],
) {
    // Few assets have claims of every kind.
    if claims.iter().all(|claim| claim.statement.kind() != kind) {
        return;
    }
    for text in believed_texts(kind, claims) {
        texts.push((field, text));
        // A tag of the vocabulary is found in every language.
        let noun = (kind == ClaimKind::Tag).then(|| Noun::find(text)).flatten();
        let names = noun.into_iter().flat_map(Noun::names);
        let others = names.filter(|name| !name.eq_ignore_ascii_case(text));
        texts.extend(others.map(|name| (field, name)));
    }
}

/// The words of a document in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    words: Vec<String>,
    bytes: usize,
}

impl Document {
    pub(crate) fn of(known: &Known<'_>) -> Self {
        let mut document = Self::default();
        document.push(known.scope.word(known.audience));
        document.push(fact_word("kind", known.kind.as_str()));
        for (is_set, flag) in [
            (known.is_missing, "missing"),
            (known.is_replaced, "replaced"),
        ] {
            if is_set {
                document.push(fact_word("is", flag));
            }
        }
        if let Some(word) = known.date.and_then(|date| span_word(Span::of(date))) {
            document.push(word);
        }
        for (at, (archive, ..)) in known.places.iter().enumerate() {
            if !known.places[..at].iter().any(|(id, ..)| id == archive) {
                document.push(id_word("archive", archive.uuid()));
            }
        }
        for collection in known.collections {
            document.push(id_word("in", collection.uuid()));
        }
        if let Some(named) = known.named {
            document.push_text(Field::Place, named);
        }
        for (field, text) in texts(&known.places, known.claims, known.texts) {
            document.push_text(field, text);
        }
        document.thin();
        document
    }

    fn push(&mut self, word: String) {
        if self.words.len() < MAX_WORDS && self.bytes + word.len() <= MAX_BYTES {
            self.bytes += word.len();
            self.words.push(word);
        }
    }

    fn push_text(&mut self, field: Field, text: &str) {
        let is_word = |word: &String| word.starts_with(char::is_alphanumeric);
        if self.words.last().is_some_and(is_word) {
            self.push(GAP.to_owned());
        }
        let first = self.words.len();
        let most = if matches!(field, Field::Caption | Field::Text | Field::Spoken) {
            MAX_WORDS
        } else {
            MAX_NAME_WORDS
        };
        for token in text::tokens(text).take(most) {
            self.push(token.text);
        }
        if let Some(mark) = mark(field) {
            for at in first..self.words.len() {
                let marked = format!("{mark}{}", self.words[at]);
                self.push(marked);
            }
        }
    }

    /// Leaves a gap for what is repeated too often, so that both engines hold the same.
    fn thin(&mut self) {
        if self.words.len() <= MAX_REPEATS as usize {
            return;
        }
        let mut counts: HashMap<String, u32> = HashMap::new();
        for word in &mut self.words {
            let count = counts.entry(word.clone()).or_default();
            *count += 1;
            if *count > MAX_REPEATS {
                GAP.clone_into(word);
            }
        }
    }

    /// The document as the engine takes it: words in order for SQLite, a `tsvector` with each
    /// word's positions for PostgreSQL. No word holds a space or a quotation mark.
    fn render(&self, engine: Engine) -> String {
        match engine {
            Engine::Sqlite => self.words.join(" "),
            Engine::Postgres => {
                // https://www.postgresql.org/docs/current/datatype-textsearch.html
                let mut positions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
                for (at, word) in self.words.iter().enumerate().filter(|(_, w)| *w != GAP) {
                    let of_word = positions.entry(word).or_default();
                    of_word.push((at + 1).to_string());
                }
                let entries = positions
                    .iter()
                    .map(|(word, at)| format!("'{word}':{}", at.join(",")));
                entries.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Puts documents in the index; none of these keys may be in it.
pub(crate) async fn add(tx: &mut Tx, mut documents: Vec<(i64, Document)>) -> Result<(), DbError> {
    let engine = tx.engine();
    // FTS5 gathers what comes in rising order and writes a part of the index whenever it does not.
    documents.sort_by_key(|(key, _)| *key);
    let rows = documents
        .into_iter()
        .map(|(key, document)| args![key, document.render(engine)]);
    tx.execute_rows(ADD, 2, rows.collect()).await?;
    Ok(())
}

/// Takes documents out of the index.
pub(crate) async fn delete(tx: &mut Tx, keys: &[i64]) -> Result<(), DbError> {
    let list = keys.iter().map(|key| Value::from(*key)).collect();
    tx.execute_list(DELETE, args![], list).await?;
    Ok(())
}
