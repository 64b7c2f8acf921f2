//! Blobs as files in a folder, in an open layout.
//!
//! How a blob gets in, so that it is there whole or not at all, whatever is killed or unplugged:
//! its bytes go to a file in `incoming/` on the same file system, that file is synced, it is renamed
//! to its name, and the folder it is now in is synced. Only then is the put acknowledged. Renaming
//! and deleting in one of the 256 folders happen under a lock file that processes share.

mod incoming;
mod layout;
mod listing;
mod lock;
mod making;
mod quarantine;
mod resealing;
mod stored;

use std::{
    collections::BTreeSet,
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, future::BoxFuture, stream};
use heirloom_core::ContentHash;
use tokio::io::AsyncReadExt;

use self::{
    incoming::{Incoming, sync_all},
    layout::{Layout, sync_folder},
    listing::{Shards, Strays},
    lock::ShardLock,
};
use crate::{
    BlobError, BlobList, BlobReader, BlobSource, BlobStat, BlobStore, Deletion, Health, PutBlob,
    Sealing, Stray, StrayList,
    error::At,
    pump::{Pump, blocking, finished},
    seal::BlobFile,
};

/// Bytes that are read from a blob at once.
const READ_BYTES: usize = 256 * 1024;
/// Bytes that a put takes from its source at once; what fits in here is put in one step.
const WRITE_BYTES: usize = 1024 * 1024;
/// Files that `put_many` has open at once, far below the usual limit of 1,024.
const OPEN_AT_ONCE: usize = 64;

/// A store in a folder that may be shared by several processes of one user.
///
/// Clones are cheap and mean the same folder. Needs a file system with atomic rename, `fsync` and
/// `flock` (any local one; NFS from version 4).
#[derive(Debug, Clone)]
pub struct FolderStore {
    layout: Layout,
}

impl FolderStore {
    /// Opens the store in `root`, making it first if the folder is missing or empty, or if making
    /// it was interrupted.
    ///
    /// # Errors
    /// `NotAStore` when something else is in the folder, otherwise as [`open`](Self::open).
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, BlobError> {
        Self::create_sealed(root, Sealing::default())
    }

    /// The same for a store that seals what it writes once there is a key. What is there plain is read as well.
    ///
    /// # Errors
    /// `Locked` when there are sealed blobs and no key, otherwise as [`create`](Self::create).
    pub fn create_sealed(root: impl Into<PathBuf>, sealing: Sealing) -> Result<Self, BlobError> {
        Self::tidied(making::make(root.into(), sealing)?)
    }

