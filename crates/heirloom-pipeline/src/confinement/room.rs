//! Processes that wait for their next job: none for long, and together with little in memory.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::process::Pid;

use super::hand::AtWork;
use crate::machine::{self, kilobytes};

/// How processes wait between two jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomSettings {
    /// How much memory of their own all of them may have together, those included that work; then those that wait are
    /// ended, who waits longest first. What works is never ended for that.
    pub memory_bytes: u64,
    /// How long one waits.
    pub keep: Duration,
}

impl RoomSettings {
    /// How long a process waits unless somebody says otherwise.
    pub const KEEP: Duration = Duration::from_secs(60);

    /// What suits this machine: a quarter of its memory. `root` is `/`.
    #[must_use]
    pub fn for_machine(root: &Path) -> Self {
        Self {
            memory_bytes: machine::memory_bytes(root).map_or(UNKNOWN, |all| all / 4),
            keep: Self::KEEP,
        }
    }
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self::for_machine(Path::new("/"))
    }
}

/// A quarter of the memory of a machine that does not say how much it has.
const UNKNOWN: u64 = 1 << 30;

/// What a process has in memory that is nobody else's.
fn memory_of(process: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.as_raw_pid())).ok()?;
    kilobytes(&status, "RssAnon:")
}

/// Where the processes of hands wait. Cloning is cheap; the clones are the same room.
#[derive(Debug, Clone)]
pub(super) struct Room {
    settings: RoomSettings,
    desks: Arc<Mutex<Vec<Weak<Desk>>>>,
}

/// Where a hand's process waits.
#[derive(Debug)]
pub(super) struct Desk {
    /// Whether its process stays however long it waits.
    stays: bool,
    waiting: Mutex<Option<(Instant, AtWork)>>,
    is_working: AtomicBool,
    /// What its process had in memory after its last job, which the next is taken to need.
    bytes: AtomicU64,
}

impl Room {
    pub(super) fn new(settings: RoomSettings) -> Self {
        Self {
            settings,
            desks: Arc::default(),
        }
    }

    pub(super) const fn keep(&self) -> Duration {
        self.settings.keep
    }

    /// A place in it.
    pub(super) fn desk(&self, stays: bool) -> Arc<Desk> {
        let desk = Arc::new(Desk {
            stays,
            waiting: Mutex::default(),
            is_working: AtomicBool::default(),
            bytes: AtomicU64::default(),
        });
        let mut desks = lock(&self.desks);
        desks.retain(|desk| desk.strong_count() > 0);
        desks.push(Arc::downgrade(&desk));
        desk
    }

    /// Ends processes that wait until there is no more in memory than may be.
    pub(super) fn tidy(&self) {
        let desks: Vec<Arc<Desk>> = lock(&self.desks).iter().filter_map(Weak::upgrade).collect();
        let mut total: u64 = desks.iter().map(|desk| desk.bytes_now()).sum();
        while total > self.settings.memory_bytes {
            let waiting = desks.iter().filter(|desk| !desk.stays);
            let waiting = waiting.filter_map(|desk| Some((desk.waits_since()?, desk)));
            let Some((_, longest)) = waiting.min_by_key(|(since, _)| *since) else {
                return;
            };
            total = total.saturating_sub(longest.bytes_now());
            longest.clear();
        }
    }
}

impl Desk {
    /// The process that waits here, which works from now on, or a new one does.
    pub(super) fn take(&self) -> Option<AtWork> {
        self.is_working.store(true, Relaxed);
        lock(&self.waiting).take().map(|(_, process)| process)
    }

    /// Nobody works any longer; the process waits, if it goes on.
    pub(super) fn leave(&self, process: Option<AtWork>) {
        if let Some(bytes) = process.as_ref().and_then(AtWork::id).and_then(memory_of) {
            self.bytes.store(bytes, Relaxed);
        }
        *lock(&self.waiting) = process.map(|process| (Instant::now(), process));
        self.is_working.store(false, Relaxed);
    }

    /// Ends the process that waits, if one does.
    pub(super) fn clear(&self) {
        *lock(&self.waiting) = None;
    }

    /// Whether a process waits or works.
    pub(super) fn is_taken(&self) -> bool {
        self.is_working.load(Relaxed) || self.waits_since().is_some()
    }

    fn waits_since(&self) -> Option<Instant> {
        lock(&self.waiting).as_ref().map(|(since, _)| *since)
    }

    fn bytes_now(&self) -> u64 {
        match self.is_taken() {
            true => self.bytes.load(Relaxed),
            false => 0,
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
