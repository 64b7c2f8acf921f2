//! What stands in the JSON of an export: one value a line, described by `schema.json`, which travels with it.
//!
//! A change that an older reader would misread needs another [`VERSION`]; fields may be added within one.

use heirloom_core::{
    ArtifactId, AssetId, AudienceId, ClaimBatchId, ClaimId, CollectionId, ContentHash, FamilyId,
    LocationId, SidecarId, StackId, claim::Claim,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Where things are within the payload of an export.
pub(crate) const LIBRARY: &str = "data/metadata/library.json";
pub(crate) const SCHEMA: &str = "data/metadata/schema.json";
pub(crate) const ASSETS: &str = "data/metadata/assets";
pub(crate) const STACKS: &str = "data/metadata/stacks.jsonl";
pub(crate) const COLLECTIONS: &str = "data/metadata/collections.jsonl";
pub(crate) const MEMBERS: &str = "data/metadata/members";
pub(crate) const PAYLOADS: &str = "data/metadata/payloads";
pub(crate) const ORIGINALS: &str = "data/originals";
pub(crate) const SIDECARS: &str = "data/sidecars";
pub(crate) const TEXTS: &str = "data/texts";
pub(crate) const PICTURES: &str = "data/pictures";

/// The schema of all of it.
pub const SCHEMA_TEXT: &str = include_str!("schema.json");

/// `library.json`: whose it is, and who may see what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryRecord {
    /// [`VERSION`].
    pub format_version: u32,
    /// The family's id.
    pub family_id: FamilyId,
    /// What the family is called.
    pub family: String,
    /// The collection that this is all of, if it is not everything.
    pub collection_id: Option<CollectionId>,
    /// Groups of members that may see something.
    pub audiences: Vec<AudienceRecord>,
}

/// Members who may see something. The whole family is no group: `null` stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceRecord {
    /// Its id.
    pub id: AudienceId,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created_at_ms: i64,
}

/// A line of `assets/*.jsonl`: one original with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetRecord {
    /// Its id.
    pub id: AssetId,
    /// The path of its bytes in the export; `null` where they are not in it.
    pub path: Option<String>,
    /// BLAKE3 of its bytes.
    pub blake3: ContentHash,
    /// SHA-512 of its bytes, where they are in the export.
    pub sha512: Option<String>,
    /// How many bytes.
    pub size_bytes: i64,
    /// `image`, `video`, `audio`, `document` or `other`.
    pub kind: String,
    /// Its media type (MIME).
    pub media_type: String,
    /// `present`, `missing` or `replaced`.
    pub state: String,
    /// The true name of its file, as path text.
    pub name: String,
    /// Who may see it; `null` for the whole family.
    pub audience_id: Option<AudienceId>,
    /// The asset whose place it took.
    pub replaces_asset_id: Option<AssetId>,
    /// Pixels across, as stored.
    pub width: Option<i64>,
    /// Pixels down, as stored.
    pub height: Option<i64>,
    /// How long it plays.
    pub duration_ms: Option<i64>,
    /// When it was first found.
    pub added_at_ms: i64,
    /// When it was deleted.
    pub deleted_at_ms: Option<i64>,
    /// What is believed. It follows from the claims and is not read back.
    pub believed: Believed,
    /// Where it is and was.
    pub locations: Vec<LocationRecord>,
    /// Files that describe it.
    pub sidecars: Vec<SidecarRecord>,
    /// What tools read of it.
    pub artifacts: Vec<ArtifactRecord>,
    /// All that was ever said of it.
    pub claims: Vec<ClaimRecord>,
}

/// What follows from all claims about an asset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Believed {
    /// When it was made, as EDTF.
    pub date: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// What the place is called.
    pub place: Option<String>,
}

/// A place of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationRecord {
    /// Its id.
    pub id: LocationId,
    /// The archive's name.
    pub archive: String,
    /// `folder` or `vault`.
    pub archive_kind: String,
    /// The path in the archive, as path text.
    pub archive_path: String,
    /// How long the file is.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When it was found there.
    pub found_at_ms: i64,
    /// When its bytes were found to be others.
    pub damaged_at_ms: Option<i64>,
    /// When it was found gone.
    pub gone_at_ms: Option<i64>,
}

