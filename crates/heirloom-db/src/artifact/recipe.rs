//! What an artifact is made by, and the key that follows from it.

use heirloom_core::{AssetId, ContentHash, FamilyId};
use serde_json::Value as Json;

use super::{NewArtifact, Part};

/// What an artifact is made by: with the subject, everything that its key covers.
#[derive(Debug, Clone, Copy)]
pub struct Recipe<'a> {
    /// What it is.
    pub kind: &'a str,
    /// What of the asset it shows.
    pub part: Part,
    /// The tool and its version.
    pub tool: (&'a str, i64),
    /// The model that it uses, by its key; empty without one.
    pub model: &'a str,
    /// What the tool is asked for, as a JSON object; null for nothing.
    pub parameters: &'a Json,
    /// Hashes of what it is made from.
    pub inputs: &'a [ContentHash],
}

impl NewArtifact {
    pub(crate) fn recipe(&self) -> Recipe<'_> {
        Recipe {
            kind: self.kind,
            part: self.part,
            tool: (self.tool, self.tool_version),
            model: &self.model,
            parameters: &self.parameters,
            inputs: &self.inputs,
        }
    }
}

/// The key of an artifact about an asset: the same key is never computed twice.
#[must_use]
pub fn artifact_key(family: FamilyId, asset: AssetId, recipe: &Recipe<'_>) -> ContentHash {
    // Each field with its length, so that no two lists of fields are spelt alike.
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    let subject = recipe.part.of(asset);
    field(family.as_bytes());
    field(subject.kind.as_str().as_bytes());
    field(subject.id.as_bytes());
    field(subject.part.as_bytes());
    field(recipe.kind.as_bytes());
    field(recipe.tool.0.as_bytes());
    field(&recipe.tool.1.to_le_bytes());
    field(recipe.model.as_bytes());
    field(parameters_text(recipe.parameters).as_bytes());
    for input in recipe.inputs {
        field(input.as_bytes());
    }
    field(&0_i64.to_le_bytes()); // attempt
    ContentHash::from_bytes(*hasher.finalize().as_bytes())
}

/// A JSON object with its keys sorted.
pub(crate) fn parameters_text(parameters: &Json) -> String {
    match parameters {
        Json::Null => "{}".to_owned(),
        parameters => parameters.to_string(),
    }
}