    /// Opens the store in `root` and removes what killed puts left behind. A store on a read-only
    /// file system can be opened and read.
    ///
    /// # Errors
    /// `NotAStore` when there is none, which is what an unmounted disk looks like; `UnknownLayout`
    /// when a newer version made it; what the medium reports.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, BlobError> {
        Self::open_sealed(root, Sealing::default())
    }

    /// The same for a store that seals what it writes once there is a key.
    ///
    /// # Errors
    /// `Locked` when there are sealed blobs and no key, otherwise as [`open`](Self::open).
    pub fn open_sealed(root: impl Into<PathBuf>, sealing: Sealing) -> Result<Self, BlobError> {
        Self::tidied(Layout::open(root.into(), sealing)?)
    }

    fn tidied(layout: Layout) -> Result<Self, BlobError> {
        incoming::remove_leftovers(&layout)?;
        Ok(Self { layout })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    async fn blocking<T, F>(&self, step: F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: FnOnce(&Layout) -> Result<T, BlobError> + Send + 'static,
    {
        let layout = self.layout.clone();
        blocking(move || step(&layout)).await
    }
}

impl BlobStore for FolderStore {
    fn put<'a>(
        &'a self,
        source: BlobSource<'a>,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let (mut chunk, mut spare) = (BytesMut::new(), BytesMut::new());
            fill(&mut chunk, source).await?;
            let mut incoming = None;
            // A chunk is hashed and written while the next one is read; the two buffers take turns.
            while chunk.len() == WRITE_BYTES {
                let writing = tokio::task::spawn_blocking({
                    let layout = self.layout.clone();
                    move || {
                        let mut incoming =
                            incoming.map_or_else(|| Incoming::create(&layout), Ok)?;
                        incoming.write(&chunk)?;
                        Ok::<_, BlobError>((incoming, chunk))
                    }
                });
                let filled = fill(&mut spare, source).await;
                // Waited for even when the source failed, so that no file is left behind.
                let (begun, written) = finished(writing).await?;
                filled?;
                incoming = Some(begun);
                (chunk, spare) = (spare, written);
            }
            self.blocking(move |layout| {
                let mut incoming = incoming.map_or_else(|| Incoming::create(layout), Ok)?;
                incoming.write(&chunk)?;
                let actual = incoming.hash();
                if let Some(expected) = expected
                    && expected != actual
                {
                    return Err(BlobError::Mismatch { expected, actual });
                }
                put_one(layout, incoming)
            })
            .await
        })
    }

    fn put_bytes(&self, bytes: Bytes) -> BoxFuture<'_, Result<PutBlob, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let mut incoming = Incoming::create(layout)?;
            incoming.write(&bytes)?;
            put_one(layout, incoming)
        }))
    }

    fn put_file<'a>(
        &'a self,
        file: &'a Path,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let path = file.to_owned();
            let taken = self.blocking(move |layout| {
                let Some(incoming) = Incoming::take(layout, &path)? else {
                    return Ok(None);
                };
                let actual = incoming.hash();
                if let Some(expected) = expected
                    && expected != actual
                {
                    return Err(BlobError::Mismatch { expected, actual });
                }
                put_one(layout, incoming).map(Some)
            });
            if let Some(put) = taken.await? {
                return Ok(put);
            }
            let mut source = tokio::fs::File::open(file)
                .await
                .map_err(BlobError::Source)?;
            self.put(&mut source, expected).await
        })
    }

    fn put_many(&self, blobs: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<PutBlob>, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let mut put = Vec::with_capacity(blobs.len());
            let mut folders = BTreeSet::new();
            let key = layout.sealing().current_id();
            for group in blobs.chunks(OPEN_AT_ONCE) {
                let mut files = Vec::with_capacity(group.len());
                for bytes in group {
                    let mut incoming = Incoming::create(layout)?;
                    incoming.write(bytes)?;
                    files.push(incoming);
                }
                let mut new: Vec<_> = files
                    .iter_mut()
                    .filter(|file| !matches!(stored::stat(layout, file.hash()), Ok(Some(_))))
                    .collect();
                sync_all(&mut new, |incoming| incoming.sync())?;
                for incoming in files {
                    folders.insert(layout.shard(incoming.hash()));
                    put.push(incoming.place(layout)?);
                }
            }
            let mut folders: Vec<_> = folders.into_iter().collect();
            sync_all(&mut folders, |folder| sync_folder(folder))?;
            if layout.sealing().current_id() != key {
                for put in put.iter().filter(|put| put.was_new) {
                    resealing::reseal(layout, put.hash)?;
                }
            }
            Ok(put)
        }))
    }

    fn renew(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let _lock = ShardLock::take(layout, hash)?;
            match stored::find(layout, hash)? {
                Some(found) => stored::renew(&found.file).at(&found.path).map(|()| true),
                None => Ok(false),
            }
        }))
    }

    fn get(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let blob = open(layout, hash)?;
            let size_bytes = blob.size_bytes();
            BlobReader::whole(hash, size_bytes, blob.chunks(0..size_bytes))
        }))
    }

    fn get_range(
        &self,
        hash: ContentHash,
        range: Range<u64>,
    ) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let blob = open(layout, hash)?;
            let size_bytes = blob.size_bytes();
            if range.start > size_bytes {
                return Err(BlobError::OutOfRange { hash, size_bytes });
            }
            if range.start == 0 && range.end >= size_bytes {
                return BlobReader::whole(hash, size_bytes, blob.chunks(0..size_bytes));
            }
            let end = range.end.clamp(range.start, size_bytes);
            let part = blob.chunks(range.start..end);
            Ok(BlobReader::part(hash, end - range.start, part))
        }))
    }

    fn open_file(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>> {
        Box::pin(self.blocking(move |layout| open(layout, hash)?.into_plain(layout.sealing())))
    }

    fn stat(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobStat, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            stored::stat(layout, hash)?.ok_or(BlobError::NotFound { hash })
        }))
    }

    fn delete(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let was_there = {
                let _lock = ShardLock::take(layout, hash)?;
                stored::remove_all(layout, hash)?
            };
            let shard = layout.shard(hash);
            // Even when it was gone already: whoever deleted it may not have come to the sync.
            if shard.exists() {
                sync_folder(&shard)?;
            }
            Ok(was_there)
        }))
    }

    fn delete_unless_put_since(
        &self,
        hash: ContentHash,
        since_ms: i64,
    ) -> BoxFuture<'_, Result<Deletion, BlobError>> {
        Box::pin(self.blocking(move |layout| {
            let _lock = ShardLock::take(layout, hash)?;
            let Some(stat) = stored::stat(layout, hash)? else {
                return Ok(Deletion::Missing);
            };
            if stat.last_put_ms >= since_ms {
                return Ok(Deletion::Kept);
            }
            // Not synced: a blob that a crash brings back is collected another time.
            stored::remove_all(layout, hash)?;
            Ok(Deletion::Deleted {
                size_bytes: stat.size_bytes,
            })
        }))
    }

    fn list(&self, after: Option<ContentHash>) -> BlobList {
        let shards = Pump::new(Shards::new(self.layout.clone(), after));
        shards
            .flat_map(|shard| match shard {
                Ok(blobs) => stream::iter(blobs.into_iter().map(Ok)).left_stream(),
                Err(error) => stream::iter([Err(error)]).right_stream(),
            })
            .boxed()
    }

    fn list_strays(&self) -> StrayList {
        Pump::new(Strays::new(self.layout.clone())).boxed()
    }

    fn set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.blocking(move |layout| quarantine::set_aside(layout, hash)))
    }

    fn delete_set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        Box::pin(self.blocking(move |layout| quarantine::delete_set_aside(layout, hash)))
    }

    fn set_stray_aside(&self, stray: Stray) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.blocking(move |layout| quarantine::set_stray_aside(layout, &stray)))
    }

    fn reseal(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.blocking(move |layout| resealing::reseal(layout, hash)))
    }

    fn check_health(&self) -> BoxFuture<'_, Result<Health, BlobError>> {
        Box::pin(self.blocking(|layout| {
            layout.check()?;
            let mut probe = Incoming::create_plain(layout)?;
            probe.write(&[1])?;
            probe.sync()?;
            let space = rustix::fs::statvfs(layout.root()).at(layout.root())?;
            Ok(Health {
                free_bytes: Some(space.f_bavail.saturating_mul(space.f_frsize)),
            })
        }))
    }
}

