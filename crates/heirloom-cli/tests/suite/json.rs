//! The JSON of every command is stable: each has a snapshot.

use crate::harness::{Home, path, redacted};

/// Pretty JSON of a command that ends with 0.
#[track_caller]
fn json(home: &Home, arguments: &[&str]) -> String {
    let value = home.json(arguments.iter().copied());
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn scans_and_archives() {
    let home = Home::new();
    let root = home.pictures();
    redacted(|| {
        let scan = ["scan", path(&root), "--name", "Bilder"];
        insta::assert_snapshot!(json(&home, &scan));
        insta::assert_snapshot!(json(&home, &["archive", "list"]));
        insta::assert_snapshot!(json(&home, &["run", "list"]));
    });
    let list = home.json(["archive", "list"]);
    let id = list["items"][0]["id"].as_str().unwrap();
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["archive", "show", id]));
        insta::assert_snapshot!(json(&home, &["archive", "rename", id, "Fotos"]));
    });
    let run = home.json(["run", "list"])["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = home.json(["run", "list"])["items"][0].clone();
    assert_eq!(home.json(["run", "status", &run]), listed);
}

#[test]
fn suggestions() {
    let home = Home::scanned();
    redacted(|| {
        let camera = ["search", "--suggest", "strand", "camera:e"];
        insta::assert_snapshot!(json(&home, &camera));
        insta::assert_snapshot!(home.done(camera).stdout);
        let german = ["search", "--suggest", "--language", "de", "kam"];
        insta::assert_snapshot!(home.done(german).stdout);
        insta::assert_snapshot!(home.done(["search", "tag:x", "--suggest"]).stdout);
    });
    let said = home.refused(["search", "--suggest", "a", "--after", "x"]);
    assert!(said.contains("--suggest"), "{said}");
}

#[test]
fn places() {
    let home = Home::scanned();
    let id = home.asset("Strand.jpg");
    let position = ["claim", "make", &id, "position", "54.9079,8.3074"];
    home.done(position);
    let other = home.asset("Düne.jpg");
    home.done(["claim", "make", &other, "place", "Oma's garden"]);
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["place", "list"]));
        insta::assert_snapshot!(json(&home, &["place", "list", "--country", "DE"]));
        let region = [
            "place",
            "list",
            "--country",
            "DE",
            "--region",
            "Schleswig-Holstein",
        ];
        insta::assert_snapshot!(json(&home, &region));
        insta::assert_snapshot!(home.done(["place", "list"]).stdout);
        insta::assert_snapshot!(home.done(["place", "list", "--country", "none"]).stdout);
        insta::assert_snapshot!(home.done(["place", "list", "--country", "FR"]).stdout);
    });
}

#[test]
fn assets_and_claims() {
    let home = Home::scanned();
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["asset", "list", "--limit", "1"]));
    });
    let id = home.asset("Strand.jpg");
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["asset", "show", &id]));
        let make = ["claim", "make", &id, "date", "1973~", "--source", "Oma"];
        insta::assert_snapshot!(json(&home, &make));
    });
    let list = home.json(["claim", "list", &id]);
    let claim = list["items"].as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["claim", "undo", &id, &claim]));
        insta::assert_snapshot!(json(&home, &["claim", "redo", &id, &claim]));
        insta::assert_snapshot!(json(&home, &["asset", "delete", &id]));
        insta::assert_snapshot!(json(&home, &["asset", "restore", &id]));
    });
    home.done(["asset", "delete", &id]);
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["asset", "purge", &id]));
    });
}

#[test]
fn searches() {
    let home = Home::scanned();
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["search", "strand"]));
        insta::assert_snapshot!(json(&home, &["search", "nothing !!!"]));
    });
}

#[test]
fn checks() {
    let home = Home::scanned();
    redacted(|| {
        insta::assert_snapshot!(json(&home, &["fsck"]));
        insta::assert_snapshot!(json(&home, &["doctor"]));
        insta::assert_snapshot!(json(&home, &["config", "show"]));
    });
}

#[test]
fn refusals() {
    let home = Home::scanned();
    redacted(|| {
        let refused = home
            .heirloom
            .run(["scan", "/nowhere", "--json"])
            .expect_code(2);
        insta::assert_snapshot!(refused.stdout);
        let usage = home
            .heirloom
            .run(["asset", "show", "x", "--json"])
            .expect_code(2);
        insta::assert_snapshot!(usage.stdout);
    });
}
