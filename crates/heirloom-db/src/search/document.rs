//! What the full-text index holds of one asset: folded words, and words that name fields.

use std::collections::BTreeMap;

use heirloom_core::{
    ArchiveId, AudienceId, MediaKind,
    claim::{Claim, ClaimKind, ClaimValue, resolve},
    text,
};

use super::{ADD, DELETE};
use crate::{
    DbError, Engine, Tx,
    value::{Value, args},
};

/// The longest document, in words; what is beyond is not searched.
const MAX_WORDS: usize = 16_000;
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
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
        }
    }

    /// The index's word for this scope within one audience.
    pub(crate) fn word(self, audience: AudienceId) -> String {
        format!("_{}_{}", self.as_str(), audience.uuid().as_simple())
    }
}

/// The words of a document in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    words: Vec<String>,
}

/// The index's word for a value of a field.
pub(crate) fn field_word(field: &str, value: &str) -> String {
    format!("_{field}_{value}")
}

/// What is known of an asset when its document is put together.
pub(crate) struct Known<'a> {
    pub(crate) scope: Scope,
    pub(crate) audience: AudienceId,
    pub(crate) kind: MediaKind,
    pub(crate) is_missing: bool,
    /// Whether its date may mean more than a year.
    pub(crate) is_date_wide: bool,
    pub(crate) is_dated: bool,
    /// Folder path and file name of each place, with the archive.
    pub(crate) places: Vec<(ArchiveId, &'a str, &'a str)>,
    pub(crate) claims: &'a [Claim],
}

impl Document {
    pub(crate) fn of(known: &Known<'_>) -> Self {
        let mut document = Self::default();
        document.words.push(known.scope.word(known.audience));
        document.words.push(field_word("kind", known.kind.as_str()));
        let flags = [
            (known.is_missing, "missing"),
            (known.is_dated, "dated"),
            (!known.is_dated, "undated"),
            (known.is_date_wide, "wide"),
        ];
        for (_, flag) in flags.into_iter().filter(|(is_set, _)| *is_set) {
            document.words.push(field_word("is", flag));
        }
        for (archive, folder, name) in &known.places {
            document.words.push(field_word(
                "archive",
                &archive.uuid().as_simple().to_string(),
            ));
            document.push_text(name);
            document.push_text(folder);
        }
        for kind in ClaimKind::ALL {
            let field = match kind {
                ClaimKind::Person => Some("person"),
                ClaimKind::Place => Some("place"),
                ClaimKind::Tag => Some("tag"),
                ClaimKind::CameraMake | ClaimKind::CameraModel => Some("camera"),
                _ => None,
            };
            for claim in resolve(kind, known.claims).believed {
                if let ClaimValue::Text(text) = claim.statement.value() {
                    document.push_text(text);
                    if let Some(field) = field {
                        document.push_field(field, text);
                    }
                }
            }
        }
        document.words.truncate(MAX_WORDS);
        document
    }

    fn push_text(&mut self, text: &str) {
        self.words.push(GAP.to_owned());
        self.words
            .extend(text::tokens(text).map(|token| token.text));
    }

    fn push_field(&mut self, field: &str, text: &str) {
        self.words.push(GAP.to_owned());
        self.words
            .extend(text::tokens(text).map(|token| field_word(field, &token.text)));
    }

    /// The document as the engine takes it: words in order for SQLite, a `tsvector` with each
    /// word's positions for PostgreSQL. Words hold letters, digits and `_` alone.
    fn render(&self, engine: Engine) -> String {
        match engine {
            Engine::Sqlite => self.words.join(" "),
            Engine::Postgres => {
                // https://www.postgresql.org/docs/current/datatype-textsearch.html: positions
                // beyond 16383 count as 16383, and a word has at most 256.
                let mut positions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
                for (at, word) in self.words.iter().enumerate().filter(|(_, w)| *w != GAP) {
                    let of_word = positions.entry(word).or_default();
                    if of_word.len() < 255 {
                        of_word.push((at + 1).to_string());
                    }
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
pub(crate) async fn add(tx: &mut Tx, documents: Vec<(i64, Document)>) -> Result<(), DbError> {
    let engine = tx.engine();
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
