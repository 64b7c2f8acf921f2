//! What is read of real files and of files made here, through the crate's front door.

#![expect(clippy::unwrap_used, reason = "in a test a surprise is a failure")]

mod bytes;
mod cut_short;
mod documents;
mod formats;
mod hostile;
mod library;
mod pictures;
mod sidecars;
mod traits;

use std::io::Cursor;

use heirloom_core::claim::ClaimKind;
use heirloom_media::{Metadata, metadata, sniff};

/// The type and what the bytes say, under a name that says nothing.
fn read(bytes: &[u8]) -> (&'static str, Metadata) {
    read_as(bytes, "a")
}

/// The type and what bytes of that name say.
fn read_as(bytes: &[u8], name: &str) -> (&'static str, Metadata) {
    let mut source = Cursor::new(bytes);
    let file_type = sniff(&mut source, name).unwrap();
    (
        file_type.name,
        metadata(&mut source, file_type, name).unwrap(),
    )
}

/// The best value of a kind as JSON, and where it is from; `-` for none.
fn best(found: &Metadata, kind: ClaimKind) -> String {
    found
        .of_kind(kind)
        .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
        .map_or_else(
            || "-".to_owned(),
            |best| format!("{} {}", best.source, best.statement.value().to_json()),
        )
}
