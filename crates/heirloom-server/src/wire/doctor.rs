//! How Heirloom is doing, on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How Heirloom is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// Heirloom's version.
    pub version: String,
    /// Whether nothing needs anybody's attention.
    pub is_well: bool,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// The data folder.
    pub data_folder: String,
    /// Bytes that are left on the disk of the data folder.
    pub free_bytes: Option<u64>,
    /// Resident memory of the process that answers.
    pub resident_bytes: Option<i64>,
    /// How much there is.
    pub counts: Counts,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Archives.
    pub archives: i64,
    /// Assets that are listed, missing ones included.
    pub assets: i64,
    /// Of these: at none of their places any more.
    pub missing: i64,
    /// Assets whose place newer bytes took.
    pub replaced: i64,
    /// Assets that were deleted and not purged.
    pub deleted: i64,
    /// Places of originals whose bytes were found damaged, and not right since.
    pub damaged: i64,
    /// Blobs that the catalogue refers to.
    pub blobs: i64,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub is_well: bool,
    /// How it is, in one sentence.
    pub detail: String,
    /// What can be done about it.
    pub hint: Option<String>,
}
