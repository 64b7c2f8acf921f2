//! Makes the folder of a store.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    incoming::Incoming,
    layout::{
        INCOMING, LOCKS, Layout, PLAIN_LINE, QUARANTINE, is_own, make_folder, shard_name,
        sync_folder,
    },
};
use crate::{BlobError, Sealing, error::At};

/// Left in every store for whoever finds it without this program.
const MARKER_TEXT: &str = "

Each file in the folders 00 to ff is named by the BLAKE3 hash of its bytes (64
hexadecimal digits) and lies in the folder that has the first two digits as its
name. To check one: b3sum FILE prints its name. What the files are is written
elsewhere; any program that knows their type can open them.

What has .sealed behind its name is encrypted; the name is that of the bytes in
it. Its key is wrapped in the file encryption.json of the library.

incoming    files that are being written; of no use when nothing is running
locks       empty files that running programs lock
quarantine  damaged or foreign files that were moved out of the way
";

/// Makes a store in a folder, or completes one whose making was interrupted, or just opens it.
pub(super) fn make(root: PathBuf, sealing: Sealing) -> Result<Layout, BlobError> {
    let layout = Layout::at(root, sealing);
    let root = layout.root();
    make_folders(root)?;
    let marker = layout.marker();
    if marker.try_exists().at(&marker)? {
        layout.check()?;
        // Whoever is making it right now may not have come to syncing it.
        sync_folder(root)?;
        return Ok(layout);
    }
    for entry in fs::read_dir(root).at(root)? {
        let name = entry.at(root)?.file_name();
        if !name.to_str().is_some_and(is_own) {
            let problem = "something else is in it";
            return Err(BlobError::NotAStore {
                path: root.to_owned(),
                problem,
            });
        }
    }
    let folders = [INCOMING, LOCKS, QUARANTINE].map(str::to_owned);
    for name in folders.into_iter().chain((0..=u8::MAX).map(shard_name)) {
        make_folder(&root.join(name))?;
    }
    // The marker comes last: a store that has it is complete, folders and all.
    sync_folder(root)?;
    mark(&layout, PLAIN_LINE)?;
    Ok(layout)
}

/// Writes the marker, durable and at once.
pub(super) fn mark(layout: &Layout, first_line: &str) -> Result<(), BlobError> {
    let mut text = Incoming::create_plain(layout)?;
    text.write(first_line.as_bytes())?;
    text.write(MARKER_TEXT.as_bytes())?;
    text.place_as(&layout.marker())?;
    sync_folder(layout.root())
}

/// Makes a folder and those above it, all durable.
fn make_folders(folder: &Path) -> Result<(), BlobError> {
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => {
            let problem = "it is a file";
            return Err(BlobError::NotAStore {
                path: folder.to_owned(),
                problem,
            });
        }
        // Whatever else keeps it from being seen keeps it from being made, which says why.
        Err(_) => {}
    }
    if let Some(parent) = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        make_folders(parent)?;
    }
    make_folder(folder)?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}
