//! Where assets are, and where they were.

use std::collections::{BTreeSet, HashMap};

use heirloom_core::{
    Actor, ArchiveId, AssetId, FamilyId, FolderId, LocationId, audience::Sight, path,
};

use crate::{
    Db, DbError, Tx,
    asset::Asset,
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// A place of an asset, now or then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetLocation {
    /// Its id.
    pub id: LocationId,
    /// The archive.
    pub archive_id: ArchiveId,
    /// That archive's name.
    pub archive_name: String,
    /// Path below the archive's root, as path text.
    pub path: String,
    /// When it was found there.
    pub found_at_ms: i64,
    /// When its bytes were found to be others, although size and time of the file are as they were;
    /// `None` while they are right, as far as is known.
    pub damaged_at_ms: Option<i64>,
    /// When it was found gone; `None` while it is there.
    pub gone_at_ms: Option<i64>,
}

/// A place where an asset is now, with what the file looked like when it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePlace {
    /// The archive.
    pub archive_id: ArchiveId,
    /// That archive's folder, as path text; `None` for the vault.
    pub root: Option<String>,
    /// The folder's path below the archive's root, as path text.
    pub folder_path: String,
    /// The file's name, as path text.
    pub name: String,
    /// How long the file was.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When anything about the file changed, even its name, in nanoseconds since 1970.
    pub changed_at_ns: i64,
    /// When its bytes were found to be others, while they are not known to be right again.
    pub damaged_at_ms: Option<i64>,
}

statements! {
    LIST_OF_ASSET = "SELECT l.id, f.archive_id, r.name, f.path, l.name, l.found_at_ms, l.gone_at_ms, l.damaged_at_ms,
          r.audience_id
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        WHERE l.asset_id = $1 ORDER BY l.id";
    LIST_OF_ASSETS = "SELECT l.id, f.archive_id, r.name, f.path, l.name, l.found_at_ms, l.gone_at_ms, l.damaged_at_ms,
          r.audience_id, l.asset_id
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        WHERE l.asset_id IN ({list}) ORDER BY l.id";
    LIST_LIVE = "SELECT f.archive_id, r.root, f.path, l.name, l.size_bytes, l.modified_at_ns, l.changed_at_ns,
          l.damaged_at_ms
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        WHERE l.asset_id = $1 AND l.gone_at_ms IS NULL
        ORDER BY l.damaged_at_ms IS NOT NULL, l.id LIMIT $2";
    WAS_AT = "SELECT 1 FROM asset_location l WHERE l.asset_id = $1 AND l.folder_id = $2 AND l.name = $3
        AND l.gone_at_ms <= $4 AND NOT EXISTS
        (SELECT 1 FROM asset_location o WHERE o.asset_id = $1 AND o.gone_at_ms > $4) LIMIT 1";
    LIST_DAMAGED = "SELECT l.id FROM asset_location l JOIN folder f ON f.id = l.folder_id
        WHERE f.archive_id = $1 AND l.damaged_at_ms IS NOT NULL AND l.gone_at_ms IS NULL";
    MARK_DAMAGED = "UPDATE asset_location SET damaged_at_ms = COALESCE(damaged_at_ms, $1)
        WHERE id IN ({list})";
    MARK_SOUND = "UPDATE asset_location SET damaged_at_ms = NULL WHERE id IN ({list})";
    COUNT_LOST = "SELECT COUNT(DISTINCT l.asset_id) FROM asset_location l
        JOIN folder f ON f.id = l.folder_id JOIN asset a ON a.id = l.asset_id AND a.state = 'missing'
        WHERE f.archive_id = $1 AND l.gone_at_ms >= $2";
}

