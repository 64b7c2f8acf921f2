//! What a scan found, stored batch by batch: each batch is one transaction, all of it or nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use heirloom_core::{ArchiveId, AssetId, ContentHash, FolderId, LocationId, RunId, SidecarId};

use crate::{
    Db, DbError, Tx,
    archive::Archive,
    artifact::{self, Derived},
    asset::{self, Asset, AssetState, Measures, Place},
    blob,
    claim::Believed,
    clock,
    folder::{self, FolderChange, KnownAs},
    location, name,
    place::{self, Placed},
    replacement,
    sidecar::{self, FoundSidecar},
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
    /// When anything about the file changed, even its name, in nanoseconds since 1970.
    pub changed_at_ns: i64,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// What was measured of it.
    pub measures: Measures,
    /// What the tools made of it. Of an asset that is known, only what was made from inputs that
    /// the same tool has not seen yet is stored: a new name, say.
    pub derived: Vec<Derived>,
    /// The location that was known at this path, when its bytes have changed.
    pub previous: Option<(LocationId, AssetId)>,
}

/// Everything that one transaction of a scan stores, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScanBatch {
    /// Folders that came or came back, parents before children.
    pub folders: Vec<FolderChange>,
    /// Files of assets.
    pub files: Vec<FoundFile>,
    /// Files that are no longer where they were, or no longer what they were.
    pub gone: Vec<(FolderId, KnownAs)>,
    /// Sidecars that are new or have changed; what was known at their place is in `gone`.
    pub sidecars: Vec<FoundSidecar>,
    /// Places whose bytes were found to be others, although size and time are as they were.
    pub damaged: Vec<LocationId>,
    /// Places that were damaged and are right again.
    pub sound: Vec<LocationId>,
    /// Folders that went, or whose sidecars and stacks are matched.
    pub closed: Vec<FolderChange>,
}

/// What became of a file that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// An asset that was not known.
    NewAsset(AssetId),
    /// One more place of a known asset.
    NewLocation(AssetId),
    /// A new asset where another was.
    Replacement(AssetId),
    /// The same bytes were touched: only size or times were noted.
    Touched(AssetId),
    /// Its content was removed for good before, and is passed over.
    Purged,
}

statements! {
    FIND_BY_CONTENT = "SELECT content_hash, id, state, added_at_ms FROM asset
        WHERE family_id = $1 AND content_hash IN ({list})";
    LIST_PURGED = "SELECT content_hash FROM purged_content
        WHERE family_id = $1 AND content_hash IN ({list})";
    ADD_ASSETS = "INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind,
          media_type, state, timeline_key, bucket, date, date_from_s, date_until_s, title, name, width,
          height, duration_ms, added_at_ms, updated_at_ms, version, latitude_e7, longitude_e7, map_cell,
          country, region, place, names)
        VALUES {rows}";
    ADD_LOCATIONS = "INSERT INTO asset_location (id, asset_id, folder_id, name, size_bytes,
          modified_at_ns, changed_at_ns, found_at_ms) VALUES {rows}";
    TOUCH = "UPDATE asset_location SET size_bytes = $2, modified_at_ns = $3, changed_at_ns = $4,
          damaged_at_ms = NULL
        WHERE id = $1";
    MARK_GONE = "UPDATE asset_location SET gone_at_ms = $1
        WHERE gone_at_ms IS NULL AND id IN ({list})";
    LIST_LIVE = "SELECT a.id FROM asset a WHERE a.id IN ({list}) AND EXISTS
        (SELECT 1 FROM asset_location l WHERE l.asset_id = a.id AND l.gone_at_ms IS NULL)";
    SET_STATE = "UPDATE asset SET state = $2, version = version + 1 WHERE id = $1 AND state <> $2";
}

/// How often a batch is tried that met another transaction of another process.
pub(crate) const TRIES: u32 = 4;

