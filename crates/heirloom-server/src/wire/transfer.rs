//! Exports and imports on the wire.

use heirloom_core::{AssetId, CollectionId};
use heirloom_pipeline::{
    export::ProblemCode,
    import::{NoteCode, Source},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// What is to be exported, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExport {
    /// The folder: an absolute path of the machine that serves, as path text. It is empty, not there yet, or an
    /// export of this library.
    pub path: String,
    /// Only what is in this collection.
    #[schema(value_type = Option<String>, format = "uuid")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_id: Option<CollectionId>,
    /// All of the family with this name or id, and not a collection; left out, the family that this library serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

/// What is to be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImport {
    /// The folder of an export; or what others hand out, in one folder or archive or in several that belong together.
    /// Absolute paths of the machine that serves, as path text.
    pub paths: Vec<String>,
    /// Where it is from; guessed where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ImportSource>,
    /// Whether it is only said what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether what comes in is prepared: renditions are made of it.
    #[serde(default = "yes")]
    pub process: bool,
}

const fn yes() -> bool {
    true
}

/// Where something is imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImportSource {
    /// What an export wrote.
    Export,
    /// What Google hands out of Google Photos.
    Takeout,
    /// What Photos exports, and what Apple hands out of iCloud Photos.
    Apple,
    /// The folder of Immich's uploads.
    Immich,
    /// `PhotoPrism`'s originals with its sidecars and albums.
    PhotoPrism,
    /// Any folder.
    Folder,
}

impl From<ImportSource> for Source {
    fn from(source: ImportSource) -> Self {
        match source {
            ImportSource::Export => Self::Export,
            ImportSource::Takeout => Self::Takeout,
            ImportSource::Apple => Self::Apple,
            ImportSource::Immich => Self::Immich,
            ImportSource::PhotoPrism => Self::PhotoPrism,
            ImportSource::Folder => Self::Folder,
        }
    }
}

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ExportReport {
    /// Where it is.
    pub folder: String,
    /// Assets that are described, hidden ones included.
    pub assets: u64,
    /// Of these: those whose originals are there.
    pub originals: u64,
    /// Of these: those that were copied by this run.
    pub copied: u64,
    /// Collections that are described.
    pub collections: u64,
    /// Files of the payload.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How much is not as it should be.
    pub problem_count: u64,
    /// The first thousand of it.
    pub problems: Vec<TransferProblem>,
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ImportReport {
    /// Where it was.
    pub folder: String,
    /// Where it is from: `export`, `takeout`, `apple`, `immich`, `photoprism` or `folder`.
    pub source: String,
    /// Whether that was guessed.
    pub is_guessed: bool,
    /// Whether it was only looked what would be done.
    pub is_dry: bool,
    /// Files that there are.
    pub files: u64,
    /// Of an import from others: files that are originals and were read.
    pub originals: u64,
    /// Of these: those that have the same bytes as one before them.
    pub duplicates: u64,
    /// Assets that are new.
    pub added: u64,
    /// Assets that were known, and that something new is known of.
    pub completed: u64,
    /// Assets that were known with all of that.
    pub known: u64,
    /// Assets that were removed here for good before, and stay away.
    pub passed_over: u64,
    /// New assets that are hidden, because they lay in a trash.
    pub hidden: u64,
    /// Claims that are new.
    pub claims: u64,
    /// Collections that are new.
    pub collections: u64,
    /// Stacks that are new.
    pub stacks: u64,
    /// Of an import from others: files that describe originals.
    pub sidecars: u64,
    /// Files that describe something that is not here.
    pub sidecars_alone: u64,
    /// Originals that nothing describes, where the other program describes each.
    pub originals_alone: u64,
    /// Files that are left out: what the other program made for itself, and what is no original.
    pub left_out: u64,
    /// How much is to be known, although nothing is wrong with it.
    pub note_count: u64,
    /// The first thousand of it.
    pub notes: Vec<ImportNote>,
    /// How much is not as it should be.
    pub problem_count: u64,
    /// The first thousand of it.
    pub problems: Vec<TransferProblem>,
}

/// Something that could not be exported or imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TransferProblem {
    /// The asset, where it is one.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub asset_id: Option<AssetId>,
    /// What it is called.
    pub name: String,
    /// What is the matter, for programs; null in reports of earlier versions.
    #[schema(schema_with = schema::problem_code)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ProblemCode>,
    /// Which of its files it is, where it is one of those that go with an original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The same as a sentence, with what the system says.
    pub what: String,
}

/// Something to be known of an import, although nothing is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ImportNote {
    /// What it is about: a path, or the name of an album.
    pub name: String,
    /// What there is to know, for programs; null in reports of earlier versions.
    #[schema(schema_with = schema::note_code)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<NoteCode>,
    /// The album that it is about beside the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// The same as a sentence.
    pub what: String,
}
