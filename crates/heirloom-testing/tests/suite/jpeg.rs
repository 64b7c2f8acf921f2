//! The tiny media are what they claim to be, by the word of programs that others wrote.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use heirloom_testing::{
    jpeg::{self, Options},
    png, wav,
};
use tempfile::TempDir;

#[test]
fn a_tiny_photograph_says_what_it_was_told_to() {
    let options = Options {
        taken: Some("2008:10:22 16:28:39".to_owned()),
        offset: Some("+02:00".to_owned()),
        make: Some("NIKON".to_owned()),
        model: Some("COOLPIX P6000".to_owned()),
        orientation: Some(6),
        position: Some((-33.5, 151.25)),
        padding_bytes: 100_000,
    };
    let said = exiftool_of("jpg", &jpeg::tiny(7, &options));
    let told = [
        ("DateTimeOriginal", "2008:10:22 16:28:39"),
        ("OffsetTimeOriginal", "+02:00"),
        ("Make", "NIKON"),
        ("Model", "COOLPIX P6000"),
        ("Orientation", "6"),
        ("GPSLatitude", "-33.5"),
        ("GPSLongitude", "151.25"),
        ("ImageWidth", "8"),
        ("MIMEType", "image/jpeg"),
    ];
    for (tag, value) in told {
        let found = &said[tag];
        let found = found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned);
        assert_eq!(found, value, "{tag}");
    }
}

#[test]
fn every_varied_photograph_says_what_it_was_told_to() {
    let folder = TempDir::new().unwrap();
    jpeg::write_library(folder.path(), 200, 200);
    let said = exiftool(&folder.path().join("0000"));
    assert_eq!(said.len(), 200);
    for said in &said {
        let name = said["FileName"].as_str().unwrap();
        let seed = name[4..11].parse().unwrap();
        let options = Options::of_a_day(seed);
        assert_clean(said);
        assert_eq!(said["DateTimeOriginal"].as_str(), options.taken.as_deref());
        assert_eq!(said["Model"].as_str(), options.model.as_deref());
        assert_eq!(
            said["Orientation"].as_u64(),
            options.orientation.map(u64::from)
        );
        let degrees = |tag: &str| said[tag].as_f64();
        let (latitude, longitude) = options.position.unzip();
        for (found, told) in [
            (degrees("GPSLatitude"), latitude),
            (degrees("GPSLongitude"), longitude),
        ] {
            assert_eq!(found.is_some(), told.is_some(), "{seed}");
            assert!(
                found.zip(told).is_none_or(|(a, b)| (a - b).abs() < 1e-6),
                "{seed}: {found:?} {told:?}"
            );
        }
    }
}

#[test]
fn the_other_tiny_media_are_valid() {
    for (kind, bytes, mime) in [
        ("png", png::tiny(3), "image/png"),
        ("wav", wav::tiny(3), "audio/x-wav"),
        ("jpg", jpeg::tiny(3, &Options::default()), "image/jpeg"),
    ] {
        let said = exiftool_of(kind, &bytes);
        assert_eq!(said["MIMEType"], mime);
    }
}

#[test]
fn different_seeds_give_different_bytes_and_the_same_seed_the_same() {
    let options = Options::default();
    let makers: [fn(u64) -> Vec<u8>; 4] = [
        |n| jpeg::tiny(n, &Options::default()),
        |n| jpeg::tiny(n, &Options::varied(n)),
        png::tiny,
        wav::tiny,
    ];
    for make in makers {
        let all: BTreeSet<Vec<u8>> = (0..2_000).map(make).collect();
        assert_eq!(all.len(), 2_000);
        assert_eq!(make(11), make(11));
    }
    let padded = Options {
        padding_bytes: 200_001,
        ..options.clone()
    };
    assert!(jpeg::tiny(0, &padded).len() - jpeg::tiny(0, &options).len() >= 200_001);
}

#[test]
fn a_written_library_has_as_many_photographs_as_asked_for() {
    let folder = TempDir::new().unwrap();
    jpeg::write_library(folder.path(), 25, 10);
    let count = |name: &str| fs::read_dir(folder.path().join(name)).unwrap().count();
    assert_eq!((count("0000"), count("0001"), count("0002")), (10, 10, 5));
    assert!(folder.path().join("0002/IMG_0000024.jpg").exists());
}

fn exiftool_of(extension: &str, bytes: &[u8]) -> serde_json::Value {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(format!("file.{extension}")), bytes).unwrap();
    let said = exiftool(folder.path()).remove(0);
    assert_clean(&said);
    said
}

/// What exiftool says of each file in a folder.
fn exiftool(folder: &Path) -> Vec<serde_json::Value> {
    let output = Command::new("exiftool")
        .args(["-n", "-json"])
        .arg(folder)
        .output();
    let output = output.expect("exiftool is needed: `apt-get install libimage-exiftool-perl`");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_clean(said: &serde_json::Value) {
    assert!(
        said.get("Warning").is_none() && said.get("Error").is_none(),
        "{said}"
    );
}
