//! What stands in assets and what is said in them, as far as they are found by it.
//!
//! A copy of the newest text that a tool read, kept beside the artifact by `keep` alone and gone with it. The
//! index is made of it, and the reason of a find is shown from it.

use std::collections::{BTreeSet, HashMap};

use heirloom_core::{
    ArtifactId, AssetId, Segment,
    claim::{Claim, ClaimKind},
    reading::{Block, Line, Page, Reading, Spot},
    transcript::{Passage, Transcript, Word},
};
use serde_json::json;

use crate::{
    Db, DbError, Tx, asset,
    row::Row,
    search::Field,
    sql::statements,
    timeline,
    value::{Value, args},
    voice::{self, Voice},
};

/// What stands in an asset, or is said in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    /// Its words.
    pub words: String,
    /// From when to when each word of what is said, as spaces part them, is said, in milliseconds; empty for what is
    /// read.
    pub times: Vec<(u64, u64)>,
    /// Who says it, where voices were told apart. They are kept beside it, and not part of what is read of it.
    pub voices: Vec<Voice>,
    /// Where each line of what was read in a picture is; empty for what is said, and for what a document says itself.
    pub spots: Vec<Spot>,
}

impl Text {
    /// What stands in a document that says so itself.
    #[must_use]
    pub fn written(words: String) -> Self {
        Self {
            words,
            ..Self::default()
        }
    }

    /// What was read in a picture or on the pages of a document: a line for each line.
    #[must_use]
    pub fn read(reading: &Reading) -> Self {
        let lines = reading.lines();
        Self::of_lines(lines.map(|(line, spot)| (line.text.as_str(), spot)))
    }

    /// Its words, with what they are to the asset.
    pub(crate) fn found_by(&self) -> (Field, &str) {
        let field = match self.times.is_empty() {
            true => Field::Text,
            false => Field::Spoken,
        };
        (field, &self.words)
    }

    /// Whether it is known where its lines are, or when its words are said.
    pub(crate) const fn has_places(&self) -> bool {
        !(self.times.is_empty() && self.spots.is_empty())
    }

    fn of_lines<'a>(lines: impl Iterator<Item = (&'a str, Spot)>) -> Self {
        let mut text = Self::default();
        for (line, spot) in lines {
            let line = line.trim();
            if !line.is_empty() {
                text.words.push_str(line);
                text.words.push('\n');
                text.spots.push(spot);
            }
        }
        text
    }

    /// What is said: a line for each passage.
    #[must_use]
    pub fn spoken(transcript: &Transcript) -> Self {
        let passages = transcript.passages.iter();
        Self {
            words: transcript.to_text(),
            times: passages.flat_map(Passage::word_times_ms).collect(),
            voices: Voice::list(transcript),
            spots: Vec::new(),
        }
    }

    /// All texts of an asset as they are looked for: as people corrected them by these claims, or wrote them down themselves,
    /// and with divided words whole.
    pub(crate) fn corrected(mut texts: Vec<Self>, claims: &[Claim]) -> Vec<Self> {
        let is_only_read = |text: &Self| text.times.is_empty() && !text.words.is_empty();
        let is_heard_by_people =
            texts.iter().all(is_only_read) && is_claimed(ClaimKind::Said, claims);
        if texts.is_empty() || is_heard_by_people {
            texts.push(Self::default());
        }
        let texts = texts.into_iter().map(|text| text.corrected_by(claims));
        texts.filter(|text| !text.words.is_empty()).collect()
    }

    fn corrected_by(self, claims: &[Claim]) -> Self {
        let is_heard = !self.times.is_empty() || self.words.is_empty();
        if is_heard && is_claimed(ClaimKind::Said, claims) {
            return Self::spoken(&self.to_transcript().corrected(claims));
        }
        let has_corrections = is_claimed(ClaimKind::Written, claims);
        if self.spots.is_empty() && !has_corrections {
            return self;
        }
        let reading = self.to_reading(has_corrections).corrected(claims);
        let words = reading.to_words();
        Self::of_lines(words.iter().map(|(line, spot)| (line.as_str(), *spot)))
    }

    fn to_transcript(&self) -> Transcript {
        let mut times = self.times.iter().copied();
        let mut passages = Vec::new();
        for line in self.words.lines() {
            let words = line.split_whitespace().zip(times.by_ref());
            passages.extend(Passage::of_words(
                words
                    .map(|(word, (start_ms, end_ms))| Word {
                        start_ms,
                        end_ms,
                        text: format!(" {word}"),
                        probability: 1.0,
                    })
                    .collect(),
                None,
            ));
        }
        Transcript {
            passages,
            ..Transcript::default()
        }
    }

    /// `has_words` asks for where the words of its lines are.
    fn to_reading(&self, has_words: bool) -> Reading {
        let mut pages: Vec<Page> = Vec::new();
        let spots = self.spots.iter().copied();
        let spots = spots.chain(std::iter::repeat(Spot::default()));
        for (text, spot) in self.words.lines().zip(spots) {
            let sheet = |page: &Page| (page.page, page.at.map(Segment::start_ms));
            if pages.last().is_none_or(|page| sheet(page) != spot.sheet()) {
                pages.push(Page {
                    page: spot.page,
                    at: spot
                        .at_ms
                        .and_then(|at_ms| Segment::new(at_ms, at_ms + 1).ok()),
                    blocks: vec![Block::default()],
                    ..Page::default()
                });
            }
            let line = match has_words {
                true => Line::of_text(text, spot.corners),
                false => Line {
                    text: text.to_owned(),
                    corners: spot.corners,
                    ..Line::default()
                },
            };
            let block = pages.last_mut().and_then(|page| page.blocks.last_mut());
            if let Some(block) = block {
                block.lines.push(line);
            }
        }
        Reading { pages }
    }
}

