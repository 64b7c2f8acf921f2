//! What a path means in what each program hands out.

use heirloom_core::path;

use super::{NoteCode, Source, immich::is_dump};
use crate::scan::{file_reason, folder_reason};

/// How many folders deep is looked for those that a program makes: its own may lie in others.
const TOP: usize = 5;

/// What a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Somebody's picture, film, recording or letter.
    Original,
    /// It may describe an original.
    Sidecar,
    /// It describes many: an album, a table.
    Album,
    /// It is left out, and that is told: why.
    LeftOut(NoteCode),
    /// The program made it for itself, and can make it again.
    Made,
}

/// Where a file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) role: Role,
    /// The folder in which names are matched: parts of one archive share their folders.
    pub(super) folder: String,
    /// Its name there.
    pub(super) name: String,
    /// Its path in all that is imported: what is kept as where it was.
    pub(super) path: String,
}

/// Tells where a file stands. `part` is the number of its part, and `root` that part's own name if it is a folder.
pub(super) fn standing(source: Source, part: usize, root: Option<&str>, within: &str) -> Standing {
    let path = match root {
        Some(root) => path::join(root, within),
        None => within.to_owned(),
    };
    let mut names: Vec<&str> = path.split('/').collect();
    let name = names.pop().unwrap_or_default().to_owned();
    let extension = extension_of(&name);
    let at = |wanted: &[&str]| {
        names
            .iter()
            .take(TOP)
            .position(|name| wanted.contains(name))
    };
    let from = |place: usize| names.get(place..).unwrap_or_default().join("/");
    let (role, folder) = match source {
        Source::Export | Source::Folder => (of_files(&extension, false), from(0)),
        Source::Takeout => {
            let folder = from(at(&["Takeout"]).map_or(0, |place| place + 1));
            let role = match extension.as_str() {
                "json" => Role::Sidecar,
                "html" | "htm" => Role::LeftOut(NoteCode::Page),
                _ => of_files(&extension, true),
            };
            (role, folder)
        }
        Source::Apple => {
            let role = match (
                extension.as_str(),
                names.last().copied().unwrap_or_default(),
            ) {
                ("csv", "Memories") => Role::LeftOut(NoteCode::Memory),
                ("csv", _) => Role::Album,
                ("zip", _) => Role::LeftOut(NoteCode::ArchiveWithin),
                _ => of_files(&extension, true),
            };
            // Names come again in each part.
            (role, format!("{part}:{}", from(0)))
        }
        Source::Immich => {
            // Within an album of that name is somebody's picture; the folder of all may be called `library` itself.
            let made = at(&["thumbs", "encoded-video", "profile", "backups"]);
            let within = at(&["library", "upload"]);
            let is_made = made.is_some_and(|made| {
                within.is_none_or(|within| made < within || (made, within) == (1, 0))
            });
            let role = match is_made {
                true => Role::Made,
                false if name == ".immich" || is_dump(&name) => Role::Made,
                false => of_files(&extension, true),
            };
            (role, from(0))
        }
        Source::PhotoPrism => of_photoprism(root, &names, &name, &extension),
    };
    let role = match is_of_system(&names, &name) {
        true => Role::Made,
        false => role,
    };
    let path = match source {
        Source::Takeout => path::join(&folder, &name),
        _ => path.clone(),
    };
    Standing {
        role,
        folder,
        name,
        path,
    }
}

/// Whether a system or another program left it there for itself, as a scan passes it over.
fn is_of_system(folders: &[&str], name: &str) -> bool {
    // What macOS puts beside each file of an archive.
    file_reason(name).is_some()
        || folders
            .iter()
            .any(|folder| *folder == "__MACOSX" || folder_reason(folder).is_some())
}

/// Whether pictures of a Takeout lie there: its other products are not looked into where there are any.
pub(super) fn is_google_photos(folder: &str) -> bool {
    let first = folder.split('/').next().unwrap_or_default().to_lowercase();
    let words = [
        "photo",
        "foto",
        "フォト",
        "фото",
        "相册",
        "相簿",
        "포토",
        "zdjęcia",
        "bilder",
    ];
    first.starts_with("google") && words.iter().any(|word| first.contains(word))
}

/// Whether somebody had put what lies there into the trash.
pub(super) fn is_trash(source: Source, path: &str) -> bool {
    source == Source::Apple && path.split('/').any(|name| name == "Recently Deleted")
}

