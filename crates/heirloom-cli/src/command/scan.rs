//! `heirloom scan`

mod destination;
mod words;

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use heirloom_core::{path, run::RunState};
use heirloom_pipeline::archive::check_root;
use heirloom_server::{
    Code, Problem,
    wire::{Archive, NewArchive, NewScan, Run},
};

use super::{
    bar::Bar,
    run::{Stopping, see_all_through, see_through},
    signal::Ends,
};
use crate::{
    Ending,
    api::Api,
    arguments::Scan,
    config::Config,
    output::{Output, line},
};
use destination::Destination;
pub(super) use words::{describe_progress, describe_report};

/// Refuses what cannot be scanned before a data folder is opened or made.
pub(super) fn check(asked: &Scan, config: &Config) -> Result<(), Problem> {
    // A data folder that does not exist yet must not be made inside of what is to be scanned.
    let data_folder = resolve(&config.data.value);
    let root = check_root(&asked.path, &data_folder, &[])?;
    if let Some(report) = &asked.report {
        destination::refuse_below(report, root.path(), "the folder that is to be scanned")?;
        destination::refuse_existing(report, &data_folder)?;
    }
    Ok(())
}

/// Makes the folder an archive, scans it, and waits for the end.
pub(super) async fn scan(api: &Api, asked: &Scan, output: &Output) -> Result<Ending, Problem> {
    if asked.no_wait && !api.is_served() {
        return Err(Problem::new(
            Code::Refused,
            "no server is running that could go on with the scan",
        )
        .hint("Start `heirloom serve` first, or leave --no-wait out."));
    }
    let destination = match &asked.report {
        Some(file) => Some(Destination::prepare(api, file).await?),
        None => None,
    };
    let folder = std::path::absolute(&asked.path).unwrap_or_else(|_| asked.path.clone());
    let new = NewArchive {
        path: path::to_text(folder.as_os_str().as_bytes()),
        name: asked.name.clone(),
    };
    // From here on Ctrl-C ends the scan in order.
    let ends = Ends::listen();
    let archive: Archive = api.post("/api/v1/archives", &new).await?;
    let new = NewScan {
        verify: asked.verify,
        allow_empty: asked.allow_empty,
        report: destination.is_some(),
        process: !asked.no_process,
    };
    let run: Run = api
        .post(&format!("/api/v1/archives/{}/scans", archive.id), &new)
        .await?;
    if asked.no_wait {
        output.data(&run, || {
            format!(
                "The server scans {}. See `heirloom run status {}`.",
                line(&archive.name),
                run.id
            )
        });
        return Ok(Ending::Done);
    }
    let run = wait(api, run, ends, output).await?;
    if let Some(destination) = destination {
        destination.fill(api, run.id).await?;
    }
    let failed = run
        .report
        .as_ref()
        .is_none_or(|report| !report.failed.is_empty());
    let ending = if run.state == RunState::Done && !failed {
        Ending::Done
    } else {
        Ending::Partly
    };
    output.tell(words::describe_end(&archive, &run).trim_end());
    let Some(next) = run.next_run_id else {
        output.data(&run, String::new);
        return Ok(ending);
    };
    let (then, said) = see_all_through(api, next, output).await?;
    output.data(&run, || said);
    Ok(match then {
        Ending::Done => ending,
        _ => Ending::Partly,
    })
}

/// Waits until the run has ended, and shows how far it is.
async fn wait(api: &Api, run: Run, ends: Ends, output: &Output) -> Result<Run, Problem> {
    let stopping = Stopping {
        said: "stopping; what was found so far is kept",
        left: "the scan was left in the middle",
        hint: "Scan again: it goes on where it was.",
    };
    let show = |bar: &mut Bar, run: &Run| {
        let progress = &run.progress;
        let words = words::progress_line(progress);
        bar.show(progress.files_done, progress.files, words);
    };
    see_through(api, &run, ends, &stopping, output, show).await
}

/// A path without links and `..`, as far as it exists.
fn resolve(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for existing in absolute.ancestors() {
        if let Ok(found) = existing.canonicalize() {
            let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() {
                found
            } else {
                found.join(rest)
            };
        }
    }
    absolute
}
