//! Assets on the wire.

use heirloom_core::{
    ArchiveId, ArtifactId, AssetId, ContentHash, LocationId, MediaKind, SidecarId, StackId,
};
use heirloom_db as db;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    claim::{Claim, Fact},
    schema,
    transcript::Hearing,
};

/// An asset, as lists have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Asset {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: AssetId,
    /// What kind of original it is.
    #[schema(schema_with = schema::media_kind)]
    pub kind: MediaKind,
    /// Its media type, by its bytes.
    pub media_type: String,
    /// `present`, `missing` (at none of its places any more) or `replaced` (newer bytes took its place).
    pub state: String,
    /// What it is believed to be called.
    pub title: Option<String>,
    /// The name of its file, as path text.
    pub name: String,
    /// When it is believed to be made (EDTF).
    pub date: Option<String>,
    /// Pixels across, as stored.
    pub width: Option<i64>,
    /// Pixels down, as stored.
    pub height: Option<i64>,
    /// How long it plays.
    pub duration_ms: Option<i64>,
    /// How many bytes.
    pub size_bytes: i64,
    /// What it looks like, once anything is drawn of it.
    pub look: Option<Look>,
    /// Where it is, or last was.
    pub place: Option<Place>,
    /// When it was first found.
    pub added_at_ms: i64,
    /// When it was deleted.
    pub deleted_at_ms: Option<i64>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// What an asset looks like, and which of its pictures can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Look {
    /// The page that this shows, of a document: for `page` of its renditions. Null for all of it.
    pub page: Option<u32>,
    /// Pixels across, upright.
    pub width: Option<i64>,
    /// Pixels down, upright.
    pub height: Option<i64>,
    /// A few bytes from which a blurred picture can be drawn at once (<https://evanw.github.io/thumbhash/>),
    /// in hexadecimal digits.
    pub thumbhash: Option<String>,
    /// The kinds of renditions that there are: `full`, `grid`, `screen`.
    pub renditions: Vec<String>,
}

/// A path in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// The archive.
    #[schema(schema_with = schema::id)]
    pub archive_id: ArchiveId,
    /// That archive's name.
    pub archive: String,
    /// Path below the archive's root, as path text.
    pub path: String,
    /// Whether it is there now.
    pub is_there: bool,
}

/// Everything that is known about an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetDetail {
    /// What lists have of it.
    #[serde(flatten)]
    pub asset: Asset,
    /// BLAKE3 of its bytes: what it is.
    #[schema(schema_with = schema::hash)]
    pub content_hash: ContentHash,
    /// The asset whose place it took.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaces_asset_id: Option<AssetId>,
    /// What is believed about it, and why.
    pub facts: Vec<Fact>,
    /// Every claim about it, those that were taken back included, the oldest first.
    pub claims: Vec<Claim>,
    /// Where it is and was, the oldest place first.
    pub locations: Vec<Location>,
    /// What it belongs together with.
    pub stacks: Vec<Stack>,
    /// The files that describe it.
    pub sidecars: Vec<Sidecar>,
    /// What was derived from it.
    pub artifacts: Vec<Artifact>,
    /// How far it has been heard, where it is being heard.
    #[serde(default)]
    pub hearing: Option<Hearing>,
}

/// A place of an asset, now or then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: LocationId,
    /// Where that is.
    #[serde(flatten)]
    pub place: Place,
    /// When it was found there.
    pub found_at_ms: i64,
    /// When its bytes were found damaged, if they were and are not known to be right again.
    pub damaged_at_ms: Option<i64>,
    /// When it was found gone.
    pub gone_at_ms: Option<i64>,
}

/// Assets of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stack {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: StackId,
    /// `live_photo`, `raw_jpeg`, `burst` or `edited`.
    pub kind: String,
    /// The asset that stands for it.
    #[schema(schema_with = schema::id)]
    pub cover_asset_id: AssetId,
    /// Its assets, the cover first.
    #[schema(value_type = Vec<String>)]
    pub asset_ids: Vec<AssetId>,
}

/// A file that describes an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sidecar {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: SidecarId,
    /// What it is written in: `xmp`, `takeout`, `aae`.
    pub kind: String,
    /// The archive that it is in.
    #[schema(schema_with = schema::id)]
    pub archive_id: ArchiveId,
    /// Path below the archive's root, as path text.
    pub path: String,
    /// BLAKE3 of its bytes.
    #[schema(schema_with = schema::hash)]
    pub content_hash: ContentHash,
}

