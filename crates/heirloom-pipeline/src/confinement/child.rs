//! What a confined process does before anything else: it gives up what it does not need.

use std::{
    convert::Infallible,
    ffi::{CString, OsStr, OsString},
    fs,
    io::{self, Write as _},
    os::{
        fd::RawFd,
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::Path,
    process::ExitCode,
};

use rustix::{
    process::{
        Pid, Resource, Rlimit, Signal, getppid, nice, set_parent_process_death_signal, setrlimit,
        setsid,
    },
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Jobs, Limits, Strength,
    calls::{self, Use},
    files::{self, Openable},
    job,
    limits::whole_seconds,
};

/// The word on the command line that leads here.
pub(super) const DOOR: &str = "confined";

/// The exit code of a child that could not be confined, with [`NOT_CONFINED`] before its reason.
pub(super) const NOT_CONFINED_CODE: u8 = 125;
pub(super) const NOT_CONFINED: &str = "not confined: ";

/// What a child is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Errand {
    /// To become the program that the rest of the command line names, over the file on its standard
    /// input, if there is one, writing below its working directory.
    Program { has_input: bool },
    /// To do the jobs that come through the socket on its standard input. The rest of the command line names a
    /// folder that it may read, if there is one.
    Hand,
    /// To say how well it is confined.
    Probe,
}

/// What a child is told when it starts. Numbers only: paths are bytes, and stand beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Orders {
    errand: Errand,
    limits: Limits,
    parent: u32,
}

impl Orders {
    pub(super) fn new(errand: Errand, limits: &Limits) -> Self {
        Self {
            errand,
            limits: *limits,
            parent: std::process::id(),
        }
    }
}

/// Does what a confined process is there for, and gives its exit code; `None` where this is no such
/// process. It has to come first in `main`: before any thread, any file and any setting. `jobs` is what
/// a [`Hand`](super::Hand) can do.
pub fn enter(jobs: impl Jobs) -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != DOOR {
        return None;
    }
    let outcome = words
        .next()
        .and_then(|orders| serde_json::from_slice(orders.as_encoded_bytes()).ok())
        .ok_or_else(|| io::Error::other("it was started without orders"))
        .and_then(|orders: Orders| obey(&orders, words.collect(), jobs));
    Some(outcome.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{NOT_CONFINED}{error}");
        ExitCode::from(NOT_CONFINED_CODE)
    }))
}

fn obey(orders: &Orders, command: Vec<OsString>, jobs: impl Jobs) -> io::Result<ExitCode> {
    close_inherited()?;
    // The signal comes when the thread that started this ends, and not if it had ended before.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().map(Pid::as_raw_pid) != Some(orders.parent.cast_signed()) {
        return Err(io::Error::other("whoever started it is gone"));
    }
    // It has a group of its own already if it was started by hand from a shell.
    let _ = setsid();
    let _ = nice(5);
    // Whoever reads hostile bytes goes first when the machine runs out of memory.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    limit(orders)?;
    give_up_privileges(orders.errand)?;
    match orders.errand {
        Errand::Program { has_input } => match become_program(command, has_input)? {},
        Errand::Hand => {
            let openable = Openable {
                folder: command.first().map(Path::new),
                ..Openable::default()
            };
            give_up(openable, Use::Hand)?;
            Ok(job::serve(jobs))
        }
        Errand::Probe => {
            let strength = give_up(Openable::default(), Use::Nothing)?;
            let answer = serde_json::to_string(&strength)?;
            io::stdout().write_all(answer.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn become_program(command: Vec<OsString>, has_input: bool) -> io::Result<Infallible> {
    let words: Result<Vec<CString>, _> = command
        .into_iter()
        .map(|word| CString::new(word.into_vec()))
        .collect();
    let words = words?;
    let [path, arguments @ ..] = words.as_slice() else {
        return Err(io::Error::other("no program was named"));
    };
    let environment = [
        c"LC_ALL=C.UTF-8",
        c"AV_LOG_FORCE_NOCOLOR=1",
        // tesseract's threads wait for one another more than they compute.
        c"OMP_THREAD_LIMIT=1",
        c"PATH=/usr/local/bin:/usr/bin:/bin",
    ];
    let openable = Openable {
        program: Some(Path::new(OsStr::from_bytes(path.to_bytes()))),
        is_input: has_input,
        scratch: Some(Path::new(".")),
        folder: None,
    };
    give_up(openable, Use::Program(path))?;
    let words: Vec<&CString> = std::iter::once(path).chain(arguments).collect();
    Ok(nix::unistd::execve(path, &words, &environment)?)
}

fn give_up(openable: Openable<'_>, what: Use<'_>) -> io::Result<Strength> {
    set_no_new_privs(true)?;
    Ok(Strength {
        landlock: files::give_up(openable).map_err(io::Error::other)?,
        has_seccomp: calls::give_up(what).map_err(io::Error::other)?,
    })
}

/// Closes what whoever started Heirloom left open, such as a shell's or an init system's sockets.
fn close_inherited() -> io::Result<()> {
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // The one that listed them is closed already.
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

/// The limits that the kernel keeps by itself, and that nothing below can raise.
fn limit(orders: &Orders) -> io::Result<()> {
    let limits = &orders.limits;
    let cpu = whole_seconds(limits.cpu);
    let mut all = vec![
        (Resource::As, limits.memory_bytes, limits.memory_bytes),
        (Resource::Core, 0, 0),
        (Resource::Nofile, 128, 128),
        (Resource::Memlock, 1 << 20, 1 << 20),
        (Resource::Msgqueue, 0, 0),
    ];
    match orders.errand {
        Errand::Program { .. } => {
            all.push((Resource::Fsize, limits.scratch_bytes, limits.scratch_bytes));
            // One second later whoever does not heed the first signal is killed.
            all.push((Resource::Cpu, cpu, cpu + 1));
        }
        // Its parent sets the limit for each job.
        Errand::Hand | Errand::Probe => all.push((Resource::Fsize, 0, 0)),
    }
    for (resource, soft, hard) in all {
        let before = rustix::process::getrlimit(resource);
        let lower = |wanted: u64, now: Option<u64>| Some(now.map_or(wanted, |now| now.min(wanted)));
        let limit = Rlimit {
            current: lower(soft, before.maximum),
            maximum: lower(hard, before.maximum),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// Root, too, keeps nothing of what makes it root. A program has to open its input anew by its
/// descriptor, which takes the right to read whatever its owner; Landlock allows that one file.
fn give_up_privileges(errand: Errand) -> io::Result<()> {
    let now = capabilities(None)?;
    if now.permitted.is_empty() {
        return Ok(());
    }
    let kept = match errand {
        Errand::Program { .. } => now.permitted & CapabilitySet::DAC_READ_SEARCH,
        Errand::Hand | Errand::Probe => CapabilitySet::empty(),
    };
    let _ = clear_ambient_capability_set();
    if now.effective.contains(CapabilitySet::SETPCAP) {
        for capability in (now.permitted - kept).iter() {
            remove_capability_from_bounding_set(capability)?;
        }
    }
    set_capabilities(
        None,
        CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(())
}
