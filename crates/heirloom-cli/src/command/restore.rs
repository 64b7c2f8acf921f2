//! `heirloom restore`: needs the repository and its key, and nothing else.

use heirloom_pipeline::backup::{At, restore};
use heirloom_server::{
    Code, Problem,
    wire::{LackingFile, Snapshot},
};
use serde_json::json;

use super::backup::{describe_lacking, find_target, time, watching};
use crate::{
    Ending, arguments,
    config::{Config, Origin},
    output::{Output, number_of, size},
};

pub(super) async fn run(
    asked: &arguments::Restore,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let target = find_target(&asked.target, config)?;
    let at = asked.at.as_deref().map_or(Ok(At::Latest), parse_at)?;
    let folder = std::path::absolute(&asked.folder).unwrap_or_else(|_| asked.folder.clone());
    // A file of configuration is that of another library.
    let database = match config.database.origin {
        Origin::File(_) => None,
        _ => config.database.value.clone(),
    };
    let report = watching(output, |progress, cancel| {
        let (target, at, folder) = (target.clone(), at.clone(), folder.clone());
        let database = database.clone();
        async move {
            let database = database.as_deref();
            restore(&target, &at, &folder, database, &progress, &cancel).await
        }
    })
    .await?;
    let snapshot = Snapshot::from(&report.snapshot);
    let lacking_files: Vec<LackingFile> = report.lacking_files.iter().map(Into::into).collect();
    let shown = report.folder.display().to_string();
    let document = json!({
        "snapshot": snapshot,
        "folder": shown,
        "engine": if database.is_some() { "postgres" } else { "sqlite" },
        "has_folders": report.has_folders,
        "blobs": report.blobs,
        "files": report.files,
        "bytes": report.bytes,
        "lacking": report.lacking,
        "lacking_files": lacking_files,
    });
    output.data(&document, || {
        let mut text = format!(
            "restored as of {}: {}, {} of folder archives, {} written, each compared with its hash\n",
            time(snapshot.made_at_ms),
            number_of(report.blobs, "blob", "blobs"),
            number_of(report.files, "file", "files"),
            size(report.bytes),
        );
        if !report.has_folders {
            text += "The originals in folder archives are not in this backup: their archives are where they were.\n";
        }
        text += &describe_lacking(report.lacking, &lacking_files);
        match database {
            None => text + &format!("`heirloom serve --data '{shown}'` serves it.\n"),
            Some(_) => {
                text + &format!(
                    "Its catalogue is in the database. `heirloom serve --data '{shown}'` serves it, with that database in \
                     HEIRLOOM_DATABASE or in config.toml there.\n"
                )
            }
        }
    });
    Ok(if report.lacking == 0 {
        Ending::Done
    } else {
        Ending::Partly
    })
}

/// A time, or the beginning of an id.
fn parse_at(text: &str) -> Result<At, Problem> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(At::Time(time.as_millisecond()));
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        // All of that day, in UTC.
        let end = day.tomorrow().ok().and_then(|next| {
            let next = next.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(next.timestamp().as_millisecond() - 1)
        });
        if let Some(end) = end {
            return Ok(At::Time(end));
        }
    }
    let is_id = text.len() >= 4 && text.bytes().all(|letter| letter.is_ascii_hexdigit());
    match (text, is_id) {
        ("latest", _) => Ok(At::Latest),
        (id, true) => Ok(At::Snapshot(id.to_lowercase())),
        _ => Err(Problem::new(
            Code::InvalidRequest,
            format!(
                "{text:?} is neither a time such as 2026-03-01T12:00:00Z nor the id of a snapshot"
            ),
        )
        .hint("See `heirloom backup list REPO`.")),
    }
}