/// Which program handed this out, by the paths of its files.
pub(super) fn guess<'p>(paths: impl Iterator<Item = (Option<&'p str>, &'p str)>) -> Source {
    let (mut takeout, mut apple, mut immich, mut photoprism) = (0_u32, 0_u32, 0_u32, 0_u32);
    for (root, path) in paths {
        let mut names: Vec<&str> = root.into_iter().chain(path.split('/')).collect();
        let name = names.pop().unwrap_or_default();
        let lower = name.to_lowercase();
        let has = |wanted: &str| names.iter().take(TOP).any(|name| *name == wanted);
        if has("Takeout") || (lower.ends_with(".json") && lower.contains(".supplemental-m")) {
            takeout |= 1;
        }
        if lower.starts_with("photo details") && lower.ends_with(".csv") {
            apple |= 1;
        }
        if lower.ends_with(".aae") {
            apple |= 2;
        }
        if has("encoded-video") || has("thumbs") || name == ".immich" {
            immich |= 1;
        }
        if has("library") || has("upload") {
            immich |= 2;
        }
        if name.starts_with("immich-db-backup-") {
            immich |= 3;
        }
        if has("originals") {
            photoprism |= 1;
        }
        if has("storage") && has("sidecar") && lower.ends_with(".yml") {
            photoprism |= 3;
        }
        if has("sidecar") || (has("storage") && has("albums")) || has(".photoprism") {
            photoprism |= 2;
        }
    }
    match () {
        () if takeout > 0 => Source::Takeout,
        () if immich == 3 => Source::Immich,
        () if photoprism == 3 => Source::PhotoPrism,
        () if apple > 0 => Source::Apple,
        () => Source::Folder,
    }
}

pub(super) fn extension_of(name: &str) -> String {
    name.rsplit_once('.')
        .map_or_else(String::new, |(_, extension)| extension.to_lowercase())
}

fn of_files(extension: &str, is_exported: bool) -> Role {
    match extension {
        "xmp" | "aae" => Role::Sidecar,
        // Elsewhere JSON is somebody's own unless it describes something.
        "json" if !is_exported => Role::Sidecar,
        _ => Role::Original,
    }
}

fn of_photoprism(
    root: Option<&str>,
    names: &[&str],
    name: &str,
    extension: &str,
) -> (Role, String) {
    let own = ["originals", "storage", "sidecar", "albums"];
    // At the top, or in the program's own folder: what lies deeper is called so by somebody.
    let is_top = |place: usize| {
        let above = place.checked_sub(1).and_then(|above| names.get(above));
        place < 2 || above.is_some_and(|above| above.to_lowercase().contains("photoprism"))
    };
    let first = names
        .iter()
        .take(TOP)
        .enumerate()
        .position(|(place, folder)| own.contains(folder) && is_top(place));
    let after = |place: usize| names.get(place + 1..).unwrap_or_default().join("/");
    let is_yaml = matches!(extension, "yml" | "yaml");
    let of_original = |folder: String| {
        let mut folders = folder.split('/');
        let role = match is_yaml {
            true => Role::Sidecar,
            false if name.starts_with(".pp") || folders.any(|it| it.starts_with(".photoprism")) => {
                Role::Made
            }
            false => of_files(extension, true),
        };
        (role, folder)
    };
    let of_sidecar = |folder: String| match extension {
        "yml" | "yaml" | "xmp" => (Role::Sidecar, folder),
        _ => (Role::Made, folder),
    };
    let of_album = |folder: String| match is_yaml {
        true => (Role::Album, folder),
        false => (Role::Made, folder),
    };
    let Some(place) = first else {
        // The folder of originals may be called anything; names begin below it.
        let below = names.get(usize::from(root.is_some())..);
        return of_original(below.unwrap_or_default().join("/"));
    };
    let at = |steps: usize| names.get(place + steps).copied();
    match (at(0), at(1), at(2)) {
        (Some("originals"), ..) => of_original(after(place)),
        (Some("sidecar"), ..) => of_sidecar(after(place)),
        (Some("albums"), ..) => of_album(after(place)),
        (_, Some("sidecar"), _) => of_sidecar(after(place + 1)),
        (_, Some("albums"), _) => of_album(after(place + 1)),
        (_, Some("backup"), Some("albums")) => of_album(after(place + 2)),
        _ => (Role::Made, after(place)),
    }
}
