//! The repository's own media: where they are and what is known about them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file or folder of `testdata/`, by its path there: `media("sample/Pets/Minka.avif")`.
///
/// # Panics
/// When there is no such entry.
#[must_use]
pub fn media(name: &str) -> PathBuf {
    let path = repository().join("testdata").join(name);
    assert!(path.exists(), "testdata/{name} does not exist");
    path
}

/// The sample library: a folder as a family would have it.
#[must_use]
pub fn sample_library() -> PathBuf {
    media("sample")
}

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("a crate is two folders below the repository's root")
}

/// What is known of one file of `testdata/`, from the manifest that lists it.
#[derive(Clone, Debug)]
pub struct Known {
    /// The file itself.
    pub path: PathBuf,
    /// Its path relative to the folder that the manifest describes, with `/` between the parts.
    pub name: String,
    /// The whole entry: `sha256`, `bytes`, `source`, `licence`, and `truth` or `why` and `expect`.
    pub entry: serde_json::Value,
}

/// The files of the sample library with their truth, by name.
#[must_use]
pub fn sample() -> Vec<Known> {
    known("sample.json", "sample")
}

/// The files that are broken on purpose, by name: `entry["why"]` and `entry["expect"]`.
#[must_use]
pub fn malformed() -> Vec<Known> {
    known("malformed/manifest.json", "malformed")
}

/// What a manifest of `testdata/` says of the files in a folder of `testdata/`: a JSON object
/// whose `files` is a list of objects with a `file` relative to that folder.
///
/// # Panics
/// When the manifest is missing or not of that shape, or lists a file that does not exist.
#[must_use]
pub fn known(manifest: &str, folder: &str) -> Vec<Known> {
    let text = fs::read_to_string(media(manifest)).unwrap();
    let document: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("testdata/{manifest}: {error}"));
    let files = document["files"]
        .as_array()
        .unwrap_or_else(|| panic!("{manifest}: no `files`"));
    let known = files.iter().map(|entry| {
        let name = entry["file"]
            .as_str()
            .unwrap_or_else(|| panic!("{manifest}: no `file`: {entry}"));
        Known {
            path: media(&format!("{folder}/{name}")),
            name: name.to_owned(),
            entry: entry.clone(),
        }
    });
    known.collect()
}
