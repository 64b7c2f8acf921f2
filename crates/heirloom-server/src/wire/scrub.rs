//! What the reading of everything has found that looks for damage, on the wire.

use heirloom_core::AssetId;
use heirloom_db::scrub as db;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was read again and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scrub {
    /// The passes of late, the last first. One that has not ended goes on while Heirloom serves.
    pub passes: Vec<ScrubPass>,
    /// Places where originals are damaged, what was found last first; a thousand at most.
    pub damaged: Vec<DamagedPlace>,
}

/// One reading of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScrubPass {
    /// When it began.
    pub began_at_ms: i64,
    /// When everything had been read.
    pub ended_at_ms: Option<i64>,
    /// What it reads, or read last: `blobs` or `originals`.
    pub part: String,
    /// Blobs that were read, originals in the vault among them.
    pub blobs: i64,
    /// Originals in folder archives that were read.
    pub originals: i64,
    /// Bytes of both.
    pub bytes: i64,
    /// How many of these were damaged or missing.
    pub damaged: i64,
    /// How many of those were made good.
    pub mended: i64,
}

/// A place of an original whose bytes are no longer those that were catalogued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DamagedPlace {
    /// The asset.
    #[schema(value_type = String, format = "uuid")]
    pub asset_id: AssetId,
    /// What it is called.
    pub asset_name: String,
    /// The archive that has the place.
    pub archive_name: String,
    /// The path below the archive.
    pub path: String,
    /// Since when that is known.
    pub damaged_at_ms: i64,
    /// At how many other places the same original is sound.
    pub copies: i64,
}

impl From<db::ScrubPass> for ScrubPass {
    fn from(pass: db::ScrubPass) -> Self {
        Self {
            began_at_ms: pass.began_at_ms,
            ended_at_ms: pass.ended_at_ms,
            part: pass.at.part().to_owned(),
            blobs: pass.blobs,
            originals: pass.originals,
            bytes: pass.bytes,
            damaged: pass.damaged,
            mended: pass.mended,
        }
    }
}

impl From<db::DamagedPlace> for DamagedPlace {
    fn from(place: db::DamagedPlace) -> Self {
        Self {
            asset_id: place.asset,
            asset_name: place.asset_name,
            archive_name: place.archive_name,
            path: place.path,
            damaged_at_ms: place.damaged_at_ms,
            copies: place.copies,
        }
    }
}
