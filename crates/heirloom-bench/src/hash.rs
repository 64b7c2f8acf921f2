//! Reading large originals, as a first scan does it, beside `b3sum` on the same files.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use heirloom_testing::jpeg;
use rustix::fs::{Advice, fadvise};

use crate::{figures::Figures, options::Options, served::heirloom};

/// The share of `b3sum`'s speed that a scan has to reach.
const SHARE: f64 = 0.8;
const ROUNDS: usize = 3;

pub(crate) fn measure(options: &Options) {
    let figures = Figures::of(&format!(
        "hashing of 2 GB, the best of {ROUNDS} scans, each into a new data folder"
    ));
    for (name, sizes) in [
        ("a film of 2 GB", vec![2_000_000_000]),
        ("400 photographs of 5 MB", vec![5_000_000; 400]),
    ] {
        let place = options.folder();
        let library = place.path().join("library");
        write(&library, &sizes);
        let bytes: usize = sizes.iter().sum();
        for (from, is_cold, peer, flags) in [
            ("from disk", true, "b3sum", &["--no-names"][..]),
            ("in memory", false, "b3sum", &["--no-names"]),
            // As the scan does it: a file that is cut short while it is mapped ends a program.
            (
                "in memory",
                false,
                "--no-mmap",
                &["--no-names", "--no-mmap"],
            ),
        ] {
            let (mut scan, mut b3sum) = (0.0_f64, 0.0_f64);
            for round in 0..ROUNDS {
                forget(&library, is_cold);
                b3sum = b3sum.max(speed(bytes, || {
                    let mut command = Command::new("b3sum");
                    let done = command.args(flags).args(list(&library)).output();
                    assert!(done.unwrap().status.success());
                }));
                forget(&library, is_cold);
                let data = place.path().join(format!("{from}{peer}{round}"));
                scan = scan.max(speed(bytes, || {
                    let done = heirloom(&data).run(["scan", library.to_str().unwrap()]);
                    assert_eq!(done.code, Some(0), "{}", done.stderr);
                }));
            }
            let name = format!("{name}, {from}");
            figures.beside(&name, scan, SHARE, (peer, b3sum), "GB/s");
        }
    }
}

/// Has the system forget what it holds of these files in memory.
fn forget(library: &Path, is_cold: bool) {
    for path in list(library).iter().filter(|_| is_cold) {
        let file = File::open(path).unwrap();
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    }
}

/// Photographs with so many bytes, most of them behind their picture.
fn write(folder: &Path, sizes: &[usize]) {
    fs::create_dir_all(folder).unwrap();
    for (number, size) in sizes.iter().enumerate() {
        let mut bytes = jpeg::tiny(number as u64, &jpeg::Options::varied(number as u64));
        bytes.resize(*size, 0x5A);
        fs::write(folder.join(format!("{number:04}.jpg")), bytes).unwrap();
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn speed(bytes: usize, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    bytes as f64 / 1e9 / started.elapsed().as_secs_f64()
}
