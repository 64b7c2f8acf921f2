//! What is kept on IPFS, on the wire.

use heirloom_core::CollectionId;
use heirloom_db::publication as db;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TransferProblem, schema};

/// What is to be published of a collection, and what somebody consents to with that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPublication {
    /// Whether originals are published as they are. Otherwise they are sealed, and the key stays here.
    #[serde(default)]
    pub plain: bool,
    /// That it is meant: what is published plain is visible to everybody for ever, with the places and names that are in
    /// the files. Nothing plain is published without.
    #[serde(default)]
    pub visible_to_everybody_for_ever: bool,
    /// Whether what not everybody in the family may see is published as well. It is refused otherwise.
    #[serde(default)]
    pub include_private: bool,
    /// A file of the machine that serves, as an absolute path in path text, which is not there yet: all of it is written to
    /// that as a CAR archive, and nothing is sent to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A CAR archive that is to be brought in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPublicationImport {
    /// Where it is: an absolute path of the machine that serves, as path text.
    pub path: String,
    /// The key that opens it, `AGE-SECRET-KEY-1…`; without one those of this library are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether what comes in is prepared: renditions are made of it.
    #[serde(default = "yes")]
    pub process: bool,
}

const fn yes() -> bool {
    true
}

/// All that is kept on IPFS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Publications {
    /// Whether a node is configured, so that anything can be published.
    pub is_configured: bool,
    /// Whether a pinning service is configured as well.
    pub has_service: bool,
    /// How files are cut: `kubo` or `unixfs-v1-2025`.
    pub layout: String,
    /// What was published, or written to an archive.
    pub items: Vec<Publication>,
}

/// What is kept of a collection on IPFS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Publication {
    /// The collection.
    #[schema(schema_with = schema::id)]
    pub collection_id: CollectionId,
    /// What it is called.
    pub name: String,
    /// Whether a node is configured, so that it can be published.
    pub is_configured: bool,
    /// How far it is: `none`, `exported` for what only went into an archive, `publishing`, `published`, `failed`,
    /// `unpinning` or `unpinned`.
    pub state: String,
    /// Whether anybody can read it.
    pub is_plain: bool,
    /// Whether it has in it what not everybody in the family may see.
    pub includes_private: bool,
    /// Whether there is a key that opens what is sealed.
    pub has_key: bool,
    /// Who consented to that.
    pub consented_by: Option<String>,
    /// When.
    pub consented_at_ms: Option<i64>,
    /// The name of the folder that was published last, a CID.
    pub root_cid: Option<String>,
    /// Originals in it.
    pub files: i64,
    /// How many bytes it has there.
    pub bytes: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was published last.
    pub published_at_ms: Option<i64>,
    /// When those who kept it were asked to let go. What others copied stays.
    pub unpinned_at_ms: Option<i64>,
    /// Who was asked to keep it.
    pub pins: Vec<Pin>,
}

/// Somebody who was asked to keep a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// Who: `node` or `service`.
    pub place: String,
    /// What: a CID.
    pub cid: String,
    /// What a service calls the request.
    pub request_id: Option<String>,
    /// How far that is: `queued`, `pinning`, `pinned` or `failed`.
    pub status: String,
    /// What is the matter.
    pub error: Option<String>,
    /// When that was so.
    pub changed_at_ms: i64,
}

/// What opens a publication without this library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicationKey {
    /// The key, `AGE-SECRET-KEY-1…`. Whoever has it reads all that was ever published sealed of this collection.
    pub key: String,
    /// Whom it is sealed for, `age1…`; no secret.
    pub recipient: String,
}

/// What was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PublicationReport {
    /// The name of the folder, a CID.
    pub root_cid: String,
    /// The archive, where it went into one.
    pub path: Option<String>,
    /// Whether anybody can read it.
    pub is_plain: bool,
    /// Originals in it.
    pub files: u64,
    /// Of these: those that were sent now.
    pub sent: u64,
    /// How many bytes all of it has.
    pub bytes: u64,
    /// Members that are never published: deleted ones, and those that another took the place of.
    pub left_out: u64,
    /// How much is not as it should be.
    pub problem_count: u64,
    /// The first thousand of it.
    pub problems: Vec<TransferProblem>,
}

impl Publication {
    /// The publication of a collection, or that there is none.
    pub(crate) fn new(
        (collection_id, name): (CollectionId, String),
        is_configured: bool,
        known: Option<&db::Publication>,
        pins: Vec<db::Pin>,
    ) -> Self {
        let state = known.map_or("none", |known| known.state.as_str());
        Self {
            collection_id,
            name,
            is_configured,
            state: state.to_owned(),
            is_plain: known.is_some_and(|known| known.is_plain),
            includes_private: known.is_some_and(|known| known.includes_private),
            has_key: known.is_some_and(|known| known.key_hash.is_some()),
            consented_by: known.map(|known| known.consented_by.clone()),
            consented_at_ms: known.map(|known| known.consented_at_ms),
            root_cid: known.and_then(|known| known.root_cid.clone()),
            files: known.map_or(0, |known| known.files),
            bytes: known.map_or(0, |known| known.bytes),
            error: known.and_then(|known| known.error.clone()),
            published_at_ms: known.and_then(|known| known.published_at_ms),
            unpinned_at_ms: known.and_then(|known| known.unpinned_at_ms),
            pins: pins.into_iter().map(Pin::from).collect(),
        }
    }
}

impl From<db::Pin> for Pin {
    fn from(pin: db::Pin) -> Self {
        Self {
            place: pin.place.as_str().to_owned(),
            cid: pin.cid,
            request_id: pin.request_id,
            status: pin.status.as_str().to_owned(),
            error: pin.error,
            changed_at_ms: pin.changed_at_ms,
        }
    }
}
