//! Blobs in a bucket.
//!
//! How a blob gets in: its bytes are hashed on this machine first, so that nothing has a wrong name for a moment; then
//! they are written under their name in one request, or in parts that nobody sees before the last request. S3 compares
//! what arrives with a checksum. One process at a time writes to a store, which its data folder's lock sees to, so
//! that what has to be one step is kept apart by locks here.
//!
//! When a blob was put is when its object was written. S3 cannot change that, so a blob that is made young again gets
//! an empty object beside it, `renewed/HASH-TIME`, which is enough: its clock and ours differ by less than the quarter
//! of an hour within which it accepts signatures.

mod archive;
mod aside;
mod copy;
mod listing;
mod open;
mod put;

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    ops::Range,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt as _, TryStreamExt as _, future::BoxFuture, stream, stream::BoxStream,
};
use heirloom_core::ContentHash;
use tokio::sync::{Mutex, MutexGuard};

use self::{
    copy::{Found, read_copy},
    put::{Source, Spooled, check, hash_file},
};
use crate::{
    Availability, BlobError, BlobList, BlobReader, BlobSource, BlobStat, BlobStore, Cache,
    Deletion, Health, PutBlob, Recall, Remote, RemoteError, SignedRead, Stray, StrayList, hash_of,
    pump::blocking,
    remote::{Readiness, is_archived_io},
    seal::Form,
};

/// The folders of a store.
const BLOBS: &str = "blobs/";
const RENEWED: &str = "renewed/";
const RECALLED: &str = "recalled/";
const QUARANTINE: &str = "quarantine/";
const INCOMING: &str = "incoming/";
/// What says whose store it is, and in which form.
const LAYOUT: &str = "layout";
const FIRST_LINE: &str = "blob layout 1 of a bucket";
/// The form once blobs are sealed.
const SEALED_LINE: &str = "blob layout 2 of a bucket";

/// What a blob has at most to be read whole where a part is wanted, and to be put without touching the disk.
const SMALL_BYTES: u64 = 8 << 20;
/// What is read from a file at once.
const READ_BYTES: usize = 256 * 1024;
/// Requests at once, where there are many to make.
const REQUESTS: usize = 16;

/// A store in a part of a bucket that belongs to one library. Clones mean the same.
#[derive(Clone)]
pub struct S3Store {
    remote: Remote,
    cache: Cache,
    owner: Arc<str>,
    /// Whether the bucket was found to be the owner's.
    is_entered: Arc<AtomicBool>,
    locks: Arc<[Mutex<()>; 64]>,
    /// Whether the bucket says that blobs are sealed.
    is_marked: Arc<AtomicBool>,
    now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

impl S3Store {
    /// Makes the store of the library `owner` in an empty place.
    ///
    /// # Errors
    /// `OtherStore` when something is there; what the server reports.
    pub async fn create(
        remote: Remote,
        cache: Cache,
        owner: &str,
        now_ms: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, BlobError> {
        let store = Self::new(remote, cache, owner, now_ms);
        match store.read_owner().await? {
            // Making it was interrupted.
            Some(found) if found == owner => return Ok(store),
            Some(_) => return Err(store.other("another library has it")),
            None => {}
        }
        if store
            .remote
            .list("", None)
            .boxed()
            .try_next()
            .await?
            .is_some()
        {
            return Err(store.other("something else is there"));
        }
        let layout = format!("{FIRST_LINE}\n{owner}\n");
        store.remote.write(LAYOUT, layout.into()).await?;
        Ok(store)
    }

    /// Opens the store of the library `owner`. Where the server cannot be reached now, whose store it is is looked at
    /// when it can, before anything else is asked of it; until then there are the copies in the cache.
    ///
    /// # Errors
    /// `OtherStore` when it is not there or another's; `UnknownLayout` when a newer version made it; what the
    /// server reports.
    pub async fn open(
        remote: Remote,
        cache: Cache,
        owner: &str,
        now_ms: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, BlobError> {
        let store = Self::new(remote, cache, owner, now_ms);
        match store.enter().await {
            Err(BlobError::Remote(error @ RemoteError::Unreachable { .. })) => {
                tracing::error!("{error}; what is not in the cache cannot be shown until it can");
                Ok(store)
            }
            entered => entered.map(|()| store),
        }
    }

    /// Looks whose store it is, once.
    async fn enter(&self) -> Result<(), BlobError> {
        // Whoever comes meanwhile looks as well: nobody waits for another's dead line.
        if self.is_entered.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.read_owner().await? {
            Some(found) if *found == *self.owner => {
                self.is_entered.store(true, Ordering::Release);
                Ok(())
            }
            Some(_) => Err(self.other("another library has it")),
            None => Err(self.other("nothing is there")),
        }
    }

    fn new(
        remote: Remote,
        cache: Cache,
        owner: &str,
        now_ms: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            remote,
            cache,
            owner: owner.into(),
            is_entered: Arc::default(),
            locks: Arc::new(std::array::from_fn(|_| Mutex::default())),
            is_marked: Arc::default(),
            now_ms: Arc::new(now_ms),
        }
    }

    /// What a list gives, once it is known whose store it is.
    fn entered<T: Send + 'static>(
        &self,
        list: BoxStream<'static, Result<T, BlobError>>,
    ) -> BoxStream<'static, Result<T, BlobError>> {
        let store = self.clone();
        let entering = async move { store.enter().await.map(|()| list) };
        stream::once(entering).try_flatten().boxed()
    }

