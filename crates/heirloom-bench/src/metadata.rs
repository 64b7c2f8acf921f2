//! Metadata of photographs, beside `exiftool -fast` on the same files.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use heirloom_media::{metadata, sniff};
use heirloom_testing::media;

use crate::{figures::Figures, options::Options};

/// How many times faster than the peer.
const TIMES: f64 = 5.0;
const COPIES: usize = 40;

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let photographs = copy(place.path());
    let title = format!(
        "metadata of {} photographs of cameras and telephones, on one core",
        photographs.len()
    );
    let figures = Figures::of(&title);
    let peer = rate(photographs.len(), || {
        let mut command = Command::new("exiftool");
        let all = command
            .args(["-fast", "-json", "-r", "-q"])
            .arg(place.path());
        // It says 1 where one of the files has a problem, and has read all of them.
        assert!(all.stdout(Stdio::null()).status().unwrap().code().is_some());
    });
    let ours = rate(photographs.len(), || {
        for path in &photographs {
            let name = path.file_name().unwrap().to_string_lossy();
            let mut file = File::open(path).unwrap();
            let file_type = sniff(&mut file, &name).unwrap();
            metadata(&mut file, file_type, &name).unwrap();
        }
    });
    figures.beside("photographs", ours, TIMES, ("exiftool", peer), "/s");
}

/// Copies of every photograph that the repository has.
fn copy(place: &Path) -> Vec<PathBuf> {
    let mut photographs = Vec::new();
    collect(
        &media::repository().join("testdata/sample"),
        &mut photographs,
    );
    collect(
        &media::repository().join("testdata/media"),
        &mut photographs,
    );
    let mut copies = Vec::new();
    for (number, path) in photographs.iter().enumerate() {
        for copy in 0..COPIES {
            let to = place.join(format!("{number}-{copy}.jpg"));
            fs::copy(path, &to).unwrap();
            copies.push(to);
        }
    }
    copies
}

fn collect(folder: &Path, photographs: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let end = path.extension().unwrap_or_default().to_ascii_lowercase();
        if path.is_dir() {
            collect(&path, photographs);
        } else if end == "jpg" || end == "jpeg" {
            photographs.push(path);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn rate(count: usize, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    count as f64 / started.elapsed().as_secs_f64()
}
