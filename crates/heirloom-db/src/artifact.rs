//! Artifacts: what was derived, from what, and with which tool.

use heirloom_core::{
    ArtifactId, AssetId, ContentHash, FamilyId, RunId, Subject,
    claim::{Author, Claim},
};
use serde_json::Value as Json;

use crate::{
    Db, DbError, Tx,
    claim::{self, NewClaim},
    clock,
    sql::statements,
    value::args,
};

/// An artifact on its way into the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewArtifact {
    /// What it is: `metadata`.
    pub kind: &'static str,
    /// The tool that made it.
    pub tool: &'static str,
    /// That tool's version; a changed result needs a changed version.
    pub tool_version: i64,
    /// Hashes of what it was made from.
    pub inputs: Vec<ContentHash>,
    /// What came out.
    pub payload: Payload,
}

/// An artifact's bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Small enough to lie in the database.
    Json(Json),
    /// A blob that is already stored, with its size in bytes.
    Blob(ContentHash, u64),
}

/// An artifact with what it claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The artifact.
    pub artifact: NewArtifact,
    /// What follows from it.
    pub claims: Vec<NewClaim>,
}

/// An artifact as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// What it is.
    pub kind: String,
    /// The tool that made it.
    pub tool: String,
    /// That tool's version.
    pub tool_version: i64,
    /// Its JSON, unless it is a blob.
    pub payload: Option<Json>,
    /// Its blob, unless it is JSON.
    pub blob_hash: Option<ContentHash>,
    /// When it was made.
    pub made_at_ms: i64,
}

statements! {
    ADD = "INSERT INTO artifact (id, family_id, subject_kind, subject_id, subject_part, kind, tool,
          tool_version, model_id, parameters, inputs, attempt, artifact_key, is_deterministic,
          payload, blob_hash, run_id, made_at_ms)
        VALUES {rows}";
    ADD_BLOB = "INSERT INTO blob (content_hash, size_bytes, created_at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (content_hash) DO NOTHING";
    LIST_OF_SUBJECT = "SELECT id, kind, tool, tool_version, payload, blob_hash, made_at_ms
        FROM artifact WHERE subject_id = $1 ORDER BY id";
    LIST_BY_TOOL = "SELECT id, artifact_key FROM artifact WHERE subject_id = $1 AND kind = $2 AND tool = $3";
    DELETE = "DELETE FROM artifact WHERE id = $1";
}

/// The kind of artifact that holds what a file says of itself.
pub const METADATA: &str = "metadata";

/// How many values an `ADD` row has.
const COLUMNS: usize = 18;

impl Db {
    /// What was derived from an asset. That the actor may see the asset was checked by whoever
    /// fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_artifacts(
        &self,
        asset: &crate::asset::Asset,
    ) -> Result<Vec<Artifact>, DbError> {
        let rows = self.fetch(LIST_OF_SUBJECT, args![asset.id]).await?;
        rows.iter()
            .map(|row| {
                let payload: Option<String> = row.get(4)?;
                Ok(Artifact {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    tool: row.get(2)?,
                    tool_version: row.get(3)?,
                    payload: payload
                        .map(|text| serde_json::from_str(&text))
                        .transpose()
                        .map_err(|error| DbError::unreadable("an artifact", error))?,
                    blob_hash: row.get(5)?,
                    made_at_ms: row.get(6)?,
                })
            })
            .collect()
    }
}

/// The key of an artifact about `asset`: the same key is never computed twice.
fn artifact_key(family: FamilyId, asset: AssetId, artifact: &NewArtifact) -> ContentHash {
    // Each field with its length, so that no two lists of fields are spelt alike.
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(family.as_bytes());
    field(b"asset");
    field(asset.as_bytes());
    field(b""); // part
    field(artifact.kind.as_bytes());
    field(artifact.tool.as_bytes());
    field(&artifact.tool_version.to_le_bytes());
    field(b""); // model
    field(b"{}"); // parameters
    for input in &artifact.inputs {
        field(input.as_bytes());
    }
    field(&0_i64.to_le_bytes()); // attempt
    ContentHash::from_bytes(*hasher.finalize().as_bytes())
}

