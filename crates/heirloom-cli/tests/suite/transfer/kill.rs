//! The real process, killed at any moment of an import or of an export: what comes of it in the end is what comes of an
//! undisturbed one.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use heirloom_testing::{jpeg, process::Heirloom};

use crate::harness::{Dice, Home, path, program};

/// Kills of each.
const KILLS: usize = 25;

#[test]
fn a_killed_import_or_export_comes_to_what_an_undisturbed_one_does() {
    let home = Home::new();
    let root = home.pictures();
    let originals = root.join("Box");
    fs::create_dir(&originals).unwrap();
    for number in 0..60 {
        let photo = jpeg::tiny(number, &jpeg::Options::varied(number));
        fs::write(originals.join(format!("{number:03}.jpg")), photo).unwrap();
    }
    home.done(["scan", "--no-process", path(&root)]);
    let list = home.json(["asset", "list", "--limit", "500"]);
    let id_of = |name: String| {
        let mut items = list["items"].as_array().unwrap().iter();
        let found = items.find(|item| item["name"] == name.as_str());
        found.unwrap()["id"].as_str().unwrap()
    };
    let ids: Vec<&str> = (0..60)
        .map(|number| id_of(format!("{number:03}.jpg")))
        .collect();
    for (number, id) in ids.iter().enumerate().step_by(3) {
        home.done(["claim", "make", id, "title", &format!("Told of {number}")]);
    }
    let members = ids.iter().step_by(2).copied();
    home.done(["collection", "create", "Box"].into_iter().chain(members));
    home.done(["asset", "delete", ids[7]]);
    let whole = home.folder.path().join("whole");
    home.done(["export", path(&whole)]);

    let expected = payload(&whole);
    assert!(expected.len() > 130, "{}", expected.len());

    let import = ["import", path(&whole), "--no-process"];
    let mut takes = [Duration::MAX; 2];
    let mut dice = Dice(0x1A90);
    let mut kills = [0; 2];
    for round in 0.. {
        let other = program().data(home.folder.path().join(format!("other {round}")));
        let target = home.folder.path().join(format!("out {round}"));
        let export = ["export", path(&target)];
        for (at, command) in [&import[..], &export[..]].into_iter().enumerate() {
            // The first round says how long it takes.
            for _ in 0..if round == 0 { 0 } else { 6 } {
                let running = other.start(command.iter().copied());
                std::thread::sleep(dice.below(takes[at]));
                kills[at] += usize::from(running.kill().code.is_none());
            }
            let started = Instant::now();
            let _ = other.run(command.iter().copied()).expect_code(0);
            takes[at] = takes[at].min(started.elapsed());
        }
        assert_is_sound(&other);
        let found = payload(&target);
        let strange = |name: &&String| !found.contains_key(*name) || !expected.contains_key(*name);
        let strange: Vec<_> = found
            .keys()
            .chain(expected.keys())
            .filter(strange)
            .collect();
        assert!(strange.is_empty(), "round {round}: {strange:?}");
        for (name, bytes) in &expected {
            let texts = [&found[name], bytes].map(|bytes| String::from_utf8_lossy(bytes));
            assert_eq!(texts[0], texts[1], "round {round}: {name}");
        }
        if kills.iter().all(|killed| *killed >= KILLS) {
            break;
        }
        assert!(
            round < 40,
            "too few processes lived long enough to be killed: {kills:?}"
        );
    }
}

#[track_caller]
fn assert_is_sound(library: &Heirloom) {
    let report = library
        .run(["fsck", "--originals", "--json"])
        .expect_code(0);
    assert_eq!(report.json()["faults"], 0);
    let runs = library
        .run(["run", "list", "--limit", "500", "--json"])
        .expect_code(0)
        .json();
    for run in runs["items"].as_array().unwrap() {
        assert!(run["ended_at_ms"].is_i64(), "left open: {run}");
    }
}

/// The files of an export, without the one that says whose it is.
fn payload(export: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![export.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if !file.ends_with("library.json") {
                let name = path(file.strip_prefix(export).unwrap()).to_owned();
                files.insert(name, fs::read(&file).unwrap());
            }
        }
    }
    files
}
