//! One process at a time.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use super::explain;
use crate::problem::{Code, Problem};

/// The held lock file. The operating system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a data folder.
    ///
    /// # Errors
    /// `in_use` with the process that holds it, and what the operating system says.
    pub(super) fn take(folder: &Path) -> Result<Self, Problem> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join("lock"))
            .map_err(|error| explain(folder, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(folder, &mut file)),
            Err(errno) => return Err(explain(folder, errno.into())),
        }
        // Of the same length each time and never truncated, so that a full disk still takes it.
        writeln!(file, "{:<10}", std::process::id()).map_err(|error| explain(folder, error))?;
        Ok(Self { _file: file })
    }
}

fn in_use(folder: &Path, file: &mut File) -> Problem {
    let mut text = String::new();
    let holder = match file.read_to_string(&mut text) {
        Ok(_) => text.trim().parse::<u32>().ok(),
        Err(_) => None,
    };
    let by = holder.map_or_else(
        || "another process".to_owned(),
        |process| format!("process {process}"),
    );
    let problem = Problem::new(
        Code::InUse,
        format!("the data folder {} is in use by {by}", folder.display()),
    )
    .hint("Wait until it has ended, or stop it. Where `heirloom serve` was started first, scans and commands act through it.");
    match holder {
        Some(process) => problem.with("process", process),
        None => problem,
    }
}
