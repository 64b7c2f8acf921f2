//! Times the reading of metadata over all files of a folder and the folders in it.
//!
//! `cargo run --release -p heirloom-media --example speed -- FOLDER [ROUNDS]` prints files per second,
//! the slowest files and the most memory that the process ever held. To be compared with
//! `time exiftool -fast -r -q FOLDER` over the same files.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::{
    error::Error,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use heirloom_media::{metadata, sniff};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("use: speed FOLDER [ROUNDS]")?;
    let rounds: u32 = arguments.next().map_or(Ok(1), |rounds| rounds.parse())?;
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files)?;
    let mut slowest: Vec<(Duration, &Path)> = Vec::new();
    let (mut findings, mut problems) = (0, 0);
    let begun = Instant::now();
    for round in 0..rounds {
        for path in &files {
            let begun = Instant::now();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let mut file = File::open(path)?;
            let file_type = sniff(&mut file, &name)?;
            let found = metadata(&mut file, file_type, &name)?;
            findings += found.findings.len();
            problems += found.problems.len();
            if round == 0 {
                slowest.push((begun.elapsed(), path));
            }
        }
    }
    let all = begun.elapsed();
    let count = f64::from(rounds) * files.len() as f64;
    println!(
        "{count} files in {:.3} s: {:.0} files per second",
        all.as_secs_f64(),
        count / all.as_secs_f64()
    );
    println!("{findings} findings, {problems} problems");
    slowest.sort_unstable();
    for (time, path) in slowest.iter().rev().take(8) {
        println!(
            "{:>9.3} ms  {}",
            time.as_secs_f64() * 1000.0,
            path.display()
        );
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
            println!("{line}");
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
