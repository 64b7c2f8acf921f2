//! Lineage on the wire.

use heirloom_core::{AssetId, ContentHash, RunId, UnitId};
use heirloom_pipeline::lineage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Artifact, Claim, schema};

/// How an artifact came about, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lineage {
    /// The artifact.
    pub artifact: Artifact,
    /// The asset it was made of.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// What that is called.
    pub asset_name: String,
    /// The run that it was made in.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub run_id: Option<RunId>,
    /// The unit that made it; null for what a scan read by the way.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub unit_id: Option<UnitId>,
    /// What the tool was asked for.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
    /// What it was made from.
    pub inputs: Vec<LineageInput>,
    /// Whether the same inputs would give the same again.
    pub is_deterministic: bool,
    /// The version that the tool has by now; null when there is no such tool any more.
    pub current_version: Option<i64>,
    /// Whether the tool has changed since, so that it may make something else by now.
    pub is_stale: bool,
    /// Artifacts that were made from this one.
    pub derived: Vec<Artifact>,
    /// What it states.
    pub claims: Vec<Claim>,
}

/// Something that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineageInput {
    /// BLAKE3 of it.
    #[schema(schema_with = schema::hash)]
    pub hash: ContentHash,
    /// What it is.
    pub source: LineageSource,
    /// What that is called: the name, the id of the artifact, or the words.
    pub name: Option<String>,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineageSource {
    /// The bytes of the original.
    Original,
    /// The name of one of its files.
    Name,
    /// A sidecar.
    Sidecar,
    /// Another artifact, or what it states.
    Artifact,
    /// What a person said.
    Said,
    /// Something that is not known any more.
    Gone,
}

impl From<lineage::Lineage> for Lineage {
    fn from(lineage: lineage::Lineage) -> Self {
        let is_stale = lineage.is_stale();
        let lineage::Lineage {
            artifact, asset, ..
        } = lineage;
        Self {
            asset_id: asset.id,
            asset_name: asset.name,
            run_id: artifact.run_id,
            unit_id: artifact.unit_id,
            parameters: artifact.parameters.clone(),
            inputs: lineage.inputs.into_iter().map(Into::into).collect(),
            is_deterministic: artifact.is_deterministic,
            current_version: lineage.current_version,
            is_stale,
            derived: lineage.derived.into_iter().map(Into::into).collect(),
            claims: lineage.claims.iter().map(Into::into).collect(),
            artifact: artifact.into(),
        }
    }
}

impl From<lineage::Input> for LineageInput {
    fn from(input: lineage::Input) -> Self {
        let (source, name) = match input.source {
            lineage::Source::Original => (LineageSource::Original, None),
            lineage::Source::Name(name) => (LineageSource::Name, Some(name)),
            lineage::Source::Sidecar(name) => (LineageSource::Sidecar, Some(name)),
            lineage::Source::Artifact(id) => (LineageSource::Artifact, Some(id.to_string())),
            lineage::Source::Said(words) => (LineageSource::Said, Some(words)),
            lineage::Source::Gone => (LineageSource::Gone, None),
        };
        Self {
            hash: input.hash,
            source,
            name,
        }
    }
}
