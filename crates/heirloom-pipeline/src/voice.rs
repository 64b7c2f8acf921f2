//! The voices of transcripts that were stored before the catalogue kept voices.

use futures_util::TryStreamExt as _;
use heirloom_blobs::BlobError;
use heirloom_core::{ArtifactId, AssetId};
use heirloom_db::{DbError, artifact::Artifact, voice::Voice};
use tokio_util::{io::ReaderStream, sync::CancellationToken};

use crate::{Context, tool::transcript::Heard};

/// Why a transcript cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The catalogue failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Its blob is not there, or cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The same, in the middle of it.
    #[error("a transcript cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is none.
    #[error("a transcript is unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// How many transcripts are listed at once.
const AT_ONCE: i64 = 256;
/// So many transcripts in a row whose voices are not taken: it is the catalogue then, and not a transcript.
const REFUSED: usize = 3;

/// Keeps the voices of all transcripts of which the catalogue does not have them. One that cannot be read is passed over,
/// and so is one whose voices are not taken.
///
/// # Errors
/// What the catalogue says, of a list or of three transcripts in a row.
pub async fn read_voices(ctx: &Context, stop: &CancellationToken) -> Result<(), DbError> {
    let mut after = AssetId::from_uuid(uuid::Uuid::nil());
    let mut refused = 0;
    loop {
        let unread = ctx.db.list_unread_voices(after, AT_ONCE).await?;
        let Some((last, _)) = unread.last() else {
            return Ok(());
        };
        after = *last;
        for (asset, artifact) in unread {
            if stop.is_cancelled() {
                return Ok(());
            }
            let voices = match voices_of(ctx, artifact).await {
                Ok(voices) => voices,
                Err(error) => {
                    tracing::warn!(%asset, "its voices are not known: {error}");
                    continue;
                }
            };
            match ctx.db.keep_voices(asset, artifact, &voices).await {
                Ok(()) => refused = 0,
                Err(error) => {
                    tracing::warn!(%asset, "its voices are not kept: {error}");
                    refused += 1;
                    if refused == REFUSED {
                        return Err(error);
                    }
                }
            }
        }
    }
}

async fn voices_of(ctx: &Context, artifact: ArtifactId) -> Result<Vec<Voice>, TranscriptError> {
    let (artifact, _) = ctx.db.get_artifact(&ctx.actor, artifact).await?;
    Ok(Voice::list(
        &read_transcript(ctx, &artifact).await?.transcript,
    ))
}

/// What is said in a recording, as it was stored.
///
/// # Errors
/// [`TranscriptError`]
pub async fn read_transcript(ctx: &Context, artifact: &Artifact) -> Result<Heard, TranscriptError> {
    let Some(hash) = artifact.blob_hash else {
        let payload = artifact.payload.clone().unwrap_or_default();
        return Ok(serde_json::from_value(payload)?);
    };
    let reader = ctx.blobs.get(hash).await?;
    let blocks: Vec<_> = ReaderStream::new(reader).try_collect().await?;
    Ok(serde_json::from_slice(&blocks.concat())?)
}
