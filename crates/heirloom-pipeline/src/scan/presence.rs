//! Telling a folder that was emptied from a disk that is not there.

use std::io;

use heirloom_core::path;

use super::{examine::skipped, passed_over};
use crate::original::{EntryKind, Folder, Identity, Root};

/// Whether any file that a scan would catalogue is in the folder at `path` or below it. Where there
/// are files it ends at the first; only folders without any are all gone through. What may not be
/// looked into counts as a file: nobody can say that it is empty.
///
/// # Errors
/// What the system says of the folder itself.
pub(crate) fn has_files(
    root: &Root,
    path: &str,
    data_folder: Option<Identity>,
) -> io::Result<bool> {
    let mut below = Vec::new();
    if look_into(root, path, data_folder, &mut below)? {
        return Ok(true);
    }
    while let Some(path) = below.pop() {
        match look_into(root, &path, data_folder, &mut below) {
            Ok(false) => {}
            Ok(true) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return Ok(true),
        }
    }
    Ok(false)
}

/// Looks for a file in one folder; notes the folders in it.
fn look_into(
    root: &Root,
    path: &str,
    data_folder: Option<Identity>,
    below: &mut Vec<String>,
) -> io::Result<bool> {
    let folder = root.open_folder(path)?;
    if data_folder.is_some() && data_folder == folder.identity().ok() {
        return Ok(false);
    }
    folder.find(|name, kind| {
        let name = path::to_text(name);
        match kind {
            EntryKind::Folder => note(below, path, &name),
            EntryKind::File | EntryKind::Unknown => return is_file(&folder, path, &name, below),
            _ => {}
        }
        false
    })
}

fn is_file(folder: &Folder, path: &str, name: &str, below: &mut Vec<String>) -> bool {
    if passed_over::file_reason(name).is_some() {
        return false;
    }
    match folder.stat(name) {
        Ok(stat) if stat.kind == EntryKind::Folder => {
            note(below, path, name);
            false
        }
        Ok(stat) => skipped(&stat).is_none(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn note(below: &mut Vec<String>, path: &str, name: &str) {
    let path = path::join(path, name);
    if passed_over::folder_reason(&path).is_none() {
        below.push(path);
    }
}
