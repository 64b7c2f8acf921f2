//! The vault: originals that were handed over, and whose bytes are blobs.
//!
//! Where such an original is, is a location as any other: a folder of the archive of kind `vault`, and
//! the name under which it was handed over. Names are kept as they came. The first file of a name lies in
//! the root of the vault, another one of the same name in a folder called `2`, and so on.

use std::collections::BTreeSet;

use heirloom_core::{
    Actor, ArchiveId, AssetId, AudienceId, ContentHash, FamilyId, FolderId, LocationId, RunId,
    UploadId, permission::Action,
};
use serde_json::json;

use crate::{
    Db, DbError, Tx,
    archive::Archive,
    artifact::Derived,
    asset::{self, AssetState, Measures},
    audit, blob, clock,
    folder::{self, FolderChange},
    record::{Change, FoundFile, Recorded, TRIES},
    row::Row,
    sql::statements,
    timeline, upload,
    value::{Value, args},
};

/// The pipeline's name in runs of additions.
pub const PIPELINE: &str = "add";

/// A file that was handed over, and whose bytes are in the blob store.
#[derive(Debug, Clone, PartialEq)]
pub struct AddedFile {
    /// What it is called, as path text.
    pub name: String,
    /// How long it is.
    pub size_bytes: i64,
    /// When its sender's file was modified, in nanoseconds since 1970; when it came, if that is not known.
    pub modified_at_ns: i64,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// What was measured of it.
    pub measures: Measures,
    /// What the tools made of it.
    pub derived: Vec<Derived>,
}

/// What became of a file that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is a new asset.
    Added,
    /// It was an asset already; its bytes are kept in the vault too.
    Known,
    /// It was an asset that was hidden, or that was at none of its places any more, and is back.
    Returned,
}

/// A file that was handed over, as it is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// What became of it.
    pub outcome: Outcome,
    /// The asset that it is.
    pub asset: AssetId,
    /// The run that it was added by.
    pub run: RunId,
}

/// An asset whose bytes are at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// The asset.
    pub asset: AssetId,
}

/// An original in the vault that was found damaged or missing, or is so no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOriginal {
    /// Its hash, which names the blob.
    pub content_hash: ContentHash,
    /// The asset.
    pub asset: AssetId,
    /// What it is called.
    pub name: String,
}

statements! {
    FIND_ASSET = "SELECT id, state, deleted_at_ms IS NOT NULL FROM asset
        WHERE family_id = $1 AND content_hash = $2";
    FORGET_PURGE = "DELETE FROM purged_content WHERE family_id = $1 AND content_hash = $2";
    // In which folders of the vault this name is taken, and by which asset.
    LIST_NAMESAKES = "SELECT f.path, l.asset_id FROM folder f
        JOIN asset_location l ON l.folder_id = f.id AND l.name = $2 AND l.gone_at_ms IS NULL
        WHERE f.archive_id = $1";
    FIND_FOLDER = "SELECT id FROM folder WHERE archive_id = $1 AND path = $2 /*pg AND md5(path) = md5($2) */";
    ADD_ORIGINAL = "INSERT INTO original_blob (asset_id, content_hash) VALUES ($1, $2)
        ON CONFLICT (asset_id) DO NOTHING";
    BRING_BACK = "UPDATE asset SET deleted_at_ms = NULL, updated_at_ms = $2, version = version + 1
        WHERE id = $1";
    LIST_PLACES = "SELECT l.id FROM asset_location l JOIN folder f ON f.id = l.folder_id
        WHERE f.archive_id = $1 AND l.asset_id = $2 AND l.gone_at_ms IS NULL AND l.damaged_at_ms IS NOT NULL";
    LIST_HELD = "SELECT a.content_hash, a.id, a.audience_id FROM asset a
        WHERE a.family_id = $1 AND a.deleted_at_ms IS NULL AND a.content_hash IN ({list}) AND EXISTS
        (SELECT 1 FROM asset_location l WHERE l.asset_id = a.id AND l.gone_at_ms IS NULL AND l.damaged_at_ms IS NULL)";
    LIST_KEPT = "SELECT o.content_hash, a.id, a.name FROM original_blob o JOIN asset a ON a.id = o.asset_id
        WHERE o.content_hash IN ({list})";
    LIST_KEPT_PLACES = "SELECT l.id FROM original_blob o
        JOIN asset_location l ON l.asset_id = o.asset_id AND l.gone_at_ms IS NULL
        JOIN folder f ON f.id = l.folder_id
        JOIN archive r ON r.id = f.archive_id AND r.kind = 'vault'
        WHERE o.content_hash IN ({list})";
    LIST_KEPT_DAMAGED = "SELECT DISTINCT o.content_hash, a.id, a.name FROM archive r
        JOIN folder f ON f.archive_id = r.id
        JOIN asset_location l ON l.folder_id = f.id AND l.damaged_at_ms IS NOT NULL AND l.gone_at_ms IS NULL
        JOIN asset a ON a.id = l.asset_id
        JOIN original_blob o ON o.asset_id = a.id
        WHERE r.kind = 'vault'";
    ADD_RUN = "INSERT INTO run (id, family_id, pipeline, policy, state, archive_id, parameters, progress,
          created_at_ms, started_at_ms, version) VALUES ($1, $2, $3, 'production', 'running', $4, $5, '{}', $6, $6, 1)";
    FIND_RUN = "SELECT state FROM run WHERE id = $1 AND family_id = $2 AND pipeline = $3 /*pg FOR UPDATE */";
    COUNT_RUN = "SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM upload
        WHERE run_id = $1 AND state = 'done'";
    END_RUN = "UPDATE run SET state = 'done', progress = $2, ended_at_ms = $3, version = version + 1
        WHERE id = $1 AND state = 'running'";
    LIST_IDLE_RUNS = "SELECT id FROM run r WHERE pipeline = $1 AND state = 'running' AND created_at_ms < $2
        AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.run_id = r.id AND u.state = 'receiving')";
}

