//! Making a data folder of a snapshot: on any machine, with the program and the key alone.
//!
//! Everything is compared with its hash. Until all of it is there, a file in the folder says which snapshot is being
//! restored, and it is not opened as a library; whoever restores into it again goes on where it was. The catalogue
//! comes to its place last.

mod files;
mod hand;

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use heirloom_core::{Actor, ContentHash, path};
use heirloom_db::{
    Db, Location,
    backup::{KnownId, copy_catalogue, has_copy, is_table, load_tables},
};
use rustic_core::{
    IndexedFullStatus, Repository, RusticError, RusticResult,
    repofile::{Node, SnapshotFile},
};
use sha2::{Digest as _, Sha256};
use std::os::unix::ffi::OsStrExt as _;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    BackupError, LackingFile, Progress, Snapshot, Target, blocking,
    make::place,
    manifest::{CATALOGUE, FORMAT, MANIFEST, Manifest, ORIGINALS, ROOT, STORE},
    objects::{Door, Lock},
    repository::{Access, Opened, describe, explain, hex_of, library_snapshots, open, past_of},
    source::{Lacking, SourceFile},
};

/// The folder in a data folder for what a restore needs until it has come to its end.
const RESTORING: &str = "restoring";

/// Which snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// The newest.
    Latest,
    /// The one of this id, or of the only id that begins like this.
    Snapshot(String),
    /// The newest that is not newer than this, in milliseconds since 1970.
    Time(i64),
}

/// What the newest is called where there is none.
const LATEST: &str = "latest";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The data folder.
    pub folder: PathBuf,
    /// Whether the files of folder archives were in it.
    pub has_folders: bool,
    /// Blobs that are there.
    pub blobs: u64,
    /// Files of folder archives that are there.
    pub files: u64,
    /// Bytes that were written, and not those that were there from an earlier attempt.
    pub bytes: u64,
    /// What the catalogue knows and the snapshot does not have.
    pub lacking: u64,
    /// The first thousand of it.
    pub lacking_files: Vec<LackingFile>,
}

/// Threads that write.
const HANDS: usize = 4;
/// The file in it that says which snapshot is being restored; when it goes, the restore has come to its end.
const WHICH: &str = "snapshot";
/// The file that says under which name the catalogue is copied into a database.
const COPY: &str = "copy";
const TOLD: usize = 1000;

/// Why something is not restored that the repository does not give.
const NOT_THERE: (Lacking, &str) = (
    Lacking::Gone,
    "it is not in this snapshot: an older one may have it",
);
const NOT_LISTED: (Lacking, &str) = (
    Lacking::Damaged,
    "where it is told is damaged in the repository: an older snapshot may have it",
);
const NOT_WHOLE: (Lacking, &str) = (
    Lacking::Damaged,
    "its bytes are damaged in the repository: the library or another repository may have them",
);

