//! How a blob gets from one place to another, whatever happens meanwhile.

use std::{io, sync::Arc};

use futures_util::{StreamExt as _, future::BoxFuture};
use heirloom_core::ContentHash;
use tokio_util::sync::CancellationToken;

use super::{Tiers, read_through};
use crate::{BlobError, BlobReader, BlobStore, Deletion, pump::finished};

/// What became of a blob that was to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It is where it should be, and nowhere else.
    Moved {
        /// Its length.
        size_bytes: u64,
    },
    /// It was damaged where it was, which is set aside there, and is sound where it should be.
    Replaced,
    /// It is not there any more.
    Gone,
    /// It is not the time: an address of it was given out a moment ago, or somebody deletes it.
    InUse,
    /// It is damaged, and stays where and as it is.
    Damaged,
}

impl Tiers {
    /// Moves a blob from the place at `from` to the one at `to`. `pace` is told how many bytes were read, and may wait.
    ///
    /// The copy is verified and survives a crash before anything is let go of. Whoever reads finds the blob at any
    /// moment; who puts or renews it meanwhile finds it as young as that afterwards; who deletes it goes first.
    ///
    /// # Errors
    /// What one of the two places reports; the blob is then where it was, and perhaps in both.
    ///
    /// # Panics
    /// When there is no such place.
    pub async fn move_blob(
        &self,
        hash: ContentHash,
        (from, to): (usize, usize),
        pace: Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>,
    ) -> Result<Moved, BlobError> {
        let tiers = self.clone();
        // What a place is doing goes on behind the back of who drops it, and would bring back what somebody deletes once
        // the claim is gone.
        #[expect(
            clippy::disallowed_methods,
            reason = "to its end, whether or not somebody waits for it"
        )]
        let moving = tokio::spawn(async move { tiers.move_claimed(hash, (from, to), pace).await });
        finished(moving).await
    }

    async fn move_claimed(
        &self,
        hash: ContentHash,
        (from, to): (usize, usize),
        pace: Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>,
    ) -> Result<Moved, BlobError> {
        let Some((_claim, wanted)) = self.shared.claims.claim_to_move(hash) else {
            return Ok(Moved::InUse);
        };
        let (source, target) = (self.store(from), self.store(to));
        let mut seen = match source.stat(hash).await {
            Err(BlobError::NotFound { .. }) => return Ok(Moved::Gone),
            stat => stat?,
        };
        match copy(source, target, hash, pace, wanted.clone()).await {
            Ok(()) => {}
            // What is half written was thrown away.
            Err(_) if wanted.is_cancelled() => return Ok(Moved::InUse),
            Err(BlobError::NotFound { .. }) => return Ok(Moved::Gone),
            Err(BlobError::Corrupt { .. }) => {
                return match read_through(target, hash).await {
                    Ok(()) if source.set_aside(hash).await? => Ok(Moved::Replaced),
                    _ => Ok(Moved::Damaged),
                };
            }
            Err(error) => return Err(error),
        }
        loop {
            // By the clock of the target it may be older than it was known to be.
            if target.stat(hash).await?.last_put_ms < seen.last_put_ms {
                target.renew(hash).await?;
            }
            self.shared.claims.note_move(hash);
            let since_ms = seen.last_put_ms.saturating_add(1);
            match source.delete_unless_put_since(hash, since_ms).await? {
                Deletion::Deleted { size_bytes } => return Ok(Moved::Moved { size_bytes }),
                Deletion::Missing => return Ok(Moved::Gone),
                // Somebody needs it since: then it has to be as young where it goes.
                Deletion::Kept => {
                    seen = source.stat(hash).await?;
                    target.renew(hash).await?;
                }
            }
        }
    }
}

/// Puts what is in one place into another, verified; not to its end when somebody else wants it.
async fn copy(
    source: &dyn BlobStore,
    target: &dyn BlobStore,
    hash: ContentHash,
    pace: Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>,
    wanted: CancellationToken,
) -> Result<(), BlobError> {
    let reader = source.get(hash).await?;
    let size_bytes = reader.size_bytes();
    let paced = reader.then(move |chunk| {
        let length = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let (waiting, wanted) = (pace(length), wanted.clone());
        async move {
            match wanted.run_until_cancelled_owned(waiting).await {
                Some(()) => chunk,
                None => Err(BlobError::ShuttingDown),
            }
        }
    });
    // The reader within verifies.
    let mut paced = BlobReader::part_from(hash, size_bytes, paced);
    match target.put(&mut paced, Some(hash)).await {
        Ok(_) => Ok(()),
        Err(BlobError::Source(error)) => Err(of_source(error)),
        Err(error) => Err(error),
    }
}

/// What a reader of a blob said, out of what a put made of it.
fn of_source(error: io::Error) -> BlobError {
    match error.downcast::<BlobError>() {
        Ok(error) => error,
        Err(error) => BlobError::Source(error),
    }
}
