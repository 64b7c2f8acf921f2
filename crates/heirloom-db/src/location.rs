//! Where assets are: what a scan found, and what became of what it had found before.

use std::collections::{BTreeSet, HashMap, HashSet};

use heirloom_core::{
    ArchiveId, AssetId, ContentHash, FolderId, LocationId, MediaKind, RunId, claim::Claim, path,
};

use crate::{
    Db, DbError, Tx,
    archive::Archive,
    artifact::{self, Derived},
    asset::{self, Asset, AssetState, Place},
    claim::{self, Believed},
    clock, folder,
    search::document,
    sql::statements,
    timeline,
    value::{Value, args},
};

/// A file of an asset as a scan found it: new, or with other bytes than before.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundFile {
    /// The folder it is in.
    pub folder_id: FolderId,
    /// That folder's path, as path text.
    pub folder_path: String,
    /// Its name, as path text.
    pub name: String,
    /// How long it is.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// Its inode number, bit for bit.
    pub inode: i64,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// What kind of original it is.
    pub kind: MediaKind,
    /// Its media type (MIME).
    pub media_type: &'static str,
    /// Pixels across, as stored.
    pub width: Option<i64>,
    /// Pixels down, as stored.
    pub height: Option<i64>,
    /// How long it plays.
    pub duration_ms: Option<i64>,
    /// What the tools made of it; stored when the asset is new.
    pub derived: Vec<Derived>,
    /// The location that was known at this path, when its bytes have changed.
    pub previous: Option<(LocationId, AssetId)>,
}

/// What became of a file that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// An asset that was not known.
    NewAsset(AssetId),
    /// One more place of a known asset.
    NewLocation(AssetId),
    /// A new asset in place of another at this path.
    Replacement(AssetId),
    /// The same bytes were touched: only size or times were noted.
    Touched(AssetId),
    /// Its content was removed for good before, and is passed over.
    Purged,
}

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
    /// When it was found gone; `None` while it is there.
    pub gone_at_ms: Option<i64>,
}

statements! {
    FIND_BY_CONTENT = "SELECT content_hash, id, state FROM asset
        WHERE family_id = $1 AND content_hash IN ({list})";
    LIST_PURGED = "SELECT content_hash FROM purged_content
        WHERE family_id = $1 AND content_hash IN ({list})";
    ADD_ASSETS = "INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind,
          media_type, state, timeline_key, date, date_from_s, date_until_s, title, name, width, height,
          duration_ms, added_at_ms, updated_at_ms, version)
        VALUES {rows}";
    ADD = "INSERT INTO asset_location (id, asset_id, folder_id, name, size_bytes, modified_at_ns,
          inode, found_at_ms) VALUES {rows}";
    TOUCH = "UPDATE asset_location SET size_bytes = $2, modified_at_ns = $3, inode = $4 WHERE id = $1";
    MARK_GONE = "UPDATE asset_location SET gone_at_ms = $1
        WHERE gone_at_ms IS NULL AND id IN ({list})";
    COUNT_LIVE = "SELECT asset_id, COUNT(*) FROM asset_location
        WHERE gone_at_ms IS NULL AND asset_id IN ({list}) GROUP BY asset_id";
    SET_STATE = "UPDATE asset SET state = $2, version = version + 1 WHERE id = $1 AND state <> $2";
    SET_REPLACES = "UPDATE asset SET replaces_asset_id = $2 WHERE id = $1 AND replaces_asset_id IS NULL";
    CARRY_MEMBERSHIPS = "INSERT INTO collection_member (collection_id, asset_id, position, added_at_ms)
        SELECT m.collection_id, $2, m.position, m.added_at_ms FROM collection_member m
        JOIN collection c ON c.id = m.collection_id AND c.frozen_at_ms IS NULL
        WHERE m.asset_id = $1 ON CONFLICT (collection_id, asset_id) DO NOTHING";
    CARRY_AUDIENCE = "UPDATE asset SET audience_id = (SELECT audience_id FROM asset WHERE id = $1) WHERE id = $2";
    FIND_REPLACERS = "SELECT id FROM asset WHERE replaces_asset_id = $1 AND added_at_ms >= $2";
    FORGET_REPLACED = "UPDATE asset SET replaces_asset_id = NULL WHERE id = $1";
    DROP_MEMBERSHIPS = "DELETE FROM collection_member WHERE asset_id = $1 AND collection_id IN
        (SELECT collection_id FROM collection_member WHERE asset_id = $2)";
    LIST_OF_ASSET = "SELECT l.id, f.archive_id, r.name, f.path, l.name, l.found_at_ms, l.gone_at_ms
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        WHERE l.asset_id = $1 ORDER BY l.id";
}

