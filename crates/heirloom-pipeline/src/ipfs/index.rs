//! What lies beside the originals: an index that says what they are, and a few words on how to open it all. The form is
//! written down in `docs/ipfs.md`.

use heirloom_core::ContentHash;
use serde::{Deserialize, Serialize};

/// The version of the form.
pub(super) const FORMAT: u32 = 1;
/// What the index is called.
pub(super) const INDEX: &str = "index.json";
/// What the words are called.
pub(super) const README: &str = "README.txt";
/// The folder of the originals.
pub(super) const ORIGINALS: &str = "originals";
/// What a sealed file's name ends with.
pub(super) const SEALED: &str = ".age";
/// How many originals are in one of its folders: whatever they are called, no folder becomes too large for one node.
pub(super) const TOGETHER: usize = 500;
/// How long an index may be that is read.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// What the originals of a publication are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) format: u32,
    /// What the collection is called.
    pub(super) collection: String,
    pub(super) description: String,
    pub(super) files: Vec<File>,
}

/// One original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    /// Where it lies, from the root.
    pub(super) path: String,
    /// What it was called.
    pub(super) name: String,
    /// BLAKE3 of its bytes, once they are opened.
    pub(super) blake3: ContentHash,
    pub(super) size_bytes: u64,
    pub(super) media_type: String,
    /// When it was made, as EDTF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
}

/// The words for somebody who finds this and knows nothing of it.
pub(super) const fn readme(is_plain: bool) -> &'static str {
    match is_plain {
        true => {
            "Originals of a family: photographs, films, recordings and letters.\n\n\
             They lie below originals/ as they are. index.json says what each was called and when it was made.\n"
        }
        false => {
            "Originals of a family, sealed: photographs, films, recordings and letters.\n\n\
             Every file whose name ends in .age is encrypted in the format of age (https://age-encryption.org/v1).\n\
             Whoever has the key of this collection, a line that begins with AGE-SECRET-KEY-1, opens them with any\n\
             program that knows the format, such as: age --decrypt -i key.txt index.json.age\n\n\
             index.json.age says what each file below originals/ was called, when it was made, and the BLAKE3 of its\n\
             bytes.\n"
        }
    }
}
