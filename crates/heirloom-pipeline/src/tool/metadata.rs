//! The tool `metadata`: what an original is and what it says of itself.

use std::io::{self, Read, Seek};

use heirloom_core::ContentHash;
use heirloom_media::{FileType, Metadata};
use serde_json::json;

use super::{METADATA, Made, guarded};

/// Reads an original's type and what it states. `name` is its file name; it only helps to tell kinds
/// of file that have no signature.
///
/// # Errors
/// Those of reading. Whatever is wrong with the content is a problem in the payload.
pub fn read_metadata(
    original: &mut (impl Read + Seek),
    content_hash: ContentHash,
    name: &str,
) -> io::Result<(FileType, Made)> {
    let mut failure = None;
    let mut file_type = None;
    let read = guarded(|| {
        let read = heirloom_media::sniff(original, name).and_then(|sniffed| {
            file_type = Some(sniffed);
            heirloom_media::metadata(original, sniffed, "")
        });
        read.unwrap_or_else(|error| {
            failure = Some(error);
            Metadata::default()
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let file_type = file_type.unwrap_or_else(unknown);
    let head = json!({ "type": file_type.name });
    Ok((file_type, Made::of(METADATA, content_hash, head, read)))
}

/// What is said of a file whose type could not be told.
fn unknown() -> FileType {
    let is_unknown = |file_type: &&FileType| file_type.media_type == "application/octet-stream";
    *FileType::ALL
        .iter()
        .find(is_unknown)
        .unwrap_or(&FileType::ALL[0])
}