impl Db {
    /// Stores what a scan found, as one transaction. Files with bytes that are known become places
    /// of that asset; other files become assets, with what was derived from them. A new asset at a
    /// path whose asset is nowhere else replaces that asset: what people said about it is carried over.
    ///
    /// # Errors
    /// What the engine says; nothing was stored then.
    pub async fn record_files(
        &self,
        archive: &Archive,
        run: RunId,
        run_started_ms: i64,
        files: Vec<FoundFile>,
    ) -> Result<Vec<Recorded>, DbError> {
        let mut tx = self.begin().await?;
        let recorded = record(&mut tx, archive, run, run_started_ms, files).await?;
        tx.commit().await?;
        Ok(recorded)
    }

    /// Says that files are no longer where they were. Their assets are kept: as missing, when they
    /// are nowhere else.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn mark_locations_gone(
        &self,
        folder: FolderId,
        locations: &[(LocationId, AssetId)],
        now_ms: i64,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        mark_gone(&mut tx, locations, now_ms).await?;
        folder::unsettle(&mut tx, folder).await?;
        let assets: BTreeSet<AssetId> = locations.iter().map(|(_, asset)| *asset).collect();
        let live = count_live(&mut tx, &assets).await?;
        for asset in assets.iter().filter(|asset| !live.contains_key(asset)) {
            tx.execute(SET_STATE, args![*asset, "missing"]).await?;
        }
        // Also those that are elsewhere: they are no longer found by this folder's name.
        let assets: Vec<AssetId> = assets.into_iter().collect();
        asset::refresh(&mut tx, &assets).await?;
        tx.commit().await
    }

    /// Where an asset is and was, the oldest place first. That the actor may see the asset was
    /// checked by whoever fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_locations(&self, asset: &Asset) -> Result<Vec<AssetLocation>, DbError> {
        let rows = self.fetch(LIST_OF_ASSET, args![asset.id]).await?;
        rows.iter()
            .map(|row| {
                let (folder, name): (String, String) = (row.get(3)?, row.get(4)?);
                Ok(AssetLocation {
                    id: row.get(0)?,
                    archive_id: row.get(1)?,
                    archive_name: row.get(2)?,
                    path: path::join(&folder, &name),
                    found_at_ms: row.get(5)?,
                    gone_at_ms: row.get(6)?,
                })
            })
            .collect()
    }
}

