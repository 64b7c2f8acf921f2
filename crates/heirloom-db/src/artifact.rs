//! Artifacts: what was derived, from what, and with which tool.

mod look;
mod made;
mod recipe;
mod replace;

use std::collections::{BTreeMap, BTreeSet};

use heirloom_core::{
    Actor, ArtifactId, AssetId, ContentHash, FamilyId, RunId, Subject, SubjectKind, UnitId,
    claim::{Author, Claim},
    face::Face,
};
use serde_json::Value as Json;

use crate::{
    Db, DbError, Tx,
    asset::Asset,
    blob,
    claim::{self, NewClaim, Provenance},
    clock, duplicate, face, imprint, meaning,
    row::Row,
    sql::statements,
    text::{self, Text},
    value::{Value, args},
};

pub use look::Look;
pub(crate) use look::STATEMENTS as LOOK_STATEMENTS;
pub(crate) use made::{AllMade, STATEMENTS as MADE_STATEMENTS, list_keys, list_made};
pub use recipe::{Recipe, artifact_key};

pub(crate) use recipe::parameters_text;
pub(crate) use replace::{STATEMENTS as REPLACE_STATEMENTS, replace};

/// An artifact on its way into the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewArtifact {
    /// What it is: `metadata`.
    pub kind: &'static str,
    /// What of the asset it shows.
    pub part: Part,
    /// The tool that made it.
    pub tool: &'static str,
    /// That tool's version; a changed result needs a changed version.
    pub tool_version: i64,
    /// The model that it used, by its key; empty without one.
    pub model: String,
    /// What the tool was asked for, as a JSON object; null for nothing.
    pub parameters: Json,
    /// Whether the same inputs would give the same again, so that it may be deleted and remade.
    pub is_deterministic: bool,
    /// Hashes of what it was made from.
    pub inputs: Vec<ContentHash>,
    /// What came out.
    pub payload: Payload,
}

/// What of an asset something is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// One of its pages, from 1.
    Page(u32),
}

impl Part {
    /// The subject that it makes of an asset.
    #[must_use]
    pub fn of(self, asset: AssetId) -> Subject {
        let whole = Subject::asset(asset);
        match self {
            Self::Whole => whole,
            Self::Page(page) => Subject {
                kind: SubjectKind::Page,
                part: page.to_string(),
                ..whole
            },
        }
    }
}

/// An artifact's bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Small enough to lie in the database.
    Json(Json),
    /// A blob that is already stored, with its size in bytes.
    Blob(ContentHash, u64),
    /// Such a blob, with what is said of it: its media type, how large it is.
    Media(Json, ContentHash, u64),
    /// What stands in the asset, as JSON here or in a blob, and its words, by which the asset is found.
    Text {
        /// The JSON, where it is small enough to lie in the database.
        json: Option<Json>,
        /// Else the blob that is already stored, with its size in bytes.
        blob: Option<(ContentHash, u64)>,
        /// The words, and when they are said.
        text: Text,
    },
    /// The faces that are in the asset, as JSON here or in a blob, and by themselves.
    Faces {
        /// The JSON, where it is small enough to lie in the database.
        json: Option<Json>,
        /// Else the blob that is already stored, with its size in bytes.
        blob: Option<(ContentHash, u64)>,
        /// The faces.
        faces: Vec<Face>,
    },
}

impl Payload {
    /// What lies in the database.
    #[must_use]
    pub const fn json(&self) -> Option<&Json> {
        match self {
            Self::Json(json) | Self::Media(json, ..) => Some(json),
            Self::Text { json, .. } | Self::Faces { json, .. } => json.as_ref(),
            Self::Blob(..) => None,
        }
    }

