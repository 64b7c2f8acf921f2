//! What a scan found, a line of JSON for each file, in the data folder.
//!
//! A report names what it is about, so a purge takes all reports along. Only the newest of them are
//! kept.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use heirloom_core::RunId;
use heirloom_pipeline::scan::FileOutcome;

use crate::{data_folder::explain, problem::Problem};

/// How many reports are kept.
const KEPT: usize = 5;

/// A report that is being written. Where it cannot be written any further it ends there: the scan
/// matters more.
#[derive(Debug)]
pub(super) struct ReportFile {
    lines: Option<BufWriter<File>>,
}

/// Where the report of a run is.
pub(crate) fn report_path(folder: &Path, run: RunId) -> PathBuf {
    folder.join(format!("{run}.jsonl"))
}

/// Deletes every report.
///
/// # Errors
/// What the operating system says.
pub(crate) fn delete_reports(folder: &Path) -> io::Result<()> {
    for path in list(folder)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

impl ReportFile {
    /// Begins the report of a run.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn create(folder: &Path, run: RunId) -> Result<Self, Problem> {
        let create = || {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            let path = report_path(folder, run);
            let mut old = list(folder)?;
            old.retain(|other| *other != path);
            for path in old.iter().rev().skip(KEPT - 1) {
                fs::remove_file(path)?;
            }
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)
        };
        let file = create().map_err(|error| explain(folder, error))?;
        Ok(Self {
            lines: Some(BufWriter::with_capacity(256 * 1024, file)),
        })
    }

    /// Adds a line.
    pub(super) fn write(&mut self, file: &FileOutcome) {
        let Some(lines) = &mut self.lines else { return };
        let written = serde_json::to_writer(&mut *lines, file)
            .map_err(io::Error::from)
            .and_then(|()| lines.write_all(b"\n"));
        if let Err(error) = written {
            self.give_up(&error);
        }
    }

    /// Ends it.
    pub(super) fn finish(mut self) {
        if let Some(lines) = &mut self.lines
            && let Err(error) = lines.flush()
        {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &io::Error) {
        tracing::warn!(%error, "the report of a scan could not be written to its end");
        // What is still in its buffer would be tried again when it is dropped.
        if let Some(lines) = self.lines.take() {
            drop(lines.into_parts());
        }
    }
}

/// The reports, the oldest first: their names begin with the time.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
