//! `heirloom backup …`
//!
//! What writes goes through the API, which keeps account of it. What only reads a repository needs no library,
//! and works on a bare machine.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use heirloom_core::backup::{BackupKind, BackupState};
use heirloom_pipeline::backup::{
    self as pipeline, BackupKey, KEY_FILE, Progress, RepositoryLocation, Target,
};
use heirloom_server::{
    Code, Problem,
    wire::{
        Backup, BackupOutcome, BackupSchedule, BackupStanding, Keep, LackingFile, NewBackup, Page,
        Snapshot,
    },
};
use http::Method;
use serde_json::json;
use std::os::unix::ffi::OsStrExt as _;
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    paging::{collect, more},
    signal::Ends,
};
use crate::{
    Ending,
    api::Api,
    arguments,
    config::Config,
    output::{Output, count, line, list, number_of, size, table},
};

/// How often it is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Does what needs no library; `None` for what does.
pub(super) async fn without_library(
    asked: &arguments::Backup,
    config: &Config,
    output: &Output,
) -> Option<Result<Ending, Problem>> {
    match asked {
        arguments::Backup::List { target } => Some(list_snapshots(target, config, output).await),
        arguments::Backup::Check { target, read_data } => {
            Some(check(target, *read_data, config, output).await)
        }
        _ => None,
    }
}

pub(super) async fn run(
    api: &Api,
    asked: arguments::Backup,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let (target, kind) = match &asked {
        arguments::Backup::To { target, .. } => (target, BackupKind::Backup),
        arguments::Backup::Prune { target, .. } => (target, BackupKind::Prune),
        arguments::Backup::Prove { target } => (target, BackupKind::Proof),
        arguments::Backup::Schedule { .. } => return schedule(api, asked, config, output).await,
        arguments::Backup::Show { paging } => return show(api, paging, output).await,
        arguments::Backup::List { .. } | arguments::Backup::Check { .. } => {
            return Ok(Ending::Done);
        }
    };
    let mut new = NewBackup {
        kind,
        repository: absolute(&target.repository)?,
        key_file: key_path(target.key_file.clone(), config),
        without_folders: false,
        read_data: false,
        keep: Keep::default(),
    };
    match asked {
        arguments::Backup::To {
            without_folders, ..
        } => new.without_folders = without_folders,
        arguments::Backup::Prune {
            keep_daily,
            keep_weekly,
            keep_monthly,
            keep_yearly,
            ..
        } => {
            new.keep = Keep {
                daily: keep_daily,
                weekly: keep_weekly,
                monthly: keep_monthly,
                yearly: keep_yearly,
            };
        }
        _ => {}
    }
    let ends = Ends::listen();
    let begun: Backup = api.post("/api/v1/backups", &new).await?;
    let file = begun.key_file.clone().unwrap_or_default();
    if begun.is_new_key {
        say_new_key(&file, output);
    }
    let ended = wait(api, &begun, ends, output).await?;
    let ended = Backup {
        key_file: begun.key_file,
        is_new_key: begun.is_new_key,
        ..ended
    };
    output.data(&ended, || describe(&ended));
    Ok(match (ended.state, &ended.outcome) {
        (BackupState::Done, Some(outcome)) if outcome.lacking.unwrap_or(0) == 0 => Ending::Done,
        (_, Some(_)) => Ending::Partly,
        (_, None) => Ending::Refused,
    })
}

/// Waits until it has ended. Ctrl-C stops it.
async fn wait(
    api: &Api,
    begun: &Backup,
    mut ends: Ends,
    output: &Output,
) -> Result<Backup, Problem> {
    let mut bar = Bar::new(*output);
    let path = format!("/api/v1/backups/{}", begun.id);
    loop {
        let now: Backup = api.get(&path).await?;
        if now.state != BackupState::Running {
            bar.finish();
            return Ok(now);
        }
        if let Some(at) = now.progress {
            bar.show(
                at.bytes_done,
                at.bytes,
                progress_words(at.files_done, at.files, at.bytes_done, at.bytes),
            );
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = ends.wait() => {
                bar.say("stopping; what was stored so far is found again by the next");
                let cancelled: Result<Backup, Problem> =
                    api.ask(Method::POST, &format!("{path}/cancel"), &[], None).await;
                // It may have ended a moment before.
                if let Err(problem) = cancelled
                    && problem.code() != Code::Refused
                {
                    return Err(problem);
                }
            }
        }
    }
}