async fn record(
    tx: &mut Tx,
    archive: &Archive,
    run: RunId,
    run_started_ms: i64,
    files: Vec<FoundFile>,
) -> Result<Vec<Recorded>, DbError> {
    let now_ms = clock::now_ms();
    let family = archive.family_id;
    let hashes: BTreeSet<ContentHash> = files.iter().map(|file| file.content_hash).collect();
    let list: Vec<Value> = hashes.iter().map(|hash| Value::from(*hash)).collect();
    let mut known: HashMap<ContentHash, AssetId> = HashMap::new();
    let mut absent: BTreeSet<AssetId> = BTreeSet::new();
    for row in tx
        .fetch_list(FIND_BY_CONTENT, args![family], list.clone())
        .await?
    {
        known.insert(row.get(0)?, row.get(1)?);
        if row.get::<String>(2)? != AssetState::Present.as_str() {
            absent.insert(row.get(1)?);
        }
    }
    let mut purged: HashSet<ContentHash> = HashSet::new();
    for row in tx.fetch_list(LIST_PURGED, args![family], list).await? {
        purged.insert(row.get(0)?);
    }

    let mut recorded = Vec::with_capacity(files.len());
    let mut new = Vec::new();
    let mut locations = Vec::new();
    let mut left: Vec<(LocationId, AssetId)> = Vec::new();
    let mut replacing: Vec<(AssetId, AssetId)> = Vec::new();
    let mut changed: BTreeSet<AssetId> = BTreeSet::new();
    let mut folders: BTreeSet<FolderId> = BTreeSet::new();
    for file in files {
        if purged.contains(&file.content_hash) {
            // What was here before has given way to bytes that nobody wants kept.
            left.extend(file.previous);
            folders.extend(file.previous.map(|_| file.folder_id));
            recorded.push(Recorded::Purged);
            continue;
        }
        let found = known.get(&file.content_hash).copied();
        if let (Some((location, previous)), Some(asset)) = (file.previous, found)
            && previous == asset
        {
            let stat = (file.size_bytes, file.modified_at_ns, file.inode);
            tx.execute(TOUCH, args![location, stat.0, stat.1, stat.2])
                .await?;
            recorded.push(Recorded::Touched(asset));
            continue;
        }
        folders.insert(file.folder_id);
        left.extend(file.previous);
        let asset = found.unwrap_or_else(clock::new_id);
        locations.push(location_row(&file, asset, now_ms));
        if found.is_some() {
            changed.insert(asset);
            recorded.push(Recorded::NewLocation(asset));
        } else {
            known.insert(file.content_hash, asset);
            if let Some((_, previous)) = file.previous {
                replacing.push((previous, asset));
                recorded.push(Recorded::Replacement(asset));
            } else {
                recorded.push(Recorded::NewAsset(asset));
            }
            new.push((asset, file));
        }
    }

    mark_gone(tx, &left, now_ms).await?;
    add_assets(tx, archive, run, new, now_ms).await?;
    tx.execute_rows(ADD, 8, locations).await?;
    for asset in changed.intersection(&absent) {
        tx.execute(SET_STATE, args![*asset, "present"]).await?;
        forget_replacement(tx, *asset, run_started_ms).await?;
    }
    let left: BTreeSet<AssetId> = left.into_iter().map(|(_, asset)| asset).collect();
    let live = count_live(tx, &left).await?;
    let replaced_by: HashMap<AssetId, AssetId> = replacing.iter().copied().collect();
    for old in left.iter().filter(|asset| !live.contains_key(asset)) {
        let Some(new) = replaced_by.get(old) else {
            tx.execute(SET_STATE, args![*old, "missing"]).await?;
            continue;
        };
        tx.execute(SET_STATE, args![*old, "replaced"]).await?;
        tx.execute(SET_REPLACES, args![*new, *old]).await?;
        tx.execute(CARRY_AUDIENCE, args![*old, *new]).await?;
        tx.execute(CARRY_MEMBERSHIPS, args![*old, *new]).await?;
        claim::carry(tx, family, *old, *new).await?;
        changed.insert(*new);
    }
    for folder in folders {
        folder::unsettle(tx, folder).await?;
    }
    changed.extend(left);
    let stale: Vec<AssetId> = changed.into_iter().collect();
    asset::refresh(tx, &stale).await?;
    Ok(recorded)
}

/// An asset that was thought replaced turned up elsewhere: it was moved, and the file now at its old
/// path is simply another. Only within one scan, where the order of finding decides nothing; what was
/// replaced in an earlier scan stays so.
async fn forget_replacement(
    tx: &mut Tx,
    asset: AssetId,
    run_started_ms: i64,
) -> Result<(), DbError> {
    for row in tx
        .fetch(FIND_REPLACERS, args![asset, run_started_ms])
        .await?
    {
        let replacer: AssetId = row.get(0)?;
        tx.execute(FORGET_REPLACED, args![replacer]).await?;
        tx.execute(DROP_MEMBERSHIPS, args![replacer, asset]).await?;
        claim::drop_carried(tx, replacer).await?;
        asset::refresh(tx, &[replacer]).await?;
    }
    Ok(())
}

