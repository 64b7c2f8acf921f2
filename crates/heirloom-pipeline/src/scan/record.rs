//! Storing what is found, batch by batch, and what follows when a folder is through.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use heirloom_core::{AssetId, FolderId, LocationId, path, run::RunState};
use heirloom_db::{
    DbError,
    folder::{FolderChange, KnownAs},
    location::LivePlace,
    record::{FoundFile, Recorded, ScanBatch},
    sidecar::FoundSidecar,
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{
    ScanError,
    report::Outcome,
    settle::Settling,
    walk::blocking,
    work::{Event, Examined, FolderRef, Found, Read, Role, Window},
};
use crate::{original::Root, tool::sidecar_word};

/// The most files of one transaction.
const BATCH: usize = 256;
/// How long something that was found waits for others.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often it is said how far the scan is, and of these, how many are stored.
const TICK: Duration = Duration::from_millis(100);
const TICKS_PER_STORE: u32 = 10;
/// How long those who read may take to notice that they are to stop.
const STOP: Duration = Duration::from_millis(1000);
/// How many other places of an asset are looked at to tell a move from a copy.
const PLACES: usize = 16;

pub(super) struct Recorder<'a, 'o> {
    settling: Settling<'a, 'o>,
    last_scan_ms: i64,
    window: Arc<Window>,
    batch: ScanBatch,
    /// What is said of the files of the batch, in their order, once they are stored.
    files: Vec<(Arc<FolderRef>, String)>,
    /// What else is said then.
    others: Vec<Said>,
    /// How many files are dealt with once these are stored and said.
    dealt_with: u64,
    /// Places that were known to be damaged when the scan began.
    damaged: BTreeSet<LocationId>,
    /// Since when something waits to be stored.
    waiting_since: Option<Instant>,
    /// What came before its turn.
    early: BTreeMap<u64, Examined>,
    next: u64,
    folders: HashMap<FolderId, Through>,
    /// Folders whose files are stored or are about to be.
    through: Vec<(Arc<FolderRef>, bool)>,
}

/// What became of a file of a batch, or why the catalogue refused it.
type Stored = Result<Recorded, String>;

struct Said {
    path: String,
    outcome: Outcome,
    asset: Option<AssetId>,
    reason: Option<String>,
}

/// How far a folder is.
#[derive(Default)]
struct Through {
    /// How many jobs it has, once that is known.
    jobs: Option<u64>,
    done: u64,
    has_changed: bool,
}

impl<'a, 'o> Recorder<'a, 'o> {
    pub(super) fn new(settling: Settling<'a, 'o>, last_scan_ms: i64, window: Arc<Window>) -> Self {
        Self {
            settling,
            last_scan_ms,
            window,
            batch: ScanBatch::default(),
            files: Vec::new(),
            others: Vec::new(),
            dealt_with: 0,
            damaged: BTreeSet::new(),
            waiting_since: None,
            early: BTreeMap::new(),
            next: 0,
            folders: HashMap::new(),
            through: Vec::new(),
        }
    }

    /// Takes events until there are no more, or until shortly after it was told to stop.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) -> Result<(), ScanError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let Settling { db, archive, .. } = self.settling;
        self.damaged = db.list_damaged(archive.id).await?;
        let mut count = 0_u32;
        let mut stop_at: Option<Instant> = None;
        loop {
            let flush_at = self.waiting_since.map(|since| since + PATIENCE);
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    count = count.wrapping_add(1);
                    self.tick(count.is_multiple_of(TICKS_PER_STORE)).await?;
                }
                () = self.settling.stop.cancelled(), if stop_at.is_none() => {
                    stop_at = Some(Instant::now() + STOP);
                    self.window.close();
                }
                () = until(stop_at) => break,
                () = until(flush_at) => self.flush().await?,
                event = events.recv() => {
                    let Some(event) = event else { break };
                    self.take(event)?;
                    if self.is_full() {
                        self.flush().await?;
                    }
                }
            }
        }
        // Whatever is here is kept, also when something that was to come before it never came.
        for examined in std::mem::take(&mut self.early).into_values() {
            self.take_in_turn(examined)?;
        }
        // Settling folders gives something more to store.
        while self.waiting_since.is_some() || !self.through.is_empty() {
            self.flush().await?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        let batch = &self.batch;
        let most = [
            batch.files.len(),
            batch.gone.len(),
            batch.sidecars.len(),
            batch.folders.len(),
            batch.closed.len(),
            self.others.len(),
            self.through.len(),
        ];
        most.into_iter().any(|length| length >= BATCH)
    }

    fn take(&mut self, event: Event) -> Result<(), ScanError> {
        match event {
            Event::Folder(change) => {
                self.batch.folders.push(change);
                self.wait();
            }
            Event::Examined(examined) => {
                self.early.insert(examined.job.sequence, examined);
                while let Some(examined) = self.early.remove(&self.next) {
                    self.next += 1;
                    self.take_in_turn(examined)?;
                }
            }
            Event::Gone {
                folder,
                name,
                known,
                reason,
            } => self.take_gone(&folder, &name, known, reason),
            Event::Listed {
                folder,
                jobs,
                is_settled,
            } => {
                let through = self.folders.entry(folder.id).or_default();
                through.jobs = Some(jobs);
                through.has_changed |= !is_settled;
                self.check(&folder);
            }
            Event::FolderGone(folder) => {
                self.folders.remove(&folder.id);
                self.through.push((folder, true));
                self.wait();
            }
        }
        Ok(())
    }

    fn take_gone(
        &mut self,
        folder: &FolderRef,
        name: &str,
        known: KnownAs,
        reason: Option<&'static str>,
    ) {
        self.batch.gone.push((folder.id, known));
        self.folders.entry(folder.id).or_default().has_changed = true;
        let reason = reason.map(str::to_owned);
        self.say(folder, name, Outcome::Gone, asset_of(known), reason);
    }

    fn take_in_turn(&mut self, examined: Examined) -> Result<(), ScanError> {
        let Examined { job, found } = examined;
        let folder = Arc::clone(&job.folder);
        self.dealt_with += u64::from(!matches!(found, Found::Stopped));
        let mut places = 1;
        match found {
            Found::Read(read) => {
                // Stored in a moment: its place is given back then.
                places = usize::from(matches!(job.role, Role::Sidecar(_)));
                self.folders.entry(folder.id).or_default().has_changed = true;
                self.take_read(job.role, &folder, job.name, job.known, *read);
            }
            Found::Skipped(reason) => {
                // It was a file when it was listed; if it was known, the next scan sees it gone.
                self.say(
                    &folder,
                    &job.name,
                    Outcome::Skipped,
                    None,
                    Some(reason.to_owned()),
                );
            }
            Found::Failed(reason) => {
                let asset = job.known.and_then(asset_of);
                self.say(&folder, &job.name, Outcome::Failed, asset, Some(reason));
            }
            Found::Damaged => {
                self.batch.damaged.extend(job.known.and_then(location_of));
                let asset = job.known.and_then(asset_of);
                let reason = Some(DAMAGED.to_owned());
                self.say(&folder, &job.name, Outcome::Failed, asset, reason);
            }
            Found::Confirmed => {
                let was_damaged = job
                    .known
                    .and_then(location_of)
                    .filter(|location| self.damaged.contains(location));
                self.batch.sound.extend(was_damaged);
                let asset = job.known.and_then(asset_of);
                self.say(&folder, &job.name, Outcome::Unchanged, asset, None);
            }
            Found::Broken(error) => return Err(error.into()),
            Found::Stopped => {}
        }
        self.window.leave(places);
        self.folders.entry(folder.id).or_default().done += 1;
        self.check(&folder);
        Ok(())
    }

    fn take_read(
        &mut self,
        role: Role,
        folder: &Arc<FolderRef>,
        name: String,
        known: Option<KnownAs>,
        read: Read,
    ) {
        let Read {
            stat,
            content_hash,
            original,
        } = read;
        self.wait();
        match (role, original) {
            (Role::Sidecar(kind), _) => {
                // What was here before, whatever it was, has given way.
                let gone = known.map(|known| (folder.id, known));
                self.batch.gone.extend(gone);
                self.say(folder, &name, Outcome::Sidecar, None, None);
                self.batch.sidecars.push(FoundSidecar {
                    folder_id: folder.id,
                    name,
                    kind: sidecar_word(kind),
                    content_hash,
                    size_bytes: stat.stored_size(),
                    modified_at_ns: stat.modified_at_ns,
                    changed_at_ns: stat.changed_at_ns,
                });
            }
            (Role::Original, Some((measures, derived))) => {
                let mut previous = None;
                match known {
                    Some(KnownAs::Location(location, asset)) => previous = Some((location, asset)),
                    Some(sidecar) => self.batch.gone.push((folder.id, sidecar)),
                    None => {}
                }
                self.files.push((Arc::clone(folder), name.clone()));
                self.batch.files.push(FoundFile {
                    folder_id: folder.id,
                    folder_path: folder.path.clone(),
                    name,
                    size_bytes: stat.stored_size(),
                    modified_at_ns: stat.modified_at_ns,
                    changed_at_ns: stat.changed_at_ns,
                    content_hash,
                    measures,
                    derived,
                    previous,
                });
            }
            (Role::Original, None) => {}
        }
    }

    /// Notes a folder whose files are all with us.
    fn check(&mut self, folder: &Arc<FolderRef>) {
        let is_through = self
            .folders
            .get(&folder.id)
            .is_some_and(|through| through.jobs == Some(through.done));
        if is_through
            && let Some(through) = self.folders.remove(&folder.id)
            && through.has_changed
        {
            self.through.push((Arc::clone(folder), false));
            self.wait();
        }
    }

    fn wait(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    fn say(
        &mut self,
        folder: &FolderRef,
        name: &str,
        outcome: Outcome,
        asset: Option<AssetId>,
        reason: Option<String>,
    ) {
        self.others.push(Said {
            path: path::join(&folder.path, name),
            outcome,
            asset,
            reason,
        });
        self.wait();
    }

    /// Stores what there is, says what became of it, and settles the folders that are through.
    async fn flush(&mut self) -> Result<(), ScanError> {
        self.waiting_since = None;
        let reporter = self.settling.reporter;
        let batch = std::mem::take(&mut self.batch);
        let files = std::mem::take(&mut self.files);
        if batch != ScanBatch::default() {
            let recorded = self.store(&batch).await?;
            for ((folder, name), (file, recorded)) in
                files.into_iter().zip(batch.files.iter().zip(recorded))
            {
                let (outcome, asset, reason) = self.outcome(file, recorded).await?;
                reporter.file(path::join(&folder.path, &name), outcome, asset, reason);
            }
            self.window.leave(batch.files.len());
        }
        for said in std::mem::take(&mut self.others) {
            reporter.file(said.path, said.outcome, said.asset, said.reason);
        }
        reporter.done(std::mem::take(&mut self.dealt_with));
        for (folder, is_gone) in std::mem::take(&mut self.through) {
            if self.settling.stop.is_cancelled() {
                // The next scan finds it unsettled, or finds it gone once more.
                return Ok(());
            }
            if self.settling.settle(&folder).await? {
                self.batch.closed.push(match is_gone {
                    true => FolderChange::Went(folder.id),
                    false => FolderChange::Settled(folder.id),
                });
                self.wait();
            }
        }
        Ok(())
    }

    /// Stores a batch. Where the catalogue refuses it, each file is stored by itself, so that one that
    /// it cannot take does not keep all others out.
    async fn store(&self, batch: &ScanBatch) -> Result<Vec<Stored>, ScanError> {
        let Settling {
            db, archive, run, ..
        } = self.settling;
        let record = async |batch: &ScanBatch| {
            db.record_batch(archive, run, self.last_scan_ms, batch)
                .await
        };
        match record(batch).await {
            Ok(recorded) => return Ok(recorded.into_iter().map(Ok).collect()),
            Err(DbError::Sql(error)) if !batch.files.is_empty() => {
                tracing::warn!(%error, "a batch was refused; its files are stored one by one");
            }
            Err(error) => return Err(error.into()),
        }
        let mut stored = Vec::with_capacity(batch.files.len());
        let mut rest = ScanBatch {
            files: Vec::new(),
            ..batch.clone()
        };
        record(&rest).await?;
        for file in &batch.files {
            rest = ScanBatch {
                files: vec![file.clone()],
                ..ScanBatch::default()
            };
            match record(&rest).await {
                Ok(recorded) => stored.extend(recorded.into_iter().map(Ok)),
                Err(error @ DbError::Sql(_)) => stored.push(Err(error.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(stored)
    }

    async fn outcome(
        &self,
        file: &FoundFile,
        stored: Stored,
    ) -> Result<(Outcome, Option<AssetId>, Option<String>), ScanError> {
        let recorded = match stored {
            Ok(recorded) => recorded,
            Err(reason) => return Ok((Outcome::Failed, None, Some(reason))),
        };
        let (outcome, asset) = match recorded {
            Recorded::NewAsset(asset) => (Outcome::New, asset),
            Recorded::Replacement(asset) => (Outcome::Replaced, asset),
            Recorded::Touched(asset) => (Outcome::Unchanged, asset),
            Recorded::NewLocation(asset) => (self.place_outcome(file, asset).await?, asset),
            Recorded::Purged => {
                let reason = Some("removed for good".to_owned());
                return Ok((Outcome::Skipped, None, reason));
            }
        };
        Ok((outcome, Some(asset), None))
    }

    /// What a new place of a known asset is. Whether the asset is really still in its other places has
    /// to be looked at: the catalogue may not know yet that it has been moved away from there.
    async fn place_outcome(&self, file: &FoundFile, asset: AssetId) -> Result<Outcome, ScanError> {
        let Settling { db, archive, .. } = self.settling;
        let archive = archive.id;
        let mut places = db.list_live_places(asset, PLACES).await?;
        places.retain(|place| {
            (place.archive_id, &place.folder_path, &place.name)
                != (archive, &file.folder_path, &file.name)
        });
        let known = places.len();
        let root: Arc<Root> = Arc::clone(self.settling.root);
        let looking = blocking(move || {
            let is_there = |place: &LivePlace| {
                let stat = root
                    .open_folder(&place.folder_path)
                    .and_then(|folder| folder.stat(&place.name));
                // Not when it changed: a hard link beside it is a change too.
                stat.is_ok_and(|stat| {
                    place.size_bytes == stat.stored_size()
                        && place.modified_at_ns == stat.modified_at_ns
                })
            };
            let mut there = places;
            there.retain(|place| place.archive_id != archive || is_there(place));
            Ok(there.len())
        });
        let there = looking.await.unwrap_or(0);
        let (folder, since_ms) = (file.folder_id, self.last_scan_ms);
        if there == known && db.was_at(asset, folder, &file.name, since_ms).await? {
            return Ok(Outcome::Returned);
        }
        Ok(match there {
            0 => Outcome::Moved,
            _ => Outcome::Copy,
        })
    }

    /// Says how far the scan is, and now and then stores it; somebody else may have told the run to
    /// stop meanwhile.
    async fn tick(&self, is_storing: bool) -> Result<(), ScanError> {
        let progress = self.settling.reporter.tick();
        if is_storing {
            let progress = serde_json::json!(progress);
            let state = self
                .settling
                .db
                .store_progress(self.settling.run, &progress)
                .await?;
            if state == RunState::Cancelling {
                self.settling.stop.cancel();
            }
        }
        Ok(())
    }
}

/// What is said of a file that is damaged.
const DAMAGED: &str = "damaged: its bytes have changed although its size and time have not";

/// The place of an asset that is known as this, if it is one.
const fn location_of(known: KnownAs) -> Option<LocationId> {
    match known {
        KnownAs::Location(location, _) => Some(location),
        KnownAs::Sidecar(_) => None,
    }
}

/// The asset that is known at a place, if it is one.
fn asset_of(known: KnownAs) -> Option<AssetId> {
    match known {
        KnownAs::Location(_, asset) => Some(asset),
        KnownAs::Sidecar(_) => None,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
