//! Folders of the vault for what is brought there.

use heirloom_core::{ArchiveId, FolderId, path};

use crate::{
    DbError, Tx, clock,
    folder::{self, FolderChange},
    sql::statements,
    value::args,
};

statements! {
    FIND_FOLDER = "SELECT id FROM folder WHERE archive_id = $1 AND path = $2 /*pg AND md5(path) = md5($2) */";
}

/// The folder of the vault, and the name in it, of what was at that path of an archive.
pub(super) fn folder_of(archive: &str, is_vault: bool, path: &str) -> (String, String) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    // What was in a vault lies where it lay; an archive becomes a folder of this one.
    let folder = match (is_vault, folder.is_empty()) {
        (true, _) => folder.to_owned(),
        (false, true) => archive_folder(archive),
        (false, false) => path::join(&archive_folder(archive), folder),
    };
    (folder, name.to_owned())
}

/// The name of an archive as path text: of one folder.
fn archive_folder(archive: &str) -> String {
    path::to_text(archive.replace('/', "-").as_bytes())
}

/// The folder of the vault at a path, made with those above it if it is not there.
pub(super) async fn get_or_create_folder(
    tx: &mut Tx,
    vault: ArchiveId,
    path: &str,
    now_ms: i64,
) -> Result<FolderId, DbError> {
    if let Some(row) = tx.fetch_optional(FIND_FOLDER, args![vault, path]).await? {
        return row.get(0);
    }
    let parent = match path.rsplit_once('/') {
        Some((parent, _)) => Some(parent),
        None if path.is_empty() => None,
        None => Some(""),
    };
    let parent = match parent {
        Some(parent) => Some(Box::pin(get_or_create_folder(tx, vault, parent, now_ms)).await?),
        None => None,
    };
    let id: FolderId = clock::new_id();
    let came = FolderChange::Came {
        id,
        parent,
        path: path.to_owned(),
        is_mount: false,
    };
    folder::apply(tx, vault, &[came, FolderChange::Settled(id)], now_ms).await?;
    Ok(id)
}
