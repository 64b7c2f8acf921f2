//! Disks that are full or read-only: exit code 2, one sentence, a hint; work goes on when they are not.

mod backup;
mod models;
mod run;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::{
    TreeSnapshot, http,
    process::{Finished, free_address},
};

use crate::add::{announce, send_part};
use crate::harness::{Home, assert_refusal, path, program};

const FOLDER: &str = "TEST_FOLDER";

/// Runs the test once more as a child that may mount what nobody else sees, with a disk of so many
/// megabytes at its folder.
fn with_a_small_disk(test: &str, megabytes: u32, body: impl FnOnce(PathBuf)) {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test finds itself started by itself"
    )]
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    if let Some(folder) = folder {
        mount(
            &["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"],
            &folder,
        );
        return body(folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .expect("unshare (util-linux) is needed to mount a small disk");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{complained}"
    );
}

fn mount(arguments: &[&str], folder: &Path) {
    let output = Command::new("mount")
        .args(arguments)
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Fills a disk to its last byte.
fn fill(folder: &Path) -> PathBuf {
    let filler = folder.join("filler");
    for length in [1 << 20, 4096, 1] {
        while fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&filler)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &vec![1; length]))
            .is_ok()
        {}
    }
    filler
}

#[test]
fn a_full_disk_is_named_and_work_goes_on_when_space_returns() {
    let test = "space::a_full_disk_is_named_and_work_goes_on_when_space_returns";
    with_a_small_disk(test, 6, |disk| {
        let home = Home::new();
        let root = home.folder.path().join("library");
        heirloom_testing::jpeg::write_library(&root, 400, 1_000);
        let heirloom = program().data(disk.join("data"));

        // Full from the start: nothing is begun.
        let filler = fill(&disk);
        let refused = heirloom
            .run(["scan", "--no-process", path(&root)])
            .expect_code(2);
        let said = assert_refusal(&refused);
        assert!(said.contains("no space is left"), "{said}");
        fs::remove_file(&filler).unwrap();

        // Full in the middle: what was stored before is whole.
        heirloom
            .run(["scan", "--no-process", path(&root)])
            .expect_code(0)
            .stdout
            .clear();
        heirloom_testing::jpeg::write_library(&home.folder.path().join("more"), 3_000, 5_000);
        let filler = fill(&disk);
        let more = home.folder.path().join("more");
        let finished = heirloom.run(["scan", "--no-process", path(&more)]);
        assert!(matches!(finished.code, Some(1 | 2)), "{finished:?}");
        let said = finished.stdout.clone() + &finished.stderr;
        assert!(said.contains("no space is left"), "{said}");
        // SQLite needs a little even to be looked into.
        assert_refusal(&heirloom.run(["asset", "list"]).expect_code(2));

        fs::remove_file(&filler).unwrap();
        heirloom.run(["fsck"]).expect_code(0).stdout.clear();
        mount(&["-o", "remount,size=60m"], &disk);
        heirloom
            .run(["scan", "--no-process", path(&more)])
            .expect_code(0)
            .stdout
            .clear();
        let doctor = heirloom.run(["doctor", "--json"]).json();
        assert_eq!(doctor["counts"]["archives"], 2);
        assert_eq!(
            doctor["counts"]["assets"], 3_000,
            "the same 400 are in both"
        );
    });
}

/// How many files the disks below are too small for.
const FILES: u64 = 1_500;

/// That a scan ended because the disk is full, and said so.
fn assert_filled(finished: &Finished) {
    assert!(matches!(finished.code, Some(1 | 2)), "{finished:?}");
    let said = finished.stdout.clone() + &finished.stderr;
    assert!(said.contains("no space is left"), "{said}");
    assert!(!said.contains("inside Heirloom"), "{said}");
}

#[test]
fn a_disk_that_fills_during_a_scan_ends_it_and_the_next_one_goes_on() {
    let test = "space::a_disk_that_fills_during_a_scan_ends_it_and_the_next_one_goes_on";
    with_a_small_disk(test, 1, |folder| {
        let home = Home::new();
        let root = home.folder.path().join("library");
        heirloom_testing::jpeg::write_library(&root, FILES, 500);
        for size in ["700k", "1200k", "2m", "3m"] {
            let disk = folder.join(size);
            fs::create_dir(&disk).unwrap();
            mount(
                &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"],
                &disk,
            );
            let heirloom = program().data(disk.join("data"));
            assert_filled(&heirloom.run(["scan", "--no-process", path(&root)]));
            mount(&["-o", "remount,size=90m"], &disk);
            let scanned = heirloom.run(["scan", "--no-process", path(&root)]);
            assert_eq!(scanned.code, Some(0), "{size}: {scanned:?}");
            let doctor = heirloom.run(["doctor", "--json"]).json();
            assert_eq!(doctor["counts"]["assets"], FILES, "{size}");
        }
    });
}

