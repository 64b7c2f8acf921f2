//! `heirloom scan`: its report, its progress, its interruption.

use std::{fs, time::Duration};

use heirloom_testing::process::Running;
use serde_json::Value as Json;

use crate::harness::{Home, assert_refusal, endless_film, path, program, snapshot};

#[test]
fn a_report_has_a_line_for_each_file() {
    let home = Home::new();
    let root = home.pictures();
    let report = home.folder.path().join("report.jsonl");
    // What else has these bytes by a hard link keeps them.
    fs::write(&report, "old").unwrap();
    let link = home.folder.path().join("link");
    fs::hard_link(&report, &link).unwrap();
    home.done(["scan", path(&root), "--report", path(&report)]);
    let text = fs::read_to_string(&report).unwrap();
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 5, "{text}");
    let of = |path: &str| lines.iter().find(|line| line["path"] == path).unwrap();
    assert_eq!(of("Am Meer/Düne.jpg")["outcome"], "new");
    assert_eq!(of(".DS_Store")["outcome"], "skipped");
    assert_eq!(of(".DS_Store")["reason"], "made by the system");
    assert_eq!(fs::read_to_string(&link).unwrap(), "old");

    home.done(["scan", path(&root), "--report", path(&report)]);
    let text = fs::read_to_string(&report).unwrap();
    assert_eq!(text.matches("\"unchanged\"").count(), 4, "{text}");
}

#[test]
fn a_report_is_never_written_below_an_archive() {
    let home = Home::scanned();
    let root = home.folder.path().join("Pictures");
    let other = home.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.txt"), "a").unwrap();
    // By a way round.
    std::os::unix::fs::symlink(&root, home.folder.path().join("way")).unwrap();
    let before = snapshot(&root);
    for report in [
        "Pictures/r.jsonl",
        "Pictures/no date.jpg",
        "way/Am Meer/r.jsonl",
        "other/../Pictures/r",
    ] {
        let report = home.folder.path().join(report);
        let said = home.refused(["scan", path(&other), "--report", path(&report)]);
        assert!(
            said.contains("would be inside the archive \"Pictures\""),
            "{said}"
        );
    }
    let said = home.refused(["scan", path(&root), "--report", path(&root.join("r"))]);
    assert!(
        said.contains("would be inside the folder that is to be scanned"),
        "{said}"
    );
    for report in ["nowhere/r.jsonl", "other"] {
        let report = home.folder.path().join(report);
        home.refused(["scan", path(&root), "--report", path(&report)]);
    }
    before.assert_same(&snapshot(&root));
    let archives = home.json(["archive", "list"]);
    assert_eq!(archives["items"].as_array().unwrap().len(), 1, "{archives}");
}

#[test]
fn a_report_never_takes_the_place_of_what_is_heirlooms_own_or_no_file() {
    let home = Home::scanned();
    let (root, data) = (home.folder.path().join("Pictures"), home.data());
    let at = |name: &str| home.folder.path().join(name);
    std::os::unix::fs::symlink(&data, at("way")).unwrap();
    std::os::unix::fs::symlink(data.join("catalogue.db"), at("link")).unwrap();
    std::os::unix::fs::symlink(data.join("new"), at("dangling")).unwrap();
    fs::hard_link(data.join("blobs/LAYOUT"), at("twin")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status();
    assert!(pipe.unwrap().success());
    let before = snapshot(&data);
    let own = "would be inside Heirloom's own data folder";
    for (report, words) in [
        ("data/catalogue.db", own),
        ("data/lock", own),
        ("data/blobs/LAYOUT", own),
        ("data/blobs/new", own),
        ("data", own),
        ("way/report.jsonl", own),
        ("Pictures/../data/report.jsonl", own),
        ("link", own),
        ("dangling", "is a link that leads nowhere"),
        ("twin", "is another name of a file of Heirloom's own"),
        ("pipe", "is no ordinary file"),
    ] {
        let said = home.refused(["scan", path(&root), "--report", path(&at(report))]);
        assert!(said.contains(words), "{report}: {said}");
    }
    before.assert_same(&snapshot(&data));
    // Nor where it is only going to be.
    let fresh = program().data(at("fresh"));
    let report = at("fresh/report.jsonl");
    let refused = fresh.run(["scan", path(&root), "--report", path(&report)]);
    assert!(assert_refusal(&refused.expect_code(2)).contains(own));
    assert!(!at("fresh").exists());
}

#[test]
fn a_report_that_cannot_be_written_is_refused_by_its_own_name() {
    let home = Home::new();
    let root = home.pictures();
    let report = home.folder.path().join("nowhere/report.jsonl");
    let said = home.refused(["scan", path(&root), "--report", path(&report)]);
    let words = format!("the report {} cannot be written: ", path(&report));
    assert!(
        said.contains(&words) && !said.contains(" at path "),
        "{said}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_the_command_ends_with_one() {
    let home = Home::new();
    let root = home.pictures();
    // A name that the file system lists and that leads nowhere it may go.
    let file = root.join("no date.jpg");
    let is_root = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&file).unwrap()) == 0;
    let mut arguments = vec![env!("CARGO_BIN_EXE_heirloom")];
    let data = home.data();
    arguments.extend(["scan", path(&root), "--data", path(&data)]);
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if is_root {
        // Root may read everything where it is root; in a name space of its own it may not.
        std::os::unix::fs::chown(&file, Some(65_534), Some(65_534)).unwrap();
        arguments.splice(0..0, ["unshare", "--map-root-user"]);
    }
    let output = std::process::Command::new(arguments[0])
        .args(&arguments[1..])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("1 failed; the next scan tries again:"),
        "{said}"
    );
    assert!(said.contains("3  new"), "{said}");
}