/// Makes a data folder of a snapshot. `folder` is not there yet, or empty, or a restore of the same snapshot into
/// it was interrupted. With a `database` of PostgreSQL, which is empty, the catalogue comes there in place of the folder.
///
/// # Errors
/// [`BackupError`]. What was restored by then stays, and the next attempt goes on with it.
pub async fn restore(
    target: &Target,
    at: &At,
    folder: &Path,
    database: Option<&str>,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<RestoreReport, BackupError> {
    let (target, at, folder) = (target.clone(), at.clone(), folder.to_owned());
    let database = database.map(str::to_owned);
    let progress = Arc::clone(progress);
    let runtime = Handle::current();
    blocking(cancel, move |cancel| {
        let opened = open(&target, Access::Reading, Arc::default(), cancel)?;
        let snapshot = choose(library_snapshots(&opened)?, &at)?;
        let (from, lock) = From::new(opened, snapshot, progress, runtime)?;
        let report = from.restore(&folder, database.as_deref());
        drop(lock);
        report
    })
    .await
}

/// Whether a restore into a data folder has not come to its end.
#[must_use]
pub fn is_half_restored(folder: &Path) -> bool {
    folder.join(RESTORING).join(WHICH).exists()
}

fn choose(snapshots: Vec<SnapshotFile>, at: &At) -> Result<SnapshotFile, BackupError> {
    let mut found = match at {
        At::Latest => return latest(snapshots, heirloom_db::clock::now_ms()),
        At::Time(ms) => {
            let is_older = |found: &SnapshotFile| found.time.timestamp().as_millisecond() <= *ms;
            snapshots.into_iter().filter(is_older).collect()
        }
        At::Snapshot(id) => {
            let begins = |found: &SnapshotFile| found.id.to_hex().as_str().starts_with(id.as_str());
            let found: Vec<_> = snapshots.into_iter().filter(begins).collect();
            if found.len() > 1 {
                let why = format!("several snapshots have an id that begins with {id}");
                return Err(BackupError::Refused(why));
            }
            found
        }
    };
    found.pop().ok_or_else(|| {
        BackupError::NoSnapshot(match at {
            At::Latest => LATEST.to_owned(),
            At::Snapshot(id) => id.clone(),
            At::Time(ms) => rustic_core::jiff::Timestamp::from_millisecond(*ms)
                .map_or_else(|_| ms.to_string(), |time| format!("until {time}")),
        })
    })
}

/// The newest, of snapshots in order: of those that are not in the future, unless this machine's clock is so wrong that all
/// are.
pub(super) fn latest(
    mut snapshots: Vec<SnapshotFile>,
    now_ms: i64,
) -> Result<SnapshotFile, BackupError> {
    match past_of(&snapshots, now_ms) {
        0 => {}
        past => snapshots.truncate(past),
    }
    let newest = snapshots.pop();
    newest.ok_or_else(|| BackupError::NoSnapshot(LATEST.to_owned()))
}

/// What is restored from.
pub(super) struct From {
    repository: Repository<IndexedFullStatus>,
    pub(super) snapshot: SnapshotFile,
    door: Arc<Door>,
    location: String,
    progress: Arc<Progress>,
    runtime: Handle,
}

/// What was restored so far.
#[derive(Default)]
struct Done {
    blobs: HashSet<ContentHash>,
    /// Those that are there and damaged in the repository, which is told.
    damaged_blobs: HashSet<ContentHash>,
    /// Files of folder archives by the number of their archive, with how they look here.
    files: BTreeMap<u32, Vec<(KnownId, i64, i64)>>,
    /// Those of them that were dealt with.
    paths: HashSet<PathBuf>,
    bytes: u64,
    lacking: u64,
    lacking_files: Vec<LackingFile>,
}

impl Done {
    fn lacks(&mut self, path: String, (lacking, why): (Lacking, &str)) {
        self.lacking += 1;
        if self.lacking_files.len() < TOLD {
            let why = why.to_owned();
            self.lacking_files.push(LackingFile { path, lacking, why });
        }
    }
}

impl From {
    /// A snapshot of a repository, and what keeps others from changing that.
    pub(super) fn new(
        opened: Opened,
        snapshot: SnapshotFile,
        progress: Arc<Progress>,
        runtime: Handle,
    ) -> Result<(Self, Lock), BackupError> {
        let Opened {
            repository,
            door,
            location,
            lock,
        } = opened;
        let repository = repository.to_indexed();
        let repository = repository.map_err(|error| explain(&location, &door, &error))?;
        let from = Self {
            repository,
            snapshot,
            door,
            location,
            progress,
            runtime,
        };
        Ok((from, lock))
    }

    fn restore(&self, folder: &Path, database: Option<&str>) -> Result<RestoreReport, BackupError> {
        let id = self.snapshot.id.to_hex().as_str().to_owned();
        if let Some(url) = database {
            // Before anything is made.
            let copy = fs::read_to_string(folder.join(RESTORING).join(COPY)).unwrap_or_default();
            self.runtime.block_on(has_copy(url, &copy))?;
        }
        let is_going_on = begin(folder, &id)?;
        let folder = folder.canonicalize().map_err(at(folder))?;
        let scratch = folder.join(RESTORING);
        let summary = self.snapshot.summary.as_ref();
        self.progress.expect(
            summary.map_or(0, |summary| summary.total_files_processed),
            summary.map_or(0, |summary| summary.total_bytes_processed),
        );
        let manifest = self.read_manifest()?;
        let db = self.restore_catalogue(&scratch, &manifest)?;
        let restored = self.restore_files(&folder, &manifest, &db, is_going_on);
        let mut report = restored.and_then(|done| self.settle(&folder, &manifest, &db, done));
        if let (Ok(_), Some(url)) = (&report, database) {
            // What the catalogue refers to is there for good before it is.
            let copied = sync(&folder).and_then(|()| {
                let copy = name_copy(&scratch)?;
                Ok(self.runtime.block_on(copy_catalogue(&db, url, &copy))?)
            });
            report = copied.and(report);
        }
        self.runtime.block_on(db.close());
        let report = report?;
        if database.is_none() {
            // Closed in order, the catalogue is one file.
            let catalogue = folder.join("catalogue.db");
            fs::rename(scratch.join("catalogue.db"), &catalogue).map_err(at(&catalogue))?;
        }
        sync(&folder)?;
        let which = scratch.join(WHICH);
        fs::remove_file(&which).map_err(at(&which))?;
        sync(&scratch)?;
        // Nothing is lost with what cannot be removed any more.
        let _ = fs::remove_dir_all(&scratch);
        Ok(report)
    }

    pub(super) fn explain(&self, error: &RusticError) -> BackupError {
        explain(&self.location, &self.door, error)
    }

    fn node(&self, parts: &[&str]) -> RusticResult<Node> {
        self.node_at(&[ROOT].iter().chain(parts).collect::<PathBuf>())
    }

    /// What is at an absolute path of the snapshot.
    pub(super) fn node_at(&self, path: &Path) -> RusticResult<Node> {
        let text = path.to_string_lossy();
        self.repository
            .node_from_snapshot_and_path(&self.snapshot, &text)
    }

    fn read_manifest(&self) -> Result<Manifest, BackupError> {
        let node = self
            .node(&[MANIFEST])
            .map_err(|error| self.explain(&error))?;
        let mut bytes = Vec::new();
        self.pour(&node, MANIFEST, |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| BackupError::Damaged(format!("{MANIFEST}: {error}")))?;
        if manifest.format > FORMAT {
            return Err(BackupError::Refused(
                "the snapshot was made by a newer version of Heirloom".to_owned(),
            ));
        }
        Ok(manifest)
    }

    /// Gives the bytes of a file of the snapshot, each part compared with its name.
    pub(super) fn pour(
        &self,
        node: &Node,
        name: &str,
        mut sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), BackupError> {
        for id in node.content.iter().flatten() {
            if self.door.is_cancelled() {
                return Err(BackupError::Cancelled);
            }
            let blob = rustic_core::BlobId::from(**id);
            let part = self
                .repository
                .get_blob_cached(&blob, rustic_core::repofile::BlobType::Data);
            let part = part.map_err(|error| match self.explain(&error) {
                BackupError::Damaged(what) => BackupError::Damaged(format!("{name}: {what}")),
                other => other,
            })?;
            if hex_of(&Sha256::digest(&part)) != id.to_hex().as_str() {
                return Err(BackupError::Damaged(format!(
                    "{name} has other bytes than were stored"
                )));
            }
            sink(&part).map_err(|source| BackupError::Destination {
                path: name.into(),
                source,
            })?;
            self.progress.bytes(part.len() as u64);
        }
        Ok(())
    }

    fn restore_catalogue(&self, scratch: &Path, manifest: &Manifest) -> Result<Db, BackupError> {
        // Half of it from an earlier attempt is of no use.
        for name in ["catalogue.db", "catalogue.db-wal", "catalogue.db-shm"] {
            let path = scratch.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(at(&path)(error));
                }
                _ => {}
            }
        }
        let mut tables = Vec::new();
        for name in &manifest.catalogue {
            let is_ours = match is_table(name) {
                true => manifest.engine == "postgres",
                false => ["catalogue.db", "catalogue.db-wal"].contains(&name.as_str()),
            };
            if !is_ours {
                return Err(BackupError::Damaged(format!(
                    "{name:?} is no file of a catalogue"
                )));
            }
            let node = self
                .node(&[CATALOGUE, name])
                .map_err(|error| self.explain(&error))?;
            let path = scratch.join(name);
            self.write(&node, &path, None)?;
            tables.extend(is_table(name).then_some(path));
            self.progress.file();
        }
        let catalogue = scratch.join("catalogue.db");
        if !tables.is_empty() {
            return Ok(self.runtime.block_on(load_tables(&catalogue, &tables))?);
        }
        let location = Location::File(catalogue);
        Ok(self.runtime.block_on(Db::open_existing(&location))?)
    }

    /// Writes a file, compares it with its hash where that is known, and waits for the disk.
    fn write(
        &self,
        node: &Node,
        path: &Path,
        expected: Option<ContentHash>,
    ) -> Result<u64, BackupError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut file = File::create(&partial).map_err(at(&partial))?;
        let (mut hasher, mut length) = (blake3::Hasher::new(), 0);
        let poured = self.pour(node, &path.display().to_string(), |part| {
            hasher.update(part);
            length += part.len() as u64;
            file.write_all(part)
        });
        if let Err(error) = poured {
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
        if expected.is_some_and(|expected| expected.as_bytes() != hasher.finalize().as_bytes()) {
            let _ = fs::remove_file(&partial);
            let what = format!("{} has other bytes than were catalogued", path.display());
            return Err(BackupError::Damaged(what));
        }
        if let Some(mtime) = node.meta.mtime {
            let _ = file.set_modified(system_time(mtime.as_nanosecond()));
        }
        fs::rename(&partial, path).map_err(at(path))?;
        Ok(length)
    }

    /// Tells the catalogue where everything is now.
    fn settle(
        &self,
        folder: &Path,
        manifest: &Manifest,
        db: &Db,
        mut done: Done,
    ) -> Result<RestoreReport, BackupError> {
        let assets = self.runtime.block_on(async {
            let mut frozen = db.freeze_catalogue(&Actor::Operator, false, folder).await?;
            frozen.count_assets().await
        })?;
        if assets != manifest.assets {
            let was = manifest.assets;
            let what =
                format!("the catalogue has {assets} assets and had {was} when it was stored");
            return Err(BackupError::Damaged(what));
        }
        let mut files = 0;
        if manifest.has_folders {
            for (archive, at_number) in manifest.archives.iter().zip(0_u32..) {
                let root = folder.join(ORIGINALS).join(&archive.folder);
                make_folder(&root)?;
                let here = done.files.remove(&at_number).unwrap_or_default();
                files += here.len() as u64;
                let text = path::to_text(root.as_os_str().as_bytes());
                let moving = db.move_archive(&Actor::Operator, archive.id, &text, &here);
                self.runtime.block_on(moving)?;
            }
        }
        Ok(RestoreReport {
            snapshot: describe(&self.snapshot),
            folder: folder.to_owned(),
            has_folders: manifest.has_folders,
            blobs: done.blobs.len() as u64,
            files,
            bytes: done.bytes,
            lacking: done.lacking,
            lacking_files: done.lacking_files,
        })
    }
}