#[test]
fn a_server_whose_disk_fills_says_so_and_goes_on_when_space_returns() {
    let test = "space::a_server_whose_disk_fills_says_so_and_goes_on_when_space_returns";
    with_a_small_disk(test, 1, |folder| {
        let home = Home::new();
        let root = home.folder.path().join("library");
        heirloom_testing::jpeg::write_library(&root, FILES, 500);
        for left_bytes in [0, 100_000, 500_000, 2_000_000] {
            let disk = folder.join(left_bytes.to_string());
            fs::create_dir(&disk).unwrap();
            mount(&["-t", "tmpfs", "-o", "size=90m", "tmpfs"], &disk);
            let heirloom = program().data(disk.join("data"));
            let address = free_address();
            let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
            server.wait_until_ready(address);
            let filler = fill(&disk);
            let file = fs::OpenOptions::new().write(true).open(&filler).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - left_bytes).unwrap();
            drop(file);
            for _ in 0..2 {
                assert_filled(&heirloom.run(["scan", "--no-process", path(&root)]));
            }
            let runs = heirloom.run(["run", "list", "--json"]).json();
            for run in runs["items"].as_array().unwrap() {
                assert_eq!(run["state"], "failed", "{run}");
                assert_eq!(run["error"], "no space is left for the catalogue", "{run}");
            }
            fs::remove_file(&filler).unwrap();
            let scanned = heirloom.run(["scan", "--no-process", path(&root)]);
            assert_eq!(scanned.code, Some(0), "{left_bytes}: {scanned:?}");
            let doctor = heirloom.run(["doctor", "--json"]).json();
            assert_eq!(doctor["counts"]["assets"], FILES, "{left_bytes}");
            server.wait_until_ready(address);
            assert_eq!(server.stop().code, Some(0));
        }
    });
}

#[test]
fn a_read_only_data_folder_is_named_and_left_as_it_is() {
    let test = "space::a_read_only_data_folder_is_named_and_left_as_it_is";
    with_a_small_disk(test, 20, |disk| {
        let home = Home::new();
        let root = home.pictures();
        let heirloom = program().data(disk.join("data"));
        heirloom
            .run(["scan", "--no-process", path(&root)])
            .expect_code(0)
            .stdout
            .clear();
        mount(&["-o", "remount,bind,ro"], &disk);
        let before = TreeSnapshot::of(&disk);
        for arguments in [
            &["scan", "--no-process", path(&root)][..],
            &["asset", "list"],
            &["serve"],
        ] {
            let said = assert_refusal(&heirloom.run(arguments.iter()).expect_code(2));
            assert!(said.contains("read-only file system"), "{said}");
        }
        let fresh = program().data(disk.join("fresh"));
        let said = assert_refusal(
            &fresh
                .run(["scan", "--no-process", path(&root)])
                .expect_code(2),
        );
        assert!(said.contains("read-only file system"), "{said}");
        before.assert_same(&TreeSnapshot::of(&disk));
        mount(&["-o", "remount,bind,rw"], &disk);
        heirloom
            .run(["scan", "--no-process", path(&root)])
            .expect_code(0)
            .stdout
            .clear();
    });
}

#[test]
fn a_disk_that_fills_while_a_file_comes_in_keeps_what_was_acknowledged() {
    let test = "space::a_disk_that_fills_while_a_file_comes_in_keeps_what_was_acknowledged";
    with_a_small_disk(test, 120, |disk| {
        let home = Home::new();
        let file = home.folder.path().join("Film.jpg");
        let padding_bytes = 20_000_000;
        let options = heirloom_testing::jpeg::Options {
            padding_bytes,
            ..Default::default()
        };
        fs::write(&file, heirloom_testing::jpeg::tiny(1, &options)).unwrap();
        let bytes = fs::read(&file).unwrap();
        let heirloom = program().data(disk.join("data"));
        let address = free_address();
        let listen = address.to_string();
        let mut server = heirloom.start(["serve", "--listen", &listen]);
        server.wait_until_ready(address);
        let upload = announce(address, &file);
        send_part(address, &upload, &bytes[..5_000_000]);

        let filler = fill(&disk);
        let refused = heirloom.run(["add", path(&file)]).expect_code(2);
        let said = assert_refusal(&refused);
        assert!(said.contains("no space is left"), "{said}");

        fs::remove_file(filler).unwrap();
        let stands = http::get(address, &upload, &[]).body;
        let stands: serde_json::Value = serde_json::from_slice(&stands).unwrap();
        assert!(
            stands["received_bytes"].as_u64().unwrap() >= 5_000_000,
            "{stands}"
        );
        let _ = heirloom.run(["add", path(&file)]).expect_code(0);
        let list = heirloom.run(["asset", "list", "--json"]).json();
        let id = list["items"][0]["id"].as_str().unwrap();
        let original = http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
        assert!(original.body == bytes);
        // What can never fit is refused before any of it is sent.
        let huge = home.folder.path().join("huge.bin");
        fs::File::create(&huge)
            .unwrap()
            .set_len(500_000_000)
            .unwrap();
        let refused = heirloom.run(["add", path(&huge)]).expect_code(2);
        let said = assert_refusal(&refused);
        assert!(said.contains("the disk has"), "{said}");
        assert_eq!(server.stop().code, Some(0));
    });
}
