//! What a scan found, in words.

use std::collections::BTreeMap;

use heirloom_core::run::RunState;
use heirloom_server::wire::{Archive, Progress, Run, ScanReport};

use crate::output::{count, duration, line, number_of, size, table};

/// What is said at the end.
pub(super) fn describe_end(archive: &Archive, run: &Run) -> String {
    let name = line(&archive.name);
    let mut text = match run.state {
        RunState::Done => name,
        RunState::Cancelled => format!("{name}: stopped before the end"),
        _ => format!("{name}: failed"),
    };
    if let Some(error) = &run.error {
        text += &format!("\n{}", line(error));
    }
    text.push('\n');
    if let Some(report) = &run.report {
        text += &describe_report(report);
    }
    if run.state == RunState::Cancelled {
        text += "What was found is kept. Scan again to go on.\n";
    }
    text
}

/// What was found, what was passed over and why.
pub(crate) fn describe_report(report: &ScanReport) -> String {
    let mut text = format!(
        "{} in {}, {} read in {}\n",
        number_of(report.files, "file", "files"),
        number_of(report.folders, "folder", "folders"),
        size(report.bytes_read),
        duration(report.duration_ms),
    );
    let found = [
        (report.new, "new"),
        (report.moved, "moved"),
        (report.copies, "in one more place"),
        (report.returned, "back again"),
        (report.replaced, "replaced by newer ones"),
        (report.unchanged, "unchanged"),
        (
            report.sidecars,
            "new or changed beside originals (sidecars)",
        ),
        (report.gone, "no longer there"),
        (
            report.lost,
            "of these nowhere else; what is known of them is kept",
        ),
    ];
    let rows: Vec<Vec<String>> = found
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| row(number, what))
        .collect();
    text += &align(&rows);
    text += &reasons("passed over", &report.skipped);
    text += &reasons("failed; the next scan tries again", &report.failed);
    if report.damaged > 0 {
        let damaged = number_of(report.damaged, "original is", "originals are");
        text += &format!(
            "{damaged} damaged. Put a copy from a backup in place, then scan with --verify.\n"
        );
    }
    text
}

/// How far a run is, on one line.
pub(crate) fn describe_progress(run: &Run) -> String {
    let progress = &run.progress;
    let files = format!(
        "{} of {} files",
        count(progress.files_done),
        count(progress.files)
    );
    let rest = match run.state {
        RunState::Running => remaining(progress),
        _ => None,
    };
    std::iter::once(files)
        .chain(rest)
        .collect::<Vec<_>>()
        .join(", ")
}

/// How fast it goes, where that can be said.
pub(super) fn rates(progress: &Progress) -> Option<String> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people: not negative, and far below the limit"
    )]
    let whole = |rate: f64| rate.max(0.0) as u64;
    let (files, bytes) = (
        whole(progress.files_per_second),
        whole(progress.bytes_per_second),
    );
    match (files, bytes) {
        (0, 0) => None,
        (files, 0) => Some(format!("{}/s", number_of(files, "file", "files"))),
        (_, bytes) => Some(format!("{}/s", size(bytes))),
    }
}

/// How long it still takes, where that can be said.
pub(super) fn remaining(progress: &Progress) -> Option<String> {
    let left_ms = progress.remaining_ms.filter(|_| progress.is_listed)?;
    (left_ms > 0).then(|| format!("{} left", duration(left_ms.max(1000))))
}

fn reasons(what: &str, by_reason: &BTreeMap<String, u64>) -> String {
    if by_reason.is_empty() {
        return String::new();
    }
    let total: u64 = by_reason.values().sum();
    let rows: Vec<Vec<String>> = by_reason
        .iter()
        .map(|(reason, number)| row(*number, reason))
        .collect();
    format!("{} {what}:\n{}", count(total), align(&rows))
}

fn row(number: u64, what: &str) -> Vec<String> {
    vec![count(number), what.to_owned()]
}

/// Numbers under numbers.
fn align(rows: &[Vec<String>]) -> String {
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| vec![format!("  {:>width$}", row[0]), row[1].clone()])
        .collect();
    table(&rows)
}

/// How far a scan is on one line: files, rates, what remains.
pub(super) fn progress_line(progress: &Progress) -> String {
    // While folders are still being listed nobody knows how much there is.
    let plus = if progress.is_listed { "" } else { "+" };
    let mut parts = vec![format!(
        "{} of {}{plus} files",
        count(progress.files_done),
        count(progress.files)
    )];
    parts.extend(rates(progress));
    parts.extend(remaining(progress));
    parts.join(", ")
}
