//! Sidecars: files that describe the assets beside them.

use std::collections::BTreeSet;

use heirloom_core::{Actor, ArchiveId, AssetId, ContentHash, FamilyId, FolderId, RunId, SidecarId};

use crate::{
    Db, DbError, Tx,
    artifact::{self, Derived},
    asset, clock,
    sql::statements,
    timeline,
    value::{Value, args},
};

/// A sidecar as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSidecar {
    /// The folder it is in.
    pub folder_id: FolderId,
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
    /// When anything about the file changed, even its name, in nanoseconds since 1970.
    pub changed_at_ns: i64,
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

/// What describes an asset in one folder, as it was matched there.
#[derive(Debug, Clone, PartialEq)]
pub struct SidecarMatch {
    /// The asset.
    pub asset: AssetId,
    /// The folder's sidecars that describe it now; none, when it has none there any more.
    pub sidecars: BTreeSet<SidecarId>,
    /// What the tool made of those that it had not read for this asset: one for each content.
    pub derived: Vec<Derived>,
}

statements! {
    ADD = "INSERT INTO sidecar (id, folder_id, name, kind, content_hash, size_bytes, modified_at_ns,
          changed_at_ns, found_at_ms) VALUES {rows}";
    MARK_GONE = "UPDATE sidecar SET gone_at_ms = $1 WHERE gone_at_ms IS NULL AND id IN ({list})";
    LIST_LINKS = "SELECT k.asset_id, k.sidecar_id
        FROM sidecar s JOIN asset_sidecar k ON k.sidecar_id = s.id WHERE s.folder_id = $1";
    LIST_OF_ASSET = "SELECT s.id, s.name, s.kind, s.content_hash, f.archive_id, f.path, r.audience_id
        FROM asset_sidecar k JOIN sidecar s ON s.id = k.sidecar_id JOIN folder f ON f.id = s.folder_id
        JOIN archive r ON r.id = f.archive_id
        WHERE k.asset_id = $1 AND s.gone_at_ms IS NULL ORDER BY s.id";
    LIST_INPUTS = "SELECT s.content_hash FROM asset_sidecar k JOIN sidecar s ON s.id = k.sidecar_id
        WHERE k.asset_id = $1 AND s.gone_at_ms IS NULL";
    ADD_LINKS = "INSERT INTO asset_sidecar (asset_id, sidecar_id) VALUES {rows}";
    DELETE_LINKS = "DELETE FROM asset_sidecar WHERE asset_id = $1
        AND sidecar_id IN (SELECT id FROM sidecar WHERE folder_id = $2)";
    LIST_OF_ASSET_ALONE = "SELECT s.id, s.name, s.content_hash
        FROM asset_sidecar k JOIN sidecar s ON s.id = k.sidecar_id
        WHERE k.asset_id = $1 AND NOT EXISTS
          (SELECT 1 FROM asset_sidecar o WHERE o.sidecar_id = k.sidecar_id AND o.asset_id <> $1)";
    DELETE_ALL_LINKS = "DELETE FROM asset_sidecar WHERE asset_id = $1";
    DELETE = "DELETE FROM sidecar WHERE id = $1";
    DELETE_GONE = "DELETE FROM sidecar WHERE gone_at_ms IS NOT NULL AND folder_id IN ({list})
        AND NOT EXISTS (SELECT 1 FROM asset_sidecar k WHERE k.sidecar_id = sidecar.id)";
    LIST_PURGED = "SELECT content_hash FROM purged_content
        WHERE family_id = $1 AND content_hash IN ({list})";
}

