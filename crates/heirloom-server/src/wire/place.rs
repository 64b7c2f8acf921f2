//! Places and the map on the wire.

use heirloom_core::AssetId;
use heirloom_db::place as db;
use heirloom_pipeline::place::Known;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Some places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Places {
    /// Countries, regions or places, in the order of their codes or names.
    pub items: Vec<PlaceCount>,
    /// Where the next page begins: the value for `after`. Null on the last page.
    pub next: Option<String>,
    /// With the countries: what has a position that nothing names.
    pub unnamed: Option<PlaceCount>,
}

/// How many assets were made somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaceCount {
    /// The country (ISO 3166-1, two letters); null for what has a place and no known position.
    pub country: Option<String>,
    /// The region; null of a country, and where none is known.
    pub region: Option<String>,
    /// The place, as people or files call it, or as what is nearest is called; null of a country or region.
    pub name: Option<String>,
    /// How many assets that are listed.
    pub assets: i64,
    /// One of them, of which a small picture is drawn; null as long as there is none to show.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub cover_asset_id: Option<AssetId>,
}

/// Towns and villages of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnownPlaces {
    /// The largest first.
    pub items: Vec<KnownPlace>,
}

/// A town or village.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnownPlace {
    /// What it is called.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its country (ISO 3166-1, two letters).
    pub country: String,
    /// Degrees north of its middle.
    pub latitude: f64,
    /// Degrees east of it.
    pub longitude: f64,
}

impl From<Known> for KnownPlace {
    fn from(known: Known) -> Self {
        Self {
            name: known.named.name,
            region: known.named.region,
            country: known.named.country,
            latitude: known.position.latitude(),
            longitude: known.position.longitude(),
        }
    }
}

/// What lies in a part of the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MapClusters {
    /// Each with what lies in one cell.
    pub clusters: Vec<MapCluster>,
}

/// What lies in a cell of the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MapCluster {
    /// The cell: level, number from the west, number from the north, as tiles of the web's maps.
    pub cell: String,
    /// Degrees north of the middle of its assets.
    pub latitude: f64,
    /// Degrees east of it.
    pub longitude: f64,
    /// How many assets.
    pub assets: i64,
    /// One of them, of which a small picture is drawn; null as long as there is none to show.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub cover_asset_id: Option<AssetId>,
    /// The place nearest to where most of them are; null where there is none.
    pub near: Option<String>,
    /// Its country (ISO 3166-1, two letters).
    pub country: Option<String>,
}

impl From<db::PlaceCount> for PlaceCount {
    fn from(count: db::PlaceCount) -> Self {
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            country: said(count.at.country),
            region: said(count.at.region),
            name: said(count.at.name),
            assets: count.assets,
            cover_asset_id: count.cover,
        }
    }
}

impl MapCluster {
    pub(crate) fn new(cluster: db::Cluster, near: Option<db::Named>) -> Self {
        let (near, country) = near.map(|near| (near.name, near.country)).unzip();
        Self {
            cell: cluster.cell.to_string(),
            latitude: cluster.middle.latitude(),
            longitude: cluster.middle.longitude(),
            assets: cluster.assets,
            cover_asset_id: cluster.cover,
            near,
            country,
        }
    }
}