/// Something derived from an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: ArtifactId,
    /// What it is: `metadata`.
    pub kind: String,
    /// The tool that made it.
    pub tool: String,
    /// That tool's version.
    pub tool_version: i64,
    /// The model that it used; empty without one.
    #[serde(default)]
    pub model: String,
    /// What the tool was asked for other than what it does by itself.
    #[schema(value_type = Object)]
    #[serde(default)]
    pub parameters: serde_json::Value,
    /// Which piece of the asset it is about: `3` for its third page. Empty for the whole.
    pub part: String,
    /// What came out, if it is small; what is said of its content, if that is bytes: their
    /// `media_type` at least.
    #[schema(value_type = Option<serde_json::Value>)]
    pub payload: Option<serde_json::Value>,
    /// The blob that holds its content, if it is not in `payload`.
    #[schema(value_type = Option<String>)]
    pub blob_hash: Option<ContentHash>,
    /// How long that is.
    pub size_bytes: Option<i64>,
    /// When it was made.
    pub made_at_ms: i64,
}

/// What a purge did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purged {
    /// The asset of which nothing is known any more.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// How many blobs were removed with it.
    pub blobs: u64,
}

impl Asset {
    /// An asset with the places where it is and was, and what it looks like.
    pub(crate) fn new(
        asset: &db::asset::Asset,
        locations: &[db::location::AssetLocation],
        look: Option<db::artifact::Look>,
    ) -> Self {
        // Where it has been the longest; if it is nowhere, where it was last.
        let place = locations
            .iter()
            .find(|location| location.gone_at_ms.is_none())
            .or(locations.last());
        Self {
            id: asset.id,
            kind: asset.kind,
            media_type: asset.media_type.clone(),
            state: asset.state.as_str().to_owned(),
            title: asset.title.clone(),
            name: asset.name.clone(),
            date: asset.date.clone(),
            width: asset.width,
            height: asset.height,
            duration_ms: asset.duration_ms,
            size_bytes: asset.size_bytes,
            look: look.map(Look::from),
            place: place.map(Place::from),
            added_at_ms: asset.added_at_ms,
            deleted_at_ms: asset.deleted_at_ms,
            version: asset.version,
        }
    }
}

impl From<db::artifact::Look> for Look {
    fn from(look: db::artifact::Look) -> Self {
        Self {
            page: match look.part {
                db::artifact::Part::Whole => None,
                db::artifact::Part::Page(page) => Some(page),
            },
            width: look.width,
            height: look.height,
            thumbhash: look.thumbhash,
            renditions: look.renditions,
        }
    }
}

impl From<&db::location::AssetLocation> for Place {
    fn from(location: &db::location::AssetLocation) -> Self {
        Self {
            archive_id: location.archive_id,
            archive: location.archive_name.clone(),
            path: location.path.clone(),
            is_there: location.gone_at_ms.is_none(),
        }
    }
}

impl From<&db::location::AssetLocation> for Location {
    fn from(location: &db::location::AssetLocation) -> Self {
        Self {
            id: location.id,
            place: location.into(),
            found_at_ms: location.found_at_ms,
            damaged_at_ms: location.damaged_at_ms,
            gone_at_ms: location.gone_at_ms,
        }
    }
}

impl From<db::stack::Stack> for Stack {
    fn from(stack: db::stack::Stack) -> Self {
        Self {
            id: stack.id,
            kind: stack.kind.as_str().to_owned(),
            cover_asset_id: stack.cover_asset_id,
            asset_ids: stack.members,
        }
    }
}

impl From<db::sidecar::Sidecar> for Sidecar {
    fn from(sidecar: db::sidecar::Sidecar) -> Self {
        Self {
            id: sidecar.id,
            kind: sidecar.kind,
            archive_id: sidecar.archive_id,
            path: heirloom_core::path::join(&sidecar.folder_path, &sidecar.name),
            content_hash: sidecar.content_hash,
        }
    }
}

impl From<db::artifact::Artifact> for Artifact {
    fn from(artifact: db::artifact::Artifact) -> Self {
        Self {
            id: artifact.id,
            kind: artifact.kind,
            tool: artifact.tool,
            tool_version: artifact.tool_version,
            model: artifact.model,
            parameters: artifact.parameters,
            part: artifact.part,
            payload: artifact.payload,
            blob_hash: artifact.blob_hash,
            size_bytes: artifact.size_bytes,
            made_at_ms: artifact.made_at_ms,
        }
    }
}
