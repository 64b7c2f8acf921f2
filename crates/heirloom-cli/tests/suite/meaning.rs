//! Pictures found by what they show, with a small model of the CLIP family that knows colours, in the real program.

use std::{fs, path::Path};

use heirloom_testing::{image_text::Family, png};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, bring, path};

/// What networks run on.
const RUNTIME: &str = "onnxruntime";

/// A library with pictures of three colours, and a folder with these models.
fn coloured(with: &[&str]) -> Home {
    let mut home = Home::new();
    let folder = home.folder.path().join("models");
    fs::create_dir_all(&folder).unwrap();
    bring(&folder, with);
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&folder));
    let pictures = home.folder.path().join("Pictures");
    fs::create_dir_all(&pictures).unwrap();
    for (name, colour) in [
        ("one.png", [240, 12, 8]),
        ("two.png", [10, 230, 20]),
        ("three.png", [8, 16, 220]),
    ] {
        fs::write(pictures.join(name), png::plain(40, 30, colour)).unwrap();
    }
    home.done(["scan", path(&pictures)]);
    home
}

/// Gives the library a model of its own.
fn add_model(home: &Home, family: Family) {
    let files = home.folder.path().join("download");
    fs::create_dir_all(&files).unwrap();
    let mut asked = vec!["models".to_owned(), "add".to_owned(), "colours".to_owned()];
    for (name, bytes) in family.files() {
        fs::write(files.join(name), bytes).unwrap();
        asked.push(files.join(name).display().to_string());
    }
    asked.extend(["--ability", "image_text", "--licence", "MIT", "--default"].map(str::to_owned));
    home.done(asked.iter().map(String::as_str));
}

/// Has everything looked at, unless a run that began by itself has done so. What the other models would do, which are
/// not here, fails.
fn understand(home: &Home) {
    let run = home.heirloom.run(["run", "start", "understand"]);
    let said = format!("{}{}", run.stdout, run.stderr);
    let meaning = said.lines().find(|line| line.contains("meaning"));
    let meaning = meaning.unwrap_or_else(|| panic!("{said}"));
    let numbers = meaning.split(|letter: char| !letter.is_ascii_digit());
    let looked_at: u64 = numbers.filter_map(|it| it.parse::<u64>().ok()).sum();
    assert!(looked_at == 3 && !meaning.contains("failed"), "{said}");
}

fn found(home: &Home, query: &str) -> Vec<String> {
    let found = home.json(["search", query])["items"].clone();
    let names = found.as_array().unwrap().iter();
    names
        .map(|asset| asset["name"].as_str().unwrap().to_owned())
        .collect()
}

fn tags(home: &Home, name: &str) -> Vec<Json> {
    let tags = home.json(["asset", "tags", &home.asset(name)]);
    tags["items"].as_array().unwrap().clone()
}

#[test]
fn pictures_are_found_by_what_they_show_and_get_words_for_it() {
    for family in [Family::Clip, Family::Siglip] {
        let home = coloured(&[RUNTIME]);
        add_model(&home, family);
        understand(&home);
        assert_eq!(found(&home, "shows:red"), ["one.png"], "{family:?}");
        assert_eq!(found(&home, "zeigt:„a photo of a LAKE“"), ["three.png"]);
        assert_eq!(found(&home, "shows:broccoli type:image"), ["two.png"]);
        assert_eq!(found(&home, "shows:red -one"), <[&str; 0]>::default());
        let answer = home.json(["search", "shows:red"]);
        assert_eq!(
            answer["shown"],
            json!({ "by": "pictures", "model": "colours" })
        );
        assert_eq!(home.json(["search", "one"])["shown"], Json::Null);
        // As the model says how likely it takes what is near, its words are tags.
        let tags = tags(&home, "one.png");
        assert_eq!(tags.len(), 1, "{tags:?}");
        assert_eq!(
            tags[0]["names"],
            json!({ "de": "Erdbeere", "en": "strawberry" })
        );
        assert_eq!(
            (&tags[0]["by"], &tags[0]["model"]),
            (&json!("model"), &json!("colours"))
        );
        assert_eq!(found(&home, "tag:erdbeere"), ["one.png"]);
        // What they show leaves with the library, and is found again where the model is.
        let bag = home.folder.path().join("bag");
        home.done(["export", path(&bag)]);
        let other = Home::new();
        let other = Home {
            heirloom: other
                .heirloom
                .clone()
                .env("HEIRLOOM_MODELS", path(&home.folder.path().join("models"))),
            ..other
        };
        other.done(["import", path(&bag)]);
        assert_eq!(found(&other, "shows:blue"), ["three.png"]);
    }
}

