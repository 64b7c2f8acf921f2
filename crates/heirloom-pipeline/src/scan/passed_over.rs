//! What lies among originals and is none: what systems and other programs leave there.
//!
//! The list is short on purpose. A file whose name begins with a dot is a family's file like any
//! other; only what is known to be made by a machine, and can be made again, is passed over. Each
//! is reported with its reason.

const SYSTEM: &str = "made by the system";
const THUMBNAILS: &str = "another program's thumbnails";
const TRASH: &str = "trash";

/// Why a file of this name (path text) is passed over, if it is.
pub(super) fn file_reason(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let is_system = matches!(
        lower.as_str(),
        ".ds_store"
            | ".apdisk"
            | ".localized"
            | ".directory"
            | ".nomedia"
            | "icon\r"
            | "desktop.ini"
    ) || lower.starts_with("._")
        || lower.starts_with(".fuse_hidden")
        || lower.starts_with(".nfs0000");
    let is_thumbnails = matches!(
        lower.as_str(),
        "thumbs.db" | "ehthumbs.db" | "ehthumbs_vista.db"
    );
    if is_system {
        Some(SYSTEM)
    } else if is_thumbnails {
        Some(THUMBNAILS)
    } else if lower.starts_with(".trash") {
        Some(TRASH)
    } else {
        None
    }
}

/// Why a folder of this name (path text) is passed over with everything in it, if it is.
pub(super) fn folder_reason(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    match lower.as_str() {
        "@eadir" | ".thumbnails" | ".thumbs" | ".@__thumb" | ".appledouble" => Some(THUMBNAILS),
        "#recycle" | "@recycle" | "$recycle.bin" | ".dtrash" => Some(TRASH),
        "system volume information"
        | "lost+found"
        | "#snapshot"
        | ".spotlight-v100"
        | ".fseventsd"
        | ".temporaryitems"
        | ".documentrevisions-v100" => Some(SYSTEM),
        _ if lower.starts_with(".trash") => Some(TRASH),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_machines_leave_is_passed_over_and_what_people_keep_is_not() {
        for name in [
            ".DS_Store",
            "._IMG_1.jpg",
            "Thumbs.db",
            "desktop.ini",
            "Icon\r",
        ] {
            assert!(file_reason(name).is_some(), "{name}");
        }
        for name in [
            ".hidden.jpg",
            ".picasa.ini",
            "Trash.jpg",
            "thumbs.jpg",
            "_.jpg",
        ] {
            assert_eq!(file_reason(name), None, "{name}");
        }
        for name in [
            "@eaDir",
            "#recycle",
            "$RECYCLE.BIN",
            ".Trash-1000",
            ".Trashes",
            "lost+found",
        ] {
            assert!(folder_reason(name).is_some(), "{name}");
        }
        for name in [
            ".hidden",
            "Trash",
            "thumbnails",
            ".picasaoriginals",
            "@home",
        ] {
            assert_eq!(folder_reason(name), None, "{name}");
        }
    }
}
