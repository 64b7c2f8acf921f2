//! Collections on the wire.

use heirloom_core::{AssetId, CollectionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{asset::Asset, schema};

/// An album, or a saved search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Collection {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: CollectionId,
    /// What it is called.
    pub name: String,
    /// What it is about, in somebody's words.
    pub description: String,
    /// Whether it asks its query anew each time; else it has members in an order.
    pub is_dynamic: bool,
    /// What it asks; of one that is frozen, what it asked until then. Empty where that names an archive or a
    /// collection that the asker may not know of.
    pub query: Option<String>,
    /// Since when it stays as it is, for good.
    pub frozen_at_ms: Option<i64>,
    /// How many assets are in it for whoever asks.
    pub count: usize,
    /// Whether there are more: what a search finds is not counted to its end.
    pub has_more: bool,
    /// The first of them.
    pub cover: Option<Asset>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it, or what is in it, was changed last.
    pub updated_at_ms: i64,
    /// When it was deleted.
    pub deleted_at_ms: Option<i64>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// A collection on its way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCollection {
    /// What it is called: 1 to 200 characters on one line.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub description: String,
    /// What it asks, if it is to be a saved search.
    #[serde(default)]
    pub query: Option<String>,
    /// What is in it from the beginning, in this order; up to 5,000.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetId>,
}

/// What is to be another of a collection; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionPatch {
    /// What it is called: 1 to 200 characters on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a saved search asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// Some assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Which: 1 to 5,000.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetId>,
}

/// Where something is to stand in a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberMove {
    /// What is moved.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// What it is to stand right before; null for the end.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub before_asset_id: Option<AssetId>,
}

/// A collection, and how many assets were added to it or taken out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MembersChanged {
    /// The collection as it is now.
    #[serde(flatten)]
    pub collection: Collection,
    /// How many: what was there already, or was not, is no change.
    pub changed: usize,
}
