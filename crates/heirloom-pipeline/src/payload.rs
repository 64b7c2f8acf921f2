//! What tools stored as JSON, in the catalogue or in a blob.

use futures_util::TryStreamExt as _;
use heirloom_blobs::BlobError;
use heirloom_db::{DbError, artifact::Artifact};
use serde::de::DeserializeOwned;
use tokio_util::io::ReaderStream;

use crate::Context;

/// Why what a tool stored cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The catalogue failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Its blob is not there, or cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The same, in the middle of it.
    #[error("what a tool stored cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is something else.
    #[error("what a tool stored is unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// What an artifact holds, as it was stored.
///
/// # Errors
/// [`PayloadError`]
pub async fn read_payload<T: DeserializeOwned>(
    ctx: &Context,
    artifact: &Artifact,
) -> Result<T, PayloadError> {
    let Some(hash) = artifact.blob_hash else {
        let payload = artifact.payload.clone().unwrap_or_default();
        return Ok(serde_json::from_value(payload)?);
    };
    let reader = ctx.blobs.get(hash).await?;
    let blocks: Vec<_> = ReaderStream::new(reader).try_collect().await?;
    Ok(serde_json::from_slice(&blocks.concat())?)
}
