//! Folders of an archive, and which files are known in each.

use std::collections::BTreeSet;

use heirloom_core::{ArchiveId, AssetId, ContentHash, FolderId, LocationId, MediaKind, SidecarId};

use crate::{
    Db, DbError, Tx, artifact, clock, sidecar,
    sql::statements,
    value::{Value, args},
};

/// A file that is known in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name, as path text.
    pub name: String,
    /// How long it was.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When anything about the file changed, even its name, in nanoseconds since 1970.
    pub changed_at_ns: i64,
    /// What it is.
    pub what: KnownAs,
}

/// What a known file is in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAs {
    /// A place of an asset.
    Location(LocationId, AssetId),
    /// A sidecar.
    Sidecar(SidecarId),
}

/// A known file with what is needed to match it with its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name, as path text.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// What it is.
    pub role: NeighbourRole,
}

/// What a known file is to its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeighbourRole {
    /// An asset, of this kind and media type.
    Asset(AssetId, MediaKind, String),
    /// A sidecar, written in this.
    Sidecar(SidecarId, String),
}

/// A folder that is known in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its path text, relative to the archive's root; empty for the root.
    pub path: String,
    /// Whether sidecars and stacks have been matched since its files last changed.
    pub is_settled: bool,
    /// Whether it was on another device than the folder that it is in, when it was last looked into.
    pub is_mount: bool,
}

/// What happens to a folder of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderChange {
    /// It was found for the first time.
    Came {
        /// The id that it is given.
        id: FolderId,
        /// The folder it is in; `None` for the archive's root.
        parent: Option<FolderId>,
        /// Its path text, relative to the archive's root; empty for the root.
        path: String,
        /// Whether it is on another device than the folder that it is in.
        is_mount: bool,
    },
    /// Whether it is on another device than the folder that it is in is not what it was.
    Mounted(FolderId, bool),
    /// It had gone and is there again.
    CameBack(FolderId),
    /// It is no longer there. What was in it is marked file by file, before.
    Went(FolderId),
    /// Its sidecars and stacks are matched.
    Settled(FolderId),
}

statements! {
    FIND = "SELECT id, is_settled, is_mount, gone_at_ms IS NULL FROM folder
        WHERE archive_id = $1 AND path = $2 /*pg AND md5(path) = md5($2) */";
    BRING_BACK = "UPDATE folder SET gone_at_ms = NULL, is_settled = FALSE WHERE id = $1";
    LIST_CHILDREN = "SELECT id, path, is_settled, is_mount FROM folder
        WHERE parent_id = $1 AND gone_at_ms IS NULL ORDER BY path";
    ADD_ROWS = "INSERT INTO folder (id, archive_id, parent_id, path, is_settled, is_mount) VALUES {rows}";
    SET_MOUNT = "UPDATE folder SET is_mount = $2 WHERE id = $1";
    MARK_GONE = "UPDATE folder SET gone_at_ms = $1 WHERE id IN ({list})";
    UNSETTLE = "UPDATE folder SET is_settled = FALSE WHERE id = $1 AND is_settled = TRUE";
    SETTLE = "UPDATE folder SET is_settled = TRUE WHERE id IN ({list})";
    // Names are in byte order, so that they merge with a sorted directory listing. Each arm has its
    // own limit: with one around both, the rest of the folder is sorted for each page.
    LIST_FILES = "SELECT * FROM (
          SELECT name, size_bytes, modified_at_ns, changed_at_ns, id, asset_id FROM asset_location
          WHERE folder_id = $1 AND gone_at_ms IS NULL AND name > $2 ORDER BY name LIMIT $3) AS locations
        UNION ALL SELECT * FROM (
          SELECT name, size_bytes, modified_at_ns, changed_at_ns, id, CAST(NULL AS BYTEA) FROM sidecar
          WHERE folder_id = $1 AND gone_at_ms IS NULL AND name > $2 ORDER BY name LIMIT $3) AS sidecars
        ORDER BY name LIMIT $3";
    LIST_NEIGHBOURS = "SELECT * FROM (
          SELECT l.name AS name, a.content_hash, l.asset_id, TRUE, a.kind, a.media_type
          FROM asset_location l JOIN asset a ON a.id = l.asset_id
          WHERE l.folder_id = $1 AND l.gone_at_ms IS NULL AND l.name > $2
          ORDER BY l.name LIMIT $3) AS originals
        UNION ALL SELECT * FROM (
          SELECT name, content_hash, id, FALSE, kind, '' FROM sidecar
          WHERE folder_id = $1 AND gone_at_ms IS NULL AND name > $2 ORDER BY name LIMIT $3) AS sidecars
        ORDER BY name LIMIT $3";
    LIST_TELLING = "SELECT DISTINCT l.asset_id FROM asset_location l
        JOIN artifact r ON r.subject_id = l.asset_id AND r.kind = $2 AND r.tool = $3
        WHERE l.folder_id = $1 AND l.gone_at_ms IS NULL
          AND (r.blob_hash IS NOT NULL OR r.payload LIKE $4 OR r.payload LIKE $5)";
}

