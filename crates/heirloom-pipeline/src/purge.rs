//! Removing what is known for good: rows, what was derived, and the bytes of it. Originals are never
//! touched.

use heirloom_blobs::{BlobError, CollectError, Collected, Deletion, Grace, collect};
use heirloom_core::{AssetId, permission::Action};
use heirloom_db::{DbError, clock};

use crate::Context;

/// What a purge removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purge {
    /// Assets of which nothing is known any more.
    pub assets: u64,
    /// Blobs that nobody else referred to.
    pub blobs: u64,
}

/// Why a purge ended early. What was purged before that is purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store failed; the blobs that are left nobody refers to, and they are collected some time.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// How long blobs are kept that nobody refers to: longer than any batch takes from its first blob to
/// its commit.
const GRACE_MS: i64 = 24 * 60 * 60 * 1000;

/// Removes everything that is known about assets that were deleted, with the blobs that nobody else
/// refers to, and sees to it that nothing of it lies about in the catalogue's files.
///
/// # Errors
/// [`PurgeError`].
pub async fn purge_assets(ctx: &Context, assets: &[AssetId]) -> Result<Purge, PurgeError> {
    let mut done = Purge::default();
    for asset in assets {
        let started_ms = clock::now_ms();
        let purged = ctx.db.purge_asset(&ctx.actor, *asset).await?;
        done.assets += 1;
        for blob in purged.blobs {
            // One that was put just now is about to be referred to by somebody else.
            let deletion = ctx.blobs.delete_unless_put_since(blob, started_ms).await?;
            if matches!(deletion, Deletion::Deleted { .. }) {
                done.blobs += 1;
            }
        }
    }
    if done.assets > 0 {
        ctx.db.sweep_purged().await?;
    }
    Ok(done)
}

/// Removes the blobs that nobody refers to and that were not put lately.
///
/// # Errors
/// [`DbError::Denied`], and what the store or the catalogue say.
pub async fn collect_blobs(ctx: &Context) -> Result<Collected, CollectError<DbError>> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(|denied| CollectError::References(denied.into()))?;
    let grace = Grace {
        now_ms: clock::now_ms(),
        grace_ms: GRACE_MS,
    };
    collect(ctx.blobs.as_ref(), grace, |hashes| async move {
        ctx.db.find_referenced_blobs(&hashes).await
    })
    .await
}