impl Db {
    /// Which sidecars of a folder are linked to which assets, those included that are gone.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_sidecar_links(
        &self,
        folder: FolderId,
    ) -> Result<BTreeSet<(AssetId, SidecarId)>, DbError> {
        let rows = self.fetch(LIST_LINKS, args![folder]).await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect()
    }

    /// The sidecars of an asset that are there now, as far as the actor may know of the archives. That
    /// the actor may see the asset was checked by whoever fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_sidecars(
        &self,
        actor: &Actor,
        family: FamilyId,
        asset: AssetId,
    ) -> Result<Vec<Sidecar>, DbError> {
        let sight = actor.sight(family);
        let mut sidecars = Vec::new();
        for row in self.fetch(LIST_OF_ASSET, args![asset]).await? {
            if sight.includes(row.get(6)?) {
                sidecars.push(Sidecar {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    kind: row.get(2)?,
                    content_hash: row.get(3)?,
                    archive_id: row.get(4)?,
                    folder_path: row.get(5)?,
                });
            }
        }
        Ok(sidecars)
    }

    /// Makes the links of a folder's sidecars to these assets what was matched, and what `tool` in
    /// this version made of sidecars exactly what those say that each asset has now, in all folders.
    /// Links and facts change together or not at all.
    ///
    /// # Errors
    /// What the engine says; nothing was stored then.
    pub async fn store_sidecar_matches(
        &self,
        family: FamilyId,
        run: RunId,
        folder: FolderId,
        (tool, version): (&str, i64),
        matches: Vec<SidecarMatch>,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        timeline::lock(&mut tx).await?;
        let now_ms = clock::now_ms();
        let mut stale = Vec::new();
        for SidecarMatch {
            asset,
            sidecars,
            derived,
        } in matches
        {
            tx.execute(DELETE_LINKS, args![asset, folder]).await?;
            let rows = sidecars.iter().map(|sidecar| args![asset, *sidecar]);
            tx.execute_rows(ADD_LINKS, 2, rows.collect()).await?;
            let inputs = tx.fetch(LIST_INPUTS, args![asset]).await?;
            let inputs: BTreeSet<ContentHash> = inputs
                .iter()
                .map(|row| row.get(0))
                .collect::<Result<_, _>>()?;
            let of = (family, run, asset);
            let tool = (tool, version);
            if artifact::keep_exactly(&mut tx, of, tool, &inputs, derived, now_ms).await? {
                stale.push(asset);
            }
        }
        asset::refresh(&mut tx, &stale).await?;
        tx.commit().await
    }
}

/// Stores sidecars that are new or have changed; what was in their place is marked gone apart. Those
/// that went with a purged asset are passed over.
pub(crate) async fn add(
    tx: &mut Tx,
    family: FamilyId,
    sidecars: &[FoundSidecar],
    now_ms: i64,
) -> Result<(), DbError> {
    let key = |sidecar: &FoundSidecar| purged_key(&sidecar.name, sidecar.content_hash);
    let list = sidecars.iter().map(|sidecar| Value::from(key(sidecar)));
    let mut purged: BTreeSet<ContentHash> = BTreeSet::new();
    for row in tx
        .fetch_list(LIST_PURGED, args![family], list.collect())
        .await?
    {
        purged.insert(row.get(0)?);
    }
    let wanted = sidecars
        .iter()
        .filter(|sidecar| !purged.contains(&key(sidecar)));
    let rows = wanted.map(|sidecar| {
        let id: SidecarId = clock::new_id();
        args![
            id,
            sidecar.folder_id,
            &sidecar.name,
            sidecar.kind,
            sidecar.content_hash,
            sidecar.size_bytes,
            sidecar.modified_at_ns,
            sidecar.changed_at_ns,
            now_ms,
        ]
    });
    tx.execute_rows(ADD, 9, rows.collect()).await?;
    Ok(())
}

/// Removes an asset's links, and the sidecars that described nothing else. Gives what is to be
/// remembered of these as purged content.
pub(crate) async fn purge(tx: &mut Tx, asset: AssetId) -> Result<Vec<ContentHash>, DbError> {
    let alone = tx.fetch(LIST_OF_ASSET_ALONE, args![asset]).await?;
    tx.execute(DELETE_ALL_LINKS, args![asset]).await?;
    let mut contents = Vec::new();
    for row in alone {
        tx.execute(DELETE, args![row.get::<SidecarId>(0)?]).await?;
        let (name, content_hash): (String, ContentHash) = (row.get(1)?, row.get(2)?);
        // Without its original beside it, a scan would take it for an original.
        contents.push(content_hash);
        contents.push(purged_key(&name, content_hash));
    }
    Ok(contents)
}

/// How a sidecar that is not to come back is known again. Not by its content alone: programs write the
/// same few bytes beside many a picture.
fn purged_key(name: &str, content_hash: ContentHash) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"sidecar");
    hasher.update(content_hash.as_bytes());
    hasher.update(name.as_bytes());
    ContentHash::from_bytes(hasher.finalize().into())
}

/// Forgets the sidecars that are gone from folders whose files are matched: nothing refers to them.
pub(crate) async fn delete_gone(tx: &mut Tx, folders: Vec<Value>) -> Result<(), DbError> {
    tx.execute_list(DELETE_GONE, args![], folders).await?;
    Ok(())
}

/// Says that sidecars are no longer there.
pub(crate) async fn mark_gone(
    tx: &mut Tx,
    sidecars: &[SidecarId],
    now_ms: i64,
) -> Result<(), DbError> {
    let list = sidecars.iter().map(|sidecar| Value::from(*sidecar));
    tx.execute_list(MARK_GONE, args![now_ms], list.collect())
        .await?;
    Ok(())
}
