//! Sidecars: files that describe the assets beside them.

use std::collections::{BTreeMap, BTreeSet};

use heirloom_core::{ArchiveId, AssetId, ContentHash, FamilyId, FolderId, RunId, SidecarId};

use crate::{
    Db, DbError,
    artifact::{self, Derived},
    asset, clock, folder,
    sql::statements,
    value::args,
};

/// A sidecar as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSidecar {
    /// Its name, as path text.
    pub name: String,
    /// What it is written in: `xmp`, `takeout`, `aae`.
    pub kind: &'static str,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// How long it is.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// Its inode number, bit for bit.
    pub inode: i64,
}

/// A sidecar that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// Its id.
    pub id: SidecarId,
    /// Its name, as path text.
    pub name: String,
    /// What it is written in.
    pub kind: String,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// The archive it is in.
    pub archive_id: ArchiveId,
    /// The path of its folder, as path text.
    pub folder_path: String,
}

statements! {
    MARK_GONE_BY_NAME = "UPDATE sidecar SET gone_at_ms = $3
        WHERE folder_id = $1 AND name = $2 AND gone_at_ms IS NULL";
    ADD = "INSERT INTO sidecar (id, folder_id, name, kind, content_hash, size_bytes, modified_at_ns,
          inode, found_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    MARK_GONE = "UPDATE sidecar SET gone_at_ms = $2 WHERE id = $1 AND gone_at_ms IS NULL";
    LIST_LINKS_OF_FOLDER = "SELECT k.asset_id, k.sidecar_id, s.gone_at_ms IS NULL
        FROM sidecar s JOIN asset_sidecar k ON k.sidecar_id = s.id WHERE s.folder_id = $1";
    LIST_OF_ASSET = "SELECT s.id, s.name, s.kind, s.content_hash, f.archive_id, f.path
        FROM asset_sidecar k JOIN sidecar s ON s.id = k.sidecar_id JOIN folder f ON f.id = s.folder_id
        WHERE k.asset_id = $1 AND s.gone_at_ms IS NULL ORDER BY s.id";
    ADD_LINKS = "INSERT INTO asset_sidecar (asset_id, sidecar_id) VALUES {rows}
        ON CONFLICT (asset_id, sidecar_id) DO NOTHING";
    DELETE_LINK = "DELETE FROM asset_sidecar WHERE asset_id = $1 AND sidecar_id = $2";
}

impl Db {
    /// Stores sidecars that are new or have changed, each in place of the one of its name.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn store_sidecars(
        &self,
        folder: FolderId,
        sidecars: &[FoundSidecar],
        now_ms: i64,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        for sidecar in sidecars {
            tx.execute(MARK_GONE_BY_NAME, args![folder, &sidecar.name, now_ms])
                .await?;
            let id: SidecarId = clock::new_id();
            tx.execute(
                ADD,
                args![
                    id,
                    folder,
                    &sidecar.name,
                    sidecar.kind,
                    sidecar.content_hash,
                    sidecar.size_bytes,
                    sidecar.modified_at_ns,
                    sidecar.inode,
                    now_ms,
                ],
            )
            .await?;
        }
        folder::unsettle(&mut tx, folder).await?;
        tx.commit().await
    }

    /// Says that sidecars of a folder are no longer there.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn mark_sidecars_gone(
        &self,
        folder: FolderId,
        sidecars: &[SidecarId],
        now_ms: i64,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        for sidecar in sidecars {
            tx.execute(MARK_GONE, args![*sidecar, now_ms]).await?;
        }
        folder::unsettle(&mut tx, folder).await?;
        tx.commit().await
    }

    /// Links a folder's sidecars to the assets that they describe; gives the assets whose sidecars
    /// are others now, whose facts from sidecars are to be read again.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn link_sidecars(
        &self,
        folder: FolderId,
        links: &BTreeSet<(AssetId, SidecarId)>,
    ) -> Result<BTreeSet<AssetId>, DbError> {
        let mut known: BTreeMap<(AssetId, SidecarId), bool> = BTreeMap::new();
        for row in self.fetch(LIST_LINKS_OF_FOLDER, args![folder]).await? {
            known.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        }
        let stale: Vec<_> = known
            .keys()
            .filter(|link| !links.contains(link))
            .copied()
            .collect();
        let new: Vec<_> = links
            .iter()
            .filter(|link| !known.contains_key(link))
            .copied()
            .collect();
        if stale.is_empty() && new.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut tx = self.begin().await?;
        for (asset, sidecar) in &stale {
            tx.execute(DELETE_LINK, args![*asset, *sidecar]).await?;
        }
        let rows = new
            .iter()
            .map(|(asset, sidecar)| args![*asset, *sidecar])
            .collect();
        tx.execute_rows(ADD_LINKS, 2, rows).await?;
        tx.commit().await?;
        Ok(stale
            .into_iter()
            .chain(new)
            .map(|(asset, _)| asset)
            .collect())
    }

    /// The sidecars of an asset that are there now.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_sidecars(&self, asset: AssetId) -> Result<Vec<Sidecar>, DbError> {
        let rows = self.fetch(LIST_OF_ASSET, args![asset]).await?;
        rows.iter()
            .map(|row| {
                Ok(Sidecar {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    kind: row.get(2)?,
                    content_hash: row.get(3)?,
                    archive_id: row.get(4)?,
                    folder_path: row.get(5)?,
                })
            })
            .collect()
    }

    /// Stores what an asset's sidecars say, in place of what they said before; `None` when it has
    /// none any more.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn store_sidecar_facts(
        &self,
        family: FamilyId,
        run: Option<RunId>,
        asset: AssetId,
        tool: &'static str,
        derived: Option<Derived>,
        now_ms: i64,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        let has_changed = match derived {
            Some(derived) => {
                artifact::replace(&mut tx, family, run, asset, derived, now_ms).await?
            }
            None => artifact::delete_by_tool(&mut tx, asset, artifact::METADATA, tool).await?,
        };
        if has_changed {
            asset::refresh(&mut tx, &[asset]).await?;
        }
        tx.commit().await
    }
}
