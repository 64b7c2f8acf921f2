//! What lies among originals and is none: what systems and other programs leave there.
//!
//! A file whose name begins with a dot is a family's file like any other; only what is known to be
//! made by a machine, and can be made again or is kept elsewhere as well, is passed over. Each is
//! reported with its reason.

const SYSTEM: &str = "made by the system";
const THUMBNAILS: &str = "another program's thumbnails";
const VERSIONS: &str = "another program's earlier versions";
const TRASH: &str = "trash";
const UNFINISHED: &str = "not yet copied to its end";
const LOCK: &str = "another program's lock";
const ELSEWHERE: &str = "in iCloud and not here";

/// Names, and why what is called so is passed over. In lower case; `*` stands for anything, also for
/// nothing; a name with `/` is that of a folder within such folders.
type Rules = &'static [(&'static str, &'static str)];

const FILES: Rules = &[
    // macOS
    (".ds_store", SYSTEM),
    ("._*", SYSTEM),
    (".apdisk", SYSTEM),
    (".localized", SYSTEM),
    ("icon\r", SYSTEM),
    (".*.icloud", ELSEWHERE),
    // Windows
    ("desktop.ini", SYSTEM),
    ("thumbs.db*", THUMBNAILS),
    ("ehthumbs.db", THUMBNAILS),
    ("ehthumbs_vista.db", THUMBNAILS),
    // Linux: a desktop's own, and what was removed while a program still had it open
    (".directory", SYSTEM),
    (".fuse_hidden*", SYSTEM),
    (".nfs0000*", SYSTEM),
    // Android
    (".nomedia", SYSTEM),
    (".thumbdata*", THUMBNAILS),
    (".trash*", TRASH),
    (".pending-*", UNFINISHED),
    // Synology
    ("*@synoresource", THUMBNAILS),
    ("*@synoeastream", THUMBNAILS),
    // Browsers, Syncthing
    ("*.part", UNFINISHED),
    ("*.crdownload", UNFINISHED),
    (".syncthing.*.tmp", UNFINISHED),
    ("~syncthing~*.tmp", UNFINISHED),
    // Microsoft Office, LibreOffice
    ("~$*", LOCK),
    (".~lock.*#", LOCK),
];

const FOLDERS: Rules = &[
    // macOS, and netatalk for it
    (".spotlight-v100", SYSTEM),
    (".fseventsd", SYSTEM),
    (".documentrevisions-v100", SYSTEM),
    (".temporaryitems", SYSTEM),
    ("temporary items", SYSTEM),
    (".appledouble", SYSTEM),
    (".appledb", SYSTEM),
    (".appledesktop", SYSTEM),
    ("network trash folder", TRASH),
    // Of a library of Photos or iPhoto, only what was made of the originals in it
    ("*.photoslibrary/resources/derivatives", THUMBNAILS),
    ("*.photoslibrary/resources/proxies/derivatives", THUMBNAILS),
    ("*.photoslibrary/resources/caches", THUMBNAILS),
    ("*.photolibrary/thumbnails", THUMBNAILS),
    // Windows
    ("system volume information", SYSTEM),
    ("$recycle.bin", TRASH),
    ("recycler", TRASH),
    // Linux
    ("lost+found", SYSTEM),
    (".thumbnails", THUMBNAILS),
    (".trash*", TRASH),
    // Synology, QNAP, Samba
    ("@eadir", THUMBNAILS),
    (".@__thumb", THUMBNAILS),
    (".@upload_cache", SYSTEM),
    ("#recycle", TRASH),
    ("@recycle", TRASH),
    (".recycle", TRASH),
    // File systems and programs that keep how things were
    (".snapshots", VERSIONS),
    (".snapshot", VERSIONS),
    ("#snapshot", VERSIONS),
    ("~snapshot", VERSIONS),
    (".zfs", VERSIONS),
    (".stversions", VERSIONS),
    (".git", VERSIONS),
    // Lightroom, digiKam and others
    ("*.lrdata", THUMBNAILS),
    (".thumbs", THUMBNAILS),
    (".dtrash", TRASH),
];

/// Why a file of this name (path text) is passed over, if it is.
pub(crate) fn file_reason(name: &str) -> Option<&'static str> {
    reason(FILES, &name.to_lowercase())
}

/// Why the folder at this path (path text) is passed over with everything in it, if it is.
pub(crate) fn folder_reason(path: &str) -> Option<&'static str> {
    reason(FOLDERS, &path.to_lowercase())
}

fn reason(rules: Rules, path: &str) -> Option<&'static str> {
    let is_for = |pattern: &str| {
        let above = pattern.matches('/').count();
        is_match(pattern, last_names(path, above))
    };
    let rule = rules.iter().find(|(pattern, _)| is_for(pattern));
    rule.map(|(_, reason)| *reason)
}

/// The last name of a path with so many above it.
fn last_names(path: &str, above: usize) -> &str {
    let from = path.rmatch_indices('/').nth(above);
    from.map_or(path, |(at, _)| path.get(at + 1..).unwrap_or_default())
}

fn is_match(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| is_match(rest, text.get(at..).unwrap_or_default()))
        }),
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
            "Thumbs.db:encryptable",
            "desktop.ini",
            "Icon\r",
            ".thumbdata3--1967290299",
            "IMG_1.jpg@SynoResource",
            "film.mp4.part",
            "film.mp4.crdownload",
            ".syncthing.IMG_1.jpg.tmp",
            ".pending-1600000000-IMG_1.jpg",
            ".trashed-1600000000-IMG_1.jpg",
            "~$letter.docx",
            ".~lock.letter.odt#",
            ".IMG_1.HEIC.icloud",
        ] {
            assert!(file_reason(name).is_some(), "{name}");
        }
        for name in [
            ".hidden.jpg",
            ".picasa.ini",
            "Trash.jpg",
            "thumbs.jpg",
            "_.jpg",
            "film.part1.mp4",
            "part",
            "a.tmp",
            "icloud.jpg",
            "my.icloud",
            "$5.jpg",
        ] {
            assert_eq!(file_reason(name), None, "{name}");
        }
        for path in [
            "@eaDir",
            "2004/#recycle",
            ".recycle",
            "RECYCLER",
            "$RECYCLE.BIN",
            ".Trash-1000",
            ".Trashes",
            "Network Trash Folder",
            "lost+found",
            "System Volume Information",
            ".stversions",
            "a/b/.snapshots",
            ".zfs",
            ".git",
            ".AppleDB",
            ".@upload_cache",
            "Lightroom/Catalog Previews.lrdata",
            "Photos Library.photoslibrary/resources/derivatives",
            "a/Photos Library.photoslibrary/resources/caches",
        ] {
            assert!(folder_reason(path).is_some(), "{path}");
        }
        for path in [
            ".hidden",
            "Trash",
            "thumbnails",
            ".picasaoriginals",
            "@home",
            "Snapshots",
            "derivatives",
            "resources/derivatives",
            "a.photoslibrary/b/resources/derivatives",
            "Photos Library.photoslibrary",
            "Photos Library.photoslibrary/originals",
            "Photos Library.photoslibrary/resources",
        ] {
            assert_eq!(folder_reason(path), None, "{path}");
        }
    }
}
