//! `heirloom export` and `heirloom import`

use std::{os::unix::ffi::OsStrExt as _, path::Path};

use heirloom_core::{path, run::RunState};
use heirloom_server::{
    Code, Problem, check_importable,
    wire::{ExportReport, ImportReport, ImportSource, NewExport, NewImport, Run, TransferProblem},
};

use super::{
    bar::Bar,
    collection,
    run::{Stopping, see_all_through, see_through},
    signal::Ends,
};
use crate::{
    Ending,
    api::Api,
    arguments::{Export, Import, Program},
    config::Config,
    output::{Output, count, line, number_of, size},
};

/// Exports, and waits for the end.
pub(super) async fn export(api: &Api, asked: &Export, output: &Output) -> Result<Ending, Problem> {
    let collection_id = match &asked.collection {
        Some(collection) => Some(collection::find(api, collection, false).await?.id),
        None => None,
    };
    let new = NewExport {
        path: absolute(&asked.folder),
        collection_id,
        family: asked.family.clone(),
    };
    let ends = Ends::listen();
    let run: Run = api.post("/api/v1/exports", &new).await?;
    let run = wait(api, run, ends, output).await?;
    let Some(report) = run.export.clone() else {
        return Err(why(&run, "Exporting there again goes on where this ended."));
    };
    output.data(&run, || describe_export(&report));
    tell_problems(output, &report.problems, report.problem_count);
    Ok(ending(report.problem_count))
}

/// Opens the library that something is imported into. Where there is none it is begun, unless what was named is nothing
/// that can be imported.
pub(super) async fn connect(asked: &Import, config: &Config) -> Result<Api, Problem> {
    match Api::connect(config, false).await {
        Err(problem) if problem.code() == Code::NoLibrary && !asked.dry_run => {
            check_importable(&asked.folders, asked.from.map(source), &config.data.value)?;
            Api::connect(config, true).await
        }
        connected => connected,
    }
}

/// Imports, and waits for the end.
pub(super) async fn import(api: &Api, asked: &Import, output: &Output) -> Result<Ending, Problem> {
    let new = NewImport {
        paths: asked
            .folders
            .iter()
            .map(|folder| absolute(folder))
            .collect(),
        from: asked.from.map(source),
        dry_run: asked.dry_run,
        process: !asked.no_process,
    };
    let ends = Ends::listen();
    let run: Run = api.post("/api/v1/imports", &new).await?;
    let run = wait(api, run, ends, output).await?;
    finish_import(api, run, output).await
}

/// Tells how an import ended, and waits for what prepares what came.
pub(super) async fn finish_import(api: &Api, run: Run, output: &Output) -> Result<Ending, Problem> {
    let Some(report) = run.import.clone() else {
        return Err(why(&run, "Importing it again goes on where this ended."));
    };
    output.tell(describe_import(&report).trim_end());
    let notes = report.notes.iter().map(|it| (&it.name, &it.what));
    tell(output, notes, report.note_count);
    tell_problems(output, &report.problems, report.problem_count);
    let mut ending = ending(report.problem_count);
    if let Some(next) = run.next_run_id {
        let (then, _) = see_all_through(api, next, output).await?;
        if !matches!(then, Ending::Done) {
            ending = Ending::Partly;
        }
    }
    output.data(&run, String::new);
    Ok(ending)
}

pub(super) fn absolute(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    path::to_text(folder.as_os_str().as_bytes())
}

/// Waits until the run has ended, and shows how far it is.
pub(super) async fn wait(api: &Api, run: Run, ends: Ends, output: &Output) -> Result<Run, Problem> {
    let stopping = Stopping {
        said: "stopping; what was done so far is kept",
        left: "it was left in the middle",
        hint: "Do the same again: it goes on where it was.",
    };
    let show = |bar: &mut Bar, run: &Run| {
        let progress = &run.progress;
        let words = format!(
            "{} of {}, {} of {}",
            count(progress.files_done),
            number_of(progress.files, "file", "files"),
            size(progress.bytes_done),
            size(progress.bytes),
        );
        bar.show(progress.bytes_done, progress.bytes, words);
    };
    see_through(api, &run, ends, &stopping, output, show).await
}

