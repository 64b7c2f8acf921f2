//! What lies in a bucket, in the order of the hashes.

use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use heirloom_core::ContentHash;

use super::{BLOBS, INCOMING, LAYOUT, QUARANTINE, RECALLED, RENEWED};
use crate::{
    BlobError, BlobList, BlobStat, Remote, RemoteError, RemoteObject, Stray, StrayKind, StrayList,
    seal::Form,
};

/// The blobs behind `after`, each as young as what lies beside it says. Both are listed in the order of the hashes and
/// walked through side by side, so that a page of each is in memory.
pub(super) fn blobs(remote: &Remote, after: Option<ContentHash>) -> BlobList {
    let last = after;
    let after = after.map(|after| after.to_string());
    let behind = after.as_ref().map(|after| format!("{after}~"));
    let walk = Walk {
        blobs: remote.list(BLOBS, after.as_deref()).boxed(),
        renewed: remote.list(RENEWED, behind.as_deref()).boxed(),
        next: None,
        last,
        is_begun: false,
    };
    stream::try_unfold(walk, |mut walk| async move {
        Ok(walk.next().await?.map(|blob| (blob, walk)))
    })
    .boxed()
}

struct Walk {
    blobs: BoxStream<'static, Result<RemoteObject, RemoteError>>,
    renewed: BoxStream<'static, Result<RemoteObject, RemoteError>>,
    /// The next of what was renewed.
    next: Option<(ContentHash, i64)>,
    /// The last blob that was told.
    last: Option<ContentHash>,
    is_begun: bool,
}

impl Walk {
    async fn next(&mut self) -> Result<Option<BlobStat>, BlobError> {
        if !self.is_begun {
            self.is_begun = true;
            self.advance().await?;
        }
        let (hash, form, found) = loop {
            let Some(found) = self.blobs.try_next().await? else {
                return Ok(None);
            };
            // Where the sealing of a blob was killed it is there in two forms, one behind the other.
            if let Some((hash, form)) = Form::parse(&found.name)
                && self.last.is_none_or(|last| hash > last)
            {
                break (hash, form, found);
            }
        };
        self.last = Some(hash);
        let mut last_put_ms = found.modified_at_ms;
        while let Some((renewed, at_ms)) = self.next
            && renewed <= hash
        {
            if renewed == hash {
                last_put_ms = last_put_ms.max(at_ms);
            }
            self.advance().await?;
        }
        Ok(Some(BlobStat {
            hash,
            size_bytes: form.plain_bytes(found.size_bytes),
            last_put_ms,
        }))
    }

    async fn advance(&mut self) -> Result<(), BlobError> {
        self.next = loop {
            let Some(found) = self.renewed.try_next().await? else {
                break None;
            };
            let hash = found.name.get(..64).and_then(|hash| hash.parse().ok());
            if let Some(next) = hash.and_then(|hash| Some((hash, time_of(&found.name, hash)?))) {
                break Some(next);
            }
        };
        Ok(())
    }
}

/// The time behind a blob's hash in a name.
pub(super) fn time_of(name: &str, hash: ContentHash) -> Option<i64> {
    let time = name.strip_prefix(&hash.to_string())?.strip_prefix('-')?;
    time.parse().ok()
}

/// What is called like nothing that belongs here.
pub(super) fn strays(remote: &Remote) -> StrayList {
    let own = [BLOBS, RENEWED, RECALLED, QUARANTINE, INCOMING];
    let top = remote.list("", None).try_filter(move |found| {
        let is_own =
            found.name == LAYOUT || own.iter().any(|own| *own == format!("{}/", found.name));
        std::future::ready(!is_own)
    });
    let among = remote.list(BLOBS, None).try_filter_map(|found| {
        let is_blob = !found.is_folder && Form::parse(&found.name).is_some();
        let name = format!("{BLOBS}{}", found.name);
        std::future::ready(Ok((!is_blob).then_some(RemoteObject { name, ..found })))
    });
    let strays = top.chain(among).map(|found| {
        let found = found?;
        Ok(Stray {
            path: PathBuf::from(found.name),
            kind: if found.is_folder {
                StrayKind::NotAFile
            } else {
                StrayKind::Misnamed
            },
        })
    });
    strays.boxed()
}
