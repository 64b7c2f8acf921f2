//! Adding: a file that was handed over becomes an original in the vault.
//!
//! Its bytes go into the blob store, the tools that a scan runs look at it, and one transaction makes it
//! an asset, or one more place of the asset that it is. Killed at any moment in between, all of it can be
//! done once more with the same end.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use heirloom_blobs::BlobError;
use heirloom_core::ContentHash;
use heirloom_db::{
    DbError, clock,
    family::Family,
    upload::Upload,
    vault::{Added, AddedFile},
};

use crate::{Context, tool};

/// Why a file could not be added. Nothing was added then.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Other bytes came than were promised.
    #[error("the bytes that came hash to {actual}, and {expected} was promised")]
    Mismatch {
        /// The hash that was promised.
        expected: ContentHash,
        /// The hash of what came.
        actual: ContentHash,
    },
    /// What came cannot be read any more.
    #[error("what came of it could not be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store of bytes failed.
    #[error(transparent)]
    Blobs(BlobError),
}

/// Adds a file whose bytes are all there, at `path`, where nobody writes to them any more. The caller
/// removes them from there when this has succeeded.
///
/// # Errors
/// [`AddError`].
pub async fn add_file(
    ctx: &Context,
    family: &Family,
    upload: &Upload,
    path: &Path,
) -> Result<Added, AddError> {
    let vault = ctx.db.get_or_create_vault(&ctx.actor, family).await?;
    // Until it is recorded, nobody refers to what is put.
    let _underway = Underway::begin();
    let put = ctx
        .blobs
        .put_file(path, upload.content_hash)
        .await
        .map_err(|error| match error {
            BlobError::Mismatch { expected, actual } => AddError::Mismatch { expected, actual },
            BlobError::Source(error) => AddError::Unreadable(error),
            error => AddError::Blobs(error),
        })?;
    let stored = ctx.blobs.open_file(put.hash).await;
    let stored = stored.map_err(AddError::Blobs)?;
    let looked = look_at(stored, put.hash, upload.name.clone()).await;
    let looked = looked.map_err(AddError::Unreadable)?;
    let measures = looked.measures();
    let mut derived = Vec::with_capacity(looked.made.len());
    for made in looked.made {
        derived.push(made.store(&ctx.blobs).await.map_err(AddError::Blobs)?);
    }
    let modified_at_ms = upload.modified_at_ms.unwrap_or(upload.created_at_ms);
    let file = AddedFile {
        name: upload.name.clone(),
        size_bytes: i64::try_from(put.size_bytes).unwrap_or(i64::MAX),
        modified_at_ns: modified_at_ms.saturating_mul(1_000_000),
        content_hash: put.hash,
        measures,
        derived,
    };
    let added = ctx
        .db
        .record_addition(&ctx.actor, &vault, upload.id, &file)
        .await?;
    Ok(added)
}

async fn look_at(mut file: File, hash: ContentHash, name: String) -> io::Result<tool::Looked> {
    let looking = tokio::task::spawn_blocking(move || tool::look_at(&mut file, hash, &name));
    looking.await.map_err(io::Error::other).flatten()
}

/// Additions of this process that have put something and not recorded it yet: when each began.
static UNDERWAY: Mutex<BTreeMap<u64, i64>> = Mutex::new(BTreeMap::new());

/// The clock of a file system may be a few milliseconds behind that of the machine.
const CLOCKS_DIFFER_MS: i64 = 1000;

pub(crate) struct Underway(u64);

impl Underway {
    pub(crate) fn begin() -> Self {
        let mut underway = UNDERWAY.lock().unwrap_or_else(PoisonError::into_inner);
        let number = underway.last_key_value().map_or(0, |(last, _)| last + 1);
        underway.insert(number, clock::now_ms() - CLOCKS_DIFFER_MS);
        Self(number)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut underway = UNDERWAY.lock().unwrap_or_else(PoisonError::into_inner);
        underway.remove(&self.0);
    }
}

/// When the oldest addition that is under way began, in milliseconds since 1970: what was put since then
/// may be about to be referred to.
pub(crate) fn oldest_addition() -> Option<i64> {
    let underway = UNDERWAY.lock().unwrap_or_else(PoisonError::into_inner);
    underway.values().copied().min()
}