    fn other(&self, problem: &'static str) -> BlobError {
        BlobError::OtherStore {
            place: self.remote.place().to_owned(),
            problem,
        }
    }

    /// What has to be one step for a blob is done while this is held.
    async fn lock(&self, hash: ContentHash) -> MutexGuard<'_, ()> {
        let at = usize::from(hash.as_bytes()[0]) % self.locks.len();
        self.locks[at].lock().await
    }

    /// Reads a blob in the bucket to its end.
    async fn compare(&self, hash: ContentHash) -> Result<(), BlobError> {
        let mut reader = self.get(hash).await?;
        while reader.next_chunk().await?.is_some() {}
        Ok(())
    }

    fn say<S>(
        &self,
        hash: ContentHash,
        stream: S,
    ) -> impl Stream<Item = Result<Bytes, BlobError>> + Send + use<S>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin + 'static,
    {
        let place = self.remote.place().to_owned();
        stream.map_err(move |error| {
            let place = place.clone();
            if is_archived_io(&error) {
                return BlobError::Archived { hash, place };
            }
            let why = error.to_string();
            BlobError::Remote(RemoteError::Unreachable { place, why })
        })
    }

    /// Removes a blob in every form.
    async fn remove(&self, hash: ContentHash) -> Result<(), BlobError> {
        self.remote.remove(&object(hash, Form::Plain)).await?;
        if self.cache.sealing().is_on() {
            self.remote.remove(&object(hash, Form::Sealed)).await?;
        }
        Ok(())
    }

    /// Removes what lies beside a blob that is gone.
    async fn forget(&self, hash: ContentHash, renewed: Vec<String>) -> Result<(), BlobError> {
        for name in renewed {
            self.remote.remove(&format!("{RENEWED}{name}")).await?;
        }
        let cache = self.cache.clone();
        blocking(move || {
            cache.remove(hash);
            Ok(())
        })
        .await
    }

    /// What is known of a blob, and the names of what lies beside it.
    async fn look(&self, hash: ContentHash) -> Result<(BlobStat, Vec<String>), BlobError> {
        let found = self.find(hash).await?.ok_or(BlobError::NotFound { hash })?;
        let renewed = self.names(RENEWED, hash).await?;
        let renewed_ms = renewed.last().and_then(|name| listing::time_of(name, hash));
        let stat = BlobStat {
            hash,
            size_bytes: found.size_bytes(),
            last_put_ms: found.modified_at_ms.max(renewed_ms.unwrap_or(i64::MIN)),
        };
        Ok((stat, renewed))
    }

    /// The objects in a folder that are called like a blob with a time behind it, the oldest first.
    async fn names(&self, folder: &str, hash: ContentHash) -> Result<Vec<String>, BlobError> {
        self.enter().await?;
        let hash = hash.to_string();
        let found = self.remote.list(folder, Some(&hash));
        let found =
            found.try_take_while(|found| std::future::ready(Ok(found.name.starts_with(&hash))));
        let found = found.map_ok(|found| found.name).try_collect();
        Ok(found.await?)
    }
}

fn object(hash: ContentHash, form: Form) -> String {
    format!("{BLOBS}{}", form.name(hash))
}

/// A name with a time that sorts as the time does.
fn timed(hash: ContentHash, at_ms: i64) -> String {
    format!("{hash}-{at_ms:016}")
}

