//! What pictures show, with the real model in the real program.

mod elsewhere;

use std::{
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::{media::sample_library, models, process::Heirloom};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path, program};

fn looking() -> Heirloom {
    program().env("HEIRLOOM_MODELS", path(&models::folder()))
}

fn sample(name: &str) -> PathBuf {
    sample_library().join(name)
}

fn tag(file: &Path) -> Json {
    let finished = looking().run(["--json", "tag", path(file)]).expect_code(0);
    serde_json::from_str(&finished.stdout).unwrap()
}

fn names(tagged: &Json) -> Vec<&str> {
    let tags = tagged["tags"].as_array().unwrap().iter();
    tags.map(|tag| tag["tag"].as_str().unwrap()).collect()
}

#[test]
fn what_a_picture_shows_is_named_whatever_its_form() {
    for (file, noun) in [
        ("Pets/Chelsea.png", "cat"),
        ("Pets/Minka.avif", "cat"),
        ("2002 Summer in Europe/Haymaking.jpg", "hay"),
        ("2002 Summer in Europe/The 104 to Poole.jpg", "bus"),
    ] {
        let tagged = tag(&sample(file));
        assert_eq!(names(&tagged), [noun], "{file}");
        let confidence = tagged["tags"][0]["confidence"].as_f64().unwrap();
        assert!((0.3..=1.0).contains(&confidence), "{confidence}");
        assert_eq!(
            (&tagged["method"], &tagged["model"]),
            (&json!("local"), &json!("efficientnet-lite2"))
        );
    }
    let told = looking().run(["tag", path(&sample("Pets/Chelsea.png"))]);
    assert!(told.expect_code(0).stdout.starts_with("cat ("));
}

#[test]
fn of_letters_maps_and_noise_nothing_is_said() {
    let home = Home::new();
    let dots = home.folder.path().join("dots.png");
    fs::write(&dots, heirloom_testing::png::tiny(7)).unwrap();
    for file in [
        &sample("1944 letters/1944-05-30 Karl to Anna, page 1.jpg"),
        &sample("1944 letters/1944-03-12 Anna to Karl.tif"),
        &sample("Papers/The Siege of Vicksburg.jpg"),
        &sample("Papers/Map of Baiona.jpg"),
        &dots,
    ] {
        let finished = looking().run(["tag", path(file)]).expect_code(0);
        assert_eq!(finished.stdout, "", "{}", file.display());
        assert!(
            finished.stderr.contains("Nothing was seen in it"),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn what_is_no_picture_is_refused_with_what_to_do() {
    let home = Home::new();
    let text = home.folder.path().join("letter.txt");
    fs::write(&text, "Dear Anna").unwrap();
    let letter = looking().run(["tag", path(&text)]);
    assert!(assert_refusal(&letter).contains("A picture or a film is needed."));
    let missing = looking().run(["tag", path(&home.folder.path().join("none.jpg"))]);
    assert!(assert_refusal(&missing).contains("Name a picture or a film that is there"));
    let folder = looking().run(["tag", path(home.folder.path())]);
    assert!(assert_refusal(&folder).contains("Name a picture or a film."));
    let without = program()
        .env("HEIRLOOM_MODELS", path(home.folder.path()))
        .run(["tag", path(&sample("Pets/Chelsea.png"))]);
    assert!(assert_refusal(&without).contains("heirloom models pull"));
}

/// A library with these pictures, of which it is known what they show.
fn understood(names: &[&str]) -> Home {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Pictures");
    fs::create_dir_all(&root).unwrap();
    for name in names {
        let file = sample(name);
        fs::copy(&file, root.join(file.file_name().unwrap())).unwrap();
    }
    home.done(["scan", path(&root)]);
    home.done(["run", "start", "understand"]);
    home
}

fn found(home: &Home, query: &str) -> usize {
    home.json(["search", query])["items"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn a_tag_is_found_in_both_languages_until_somebody_denies_it_for_good() {
    let home = understood(&["Pets/Chelsea.png", "2002 Summer in Europe/Haymaking.jpg"]);
    for query in [
        "tag:cat",
        "tag:katze",
        "katze",
        "stichwort:Katze",
        "tag:hay",
        "tag:heu",
    ] {
        assert_eq!(found(&home, query), 1, "{query}");
    }
    assert_eq!(found(&home, "tag:dog"), 0);
    let cat = home.asset("Chelsea.png");
    let tags = || home.json(["asset", "tags", &cat])["items"].clone();
    let listed = tags();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let tag = &listed[0];
    assert_eq!(tag["names"], json!({ "de": "Katze", "en": "cat" }));
    assert_eq!(
        (&tag["by"], &tag["model"]),
        (&json!("model"), &json!("efficientnet-lite2"))
    );
    let listed = home.done(["asset", "tags", &cat]).stdout;
    assert!(
        listed.contains("cat") && listed.contains("% sure"),
        "{listed}"
    );
    let offered = |language: &str, typed: &str| {
        home.done(["search", "--suggest", "--language", language, typed])
            .stdout
    };
    assert!(offered("de", "stichwort:").contains("Katze"));
    assert!(!offered("de", "stichwort:").contains("cat"));
    assert!(offered("en", "tag:").contains("cat") && !offered("en", "tag:").contains("Katze"));
    assert!(offered("en", "tag:katz").contains("Katze"));

    // Denied, in whichever language, it is gone, and stays so when everything is looked at again.
    home.done(["claim", "make", &cat, "tag", "Katze", "--not"]);
    assert_eq!((found(&home, "tag:cat"), found(&home, "katze")), (0, 0));
    assert_eq!(tags()[0]["is_denied"], true);
    home.done(["run", "start", "understand"]);
    home.done(["rebuild", "--index"]);
    assert_eq!((found(&home, "tag:cat"), found(&home, "katze")), (0, 0));
    let denial = tags()[0]["claim_id"].as_str().unwrap().to_owned();
    home.done(["claim", "undo", &cat, &denial]);
    assert_eq!((found(&home, "tag:cat"), found(&home, "katze")), (1, 1));
    // Confirmed, it is a person's word.
    home.done(["claim", "make", &cat, "tag", "cat"]);
    assert_eq!(tags()[0]["by"], "person");
    assert_eq!(tags().as_array().unwrap().len(), 1);
}

#[test]
fn tags_and_looks_leave_with_a_library_and_come_back() {
    let home = understood(&[
        "Pets/Chelsea.png",
        "Pets/Minka.avif",
        "2002 Summer in Europe/Haymaking.jpg",
    ]);
    let bag = home.folder.path().join("bag");
    home.done(["export", path(&bag)]);
    let other = Home::new();
    other.done(["import", path(&bag)]);
    let tags = |home: &Home| {
        let tags = home.json(["asset", "tags", &home.asset("Chelsea.png")]);
        let mut tag = tags["items"][0].clone();
        tag["claim_id"] = Json::Null;
        tag
    };
    assert_eq!(found(&other, "tag:katze"), 2);
    assert_eq!(tags(&home), tags(&other));
    assert_eq!(tags(&other)["by"], "model");
    for home in [&home, &other] {
        let like = format!("like:{}", home.asset("Chelsea.png"));
        let alike = home.json(["search", &like])["items"].clone();
        assert_eq!(alike[0]["name"], "Minka.avif", "{alike}");
        assert_eq!(alike.as_array().unwrap().len(), 1);
    }
}
