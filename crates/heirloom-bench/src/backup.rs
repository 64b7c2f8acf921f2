//! Backups and what comes back of them, beside the stock `restic` on the same files, and the scrub.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use heirloom_testing::jpeg;

use crate::{
    figures::Figures,
    options::Options,
    served::{Served, heirloom},
};

const FILES_PER_FOLDER: u64 = 1_000;
/// The share of `restic`'s rate that a first backup has to reach.
const SHARE: f64 = 0.6;
/// What a backup may take of a library in which nothing has changed, in seconds.
const UNCHANGED_S: f64 = 30.0;
/// What everything may take to come back, in seconds.
const RESTORE_S: f64 = 3_600.0;
/// The share of one core that the scrub may take, in percent.
const SCRUB_PERCENT: f64 = 5.0;
/// How long the scrub is watched, and how long after the start.
const SCRUB_WATCHED: Duration = Duration::from_secs(60);
const SCRUB_AFTER: Duration = Duration::from_secs(10);
/// How often it is looked how far it is.
const SCRUB_LOOK: Duration = Duration::from_secs(5);
/// What a film has, of which nothing can be compressed, and how many there are.
const FILM_BYTES: usize = 64_000_000;
const FILMS: u64 = 16;

/// Backups of many small originals and of a few large ones.
pub(crate) async fn measure(options: &Options) {
    let place = options.folder();
    let small = place.path().join("small");
    jpeg::write_library(&small, options.rescanned, FILES_PER_FOLDER);
    let title = format!("a backup of {} photographs of 0.7 KB", options.rescanned);
    back_up(&title, place.path(), &small, options.rescanned, "files/s");

    let large = place.path().join("large");
    write_films(&large);
    let bytes = FILM_BYTES as u64 * FILMS;
    let title = format!("a backup of {FILMS} films of {} MB", FILM_BYTES / 1_000_000);
    back_up(&title, place.path(), &large, bytes / 1_000_000, "MB/s");

    let figures = Figures::of("the scrub of these films at its usual rate");
    let mut served = Served::start(&heirloom(&data_of(&large))).await;
    tokio::time::sleep(SCRUB_AFTER).await;
    let (before, started) = (served.processor_time(), Instant::now());
    let mut read = 0;
    while started.elapsed() < SCRUB_WATCHED {
        tokio::time::sleep(SCRUB_LOOK).await;
        let scrub = served.json("/api/v1/scrub").await;
        read = scrub["passes"][0]["bytes"].as_u64().unwrap_or_default();
    }
    let computed = served.processor_time() - before;
    let percent = computed.as_secs_f64() / started.elapsed().as_secs_f64() * 100.0;
    assert!(read > 0, "nothing was read");
    figures.at_most("of one core", percent, SCRUB_PERCENT, "%");
}

fn data_of(library: &Path) -> PathBuf {
    library.with_extension("data")
}

/// Backs a library up, again when nothing has changed, and restores it; `restic` does the same with the same files.
fn back_up(title: &str, place: &Path, library: &Path, amount: u64, unit: &str) {
    let figures = Figures::of(title);
    let data = data_of(library);
    let run = |arguments: &[&str]| {
        let done = heirloom(&data).run(arguments.iter().copied());
        assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.stderr);
    };
    run(&["scan", "--no-process", text(library)]);
    let repository = library.with_extension("repository");
    let back_up = ["backup", "to", text(&repository)];
    let first = seconds(|| run(&back_up));

    let peer = Restic(library.with_extension("restic"));
    peer.run(&["init"]);
    let sources = ["backup", text(library), text(&data)];
    let peer_first = seconds(|| peer.run(&sources));
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let amount = amount as f64;
    let (rate, peer_rate) = (amount / first, amount / peer_first);
    figures.beside("the first", rate, SHARE, ("restic", peer_rate), unit);

    let again = seconds(|| run(&back_up));
    let peer_again = seconds(|| peer.run(&sources));
    let cells = [
        &format!("{again:.1} s"),
        &format!("{UNCHANGED_S} s"),
        &format!("restic {peer_again:.1} s"),
    ];
    figures.row(
        "one of what has not changed",
        &cells.map(String::as_str),
        again > UNCHANGED_S,
    );

    let key = data.join("backup.key");
    let back = place.join("back");
    let restored = seconds(|| {
        let arguments = [
            "restore",
            text(&repository),
            text(&back),
            "--key-file",
            text(&key),
        ];
        let done = heirloom(&back).run(arguments);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    });
    let peer_back = place.join("back of restic");
    let peer_restored = seconds(|| peer.run(&["restore", "latest", "--target", text(&peer_back)]));
    let cells = [
        &format!("{restored:.1} s"),
        &format!("{RESTORE_S} s"),
        &format!("restic {peer_restored:.1} s"),
    ];
    figures.row(
        "what comes back",
        &cells.map(String::as_str),
        restored > RESTORE_S,
    );
    for folder in [back, peer_back, repository, peer.0] {
        fs::remove_dir_all(folder).unwrap();
    }
}

/// The stock program, with a repository of its own.
struct Restic(PathBuf);

impl Restic {
    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new("restic");
        command
            .args(["--quiet", "--repo", text(&self.0)])
            .args(arguments);
        let done = command.env("RESTIC_PASSWORD", "measured").output();
        let done = done.expect("restic is needed: ./dev setup installs it");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
    }
}

/// Files that begin as films do, of bytes that look like chance.
fn write_films(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..FILMS {
        let mut bytes = b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\0mdat".to_vec();
        let head = bytes.len();
        bytes.resize(FILM_BYTES, 0);
        let mut noise = blake3::Hasher::new();
        noise
            .update(&number.to_le_bytes())
            .finalize_xof()
            .fill(&mut bytes[head..]);
        fs::write(folder.join(format!("{number:02}.mp4")), bytes).unwrap();
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
