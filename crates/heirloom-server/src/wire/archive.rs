//! Archives on the wire.

use heirloom_core::ArchiveId;
use heirloom_db as db;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// A place where originals are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Archive {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: ArchiveId,
    /// What it is called; unique.
    pub name: String,
    /// Its folder on the machine that Heirloom runs on, as path text; null for the vault.
    pub path: Option<String>,
    /// How many files of assets are there now.
    pub files: i64,
    /// When it was made.
    pub created_at_ms: i64,
}

/// A folder that is to be an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewArchive {
    /// The folder, absolute, as path text.
    pub path: String,
    /// What it is to be called: the folder's own name, if nothing is said.
    #[serde(default)]
    pub name: Option<String>,
}

/// What is to change about an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivePatch {
    /// What it is to be called from now on.
    pub name: String,
}

impl From<db::archive::Archive> for Archive {
    fn from(archive: db::archive::Archive) -> Self {
        Self {
            id: archive.id,
            name: archive.name,
            path: archive.root,
            files: archive.location_count,
            created_at_ms: archive.created_at_ms,
        }
    }
}
