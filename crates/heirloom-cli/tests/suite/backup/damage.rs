//! Objects of a repository that are flipped, cut off, swapped or gone: each is found and named.

use std::{
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::{jpeg, tree::copy_tree};
use serde_json::Value as Json;

use crate::harness::{Home, path, program};

/// What can befall an object.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Harm {
    Flip,
    Cut,
    Delete,
    Swap,
}

#[test]
fn whatever_befalls_an_object_is_found_and_the_object_named() {
    let home = Home::scanned();
    home.back_up();
    home.back_up();
    let sound = home.repository();
    for kind in ["config", "keys", "snapshots", "index", "data"] {
        for harm in [Harm::Flip, Harm::Cut, Harm::Delete, Harm::Swap] {
            let repository = home.folder.path().join(format!("{kind} {harm:?}"));
            copy_tree(&sound, &repository);
            let mut objects = files(&repository.join(kind));
            objects.sort();
            let is_named_by_content = kind != "config";
            let object = &objects[0];
            let harmed = match harm {
                Harm::Flip => {
                    let mut bytes = fs::read(object).unwrap();
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 4;
                    fs::write(object, bytes).is_ok()
                }
                Harm::Cut => {
                    let bytes = fs::read(object).unwrap();
                    fs::write(object, &bytes[..bytes.len() / 2]).is_ok()
                }
                // A repository without one of its snapshots is one that has fewer.
                Harm::Delete if kind == "snapshots" => false,
                Harm::Delete => fs::remove_file(object).is_ok(),
                Harm::Swap if objects.len() < 2 => false,
                Harm::Swap => {
                    let between = repository.join("between");
                    fs::rename(object, &between).unwrap();
                    fs::rename(&objects[1], object).unwrap();
                    fs::rename(&between, &objects[1]).is_ok()
                }
            };
            if !harmed {
                continue;
            }
            let finished = home
                .heirloom
                .run(["backup", "check", path(&repository), "--read-data"]);
            assert!(
                matches!(finished.code, Some(1 | 2)),
                "{kind} {harm:?}: {finished:?}"
            );
            let said = finished.stdout.clone() + &finished.stderr;
            let name = object.file_name().unwrap().to_str().unwrap();
            let is_named = match (harm, kind) {
                (Harm::Delete, "config") => said.contains("`config` is not there"),
                (Harm::Delete, "keys") => said.contains("`keys` is empty"),
                // Nothing else says what it had: what is lacking now is named.
                (Harm::Delete, "index") => said.contains("is missing") || said.contains("damaged"),
                _ if is_named_by_content => said.contains(name),
                _ => said.contains("config") || said.contains("damaged"),
            };
            assert!(is_named, "{kind} {harm:?}, {name}: {said}");
        }
    }
    home.done(["backup", "check", path(&sound), "--read-data"]);
}

#[test]
fn damaged_bytes_are_never_restored_as_if_they_were_right() {
    let home = Home::scanned();
    home.back_up();
    for pack in files(&home.repository().join("data")) {
        let mut bytes = fs::read(&pack).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&pack, bytes).unwrap();
    }
    let folder = home.folder.path().join("restored");
    let finished = home
        .heirloom
        .run(["restore", path(&home.repository()), path(&folder)]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.stderr.contains("damaged"), "{finished:?}");
    assert!(!folder.join("catalogue.db").exists());
}