impl Db {
    /// Begins an addition: the run that the files of one handing over belong to. `process` is whether
    /// they are to be processed once they are added.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn create_addition(
        &self,
        actor: &Actor,
        vault: &Archive,
        process: bool,
    ) -> Result<RunId, DbError> {
        actor.require(Action::AddAsset, vault.family_id)?;
        let mut tx = self.begin().await?;
        let run = add_run(&mut tx, vault, process, clock::now_ms()).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Ends an addition: nothing more comes. One that has ended stays as it is.
    ///
    /// # Errors
    /// [`DbError::Denied`]; [`DbError::NotFound`] when there is no such addition.
    pub async fn end_addition(
        &self,
        actor: &Actor,
        family: FamilyId,
        run: RunId,
    ) -> Result<(), DbError> {
        actor.require(Action::AddAsset, family)?;
        let mut tx = self.begin().await?;
        let found = tx
            .fetch_optional(FIND_RUN, args![run, family, PIPELINE])
            .await?;
        found.ok_or_else(|| DbError::not_found("addition", run))?;
        end_run(&mut tx, run, clock::now_ms()).await?;
        tx.commit().await
    }

    /// Ends additions that began before `before_ms` and that no upload is under way for: whoever began
    /// them went away. Gives their runs.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn end_idle_additions(&self, before_ms: i64) -> Result<Vec<RunId>, DbError> {
        let mut ended = Vec::new();
        for row in self
            .fetch(LIST_IDLE_RUNS, args![PIPELINE, before_ms])
            .await?
        {
            let run = row.get(0)?;
            let mut tx = self.begin().await?;
            end_run(&mut tx, run, clock::now_ms()).await?;
            tx.commit().await?;
            ended.push(run);
        }
        Ok(ended)
    }

    /// Makes a file that was handed over an asset, or one more place of the asset that it is. It is all
    /// in one transaction with the end of its upload, so that it is added once. Content that was purged
    /// comes in as new, and an asset that was hidden is brought back: what somebody hands over by hand
    /// is wanted.
    ///
    /// # Errors
    /// [`DbError::Denied`]; [`DbError::Refused`] when the upload has ended, or when the asset is hidden
    /// and the actor may not bring it back; what the engine says. Nothing was stored then.
    pub async fn record_addition(
        &self,
        actor: &Actor,
        vault: &Archive,
        upload: UploadId,
        file: &AddedFile,
    ) -> Result<Added, DbError> {
        actor.require(Action::AddAsset, vault.family_id)?;
        let mut tries = 1;
        loop {
            match self.try_add(actor, vault, upload, file).await {
                Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_add(
        &self,
        actor: &Actor,
        vault: &Archive,
        upload: UploadId,
        file: &AddedFile,
    ) -> Result<Added, DbError> {
        let mut tx = self.begin().await?;
        timeline::lock(&mut tx).await?;
        let now_ms = clock::now_ms();
        let family = vault.family_id;
        let waiting = upload::lock_receiving(&mut tx, upload).await?;
        // One whose addition has ended meanwhile is wanted all the same.
        let open = match waiting.run {
            Some(run) => find_open_run(&mut tx, family, run).await?,
            None => None,
        };
        let run = match open {
            Some(run) => run,
            None => add_run(&mut tx, vault, waiting.process, now_ms).await?,
        };
        let before = Before::of(&mut tx, family, file.content_hash).await?;
        if before.is_hidden {
            actor.require(Action::DeleteAsset, family).map_err(|_| {
                DbError::Refused(
                    "this was deleted by somebody who decides about that, and only they can bring it back"
                        .to_owned(),
                )
            })?;
        }
        tx.execute(FORGET_PURGE, args![family, file.content_hash])
            .await?;
        let asset = place(&mut tx, vault, run, file, before.asset, now_ms).await?;
        blob::add(&mut tx, file.content_hash, file.size_bytes, now_ms).await?;
        tx.execute(ADD_ORIGINAL, args![asset, file.content_hash])
            .await?;
        // The store has just compared its bytes, or has stored them anew.
        let damaged = tx.fetch(LIST_PLACES, args![vault.id, asset]).await?;
        let sound: Vec<LocationId> = damaged
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        crate::location::mark(&mut tx, &[], &sound, now_ms).await?;
        if before.is_hidden {
            tx.execute(BRING_BACK, args![asset, now_ms]).await?;
            asset::refresh(&mut tx, &[asset]).await?;
        }
        let outcome = before.outcome();
        upload::finish(&mut tx, upload, run, outcome.as_str(), asset).await?;
        if open.is_none() {
            end_run(&mut tx, run, now_ms).await?;
        }
        let details = json!({ "asset": asset, "run": run, "outcome": outcome.as_str() });
        audit::add(&mut tx, family, actor, "asset.add", details).await?;
        tx.commit().await?;
        Ok(Added {
            outcome,
            asset,
            run,
        })
    }

    /// Which of these contents are assets already whose bytes are at hand, as far as the actor may see
    /// them. One that was hidden, that is at none of its places or that is damaged wherever it is, is
    /// not among them: handing it over brings it back.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn find_held(
        &self,
        actor: &Actor,
        family: FamilyId,
        hashes: &[ContentHash],
    ) -> Result<Vec<Held>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let sight = actor.sight(family);
        let list = hashes.iter().map(|hash| Value::from(*hash)).collect();
        let mut held = Vec::new();
        let mut seen = BTreeSet::new();
        for row in self.fetch_list(LIST_HELD, args![family], list).await? {
            let content_hash = row.get(0)?;
            if sight.includes(row.get::<AudienceId>(2)?) && seen.insert(content_hash) {
                let asset = row.get(1)?;
                held.push(Held {
                    content_hash,
                    asset,
                });
            }
        }
        Ok(held)
    }

    /// The originals of the vault among these blobs.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_kept_originals(
        &self,
        hashes: &[ContentHash],
    ) -> Result<Vec<KeptOriginal>, DbError> {
        let list = hashes.iter().map(|hash| Value::from(*hash)).collect();
        let rows = self.fetch_list(LIST_KEPT, args![], list).await?;
        rows.iter().map(read_kept).collect()
    }

    /// The originals of every vault that were found damaged or missing and have not been found right
    /// since.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_damaged_originals(&self) -> Result<Vec<KeptOriginal>, DbError> {
        let rows = self.fetch(LIST_KEPT_DAMAGED, args![]).await?;
        rows.iter().map(read_kept).collect()
    }

    /// Notes that originals of the vault were found damaged or missing, or (`is_damaged` false) right.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn mark_kept_originals(
        &self,
        hashes: &[ContentHash],
        is_damaged: bool,
    ) -> Result<(), DbError> {
        let list: Vec<Value> = hashes.iter().map(|hash| Value::from(*hash)).collect();
        let mut tx = self.begin().await?;
        let rows = tx.fetch_list(LIST_KEPT_PLACES, args![], list).await?;
        let places: Vec<LocationId> = rows
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        let (damaged, sound): (&[LocationId], &[LocationId]) = if is_damaged {
            (&places, &[])
        } else {
            (&[], &places)
        };
        crate::location::mark(&mut tx, damaged, sound, clock::now_ms()).await?;
        tx.commit().await
    }
}

