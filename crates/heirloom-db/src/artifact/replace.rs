//! Putting what a tool made again in the place of what it made before.

use std::collections::HashMap;

use heirloom_core::{ArtifactId, AssetId, ContentHash, FamilyId, RunId, UnitId};

use super::{Derived, Payload, add, artifact_key, delete, parameters_text, read_json};
use crate::{DbError, Tx, claim, sql::statements, value::args};

statements! {
    LIST_MADE = "SELECT id, artifact_key, tool_version, model_id, payload, blob_hash, parameters FROM artifact
        WHERE subject_id = $1 AND tool = $2 AND (parameters = $3 OR $4)";
}

/// What came of putting something in the place of what a tool had made before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Whether the same tool, in the same version, with the same model and of the same inputs, made something else.
    pub(crate) is_different: bool,
    /// Whether something is claimed by now that was not, or the other way round.
    pub(crate) has_new_claims: bool,
}

/// Puts what a tool has made of an asset in the place of all that it made of it before with the same
/// parameters, whatever its version and its model; of a text, of which an asset has one, with whatever parameters. What came out the same stays as it is, with its id and origin.
pub(crate) async fn replace(
    tx: &mut Tx,
    (family, run, unit): (FamilyId, RunId, UnitId),
    asset: AssetId,
    derived: &[Derived],
    now_ms: i64,
) -> Result<Replaced, DbError> {
    let mut replaced = Replaced::default();
    let Some(first) = derived.first().map(|derived| &derived.artifact) else {
        return Ok(replaced);
    };
    let mut before = HashMap::new();
    let mut has_been_made = false;
    let parameters = parameters_text(&first.parameters);
    let is_text = matches!(first.payload, Payload::Text { .. });
    let made_so = args![asset, first.tool, &parameters, is_text];
    for row in tx.fetch(LIST_MADE, made_so).await? {
        let (id, key): (ArtifactId, ContentHash) = (row.get(0)?, row.get(1)?);
        // Of another version it is no wonder that something comes out otherwise.
        let is_current = row.get::<i64>(2)? == first.tool_version
            && row.get::<String>(3)? == first.model
            && row.get::<String>(6)? == parameters;
        has_been_made |= is_current;
        let payload: Option<String> = row.get(4)?;
        let payload = payload.as_deref().map(read_json).transpose()?;
        before.insert(
            key,
            (id, is_current, payload, row.get::<Option<ContentHash>>(5)?),
        );
    }
    let mut new = Vec::new();
    for derived in derived {
        let key = artifact_key(family, asset, &derived.artifact.recipe());
        let Some((id, _, payload, blob)) = before.remove(&key) else {
            replaced.is_different |= has_been_made;
            new.push((asset, Some(unit), derived.clone()));
            continue;
        };
        let is_same = payload.as_ref() == derived.artifact.payload.json()
            && blob == derived.artifact.payload.blob()
            && claim::are_all_of_artifact(tx, asset, id, &derived.claims).await?;
        if is_same {
            continue;
        }
        replaced.is_different = true;
        delete(tx, asset, id).await?;
        new.push((asset, Some(unit), derived.clone()));
    }
    for (id, is_current, ..) in before.into_values() {
        replaced.is_different |= is_current;
        replaced.has_new_claims = true;
        delete(tx, asset, id).await?;
    }
    replaced.has_new_claims |= !new.is_empty();
    add(tx, (family, Some(run)), new, now_ms).await?;
    Ok(replaced)
}
