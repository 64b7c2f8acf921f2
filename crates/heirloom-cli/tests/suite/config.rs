//! What is configured, and where each value comes from.

use std::fs;

use serde_json::Value as Json;

use crate::harness::{Home, assert_refusal, path, program};

fn setting<'a>(shown: &'a Json, name: &str) -> (&'a Json, &'a str) {
    let mut items = shown["items"].as_array().unwrap().iter();
    let item = items.find(|item| item["name"] == name).unwrap();
    (&item["value"], item["from"].as_str().unwrap())
}

#[test]
fn the_command_line_outranks_the_environment_and_that_the_file() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    let file = home.data().join("config.toml");
    fs::write(
        &file,
        "listen = \"127.0.0.1:1111\"\nlog_format = \"json\"\n",
    )
    .unwrap();
    let shown = home.json(["config", "show"]);
    assert_eq!(
        setting(&shown, "listen"),
        (&"127.0.0.1:1111".into(), path(&file))
    );
    assert_eq!(setting(&shown, "log_format"), (&"json".into(), path(&file)));
    assert_eq!(
        setting(&shown, "data"),
        (&path(&home.data()).into(), "command line")
    );
    assert_eq!(setting(&shown, "database"), (&Json::Null, "default"));

    let heirloom = program()
        .env("HEIRLOOM_DATA", path(&home.data()))
        .env("HEIRLOOM_LISTEN", "127.0.0.1:2222")
        .env("HEIRLOOM_LOG_FORMAT", "json")
        .env("HEIRLOOM_LOG_LEVEL", "debug");
    let shown = heirloom.run(["config", "show", "--json", "--log-format", "text"]);
    let shown = shown.expect_code(0).json();
    assert_eq!(setting(&shown, "data").1, "environment HEIRLOOM_DATA");
    let listen = (&"127.0.0.1:2222".into(), "environment HEIRLOOM_LISTEN");
    assert_eq!(setting(&shown, "listen"), listen);
    assert_eq!(
        setting(&shown, "log_format"),
        (&"text".into(), "command line")
    );
    assert_eq!(setting(&shown, "log_level").0, "debug");
}

#[test]
fn secrets_are_not_shown() {
    let home = Home::new();
    let heirloom = program()
        .data(home.data())
        .env("HEIRLOOM_DATABASE", "postgres://anna:secret@db/family");
    let shown = heirloom.run(["config", "show", "--json"]).expect_code(0);
    assert!(!shown.stdout.contains("secret"), "{}", shown.stdout);
    let database = "postgres://anna:***@db/family".into();
    let from = "environment HEIRLOOM_DATABASE";
    assert_eq!(setting(&shown.json(), "database"), (&database, from));
    assert!(!home.data().exists(), "showing makes nothing");
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused_with_its_place() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    let cases = [
        ("\ndatabsae = \"postgres://anna:secret@db/x\"\n", "line 2"),
        ("listen = \"here\"\n", "line 1"),
        ("log_format = [\n", "config.toml"),
    ];
    for (text, words) in cases {
        fs::write(home.data().join("config.toml"), text).unwrap();
        let finished = home.heirloom.run(["config", "show"]).expect_code(2);
        let said = assert_refusal(&finished);
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
    fs::remove_file(home.data().join("config.toml")).unwrap();
    for (name, value) in [
        ("HEIRLOOM_LISTEN", "here"),
        ("HEIRLOOM_LOG_FORMAT", "xml"),
        ("HEIRLOOM_LOG_LEVEL", "loud"),
    ] {
        let heirloom = program().data(home.data()).env(name, value);
        let finished = heirloom.run(["config", "show"]).expect_code(2);
        assert!(finished.stderr.contains(name), "{}", finished.stderr);
    }
}
