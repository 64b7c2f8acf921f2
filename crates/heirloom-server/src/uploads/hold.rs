//! The right to work at an upload. Whoever comes asks whoever has it to let go.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heirloom_core::UploadId;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// How long it may take until whoever works at an upload has let go: what came has to be on the disk.
/// What is being added is not let go of before it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which uploads are worked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds {
    slots: Arc<Mutex<HashMap<UploadId, Arc<Slot>>>>,
}

#[derive(Debug, Default)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Asks whoever has the turn to let go.
    leave: Mutex<CancellationToken>,
}

/// An upload that nobody else works at until this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    id: UploadId,
    /// Cancelled when somebody else wants the upload.
    pub(super) leave: CancellationToken,
    turn: Option<OwnedMutexGuard<()>>,
    slot: Option<Arc<Slot>>,
    holds: Holds,
}

impl Holds {
    /// Takes an upload, from whoever has it; `None` when they do not let go. Whoever holds it then is
    /// asked to let go as well when `stopping` is cancelled.
    pub(super) async fn take(&self, id: UploadId, stopping: &CancellationToken) -> Option<Hold> {
        let slot = Arc::clone(self.lock().entry(id).or_default());
        // Should it not be given, dropping this takes a slot away that nobody needs.
        let mut hold = Hold {
            id,
            leave: stopping.child_token(),
            turn: None,
            slot: Some(Arc::clone(&slot)),
            holds: self.clone(),
        };
        leave_of(&slot).cancel();
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&slot.turn).lock_owned()).await;
        hold.turn = Some(turn.ok()?);
        *slot.leave.lock().unwrap_or_else(PoisonError::into_inner) = hold.leave.clone();
        Some(hold)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<UploadId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn leave_of(slot: &Slot) -> CancellationToken {
    let leave = slot.leave.lock().unwrap_or_else(PoisonError::into_inner);
    leave.clone()
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.turn = None;
        let mut slots = self.holds.lock();
        self.slot = None;
        // Nobody has it and nobody waits for it.
        if slots
            .get(&self.id)
            .is_some_and(|slot| Arc::strong_count(slot) == 1)
        {
            slots.remove(&self.id);
        }
    }
}
