//! Objects of a repository that are flipped, cut off, swapped or gone: each is found and named.

use std::{
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::tree::copy_tree;

use crate::harness::{Home, path};

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
                (Harm::Delete, "config") => said.contains("there is no backup repository"),
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

/// Every file below a path, which may be one itself.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.flat_map(|path| files(&path)).collect()
}
