//! What passes between the parts of a scan: from the walk to those who read, from all to the record.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use heirloom_blobs::BlobError;
use heirloom_core::{ContentHash, FolderId};
use heirloom_db::{
    artifact::Derived,
    asset::Measures,
    folder::{FolderChange, KnownAs},
};
use heirloom_media::SidecarKind;

use crate::original::FileStat;

/// A folder under way.
#[derive(Debug)]
pub(super) struct FolderRef {
    pub(super) id: FolderId,
    /// Path text, relative to the root.
    pub(super) path: String,
}

/// What a file is to be catalogued as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Original,
    Sidecar(SidecarKind),
}

/// A file that has to be read.
#[derive(Debug)]
pub(super) struct Job {
    /// Rises by one with each job: what is found is stored in the order in which it was met.
    pub(super) sequence: u64,
    pub(super) folder: Arc<FolderRef>,
    /// Path text.
    pub(super) name: String,
    pub(super) role: Role,
    /// What the catalogue knows at this path.
    pub(super) known: Option<KnownAs>,
    /// What its bytes must hash to, because it looks unchanged from outside.
    pub(super) expected: Option<ContentHash>,
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) job: Job,
    pub(super) found: Found,
}

#[derive(Debug)]
pub(super) enum Found {
    /// Read from its start to its end, and the same before and after.
    Read(Box<Read>),
    /// Passed over, for this reason.
    Skipped(&'static str),
    /// Not read, for this reason.
    Failed(String),
    /// As it was, byte for byte.
    Confirmed,
    /// Of the same size and time, with other bytes.
    Damaged,
    /// The work as a whole cannot go on.
    Broken(BlobError),
    /// Given up, because the scan was told to stop.
    Stopped,
}

#[derive(Debug)]
pub(super) struct Read {
    pub(super) stat: FileStat,
    pub(super) content_hash: ContentHash,
    /// Only of an original.
    pub(super) original: Option<(Measures, Vec<Derived>)>,
}

/// Something for the record.
#[derive(Debug)]
pub(super) enum Event {
    /// A folder came, or came back.
    Folder(FolderChange),
    Examined(Examined),
    /// What was known there is there no more; the reason says what else is, where that is nothing
    /// that is catalogued.
    Gone {
        folder: Arc<FolderRef>,
        name: String,
        known: KnownAs,
        reason: Option<&'static str>,
    },
    /// A folder was looked through; so many of its files are jobs.
    Listed {
        folder: Arc<FolderRef>,
        jobs: u64,
        is_settled: bool,
    },
    /// A folder is no longer there; everything in it was said to be gone before.
    FolderGone(Arc<FolderRef>),
}

/// How many jobs may be between being taken and being stored: enough that a long film does not hold
/// up those who read, and little enough to be held in memory.
const WINDOW: usize = 512;

/// Lets those who read run ahead of the record, but not without bound.
#[derive(Debug, Default)]
pub(super) struct Window {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Window {
    /// Waits for a place; `false` when there is nothing more to do.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.0 >= WINDOW && !state.1 {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.0 += 1;
        !state.1
    }

    /// Gives places back.
    pub(super) fn leave(&self, places: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.saturating_sub(places);
        self.changed.notify_all();
    }

    /// Sends everybody home.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }
}
