//! Uploads on the wire.

use heirloom_core::{AssetId, ContentHash, RunId, UploadId};
use heirloom_db as db;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use super::{ProblemDocument, schema};
use crate::problem::Problem;

/// A file on its way into the vault.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: UploadId,
    /// What it is called, as path text.
    pub name: String,
    /// How long it is.
    pub size_bytes: i64,
    /// How many bytes are here for certain: where to go on.
    pub received_bytes: i64,
    /// BLAKE3 that its bytes were promised to have.
    #[schema(value_type = Option<String>)]
    pub content_hash: Option<ContentHash>,
    /// Whether it is to be processed once it is added.
    pub process: bool,
    /// How far it is.
    pub state: UploadState,
    /// What was done with it: `added` as a new asset, `known` as one already, `returned` as one that was
    /// hidden or whose bytes were nowhere.
    pub outcome: Option<String>,
    /// The asset that it is, once it is done; null also where it may not be seen.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub asset_id: Option<AssetId>,
    /// The run that it was or is to be added by.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub run_id: Option<RunId>,
    /// Why it was refused, if it was.
    pub problem: Option<ProblemDocument>,
    /// When it began.
    pub created_at_ms: i64,
    /// When it is forgotten, if nothing more comes.
    pub expires_at_ms: i64,
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadState {
    /// Bytes are missing.
    Receiving,
    /// Every byte is here, and it is being added.
    Finishing,
    /// It was added.
    Done,
    /// It was refused.
    Refused,
}

impl utoipa::PartialSchema for UploadState {
    fn schema() -> RefOr<Schema> {
        schema::words(
            ["receiving", "finishing", "done", "refused"],
            "How far an upload is.",
        )
    }
}

impl ToSchema for UploadState {}

/// An addition that is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewAddition {
    /// Whether what is added is to be processed.
    pub process: bool,
}

impl Default for NewAddition {
    fn default() -> Self {
        Self { process: true }
    }
}

/// Files that are handed over together: a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Addition {
    /// Its id, which is that of a run.
    #[schema(schema_with = schema::id)]
    pub id: RunId,
    /// Whether what is added is to be processed.
    pub process: bool,
}

/// Contents of which it is asked whether they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownContents {
    /// BLAKE3 of each, at most 1,000.
    #[schema(value_type = Vec<String>)]
    pub hashes: Vec<ContentHash>,
}

/// A content that need not be sent, or not from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownContent {
    /// BLAKE3 of it.
    #[schema(schema_with = schema::hash)]
    pub content_hash: ContentHash,
    /// The asset that it is, if it is one whose bytes are at hand.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub asset_id: Option<AssetId>,
    /// An upload of it that was begun and can be gone on with.
    pub upload: Option<Begun>,
}

/// An upload that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Begun {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: UploadId,
    /// How many bytes are here for certain.
    pub received_bytes: i64,
}

impl Upload {
    /// An upload; the asset is named if whoever asks may see it.
    pub(crate) fn new(upload: &db::upload::Upload, may_see_asset: bool) -> Self {
        use db::upload::UploadState as Stored;
        let is_complete = upload.received_bytes == upload.size_bytes;
        let (state, outcome, asset_id) = match &upload.state {
            Stored::Receiving if is_complete => (UploadState::Finishing, None, None),
            Stored::Receiving => (UploadState::Receiving, None, None),
            Stored::Done { outcome, asset } => (UploadState::Done, Some(*outcome), Some(*asset)),
            Stored::Refused { .. } => (UploadState::Refused, None, None),
        };
        Self {
            id: upload.id,
            name: upload.name.clone(),
            size_bytes: upload.size_bytes,
            received_bytes: upload.received_bytes,
            content_hash: upload.content_hash,
            process: upload.process,
            state,
            outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
            asset_id: asset_id.filter(|_| may_see_asset),
            run_id: upload.run,
            problem: refusal(upload).map(|problem| problem.document(None)),
            created_at_ms: upload.created_at_ms,
            expires_at_ms: upload.expires_at_ms,
        }
    }
}

/// Why an upload was refused, if it was.
pub(crate) fn refusal(upload: &db::upload::Upload) -> Option<Problem> {
    let db::upload::UploadState::Refused { problem } = &upload.state else {
        return None;
    };
    let document: Option<ProblemDocument> = serde_json::from_value(problem.clone()).ok();
    document.map(Problem::from)
}