/// Takes a folder to restore into; says whether an earlier attempt is gone on with.
fn begin(folder: &Path, snapshot: &str) -> Result<bool, BackupError> {
    let refused = |why: &str| {
        let shown = folder.display();
        Err(BackupError::Refused(format!("{shown} {why}")))
    };
    let which = folder.join(RESTORING).join(WHICH);
    match fs::read_to_string(&which) {
        Ok(found) if found.trim() == snapshot => return Ok(true),
        Ok(_) => {
            return refused(
                "has a restore of another snapshot in it that did not come to its end: name that snapshot with \
                 --at, or another folder",
            );
        }
        Err(_) => {}
    }
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != RESTORING)) {
                return refused("is not empty: name an empty folder, or one that is not there yet");
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(folder)(error)),
    }
    make_folder(&folder.join(RESTORING))?;
    let mut partial = which.clone().into_os_string();
    partial.push(".partial");
    fs::write(&partial, format!("{snapshot}\n")).map_err(at(&which))?;
    fs::rename(&partial, &which).map_err(at(&which))?;
    Ok(false)
}

/// The name under which a restore copies a catalogue, whenever it is gone on with.
fn name_copy(scratch: &Path) -> Result<String, BackupError> {
    let path = scratch.join(COPY);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map_err(at(&path)),
    }
    let name = uuid::Uuid::now_v7().to_string();
    let partial = scratch.join("copy.partial");
    fs::write(&partial, &name).map_err(at(&partial))?;
    fs::rename(&partial, &path).map_err(at(&path))?;
    sync(scratch)?;
    Ok(name)
}

fn system_time(ns: i128) -> SystemTime {
    let since = |ns: i128| Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX));
    if ns >= 0 {
        SystemTime::UNIX_EPOCH + since(ns)
    } else {
        SystemTime::UNIX_EPOCH - since(-ns)
    }
}

fn make_folder(path: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(at(path))
}

/// Waits until everything that was written to the disk of a folder is there.
fn sync(folder: &Path) -> Result<(), BackupError> {
    let synced = File::open(folder).and_then(|folder| Ok(rustix::fs::syncfs(&folder)?));
    synced.map_err(at(folder))
}

fn at(path: &Path) -> impl Fn(io::Error) -> BackupError + '_ {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            BackupError::NoSpace(path.display().to_string())
        }
        _ => BackupError::Destination {
            path: path.to_owned(),
            source,
        },
    }
}
