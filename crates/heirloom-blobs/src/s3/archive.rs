//! Blobs in an archive class: they are asked for, and read when they are there.
//!
//! What was asked for has an empty object beside it, `recalled/HASH-TIME`, so that it is known in every process what is
//! on its way and since when. It is removed when the bytes are in the archive alone again, or gone.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use heirloom_core::ContentHash;

use super::{RECALLED, S3Store, listing, object, timed};
use crate::{Availability, BlobError, Recall, remote::Readiness};

impl S3Store {
    /// Asks for a blob to be brought back, unless it can be read or is on its way.
    pub(super) async fn recall(&self, hash: ContentHash) -> Result<Availability, BlobError> {
        let found = self.find(hash).await?.ok_or(BlobError::NotFound { hash })?;
        let object = object(hash, found.form);
        match self.remote.readiness(&object).await? {
            None => return Err(BlobError::NotFound { hash }),
            Some(Readiness::Ready) => return Ok(Availability::Here),
            Some(Readiness::Coming) => {}
            // What is noted of it is of an earlier time, after which it went to sleep again.
            Some(Readiness::Archived) => {
                self.remote.bring_back(&object).await?;
                self.forget_recall(hash).await?;
            }
        }
        let names = self.names(RECALLED, hash).await?;
        let known = names.first().and_then(|name| listing::time_of(name, hash));
        if let Some(asked_at_ms) = known {
            return Ok(Availability::Coming { asked_at_ms });
        }
        let asked_at_ms = (self.now_ms)();
        let marker = format!("{RECALLED}{}", timed(hash, asked_at_ms));
        self.remote.write(&marker, Bytes::new()).await?;
        Ok(Availability::Coming { asked_at_ms })
    }

    /// What was asked for and is on its way, or there for a while.
    pub(super) async fn recalls(&self) -> Result<Vec<Recall>, BlobError> {
        self.enter().await?;
        let markers: Vec<_> = self.remote.list(RECALLED, None).try_collect().await?;
        let mut recalls = Vec::new();
        for marker in markers {
            let hash = marker.name.get(..64).and_then(|hash| hash.parse().ok());
            let Some(hash): Option<ContentHash> = hash else {
                continue;
            };
            let Some(asked_at_ms) = listing::time_of(&marker.name, hash) else {
                continue;
            };
            let readiness = match self.find(hash).await? {
                Some(found) => self.remote.readiness(&object(hash, found.form)).await?,
                None => None,
            };
            match readiness {
                Some(readiness @ (Readiness::Ready | Readiness::Coming)) => recalls.push(Recall {
                    hash,
                    asked_at_ms,
                    is_there: readiness == Readiness::Ready,
                }),
                Some(Readiness::Archived) | None => {
                    let name = format!("{RECALLED}{}", marker.name);
                    self.remote.remove(&name).await?;
                }
            }
        }
        Ok(recalls)
    }

    async fn forget_recall(&self, hash: ContentHash) -> Result<(), BlobError> {
        for name in self.names(RECALLED, hash).await? {
            self.remote.remove(&format!("{RECALLED}{name}")).await?;
        }
        Ok(())
    }
}
