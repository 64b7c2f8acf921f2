//! Whose voices are in recordings.

use heirloom_core::AssetId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asset, Segment, schema};

/// A voice of a recording, and where else it is heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Voice {
    /// What passages of the transcript call it, from 0 on.
    pub label: u32,
    /// Who people say it is.
    pub name: Option<String>,
    /// How long it speaks.
    pub spoken_ms: u64,
    /// The longest passage that it says: what a claim about it is anchored to. Null where it says no word.
    pub at: Option<Segment>,
    /// Whose voice it may be, where nobody says who it is.
    pub suggestion: Option<VoiceSuggestion>,
    /// In how many other recordings the same voice is heard, as far as models can tell.
    pub elsewhere_count: u64,
    /// The first of these, the most alike first.
    pub elsewhere: Vec<VoiceElsewhere>,
}

/// Somebody who sounds the same in another recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VoiceSuggestion {
    /// Who it is there.
    pub name: String,
    /// How alike both voices are, at most 1.
    pub likeness: f32,
    /// That recording.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
}

/// The same voice in another recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VoiceElsewhere {
    /// The recording.
    pub asset: Asset,
    /// What passages of its transcript call the voice.
    pub label: u32,
    /// Who people say it is there.
    pub name: Option<String>,
    /// How alike both voices are, at most 1.
    pub likeness: f32,
}