impl Db {
    /// The folder at `path` (path text, relative to the archive's root) and whether it is there.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_folder(
        &self,
        archive: ArchiveId,
        path: &str,
    ) -> Result<Option<(Folder, bool)>, DbError> {
        let Some(row) = self.fetch_optional(FIND, args![archive, path]).await? else {
            return Ok(None);
        };
        let folder = Folder {
            id: row.get(0)?,
            path: path.to_owned(),
            is_settled: row.get(1)?,
            is_mount: row.get(2)?,
        };
        Ok(Some((folder, row.get(3)?)))
    }

    /// The folder at `path` (path text, relative to the archive's root), made if it is new and
    /// brought back if it was gone; on the device of the folder that it is in.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn get_or_create_folder(
        &self,
        archive: ArchiveId,
        parent: Option<FolderId>,
        path: &str,
    ) -> Result<Folder, DbError> {
        let (id, change) = match self.find_folder(archive, path).await? {
            Some((folder, true)) => return Ok(folder),
            Some((folder, false)) => (folder.id, FolderChange::CameBack(folder.id)),
            None => {
                let (id, path) = (clock::new_id(), path.to_owned());
                let is_mount = false;
                let came = FolderChange::Came {
                    id,
                    parent,
                    path,
                    is_mount,
                };
                (id, came)
            }
        };
        let mut tx = self.begin().await?;
        apply(&mut tx, archive, &[change], clock::now_ms()).await?;
        tx.commit().await?;
        Ok(Folder {
            id,
            path: path.to_owned(),
            is_settled: false,
            is_mount: false,
        })
    }

    /// The folders that are known directly below one.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_child_folders(&self, parent: FolderId) -> Result<Vec<Folder>, DbError> {
        let rows = self.fetch(LIST_CHILDREN, args![parent]).await?;
        rows.iter()
            .map(|row| {
                Ok(Folder {
                    id: row.get(0)?,
                    path: row.get(1)?,
                    is_settled: row.get(2)?,
                    is_mount: row.get(3)?,
                })
            })
            .collect()
    }

    /// The files that are known in a folder, in the byte order of their names, after `after`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_known_files(
        &self,
        folder: FolderId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<KnownFile>, DbError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST_FILES, args![folder, after, limit]).await?;
        rows.iter()
            .map(|row| {
                let asset: Option<AssetId> = row.get(5)?;
                Ok(KnownFile {
                    name: row.get(0)?,
                    size_bytes: row.get(1)?,
                    modified_at_ns: row.get(2)?,
                    changed_at_ns: row.get(3)?,
                    what: match asset {
                        Some(asset) => KnownAs::Location(row.get(4)?, asset),
                        None => KnownAs::Sidecar(row.get(4)?),
                    },
                })
            })
            .collect()
    }

    /// The files that are known in a folder, each with what it is matched by, in the byte order of
    /// their names, after `after`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_neighbours(
        &self,
        folder: FolderId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Neighbour>, DbError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .fetch(LIST_NEIGHBOURS, args![folder, after, limit])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Neighbour {
                    name: row.get(0)?,
                    content_hash: row.get(1)?,
                    role: if row.get::<bool>(3)? {
                        let kind = row.word(4, "a media kind", |word| word.parse().ok())?;
                        NeighbourRole::Asset(row.get(2)?, kind, row.get(5)?)
                    } else {
                        NeighbourRole::Sidecar(row.get(2)?, row.get(4)?)
                    },
                })
            })
            .collect()
    }

    /// The assets in a folder whose artifacts by this tool have one of these words as a name, or are
    /// too large to tell.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_assets_telling(
        &self,
        folder: FolderId,
        tool: &str,
        words: [&str; 2],
    ) -> Result<BTreeSet<AssetId>, DbError> {
        let [first, second] = words.map(|word| format!("%\"{word}\"%"));
        let args = args![folder, artifact::METADATA, tool, first, second];
        let rows = self.fetch(LIST_TELLING, args).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// Makes changes of folders true, in their order.
pub(crate) async fn apply(
    tx: &mut Tx,
    archive: ArchiveId,
    changes: &[FolderChange],
    now_ms: i64,
) -> Result<(), DbError> {
    let mut new = Vec::new();
    let mut gone: Vec<Value> = Vec::new();
    let mut settled: Vec<Value> = Vec::new();
    for change in changes {
        match change {
            FolderChange::Came {
                id,
                parent,
                path,
                is_mount,
            } => {
                new.push(args![*id, archive, *parent, path, false, *is_mount]);
            }
            FolderChange::Mounted(id, is_mount) => {
                tx.execute(SET_MOUNT, args![*id, *is_mount]).await?;
            }
            FolderChange::CameBack(id) => {
                tx.execute(BRING_BACK, args![*id]).await?;
            }
            FolderChange::Went(id) => gone.push(Value::from(*id)),
            FolderChange::Settled(id) => settled.push(Value::from(*id)),
        }
    }
    tx.execute_rows(ADD_ROWS, 6, new).await?;
    let matched = settled.iter().chain(&gone).cloned().collect();
    sidecar::delete_gone(tx, matched).await?;
    tx.execute_list(SETTLE, args![], settled).await?;
    tx.execute_list(MARK_GONE, args![now_ms], gone).await?;
    Ok(())
}

/// Notes, with the change itself, that a folder's sidecars and stacks have to be matched again.
pub(crate) async fn unsettle(tx: &mut Tx, folder: FolderId) -> Result<(), DbError> {
    tx.execute(UNSETTLE, args![folder]).await?;
    Ok(())
}