pub(super) fn why(run: &Run, hint: &str) -> Problem {
    let message = match (&run.error, run.state) {
        (Some(error), _) => error.clone(),
        (None, RunState::Cancelled) => "it was stopped before the end".to_owned(),
        (None, _) => "it did not come to its end".to_owned(),
    };
    Problem::new(run.error_code.unwrap_or(Code::Stopping), message).hint(hint.to_owned())
}

pub(super) const fn ending(problems: u64) -> Ending {
    match problems {
        0 => Ending::Done,
        _ => Ending::Partly,
    }
}

fn describe_export(report: &ExportReport) -> String {
    format!(
        "{} described, {} there, {} copied now; {}; {} in {}\n{}\n",
        number_of(report.assets, "original", "originals"),
        count(report.originals),
        count(report.copied),
        number_of(report.collections, "collection", "collections"),
        size(report.bytes),
        number_of(report.files, "file", "files"),
        line(&report.folder),
    )
}

const fn source(from: Program) -> ImportSource {
    match from {
        Program::Export => ImportSource::Export,
        Program::Takeout => ImportSource::Takeout,
        Program::Apple => ImportSource::Apple,
        Program::Immich => ImportSource::Immich,
        Program::Photoprism => ImportSource::PhotoPrism,
        Program::Folder => ImportSource::Folder,
    }
}

/// What a source is called.
fn called(source: &str) -> &str {
    match source {
        "takeout" => "Google Photos",
        "apple" => "Apple Photos",
        "immich" => "Immich",
        "photoprism" => "PhotoPrism",
        "folder" => "a plain folder",
        _ => "an export",
    }
}

fn describe_import(report: &ImportReport) -> String {
    let files = number_of(report.files, "file", "files");
    let is_export = matches!(report.source.as_str(), "" | "export");
    let mut text = String::new();
    if report.is_guessed {
        let from = called(&report.source);
        text += &format!("Taken for what comes from {from}; --from says otherwise.\n");
    }
    let looked = if is_export {
        format!("{files} compared")
    } else {
        let originals = number_of(report.originals, "original", "originals");
        format!(
            "{files}, {originals} read, {} of them again",
            count(report.duplicates)
        )
    };
    if report.is_dry {
        text += &format!(
            "{looked}. {} would be new, {} here already. Nothing was changed.\n",
            number_of(report.added, "original", "originals"),
            count(report.known),
        );
        return text;
    }
    text += &format!(
        "{looked}. {} new, {} completed, {} here already; {} and {} new\n",
        number_of(report.added, "original", "originals"),
        count(report.completed),
        count(report.known),
        number_of(report.collections, "collection", "collections"),
        number_of(report.stacks, "stack", "stacks"),
    );
    if !is_export {
        text += &format!(
            "{} from {}; {} hidden, from a trash; {} left out\n",
            number_of(report.claims, "new claim", "new claims"),
            number_of(report.sidecars, "sidecar", "sidecars"),
            count(report.hidden),
            number_of(report.left_out, "file", "files"),
        );
        text += &format!(
            "{} without an original, {} without a sidecar\n",
            number_of(report.sidecars_alone, "sidecar", "sidecars"),
            number_of(report.originals_alone, "original", "originals"),
        );
    }
    if report.passed_over > 0 {
        let passed = number_of(report.passed_over, "original was", "originals were");
        text += &format!("{passed} removed here for good before, and stay away\n");
    }
    text
}

pub(super) fn tell_problems(output: &Output, problems: &[TransferProblem], all: u64) {
    tell(output, problems.iter().map(|it| (&it.name, &it.what)), all);
}

/// What is to be known of each, and how much more there is.
fn tell<'a>(
    output: &Output,
    told: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
    all: u64,
) {
    let untold = all.saturating_sub(told.len() as u64);
    for (name, what) in told {
        output.say(&line(&format!("{name}: {what}")));
    }
    if untold > 0 {
        output.say(&format!("and {} more", count(untold)));
    }
}
