//! The timeline on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asset::Asset;

/// How much there is in each stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// Those that have anything, the newest first, what has no date last.
    pub buckets: Vec<TimelineBucket>,
    /// How many assets they have together.
    pub count: i64,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineBucket {
    /// What it is: a month (`1974-05`), or how much is known of dates that say less: some time in a year
    /// (`1974`), in a decade (`195X`), in ten years (`1953/1962`), from a year on (`1953/..`);
    /// `undated`.
    pub bucket: String,
    /// How many assets it has.
    pub count: i64,
}

/// Some of the assets of a bucket, and of those that follow it if that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelinePart {
    /// The assets, newest first.
    pub items: Vec<Asset>,
    /// How many of these are in which bucket, in their order.
    #[serde(default)]
    pub buckets: Vec<TimelineBucket>,
}

/// Where an asset is in the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelinePosition {
    /// Its bucket; null for an asset that is not among those that were asked for.
    pub bucket: Option<String>,
    /// How many assets of that bucket come before it.
    pub offset: Option<i64>,
}
