//! Everything under `testdata/` is listed with its source, its licence and the hash of its bytes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::media::{Known, known, malformed, repository, sample, sample_library};
use sha2::{Digest as _, Sha256};

#[test]
fn each_sample_file_has_its_licence_source_and_hash() {
    check(&sample(), &sample_library(), &[]);
}

#[test]
fn each_malformed_file_has_its_licence_source_and_hash() {
    let files = malformed();
    check(
        &files,
        &repository().join("testdata/malformed"),
        &["manifest.json"],
    );
    for file in &files {
        for key in ["why", "expect"] {
            assert!(has_text(file, key), "{} does not say {key}", file.name);
        }
    }
}

#[test]
fn each_other_test_file_has_its_licence_source_and_hash() {
    for name in ["documents", "faces", "media", "pictures"] {
        check(
            &known(&format!("{name}/manifest.json"), name),
            &repository().join("testdata").join(name),
            &["manifest.json"],
        );
    }
}

#[test]
fn the_sample_library_stays_small() {
    let bytes: u64 = sample()
        .iter()
        .map(|file| fs::metadata(&file.path).unwrap().len())
        .sum();
    assert!(bytes < 25_000_000, "the sample library has {bytes} bytes");
}

#[test]
fn what_the_sample_library_says_of_its_pairs_is_so() {
    let files = sample();
    let find = |name: &str| {
        let found = files.iter().find(|file| file.name == name);
        found.unwrap_or_else(|| panic!("{name} is not in the sample library"))
    };
    let mut kinds = BTreeSet::new();
    for file in &files {
        let truth = &file.entry["truth"];
        for key in ["duplicate_of", "sidecar_of", "stack_with", "stack_cover"] {
            let Some(other) = truth[key].as_str() else {
                continue;
            };
            kinds.insert(key);
            let is_copy = find(other).entry["sha256"] == file.entry["sha256"];
            let is_itself = other == file.name;
            assert_eq!(
                is_copy,
                key == "duplicate_of" || is_itself,
                "{} and {other}",
                file.name
            );
        }
    }
    assert_eq!(
        kinds.len(),
        4,
        "the library has an example of each: {kinds:?}"
    );
}

fn check(files: &[Known], folder: &Path, unlisted: &[&str]) {
    let on_disk: BTreeSet<PathBuf> = walk(folder)
        .into_iter()
        .filter(|path| !unlisted.iter().any(|name| path.ends_with(name)))
        .collect();
    let listed: BTreeSet<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(listed.len(), files.len(), "a file is listed twice");
    let difference: Vec<_> = on_disk.symmetric_difference(&listed).collect();
    assert!(
        difference.is_empty(),
        "listed but not there, or there but not listed: {difference:?}"
    );
    for file in files {
        for key in ["source", "licence"] {
            assert!(has_text(file, key), "{} has no {key}", file.name);
        }
        let licence = file.entry["licence"].as_str().unwrap();
        assert!(!licence.contains("GPL"), "{} is under {licence}", file.name);
        assert_ne!(file.entry["licence_confidence"], "low", "{}", file.name);
        let bytes = fs::read(&file.path).unwrap();
        let hash = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        assert_eq!(file.entry["sha256"], hash.as_str(), "{}", file.name);
        assert_eq!(file.entry["bytes"], bytes.len(), "{}", file.name);
    }
}

fn has_text(file: &Known, key: &str) -> bool {
    file.entry[key]
        .as_str()
        .is_some_and(|text| !text.trim().is_empty())
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