    /// The blob that has to be there.
    #[must_use]
    pub const fn blob(&self) -> Option<ContentHash> {
        match self {
            Self::Json(_) | Self::Text { blob: None, .. } | Self::Faces { blob: None, .. } => None,
            Self::Blob(hash, _)
            | Self::Media(_, hash, _)
            | Self::Text {
                blob: Some((hash, _)),
                ..
            }
            | Self::Faces {
                blob: Some((hash, _)),
                ..
            } => Some(*hash),
        }
    }
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
    /// The asset it was made of.
    pub asset_id: AssetId,
    /// Which piece of it it is about; empty for the whole.
    pub part: String,
    /// What it is.
    pub kind: String,
    /// The tool that made it.
    pub tool: String,
    /// That tool's version.
    pub tool_version: i64,
    /// The model that it used, by its key; empty without one.
    pub model: String,
    /// What the tool was asked for.
    pub parameters: Json,
    /// Hashes of what it was made from.
    pub inputs: Vec<ContentHash>,
    /// Whether the same inputs would give the same again.
    pub is_deterministic: bool,
    /// The run that it was made in.
    pub run_id: Option<RunId>,
    /// The unit that made it.
    pub unit_id: Option<UnitId>,
    /// Its JSON, unless that is its blob; what is said of its blob, where that is something else.
    pub payload: Option<Json>,
    /// Its blob, unless it is JSON.
    pub blob_hash: Option<ContentHash>,
    /// How long its blob is.
    pub size_bytes: Option<i64>,
    /// When it was made.
    pub made_at_ms: i64,
}

/// The columns of an [`Artifact`], in the order in which [`read`] takes them, and where they are from.
macro_rules! columns {
    () => {
        "r.id, r.subject_id, r.subject_part, r.kind, r.tool, r.tool_version, r.parameters, r.inputs, \
         r.is_deterministic, r.run_id, r.unit_id, r.payload, r.blob_hash, b.size_bytes, r.made_at_ms, r.model_id \
         FROM artifact r LEFT JOIN blob b ON b.content_hash = r.blob_hash"
    };
}

