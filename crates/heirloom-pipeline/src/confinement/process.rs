//! A child as its parent sees it: watched, killed, and its end explained.

use std::{
    io::Read as _,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::process::ExitStatusExt as _,
    },
    process::{Child, ChildStderr, ExitStatus},
    time::{Duration, Instant},
};

use heirloom_core::unit::FailureCode;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};
use tokio_util::sync::CancellationToken;

use super::{
    ConfinementError, Excess,
    child::{NOT_CONFINED, NOT_CONFINED_CODE},
    error::plain,
    limits::whole_seconds,
};

/// How often a parent looks whether a child is still wanted and within its limits.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The end of what a child said is enough to explain it.
const SAID_BYTES: usize = 4096;

/// A child. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    /// What it is called when something is wrong with it.
    pub(super) name: String,
    child: Child,
    stderr: Option<ChildStderr>,
    said: Vec<u8>,
}

/// Until when and for whom a child works.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub(super) started: Instant,
    pub(super) wall: Duration,
    pub(super) cpu: Duration,
    /// What it had computed before, for others.
    pub(super) cpu_before: Duration,
    pub(super) cancelled: &'a CancellationToken,
}

/// How a child ended by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// What it computed, over all its threads.
    pub(super) cpu: Duration,
}

impl Bounds<'_> {
    /// An error as soon as the child is to be killed.
    pub(super) fn check(&self) -> Result<(), ConfinementError> {
        if self.cancelled.is_cancelled() {
            return Err(ConfinementError::Cancelled);
        }
        if self.started.elapsed() > self.wall {
            return Err(ConfinementError::OutOfTime { limit: self.wall });
        }
        Ok(())
    }
}

impl Process {
    pub(super) fn new(name: impl Into<String>, mut child: Child) -> Self {
        Self {
            name: name.into(),
            stderr: child.stderr.take(),
            child,
            said: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> Option<Pid> {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Takes standard output from it.
    pub(super) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits a moment for something to read from `other`, and keeps what the child says meanwhile. True
    /// when a read from `other` does not wait.
    pub(super) fn wait_for(&mut self, other: Option<BorrowedFd<'_>>) -> bool {
        let mut watched = Vec::with_capacity(2);
        let flags = PollFlags::IN;
        watched.extend(other.map(|other| PollFd::from_borrowed_fd(other, flags)));
        if let Some(stderr) = &self.stderr {
            watched.push(PollFd::from_borrowed_fd(stderr.as_fd(), flags));
        }
        if watched.is_empty() {
            std::thread::sleep(LOOK_EVERY.min(Duration::from_millis(2)));
            return false;
        }
        let moment = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(LOOK_EVERY.subsec_nanos()),
        };
        match poll(&mut watched, Some(&moment)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => std::thread::sleep(LOOK_EVERY),
        }
        let ready: Vec<bool> = watched
            .iter()
            .map(|watched| !watched.revents().is_empty())
            .collect();
        let has_said = self.stderr.is_some() && ready.last() == Some(&true);
        if has_said {
            self.listen();
        }
        other.is_some() && ready.first() == Some(&true)
    }

    pub(super) fn is_silent(&self) -> bool {
        self.stderr.is_none()
    }

    /// Reads once from its standard error.
    fn listen(&mut self) {
        let mut block = [0; 4096];
        let Some(stderr) = &mut self.stderr else {
            return;
        };
        match stderr.read(&mut block) {
            Ok(0) | Err(_) => self.stderr = None,
            Ok(length) => {
                self.said.extend(block.iter().take(length));
                let surplus = self.said.len().saturating_sub(SAID_BYTES);
                self.said.drain(..surplus);
            }
        }
    }

    /// The end of what it said.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        let id = self.id()?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(id), options).ok().flatten()?;
        // What it computed is told only until it is waited for.
        let cpu = computed(id).unwrap_or_default();
        let status = self.child.try_wait().ok().flatten()?;
        Some(Ended { status, cpu })
    }

    /// What an end that was none of ours means.
    pub(super) fn explain(&self, ended: Ended, bounds: &Bounds<'_>) -> ConfinementError {
        let said = self.said();
        let most = Duration::from_secs(whole_seconds(bounds.cpu_before + bounds.cpu));
        let is_out_of_time = ended.cpu + Duration::from_millis(50) >= most;
        let signal = ended.status.signal();
        if let Some(reason) = said.strip_prefix(NOT_CONFINED)
            && ended.status.code() == Some(i32::from(NOT_CONFINED_CODE))
        {
            return ConfinementError::CouldNotStart {
                program: self.name.clone(),
                reason: plain(reason),
            };
        }
        match signal {
            Some(libc::SIGXCPU) => ConfinementError::OutOfTime { limit: bounds.cpu },
            _ if is_out_of_time => ConfinementError::OutOfTime { limit: bounds.cpu },
            Some(libc::SIGXFSZ) => ConfinementError::TooMuch(Excess::Disk),
            // Nobody here sent it, so it was the kernel, which had no memory left.
            Some(libc::SIGKILL) => ConfinementError::OutOfMemory,
            _ if OUT_OF_MEMORY.iter().any(|words| said.contains(words)) => {
                ConfinementError::OutOfMemory
            }
            _ if NO_SPACE.iter().any(|words| said.contains(words)) => ConfinementError::NoSpace,
            Some(signal) => ConfinementError::Killed {
                program: self.name.clone(),
                signal,
            },
            None => ConfinementError::failed(FailureCode::Other, plain(&said)),
        }
    }

    /// Ends it with everything that it may have started.
    pub(super) fn kill(&mut self) {
        // Once it was waited for its number may be another's.
        if let Ok(None) = self.child.try_wait() {
            if let Some(id) = self.id() {
                let _ = kill_process_group(id, Signal::KILL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How programs say that they get no more memory.
const OUT_OF_MEMORY: [&str; 5] = [
    "Cannot allocate memory",
    "memory allocation of",
    "bad_alloc",
    "Out of memory",
    "out of memory",
];

/// How programs say that the disk is full.
const NO_SPACE: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// What a process computed so far, from `/proc/PID/stat`.
pub(super) fn computed(id: Pid) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_pid())).ok()?;
    // The name in parentheses may hold anything; behind it the third field comes first.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(
        ticks.saturating_mul(1000) / per_second,
    ))
}
