//! Claims on the wire.

use heirloom_core::{
    AssetId, ClaimBatchId, ClaimId, SubjectKind,
    claim::{self as core, Cardinality, ClaimKind, Resolution, resolve},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::schema;

/// One statement about an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Claim {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: ClaimId,
    /// The asset that it is about.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// Which stretch of the recording it is about; null for anything else.
    pub at: Option<Segment>,
    /// Which strip of a page it is about; null for anything else.
    pub on: Option<Strip>,
    /// Which face it is about: its left, top, width and height as shares of the picture; null for the whole asset.
    pub area: Option<Vec<f64>>,
    /// When that face is seen in a film, in milliseconds; null for anything else.
    pub at_ms: Option<u64>,
    /// What it says something of.
    #[schema(schema_with = schema::claim_kind)]
    pub kind: ClaimKind,
    /// What it says: a text, a date (EDTF), a number, or `{latitude, longitude, altitude_m}`.
    #[schema(value_type = serde_json::Value)]
    pub value: serde_json::Value,
    /// Whether it denies that.
    pub is_negation: bool,
    /// Who says so.
    pub author: Author,
    /// Where the author has it from, such as `exif:DateTimeOriginal`; often empty for people.
    pub source: String,
    /// How sure the author is, 0 to 1.
    pub confidence: f32,
    /// When it was made.
    pub made_at_ms: i64,
    /// When it was taken back, if it was.
    pub undone_at_ms: Option<i64>,
}

/// From one millisecond of a recording to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Where it begins.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
}

/// A part of a page: a quadrilateral.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Strip {
    /// Which page, from 1; 1 of a picture that is a single sheet.
    pub page: u32,
    /// Its four corners, each to the right and down as shares of the page's width and height: top left as whoever reads it
    /// sees it, then with the clock.
    #[schema(value_type = Vec<Vec<f32>>)]
    pub corners: [[f32; 2]; 4],
}

/// Who makes a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Author {
    /// Whoever runs the machine.
    Operator,
    /// Somebody who was signed in.
    Account {
        /// Whose account it is.
        #[schema(schema_with = schema::id)]
        id: Uuid,
    },
    /// A tool, through what it made.
    Artifact {
        /// What it made.
        #[schema(schema_with = schema::id)]
        id: Uuid,
    },
}

/// What follows from all claims of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fact {
    /// What is said something of.
    #[schema(schema_with = schema::claim_kind)]
    pub kind: ClaimKind,
    /// `single` (one holds), `set` (each holds) or `contested` (one is believed, those that disagree
    /// are shown).
    pub cardinality: String,
    /// What is believed, the best first.
    pub believed: Vec<Claim>,
    /// What disagrees with that.
    pub disagreeing: Vec<Claim>,
}

/// A statement on its way in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClaim {
    /// Of which stretch of a recording: of what is said there (`said`), and of who says it (`speaker`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Segment>,
    /// Of which strip of a page: of what is written there (`written`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Strip>,
    /// Of which face (`shown`, `group`, `aside`): its left, top, width and height as shares of the picture as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Vec<f64>>,
    /// When that face is seen in a film, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// What is said something of.
    #[schema(schema_with = schema::claim_kind)]
    pub kind: ClaimKind,
    /// What is said.
    #[schema(value_type = serde_json::Value)]
    pub value: serde_json::Value,
    /// Whether that is denied.
    #[serde(default)]
    pub is_negation: bool,
    /// Where it is known from, in a few words.
    #[serde(default)]
    pub source: String,
    /// How sure it is, 0 to 1; 1 if nothing is said.
    #[serde(default = "sure")]
    pub confidence: f32,
}

/// A statement about many assets on its way in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClaimBatch {
    /// What it is about: 1 to 5,000 assets.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetId>,
    /// What is said something of.
    #[schema(schema_with = schema::claim_kind)]
    pub kind: ClaimKind,
    /// What is said.
    #[schema(value_type = serde_json::Value)]
    pub value: serde_json::Value,
    /// Whether that is denied.
    #[serde(default)]
    pub is_negation: bool,
    /// Where it is known from, in a few words.
    #[serde(default)]
    pub source: String,
    /// How sure it is, 0 to 1; 1 if nothing is said.
    #[serde(default = "sure")]
    pub confidence: f32,
    /// Of a position: leave out the assets of which one is known, so that no exact one is lost to a vague one.
    #[serde(default)]
    pub only_unplaced: bool,
}

