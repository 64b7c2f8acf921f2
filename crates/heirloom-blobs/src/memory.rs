//! Blobs in memory: for tests and for what need not outlive the process.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{Seek as _, Write as _},
    ops::{Bound, Range},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream};
use heirloom_core::ContentHash;
use tokio::io::AsyncReadExt;

use crate::{
    BlobError, BlobList, BlobReader, BlobSource, BlobStat, BlobStore, Deletion, Health, PutBlob,
    Stray, StrayList, hash_of,
};

const CHUNK_BYTES: usize = 256 * 1024;
const LISTED_AT_ONCE: usize = 1_000;

/// A store that forgets everything when it is dropped. Clones share the same blobs.
#[derive(Clone)]
pub struct MemoryStore {
    held: Arc<Mutex<BTreeMap<ContentHash, Held>>>,
    now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

struct Held {
    bytes: Bytes,
    last_put_ms: i64,
}

impl MemoryStore {
    /// An empty store that asks `now_ms` for the time (milliseconds since 1970, UTC).
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            held: Arc::default(),
            now_ms: Arc::new(now_ms),
        }
    }

    /// Replaces the bytes of a blob behind its back, as a failing disk would: for tests of what must
    /// notice. `false` when there is no such blob.
    pub fn tamper(&self, hash: ContentHash, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut held = self.held();
        let Some(blob) = held.get_mut(&hash) else {
            return false;
        };
        let mut bytes = blob.bytes.to_vec();
        change(&mut bytes);
        blob.bytes = bytes.into();
        true
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<ContentHash, Held>> {
        // Every change of the map is one call, so a panic elsewhere leaves it whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, hash: ContentHash, bytes: Bytes) -> PutBlob {
        let size_bytes = bytes.len() as u64;
        let last_put_ms = (self.now_ms)();
        let before = self.held().insert(
            hash,
            Held {
                bytes: bytes.clone(),
                last_put_ms,
            },
        );
        PutBlob {
            hash,
            size_bytes,
            was_new: before.is_none_or(|held| held.bytes != bytes),
        }
    }

    fn find(&self, hash: ContentHash) -> Result<Bytes, BlobError> {
        let held = self.held();
        held.get(&hash)
            .map(|held| held.bytes.clone())
            .ok_or(BlobError::NotFound { hash })
    }
}