impl Db {
    /// Stores a batch of what a scan found. Files with bytes that are known become places of that
    /// asset; other files become assets, with what was derived from them. What an asset took the
    /// place of is settled at the end of the scan, by [`Db::settle_replacements`]; `last_scan_ms` is
    /// what [`Db::last_scan_ms`] said when the scan began. Gives what became of each file.
    ///
    /// # Errors
    /// What the engine says; nothing was stored then.
    pub async fn record_batch(
        &self,
        archive: &Archive,
        run: RunId,
        last_scan_ms: i64,
        batch: &ScanBatch,
    ) -> Result<Vec<Recorded>, DbError> {
        let mut tries = 1;
        loop {
            match self.try_record(archive, run, last_scan_ms, batch).await {
                Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_record(
        &self,
        archive: &Archive,
        run: RunId,
        last_scan_ms: i64,
        batch: &ScanBatch,
    ) -> Result<Vec<Recorded>, DbError> {
        let mut tx = self.begin().await?;
        // Scans of two archives that meet the same new bytes must not both make an asset of them.
        timeline::lock(&mut tx).await?;
        let now_ms = clock::now_ms();
        let mut change = Change::default();
        folder::apply(&mut tx, archive.id, &batch.folders, now_ms).await?;
        let recorded = change
            .record(&mut tx, archive, (run, last_scan_ms), &batch.files, now_ms)
            .await?;
        change.mark_gone(&mut tx, &batch.gone, now_ms).await?;
        sidecar::add(&mut tx, archive.family_id, &batch.sidecars, now_ms).await?;
        location::mark(&mut tx, &batch.damaged, &batch.sound, now_ms).await?;
        let sidecars = batch.sidecars.iter();
        change.folders.extend(sidecars.map(|found| found.folder_id));
        change.finish(&mut tx, archive.id).await?;
        folder::apply(&mut tx, archive.id, &batch.closed, now_ms).await?;
        tx.commit().await?;
        Ok(recorded)
    }
}

/// What a transaction has touched so far, and what follows from that.
#[derive(Default)]
pub(crate) struct Change {
    /// Folders whose sidecars and stacks have to be matched again.
    folders: BTreeSet<FolderId>,
    /// Assets with a place less.
    left: BTreeSet<AssetId>,
    /// Known assets with a place more.
    named: BTreeSet<AssetId>,
    /// Assets that are to be computed anew.
    stale: BTreeSet<AssetId>,
}

impl Change {
    /// Stores files that were found, as places of assets; gives what became of each.
    pub(crate) async fn record(
        &mut self,
        tx: &mut Tx,
        archive: &Archive,
        (run, last_scan_ms): (RunId, i64),
        files: &[FoundFile],
        now_ms: i64,
    ) -> Result<Vec<Recorded>, DbError> {
        let mut known = Known::of(tx, archive, last_scan_ms, files).await?;
        let mut recorded = Vec::with_capacity(files.len());
        let mut new = Vec::new();
        let mut again = Vec::new();
        let mut places = Vec::new();
        let mut left = Vec::new();
        let mut replaced: Vec<(AssetId, AssetId)> = Vec::new();
        for file in files {
            if known.purged.contains(&file.content_hash) {
                // What was here before has given way to bytes that nobody wants kept.
                left.extend(file.previous.map(|before| (file.folder_id, before)));
                // What was read of them was put into the store before this was known.
                for derived in &file.derived {
                    if let Some(hash) = derived.artifact.payload.blob() {
                        blob::note_unneeded(tx, hash).await?;
                    }
                }
                recorded.push(Recorded::Purged);
                continue;
            }
            let found = known.assets.get(&file.content_hash).copied();
            if let (Some((location, previous)), Some(asset)) = (file.previous, found)
                && previous == asset
            {
                let stat = (file.size_bytes, file.modified_at_ns, file.changed_at_ns);
                tx.execute(TOUCH, args![location, stat.0, stat.1, stat.2])
                    .await?;
                recorded.push(Recorded::Touched(asset));
                continue;
            }
            self.folders.insert(file.folder_id);
            left.extend(file.previous.map(|before| (file.folder_id, before)));
            let asset = found.unwrap_or_else(clock::new_id);
            places.push(location_row(file, asset, now_ms));
            if found.is_none() {
                known.assets.insert(file.content_hash, asset);
                known.fresh.insert(asset);
                new.push((asset, file));
            } else {
                again.push((asset, file));
            }
            recorded.push(match (found, file.previous) {
                (Some(_), _) => Recorded::NewLocation(asset),
                (None, Some(_)) => Recorded::Replacement(asset),
                (None, None) => Recorded::NewAsset(asset),
            });
            replaced.extend(file.previous.map(|(_, previous)| (asset, previous)));
        }
        self.leave(tx, left, now_ms).await?;
        add_assets(tx, archive, run, new, now_ms).await?;
        tx.execute_rows(ADD_LOCATIONS, 8, places).await?;
        for (asset, file) in again {
            self.stale.insert(asset);
            self.named.insert(asset);
            let derived = file.derived.clone();
            artifact::add_unseen(tx, archive.family_id, run, asset, derived, now_ms).await?;
            if known.absent.remove(&asset) {
                let present = AssetState::Present.as_str();
                tx.execute(SET_STATE, args![asset, present]).await?;
            }
        }
        for (asset, previous) in replaced {
            if known.fresh.contains(&asset) {
                self.stale.insert(asset);
                replacement::note_new(tx, archive.id, asset, previous).await?;
            } else {
                replacement::note_known(tx, archive.id, asset, previous).await?;
            }
        }
        Ok(recorded)
    }

    async fn mark_gone(
        &mut self,
        tx: &mut Tx,
        gone: &[(FolderId, KnownAs)],
        now_ms: i64,
    ) -> Result<(), DbError> {
        let mut locations = Vec::new();
        let mut sidecars: Vec<SidecarId> = Vec::new();
        for (folder, known) in gone {
            self.folders.insert(*folder);
            match known {
                KnownAs::Location(location, asset) => {
                    locations.push((*folder, (*location, *asset)));
                }
                KnownAs::Sidecar(id) => sidecars.push(*id),
            }
        }
        self.leave(tx, locations, now_ms).await?;
        sidecar::mark_gone(tx, &sidecars, now_ms).await
    }

    async fn leave(
        &mut self,
        tx: &mut Tx,
        locations: Vec<(FolderId, (LocationId, AssetId))>,
        now_ms: i64,
    ) -> Result<(), DbError> {
        let list = locations
            .iter()
            .map(|(_, (location, _))| Value::from(*location));
        tx.execute_list(MARK_GONE, args![now_ms], list.collect())
            .await?;
        for (folder, (_, asset)) in locations {
            self.folders.insert(folder);
            self.left.insert(asset);
        }
        Ok(())
    }

    /// Makes true what follows from all that was done.
    pub(crate) async fn finish(self, tx: &mut Tx, archive: ArchiveId) -> Result<(), DbError> {
        let changed: Vec<AssetId> = self.named.union(&self.left).copied().collect();
        artifact::keep_names(tx, &changed).await?;
        let live = list_live(tx, &self.left).await?;
        let lost: Vec<AssetId> = self.left.difference(&live).copied().collect();
        for asset in &lost {
            let missing = AssetState::Missing.as_str();
            tx.execute(SET_STATE, args![*asset, missing]).await?;
        }
        replacement::note_lost(tx, archive, &lost).await?;
        for folder in self.folders {
            folder::unsettle(tx, folder).await?;
        }
        // Also those that are elsewhere: they are no longer found by the folder that they left.
        let stale: Vec<AssetId> = self.stale.union(&self.left).copied().collect();
        asset::refresh(tx, &stale).await
    }
}

/// What the catalogue knows of the bytes of a batch.
struct Known {
    assets: HashMap<ContentHash, AssetId>,
    /// Of these: at no path.
    absent: HashSet<AssetId>,
    /// Of these: first found after the archive's last whole scan.
    fresh: HashSet<AssetId>,
    purged: HashSet<ContentHash>,
}

impl Known {
    async fn of(
        tx: &mut Tx,
        archive: &Archive,
        last_scan_ms: i64,
        files: &[FoundFile],
    ) -> Result<Self, DbError> {
        let hashes: BTreeSet<ContentHash> = files.iter().map(|file| file.content_hash).collect();
        let list: Vec<Value> = hashes.iter().map(|hash| Value::from(*hash)).collect();
        let mut known = Self {
            assets: HashMap::new(),
            absent: HashSet::new(),
            fresh: HashSet::new(),
            purged: HashSet::new(),
        };
        let family = archive.family_id;
        for row in tx
            .fetch_list(FIND_BY_CONTENT, args![family], list.clone())
            .await?
        {
            let asset: AssetId = row.get(1)?;
            known.assets.insert(row.get(0)?, asset);
            if row.get::<String>(2)? != AssetState::Present.as_str() {
                known.absent.insert(asset);
            }
            if row.get::<i64>(3)? > last_scan_ms {
                known.fresh.insert(asset);
            }
        }
        for row in tx.fetch_list(LIST_PURGED, args![family], list).await? {
            known.purged.insert(row.get(0)?);
        }
        Ok(known)
    }
}

/// Which of these assets are at a path.
async fn list_live(tx: &mut Tx, assets: &BTreeSet<AssetId>) -> Result<BTreeSet<AssetId>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = tx.fetch_list(LIST_LIVE, args![], list).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn add_assets(
    tx: &mut Tx,
    archive: &Archive,
    run: RunId,
    files: Vec<(AssetId, &FoundFile)>,
    now_ms: i64,
) -> Result<(), DbError> {
    let mut claims_by_asset = Vec::with_capacity(files.len());
    let mut derived = Vec::new();
    for (asset, file) in &files {
        // Ids and authors do not matter to what is believed of a new asset: all are machines'.
        let claims = file.derived.iter().flat_map(|derived| {
            artifact::claims_of(*asset, clock::new_id(), derived.claims.clone(), now_ms)
        });
        claims_by_asset.push(claims.collect::<Vec<_>>());
        derived.extend(
            file.derived
                .iter()
                .map(|derived| (*asset, None, derived.clone())),
        );
    }
    let believed: Vec<Believed> = claims_by_asset.iter().map(|c| Believed::of(c)).collect();
    let wanted: Vec<_> = believed
        .iter()
        .map(|b| (b.timeline_key(), now_ms))
        .collect();
    let keys = timeline::allocate_keys(tx, &wanted).await?;

    let mut rows = Vec::with_capacity(files.len());
    let mut documents = Vec::with_capacity(files.len());
    for (((id, file), believed), (key, claims)) in files
        .into_iter()
        .zip(&believed)
        .zip(keys.into_iter().zip(&claims_by_asset))
    {
        let asset = new_asset(archive, id, file, believed, key, now_ms);
        let place = Place {
            archive: archive.id,
            folder: file.folder_path.clone(),
            name: file.name.clone(),
            is_there: true,
            audience: archive.audience_id,
        };
        documents.push((
            key,
            asset::compose(&asset, believed, &[place], &[], claims, &[], None),
        ));
        let names = name::names_of(claims, asset.placed.as_ref(), None);
        let mut row = asset_row(asset, believed);
        row.push(names.into());
        rows.push(row);
    }
    tx.execute_rows(ADD_ASSETS, 28, rows).await?;
    artifact::add(tx, (archive.family_id, Some(run)), derived, now_ms).await?;
    crate::search::document::add(tx, documents).await
}

fn new_asset(
    archive: &Archive,
    id: AssetId,
    file: &FoundFile,
    believed: &Believed,
    timeline_key: i64,
    now_ms: i64,
) -> Asset {
    Asset {
        id,
        family_id: archive.family_id,
        audience_id: archive.audience_id,
        content_hash: file.content_hash,
        size_bytes: file.size_bytes,
        kind: file.measures.kind,
        media_type: file.measures.media_type.to_owned(),
        state: AssetState::Present,
        replaces_asset_id: None,
        timeline_key,
        date: believed.date.clone(),
        date_from_s: believed.date_from_s,
        title: believed.title.clone(),
        name: file.name.clone(),
        position: believed.position,
        placed: Placed::of(believed, None),
        language: believed.language.clone(),
        width: file.measures.width,
        height: file.measures.height,
        duration_ms: file.measures.duration_ms,
        added_at_ms: now_ms,
        deleted_at_ms: None,
        version: 1,
    }
}

fn asset_row(asset: Asset, believed: &Believed) -> Vec<Value> {
    let place = place::columns_of(&asset);
    let mut row = args![
        asset.id,
        asset.family_id,
        asset.audience_id,
        asset.content_hash,
        asset.size_bytes,
        asset.kind.as_str(),
        asset.media_type,
        asset.state.as_str(),
        asset.timeline_key,
        timeline::bucket_of_key(asset.timeline_key).number(),
        asset.date,
        asset.date_from_s,
        believed.date_until_s,
        asset.title,
        asset.name,
        asset.width,
        asset.height,
        asset.duration_ms,
        asset.added_at_ms,
        asset.added_at_ms,
        asset.version,
    ];
    row.extend(place);
    row
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
        file.changed_at_ns,
        now_ms,
    ]
}
