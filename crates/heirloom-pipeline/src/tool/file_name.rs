//! The tool `file_name`: the date that somebody, or a camera, wrote into a file's name.

use heirloom_blobs::hash_of;
use serde_json::json;

use super::{FILE_NAME, Made, guarded};

/// Reads a file's name (path text); `None` when it says nothing.
#[must_use]
pub fn read_file_name(name: &str) -> Option<Made> {
    let read = guarded(|| heirloom_media::read_name(name));
    if read.findings.is_empty() && read.problems.is_empty() {
        return None;
    }
    let head = json!({ "name": name });
    Some(Made::of(FILE_NAME, hash_of(name.as_bytes()), head, read))
}