#[test]
fn an_interrupted_scan_stops_in_order_and_goes_on_later() {
    let home = Home::new();
    let root = home.many(600);
    let film = endless_film(&root);
    let running = home.heirloom.start(["scan", path(&root), "--json"]);
    wait_for_scan(&home);
    interrupt(&running);
    let finished = running.wait();
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("what was found so far is kept"),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.json()["state"], "cancelled");
    fs::remove_file(film).unwrap();
    let run = home.json(["scan", path(&root)]);
    assert_eq!(run["state"], "done");
    let counts = home.json(["doctor"])["counts"].clone();
    assert_eq!(counts["assets"], 600);
}

#[test]
fn a_killed_scan_goes_on_where_it_was() {
    let home = Home::new();
    let root = home.many(600);
    let film = endless_film(&root);
    let running = home.heirloom.start(["scan", path(&root)]);
    wait_for_scan(&home);
    running.kill();
    fs::remove_file(film).unwrap();
    let run = home.json(["scan", path(&root)]);
    assert_eq!(run["state"], "done");
    assert_eq!(home.json(["doctor"])["counts"]["assets"], 600);
    let runs = home.json(["run", "list"]);
    let states: Vec<&Json> = runs["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["state"])
        .collect();
    assert!(states.iter().all(|state| **state == "done"), "{states:?}");
}

#[test]
fn what_a_killed_process_was_preparing_is_prepared_by_the_next_without_a_server() {
    let home = Home::new();
    let root = home.many(300);
    let killed = home.heirloom.start(["scan", path(&root)]);
    let prepared = |home: &Home| {
        let run = home.json(["run", "list"])["items"][0].clone();
        (run["pipeline"] == "prepare").then_some(run)
    };
    let is_preparing = |run: Json| run["steps"][0]["done"] != 0;
    while !home.data().join("socket").exists() || !prepared(&home).is_some_and(is_preparing) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(killed);
    let left = prepared(&home).unwrap();
    home.done(["scan", path(&root)]);
    let runs = home.json(["run", "list"]);
    let runs = runs["items"].as_array().unwrap();
    let left = runs.iter().find(|run| run["id"] == left["id"]).unwrap();
    assert_eq!(left["state"], "done", "{left}");
    assert!(runs.iter().all(|run| run["state"] == "done"), "{runs:?}");
}

/// Until the scan has read something.
fn wait_for_scan(home: &Home) {
    let has_begun = || {
        if !home.data().join("socket").exists() {
            return false;
        }
        let runs = home.heirloom.run(["run", "list", "--json"]);
        runs.code == Some(0) && runs.json()["items"][0]["progress"]["files_done"] != 0
    };
    while !has_begun() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn interrupt(running: &Running) {
    let process = rustix::process::Pid::from_raw(running.id().cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
}