statements! {
    ADD = "INSERT INTO artifact (id, family_id, subject_kind, subject_id, subject_part, kind, tool,
          tool_version, model_id, parameters, inputs, attempt, artifact_key, is_deterministic,
          payload, blob_hash, run_id, unit_id, made_at_ms)
        VALUES {rows}";
    LIST_OF_SUBJECT = concat!("SELECT ", columns!(), " WHERE r.subject_id = $1 ORDER BY r.id");
    GET = concat!("SELECT ", columns!(), " WHERE r.id = $1");
    FIND_NEWEST = concat!("SELECT ", columns!(), " WHERE r.subject_id = $1 AND r.kind = $2
          AND r.subject_part = $3 ORDER BY r.id DESC LIMIT 1");
    LIST_SEEN = "SELECT tool, inputs FROM artifact WHERE subject_id = $1 AND kind = $2";
    LIST_BY_TOOL = "SELECT subject_id, id, tool_version, inputs FROM artifact
        WHERE kind = $1 AND tool = $2 AND subject_id IN ({list})";
    LIST_NAMES = "SELECT asset_id, name FROM asset_location
        WHERE gone_at_ms IS NULL AND asset_id IN ({list})";
    LIST_PAYLOADS = "SELECT r.subject_id, r.payload, r.blob_hash, COALESCE(b.size_bytes, 0)
        FROM artifact r LEFT JOIN blob b ON b.content_hash = r.blob_hash
        WHERE r.kind = $1 AND r.tool = $2 AND r.subject_id IN ({list})";
    // What was read, and what would not come out the same again; what is drawn is drawn again.
    LIST_READ = concat!("SELECT ", columns!(), " WHERE r.subject_id IN ({list})
          AND (r.kind IN ('metadata', 'text', 'place') OR (r.is_deterministic = FALSE AND r.kind <> 'flat'))");
    FIND_BLOB = "SELECT blob_hash FROM artifact WHERE id = $1 AND blob_hash IS NOT NULL";
    DELETE = "DELETE FROM artifact WHERE id = $1";
}

/// The kind of artifact that holds what a file says of itself.
pub const METADATA: &str = "metadata";

/// The tool that reads what a file's name says; its input is the hash of that name (path text).
pub const FILE_NAME: &str = "file_name";

/// How many values an `ADD` row has.
const COLUMNS: usize = 19;

impl Db {
    /// What was derived from an asset. That the actor may see the asset was checked by whoever
    /// fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_artifacts(&self, asset: &Asset) -> Result<Vec<Artifact>, DbError> {
        let rows = self.fetch(LIST_OF_SUBJECT, args![asset.id]).await?;
        rows.iter().map(read).collect()
    }

    /// One artifact, with the asset it was made of.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see the asset.
    pub async fn get_artifact(
        &self,
        actor: &Actor,
        id: ArtifactId,
    ) -> Result<(Artifact, Asset), DbError> {
        let unknown = || DbError::not_found("artifact", id);
        let row = self.fetch_optional(GET, args![id]).await?;
        let artifact = read(&row.ok_or_else(unknown)?)?;
        match self.get_asset(actor, artifact.asset_id).await {
            Ok(asset) => Ok((artifact, asset)),
            Err(DbError::NotFound { .. }) => Err(unknown()),
            Err(error) => Err(error),
        }
    }

    /// The newest artifact of a kind about an asset, or about a part of it. That the actor may see the
    /// asset was checked by whoever fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_artifact(
        &self,
        asset: &Asset,
        kind: &str,
        part: Part,
    ) -> Result<Option<Artifact>, DbError> {
        let part = part.of(asset.id).part;
        let row = self.fetch_optional(FIND_NEWEST, args![asset.id, kind, part]);
        row.await?.as_ref().map(read).transpose()
    }

    /// Which single inputs this version of a tool has read for these assets.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_tool_inputs(
        &self,
        assets: &[AssetId],
        tool: &str,
        version: i64,
    ) -> Result<BTreeSet<(AssetId, ContentHash)>, DbError> {
        let list = assets.iter().map(|asset| Value::from(*asset)).collect();
        let rows = self
            .fetch_list(LIST_BY_TOOL, args![METADATA, tool], list)
            .await?;
        let read = read_by_tool(&rows)?.into_iter();
        Ok(read
            .filter(|read| read.version == version)
            .filter_map(|read| Some((read.asset, read.input?)))
            .collect())
    }

    /// What a tool made of these assets.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_payloads(
        &self,
        assets: &[AssetId],
        tool: &str,
    ) -> Result<Vec<(AssetId, Payload)>, DbError> {
        let list = assets.iter().map(|asset| Value::from(*asset)).collect();
        let rows = self
            .fetch_list(LIST_PAYLOADS, args![METADATA, tool], list)
            .await?;
        rows.iter()
            .map(|row| {
                let payload = match row.get::<Option<String>>(1)? {
                    Some(text) => Payload::Json(read_json(&text)?),
                    None => Payload::Blob(row.get(2)?, row.get::<i64>(3)?.unsigned_abs()),
                };
                Ok((row.get(0)?, payload))
            })
            .collect()
    }
}

/// What tools read of these assets, in no order.
pub(crate) async fn list_read(db: &Db, assets: &[AssetId]) -> Result<Vec<Artifact>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = db.fetch_list(LIST_READ, args![], list).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Artifact, DbError> {
    let payload: Option<String> = row.get(11)?;
    Ok(Artifact {
        id: row.get(0)?,
        asset_id: row.get(1)?,
        part: row.get(2)?,
        kind: row.get(3)?,
        tool: row.get(4)?,
        tool_version: row.get(5)?,
        parameters: read_json(&row.get::<String>(6)?)?,
        inputs: read_inputs(&row.get::<String>(7)?)?,
        is_deterministic: row.get(8)?,
        run_id: row.get(9)?,
        unit_id: row.get(10)?,
        payload: payload.as_deref().map(read_json).transpose()?,
        blob_hash: row.get(12)?,
        size_bytes: row.get(13)?,
        made_at_ms: row.get(14)?,
        model: row.get(15)?,
    })
}

fn read_json(text: &str) -> Result<Json, DbError> {
    serde_json::from_str(text).map_err(|error| DbError::unreadable("an artifact", error))
}

