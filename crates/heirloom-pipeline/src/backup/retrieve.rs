//! Bringing single blobs back from the regular backup, when they were found damaged or lost.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Seek as _, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use heirloom_blobs::BlockingSource;
use heirloom_core::{ContentHash, FamilyId, path};
use rustic_core::repofile::SnapshotFile;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    BackupError, BackupKey, Progress, RepositoryLocation, Target, blocking,
    manifest::CAPTURE,
    repository::{Access, library_snapshots, open, past_of},
    restore::From,
    source::blob_path,
};
use crate::Context;

/// The regular backups, opened when something is first asked of them and open until this is dropped.
pub(crate) struct Retriever<'a> {
    ctx: &'a Context,
    opened: HashMap<FamilyId, Option<Arc<Mutex<Copies>>>>,
    cancel: CancellationToken,
    _ending: DropGuard,
}

/// What a repository has.
struct Copies {
    from: From,
    /// The newest first.
    snapshots: Vec<SnapshotFile>,
    /// Keeps others from changing it.
    _lock: super::objects::Lock,
}

impl<'a> Retriever<'a> {
    pub(crate) fn new(ctx: &'a Context) -> Self {
        let cancel = CancellationToken::new();
        Self {
            ctx,
            opened: HashMap::new(),
            cancel: cancel.clone(),
            _ending: cancel.drop_guard(),
        }
    }

    /// Puts a blob into the store again, from the newest snapshot of the family's regular backup that has it.
    /// `false` where there is none, or where it cannot be reached now, which is in the log.
    pub(crate) async fn retrieve(&mut self, family: FamilyId, hash: ContentHash) -> bool {
        match self.try_retrieve(family, hash).await {
            Ok(is_back) => is_back,
            Err(error) => {
                tracing::warn!(%hash, "a blob cannot be had from the backup: {error}");
                false
            }
        }
    }

    async fn try_retrieve(
        &mut self,
        family: FamilyId,
        hash: ContentHash,
    ) -> Result<bool, BackupError> {
        if !self.opened.contains_key(&family) {
            // What cannot be opened now is not tried again for each blob.
            self.opened.insert(family, None);
            let copies = self.open(family).await?;
            self.opened.insert(family, copies);
        }
        let Some(Some(copies)) = self.opened.get(&family) else {
            return Ok(false);
        };
        let (copies, runtime) = (Arc::clone(copies), Handle::current());
        let (blobs, folder) = (Arc::clone(&self.ctx.blobs), self.ctx.data_folder.clone());
        blocking(&self.cancel, move |_| {
            let mut copies = copies.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(file) = copies.find(hash, &folder)? else {
                return Ok(false);
            };
            let mut source = BlockingSource(file);
            runtime.block_on(blobs.put(&mut source, Some(hash)))?;
            Ok(true)
        })
        .await
    }

    async fn open(&self, family: FamilyId) -> Result<Option<Arc<Mutex<Copies>>>, BackupError> {
        let Some(schedule) = self.ctx.db.find_backup_schedule(family).await? else {
            return Ok(None);
        };
        let (runtime, cancel) = (Handle::current(), self.cancel.clone());
        let s3 = self.ctx.s3.clone();
        let copies = blocking(&self.cancel, move |_| {
            let key_file = path::to_bytes(&schedule.key_file).unwrap_or_default();
            let target = Target {
                location: RepositoryLocation::parse(&schedule.repository, Path::new("/"), &s3)?,
                key: BackupKey::load(Path::new(OsStr::from_bytes(&key_file)))?,
            };
            Copies::open(&target, runtime, cancel)
        })
        .await?;
        Ok(copies.map(|copies| Arc::new(Mutex::new(copies))))
    }
}

impl Copies {
    fn open(
        target: &Target,
        runtime: Handle,
        cancel: CancellationToken,
    ) -> Result<Option<Self>, BackupError> {
        let opened = open(target, Access::Reading, Arc::default(), cancel)?;
        let mut snapshots = library_snapshots(&opened)?;
        // What a clock that was wrong puts into the future is not the newest.
        let past = past_of(&snapshots, heirloom_db::clock::now_ms());
        snapshots.rotate_left(past);
        snapshots.reverse();
        let Some(newest) = snapshots.first().cloned() else {
            return Ok(None);
        };
        // What was captured between two backups is in the next of them as well.
        let is_kept =
            |snapshot: &SnapshotFile| snapshot.id == newest.id || !snapshot.tags.contains(CAPTURE);
        snapshots.retain(is_kept);
        let (from, lock) = From::new(opened, newest, Arc::<Progress>::default(), runtime)?;
        Ok(Some(Self {
            from,
            snapshots,
            _lock: lock,
        }))
    }

    /// A blob as a file without a name in the folder, read from its beginning.
    fn find(&mut self, hash: ContentHash, folder: &Path) -> Result<Option<File>, BackupError> {
        let at = |source: io::Error| BackupError::Destination {
            path: folder.to_owned(),
            source,
        };
        for snapshot in &self.snapshots {
            self.from.snapshot = snapshot.clone();
            let node = match self.from.node_at(&blob_path(hash)) {
                Ok(node) => node,
                Err(error) => {
                    let why = self.from.explain(&error);
                    tracing::debug!(%hash, "a snapshot does not have the blob: {why}");
                    continue;
                }
            };
            let mut file = tempfile::tempfile_in(folder).map_err(at)?;
            self.from
                .pour(&node, &hash.to_string(), |part| file.write_all(part))?;
            file.rewind().map_err(at)?;
            return Ok(Some(file));
        }
        Ok(None)
    }
}
