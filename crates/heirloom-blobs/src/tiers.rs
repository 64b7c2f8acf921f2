//! Blobs in more than one place.
//!
//! Who reads finds a blob wherever it is; who puts one that is nowhere yet puts it into one place of all. A blob may be
//! in two places, which is how one is moved: it is copied, and let go of where it was when the copy is there for
//! certain. One process at a time has the places, as it has each of them, so what has to be kept apart is kept apart by
//! claims here.

mod claims;
mod listing;
mod moving;

use std::{collections::HashMap, fmt, fs::File, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use heirloom_core::ContentHash;

use self::claims::Claims;
pub use self::moving::Moved;
use crate::{
    Availability, BlobError, BlobList, BlobReader, BlobSource, BlobStat, BlobStore, Deletion,
    Health, PutBlob, Recall, SignedRead, Stray, StrayList, hash_of,
};

/// Places that are asked at once where there are many blobs to ask for.
const REQUESTS: usize = 16;

/// A place of [`Tiers`].
#[derive(Debug, Clone)]
pub struct Tier {
    /// What it is called: one word.
    pub name: String,
    /// The blobs there.
    pub store: Arc<dyn BlobStore>,
}

/// Stores of one library as one. Clones mean the same.
#[derive(Clone)]
pub struct Tiers {
    shared: Arc<Shared>,
}

struct Shared {
    tiers: Vec<Tier>,
    first: usize,
    claims: Claims,
}

impl fmt::Debug for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.shared.tiers).finish()
    }
}