/// Stores artifacts that are not stored yet, with their claims; those that a unit made, with it.
pub(crate) async fn add(
    tx: &mut Tx,
    (family, run): (FamilyId, Option<RunId>),
    derived: Vec<(AssetId, Option<UnitId>, Derived)>,
    now_ms: i64,
) -> Result<(), DbError> {
    let mut artifacts = Vec::with_capacity(derived.len());
    let mut claims = Vec::new();
    let (mut texts, mut faces) = (Vec::new(), Vec::new());
    let mut copied = Vec::new();
    for (asset, unit, mut derived) in derived {
        let id = clock::new_id();
        let origin = (family, run, unit);
        match &mut derived.artifact.payload {
            Payload::Text { text, .. } => texts.push((asset, id, std::mem::take(text))),
            Payload::Faces { faces: found, .. } => faces.push((asset, id, std::mem::take(found))),
            Payload::Json(_) | Payload::Blob(..) | Payload::Media(..) => {}
        }
        let kind = derived.artifact.kind;
        if [imprint::TAGS, meaning::MEANING, duplicate::TRAITS].contains(&kind) {
            copied.push((asset, id, kind, derived.artifact.payload.json().cloned()));
        }
        artifacts.push(row(tx, origin, asset, id, derived.artifact, now_ms).await?);
        claims.extend(
            claims_of(asset, id, derived.claims, now_ms)
                .map(|claim| (claim, Provenance::default())),
        );
    }
    tx.execute_rows(ADD, COLUMNS, artifacts).await?;
    for (asset, id, kind, json) in copied {
        imprint::keep(tx, asset, id, (kind, json.as_ref())).await?;
        meaning::keep(tx, asset, id, (kind, json.as_ref())).await?;
        duplicate::keep(tx, asset, id, (kind, json.as_ref())).await?;
    }
    claim::add(tx, family, claims).await?;
    face::keep(tx, faces).await?;
    text::keep(tx, texts).await
}

/// Stores those artifacts about an asset whose inputs their tool has not seen yet. (What a newer
/// version of a tool makes of old inputs is not a scan's business.)
pub(crate) async fn add_unseen(
    tx: &mut Tx,
    family: FamilyId,
    run: RunId,
    asset: AssetId,
    derived: Vec<Derived>,
    now_ms: i64,
) -> Result<(), DbError> {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for row in tx.fetch(LIST_SEEN, args![asset, METADATA]).await? {
        seen.insert((row.get(0)?, row.get(1)?));
    }
    let mut unseen = Vec::new();
    for derived in derived {
        let artifact = &derived.artifact;
        if seen.insert((artifact.tool.to_owned(), inputs_text(&artifact.inputs))) {
            unseen.push((asset, None, derived));
        }
    }
    add(tx, (family, Some(run)), unseen, now_ms).await
}

/// What one version of a tool has read of one asset: an artifact for each single input.
pub(crate) struct Read {
    pub(crate) asset: AssetId,
    pub(crate) artifact: ArtifactId,
    pub(crate) version: i64,
    /// `None` where it was made from several.
    pub(crate) input: Option<ContentHash>,
}

/// What a tool has read of these assets.
pub(crate) fn read_by_tool(rows: &[Row]) -> Result<Vec<Read>, DbError> {
    rows.iter()
        .map(|row| {
            let inputs: String = row.get(3)?;
            let input = match read_inputs(&inputs)?.as_slice() {
                [input] => Some(*input),
                _ => None,
            };
            Ok(Read {
                asset: row.get(0)?,
                artifact: row.get(1)?,
                version: row.get(2)?,
                input,
            })
        })
        .collect()
}

/// Makes a tool's artifacts about an asset exactly one for each of `inputs`: stores what is new,
/// removes what has no such input or another version. Gives whether anything changed.
pub(crate) async fn keep_exactly(
    tx: &mut Tx,
    (family, run, asset): (FamilyId, RunId, AssetId),
    (tool, version): (&str, i64),
    inputs: &BTreeSet<ContentHash>,
    derived: Vec<Derived>,
    now_ms: i64,
) -> Result<bool, DbError> {
    let rows = tx
        .fetch_list(LIST_BY_TOOL, args![METADATA, tool], args![asset])
        .await?;
    let mut has_changed = false;
    let mut kept = BTreeSet::new();
    for read in read_by_tool(&rows)? {
        match read.input.filter(|input| inputs.contains(input)) {
            Some(input) if read.version == version && kept.insert(input) => {}
            _ => {
                delete(tx, asset, read.artifact).await?;
                has_changed = true;
            }
        }
    }
    let new: Vec<_> = derived
        .into_iter()
        .filter(|derived| match derived.artifact.inputs.as_slice() {
            [input] => inputs.contains(input) && kept.insert(*input),
            _ => false,
        })
        .map(|derived| (asset, None, derived))
        .collect();
    has_changed |= !new.is_empty();
    add(tx, (family, Some(run)), new, now_ms).await?;
    Ok(has_changed)
}

