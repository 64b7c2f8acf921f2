//! The tool `file_name`: the date that somebody, or a camera, wrote into a file's name.

use std::io::{self, Cursor};

use heirloom_blobs::hash_of;
use heirloom_media::Metadata;
use serde_json::json;

use super::{FILE_NAME, Made, guarded};

/// Reads a file's name (path text); `None` when it says nothing.
#[must_use]
pub fn read_file_name(name: &str) -> Option<Made> {
    let read = guarded(|| read(name).unwrap_or_default());
    if read.findings.is_empty() && read.problems.is_empty() {
        return None;
    }
    let head = json!({ "name": name });
    Some(Made::of(FILE_NAME, hash_of(name.as_bytes()), head, read))
}

/// The name alone: of a file without bytes, nothing else is found.
fn read(name: &str) -> io::Result<Metadata> {
    let mut nothing = Cursor::new([]);
    let file_type = heirloom_media::sniff(&mut nothing, "")?;
    heirloom_media::metadata(&mut nothing, file_type, name)
}
