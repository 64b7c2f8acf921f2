//! Whose faces are in pictures, as it is told on the command line, with the real model in the real program.

use std::fs;

use heirloom_testing::{media::repository, models};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path};

/// A library with the same person in three pictures, and somebody else in one.
fn library() -> Home {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Pictures");
    fs::create_dir_all(&root).unwrap();
    let astronaut = fs::read(repository().join("testdata/faces/astronaut.jpg")).unwrap();
    for name in ["1.jpg", "2.jpg", "3.jpg"] {
        // What follows the end of a picture makes it another one.
        let bytes = [&astronaut, name.as_bytes()].concat();
        fs::write(root.join(name), bytes).unwrap();
    }
    home.done(["scan", path(&root)]);
    home
}

fn people(home: &Home) -> Vec<Json> {
    let people = home.json(["people", "list"]);
    people["items"].as_array().unwrap().clone()
}

fn found(home: &Home, query: &str) -> usize {
    let found = home.json(["search", query]);
    found["items"].as_array().unwrap().len()
}

#[test]
fn somebody_is_named_and_found_and_all_of_it_is_taken_back() {
    let home = library();
    let before = people(&home);
    assert_eq!((before.len(), &before[0]["face_count"]), (1, &json!(3)));
    let group = before[0]["group"].as_str().unwrap();
    let said = home.done(["people", "name", "Eileen", "--group", group]);
    assert!(said.stdout.contains("3 faces: Eileen"), "{}", said.stdout);
    assert_eq!(found(&home, "person:eileen"), 3);
    let faces = home.json(["people", "faces", group]);
    let face = faces["items"][0]["id"].as_str().unwrap();
    home.done(["people", "split", "--face", face]);
    assert_eq!((people(&home).len(), found(&home, "person:eileen")), (2, 2));
    home.done(["people", "hide", "--face", face]);
    assert_eq!(people(&home).len(), 1);
    assert_eq!(
        home.json(["people", "list", "--hidden"])["items"][0]["face_count"],
        1
    );
    let told = home.json(["people", "said"]);
    let told = told["items"].as_array().unwrap();
    assert_eq!((told.len(), &told[0]["what"]), (3, &json!("stranger")));
    for _ in 0..3 {
        home.done(["people", "undo"]);
    }
    assert_eq!(people(&home), before);
    let refused = assert_refusal(&home.heirloom.run(["people", "undo"]).expect_code(2));
    assert!(refused.contains("nothing was said"), "{refused}");
}

#[test]
fn people_are_listed_by_name_and_what_cannot_be_meant_is_refused() {
    let home = library();
    let group = people(&home)[0]["group"].as_str().unwrap().to_owned();
    home.done(["people", "name", "Eileen", "--group", &group]);
    let listed = home.done(["people", "list"]).stdout;
    assert!(
        listed.starts_with("Eileen  3 faces in 3 pictures and films"),
        "{listed}"
    );
    let long = "ä".repeat(201);
    let refusals: [(&[&str], &str); 4] = [
        (&["people", "merge", &group, &group], "Name two groups."),
        (&["people", "apart", &group, &group], "Name two groups."),
        (&["people", "name", &long, "--group", &group], "1 to 200"),
        (
            &["people", "name", "", "--group", &group],
            "name is missing",
        ),
    ];
    for (arguments, why) in refusals {
        let refused = assert_refusal(&home.heirloom.run(arguments).expect_code(2));
        assert!(refused.contains(why), "{refused}");
    }
    let first = home.done(["people", "said", "--limit", "1"]).stdout;
    assert!(
        first.contains("3 faces: Eileen") && !first.contains("--after"),
        "{first}"
    );
    home.done(["people", "name", "Ida", "--group", &group]);
    let first = home.done(["people", "said", "--limit", "1"]).stdout;
    assert!(
        first.contains("3 faces: Ida") && first.contains("--after"),
        "{first}"
    );
}

#[test]
fn what_people_said_outlives_what_machines_found() {
    let home = library();
    let group = people(&home)[0]["group"].as_str().unwrap().to_owned();
    home.done(["people", "name", "Eileen", "--group", &group]);
    let reset = home.json(["people", "reset"]);
    assert_eq!((&reset["asset_count"], people(&home).len()), (&json!(3), 0));
    assert_eq!(found(&home, "person:eileen"), 3);
    home.done(["run", "start", "understand"]);
    let again = people(&home);
    assert_eq!(again.len(), 1);
    assert_eq!(
        (
            &again[0]["name"],
            &again[0]["face_count"],
            &again[0]["asked_count"]
        ),
        (&json!("Eileen"), &json!(3), &json!(0))
    );
    let bag = home.folder.path().join("bag");
    home.done(["export", path(&bag)]);
    let other = Home::new();
    other.done(["import", path(&bag)]);
    assert_eq!(people(&other)[0]["name"], "Eileen");
}
