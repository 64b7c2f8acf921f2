//! The states of a unit, and how one leads to another.

mod failure;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use failure::FailureCode;

/// Where one subject stands in one step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitState {
    /// Waits to be leased, for the first time or again.
    Pending,
    /// Somebody holds its lease.
    Running,
    /// Its artifacts are stored.
    Done,
    /// There was nothing to do: the artifacts were there, or the step does not apply.
    Skipped,
    /// Was given up, with a reason.
    Failed,
    /// Its run was cancelled first.
    Cancelled,
}

/// What can happen to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitEvent {
    /// A worker takes it.
    Lease,
    /// Its worker let go without an end: the lease ran out, or the reason is temporary.
    Release,
    /// Its artifacts are stored.
    Complete,
    /// There is nothing to do.
    Skip,
    /// It will not work, or was tried often enough.
    Fail,
    /// Its run is cancelled.
    Cancel,
    /// Somebody asked for it again.
    Retry,
}

/// An event that a unit's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a unit that is {state} cannot {event}")]
pub struct IllegalUnitEvent {
    /// The state it was in.
    pub state: UnitState,
    /// What was to happen.
    pub event: UnitEvent,
}

impl UnitState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Skipped,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalUnitEvent`] when the event makes no sense in this state; the state is then unchanged.
    pub const fn after(self, event: UnitEvent) -> Result<Self, IllegalUnitEvent> {
        use UnitEvent as E;
        Ok(match (self, event) {
            (Self::Pending, E::Lease) => Self::Running,
            (Self::Running, E::Release) | (Self::Failed | Self::Cancelled, E::Retry) => {
                Self::Pending
            }
            (Self::Running, E::Complete) => Self::Done,
            (Self::Pending | Self::Running, E::Skip) => Self::Skipped,
            (Self::Running, E::Fail) => Self::Failed,
            (Self::Pending | Self::Running, E::Cancel) => Self::Cancelled,
            (state, event) => return Err(IllegalUnitEvent { state, event }),
        })
    }

    /// Whether nothing more happens to it unless somebody asks.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state that this word names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for UnitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a unit waits after an attempt that failed for the moment, before it is tried again, in
/// milliseconds: a second, doubled with each further attempt up to five minutes, and between half and
/// one and a half of that as `dice` falls, so that what failed together is not tried together.
#[must_use]
pub const fn backoff_ms(attempts: u32, dice: u64) -> u64 {
    const LONGEST_MS: u64 = 5 * 60 * 1000;
    let doublings = if attempts > 20 {
        20
    } else {
        attempts.saturating_sub(1)
    };
    let wait_ms = 1000 << doublings;
    let wait_ms = if wait_ms > LONGEST_MS {
        LONGEST_MS
    } else {
        wait_ms
    };
    wait_ms / 2 + dice % (wait_ms + 1)
}

impl UnitEvent {
    /// Every event.
    pub const ALL: [Self; 7] = [
        Self::Lease,
        Self::Release,
        Self::Complete,
        Self::Skip,
        Self::Fail,
        Self::Cancel,
        Self::Retry,
    ];
}

impl fmt::Display for UnitEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lease => "be leased",
            Self::Release => "be released",
            Self::Complete => "be completed",
            Self::Skip => "be skipped",
            Self::Fail => "fail",
            Self::Cancel => "be cancelled",
            Self::Retry => "be retried",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_waits_longer_and_none_for_ever() {
        // Attempts, and the shortest and the longest wait after them.
        for (attempts, shortest, longest) in [
            (0, 500, 1500),
            (1, 500, 1500),
            (2, 1000, 3000),
            (5, 8000, 24_000),
            (10, 150_000, 450_000),
            (u32::MAX, 150_000, 450_000),
        ] {
            assert_eq!(backoff_ms(attempts, 0), shortest, "{attempts}");
            assert_eq!(
                backoff_ms(attempts, longest - shortest),
                longest,
                "{attempts}"
            );
            for dice in [1, 77, 4_711, u64::MAX] {
                let wait_ms = backoff_ms(attempts, dice);
                assert!(
                    (shortest..=longest).contains(&wait_ms),
                    "{attempts} {dice}: {wait_ms}"
                );
            }
        }
    }

    #[test]
    fn each_illegal_transition_is_refused_and_each_legal_one_leads_where_it_should() {
        use UnitState::{Cancelled, Done, Failed, Pending, Running, Skipped};
        #[rustfmt::skip]
        // One row per state, one column per event: lease release complete skip fail cancel retry.
        let table: [(UnitState, [Option<UnitState>; 7]); 6] = [
            (Pending,   [Some(Running), None, None, Some(Skipped), None, Some(Cancelled), None]),
            (Running,   [None, Some(Pending), Some(Done), Some(Skipped), Some(Failed), Some(Cancelled), None]),
            (Done,      [None; 7]),
            (Skipped,   [None; 7]),
            (Failed,    [None, None, None, None, None, None, Some(Pending)]),
            (Cancelled, [None, None, None, None, None, None, Some(Pending)]),
        ];
        for (state, after) in table {
            for (event, expected) in UnitEvent::ALL.into_iter().zip(after) {
                assert_eq!(state.after(event).ok(), expected, "{state} then {event}");
            }
        }
    }
}