/// Stores artifacts about assets that have none yet of these kinds, with their claims; gives the
/// claims back for what else is to be done with them.
pub(crate) async fn add_first(
    tx: &mut Tx,
    family: FamilyId,
    run: Option<RunId>,
    derived: Vec<(AssetId, Derived)>,
    now_ms: i64,
) -> Result<(), DbError> {
    let mut artifacts = Vec::new();
    let mut claims = Vec::new();
    for (asset, derived) in derived {
        let id = clock::new_id();
        let key = artifact_key(family, asset, &derived.artifact);
        artifacts.push(row(tx, (family, asset, run), id, key, derived.artifact, now_ms).await?);
        claims.extend(claims_of(asset, id, derived.claims, now_ms).map(|claim| (claim, None)));
    }
    tx.execute_rows(ADD, COLUMNS, artifacts).await?;
    claim::add(tx, family, claims).await
}

/// Stores an artifact about an asset in place of those that the same tool made before. Gives whether
/// anything changed: the same inputs and version give the same artifact, which is kept.
pub(crate) async fn replace(
    tx: &mut Tx,
    family: FamilyId,
    run: Option<RunId>,
    asset: AssetId,
    derived: Derived,
    now_ms: i64,
) -> Result<bool, DbError> {
    let key = artifact_key(family, asset, &derived.artifact);
    let (kind, tool) = (derived.artifact.kind, derived.artifact.tool);
    let mut is_there = false;
    let mut has_changed = false;
    for row in tx.fetch(LIST_BY_TOOL, args![asset, kind, tool]).await? {
        if row.get::<ContentHash>(1)? == key {
            is_there = true;
        } else {
            delete(tx, asset, row.get(0)?).await?;
            has_changed = true;
        }
    }
    if !is_there {
        add_first(tx, family, run, vec![(asset, derived)], now_ms).await?;
    }
    Ok(has_changed || !is_there)
}

/// Removes an asset's artifacts by one tool, with their claims; gives whether there were any.
pub(crate) async fn delete_by_tool(
    tx: &mut Tx,
    asset: AssetId,
    kind: &str,
    tool: &str,
) -> Result<bool, DbError> {
    let rows = tx.fetch(LIST_BY_TOOL, args![asset, kind, tool]).await?;
    for row in &rows {
        delete(tx, asset, row.get(0)?).await?;
    }
    Ok(!rows.is_empty())
}

async fn delete(tx: &mut Tx, asset: AssetId, artifact: ArtifactId) -> Result<(), DbError> {
    claim::delete_of_artifact(tx, asset, artifact).await?;
    tx.execute(DELETE, args![artifact]).await?;
    Ok(())
}

/// What an artifact claims about its asset.
pub(crate) fn claims_of(
    asset: AssetId,
    artifact: ArtifactId,
    claims: Vec<NewClaim>,
    now_ms: i64,
) -> impl Iterator<Item = Claim> {
    claims.into_iter().map(move |claim| Claim {
        id: clock::new_id(),
        subject: Subject::asset(asset),
        statement: claim.statement,
        is_negation: claim.is_negation,
        author: Author::Artifact(artifact),
        source: claim.source,
        confidence: claim.confidence,
        made_at_ms: now_ms,
        undone_at_ms: None,
    })
}

async fn row(
    tx: &mut Tx,
    (family, asset, run): (FamilyId, AssetId, Option<RunId>),
    id: ArtifactId,
    key: ContentHash,
    artifact: NewArtifact,
    now_ms: i64,
) -> Result<Vec<crate::value::Value>, DbError> {
    let inputs: Vec<String> = artifact.inputs.iter().map(ToString::to_string).collect();
    let (payload, blob) = match artifact.payload {
        Payload::Json(json) => (Some(json.to_string()), None),
        Payload::Blob(hash, size) => {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            tx.execute(ADD_BLOB, args![hash, size, now_ms]).await?;
            (None, Some(hash))
        }
    };
    Ok(args![
        id,
        family,
        "asset",
        asset,
        "",
        artifact.kind,
        artifact.tool,
        artifact.tool_version,
        "",
        "{}",
        Json::from(inputs).to_string(),
        0_i64,
        key,
        true,
        payload,
        blob,
        run,
        now_ms,
    ])
}