async fn add_assets(
    tx: &mut Tx,
    archive: &Archive,
    run: RunId,
    files: Vec<(AssetId, FoundFile)>,
    now_ms: i64,
) -> Result<(), DbError> {
    let mut claims_by_asset: Vec<Vec<Claim>> = Vec::with_capacity(files.len());
    let mut derived = Vec::new();
    for (asset, file) in &files {
        // Ids and authors do not matter to what is believed of a new asset: all are machines'.
        let claims = file.derived.iter().flat_map(|derived| {
            artifact::claims_of(*asset, clock::new_id(), derived.claims.clone(), now_ms)
        });
        claims_by_asset.push(claims.collect());
        derived.extend(file.derived.iter().map(|derived| (*asset, derived.clone())));
    }
    let believed: Vec<Believed> = claims_by_asset.iter().map(|c| Believed::of(c)).collect();
    let wanted: Vec<_> = believed.iter().map(|b| (b.timeline_s(), now_ms)).collect();
    let keys = timeline::allocate_keys(tx, &wanted).await?;

    let mut rows = Vec::with_capacity(files.len());
    let mut documents = Vec::with_capacity(files.len());
    for (((id, file), believed), (key, claims)) in files
        .into_iter()
        .zip(&believed)
        .zip(keys.into_iter().zip(&claims_by_asset))
    {
        rows.push(asset_row(archive, id, &file, believed, key, now_ms));
        let asset = Asset {
            id,
            family_id: archive.family_id,
            audience_id: archive.audience_id,
            content_hash: file.content_hash,
            size_bytes: file.size_bytes,
            kind: file.kind,
            media_type: file.media_type.to_owned(),
            state: AssetState::Present,
            replaces_asset_id: None,
            timeline_key: key,
            date: believed.date.clone(),
            date_from_s: believed.date_from_s,
            title: believed.title.clone(),
            name: file.name.clone(),
            width: file.width,
            height: file.height,
            duration_ms: file.duration_ms,
            added_at_ms: now_ms,
            deleted_at_ms: None,
            version: 1,
        };
        let place = Place {
            archive: archive.id,
            folder: file.folder_path,
            name: file.name,
            is_there: true,
        };
        documents.push((key, asset::compose(&asset, believed, &[place], claims)));
    }
    tx.execute_rows(ADD_ASSETS, 20, rows).await?;
    artifact::add_first(tx, archive.family_id, Some(run), derived, now_ms).await?;
    document::add(tx, documents).await
}

fn asset_row(
    archive: &Archive,
    id: AssetId,
    file: &FoundFile,
    believed: &Believed,
    timeline_key: i64,
    now_ms: i64,
) -> Vec<Value> {
    args![
        id,
        archive.family_id,
        archive.audience_id,
        file.content_hash,
        file.size_bytes,
        file.kind.as_str(),
        file.media_type,
        AssetState::Present.as_str(),
        timeline_key,
        believed.date.clone(),
        believed.date_from_s,
        believed.date_until_s,
        believed.title.clone(),
        &file.name,
        file.width,
        file.height,
        file.duration_ms,
        now_ms,
        now_ms,
        1_i64,
    ]
}

fn location_row(file: &FoundFile, asset: AssetId, now_ms: i64) -> Vec<Value> {
    let id: LocationId = clock::new_id();
    args![
        id,
        asset,
        file.folder_id,
        &file.name,
        file.size_bytes,
        file.modified_at_ns,
        file.inode,
        now_ms,
    ]
}

async fn mark_gone(
    tx: &mut Tx,
    locations: &[(LocationId, AssetId)],
    now_ms: i64,
) -> Result<(), DbError> {
    let list = locations
        .iter()
        .map(|(location, _)| Value::from(*location))
        .collect();
    tx.execute_list(MARK_GONE, args![now_ms], list).await?;
    Ok(())
}

async fn count_live(
    tx: &mut Tx,
    assets: &BTreeSet<AssetId>,
) -> Result<HashMap<AssetId, i64>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = tx.fetch_list(COUNT_LIVE, args![], list).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}