/// Places one file and waits until its name is on disk too.
fn put_one(layout: &Layout, incoming: Incoming) -> Result<PutBlob, BlobError> {
    let key = incoming.key();
    let put = incoming.place(layout)?;
    sync_folder(&layout.shard(put.hash))?;
    // It may have been begun before there was this key, and whoever seals the others have passed its place.
    if put.was_new && layout.sealing().current_id() != key {
        resealing::reseal(layout, put.hash)?;
    }
    Ok(put)
}

/// Replaces what is in the buffer by the next `WRITE_BYTES` of the source, fewer only at its end.
async fn fill(buffer: &mut BytesMut, source: BlobSource<'_>) -> Result<(), BlobError> {
    buffer.clear();
    while buffer.len() < WRITE_BYTES {
        if buffer.len() == buffer.capacity() {
            // Most blobs are small: a whole chunk is set aside only for those that need it.
            buffer.reserve(if buffer.is_empty() {
                READ_BYTES
            } else {
                WRITE_BYTES - buffer.len()
            });
        }
        let room = WRITE_BYTES - buffer.len();
        let length = source
            .read_buf(&mut (&mut *buffer).limit(room))
            .await
            .map_err(BlobError::Source)?;
        if length == 0 {
            break;
        }
    }
    Ok(())
}

/// The file of a blob, opened.
fn open(layout: &Layout, hash: ContentHash) -> Result<BlobFile, BlobError> {
    let found = stored::find(layout, hash)?.ok_or(BlobError::NotFound { hash })?;
    found.blob(layout, hash)
}
