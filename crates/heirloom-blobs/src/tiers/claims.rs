//! Who does what with which blob: one at a time moves it or deletes it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use heirloom_core::ContentHash;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// Addresses are good for as long by the clock of somebody else.
const LEEWAY: Duration = Duration::from_secs(60);
/// So many addresses are remembered before those are looked for that are no longer good.
const MANY_SIGNED: usize = 4_096;

/// Blobs that a listing under way has to look for once more.
pub(super) type Log = Arc<Mutex<BTreeSet<ContentHash>>>;

#[derive(Debug, Default)]
pub(super) struct Claims {
    held: Mutex<Held>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    /// Blobs that somebody is moving, and how to tell them that somebody else wants to delete it.
    moving: HashMap<ContentHash, CancellationToken>,
    deleting: HashSet<ContentHash>,
    /// Until when addresses are good that were given out.
    signed: HashMap<ContentHash, Instant>,
    /// How often something left a place for another.
    moves: u64,
    listings: Vec<Weak<Mutex<BTreeSet<ContentHash>>>>,
}

impl Claims {
    /// Keeps everybody else from moving and deleting a blob; whoever moves it stops.
    pub(super) async fn claim(&self, hash: ContentHash) -> Claim<'_> {
        loop {
            // Before the look, so that what is freed right after it is not missed.
            let freed = self.freed.notified();
            {
                let mut held = self.held();
                if let Some(mover) = held.moving.get(&hash) {
                    mover.cancel();
                } else if held.deleting.insert(hash) {
                    return Claim { claims: self, hash };
                }
            }
            freed.await;
        }
    }

    /// The same to move it, with what tells that somebody wants to delete it; `None` when it is not the time.
    pub(super) fn claim_to_move(
        &self,
        hash: ContentHash,
    ) -> Option<(Claim<'_>, CancellationToken)> {
        let mut held = self.held();
        let is_signed = held
            .signed
            .get(&hash)
            .is_some_and(|until| *until > Instant::now());
        if is_signed || held.deleting.contains(&hash) || held.moving.contains_key(&hash) {
            return None;
        }
        let wanted = CancellationToken::new();
        held.moving.insert(hash, wanted.clone());
        Some((Claim { claims: self, hash }, wanted))
    }

    /// Notes that an address of a blob is given out; `false` while it is moved.
    pub(super) fn note_signed(&self, hash: ContentHash, duration: Duration) -> bool {
        let mut held = self.held();
        if held.moving.contains_key(&hash) {
            return false;
        }
        let now = Instant::now();
        if held.signed.len() >= MANY_SIGNED {
            held.signed.retain(|_, until| *until > now);
        }
        held.signed.insert(hash, now + duration + LEEWAY);
        true
    }

    /// How often something left a place for another until now. Said before it leaves.
    pub(super) fn moves(&self) -> u64 {
        self.held().moves
    }

    /// Says that a blob leaves a place and is in another.
    pub(super) fn note_move(&self, hash: ContentHash) {
        let mut held = self.held();
        held.moves += 1;
        held.listings.retain(|listing| match listing.upgrade() {
            Some(log) => {
                locked(&log).insert(hash);
                true
            }
            None => false,
        });
    }

    /// What is moved from now on, for as long as it is kept.
    pub(super) fn listen(&self) -> Log {
        let log = Log::default();
        self.held().listings.push(Arc::downgrade(&log));
        log
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        locked(&self.held)
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A blob that nobody else moves or deletes, until this is dropped.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    hash: ContentHash,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut held = self.claims.held();
        held.moving.remove(&self.hash);
        held.deleting.remove(&self.hash);
        drop(held);
        self.claims.freed.notify_waiters();
    }
}