impl Outcome {
    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Known => "known",
            Self::Returned => "returned",
        }
    }

    /// What a word of the database stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Added, Self::Known, Self::Returned]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// What was known of some bytes before they were handed over.
struct Before {
    asset: Option<AssetId>,
    is_absent: bool,
    is_hidden: bool,
}

impl Before {
    async fn of(tx: &mut Tx, family: FamilyId, hash: ContentHash) -> Result<Self, DbError> {
        let row = tx.fetch_optional(FIND_ASSET, args![family, hash]).await?;
        Ok(match row {
            Some(row) => Self {
                asset: Some(row.get(0)?),
                is_absent: row.get::<String>(1)? != AssetState::Present.as_str(),
                is_hidden: row.get(2)?,
            },
            None => Self {
                asset: None,
                is_absent: false,
                is_hidden: false,
            },
        })
    }

    const fn outcome(&self) -> Outcome {
        match self.asset {
            None => Outcome::Added,
            Some(_) if self.is_hidden || self.is_absent => Outcome::Returned,
            Some(_) => Outcome::Known,
        }
    }
}

/// Gives a file its place in the vault, unless the same bytes are there under the same name already.
async fn place(
    tx: &mut Tx,
    vault: &Archive,
    run: RunId,
    file: &AddedFile,
    known: Option<AssetId>,
    now_ms: i64,
) -> Result<AssetId, DbError> {
    let mut taken = BTreeSet::new();
    for row in tx
        .fetch(LIST_NAMESAKES, args![vault.id, &file.name])
        .await?
    {
        let asset: AssetId = row.get(1)?;
        if Some(asset) == known {
            return Ok(asset);
        }
        taken.insert(row.get::<String>(0)?);
    }
    let paths = (2..).map(|number: u64| number.to_string());
    let mut paths = std::iter::once(String::new()).chain(paths);
    let path = paths.find(|path| !taken.contains(path)).unwrap_or_default();
    let folder = get_or_create_folder(tx, vault.id, &path, now_ms).await?;
    let found = FoundFile {
        folder_id: folder,
        folder_path: path,
        name: file.name.clone(),
        size_bytes: file.size_bytes,
        modified_at_ns: file.modified_at_ns,
        changed_at_ns: file.modified_at_ns,
        content_hash: file.content_hash,
        measures: file.measures,
        derived: file.derived.clone(),
        previous: None,
    };
    let mut change = Change::default();
    let recorded = change
        .record(tx, vault, (run, 0), std::slice::from_ref(&found), now_ms)
        .await?;
    change.finish(tx, vault.id).await?;
    // Nothing is matched with its neighbours here: who shares a folder of the vault only shares a name.
    folder::apply(tx, vault.id, &[FolderChange::Settled(folder)], now_ms).await?;
    match recorded.first() {
        Some(
            Recorded::NewAsset(asset)
            | Recorded::NewLocation(asset)
            | Recorded::Replacement(asset)
            | Recorded::Touched(asset),
        ) => Ok(*asset),
        Some(Recorded::Purged) | None => Err(DbError::unreadable(
            "an addition",
            "its content is purged and is not",
        )),
    }
}