impl Db {
    /// Where an asset is and was, the oldest place first, as far as the actor may know of the
    /// archives. That the actor may see the asset was checked by whoever fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_locations(
        &self,
        actor: &Actor,
        family: FamilyId,
        asset: AssetId,
    ) -> Result<Vec<AssetLocation>, DbError> {
        let sight = actor.sight(family);
        let mut locations = Vec::new();
        for row in self.fetch(LIST_OF_ASSET, args![asset]).await? {
            if sight.includes(row.get(8)?) {
                locations.push(read(&row)?);
            }
        }
        Ok(locations)
    }

    /// The same for a page of assets, by asset.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_locations_of(
        &self,
        actor: &Actor,
        assets: &[Asset],
    ) -> Result<HashMap<AssetId, Vec<AssetLocation>>, DbError> {
        let list = assets.iter().map(|asset| Value::from(asset.id)).collect();
        let sights: HashMap<AssetId, Sight> = assets
            .iter()
            .map(|asset| (asset.id, actor.sight(asset.family_id)))
            .collect();
        let mut locations: HashMap<AssetId, Vec<AssetLocation>> = HashMap::new();
        for row in self.fetch_list(LIST_OF_ASSETS, args![], list).await? {
            let (audience, asset) = (row.get(8)?, row.get(9)?);
            if sights.get(&asset).is_some_and(|it| it.includes(audience)) {
                locations.entry(asset).or_default().push(read(&row)?);
            }
        }
        Ok(locations)
    }

    /// Places where an asset is now, at most `limit`: those that are sound before those that are
    /// damaged, the oldest first.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_live_places(
        &self,
        asset: AssetId,
        limit: usize,
    ) -> Result<Vec<LivePlace>, DbError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST_LIVE, args![asset, limit]).await?;
        rows.iter().map(read_live).collect()
    }

    /// Whether an asset was found gone from this very place until `since_ms`, and from no place since.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn was_at(
        &self,
        asset: AssetId,
        folder: FolderId,
        name: &str,
        since_ms: i64,
    ) -> Result<bool, DbError> {
        let row = self
            .fetch_optional(WAS_AT, args![asset, folder, name, since_ms])
            .await?;
        Ok(row.is_some())
    }

    /// The places of an archive that were found damaged and have not been found right since.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_damaged(&self, archive: ArchiveId) -> Result<BTreeSet<LocationId>, DbError> {
        let rows = self.fetch(LIST_DAMAGED, args![archive]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How many assets were last at a place of this archive, were found gone from there since then,
    /// and are nowhere now.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn count_lost(&self, archive: ArchiveId, since_ms: i64) -> Result<i64, DbError> {
        let row = self
            .fetch_optional(COUNT_LOST, args![archive, since_ms])
            .await?;
        row.map_or(Ok(0), |row| row.get(0))
    }
}

/// Notes which places were found damaged, and which right again.
pub(crate) async fn mark(
    tx: &mut Tx,
    damaged: &[LocationId],
    sound: &[LocationId],
    now_ms: i64,
) -> Result<(), DbError> {
    let list = |ids: &[LocationId]| ids.iter().map(|id| Value::from(*id)).collect();
    tx.execute_list(MARK_DAMAGED, args![now_ms], list(damaged))
        .await?;
    tx.execute_list(MARK_SOUND, args![], list(sound)).await?;
    Ok(())
}

fn read(row: &Row) -> Result<AssetLocation, DbError> {
    let (folder, name): (String, String) = (row.get(3)?, row.get(4)?);
    Ok(AssetLocation {
        id: row.get(0)?,
        archive_id: row.get(1)?,
        archive_name: row.get(2)?,
        path: path::join(&folder, &name),
        found_at_ms: row.get(5)?,
        gone_at_ms: row.get(6)?,
        damaged_at_ms: row.get(7)?,
    })
}

pub(crate) fn read_live(row: &Row) -> Result<LivePlace, DbError> {
    Ok(LivePlace {
        archive_id: row.get(0)?,
        root: row.get(1)?,
        folder_path: row.get(2)?,
        name: row.get(3)?,
        size_bytes: row.get(4)?,
        modified_at_ns: row.get(5)?,
        changed_at_ns: row.get(6)?,
        damaged_at_ms: row.get(7)?,
    })
}
