//! The machine: its clock, and how much of it this process may take.

use std::path::Path;

use heirloom_db::clock::now_ms;
use heirloom_pipeline::machine::memory_limit_bytes;
use rustix::process::{Resource, getrlimit};

use super::{amiss, well};
use crate::{problem::Problem, wire::Check};

const CLOCK: &str = "clock";
const LIMITS: &str = "limits";

/// 2026-01-01: a clock before that was never set.
const EARLIEST_MS: i64 = 1_767_225_600_000;
/// Clocks of two machines that share a database may differ by a little.
const SLACK_MS: i64 = 5 * 60 * 1000;

/// Whether the clock goes on from where it was. What is said is ordered by its time.
pub(super) fn check_clock(newest_run_at_ms: Option<i64>) -> Check {
    judge_clock(now_ms(), newest_run_at_ms)
}

fn judge_clock(now_ms: i64, newest_run_at_ms: Option<i64>) -> Check {
    let hint =
        "Set the clock, and keep it right with a time service such as systemd-timesyncd or chrony.";
    if now_ms < EARLIEST_MS {
        return amiss(CLOCK, "this machine's clock was never set", hint);
    }
    match newest_run_at_ms {
        Some(newest) if newest > now_ms + SLACK_MS => {
            let hours = (newest - now_ms) / 3_600_000;
            let detail = format!(
                "this machine's clock is {hours} hours before the newest run: it was or is wrong"
            );
            amiss(CLOCK, detail, hint)
        }
        _ => well(CLOCK, "it is later than everything that was done"),
    }
}

/// Fewer open files than this and many visitors at once are turned away.
const FEW_FILES: u64 = 1024;
/// With less memory than this large pictures are not drawn.
const LITTLE_MEMORY_BYTES: u64 = 1 << 30;

/// Whether whoever started this process, such as systemd or a container, lets it have what it needs.
pub(super) async fn check_limits() -> Result<Check, Problem> {
    let reading = tokio::task::spawn_blocking(|| memory_limit_bytes(Path::new("/")));
    let memory_bytes = reading.await.map_err(Problem::internal)?;
    let files = getrlimit(Resource::Nofile).current;
    Ok(judge_limits(files, memory_bytes))
}

fn judge_limits(files: Option<u64>, memory_bytes: Option<u64>) -> Check {
    if let Some(files) = files.filter(|files| *files < FEW_FILES) {
        return amiss(
            LIMITS,
            format!("only {files} files may be open at once"),
            "Allow 1024 or more: LimitNOFILE= in a systemd unit, `--ulimit nofile=` for a container, \
             `ulimit -n` in a shell.",
        );
    }
    match memory_bytes {
        Some(bytes) if bytes < LITTLE_MEMORY_BYTES => amiss(
            LIMITS,
            format!("only {} MB of memory are allowed", bytes / 1_000_000),
            "Allow 1 GB or more: MemoryMax= in a systemd unit, `--memory` for a container.",
        ),
        Some(bytes) => well(
            LIMITS,
            format!("{} GB of memory are allowed", bytes / 1_000_000_000),
        ),
        None => well(LIMITS, "memory is not limited"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_or_went_back_is_told() {
        let day_ms = 24 * 3_600_000;
        let now = EARLIEST_MS + 300 * day_ms;
        let cases = [
            (now, None, true),
            (now, Some(now - day_ms), true),
            (now, Some(now + 60_000), true),
            (now, Some(now + day_ms), false),
            (0, None, false),
            (EARLIEST_MS - 1, Some(0), false),
        ];
        for (now, newest, is_well) in cases {
            let check = judge_clock(now, newest);
            assert_eq!(check.is_well, is_well, "{now} {newest:?}: {check:?}");
            assert_eq!(check.hint.is_some(), !is_well, "{check:?}");
        }
    }

    #[test]
    fn too_few_files_and_too_little_memory_are_told() {
        let cases = [
            (Some(1024), None, true),
            (None, Some(2 << 30), true),
            (Some(256), None, false),
            (Some(65536), Some(512 << 20), false),
        ];
        for (files, memory, is_well) in cases {
            let check = judge_limits(files, memory);
            assert_eq!(check.is_well, is_well, "{files:?} {memory:?}: {check:?}");
            assert_eq!(check.hint.is_some(), !is_well, "{check:?}");
        }
    }
}
