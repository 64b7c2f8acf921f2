//! What goes over the wire: the JSON of the API, which is that of `--json` as well.
//!
//! Times are milliseconds since 1970 (UTC) in fields that end in `_ms`; dates are EDTF; paths are path
//! text, in which what is not UTF-8 is written `\xHH` and a backslash `\\`. Fields are only ever added.

mod archive;
mod asset;
mod backup;
mod claim;
mod collection;
mod doctor;
mod duplicate;
mod encryption;
mod face;
mod folder;
mod fsck;
mod lineage;
mod model;
mod person;
mod place;
mod publication;
mod reading;
mod run;
pub(crate) mod schema;
mod scrub;
mod search;
mod tag;
mod tier;
mod timeline;
mod transcript;
mod transfer;
mod upload;
mod voice;
mod way;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::problem::{Code, ProblemDocument};
pub use archive::{Archive, ArchivePatch, NewArchive};
pub use asset::{Artifact, Asset, AssetDetail, Location, Look, Place, Purged, Sidecar, Stack};
pub use backup::{
    AlarmCause, Backup, BackupAlarm, BackupOutcome, BackupProgress, BackupSchedule, BackupStanding,
    Keep, LackingFile, NewBackup, RepositoryFault, Snapshot,
};
pub use claim::{Author, Claim, ClaimBatch, Fact, NewClaim, NewClaimBatch, Segment, Strip};
pub use collection::{
    Collection, CollectionPatch, MemberMove, Members, MembersChanged, NewCollection,
};
pub use doctor::{Check, Counts, Diagnosis};
pub use duplicate::{Decision, DecisionKind, Duplicate, Duplicates, NewKeeper, NewParting};
pub use encryption::{Encryption, EncryptionKey, MasterKind, NewMaster};
pub use face::{Face, Faces};
pub use folder::{Folder, Folders};
pub use fsck::{Fault, FsckReport, NewFsck};
pub use lineage::{Lineage, LineageInput, LineageSource};
pub use model::{
    Model, ModelCheck, ModelFault, ModelFile, ModelRemoved, ModelRun, Models, NewModel,
    NewModelFile, NewPull,
};
pub use person::{FacesReset, NewSaying, Person, Portrait, Said, What, Whose};
pub use place::{KnownPlace, KnownPlaces, MapCluster, MapClusters, PlaceCount, Places};
pub use publication::{
    NewPublication, NewPublicationImport, Pin, Publication, PublicationKey, PublicationReport,
    Publications,
};
pub use reading::{ReadBlock, ReadLine, ReadPage, ReadWord, Reading};
pub use run::{
    Forecast, NewRun, NewScan, Pipeline, Progress, Run, RunHearing, RunStep, ScanReport, Step,
    StepForecast, Unit,
};
pub use scrub::{DamagedPlace, Scrub, ScrubPass};
pub use search::{
    Found, Highlight, Ignored, IndexRebuilt, Match, SearchPage, Shown, Suggestion, Suggestions,
};
pub use tag::{Similar, Tag};
pub use tier::{
    NewStoreMove, PlaceHas, StayingBlob, Store, StoreMove, StorePlace, StoreRecall, StoreSurvey,
    ToMove,
};
pub use timeline::{Timeline, TimelineBucket, TimelinePart, TimelinePosition};
pub use transcript::{Hearing, Passage, Speaker, Transcript, Word};
pub use transfer::{
    ExportReport, ImportNote, ImportReport, ImportSource, NewExport, NewImport, TransferProblem,
};
pub(crate) use upload::refusal;
pub use upload::{Addition, Begun, KnownContent, KnownContents, NewAddition, Upload, UploadState};
pub use voice::{Voice, VoiceElsewhere, VoiceSuggestion};
pub use way::{Service, Services};

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins: the value for `after`. Null on the last page.
    pub next: Option<String>,
}