async fn get_or_create_folder(
    tx: &mut Tx,
    vault: ArchiveId,
    path: &str,
    now_ms: i64,
) -> Result<FolderId, DbError> {
    if let Some(row) = tx.fetch_optional(FIND_FOLDER, args![vault, path]).await? {
        return row.get(0);
    }
    let parent = match path {
        "" => None,
        _ => Some(Box::pin(get_or_create_folder(tx, vault, "", now_ms)).await?),
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

async fn add_run(
    tx: &mut Tx,
    vault: &Archive,
    process: bool,
    now_ms: i64,
) -> Result<RunId, DbError> {
    let id: RunId = clock::new_id();
    let parameters = json!({ "process": process }).to_string();
    tx.execute(
        ADD_RUN,
        args![id, vault.family_id, PIPELINE, vault.id, parameters, now_ms],
    )
    .await?;
    Ok(id)
}

async fn find_open_run(
    tx: &mut Tx,
    family: FamilyId,
    run: RunId,
) -> Result<Option<RunId>, DbError> {
    let row = tx
        .fetch_optional(FIND_RUN, args![run, family, PIPELINE])
        .await?;
    let state: Option<String> = row.map(|row| row.get(0)).transpose()?;
    Ok((state.as_deref() == Some("running")).then_some(run))
}

/// Ends a run with what was added by it: each of its uploads that is done.
async fn end_run(tx: &mut Tx, run: RunId, now_ms: i64) -> Result<(), DbError> {
    let row = tx.fetch_optional(COUNT_RUN, args![run]).await?;
    let (files, bytes): (i64, i64) = match row {
        Some(row) => (row.get(0)?, row.get(1)?),
        None => (0, 0),
    };
    let progress = json!({
        "files": files, "files_done": files, "bytes": bytes, "bytes_done": bytes, "is_listed": true,
    });
    tx.execute(END_RUN, args![run, progress.to_string(), now_ms])
        .await?;
    Ok(())
}

fn read_kept(row: &Row) -> Result<KeptOriginal, DbError> {
    Ok(KeptOriginal {
        content_hash: row.get(0)?,
        asset: row.get(1)?,
        name: row.get(2)?,
    })
}