#[test]
fn another_model_looks_at_everything_anew() {
    let home = coloured(&[RUNTIME]);
    add_model(&home, Family::Clip);
    understand(&home);
    home.done(["models", "remove", "colours"]);
    add_model(&home, Family::Siglip);
    understand(&home);
    assert_eq!(found(&home, "shows:red"), ["one.png"]);
    let seen = home.json(["asset", "show", &home.asset("one.png")])["artifacts"].clone();
    let seen = seen.as_array().unwrap().iter();
    let seen = seen.filter(|it| it["kind"] == "meaning");
    // Of 768 numbers, as the second one has them: what the first one saw is not compared.
    let told = |it: &Json| it["payload"]["meaning"]["numbers"].as_str().map(str::len);
    assert!(seen.map(told).any(|digits| digits == Some(2 * 768)));
}

#[test]
fn without_a_model_for_pictures_names_that_mean_the_same_are_looked_for() {
    let home = coloured(&[RUNTIME, "e5-small"]);
    for (name, tag) in [
        ("one.png", "dog"),
        ("two.png", "beach"),
        ("two.png", "dog"),
        ("three.png", "piano"),
    ] {
        home.done(["claim", "make", &home.asset(name), "tag", tag]);
    }
    let asked = "shows:\"ein Hund am Strand\"";
    assert_eq!(found(&home, asked), ["two.png", "one.png"]);
    assert_eq!(found(&home, "shows:\"playing music\""), ["three.png"]);
    let answer = home.json(["search", asked]);
    assert_eq!(
        answer["shown"],
        json!({ "by": "names", "model": "e5-small" })
    );
    let said = home.done(["search", asked]);
    assert!(
        said.stderr.contains("heirloom models pull tinyclip"),
        "{}",
        said.stderr
    );
    // Without that one the words themselves are looked for, which is said as well.
    let home = coloured(&[]);
    assert_eq!(found(&home, "shows:one"), ["one.png"]);
    let answer = home.json(["search", "shows:one"]);
    assert_eq!(answer["shown"], json!({ "by": "names", "model": null }));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let home = coloured(&[RUNTIME]);
    add_model(&home, Family::Clip);
    let refused = home.heirloom.run(["search", "-shows:red"]).stderr;
    assert!(refused.contains("cannot be left out"), "{refused}");
    let saved = ["collection", "create", "Reds", "--query", "shows:red"];
    let refused = home.heirloom.run(saved).stderr;
    assert!(refused.contains("save what else it asks for"), "{refused}");
}

#[test]
fn the_ability_is_listed_with_what_is_missing_without_it() {
    let home = coloured(&[]);
    let listed = home.done(["models", "list"]).stdout;
    assert!(
        listed.contains("tinyclip") && listed.contains("image text"),
        "{listed}"
    );
    let doctor = home.heirloom.run(["doctor"]);
    let said = format!("{}{}", doctor.stdout, doctor.stderr);
    assert!(said.contains("heirloom models pull tinyclip"), "{said}");
    // A model without its tokens is none.
    let file = home.folder.path().join("clip.onnx");
    fs::write(&file, Family::Clip.files()["model.onnx"].clone()).unwrap();
    let add = |file: &Path| {
        home.heirloom.run([
            "models",
            "add",
            "half",
            path(file),
            "--ability",
            "image_text",
        ])
    };
    assert!(assert_refusal(&add(&file)).contains("token"));
}
