//! Removes the blobs that nobody references.

use std::{collections::HashSet, error::Error};

use futures_util::TryStreamExt;
use heirloom_core::ContentHash;

use crate::{BlobError, BlobStore, Deletion};

/// Blobs that are asked about at once.
const BATCH: usize = 1_000;

/// How long bytes are safe before somebody references them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// The time now, in milliseconds since 1970 UTC, by a clock that agrees with the store's.
    pub now_ms: i64,
    /// Nothing that was put or renewed within this time is removed. It must be longer than it can
    /// take from a put until its reference is committed, and than clocks can differ: hours, at least.
    pub grace_ms: i64,
}

/// What a collection did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blobs that were looked at.
    pub examined: u64,
    /// Of these: too young to be asked about, or made young while they were.
    pub young: u64,
    /// Of these: removed.
    pub deleted: u64,
    /// The bytes that this freed.
    pub deleted_bytes: u64,
}

/// Why a collection stopped. What it removed until then nobody referenced.
#[derive(Debug, thiserror::Error)]
pub enum CollectError<E: Error + 'static> {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// Whoever knows the references failed.
    #[error("it could not be found out which blobs are still needed")]
    References(#[source] E),
}

/// Removes the blobs that are older than the grace period and that nobody references.
///
/// `referenced` answers which of the given hashes are referenced at the moment when it is asked; it
/// must see every reference that is committed by then (so not a lagging replica). It is asked after
/// the age was looked at, and the age is looked at again in the same step as the deletion. So a blob
/// is removed only if it had no reference after it had grown old, and nobody put or renewed it since.
/// Whoever puts or renews a blob and commits the reference within the grace period can rely on it.
///
/// # Errors
/// What the store or `referenced` reports.
pub async fn collect<F, Answer, E>(
    store: &dyn BlobStore,
    grace: Grace,
    mut referenced: F,
) -> Result<Collected, CollectError<E>>
where
    F: FnMut(Vec<ContentHash>) -> Answer,
    Answer: Future<Output = Result<HashSet<ContentHash>, E>>,
    E: Error + 'static,
{
    let since_ms = grace.now_ms.saturating_sub(grace.grace_ms.max(0));
    let mut collected = Collected::default();
    let mut blobs = store.list(None);
    let mut is_at_end = false;
    while !is_at_end {
        let mut old = Vec::with_capacity(BATCH);
        while old.len() < BATCH {
            let Some(blob) = blobs.try_next().await? else {
                is_at_end = true;
                break;
            };
            collected.examined += 1;
            if blob.last_put_ms < since_ms {
                old.push(blob.hash);
            } else {
                collected.young += 1;
            }
        }
        if old.is_empty() {
            continue;
        }
        let needed = referenced(old.clone())
            .await
            .map_err(CollectError::References)?;
        for hash in old.into_iter().filter(|hash| !needed.contains(hash)) {
            match store.delete_unless_put_since(hash, since_ms).await? {
                Deletion::Deleted { size_bytes } => {
                    collected.deleted += 1;
                    collected.deleted_bytes += size_bytes;
                }
                Deletion::Kept => collected.young += 1,
                Deletion::Missing => {}
            }
        }
    }
    Ok(collected)
}
