//! Keeping blobs where they are while a backup reads them.
//!
//! Who removes blobs and who backs up take turns: a catalogue that is frozen refers to blobs that somebody may
//! let go of a moment later.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Read by who removes, written by who needs everything to stay. One process has the store of a library.
static BLOBS: RwLock<()> = RwLock::const_new(());

/// Keeps every blob of this process's libraries until it is dropped; waits for who is removing some.
pub async fn hold_blobs() -> RwLockWriteGuard<'static, ()> {
    BLOBS.write().await
}

/// Leave to remove blobs, until it is dropped; `None` while they have to stay.
pub(crate) fn may_remove_blobs() -> Option<RwLockReadGuard<'static, ()>> {
    BLOBS.try_read().ok()
}
