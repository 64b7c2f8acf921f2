//! The states of a run, and how one leads to another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where one execution of a pipeline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Accepted, nothing begun.
    Pending,
    /// Units are being worked on.
    Running,
    /// No new unit is begun until it is resumed.
    Paused,
    /// Was told to stop; units still hold leases.
    Cancelling,
    /// Stopped before its end; no lease is held.
    Cancelled,
    /// Every unit has ended, some may have failed.
    Done,
    /// Could not go on as a whole, e.g. because its archive vanished.
    Failed,
}

/// What can happen to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunEvent {
    /// The first unit is taken.
    Start,
    /// Somebody asked it to wait.
    Pause,
    /// Somebody asked it to go on.
    Resume,
    /// Somebody asked it to stop.
    Cancel,
    /// The last lease of a cancelled run is gone.
    Drain,
    /// The last unit has ended.
    Finish,
    /// It cannot go on.
    Fail,
    /// Somebody asked for its failed units again.
    Retry,
}

/// An event that a run's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {state} cannot {event}")]
pub struct IllegalRunEvent {
    /// The state it was in.
    pub state: RunState,
    /// What was to happen.
    pub event: RunEvent,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Paused,
        Self::Cancelling,
        Self::Cancelled,
        Self::Done,
        Self::Failed,
    ];

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalRunEvent`] when the event makes no sense in this state; the state is then unchanged.
    pub const fn after(self, event: RunEvent) -> Result<Self, IllegalRunEvent> {
        use RunEvent as E;
        Ok(match (self, event) {
            (Self::Pending, E::Start) | (Self::Paused, E::Resume) => Self::Running,
            (Self::Pending | Self::Running, E::Pause) => Self::Paused,
            (Self::Pending | Self::Running | Self::Paused, E::Cancel) => Self::Cancelling,
            (Self::Cancelling, E::Drain) => Self::Cancelled,
            // A paused run may finish: the units that were held when it was paused were its last.
            (Self::Running | Self::Paused, E::Finish) => Self::Done,
            (Self::Pending | Self::Running | Self::Paused | Self::Cancelling, E::Fail) => {
                Self::Failed
            }
            (Self::Done | Self::Failed | Self::Cancelled, E::Retry) => Self::Running,
            (state, event) => return Err(IllegalRunEvent { state, event }),
        })
    }

    /// Whether nothing more happens to it unless somebody asks.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Done | Self::Failed)
    }

    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The state that this word names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl RunEvent {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Drain,
        Self::Finish,
        Self::Fail,
        Self::Retry,
    ];
}

impl fmt::Display for RunEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Pause => "be paused",
            Self::Resume => "be resumed",
            Self::Cancel => "be cancelled",
            Self::Drain => "be drained",
            Self::Finish => "finish",
            Self::Fail => "fail",
            Self::Retry => "be retried",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_illegal_transition_is_refused_and_each_legal_one_leads_where_it_should() {
        use RunState::{Cancelled, Cancelling, Done, Failed, Paused, Pending, Running};
        #[rustfmt::skip]
        // One row per state, one column per event: start pause resume cancel drain finish fail retry.
        let table: [(RunState, [Option<RunState>; 8]); 7] = [
            (Pending,    [Some(Running), Some(Paused), None, Some(Cancelling), None, None, Some(Failed), None]),
            (Running,    [None, Some(Paused), None, Some(Cancelling), None, Some(Done), Some(Failed), None]),
            (Paused,     [None, None, Some(Running), Some(Cancelling), None, Some(Done), Some(Failed), None]),
            (Cancelling, [None, None, None, None, Some(Cancelled), None, Some(Failed), None]),
            (Cancelled,  [None, None, None, None, None, None, None, Some(Running)]),
            (Done,       [None, None, None, None, None, None, None, Some(Running)]),
            (Failed,     [None, None, None, None, None, None, None, Some(Running)]),
        ];
        for (state, after) in table {
            for (event, expected) in RunEvent::ALL.into_iter().zip(after) {
                assert_eq!(state.after(event).ok(), expected, "{state} then {event}");
            }
        }
    }

    #[test]
    fn a_refusal_says_what_was_tried() {
        let refusal = RunState::Done.after(RunEvent::Pause).unwrap_err();
        assert_eq!(refusal.to_string(), "a run that is done cannot be paused");
    }
}
