//! Folders of an archive, and which files are known in each.

use heirloom_core::{ArchiveId, AssetId, FolderId, LocationId, SidecarId};

use crate::{Db, DbError, Tx, clock, sql::statements, value::args};

/// A file that is known in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name, as path text.
    pub name: String,
    /// How long it was.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// Its inode number, bit for bit.
    pub inode: i64,
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

/// A folder that is known in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its path text, relative to the archive's root; empty for the root.
    pub path: String,
    /// Whether sidecars and stacks have been matched since its files last changed.
    pub is_settled: bool,
}

statements! {
    FIND = "SELECT id, is_settled, gone_at_ms IS NULL FROM folder WHERE archive_id = $1 AND path = $2";
    ADD = "INSERT INTO folder (id, archive_id, parent_id, path, is_settled)
        VALUES ($1, $2, $3, $4, FALSE)";
    BRING_BACK = "UPDATE folder SET gone_at_ms = NULL, is_settled = FALSE WHERE id = $1";
    LIST_CHILDREN = "SELECT id, path, is_settled FROM folder
        WHERE parent_id = $1 AND gone_at_ms IS NULL ORDER BY path";
    MARK_GONE = "UPDATE folder SET gone_at_ms = $2 WHERE id = $1";
    UNSETTLE = "UPDATE folder SET is_settled = FALSE WHERE id = $1 AND is_settled = TRUE";
    SETTLE = "UPDATE folder SET is_settled = TRUE WHERE id = $1";
    // Names are in byte order, so that they merge with a sorted directory listing.
    LIST_FILES = "SELECT * FROM (
          SELECT name, size_bytes, modified_at_ns, inode, id, asset_id FROM asset_location
          WHERE folder_id = $1 AND gone_at_ms IS NULL AND name > $2
          UNION ALL
          SELECT name, size_bytes, modified_at_ns, inode, id, NULL FROM sidecar
          WHERE folder_id = $1 AND gone_at_ms IS NULL AND name > $2
        ) AS known ORDER BY name LIMIT $3";
}

impl Db {
    /// The folder at `path` (path text, relative to the archive's root), made if it is new and
    /// brought back if it was gone.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn get_or_create_folder(
        &self,
        archive: ArchiveId,
        parent: Option<FolderId>,
        path: &str,
    ) -> Result<Folder, DbError> {
        let path = path.to_owned();
        if let Some(row) = self.fetch_optional(FIND, args![archive, &path]).await? {
            let folder = Folder {
                id: row.get(0)?,
                path,
                is_settled: row.get(1)?,
            };
            if row.get::<bool>(2)? {
                return Ok(folder);
            }
            let mut tx = self.begin().await?;
            tx.execute(BRING_BACK, args![folder.id]).await?;
            tx.commit().await?;
            return Ok(Folder {
                is_settled: false,
                ..folder
            });
        }
        let id: FolderId = clock::new_id();
        let mut tx = self.begin().await?;
        tx.execute(ADD, args![id, archive, parent, &path]).await?;
        tx.commit().await?;
        Ok(Folder {
            id,
            path,
            is_settled: false,
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
                    inode: row.get(3)?,
                    what: match asset {
                        Some(asset) => KnownAs::Location(row.get(4)?, asset),
                        None => KnownAs::Sidecar(row.get(4)?),
                    },
                })
            })
            .collect()
    }

    /// Says that a folder is no longer there. What was in it is marked file by file, before.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn mark_folder_gone(&self, folder: FolderId, now_ms: i64) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(MARK_GONE, args![folder, now_ms]).await?;
        tx.commit().await
    }

    /// Says that sidecars and stacks of a folder are matched.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn settle_folder(&self, folder: FolderId) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(SETTLE, args![folder]).await?;
        tx.commit().await
    }
}

/// Notes, with the change itself, that a folder's sidecars and stacks have to be matched again.
pub(crate) async fn unsettle(tx: &mut Tx, folder: FolderId) -> Result<(), DbError> {
    tx.execute(UNSETTLE, args![folder]).await?;
    Ok(())
}