/// A file that describes an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidecarRecord {
    /// Its id.
    pub id: SidecarId,
    /// The path of its bytes in the export; `null` where they are not in it.
    pub path: Option<String>,
    /// BLAKE3 of its bytes.
    pub blake3: ContentHash,
    /// How long it is.
    pub size_bytes: i64,
    /// `xmp`, `takeout` or `aae`.
    pub kind: String,
    /// The archive's name.
    pub archive: String,
    /// `folder` or `vault`.
    pub archive_kind: String,
    /// The path in the archive, as path text.
    pub archive_path: String,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When it was found.
    pub found_at_ms: i64,
}

/// What a tool read of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    /// Its id.
    pub id: ArtifactId,
    /// What it is: `metadata`, `text`, `place`.
    pub kind: String,
    /// Which page of the asset it is about; empty for all of it.
    pub part: String,
    /// The tool.
    pub tool: String,
    /// The version of the tool.
    pub tool_version: i64,
    /// The model that it used, with what tells its bytes from others of that name; empty without one.
    #[serde(default)]
    pub model: String,
    /// What the tool was asked for.
    pub parameters: Json,
    /// BLAKE3 of what it was made from.
    pub inputs: Vec<ContentHash>,
    /// Whether the same inputs give the same again.
    pub is_deterministic: bool,
    /// When it was made.
    pub made_at_ms: i64,
    /// What came out, where that is short.
    pub payload: Option<Json>,
    /// The path in the export of what came out, where that is long.
    pub payload_path: Option<String>,
    /// BLAKE3 of that file.
    pub payload_blake3: Option<ContentHash>,
    /// The path in the export of its text, for a text and for what is said.
    pub text_path: Option<String>,
    /// The path in the export of what is said as captions (WebVTT).
    #[serde(default)]
    pub captions_path: Option<String>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// Who said what about what, and when; and when it was taken back.
    #[serde(flatten)]
    pub claim: Claim,
    /// The claim as it was first made, about an asset that was replaced.
    pub carried_from_id: Option<ClaimId>,
    /// What it has in common with others that were made at once.
    pub batch_id: Option<ClaimBatchId>,
}

/// A line of `stacks.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRecord {
    /// Its id.
    pub id: StackId,
    /// `live_photo`, `raw_jpeg`, `burst` or `edited`.
    pub kind: String,
    /// What its files have in common.
    pub name: String,
    /// Its assets, the cover first.
    pub asset_ids: Vec<AssetId>,
}

/// A line of `collections.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionRecord {
    /// Its id.
    pub id: CollectionId,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who may see that it is there; `null` for the whole family.
    pub audience_id: Option<AudienceId>,
    /// The query of a saved search, also of one that was frozen.
    pub query: Option<String>,
    /// Since when it stays as it is.
    pub frozen_at_ms: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was changed last.
    pub updated_at_ms: i64,
    /// When it was deleted.
    pub deleted_at_ms: Option<i64>,
    /// The path of what is in it, in its order; `null` for a search that is asked anew each time.
    pub members_path: Option<String>,
    /// What was published of it on IPFS, if anything was; without its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<PublicationRecord>,
}

/// What was published of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationRecord {
    /// `exported`, `publishing`, `published`, `failed`, `unpinning` or `unpinned`.
    pub state: String,
    /// Whether anybody can read it.
    pub is_plain: bool,
    /// Whether it has in it what the whole family may not see.
    pub includes_private: bool,
    /// How files are cut.
    pub layout: String,
    /// Who chose this.
    pub consented_by: String,
    /// When.
    pub consented_at_ms: i64,
    /// The folder that was published last.
    pub root_cid: Option<String>,
    /// Originals in it.
    pub files: i64,
    /// How many bytes they are there.
    pub bytes: i64,
    /// When it was published last.
    pub published_at_ms: Option<i64>,
    /// When those who kept it were asked to let go.
    pub unpinned_at_ms: Option<i64>,
    /// Who was asked to keep which folder.
    pub pins: Vec<PinRecord>,
    /// The originals that a node was given.
    pub sent: Vec<SentRecord>,
}

/// Somebody who was asked to keep a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// `node` or `service`.
    pub place: String,
    /// Which folder.
    pub cid: String,
    /// What a service calls the request.
    pub request_id: Option<String>,
    /// `queued`, `pinning`, `pinned` or `failed`.
    pub status: String,
    /// When that was so.
    pub changed_at_ms: i64,
}

/// An original that a node was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRecord {
    /// Its name there.
    pub cid: String,
    /// The original.
    pub asset_id: AssetId,
    /// How long it is there.
    pub size_bytes: i64,
}

/// A line of `members/*.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// The asset.
    pub asset_id: AssetId,
    /// When it was put in.
    pub added_at_ms: i64,
}
