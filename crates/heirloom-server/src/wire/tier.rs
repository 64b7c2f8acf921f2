//! Where blobs are kept, on the wire.

use heirloom_db::tier as db;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// The places that have blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Store {
    /// Each place, in the order in which they are looked through.
    pub places: Vec<StorePlace>,
    /// What is kept where, the first that fits; what no rule is about is kept where what is new goes.
    pub rules: Vec<String>,
    /// How many bytes a second the server moves at most; 0 where it moves nothing by itself.
    pub move_rate: u64,
    /// What was moved of late, the last first.
    pub moves: Vec<StoreMove>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StorePlace {
    /// What rules call it.
    pub name: String,
    /// `folder`, or the name of a bucket with its prefix.
    pub location: String,
    /// The storage class of what is written there, where one is configured.
    pub class: Option<String>,
    /// Whether what is new goes there.
    pub is_first: bool,
    /// Whether nothing is kept there any more: it is forgotten when it is empty.
    pub is_leaving: bool,
}

/// One walk through all places, which brings blobs to where they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreMove {
    /// When it began.
    pub began_at_ms: i64,
    /// `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// Blobs that it moved.
    pub blobs: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Blobs that were in use just then, which the next moves.
    pub waiting: i64,
    /// What stays where it is; the first hundred.
    pub problems: Vec<StayingBlob>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// A blob that could not be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StayingBlob {
    /// Its hash.
    pub blob: String,
    /// Where it is.
    pub place: String,
    /// Why it stays there.
    pub why: String,
}

/// A walk to begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStoreMove {
    /// How many bytes a second are moved at most; as many as can be otherwise.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub rate: Option<u64>,
}

/// What is where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreSurvey {
    /// What each place has.
    pub places: Vec<PlaceHas>,
    /// What of it is kept elsewhere.
    pub to_move: Vec<ToMove>,
    /// What was asked for in an archive, the first asked for first.
    pub recalls: Vec<StoreRecall>,
}

/// A blob that is brought back from an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreRecall {
    /// Its hash.
    pub blob: String,
    /// What the original is called that it is.
    pub name: Option<String>,
    /// The asset.
    #[schema(format = "uuid")]
    pub asset: Option<String>,
    /// When it was asked for.
    pub asked_at_ms: i64,
    /// Whether it can be read; it can for some days.
    pub is_there: bool,
}

/// What a place has. A blob may be in two places for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaceHas {
    /// What it is called.
    pub name: String,
    /// Blobs there.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is in one place and kept in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToMove {
    /// Where it is.
    pub from: String,
    /// Where it is kept.
    pub to: String,
    /// How many blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl From<store::Place> for StorePlace {
    fn from(place: store::Place) -> Self {
        Self {
            name: place.name,
            location: place.location,
            class: place.class,
            is_first: place.is_first,
            is_leaving: place.is_leaving,
        }
    }
}

impl From<db::StoreMove> for StoreMove {
    fn from(now: db::StoreMove) -> Self {
        Self {
            began_at_ms: now.began_at_ms,
            state: now.state.as_str().to_owned(),
            blobs: now.blobs,
            bytes: now.bytes,
            waiting: now.waiting,
            problems: serde_json::from_value(now.problems).unwrap_or_default(),
            error: now.error,
            ended_at_ms: now.ended_at_ms,
        }
    }
}
