//! Removing what is known for good: rows, what was derived, and the bytes of it. Originals in folder
//! archives are never touched; the bytes of one in the vault are removed with what is known of it.
//!
//! When the last row lets go of a blob, the catalogue notes in the same transaction that its bytes are
//! to be removed. That is done at the end of each purge and of each scan, as soon as no scan is under way
//! that may be about to refer to the same bytes. Blobs that no row ever referred to, because whoever put
//! them was killed, are collected when a check repairs.

use heirloom_blobs::{BlobError, CollectError, Collected, Deletion, Grace, collect};
use heirloom_core::{AssetId, ContentHash, permission::Action};
use heirloom_db::{DbError, clock};

use crate::{Context, add::oldest_addition, backup::may_remove_blobs, scan::oldest_scan};

/// What a purge removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purge {
    /// Assets of which nothing is known any more.
    pub assets: u64,
    /// Blobs that nobody refers to any more and whose bytes could be removed at once.
    pub blobs: u64,
}

/// Why a purge ended early. What was purged before that is purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store failed; the blobs that are left nobody refers to, and the next scan or purge removes
    /// them.
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
        ctx.db.purge_asset(&ctx.actor, *asset).await?;
        done.assets += 1;
    }
    done.blobs = remove_unneeded_blobs(ctx).await?;
    if done.assets > 0 {
        ctx.db.sweep_purged().await?;
    }
    Ok(done)
}

/// How many blobs are removed between two questions to the catalogue.
const PAGE: usize = 256;

/// Removes the bytes of blobs that the catalogue let go of, also those that were damaged and set aside.
/// What a scan under way may have put and be about to refer to stays until that scan is over. Gives how
/// many blobs were removed.
///
/// # Errors
/// [`PurgeError`]; what is left is removed the next time.
pub async fn remove_unneeded_blobs(ctx: &Context) -> Result<u64, PurgeError> {
    let Context { db, blobs, .. } = ctx;
    // A backup that is under way reads what its catalogue refers to, whoever lets go of it meanwhile. It comes
    // back here when it is done.
    let Some(_removing) = may_remove_blobs() else {
        return Ok(0);
    };
    // The order matters. A scan or an addition that is under way protects what was put since it began,
    // one that ended before has committed what it refers to, and one that begins later puts later. What
    // a run's tools make is put a moment before it is recorded, too.
    let now_ms = clock::now_ms();
    let underway = [
        oldest_addition(),
        oldest_scan(db).await?,
        db.find_oldest_holder().await?,
    ];
    let since_ms = underway.into_iter().flatten().fold(now_ms, i64::min);
    let mut removed = 0;
    let mut after: Option<ContentHash> = None;
    loop {
        let page = db.list_unneeded_blobs(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.hash);
        let hashes: Vec<ContentHash> = page.iter().map(|blob| blob.hash).collect();
        let needed = db.find_referenced_blobs(&hashes).await?;
        let mut done = Vec::with_capacity(page.len());
        for blob in page {
            if needed.contains(&blob.hash) {
                done.push(blob);
                continue;
            }
            // Nobody is about to refer to bytes that are damaged.
            blobs.delete_set_aside(blob.hash).await?;
            match blobs.delete_unless_put_since(blob.hash, since_ms).await? {
                Deletion::Kept => continue,
                Deletion::Deleted { .. } => removed += 1,
                Deletion::Missing => {}
            }
            done.push(blob);
        }
        db.forget_unneeded_blobs(&done).await?;
    }
    Ok(removed)
}

/// Removes the blobs that nobody refers to and that were not put lately: those too that nobody ever
/// referred to. It looks at every blob there is.
///
/// # Errors
/// [`DbError::Denied`], and what the store or the catalogue say.
pub async fn collect_blobs(ctx: &Context) -> Result<Collected, CollectError<DbError>> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(|denied| CollectError::References(denied.into()))?;
    let Some(_removing) = may_remove_blobs() else {
        return Ok(Collected::default());
    };
    let grace = Grace {
        now_ms: clock::now_ms(),
        grace_ms: GRACE_MS,
    };
    collect(ctx.blobs.as_ref(), grace, |hashes| async move {
        ctx.db.find_referenced_blobs(&hashes).await
    })
    .await
}