/// Removes what was read from names that none of these assets' files has any more. What is nowhere
/// keeps the names that it had.
pub(crate) async fn keep_names(tx: &mut Tx, assets: &[AssetId]) -> Result<(), DbError> {
    let list: Vec<Value> = assets.iter().map(|asset| Value::from(*asset)).collect();
    let mut names: BTreeMap<AssetId, BTreeSet<ContentHash>> = BTreeMap::new();
    for row in tx.fetch_list(LIST_NAMES, args![], list.clone()).await? {
        let hash = blake3::hash(row.get::<String>(1)?.as_bytes());
        let hash = ContentHash::from_bytes(*hash.as_bytes());
        names.entry(row.get(0)?).or_default().insert(hash);
    }
    let rows = tx
        .fetch_list(LIST_BY_TOOL, args![METADATA, FILE_NAME], list)
        .await?;
    for read in read_by_tool(&rows)? {
        if let (Some(names), Some(input)) = (names.get(&read.asset), read.input)
            && !names.contains(&input)
        {
            delete(tx, read.asset, read.artifact).await?;
        }
    }
    Ok(())
}

pub(crate) async fn delete(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
) -> Result<(), DbError> {
    claim::delete_of_artifact(tx, asset, artifact).await?;
    let blob = tx.fetch_optional(FIND_BLOB, args![artifact]).await?;
    tx.execute(DELETE, args![artifact]).await?;
    if let Some(row) = blob {
        blob::let_go(tx, row.get(0)?).await?;
    }
    Ok(())
}

pub(crate) fn read_inputs(text: &str) -> Result<Vec<ContentHash>, DbError> {
    let inputs: Vec<String> = serde_json::from_str(text)
        .map_err(|error| DbError::unreadable("an artifact's inputs", error))?;
    let inputs = inputs.iter().map(|input| input.parse());
    inputs
        .collect::<Result<_, _>>()
        .map_err(|error| DbError::unreadable("an artifact's input", error))
}

pub(crate) fn inputs_text(inputs: &[ContentHash]) -> String {
    let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
    Json::from(inputs).to_string()
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
    (family, run, unit): (FamilyId, Option<RunId>, Option<UnitId>),
    asset: AssetId,
    id: ArtifactId,
    artifact: NewArtifact,
    now_ms: i64,
) -> Result<Vec<Value>, DbError> {
    let key = artifact_key(family, asset, &artifact.recipe());
    let subject = artifact.part.of(asset);
    let (payload, blob) = match artifact.payload {
        Payload::Text { json, blob, .. } | Payload::Faces { json, blob, .. } => (json, blob),
        Payload::Json(json) => (Some(json), None),
        Payload::Blob(hash, size_bytes) => (None, Some((hash, size_bytes))),
        Payload::Media(json, hash, size_bytes) => (Some(json), Some((hash, size_bytes))),
    };
    if let Some((hash, size_bytes)) = blob {
        let size_bytes = i64::try_from(size_bytes).unwrap_or(i64::MAX);
        blob::add(tx, hash, size_bytes, now_ms).await?;
    }
    Ok(args![
        id,
        family,
        subject.kind.as_str(),
        subject.id,
        subject.part,
        artifact.kind,
        artifact.tool,
        artifact.tool_version,
        artifact.model,
        parameters_text(&artifact.parameters),
        inputs_text(&artifact.inputs),
        0_i64,
        key,
        artifact.is_deterministic,
        payload.map(|json| json.to_string()),
        blob.map(|(hash, _)| hash),
        run,
        unit,
        now_ms,
    ])
}
