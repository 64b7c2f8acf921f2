//! Scans of many small photographs, through a running server.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use heirloom_testing::jpeg;
use serde_json::Value;

use crate::{
    figures::{Figures, resident_mb},
    options::Options,
    served::{Served, heirloom},
};

const FILES_PER_FOLDER: u64 = 1_000;
/// What a scan of 100,000 unchanged files may take, in seconds.
const RESCAN_S: f64 = 5.0;
/// What the program may have in memory, in megabytes.
const RESIDENT_MB: f64 = 300.0;
/// What a file of the last tenth may cost, compared with one of the first.
const LAST_TO_FIRST: f64 = 1.2;

/// A first scan of many files.
pub(crate) async fn measure_first(options: &Options) {
    let place = options.folder();
    let library = place.path().join("library");
    eprintln!("making {} photographs", options.files);
    jpeg::write_library(&library, options.files, FILES_PER_FOLDER);
    let figures = Figures::of(&format!(
        "a first scan of {} photographs of 0.7 KB",
        options.files
    ));
    let mut served = Served::start(&heirloom(&place.path().join("data"))).await;
    let first = scan(&mut served, &place.path().join("data"), &library).await;
    assert_eq!(first.report["new"], options.files);
    figures.plain("all of it", &format!("{:.0} s", first.seconds));
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let rate = options.files as f64 / first.seconds;
    figures.plain("files in a second", &format!("{rate:.0}"));
    let resident = resident_mb(served.running.id(), "VmHWM");
    figures.at_most("the most memory resident", resident, RESIDENT_MB, "MB");
    let (from, to) = (first.at(options.files, 0.1), first.at(options.files, 0.9));
    let ratio = (first.seconds - to) / from;
    figures.at_most("a file, last tenth to first", ratio, LAST_TO_FIRST, "");
    let again = scan(&mut served, &place.path().join("data"), &library).await;
    assert_eq!(again.report["unchanged"], options.files);
    figures.plain("again, unchanged", &format!("{:.1} s", again.seconds));
}

/// Scans where nothing changed.
pub(crate) async fn measure_again(options: &Options) {
    let place = options.folder();
    let (library, data) = (place.path().join("library"), place.path().join("data"));
    jpeg::write_library(&library, options.rescanned, FILES_PER_FOLDER);
    let figures = Figures::of(&format!(
        "a scan of {} photographs of which none has changed",
        options.rescanned
    ));
    let mut served = Served::start(&heirloom(&data)).await;
    scan(&mut served, &data, &library).await;
    for name in ["the first time", "the second time"] {
        let again = scan(&mut served, &data, &library).await;
        assert_eq!(again.report["unchanged"], options.rescanned);
        figures.at_most(name, again.seconds, RESCAN_S, "s");
    }
}

/// A scan that has ended.
struct Scanned {
    report: Value,
    seconds: f64,
    /// How many files were dealt with at which time.
    progress: Vec<(Duration, u64)>,
}

impl Scanned {
    /// When that share of all files was dealt with, in seconds.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    fn at(&self, files: u64, share: f64) -> f64 {
        let wanted = (files as f64 * share) as u64;
        let mut passed = self.progress.iter().filter(|(_, done)| *done >= wanted);
        passed
            .next()
            .map_or(self.seconds, |(at, _)| at.as_secs_f64())
    }
}

/// Has the folder scanned by the command, and looks at its progress all the while.
async fn scan(served: &mut Served, data: &Path, library: &Path) -> Scanned {
    let started = Instant::now();
    let mut command = heirloom(data).start(["scan", library.to_str().unwrap()]);
    let mut progress = Vec::new();
    while !command.has_ended() {
        let runs = served.json("/api/v1/runs?limit=1").await;
        let done = runs["items"][0]["progress"]["files_done"].as_u64();
        progress.push((started.elapsed(), done.unwrap_or(0)));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let ended = command.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let runs = served.json("/api/v1/runs?limit=1").await;
    Scanned {
        report: runs["items"][0]["report"].clone(),
        seconds,
        progress,
    }
}