pub(super) fn progress_words(files_done: u64, files: u64, bytes_done: u64, bytes: u64) -> String {
    format!(
        "{} of {} files, {} of {}",
        count(files_done),
        count(files),
        size(bytes_done),
        size(bytes)
    )
}

async fn schedule(
    api: &Api,
    asked: arguments::Backup,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    const PATH: &str = "/api/v1/backup-schedule";
    let arguments::Backup::Schedule {
        repository,
        key_file,
        without_folders,
        every_hours,
        proof_days,
        ..
    } = asked
    else {
        return Ok(Ending::Done);
    };
    let standing: BackupStanding = match repository {
        None => api.ask(Method::DELETE, PATH, &[], None).await?,
        Some(repository) => {
            let new = BackupSchedule {
                repository: absolute(&repository)?,
                key_file: key_path(key_file, config),
                without_folders,
                every_hours,
                proof_days,
                keep: Keep::default(),
            };
            api.ask(Method::PUT, PATH, &[], Some(crate::api::render(&new)?))
                .await?
        }
    };
    if standing.is_new_key {
        let file = standing
            .schedule
            .as_ref()
            .and_then(|schedule| schedule.key_file.clone());
        say_new_key(&file.unwrap_or_default(), output);
    }
    if standing.schedule.is_some() && !api.is_served() {
        output.say("No server is running: `heirloom serve` does it.");
    }
    output.data(&standing, || describe_standing(&standing));
    Ok(Ending::Done)
}

fn describe_standing(standing: &BackupStanding) -> String {
    let Some(schedule) = &standing.schedule else {
        return "Nothing is backed up regularly: `heirloom backup schedule REPO`.\n".to_owned();
    };
    let last = |at_ms: Option<i64>| at_ms.map_or_else(|| "none yet".to_owned(), time);
    let rows = [
        ("into", schedule.repository.clone()),
        (
            "every",
            number_of(schedule.every_hours.into(), "hour", "hours"),
        ),
        ("last backup", last(standing.last_backup_at_ms)),
        ("last proof", last(standing.last_proof_at_ms)),
    ];
    let mut text = table(&rows.map(|(name, value)| vec![name.to_owned(), value]));
    if schedule.without_folders {
        text += "The originals in folder archives are NOT in it: something else has to back those folders up.\n";
    }
    for alarm in &standing.alarms {
        text += &line(&format!("!! {}", alarm.words));
        text.push('\n');
    }
    text
}

fn say_new_key(file: &str, output: &Output) {
    output.say(&format!(
        "A new key was made: {file}\n\
         Print it, and keep it away from this machine. Without it nothing can be restored, by nobody."
    ));
}

/// The key file that was named, as a server names it.
fn key_path(argument: Option<PathBuf>, config: &Config) -> Option<String> {
    let file = argument.or_else(|| config.backup_key_file.value.clone())?;
    let file = std::path::absolute(&file).unwrap_or(file);
    Some(heirloom_core::path::to_text(file.as_os_str().as_bytes()))
}

