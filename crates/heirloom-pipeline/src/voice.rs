//! The voices of transcripts that were stored before the catalogue kept voices.

use heirloom_core::{ArtifactId, AssetId};
use heirloom_db::{DbError, voice::Voice};
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    payload::{PayloadError, read_payload},
    tool::transcript::Heard,
};

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

async fn voices_of(ctx: &Context, artifact: ArtifactId) -> Result<Vec<Voice>, PayloadError> {
    let (artifact, _) = ctx.db.get_artifact(&ctx.actor, artifact).await?;
    let heard: Heard = read_payload(ctx, &artifact).await?;
    Ok(Voice::list(&heard.transcript))
}
