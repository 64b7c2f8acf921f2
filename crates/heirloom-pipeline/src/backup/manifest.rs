//! `library.json` in each snapshot: what a restore has to know before it opens the catalogue.

use heirloom_core::ArchiveId;
use serde::{Deserialize, Serialize};

/// The paths of a snapshot begin with this.
pub(super) const ROOT: &str = "/library";
pub(super) const CATALOGUE: &str = "catalogue";
pub(super) const MANIFEST: &str = "library.json";
pub(super) const ORIGINALS: &str = "originals";
pub(super) const STORE: &str = "store";
/// The label of a snapshot of this format begins with this; the id of the library's family follows. What others
/// keep in the same repository is left alone.
pub(super) const LABEL: &str = "library ";
/// What a snapshot is marked with that was made between two backups.
pub(super) const CAPTURE: &str = "capture";
/// Of this form.
pub(super) const FORMAT: u32 = 1;

/// What is in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// 1.
    pub(super) format: u32,
    /// When, in milliseconds since 1970.
    pub(super) made_at_ms: i64,
    /// `sqlite`, or `postgres`, whose catalogue comes back in SQLite.
    pub(super) engine: String,
    /// The files of the catalogue.
    pub(super) catalogue: Vec<String>,
    /// Whether it has the files of folder archives.
    pub(super) has_folders: bool,
    /// The archives that are folders.
    pub(super) archives: Vec<ManifestArchive>,
    /// How many assets the catalogue has.
    pub(super) assets: i64,
    /// How many blobs.
    pub(super) blobs: u64,
    /// How many files of folder archives.
    pub(super) files: u64,
}

/// An archive that is a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestArchive {
    pub(super) id: ArchiveId,
    /// What it is called.
    pub(super) name: String,
    /// Where it was, as path text.
    pub(super) root: String,
    /// What it is called below `originals`, as path text.
    pub(super) folder: String,
}

/// What an archive is called below `originals`: its name, as far as a folder can be called that, and with a
/// number where another has it.
pub(super) fn folder_name(name: &str, taken: &[ManifestArchive]) -> String {
    let plain: String = name
        .chars()
        .map(|letter| match letter {
            '/' | '\\' => '_',
            letter if letter.is_control() => '_',
            letter => letter,
        })
        .take(60)
        .collect();
    let plain = match plain.trim() {
        "" | "." | ".." => "archive",
        plain => plain,
    };
    let is_taken = |name: &str| taken.iter().any(|archive| archive.folder == name);
    let numbered = (2..).map(|number| format!("{plain} ({number})"));
    let mut names = std::iter::once(plain.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_keep_their_names_as_far_as_folders_can_have_them() {
        let mut taken = Vec::new();
        for (name, folder) in [
            ("Pictures", "Pictures"),
            ("Grandma/Letters", "Grandma_Letters"),
            ("Grandma\\Letters", "Grandma_Letters (2)"),
            ("..", "archive"),
            ("", "archive (2)"),
            ("Bücher\n1900", "Bücher_1900"),
        ] {
            assert_eq!(folder_name(name, &taken), folder, "{name:?}");
            taken.push(ManifestArchive {
                id: ArchiveId::from_parts(1_000, [0; 10]),
                name: name.to_owned(),
                root: String::new(),
                folder: folder.to_owned(),
            });
        }
    }
}