impl BlobStore for MemoryStore {
    fn put<'a>(
        &'a self,
        source: BlobSource<'a>,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            source
                .read_to_end(&mut bytes)
                .await
                .map_err(BlobError::Source)?;
            let actual = hash_of(&bytes);
            match expected {
                Some(expected) if expected != actual => {
                    Err(BlobError::Mismatch { expected, actual })
                }
                _ => Ok(self.keep(actual, bytes.into())),
            }
        })
    }

    fn put_bytes(&self, bytes: Bytes) -> BoxFuture<'_, Result<PutBlob, BlobError>> {
        Box::pin(async move { Ok(self.keep(hash_of(&bytes), bytes)) })
    }

    fn put_file<'a>(
        &'a self,
        file: &'a Path,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let bytes = std::fs::read(file).map_err(BlobError::Source)?;
            self.put(&mut bytes.as_slice(), expected).await
        })
    }

    fn put_many(&self, blobs: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<PutBlob>, BlobError>> {
        Box::pin(async move {
            Ok(blobs
                .into_iter()
                .map(|bytes| self.keep(hash_of(&bytes), bytes))
                .collect())
        })
    }

    fn renew(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let last_put_ms = (self.now_ms)();
            let mut held = self.held();
            let blob = held.get_mut(&hash);
            Ok(blob.map(|blob| blob.last_put_ms = last_put_ms).is_some())
        })
    }

    fn get(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(async move {
            let bytes = self.find(hash)?;
            BlobReader::whole(hash, bytes.len() as u64, chunks(bytes))
        })
    }

    fn get_range(
        &self,
        hash: ContentHash,
        range: Range<u64>,
    ) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(async move {
            let mut bytes = self.find(hash)?;
            let size_bytes = bytes.len() as u64;
            if range.start > size_bytes {
                return Err(BlobError::OutOfRange { hash, size_bytes });
            }
            if range.start == 0 && range.end >= size_bytes {
                return BlobReader::whole(hash, size_bytes, chunks(bytes));
            }
            // Both fit into memory, so they fit into usize.
            let end = range.end.clamp(range.start, size_bytes) as usize;
            bytes = bytes.slice(range.start as usize..end);
            Ok(BlobReader::part(hash, bytes.len() as u64, chunks(bytes)))
        })
    }

    fn open_file(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>> {
        Box::pin(async move {
            let bytes = self.find(hash)?;
            let in_memory = || {
                let file = rustix::fs::memfd_create("blob", rustix::fs::MemfdFlags::CLOEXEC)?;
                let mut file = File::from(file);
                file.write_all(&bytes)?;
                file.rewind()?;
                Ok(file)
            };
            in_memory().map_err(BlobError::Source)
        })
    }

    fn stat(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobStat, BlobError>> {
        Box::pin(async move {
            let held = self.held();
            held.get(&hash)
                .map(|held| stat(hash, held))
                .ok_or(BlobError::NotFound { hash })
        })
    }

    fn delete(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move { Ok(self.held().remove(&hash).is_some()) })
    }

    fn delete_unless_put_since(
        &self,
        hash: ContentHash,
        since_ms: i64,
    ) -> BoxFuture<'_, Result<Deletion, BlobError>> {
        Box::pin(async move {
            let mut held = self.held();
            let Some(blob) = held.get(&hash) else {
                return Ok(Deletion::Missing);
            };
            if blob.last_put_ms >= since_ms {
                return Ok(Deletion::Kept);
            }
            let size_bytes = blob.bytes.len() as u64;
            held.remove(&hash);
            Ok(Deletion::Deleted { size_bytes })
        })
    }

    fn list(&self, after: Option<ContentHash>) -> BlobList {
        let pages = stream::unfold((self.clone(), after), |(store, after)| async move {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let page: Vec<_> = store
                .held()
                .range((from, Bound::Unbounded))
                .take(LISTED_AT_ONCE)
                .map(|(hash, held)| Ok(stat(*hash, held)))
                .collect();
            let last = page
                .last()
                .and_then(|stat: &Result<BlobStat, _>| stat.as_ref().ok())?
                .hash;
            Some((stream::iter(page), (store, Some(last))))
        });
        pages.flatten().boxed()
    }

    fn list_strays(&self) -> StrayList {
        // Nobody but this type writes to the map, and its keys are hashes.
        stream::empty().boxed()
    }

    fn set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let mut held = self.held();
            let is_damaged = held
                .get(&hash)
                .is_some_and(|held| hash_of(&held.bytes) != hash);
            if is_damaged {
                held.remove(&hash);
            }
            Ok(is_damaged)
        })
    }

    fn delete_set_aside(&self, _: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        // What is set aside here is gone.
        Box::pin(async { Ok(0) })
    }

    fn set_stray_aside(&self, _: Stray) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async { Ok(false) })
    }

    fn check_health(&self) -> BoxFuture<'_, Result<Health, BlobError>> {
        Box::pin(async { Ok(Health { free_bytes: None }) })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("blobs", &self.held().len())
            .finish_non_exhaustive()
    }
}

fn stat(hash: ContentHash, held: &Held) -> BlobStat {
    BlobStat {
        hash,
        size_bytes: held.bytes.len() as u64,
        last_put_ms: held.last_put_ms,
    }
}

fn chunks(mut bytes: Bytes) -> impl Iterator<Item = Result<Bytes, BlobError>> + Send + Unpin {
    std::iter::from_fn(move || {
        let length = bytes.len().min(CHUNK_BYTES);
        (length > 0).then(|| Ok(bytes.split_to(length)))
    })
}
