//! Pictures that there are several of, as they are found and decided on the command line, in the real program.

use std::fs;

use heirloom_testing::media::{media, sample_library};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path};

/// A library with one cat in several forms, and other pictures.
fn library() -> Home {
    let home = Home::new();
    let root = home.folder.path().join("Pictures");
    fs::create_dir_all(&root).unwrap();
    for name in ["chelsea.png", "baseline.jpg", "orientation_5.jpg"] {
        fs::copy(media(&format!("pictures/{name}")), root.join(name)).unwrap();
    }
    let jpeg = fs::read(media("pictures/baseline.jpg")).unwrap();
    fs::write(root.join("copy.jpg"), &jpeg).unwrap();
    // The same picture with a word in it.
    let comment = [&[0xFF, 0xFE, 0, 6][..], b"wort"].concat();
    let noted = [&jpeg[..2], &comment, &jpeg[2..]].concat();
    fs::write(root.join("noted.jpg"), noted).unwrap();
    for name in ["bus.jpg", "bus too.jpg"] {
        let bus = sample_library().join("2002 Summer in Europe/The 104 to Poole.jpg");
        let bytes = [fs::read(bus).unwrap(), name.into()].concat();
        fs::write(root.join(name), bytes).unwrap();
    }
    home.done(["scan", path(&root)]);
    home
}

fn groups(home: &Home, more: &[&str]) -> Vec<Json> {
    let asked = [&["duplicates", "list"], more].concat();
    let groups = home.json(asked);
    groups["items"].as_array().unwrap().clone()
}

/// Why a group is together, and the names of what is in it.
fn told(group: &Json) -> (String, Vec<String>) {
    let members = group["members"].as_array().unwrap().iter();
    let names = members.map(|it| it["asset"]["name"].as_str().unwrap().to_owned());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    (group["why"].as_str().unwrap().to_owned(), names)
}

#[test]
fn what_there_is_twice_is_found_decided_and_taken_back() {
    let home = library();
    let before = groups(&home, &[]);
    let mut all: Vec<_> = before.iter().map(told).collect();
    all.sort_unstable();
    let of = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    // The bytes of one are at two places, and the name of the asset is that of either.
    let cat = &all[1];
    assert_eq!(
        all[0],
        ("exact".to_owned(), of(&["bus too.jpg", "bus.jpg"]))
    );
    assert_eq!((cat.0.as_str(), cat.1.len()), ("near", 4), "{cat:?}");
    assert_eq!(all.len(), 2);
    let cat = before.iter().find(|group| group["why"] == "near").unwrap();
    let places = cat["members"].as_array().unwrap().iter();
    let counts: usize = places
        .map(|it| it["places"].as_array().unwrap().len())
        .sum();
    assert_eq!(counts, 5, "{cat}");
    let (id, keeper) = (cat["id"].as_str().unwrap(), cat["keeper"].as_str().unwrap());
    let listed = home.done(["duplicates", "list"]).stdout;
    assert!(
        listed.contains("they show the same") && listed.contains("keep: "),
        "{listed}"
    );
    let kept = home.done(["duplicates", "keep", id]).stdout;
    assert!(kept.contains("3 pictures rejected"), "{kept}");
    assert_eq!(groups(&home, &[]).len(), 1);
    let decided = groups(&home, &["--decided"]);
    let rating = |id: &str| {
        let members = decided[0]["members"].as_array().unwrap();
        let member = members.iter().find(|it| it["asset"]["id"] == id);
        member.unwrap()["rating"].clone()
    };
    assert_eq!(rating(keeper), 0);
    let bus = before.iter().find(|group| group["why"] == "exact").unwrap();
    let parted = home.json(["duplicates", "part", bus["id"].as_str().unwrap()]);
    assert_eq!(parted["what"], "parted");
    assert_eq!(groups(&home, &[]), [] as [Json; 0]);
    let said = home.json(["duplicates", "decisions"]);
    let said: Vec<_> = said["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].clone())
        .collect();
    assert_eq!(said, [json!("parted"), json!("kept")]);
    for _ in 0..2 {
        home.done(["duplicates", "undo"]);
    }
    let names = |groups: &[Json]| groups.iter().map(told).collect::<Vec<_>>();
    assert_eq!(names(&groups(&home, &[])), names(&before));
    let refused = assert_refusal(&home.heirloom.run(["duplicates", "undo"]).expect_code(2));
    assert!(refused.contains("nothing was decided"), "{refused}");
    // Nothing is deleted, whatever was decided.
    assert_eq!(
        home.json(["asset", "list"])["items"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
}

#[test]
fn a_library_as_a_family_has_it_is_told_what_it_has_twice() {
    let home = Home::new();
    home.done(["scan", path(&sample_library())]);
    let mut all: Vec<_> = groups(&home, &[]).iter().map(told).collect();
    all.sort_unstable();
    insta::assert_json_snapshot!(all);
}
