//! What a path means in what each program hands out.

use heirloom_core::path;

use super::{NoteCode, Source};

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
    let at = |wanted: &[&str]| names.iter().take(3).position(|name| wanted.contains(name));
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
            let made = ["thumbs", "encoded-video", "profile", "backups"];
            let role = match at(&made) {
                Some(_) => Role::Made,
                None if name == ".immich" => Role::Made,
                None => of_files(&extension, true),
            };
            (role, from(0))
        }
        Source::PhotoPrism => of_photoprism(&names, &name, &extension),
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
        let has = |wanted: &str| names.iter().take(3).any(|name| *name == wanted);
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
        if has("originals") {
            photoprism |= 1;
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

fn of_photoprism(names: &[&str], name: &str, extension: &str) -> (Role, String) {
    let at = |wanted: &str| names.iter().take(3).position(|name| *name == wanted);
    let after = |place: usize| names.get(place + 1..).unwrap_or_default().join("/");
    let hidden = |folder: &str| {
        folder
            .split('/')
            .any(|name| name.starts_with(".photoprism"))
    };
    if let Some(place) = at("originals") {
        let folder = after(place);
        let role = match extension {
            "yml" | "yaml" => Role::Sidecar,
            _ if name.starts_with(".pp") || hidden(&folder) => Role::Made,
            _ => of_files(extension, true),
        };
        return (role, folder);
    }
    if let Some(place) = at("sidecar") {
        return match extension {
            "yml" | "yaml" | "xmp" => (Role::Sidecar, after(place)),
            _ => (Role::Made, after(place)),
        };
    }
    if let Some(place) = at("albums") {
        return match extension {
            "yml" | "yaml" => (Role::Album, after(place)),
            _ => (Role::Made, after(place)),
        };
    }
    match at("storage") {
        Some(place) => (Role::Made, after(place)),
        None => (of_files(extension, true), names.join("/")),
    }
}
