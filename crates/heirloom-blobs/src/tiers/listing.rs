//! The blobs of all places in one order.

use std::{pin::Pin, sync::Arc};

use futures_util::{StreamExt as _, stream, stream::Peekable};
use heirloom_core::ContentHash;

use super::{
    Shared,
    claims::{Log, locked},
    younger,
};
use crate::{BlobError, BlobList, BlobStat};

struct Merge {
    shared: Arc<Shared>,
    lists: Vec<Peekable<BlobList>>,
    /// What left a place since this began: it may have gone from where it was still to be listed to where it was not
    /// listed any more.
    moved: Log,
    last: Option<ContentHash>,
}

/// The blobs behind `after`, each once.
pub(super) fn blobs(shared: Arc<Shared>, after: Option<ContentHash>) -> BlobList {
    let moved = shared.claims.listen();
    let lists = shared.tiers.iter();
    let lists = lists
        .map(|tier| tier.store.list(after).peekable())
        .collect();
    let merge = Merge {
        shared,
        lists,
        moved,
        last: after,
    };
    stream::try_unfold(merge, |mut merge| async move {
        let next = merge.next().await?;
        Ok(next.map(|blob| (blob, merge)))
    })
    .boxed()
}

impl Merge {
    async fn next(&mut self) -> Result<Option<BlobStat>, BlobError> {
        loop {
            let mut next = None;
            for list in &mut self.lists {
                match Pin::new(&mut *list).peek().await {
                    Some(Ok(blob)) => {
                        next =
                            Some(next.map_or(blob.hash, |next: ContentHash| next.min(blob.hash)));
                    }
                    Some(Err(_)) => {
                        if let Some(Err(error)) = list.next().await {
                            return Err(error);
                        }
                    }
                    None => {}
                }
            }
            if let Some(hash) = self.passed_over(next) {
                self.last = Some(hash);
                match self.shared.stat(hash).await {
                    Ok(blob) => return Ok(Some(blob)),
                    Err(BlobError::NotFound { .. }) => continue,
                    Err(error) => return Err(error),
                }
            }
            let Some(hash) = next else { return Ok(None) };
            self.last = Some(hash);
            let mut found = None::<BlobStat>;
            for list in &mut self.lists {
                let is_here = |blob: &Result<BlobStat, BlobError>| matches!(blob, Ok(blob) if blob.hash == hash);
                if let Some(Ok(blob)) = Pin::new(&mut *list).next_if(is_here).await {
                    found = Some(found.map_or(blob, |found| younger(found, blob)));
                }
            }
            return Ok(found);
        }
    }

    /// The next blob that was moved before what would be listed now.
    fn passed_over(&self, next: Option<ContentHash>) -> Option<ContentHash> {
        let mut moved = locked(&self.moved);
        while let Some(hash) = moved.first().copied() {
            if self.last.is_some_and(|last| hash <= last) {
                moved.pop_first();
            } else if next.is_none_or(|next| hash < next) {
                moved.pop_first();
                return Some(hash);
            } else {
                break;
            }
        }
        None
    }
}