async fn show(api: &Api, paging: &arguments::Paging, output: &Output) -> Result<Ending, Problem> {
    let standing: BackupStanding = api.get("/api/v1/backup-schedule").await?;
    let page: Page<Backup> = collect(api, "/api/v1/backups", paging).await?;
    let document = json!({ "items": page.items, "next": page.next, "standing": standing });
    output.data(&document, || {
        let head = describe_standing(&standing);
        if page.items.is_empty() {
            return head + "Nothing was backed up yet: `heirloom backup to REPO`.";
        }
        let row = |backup: &Backup| {
            vec![
                time(backup.started_at_ms),
                backup.kind.to_string(),
                backup.state.to_string(),
                backup.repository.clone(),
                line(backup.error.as_deref().unwrap_or_default()),
            ]
        };
        head + &list(&page.items.iter().map(row).collect::<Vec<_>>()) + &more(page.next.as_deref())
    });
    Ok(if standing.alarms.is_empty() {
        Ending::Done
    } else {
        Ending::Partly
    })
}

async fn list_snapshots(
    target: &arguments::Target,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let target = find_target(target, config)?;
    let found = pipeline::list_snapshots(&target).await?;
    let items: Vec<Snapshot> = found.iter().map(Snapshot::from).collect();
    output.data(&json!({ "items": items, "next": null }), || {
        if items.is_empty() {
            return "No snapshots yet.".to_owned();
        }
        let row = |snapshot: &Snapshot| {
            let kind = if snapshot.is_capture {
                "between two backups"
            } else {
                ""
            };
            vec![
                snapshot.id[..8].to_owned(),
                time(snapshot.made_at_ms),
                snapshot.host.clone(),
                number_of(snapshot.files, "file", "files"),
                size(snapshot.bytes),
                kind.to_owned(),
            ]
        };
        table(&items.iter().map(row).collect::<Vec<_>>())
    });
    Ok(Ending::Done)
}

async fn check(
    target: &arguments::Target,
    is_reading_data: bool,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let target = find_target(target, config)?;
    let report = watching(output, |progress, cancel| {
        let target = target.clone();
        async move { pipeline::check(&target, is_reading_data, &progress, &cancel).await }
    });
    let outcome = BackupOutcome::from(&report.await?);
    output.data(&outcome, || describe_outcome(BackupKind::Check, &outcome));
    Ok(if outcome.faults.is_empty() {
        Ending::Done
    } else {
        Ending::Partly
    })
}

