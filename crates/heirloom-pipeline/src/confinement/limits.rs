//! How much a confined process may take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much a command tool may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How long it may take by the clock on the wall.
    pub wall: Duration,
    /// How long it may compute, over all its threads; whole seconds, rounded up.
    pub cpu: Duration,
    /// How much memory it may map.
    pub memory_bytes: u64,
    /// How much it may write to files, together.
    pub scratch_bytes: u64,
    /// How much it may write to its standard output, where that is kept.
    pub stdout_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(60),
            cpu: Duration::from_secs(60),
            memory_bytes: 2 << 30,
            scratch_bytes: 64 << 20,
            stdout_bytes: 16 << 20,
        }
    }
}

/// How much one job of a [`Hand`](super::Hand) may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLimits {
    /// How long it may take by the clock on the wall.
    pub wall: Duration,
    /// How long it may compute, over all its threads; whole seconds, rounded up.
    pub cpu: Duration,
    /// How many bytes it may answer, together.
    pub answer_bytes: u64,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(60),
            cpu: Duration::from_secs(60),
            answer_bytes: 256 << 20,
        }
    }
}

/// Seconds for a limit of the kernel, which counts whole ones; at least one.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}
