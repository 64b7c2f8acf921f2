//! What is said in recordings leaves with them, for people and for programs, and comes back without being heard again.

use std::fs;

use heirloom_testing::{media::sample_library, models};

use crate::harness::{Home, path, program};

#[test]
fn what_is_said_leaves_with_its_times_and_is_found_where_it_comes_in() {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Voices");
    fs::create_dir_all(&root).unwrap();
    let name = "1961-01-20 Kennedy on the radio.mp3";
    fs::copy(sample_library().join("Voices").join(name), root.join(name)).unwrap();
    home.done(["scan", path(&root)]);
    let to = home.folder.path().join("stick");
    home.done(["export", path(&to)]);
    let beside = |ending: &str| {
        let file = to.join(format!("data/texts/Voices/{name}.{ending}"));
        fs::read_to_string(file).unwrap()
    };
    assert!(beside("txt").contains("what your country can do"));
    let captions = beside("vtt");
    assert!(captions.starts_with("WEBVTT\n"), "{captions}");
    assert!(captions.contains(" --> "), "{captions}");

    // Nothing that hears is there.
    let data = home.folder.path().join("other");
    let other = program()
        .data(&data)
        .env("HEIRLOOM_MODELS", path(&home.folder.path().join("none")));
    let _ = other.run(["import", path(&to)]).expect_code(0);
    let words = ["search", "\"what your country can do\"", "--json"];
    let (here, there) = (
        home.heirloom.run(words).expect_code(0).json(),
        other.run(words).expect_code(0).json(),
    );
    assert_eq!(here["items"][0]["matches"][0]["field"], "spoken", "{here}");
    assert_eq!(here["items"][0]["matches"], there["items"][0]["matches"]);
    let again = home.folder.path().join("again");
    let _ = other.run(["export", path(&again)]).expect_code(0);
    let file = format!("data/texts/Voices/{name}.vtt");
    assert_eq!(fs::read_to_string(again.join(file)).unwrap(), captions);
}
