//! What a check of everything stored found, on the wire.

use heirloom_pipeline::fsck as pipeline;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How everything stored is to be checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewFsck {
    /// Whether only names and lengths of blobs are looked at, which is quick and blind to flipped bits.
    pub quick: bool,
    /// Whether every original is read again and compared with what was catalogued.
    pub originals: bool,
    /// Whether damaged blobs are set aside and made again from their originals, and an incomplete search
    /// index is made anew.
    pub repair: bool,
    /// Whether blobs that nobody has referred to for a day are removed. Where an older catalogue was put in the place
    /// of a newer one, these are the originals that came in between: nothing else removes them.
    pub remove_unreferenced: bool,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FsckReport {
    /// Whether everything is as it should be, or has been made so.
    pub is_sound: bool,
    /// How many faults there are.
    pub faults: u64,
    /// Of these: mended or set aside.
    pub mended: u64,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Bytes of blobs that were read.
    pub blob_bytes: u64,
    /// Blobs that lie in an archive class of a bucket and were not read, which is nothing bad.
    pub archived: u64,
    /// Blobs that nobody referred to, which is nothing bad: scans put them before they refer to them.
    pub unreferenced: u64,
    /// Blobs that nobody referred to and that were removed.
    pub removed: u64,
    /// Originals that were read again, in bytes.
    pub original_bytes: u64,
    /// Entries of the audit chain that hold.
    pub audit_entries: i64,
    /// The first thousand faults.
    pub items: Vec<Fault>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// `catalogue`, `blobs`, `search`, `audit` or `originals`.
    pub part: String,
    /// The blob, file or entry; empty for the whole part.
    pub subject: String,
    /// What is wrong, in one sentence.
    pub what: String,
    /// Whether it was mended or set aside.
    pub is_mended: bool,
}

impl FsckReport {
    pub(crate) fn new(report: &pipeline::FsckReport, items: Vec<Fault>) -> Self {
        Self {
            is_sound: report.is_sound(),
            faults: report.counts.found,
            mended: report.counts.mended,
            blobs: report.blobs.blobs,
            blob_bytes: report.blobs.bytes,
            archived: report.blobs.archived,
            unreferenced: report.blobs.unreferenced,
            removed: report.removed_blobs,
            original_bytes: report.originals.iter().map(|scan| scan.bytes_read).sum(),
            audit_entries: report.audit_entries,
            items,
        }
    }
}

impl From<&pipeline::Fault> for Fault {
    fn from(fault: &pipeline::Fault) -> Self {
        let part = match fault.part {
            pipeline::Part::Catalogue => "catalogue",
            pipeline::Part::Blobs => "blobs",
            pipeline::Part::Search => "search",
            pipeline::Part::Audit => "audit",
            pipeline::Part::Originals => "originals",
        };
        Self {
            part: part.to_owned(),
            subject: fault.subject.clone(),
            what: fault.what.clone(),
            is_mended: fault.is_mended,
        }
    }
}
