//! Sealing every blob that is there, one after the other, with the key that is used now.
//!
//! What is put meanwhile is sealed with it anyway, so one walk in the order of the hashes is enough. How far it is is
//! noted in a small file, so that a pass that was killed goes on from there; what it repeats changes nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use heirloom_blobs::{BlobError, BlobStore, KeyId};
use heirloom_core::ContentHash;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// How many blobs are sealed before it is noted how far it is.
const PAGE: usize = 64;
/// How many are sealed at once.
const AT_ONCE: usize = 4;

/// How far a pass is, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingState {
    /// The key that is sealed with.
    pub key: String,
    /// The last blob that was looked at.
    after: Option<String>,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// How many of them could not be sealed, because they are damaged or lie in an archive.
    pub failed: u64,
    /// Whether all were looked at.
    pub is_done: bool,
}

impl SealingState {
    /// What the file says; the beginning where it says nothing of this key.
    #[must_use]
    pub fn load(path: &Path, key: KeyId) -> Self {
        let key = key.to_string();
        let known = fs::read(path).ok();
        let known = known.and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        known.filter(|known| known.key == key).unwrap_or(Self {
            key,
            ..Self::default()
        })
    }

    fn save(&self, path: &Path) -> io::Result<()> {
        // A kill may lose it, which costs a pass and nothing else: it is never ahead of what is on the disk.
        let partial = path.with_extension("partial");
        fs::write(
            &partial,
            serde_json::to_vec(self).map_err(io::Error::other)?,
        )?;
        fs::rename(partial, path)
    }
}

/// How far a pass is that goes on.
#[derive(Debug, Default)]
pub struct SealingProgress {
    /// Blobs that were looked at, those of earlier parts of the pass included.
    pub blobs: AtomicU64,
    /// How many of them are damaged.
    pub failed: AtomicU64,
}

/// Why a pass stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The store failed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// How far it is cannot be noted.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Seals what is not sealed with `key`, which the store uses, and notes in `path` how far it is. When it is told to
/// stop it does after the blobs that it is at.
///
/// # Errors
/// What the store or the disk says. A damaged blob is no error: it stays as it is and is counted.
pub async fn seal_all(
    blobs: &dyn BlobStore,
    key: KeyId,
    path: &Path,
    progress: &SealingProgress,
    stop: &CancellationToken,
) -> Result<SealingState, SealingError> {
    let mut state = SealingState::load(path, key);
    let tell = |state: &SealingState| {
        progress.blobs.store(state.blobs, Ordering::Relaxed);
        progress.failed.store(state.failed, Ordering::Relaxed);
    };
    let save = |state: &SealingState| {
        state.save(path).map_err(|source| SealingError::Io {
            path: path.to_owned(),
            source,
        })
    };
    tell(&state);
    let after: Option<ContentHash> = state.after.as_deref().and_then(|hash| hash.parse().ok());
    let mut pages = blobs.list(after).try_chunks(PAGE);
    while !state.is_done && !stop.is_cancelled() {
        let Some(page) = pages.next().await else {
            state.is_done = true;
            save(&state)?;
            break;
        };
        let page = page.map_err(|error| error.1)?;
        let sealing: Vec<_> = page.iter().map(|blob| blobs.reseal(blob.hash)).collect();
        let mut sealed = stream::iter(sealing).buffer_unordered(AT_ONCE);
        while let Some(sealed) = sealed.next().await {
            match sealed {
                // It was deleted meanwhile.
                Ok(_) | Err(BlobError::NotFound { .. }) => {}
                Err(BlobError::Corrupt { hash }) => {
                    tracing::warn!(%hash, "a damaged blob is not sealed: `heirloom fsck` says more");
                    state.failed += 1;
                }
                Err(BlobError::Archived { hash, place }) => {
                    tracing::warn!(%hash, place, "a blob in an archive stays as it is");
                    state.failed += 1;
                }
                Err(BlobError::NoKey { hash, key }) => {
                    tracing::warn!(%hash, %key, "a blob was sealed with a key that is not here");
                    state.failed += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        state.blobs += page.len() as u64;
        state.after = page.last().map(|blob| blob.hash.to_string());
        tell(&state);
        save(&state)?;
    }
    Ok(state)
}