/// Whether somebody says something of this kind.
fn is_claimed(kind: ClaimKind, claims: &[Claim]) -> bool {
    let mut standing = claims.iter().filter(|claim| claim.undone_at_ms.is_none());
    standing.any(|claim| claim.statement.kind() == kind)
}

/// The most bytes of text by which an asset is found: as much as a document of the index holds.
const WORDS_BYTES: usize = 512 * 1024;

statements! {
    // What was read on the pages of a document has what the document says itself in it.
    KEEP = "INSERT INTO asset_text (asset_id, artifact_id, words, times, voices, spots, is_said)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (asset_id, is_said) DO UPDATE SET artifact_id = excluded.artifact_id, words = excluded.words,
          times = excluded.times, voices = excluded.voices, spots = excluded.spots
        WHERE asset_text.spots IS NULL OR excluded.spots IS NOT NULL";
    LIST = "SELECT asset_id, words, times, spots FROM asset_text
        WHERE asset_id IN ({list}) ORDER BY asset_id, is_said";
    LIST_OF = "SELECT words, times, spots FROM asset_text WHERE asset_id = $1 ORDER BY is_said";
}

impl Db {
    /// What stands in an asset, and what is said in it, that was fetched for whoever asks.
    pub(crate) async fn list_texts(&self, asset: AssetId) -> Result<Vec<Text>, DbError> {
        let rows = self.fetch(LIST_OF, args![asset]).await?;
        rows.iter().map(|row| read(row, 0)).collect()
    }
}

/// Keeps the beginning of what artifacts read in assets, in the place of what was read before, and has the
/// assets found by it.
pub(crate) async fn keep(
    tx: &mut Tx,
    texts: Vec<(AssetId, ArtifactId, Text)>,
) -> Result<(), DbError> {
    if texts.is_empty() {
        return Ok(());
    }
    let mut assets = BTreeSet::new();
    for (asset, artifact, text) in texts {
        let Text {
            words,
            times,
            voices,
            spots,
        } = text;
        let words = words.get(..words.floor_char_boundary(WORDS_BYTES));
        // PostgreSQL keeps no NUL.
        let words = words.unwrap_or_default().replace('\0', " ");
        let times = (!times.is_empty()).then(|| json!(times).to_string());
        let count = voice::count(&voices);
        let is_said = times.is_some();
        let spots = (!spots.is_empty()).then(|| serde_json::to_string(&spots).unwrap_or_default());
        // What stands in a film says nothing of who speaks there.
        if spots.is_none() {
            voice::keep(tx, asset, artifact, &voices).await?;
        }
        let row = args![asset, artifact, words, times, count, spots, is_said];
        tx.execute(KEEP, row).await?;
        assets.insert(asset);
    }
    timeline::lock(tx).await?;
    asset::refresh(tx, &assets.into_iter().collect::<Vec<_>>()).await
}

/// What stands in these assets, and what is said in them.
pub(crate) async fn list(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<HashMap<AssetId, Vec<Text>>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let mut texts: HashMap<AssetId, Vec<Text>> = HashMap::new();
    for row in &tx.fetch_list(LIST, args![], list).await? {
        texts.entry(row.get(0)?).or_default().push(read(row, 1)?);
    }
    Ok(texts)
}

fn read(row: &Row, column: usize) -> Result<Text, DbError> {
    let times: Option<String> = row.get(column + 1)?;
    let times = times.as_deref().map(serde_json::from_str).transpose();
    let spots: Option<String> = row.get(column + 2)?;
    let spots = spots.as_deref().map(serde_json::from_str).transpose();
    Ok(Text {
        words: row.get(column)?,
        times: times
            .map_err(|error| DbError::unreadable("when something is said", error))?
            .unwrap_or_default(),
        voices: Vec::new(),
        spots: spots
            .map_err(|error| DbError::unreadable("where something stands", error))?
            .unwrap_or_default(),
    })
}
