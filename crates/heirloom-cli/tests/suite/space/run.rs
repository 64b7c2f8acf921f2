//! A run whose disk fills says what it waits for, and goes on by itself.

use std::{fs, process::Command, time::Instant};

use heirloom_testing::process::{Heirloom, PATIENCE, free_address};
use serde_json::Value as Json;

use super::{fill, mount, with_a_small_disk};
use crate::harness::{Home, path, program};

/// How many photographs the run goes through; the disk fills while it does.
const FILES: u64 = 1_500;

/// Waits until the run is so.
fn wait_until(heirloom: &Heirloom, run: &str, what: &str, is_so: impl Fn(&Json) -> bool) -> Json {
    let started = Instant::now();
    loop {
        let status = heirloom
            .run(["run", "status", run, "--json"])
            .expect_code(0);
        let status = status.json();
        if is_so(&status) {
            return status;
        }
        assert!(started.elapsed() < 2 * PATIENCE, "{what}: {status}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Leaves so many bytes of a disk that was filled.
fn leave(filler: &std::path::Path, left_bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(filler).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - left_bytes).unwrap();
}

#[test]
fn a_run_whose_disk_fills_says_so_and_goes_on_when_space_returns() {
    let test = "space::run::a_run_whose_disk_fills_says_so_and_goes_on_when_space_returns";
    with_a_small_disk(test, 1, |folder| {
        let home = Home::new();
        let root = home.folder.path().join("library");
        heirloom_testing::jpeg::write_library(&root, FILES, 500);
        let disk = folder.join("disk");
        fs::create_dir(&disk).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=90m", "tmpfs"], &disk);
        let heirloom = program().data(disk.join("data"));
        let _ = heirloom
            .run(["scan", "--no-process", path(&root)])
            .expect_code(0);
        let address = free_address();
        let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
        server.wait_until_ready(address);
        let started = heirloom.run(["run", "start", "prepare", "--json"]);
        let run = started.expect_code(0).json()["id"].clone();
        let run = run.as_str().unwrap();
        wait_until(&heirloom, run, "something is made", |status| {
            status["steps"][0]["done"].as_i64() > Some(0)
        });
        let filler = fill(&disk);
        let held_up = wait_until(&heirloom, run, "it waits", |status| {
            assert_ne!(status["state"], "done", "the disk was filled too late");
            status["waits_for"].is_string()
        });
        let reason = held_up["waits_for"].as_str().unwrap();
        assert!(reason.contains("no space is left"), "{reason}");
        assert_eq!(held_up["waits_for_code"], "no_space");
        let said = heirloom.run(["run", "status", run]).stdout;
        assert!(
            said.contains("It waits: no space is left") && said.contains("It goes on by itself."),
            "{said}"
        );
        let list = heirloom.run(["run", "list"]).stdout;
        assert!(list.contains(", waiting"), "{list}");

        fs::remove_file(&filler).unwrap();
        let done = wait_until(&heirloom, run, "it goes on", |status| {
            status["state"] == "done"
        });
        assert_eq!(done["waits_for"], Json::Null);
        assert_eq!(done["steps"][0]["done"], FILES, "{done}");
        assert_eq!(done["steps"][0]["failed"], 0, "{done}");
        let _ = heirloom.run(["fsck"]).expect_code(0);
        assert_eq!(server.stop().code, Some(0));
    });
}

#[test]
fn a_film_for_whose_proxy_there_is_no_space_waits_and_is_not_called_damaged() {
    let test =
        "space::run::a_film_for_whose_proxy_there_is_no_space_waits_and_is_not_called_damaged";
    with_a_small_disk(test, 60, |disk| {
        let home = Home::new();
        let root = home.folder.path().join("films");
        fs::create_dir(&root).unwrap();
        // Noise, which no encoder makes small.
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i"])
            .arg("nullsrc=s=320x240:r=25,geq=random(1)*255:128:128")
            .args(["-t", "4", "-c:v", "mjpeg", "-q:v", "8"])
            .arg(root.join("Film.avi"))
            .status();
        assert!(made.unwrap().success());
        let heirloom = program().data(disk.join("data"));
        let _ = heirloom
            .run(["scan", "--no-process", path(&root)])
            .expect_code(0);
        let address = free_address();
        let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
        server.wait_until_ready(address);
        let filler = fill(&disk);
        leave(&filler, 2_000_000);
        let started = heirloom.run(["run", "start", "prepare", "--json"]);
        let run = started.expect_code(0).json()["id"].clone();
        let run = run.as_str().unwrap();
        let held_up = wait_until(&heirloom, run, "it waits", |status| {
            assert_ne!(status["state"], "done", "there was space: {status}");
            status["waits_for"].is_string()
        });
        let reason = held_up["waits_for"].as_str().unwrap();
        assert!(reason.contains("no space is left"), "{reason}");
        fs::remove_file(&filler).unwrap();
        let done = wait_until(&heirloom, run, "it goes on", |status| {
            status["state"] == "done"
        });
        for step in done["steps"].as_array().unwrap() {
            assert_eq!(step["failed"], 0, "{done}");
        }
        assert_eq!(server.stop().code, Some(0));
    });
}
