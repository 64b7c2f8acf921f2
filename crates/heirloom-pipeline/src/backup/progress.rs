//! How far something is, for whoever watches.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use rustic_core::{ProgressBars, ProgressType, RusticProgress};

/// How far something is. It is written by who works and read by who watches.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    files_done: AtomicU64,
    bytes: AtomicU64,
    bytes_done: AtomicU64,
}

/// How far something is at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ProgressNow {
    /// Files that there are, as far as is known.
    pub files: u64,
    /// Files that are done.
    pub files_done: u64,
    /// Bytes that there are, as far as is known.
    pub bytes: u64,
    /// Bytes that are done.
    pub bytes_done: u64,
}

impl Progress {
    /// How far it is now.
    #[must_use]
    pub fn now(&self) -> ProgressNow {
        ProgressNow {
            files: self.files.load(Relaxed),
            files_done: self.files_done.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            bytes_done: self.bytes_done.load(Relaxed),
        }
    }

    pub(super) fn expect(&self, files: u64, bytes: u64) {
        self.files.store(files, Relaxed);
        self.files_done.store(0, Relaxed);
        self.expect_bytes(bytes);
    }

    fn expect_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Relaxed);
        self.bytes_done.store(0, Relaxed);
    }

    pub(super) fn file(&self) {
        self.files_done.fetch_add(1, Relaxed);
    }

    pub(super) fn bytes(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Relaxed);
    }
}

/// Tells whoever watches what the library that knows the format is at.
#[derive(Debug, Clone)]
pub(super) struct Telling(pub(super) Arc<Progress>);

impl ProgressBars for Telling {
    fn progress(&self, progress_type: ProgressType, _prefix: &str) -> rustic_core::Progress {
        match progress_type {
            ProgressType::Bytes => rustic_core::Progress::new(self.clone()),
            ProgressType::Spinner | ProgressType::Counter => rustic_core::Progress::hidden(),
        }
    }
}

impl RusticProgress for Telling {
    fn is_hidden(&self) -> bool {
        false
    }

    fn set_length(&self, length: u64) {
        self.0.expect_bytes(length);
    }

    fn set_title(&self, _title: &str) {}

    fn inc(&self, more: u64) {
        self.0.bytes(more);
    }

    fn finish(&self) {}
}
