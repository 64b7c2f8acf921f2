//! The tool `sidecar`: what a file beside an original says of it.

use heirloom_blobs::hash_of;
use heirloom_core::ContentHash;
use heirloom_media::SidecarKind;
use serde_json::json;

use super::{Made, SIDECAR, guarded, problem};

/// The longest sidecar that is read; the longest seen in earnest have a few hundred KiB.
pub const SIDECAR_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a sidecar; `None` in place of the bytes of one that is too long to be read.
#[must_use]
pub fn read_sidecar(bytes: Option<&[u8]>, content_hash: ContentHash, kind: SidecarKind) -> Made {
    debug_assert!(bytes.is_none_or(|bytes| hash_of(bytes) == content_hash));
    let read = guarded(|| match bytes {
        Some(bytes) => heirloom_media::read_sidecar(bytes, kind),
        None => problem("The sidecar is larger than 16 MiB and was not read."),
    });
    let head = json!({ "kind": sidecar_word(kind) });
    Made::of(SIDECAR, content_hash, head, read)
}

/// The word for what a sidecar is, in the database and the API.
#[must_use]
pub const fn sidecar_word(kind: SidecarKind) -> &'static str {
    match kind {
        SidecarKind::Xmp => "xmp",
        SidecarKind::Takeout => "takeout",
        SidecarKind::AppleEdit => "aae",
        SidecarKind::PhotoPrism => "photoprism",
        SidecarKind::AppleDetails => "icloud",
        SidecarKind::Immich => "immich",
    }
}

/// The kind of sidecar that a word of the database stands for.
#[must_use]
pub fn sidecar_kind(word: &str) -> Option<SidecarKind> {
    [
        SidecarKind::Xmp,
        SidecarKind::Takeout,
        SidecarKind::AppleEdit,
        SidecarKind::PhotoPrism,
        SidecarKind::AppleDetails,
        SidecarKind::Immich,
    ]
    .into_iter()
    .find(|kind| sidecar_word(*kind) == word)
}
