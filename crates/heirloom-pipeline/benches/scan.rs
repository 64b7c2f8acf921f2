//! How fast originals are catalogued: a first scan of tiny photographs, scans of the same when nothing
//! changed, and the hashing of large files beside `b3sum`.
//!
//! `cargo bench -p heirloom-pipeline --bench scan -- [--files N] [--folders N] [--tiny] [--postgres] [FOLDER]`
//! (without FOLDER in the system's temporary folder, which may be memory; `--tiny` leaves the large
//! files out).

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints a table or gives up"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Instant,
};

use heirloom_blobs::FolderStore;
use heirloom_core::Actor;
use heirloom_db::{Db, Location};
use heirloom_pipeline::{
    Context,
    archive::{check_root, get_or_create_archive},
    scan::{ScanEvent, ScanOptions, ScanReport, scan},
};
use heirloom_testing::{jpeg, postgres};
use tokio_util::sync::CancellationToken;

fn main() {
    let mut files = 100_000;
    let mut folders = 100;
    let mut has_large = true;
    let mut database = None;
    let mut folder = std::env::temp_dir();
    // Cargo passes `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--files" => files = words.next().unwrap().parse().unwrap(),
            "--folders" => folders = words.next().unwrap().parse().unwrap(),
            "--tiny" => has_large = false,
            "--postgres" => database = Some(postgres::database()),
            _ => folder = PathBuf::from(word),
        }
    }
    let place = tempfile::tempdir_in(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();

    let library = place.path().join("library");
    jpeg::write_library(&library, files, files.div_ceil(folders));
    println!(
        "{files} photographs of 0.7 KB in {folders} folders, {}",
        place.path().display()
    );
    runtime.block_on(async {
        let url = database.as_ref().map(|database| database.url.clone());
        let home = Home::new(place.path(), "home", url).await;
        let first = home.scan(&library, "first scan").await;
        assert_eq!(first.new, files);
        for _ in 0..2 {
            let again = home.scan(&library, "nothing changed").await;
            assert_eq!(again.unchanged, files);
        }
        home.ctx.db.close().await;
    });
    fs::remove_dir_all(&library).unwrap();
    if !has_large {
        return;
    }

    for (name, sizes) in [
        ("one file of 2 GB", vec![2_000_000_000]),
        ("400 files of 5 MB", vec![5_000_000; 400]),
    ] {
        let library = place.path().join("large");
        write_large(&library, &sizes);
        println!("{name}");
        let sum: usize = sizes.iter().sum();
        for round in 0..2 {
            let started = Instant::now();
            let done = Command::new("b3sum")
                .arg("--no-names")
                .args(list(&library))
                .output()
                .unwrap();
            assert!(done.status.success());
            speed("b3sum", sum, started);
            runtime.block_on(async {
                let name = format!("large{round}{}", sizes.len());
                let home = Home::new(place.path(), &name, None).await;
                let started = Instant::now();
                home.scan(&library, "scan").await;
                speed("scan", sum, started);
                home.ctx.db.close().await;
            });
        }
        fs::remove_dir_all(&library).unwrap();
    }
}

struct Home {
    ctx: Context,
}

impl Home {
    async fn new(place: &Path, name: &str, url: Option<String>) -> Self {
        let data_folder = place.join(name);
        fs::create_dir(&data_folder).unwrap();
        let file = Location::File(data_folder.join("catalogue.db"));
        let location = url.map_or(file, Location::Url);
        let ctx = Context {
            db: Db::open(&location).await.unwrap(),
            blobs: Arc::new(FolderStore::create(data_folder.join("blobs")).unwrap()),
            actor: Actor::Operator,
            data_folder,
        };
        Self { ctx }
    }

    async fn scan(&self, library: &Path, what: &str) -> ScanReport {
        let db = &self.ctx.db;
        let family = db.get_or_create_family("Home").await.unwrap();
        let archives = db.list_archives(&Actor::Operator, family.id).await.unwrap();
        let root = check_root(library, &self.ctx.data_folder, &archives).unwrap();
        let archive = get_or_create_archive(&self.ctx, &family, &root, None)
            .await
            .unwrap();
        let started = Instant::now();
        let mut tenths = Vec::new();
        let observe = &mut |event: ScanEvent<'_>| {
            if let ScanEvent::Progress(progress) = event {
                tenths.push((started.elapsed(), progress.files_done));
            }
        };
        let cancel = CancellationToken::new();
        let report = scan(
            &self.ctx,
            archive.id,
            ScanOptions::default(),
            &cancel,
            observe,
        )
        .await
        .unwrap();
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "  {what}: {seconds:.2} s, {:.0} files/s, at most {} MB resident so far",
            report.files as f64 / seconds,
            peak_mb(),
        );
        let at = |share: f64| {
            let wanted = (report.files as f64 * share) as u64;
            tenths
                .iter()
                .find(|(_, done)| *done >= wanted)
                .map_or(seconds, |(at, _)| at.as_secs_f64())
        };
        if report.new > 10_000 {
            println!(
                "    first tenth {:.2} s, last tenth {:.2} s",
                at(0.1),
                seconds - at(0.9)
            );
        }
        report
    }
}

/// Photographs with so many bytes behind their picture.
fn write_large(folder: &Path, sizes: &[usize]) {
    fs::create_dir_all(folder).unwrap();
    for (number, size) in sizes.iter().enumerate() {
        let mut bytes = jpeg::tiny(number as u64, &jpeg::Options::varied(number as u64));
        bytes.resize(*size, 0x5A);
        fs::write(folder.join(format!("{number:04}.jpg")), bytes).unwrap();
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn speed(what: &str, bytes: usize, started: Instant) {
    println!(
        "  {what}: {:.2} GB/s",
        bytes as f64 / 1e9 / started.elapsed().as_secs_f64()
    );
}

/// The most memory that this process ever had resident (proc(5), `VmHWM`).
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<u64>().unwrap() / 1024
}