/// What was said about many assets at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClaimBatch {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: ClaimBatchId,
    /// What it says something of.
    #[schema(schema_with = schema::claim_kind)]
    pub kind: ClaimKind,
    /// What it says.
    #[schema(value_type = serde_json::Value)]
    pub value: serde_json::Value,
    /// Whether it denies that.
    pub is_negation: bool,
    /// Where the author has it from.
    pub source: String,
    /// How sure the author is, 0 to 1.
    pub confidence: f32,
    /// When it was made.
    pub made_at_ms: i64,
    /// About how many assets it is that whoever asks may see.
    pub asset_count: usize,
    /// Of how many of them it was taken back.
    pub undone_count: usize,
}

const fn sure() -> f32 {
    1.0
}

impl From<&core::Claim> for Claim {
    fn from(claim: &core::Claim) -> Self {
        let seen = claim.subject.as_face();
        Self {
            id: claim.id,
            asset_id: AssetId::from_uuid(claim.subject.id),
            at: claim.subject.as_segment().map(Segment::from),
            on: claim.subject.as_strip().map(Strip::from),
            area: seen.map(|seen| seen.area.shares().into()),
            at_ms: seen.and_then(|seen| seen.at_ms),
            kind: claim.statement.kind(),
            value: claim.statement.value().to_json(),
            is_negation: claim.is_negation,
            author: match claim.author {
                core::Author::Operator => Author::Operator,
                core::Author::Account(id) => Author::Account { id: id.uuid() },
                core::Author::Artifact(id) => Author::Artifact { id: id.uuid() },
            },
            source: claim.source.clone(),
            confidence: claim.confidence,
            made_at_ms: claim.made_at_ms,
            undone_at_ms: claim.undone_at_ms,
        }
    }
}

impl From<heirloom_core::Segment> for Segment {
    fn from(segment: heirloom_core::Segment) -> Self {
        Self {
            start_ms: segment.start_ms(),
            end_ms: segment.end_ms(),
        }
    }
}

impl From<heirloom_core::Strip> for Strip {
    fn from(strip: heirloom_core::Strip) -> Self {
        Self {
            page: strip.page(),
            corners: strip.corners().0,
        }
    }
}

impl From<&heirloom_db::claim::ClaimBatch> for ClaimBatch {
    fn from(batch: &heirloom_db::claim::ClaimBatch) -> Self {
        Self {
            id: batch.id,
            kind: batch.statement.kind(),
            value: batch.statement.value().to_json(),
            is_negation: batch.is_negation,
            source: batch.source.clone(),
            confidence: batch.confidence,
            made_at_ms: batch.made_at_ms,
            asset_count: batch.assets.len(),
            undone_count: batch.undone_count,
        }
    }
}

impl Fact {
    /// What follows from these claims, all about one asset; kinds of which nothing is believed are
    /// left out.
    pub(crate) fn list(claims: &[core::Claim]) -> Vec<Self> {
        let of_asset = |kind: &ClaimKind| kind.subject_kind() == SubjectKind::Asset;
        let facts = ClaimKind::ALL.into_iter().filter(of_asset).map(|kind| {
            let Resolution {
                believed,
                disagreeing,
            } = resolve(kind, claims);
            Self {
                kind,
                cardinality: match kind.cardinality() {
                    Cardinality::Single => "single",
                    Cardinality::Set => "set",
                    Cardinality::Contested => "contested",
                }
                .to_owned(),
                believed: believed.into_iter().map(Claim::from).collect(),
                disagreeing: disagreeing.into_iter().map(Claim::from).collect(),
            }
        });
        facts.filter(|fact| !fact.believed.is_empty()).collect()
    }
}
