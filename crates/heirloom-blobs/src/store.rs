//! The one doorway to stored bytes.

use std::{
    fmt,
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};
use heirloom_core::ContentHash;
use tokio::io::AsyncRead;

use crate::{BlobError, BlobReader};

/// Where the bytes of a put come from.
pub type BlobSource<'a> = &'a mut (dyn AsyncRead + Send + Unpin + 'a);

/// Blobs in ascending order of their hash.
pub type BlobList = BoxStream<'static, Result<BlobStat, BlobError>>;

/// What lies in a store without being a blob, in no particular order.
pub type StrayList = BoxStream<'static, Result<Stray, BlobError>>;

/// A place that keeps blobs.
///
/// Every implementation passes the same conformance suite (`tests/suite/conformance.rs`). Methods
/// that return a future need a running tokio runtime; from a thread outside of it use
/// `Handle::block_on` with [`BlockingSource`](crate::BlockingSource) and
/// [`BlockingReader`](crate::BlockingReader). A put that is dropped half-way leaves nothing behind.
///
/// **Referencing a blob.** Bytes are protected from [`collect`](crate::collect) for its grace period
/// after their last `put` or `renew`. Whoever records a reference must therefore put or renew the
/// blob first; having seen it with `contains`, `stat` or `get` protects nothing.
pub trait BlobStore: fmt::Debug + Send + Sync {
    /// Stores everything that `source` yields, in constant memory. When this returns, the bytes
    /// survive a crash. Bytes that are already here are kept, compared and renewed; a damaged copy
    /// is set aside and replaced.
    ///
    /// # Errors
    /// `Mismatch` when the bytes do not hash to `expected`, `Source` when `source` fails, and what
    /// the medium reports. After an error nothing of the bytes is kept.
    fn put<'a>(
        &'a self,
        source: BlobSource<'a>,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>>;

    /// Stores bytes that are in memory; otherwise like [`put`](Self::put).
    ///
    /// # Errors
    /// What the medium reports.
    fn put_bytes(&self, bytes: Bytes) -> BoxFuture<'_, Result<PutBlob, BlobError>>;

    /// Stores the bytes of a file that nobody writes to from now on; otherwise like [`put`](Self::put).
    /// A store on the same disk takes the file in as it is instead of copying it, read-only; whoever
    /// gave it removes its own name of it.
    ///
    /// # Errors
    /// As for [`put`](Self::put); `Source` when the file cannot be read.
    fn put_file<'a>(
        &'a self,
        file: &'a Path,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>>;

    /// Stores many small blobs with far fewer waits for the disk than one put each. The answers are
    /// in the order of `blobs`; equal blobs are allowed, the first of them is the new one.
    ///
    /// # Errors
    /// What the medium reports; some of the blobs may then be stored, none is half stored.
    fn put_many(&self, blobs: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<PutBlob>, BlobError>>;

    /// Marks a blob as put just now, so that a reference to it can be recorded without having its
    /// bytes at hand. `false` when there is no such blob.
    ///
    /// # Errors
    /// What the medium reports.
    fn renew(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>>;

    /// Opens a blob for reading from its start. The reader checks the bytes against the name and
    /// never yields the last of them if they are wrong: it fails with `Corrupt` instead.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when that is known at once; what the medium reports.
    fn get(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobReader, BlobError>>;

    /// Opens a part of a blob. A range that reaches behind the end is cut there. A part cannot be
    /// checked against the hash of the whole, so these bytes are **not verified** (unless the range
    /// covers the whole blob): use it to seek in films, not to make copies. [`fsck`](crate::fsck)
    /// finds damage that ranges would pass on.
    ///
    /// # Errors
    /// `NotFound`; `OutOfRange` when the range starts behind the end; what the medium reports.
    fn get_range(
        &self,
        hash: ContentHash,
        range: Range<u64>,
    ) -> BoxFuture<'_, Result<BlobReader, BlobError>>;

    /// Opens a blob as a file, to seek in or to hand on. Its bytes are **not verified**.
    ///
    /// # Errors
    /// `NotFound`; what the medium reports.
    fn open_file(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>>;

    /// The same after reading all of it: where there are several copies, the first that is sound.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when no copy is sound; what the medium reports.
    fn open_sound(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>> {
        Box::pin(async move {
            let mut reader = self.get(hash).await?;
            while reader.next_chunk().await?.is_some() {}
            self.open_file(hash).await
        })
    }

    /// An address at which whoever has it reads the blob for a while without asking anybody; `None` where the
    /// store has no such thing. Whether there is such a blob is not looked at.
    ///
    /// # Errors
    /// What the store reports.
    fn sign_read<'a>(
        &'a self,
        _hash: ContentHash,
        _read: SignedRead<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, BlobError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Length and age of a blob, without reading it.
    ///
    /// # Errors
    /// `NotFound`; what the medium reports.
    fn stat(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobStat, BlobError>>;

    /// Length of a blob, without reading it, and where that is quicker than [`stat`](Self::stat) without its age.
    ///
    /// # Errors
    /// `NotFound`; what the medium reports.
    fn size_bytes(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        Box::pin(async move { Ok(self.stat(hash).await?.size_bytes) })
    }

    /// Whether there is such a blob; its bytes are not looked at.
    ///
    /// # Errors
    /// What the medium reports.
    fn contains(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            match self.stat(hash).await {
                Ok(_) => Ok(true),
                Err(BlobError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// Asks for a blob to be brought back where its bytes lie in an archive, so that they can be read some hours
    /// later. Nothing happens where they can be read, or were asked for.
    ///
    /// # Errors
    /// `NotFound`; what the medium reports.
    fn bring_back(&self, hash: ContentHash) -> BoxFuture<'_, Result<Availability, BlobError>> {
        Box::pin(async move {
            match self.contains(hash).await? {
                true => Ok(Availability::Here),
                false => Err(BlobError::NotFound { hash }),
            }
        })
    }

    /// What was asked for with [`bring_back`](Self::bring_back): what is on its way, and what is there for a while.
    ///
    /// # Errors
    /// What the medium reports.
    fn list_recalls(&self) -> BoxFuture<'_, Result<Vec<Recall>, BlobError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Deletes a blob, whoever may still reference it. `false` when there was none. When this
    /// returns, the deletion survives a crash.
    ///
    /// # Errors
    /// What the medium reports.
    fn delete(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>>;

    /// Deletes a blob unless it was put or renewed at `since_ms` (milliseconds since 1970, UTC) or
    /// later. The check and the deletion are one step: a put that races it either makes the blob
    /// young before the check or stores it anew after the deletion.
    ///
    /// # Errors
    /// What the medium reports.
    fn delete_unless_put_since(
        &self,
        hash: ContentHash,
        since_ms: i64,
    ) -> BoxFuture<'_, Result<Deletion, BlobError>>;

    /// Lists the blobs whose hash is greater than `after` in ascending order, in bounded memory.
    /// What is put or deleted meanwhile may or may not be listed; everything else is, once.
    fn list(&self, after: Option<ContentHash>) -> BlobList;

    /// Lists what lies in the store without being a blob or a part of the store's own layout.
    fn list_strays(&self) -> StrayList;

    /// Moves a damaged blob out of the way, into quarantine, where nothing reads it and only
    /// [`delete_set_aside`](Self::delete_set_aside) deletes it.
    /// The bytes are checked once more first: `false` when they are sound or gone.
    ///
    /// # Errors
    /// What the medium reports.
    fn set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>>;

    /// Deletes every copy of a blob that was set aside: what is left of bytes that are to be gone. Gives
    /// how many there were. When this returns, the deletion survives a crash.
    ///
    /// # Errors
    /// What the medium reports.
    fn delete_set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>>;

    /// Moves a stray into quarantine. `false` when it is gone.
    ///
    /// # Errors
    /// What the medium reports.
    fn set_stray_aside(&self, stray: Stray) -> BoxFuture<'_, Result<bool, BlobError>>;

    /// Brings a blob into the form in which it would be written now: sealed with the key that is used now, where
    /// blobs are sealed. The old form stays until the new one is certain to survive a crash. `false` when there was
    /// nothing to do.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt`, and nothing is changed then; what the medium reports.
    fn reseal(&self, _hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Whether blobs can be put right now, tried by writing something, and the space that is left.
    ///
    /// # Errors
    /// Why no blob can be put.
    fn check_health(&self) -> BoxFuture<'_, Result<Health, BlobError>>;
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutBlob {
    /// The name of the bytes.
    pub hash: ContentHash,
    /// How many there are.
    pub size_bytes: u64,
    /// False when the same bytes were there already, undamaged.
    pub was_new: bool,
}

/// What an address for reading says about the bytes and how long it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedRead<'a> {
    /// How long.
    pub duration: Duration,
    /// Their media type, as the answer has it.
    pub media_type: &'a str,
    /// Whether and as what they are saved, as the answer has it.
    pub disposition: &'a str,
}

/// Whether the bytes of a blob can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Now.
    Here,
    /// They are brought back from an archive.
    Coming {
        /// Since when, in milliseconds since 1970 UTC.
        asked_at_ms: i64,
    },
}

/// A blob that was asked for in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recall {
    /// Its name.
    pub hash: ContentHash,
    /// When it was asked for, in milliseconds since 1970 UTC.
    pub asked_at_ms: i64,
    /// Whether it is there by now; it stays for a few days.
    pub is_there: bool,
}

/// What is known of a blob without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobStat {
    /// Its name.
    pub hash: ContentHash,
    /// Its length as stored; a truncated blob says what is left of it.
    pub size_bytes: u64,
    /// When it was last put or renewed, by the clock of the store, in milliseconds since 1970 UTC.
    pub last_put_ms: i64,
}

/// What became of a blob that was to be deleted if it is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone now.
    Deleted {
        /// The bytes that this freed.
        size_bytes: u64,
    },
    /// It was put or renewed too recently.
    Kept,
    /// There was no such blob.
    Missing,
}

/// How a store that takes blobs is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Bytes that can still be stored; `None` when the store cannot know.
    pub free_bytes: Option<u64>,
}

/// Something in a store that is no blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    /// Where it lies, relative to the store.
    pub path: PathBuf,
    /// Why it is no blob.
    pub kind: StrayKind,
}

/// Why something in a store is no blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StrayKind {
    /// A file whose name is no hash.
    Misnamed,
    /// A file with the name of a blob in a place where that blob is not looked for.
    Misplaced,
    /// A link, folder, pipe or device in the place of a blob.
    NotAFile,
}