impl Tiers {
    /// These places in the order in which they are looked through, the quickest first. What is new goes to the one at
    /// `first`.
    ///
    /// # Panics
    /// When there is no such place.
    #[must_use]
    pub fn new(tiers: Vec<Tier>, first: usize) -> Self {
        assert!(first < tiers.len(), "there is no place for what is new");
        let claims = Claims::default();
        let shared = Shared {
            tiers,
            first,
            claims,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The places, in their order.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.shared.tiers
    }

    /// Where what is new goes.
    #[must_use]
    pub fn first(&self) -> usize {
        self.shared.first
    }

    fn store(&self, at: usize) -> &dyn BlobStore {
        &*self.shared.tiers[at].store
    }

    /// Asks one place after the other until one has what is asked for, and anew if something was moved meanwhile: it may
    /// have gone to a place that had been asked.
    async fn first_of<'a, T>(
        &'a self,
        hash: ContentHash,
        ask: impl Fn(&'a dyn BlobStore) -> BoxFuture<'a, Result<T, BlobError>>,
    ) -> Result<(usize, T), BlobError> {
        loop {
            let moves = self.shared.claims.moves();
            let mut failure = None;
            for (at, tier) in self.shared.tiers.iter().enumerate() {
                match ask(&*tier.store).await {
                    Ok(found) => return Ok((at, found)),
                    Err(BlobError::NotFound { .. }) => {}
                    Err(BlobError::ShuttingDown) => return Err(BlobError::ShuttingDown),
                    // Another place may have it, and sound.
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
            if self.shared.claims.moves() == moves {
                return Err(BlobError::NotFound { hash });
            }
        }
    }

    /// Which place has a blob, as far as those that answer say.
    async fn find(&self, hash: ContentHash) -> Option<usize> {
        let last = self.shared.tiers.len() - 1;
        for (at, tier) in self.shared.tiers.iter().enumerate() {
            // What is nowhere else goes there in any case.
            if at == last && at == self.shared.first {
                return None;
            }
            match tier.store.contains(hash).await {
                Ok(true) => return Some(at),
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(%hash, place = tier.name, "a place does not answer: {error}");
                }
            }
        }
        None
    }

    /// Where bytes are put: where they are, if they are anywhere.
    async fn place_of(&self, hash: ContentHash) -> (usize, bool) {
        match self.find(hash).await {
            Some(at) => (at, true),
            None => (self.shared.first, false),
        }
    }

    /// What was put into one place is not new if it is sound in another; what is damaged there is set aside.
    async fn compare_elsewhere(&self, put: PutBlob, at: usize) -> PutBlob {
        let mut was_new = put.was_new;
        for (other, tier) in self.shared.tiers.iter().enumerate() {
            if !was_new || other == at {
                continue;
            }
            match read_through(&*tier.store, put.hash).await {
                // What lies in an archive was compared when it came there.
                Ok(()) | Err(BlobError::Archived { .. }) => was_new = false,
                Err(BlobError::Corrupt { hash }) => {
                    if let Err(error) = tier.store.set_aside(hash).await {
                        tracing::warn!(%hash, place = tier.name, "a damaged blob stays: {error}");
                    }
                }
                Err(_) => {}
            }
        }
        PutBlob { was_new, ..put }
    }
}

/// Reads a blob to its end.
async fn read_through(store: &dyn BlobStore, hash: ContentHash) -> Result<(), BlobError> {
    let mut reader = store.get(hash).await?;
    while reader.next_chunk().await?.is_some() {}
    Ok(())
}

impl BlobStore for Tiers {
    fn put<'a>(
        &'a self,
        source: BlobSource<'a>,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let (at, is_there) = match expected {
                Some(hash) => self.place_of(hash).await,
                // It may be anywhere.
                None => (self.shared.first, true),
            };
            let put = self.store(at).put(source, expected).await?;
            Ok(match is_there {
                true => self.compare_elsewhere(put, at).await,
                false => put,
            })
        })
    }

    fn put_bytes(&self, bytes: Bytes) -> BoxFuture<'_, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let (at, is_there) = self.place_of(hash_of(&bytes)).await;
            let put = self.store(at).put_bytes(bytes).await?;
            Ok(match is_there {
                true => self.compare_elsewhere(put, at).await,
                false => put,
            })
        })
    }

    fn put_file<'a>(
        &'a self,
        file: &'a Path,
        expected: Option<ContentHash>,
    ) -> BoxFuture<'a, Result<PutBlob, BlobError>> {
        Box::pin(async move {
            let (at, is_there) = match expected {
                Some(hash) => self.place_of(hash).await,
                None => (self.shared.first, true),
            };
            let put = self.store(at).put_file(file, expected).await?;
            Ok(match is_there {
                true => self.compare_elsewhere(put, at).await,
                false => put,
            })
        })
    }

    fn put_many(&self, blobs: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<PutBlob>, BlobError>> {
        Box::pin(async move {
            let finding: Vec<_> = blobs
                .iter()
                .map(|bytes| self.place_of(hash_of(bytes)))
                .collect();
            let places: Vec<(usize, bool)> =
                stream::iter(finding).buffered(REQUESTS).collect().await;
            let mut put: HashMap<usize, PutBlob> = HashMap::with_capacity(blobs.len());
            for (at, tier) in self.shared.tiers.iter().enumerate() {
                let here = places.iter().enumerate().filter(|(_, place)| place.0 == at);
                let here: Vec<usize> = here.map(|(n, _)| n).collect();
                if here.is_empty() {
                    continue;
                }
                let bytes = here.iter().map(|n| blobs[*n].clone()).collect();
                let answers = tier.store.put_many(bytes).await?;
                for (n, answer) in here.into_iter().zip(answers) {
                    let answer = match places[n].1 {
                        true => self.compare_elsewhere(answer, at).await,
                        false => answer,
                    };
                    put.insert(n, answer);
                }
            }
            Ok((0..blobs.len()).filter_map(|n| put.remove(&n)).collect())
        })
    }

    fn renew(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            loop {
                let moves = self.shared.claims.moves();
                let (mut is_there, mut failure) = (false, None);
                // Each copy, so that whoever looks at one of them sees a young one.
                for tier in &self.shared.tiers {
                    match tier.store.renew(hash).await {
                        Ok(found) => is_there |= found,
                        Err(error) => failure = failure.or(Some(error)),
                    }
                }
                match failure {
                    _ if is_there => return Ok(true),
                    Some(failure) => return Err(failure),
                    None if self.shared.claims.moves() == moves => return Ok(false),
                    None => {}
                }
            }
        })
    }

    fn get(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(async move { Ok(self.first_of(hash, |store| store.get(hash)).await?.1) })
    }

    fn get_range(
        &self,
        hash: ContentHash,
        range: Range<u64>,
    ) -> BoxFuture<'_, Result<BlobReader, BlobError>> {
        Box::pin(async move {
            let found = self.first_of(hash, |store| store.get_range(hash, range.clone()));
            Ok(found.await?.1)
        })
    }

    fn open_file(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>> {
        Box::pin(async move { Ok(self.first_of(hash, |store| store.open_file(hash)).await?.1) })
    }

    fn open_sound(&self, hash: ContentHash) -> BoxFuture<'_, Result<File, BlobError>> {
        Box::pin(async move { Ok(self.first_of(hash, |store| store.open_sound(hash)).await?.1) })
    }

    fn sign_read<'a>(
        &'a self,
        hash: ContentHash,
        read: SignedRead<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, BlobError>> {
        Box::pin(async move {
            // What is on its way somewhere is not there for as long as the address is good.
            if !self.shared.claims.note_signed(hash, read.duration) {
                return Ok(None);
            }
            let last = self.shared.tiers.len() - 1;
            for (at, tier) in self.shared.tiers.iter().enumerate() {
                if at == last || tier.store.contains(hash).await? {
                    return tier.store.sign_read(hash, read).await;
                }
            }
            Ok(None)
        })
    }

    fn stat(&self, hash: ContentHash) -> BoxFuture<'_, Result<BlobStat, BlobError>> {
        Box::pin(self.shared.stat(hash))
    }

    fn size_bytes(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        Box::pin(async move { Ok(self.first_of(hash, |store| store.size_bytes(hash)).await?.1) })
    }

    fn contains(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let asked = self.first_of(hash, |store| {
                Box::pin(async move {
                    match store.contains(hash).await? {
                        true => Ok(()),
                        false => Err(BlobError::NotFound { hash }),
                    }
                })
            });
            match asked.await {
                Ok(_) => Ok(true),
                Err(BlobError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn bring_back(&self, hash: ContentHash) -> BoxFuture<'_, Result<Availability, BlobError>> {
        Box::pin(async move { Ok(self.first_of(hash, |store| store.bring_back(hash)).await?.1) })
    }

    fn list_recalls(&self) -> BoxFuture<'_, Result<Vec<Recall>, BlobError>> {
        Box::pin(async move {
            let mut recalls = Vec::new();
            for tier in &self.shared.tiers {
                recalls.extend(tier.store.list_recalls().await?);
            }
            Ok(recalls)
        })
    }

    fn delete(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let _claim = self.shared.claims.claim(hash).await;
            let mut was_there = false;
            for tier in &self.shared.tiers {
                was_there |= tier.store.delete(hash).await?;
            }
            Ok(was_there)
        })
    }

    fn delete_unless_put_since(
        &self,
        hash: ContentHash,
        since_ms: i64,
    ) -> BoxFuture<'_, Result<Deletion, BlobError>> {
        Box::pin(async move {
            let _claim = self.shared.claims.claim(hash).await;
            match self.shared.stat(hash).await {
                Err(BlobError::NotFound { .. }) => return Ok(Deletion::Missing),
                Ok(stat) if stat.last_put_ms >= since_ms => return Ok(Deletion::Kept),
                stat => stat?,
            };
            let mut freed = None;
            for tier in &self.shared.tiers {
                match tier.store.delete_unless_put_since(hash, since_ms).await? {
                    Deletion::Deleted { size_bytes } => {
                        freed = Some(freed.unwrap_or(0) + size_bytes);
                    }
                    // Somebody came in between; that copy is enough.
                    Deletion::Kept => return Ok(Deletion::Kept),
                    Deletion::Missing => {}
                }
            }
            Ok(
                freed.map_or(Deletion::Missing, |size_bytes| Deletion::Deleted {
                    size_bytes,
                }),
            )
        })
    }

    fn list(&self, after: Option<ContentHash>) -> BlobList {
        listing::blobs(Arc::clone(&self.shared), after)
    }

    fn list_strays(&self) -> StrayList {
        let tiers = self.shared.tiers.clone();
        let strays = tiers.into_iter().map(|tier| {
            tier.store.list_strays().map_ok(move |stray| Stray {
                path: Path::new(&tier.name).join(stray.path),
                kind: stray.kind,
            })
        });
        stream::iter(strays).flatten().boxed()
    }

    fn set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let _claim = self.shared.claims.claim(hash).await;
            let mut was_damaged = false;
            for tier in &self.shared.tiers {
                was_damaged |= tier.store.set_aside(hash).await?;
            }
            Ok(was_damaged)
        })
    }

    fn reseal(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let _claim = self.shared.claims.claim(hash).await;
            let (mut is_there, mut has_changed, mut failure) = (false, false, None);
            // Each copy: one that stays plain is read by whoever gets hold of it.
            for tier in &self.shared.tiers {
                match tier.store.reseal(hash).await {
                    Ok(changed) => (is_there, has_changed) = (true, has_changed | changed),
                    Err(BlobError::NotFound { .. }) => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            match failure {
                Some(failure) => Err(failure),
                None if is_there => Ok(has_changed),
                None => Err(BlobError::NotFound { hash }),
            }
        })
    }

    fn delete_set_aside(&self, hash: ContentHash) -> BoxFuture<'_, Result<u64, BlobError>> {
        Box::pin(async move {
            let mut deleted = 0;
            for tier in &self.shared.tiers {
                deleted += tier.store.delete_set_aside(hash).await?;
            }
            Ok(deleted)
        })
    }

    fn set_stray_aside(&self, stray: Stray) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            for tier in &self.shared.tiers {
                if let Ok(path) = stray.path.strip_prefix(&tier.name) {
                    let path = path.to_owned();
                    let kind = stray.kind;
                    return tier.store.set_stray_aside(Stray { path, kind }).await;
                }
            }
            Ok(false)
        })
    }

    fn check_health(&self) -> BoxFuture<'_, Result<Health, BlobError>> {
        Box::pin(async move {
            let mut health = Health { free_bytes: None };
            for (at, tier) in self.shared.tiers.iter().enumerate() {
                let here = tier.store.check_health().await?;
                if at == self.shared.first {
                    health = here;
                }
            }
            Ok(health)
        })
    }
}

impl Shared {
    /// Length and age of a blob, which is as young as its youngest copy.
    async fn stat(&self, hash: ContentHash) -> Result<BlobStat, BlobError> {
        loop {
            let moves = self.claims.moves();
            let (mut found, mut failure) = (None::<BlobStat>, None);
            for tier in &self.tiers {
                match tier.store.stat(hash).await {
                    Ok(stat) => found = Some(found.map_or(stat, |found| younger(found, stat))),
                    Err(BlobError::NotFound { .. }) => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            match (found, failure) {
                // A copy that cannot be asked might be younger.
                (_, Some(failure)) => return Err(failure),
                (Some(found), None) => return Ok(found),
                (None, None) if self.claims.moves() == moves => {
                    return Err(BlobError::NotFound { hash });
                }
                (None, None) => {}
            }
        }
    }
}

/// What is said of a blob with two copies: what the first says, as young as the younger.
fn younger(first: BlobStat, other: BlobStat) -> BlobStat {
    BlobStat {
        last_put_ms: first.last_put_ms.max(other.last_put_ms),
        ..first
    }
}