impl BlobStore for S3Store {
    fn put<'a>(
        &'a self,
        source: BlobSource<'a>,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            match self.spool(source).await? {
                Spooled::Memory(bytes) => {
                    let hash = hash_of(&bytes);
                    check(expected, hash)?;
                    self.store(hash, Source::Memory(bytes)).await
                }
                Spooled::File(incoming) => {
                    let hash = incoming.hash();
                    check(expected, hash)?;
                    let put = self.store(hash, Source::Incoming(&incoming)).await?;
                    let cache = self.cache.clone();
                    blocking(move || cache.keep(*incoming, hash).map(drop)).await?;
                    Ok(put)
                }
            }
        })
    }

    fn put_bytes(&self, bytes: Bytes) -> BoxFuture<'_, Result<PutBlob, BlobError>> {
        Box::pin(async move { self.store(hash_of(&bytes), Source::Memory(bytes)).await })
    }

    fn put_file<'a>(
        &'a self,
        file: &'a Path,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            if self.cache.sealing().is_on() {
                let opened = tokio::fs::File::open(file).await;
                let mut source = opened.map_err(BlobError::Source)?;
                return self.put(&mut source, expected).await;
            }
            let path = file.to_owned();
            let (hash, size_bytes) = blocking(move || hash_file(&path)).await?;
            check(expected, hash)?;
            let put = self.store(hash, Source::File(file, size_bytes)).await?;
            let (cache, path) = (self.cache.clone(), file.to_owned());
            blocking(move || {
                cache.link(&path, hash, size_bytes);
                Ok(())
            })
            .await?;
            Ok(put)
        })
    }

    fn put_many(&self, blobs: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<PutBlob>, BlobError>> {
        Box::pin(async move {
            let hashes: Vec<_> = blobs.iter().map(|bytes| hash_of(bytes)).collect();
            let mut firsts = HashMap::with_capacity(blobs.len());
            for (at, hash) in hashes.iter().enumerate() {
                firsts.entry(*hash).or_insert(at);
            }
            let new = blobs.iter().enumerate();
            let new = new.filter(|(at, _)| firsts.get(&hashes[*at]) == Some(at));
            let putting: Vec<_> = new
                .map(|(at, bytes)| self.store(hashes[at], Source::Memory(bytes.clone())))
                .collect();
            let put: Vec<PutBlob> = stream::iter(putting)
                .buffer_unordered(REQUESTS)
                .try_collect()
                .await?;
            let put: HashMap<_, _> = put.into_iter().map(|put| (put.hash, put)).collect();
            let answers = hashes.iter().enumerate().filter_map(|(at, hash)| {
                let put = put.get(hash)?;
                Some(PutBlob {
                    was_new: put.was_new && firsts.get(hash) == Some(&at),
                    ..*put
                })
            });
            Ok(answers.collect())
        })
    }

    fn renew(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let _lock = self.lock(hash).await;
            if self.find(hash).await?.is_none() {
                return Ok(false);
            }
            let older = self.names(RENEWED, hash).await?;
            let name = timed(hash, (self.now_ms)());
            let renewed = format!("{RENEWED}{name}");
            self.remote.write(&renewed, Bytes::new()).await?;
            for older in older.into_iter().filter(|older| *older < name) {
                self.remote.remove(&format!("{RENEWED}{older}")).await?;
            }
            Ok(true)
        })
    }

    fn get(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        // Always the bytes in the bucket: it is how damage there is found.
        Box::pin(self.get_stored(hash))
    }

    fn get_range(
        &self,
        hash: ContentHash,
        range: Range<u64>,
    ) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(async move {
            let copy = self.copy(hash).await?;
            let size_bytes = copy.size_bytes();
            if range.start > size_bytes {
                return Err(BlobError::OutOfRange { hash, size_bytes });
            }
            let range = range.start..range.end.clamp(range.start, size_bytes);
            match copy {
                Found::File(blob) => {
                    let cache = self.cache.clone();
                    blocking(move || read_copy(&cache, hash, blob, range)).await
                }
                Found::Remote(_) if range == (0..size_bytes) => self.get(hash).await,
                Found::Remote(_) if range.is_empty() => {
                    Ok(BlobReader::part_from(hash, 0, stream::empty()))
                }
                Found::Remote(stored) => {
                    let length = range.end - range.start;
                    let stream = self.read(hash, stored, range).await?;
                    Ok(BlobReader::part_from(hash, length, stream))
                }
            }
        })
    }

    fn open_file(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>> {
        Box::pin(async move {
            let cache = self.cache.clone();
            let copy = blocking(move || {
                let Some(blob) = cache.find(hash) else {
                    return Ok(None);
                };
                match blob.into_plain(cache.sealing()) {
                    Err(BlobError::Corrupt { .. }) => {
                        cache.remove(hash);
                        Ok(None)
                    }
                    plain => plain.map(Some),
                }
            });
            if let Some(file) = copy.await? {
                return Ok(file);
            }
            let (blob, sealing) = (self.fetch(hash).await?, self.cache.sealing().clone());
            blocking(move || blob.into_plain(&sealing)).await
        })
    }

    fn sign_read<'a>(
        &'a self,
        hash: ContentHash,
        read: SignedRead<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, BlobError>> {
        Box::pin(async move {
            let SignedRead {
                duration,
                media_type,
                disposition,
            } = read;
            // Whoever had the address would read what only Heirloom can open.
            if self.cache.sealing().is_on() {
                return Ok(None);
            }
            self.enter().await?;
            let object = object(hash, Form::Plain);
            // What the place was written with is known of each object alone, and an archive gives nothing.
            if self.remote.readiness(&object).await? != Some(Readiness::Ready) {
                return Ok(None);
            }
            let signed = self.remote.sign(&object, duration, media_type, disposition);
            Ok(Some(signed.await?))
        })
    }

    fn bring_back(&self, hash: ContentHash) -> BoxFuture<'_, Result<Availability, BlobError>> {
        Box::pin(self.recall(hash))
    }

    fn list_recalls(&self) -> BoxFuture<'_, Result<Vec<Recall>, BlobError>> {
        Box::pin(self.recalls())
    }

    fn stat(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobStat, BlobError>> {
        Box::pin(async move { Ok(self.look(hash).await?.0) })
    }

    fn size_bytes(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        Box::pin(async move {
            // What is small is wanted next, so it is brought at once.
            match self.copy(hash).await {
                Err(BlobError::Archived { .. }) => Ok(self.look(hash).await?.0.size_bytes),
                copy => Ok(copy?.size_bytes()),
            }
        })
    }

    fn contains(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move { Ok(self.find(hash).await?.is_some()) })
    }

    fn delete(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let _lock = self.lock(hash).await;
            let was_there = self.find(hash).await?.is_some();
            self.remove(hash).await?;
            let renewed = self.names(RENEWED, hash).await?;
            self.forget(hash, renewed).await?;
            Ok(was_there)
        })
    }

    fn delete_unless_put_since(
        &self,
        hash: ContentHash,
        since_ms: i64,
    ) -> BoxFuture<'_, Result<Deletion, BlobError>> {
        Box::pin(async move {
            let _lock = self.lock(hash).await;
            let (stat, renewed) = match self.look(hash).await {
                Err(BlobError::NotFound { .. }) => return Ok(Deletion::Missing),
                found => found?,
            };
            if stat.last_put_ms >= since_ms {
                return Ok(Deletion::Kept);
            }
            self.remove(hash).await?;
            self.forget(hash, renewed).await?;
            Ok(Deletion::Deleted {
                size_bytes: stat.size_bytes,
            })
        })
    }

    fn list(&self, after: Option<ContentHash>) -> BlobList {
        self.entered(listing::blobs(&self.remote, after))
    }

    fn list_strays(&self) -> StrayList {
        self.entered(listing::strays(&self.remote))
    }

    fn set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let _lock = self.lock(hash).await;
            match self.compare(hash).await {
                // Of what cannot be read nobody knows that it is damaged.
                Ok(()) | Err(BlobError::NotFound { .. } | BlobError::Archived { .. }) => Ok(false),
                Err(BlobError::Corrupt { .. }) => self.move_aside(hash).await.map(|()| true),
                Err(error) => Err(error),
            }
        })
    }

    fn delete_set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        Box::pin(async move {
            let names = self.names(QUARANTINE, hash).await?;
            for name in &names {
                self.remote.remove(&format!("{QUARANTINE}{name}")).await?;
            }
            Ok(names.len() as u64)
        })
    }

    fn set_stray_aside(&self, stray: Stray) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let Some(path) = stray.path.to_str() else {
                return Ok(false);
            };
            self.enter().await?;
            if self.remote.stat(path).await?.is_none() {
                return Ok(false);
            }
            let name = path.replace('/', "-");
            let aside = format!("{QUARANTINE}stray-{:016}-{name}", (self.now_ms)());
            self.move_object(path, &aside).await?;
            Ok(true)
        })
    }

    fn reseal(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.seal_again(hash))
    }

    fn check_health(&self) -> BoxFuture<'_, Result<Health, BlobError>> {
        Box::pin(async move {
            self.enter().await?;
            let (probe, bytes) = (format!("{INCOMING}probe"), Bytes::from_static(b"probe"));
            self.remote.write(&probe, bytes.clone()).await?;
            let read = self.remote.read(&probe).await?;
            let is_listed = self.remote.list(INCOMING, None).boxed().try_next().await?;
            self.remote.remove(&probe).await?;
            if read != bytes || is_listed.is_none() {
                let why = "what was written just now is not there".to_owned();
                let place = self.remote.place().to_owned();
                return Err(RemoteError::Failed { place, why }.into());
            }
            Ok(Health { free_bytes: None })
        })
    }
}