/// Does something with a repository in this process, shows how far it is, and stops it at Ctrl-C.
pub(super) async fn watching<T, F>(
    output: &Output,
    work: impl FnOnce(Arc<Progress>, CancellationToken) -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, pipeline::BackupError>>,
{
    let (progress, cancel) = (Arc::<Progress>::default(), CancellationToken::new());
    let mut ends = Ends::listen();
    let mut bar = Bar::new(*output);
    let mut working = std::pin::pin!(work(Arc::clone(&progress), cancel.clone()));
    let done = loop {
        tokio::select! {
            done = &mut working => break done,
            () = ends.wait() => cancel.cancel(),
            () = tokio::time::sleep(LOOK_EVERY) => {
                let at = progress.now();
                let words = progress_words(at.files_done, at.files, at.bytes_done, at.bytes);
                bar.show(at.bytes_done, at.bytes, words);
            }
        }
    };
    bar.finish();
    Ok(done?)
}

/// The repository and its key, for what is done in this process.
pub(super) fn find_target(target: &arguments::Target, config: &Config) -> Result<Target, Problem> {
    let location = RepositoryLocation::parse(
        &absolute(&target.repository)?,
        Path::new("/"),
        &config.store.config().s3,
    )?;
    let file = target
        .key_file
        .clone()
        .or_else(|| config.backup_key_file.value.clone())
        .unwrap_or_else(|| config.data.value.join(KEY_FILE));
    let key = BackupKey::load(&file)?;
    Ok(Target { location, key })
}

/// A repository as a server names it, whose folder is another than this command's.
fn absolute(repository: &str) -> Result<String, Problem> {
    if repository.is_empty() || repository.contains(':') {
        return Ok(repository.to_owned());
    }
    let path = std::path::absolute(PathBuf::from(repository));
    let path = path.ok().and_then(|path| path.to_str().map(str::to_owned));
    path.ok_or_else(|| {
        Problem::new(
            Code::InvalidRequest,
            "the path of the repository is not UTF-8",
        )
    })
}

fn describe(backup: &Backup) -> String {
    let mut text = String::new();
    if let Some(outcome) = &backup.outcome {
        text += &describe_outcome(backup.kind, outcome);
    }
    match (&backup.error, backup.state) {
        (Some(error), _) => text += &format!("It failed: {}.\n", line(error)),
        (None, BackupState::Cancelled) => {
            text += "It was stopped. What was stored so far is found again by the next.\n";
        }
        _ => {}
    }
    text
}

fn describe_outcome(kind: BackupKind, outcome: &BackupOutcome) -> String {
    let mut text = String::new();
    let number = |number: Option<u64>| number.unwrap_or(0);
    if let Some(snapshot) = outcome
        .snapshot
        .as_ref()
        .filter(|_| kind == BackupKind::Backup)
    {
        text += &format!(
            "snapshot {}: {}, {}; {} read, {} added to the repository\n",
            &snapshot.id[..8.min(snapshot.id.len())],
            number_of(snapshot.files, "file", "files"),
            size(snapshot.bytes),
            number_of(number(outcome.files_read), "file", "files"),
            size(snapshot.bytes_added),
        );
    }
    if outcome.has_folders == Some(false) {
        text += "The originals in folder archives are NOT in it: something else has to back those folders up.\n";
    }
    text += &describe_lacking(number(outcome.lacking), &outcome.lacking_files);
    if kind == BackupKind::Proof {
        text += &format!(
            "restored {}, {} compared with the library's, byte for byte\n",
            size(number(outcome.bytes)),
            number_of(number(outcome.compared), "file", "files"),
        );
        for fault in &outcome.faults {
            text += &line(format!("{} {}", fault.object, fault.what).trim());
            text.push('\n');
        }
        text += if outcome.faults.is_empty() {
            "It can be restored.\n"
        } else {
            "It cannot be restored as it was.\n"
        };
    }
    if kind == BackupKind::Check {
        text += &format!(
            "{}, {}, {}{}\n",
            number_of(number(outcome.snapshots), "snapshot", "snapshots"),
            number_of(number(outcome.objects), "object", "objects"),
            size(number(outcome.bytes)),
            if outcome.has_read_data == Some(true) {
                ", every byte read"
            } else {
                "; no bytes were read: --read-data does"
            },
        );
        for fault in &outcome.faults {
            text += &line(format!("{} {}", fault.object, fault.what).trim());
            text.push('\n');
        }
        text += if outcome.faults.is_empty() {
            "The repository is whole.\n"
        } else {
            "The repository is damaged. What it does not have any more is in the library: back up into a new one.\n"
        };
    }
    if kind == BackupKind::Prune {
        text += &format!(
            "{} kept, {} removed; {} not needed any more\n",
            number_of(number(outcome.kept), "snapshot", "snapshots"),
            count(number(outcome.removed)),
            size(number(outcome.unneeded_bytes)),
        );
        if outcome.is_clock_behind == Some(true) {
            text += "The clock of this machine is behind the newest snapshot, or was ahead once: snapshots of the future \
                     stay.\n";
        }
    }
    text
}

pub(super) fn describe_lacking(lacking: u64, files: &[LackingFile]) -> String {
    let mut text = String::new();
    for file in files {
        text += &line(&format!("{}: {} ({})", file.lacking, file.path, file.why));
        text.push('\n');
    }
    let untold = lacking.saturating_sub(files.len() as u64);
    if untold > 0 {
        text += &format!("and {} more\n", count(untold));
    }
    if lacking > 0 {
        text += &format!(
            "{} lacking, each named above: an older snapshot may have it.\n",
            number_of(lacking, "file is", "files are")
        );
    }
    text
}

/// A time for people, in UTC.
pub(super) fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(
        |_| at_ms.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