#[test]
fn what_is_damaged_in_a_repository_costs_nothing_else() {
    let home = Home::scanned();
    let root = home.folder.path().join("Pictures");
    // Far larger than everything else, so that most of what is damaged below is its own.
    let large = jpeg::tiny(
        900,
        &jpeg::Options {
            padding_bytes: 12_000_000,
            ..jpeg::Options::varied(900)
        },
    );
    fs::write(root.join("large.jpg"), large).unwrap();
    home.done(["scan", path(&root)]);
    home.back_up();
    let sound = home.repository();
    let mut packs = files(&sound.join("data"));
    packs.sort();
    let (mut partly, mut refused) = (0, 0);
    for pack in &packs {
        let length = fs::metadata(pack).unwrap().len();
        let places: &[u64] = match length > 1_000_000 {
            true => &[1, 3, 20, 50, 80, 97, 99],
            false => &[20, 50, 80],
        };
        for place in places {
            let name = format!("{partly} {refused}");
            let repository = home.folder.path().join(format!("harmed {name}"));
            copy_tree(&sound, &repository);
            let harmed = repository.join(pack.strip_prefix(&sound).unwrap());
            let mut bytes = fs::read(&harmed).unwrap();
            bytes[usize::try_from(length * place / 100).unwrap()] ^= 1;
            fs::write(&harmed, bytes).unwrap();
            let folder = home.folder.path().join(format!("restored {name}"));
            let key = home.data().join("backup.key");
            let words = [
                "restore",
                path(&repository),
                path(&folder),
                "--key-file",
                path(&key),
            ];
            let finished = program().run(words.into_iter().chain(["--json"]));
            fs::remove_dir_all(&repository).unwrap();
            if finished.code == Some(2) {
                // The catalogue itself, or what says where it is.
                assert!(finished.stderr.contains("damaged"), "{finished:?}");
                assert!(!folder.join("catalogue.db").exists());
                refused += 1;
                continue;
            }
            partly += 1;
            let report = finished.expect_code(1).json();
            let lacking = report["lacking_files"].as_array().unwrap();
            let is_named = |name: &str| {
                let ends = |file: &Json| file["path"].as_str().unwrap().ends_with(name);
                lacking.iter().any(ends)
            };
            assert!(!lacking.is_empty(), "{report}");
            let originals = folder.join("originals/Pictures");
            for file in files(&root) {
                let inner = file.strip_prefix(&root).unwrap();
                let there = fs::read(originals.join(inner)).ok();
                let is_lacking = is_named(path(inner)) || inner.ends_with(".DS_Store");
                assert_eq!(there.is_none(), is_lacking, "{inner:?}: {report}");
                assert!(there.is_none_or(|there| there == fs::read(&file).unwrap()));
            }
            let half = |file: &PathBuf| file.extension().is_some_and(|it| it == "partial");
            assert!(!files(&folder).iter().any(half));
            // What came back is a library, which knows what it lacks.
            let restored = program().data(&folder);
            let _ = restored
                .run(["scan", "--no-process", "--allow-empty", path(&originals)])
                .expect_code(0);
            let missing = restored.run(["search", "is:missing", "--json"]);
            let missing = missing.expect_code(0).json()["items"]
                .as_array()
                .unwrap()
                .len();
            let faults = restored.run(["fsck", "--originals", "--json"]).json();
            let faults = usize::try_from(faults["faults"].as_u64().unwrap()).unwrap();
            assert_eq!(missing + faults, lacking.len(), "{report}");
        }
    }
    assert!(partly > 5 && refused > 0, "{partly} {refused}");
}

/// Every file below a path, which may be one itself.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.flat_map(|path| files(&path)).collect()
}

#[test]
fn a_damaged_page_of_a_catalogue_is_named_and_neither_served_nor_backed_up() {
    let home = Home::scanned();
    let strand = home.asset("Strand.jpg");
    home.done(["claim", "make", &strand, "title", "Am Strand von Sylt"]);
    let said = home.json(["asset", "show", &strand]);
    home.back_up();
    let catalogue = home.data().join("catalogue.db");
    let sound = fs::read(&catalogue).unwrap();
    let title = b"Am Strand von Sylt";
    let places = sound.windows(title.len()).enumerate();
    let titles = places.filter(|(_, bytes)| bytes == title);
    let titles: Vec<usize> = titles.map(|(at, _)| at + 3).collect();
    assert!(!titles.is_empty());
    let pages = sound.len() / 4096;
    let elsewhere = (0..pages).step_by(12).map(|page| page * 4096 + 2222);
    for at in titles.into_iter().chain(elsewhere) {
        let mut bytes = sound.clone();
        bytes[at] ^= 2;
        fs::write(&catalogue, &bytes).unwrap();
        let is_named = |text: &str| {
            text.contains("catalogue.db")
                && (text.contains("damaged") || text.contains("not as it was written"))
        };
        let checked = home.heirloom.run(["fsck"]);
        assert!(
            matches!(checked.code, Some(1 | 2)),
            "byte {at}: {checked:?}"
        );
        assert!(
            is_named(&(checked.stdout.clone() + &checked.stderr)),
            "byte {at}: {checked:?}"
        );
        let shown = home.heirloom.run(["asset", "show", &strand, "--json"]);
        match shown.code {
            Some(0) => assert_eq!(shown.json(), said, "byte {at}"),
            _ => assert!(is_named(&shown.stderr), "byte {at}: {shown:?}"),
        }
        let backed_up = home
            .heirloom
            .run(["backup", "to", path(&home.repository())]);
        assert_ne!(backed_up.code, Some(0), "byte {at}: {backed_up:?}");
        assert!(
            is_named(&(backed_up.stdout.clone() + &backed_up.stderr)),
            "byte {at}: {backed_up:?}"
        );
    }
    fs::write(&catalogue, &sound).unwrap();
    home.done(["fsck"]);
    home.back_up();
}
