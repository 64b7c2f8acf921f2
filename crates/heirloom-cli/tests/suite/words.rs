//! What people read.

use crate::harness::{Home, path, redacted};

#[test]
fn a_scan_says_what_it_found_and_what_it_passed_over() {
    let home = Home::new();
    let root = home.pictures();
    redacted(|| {
        let scan = home.done(["scan", path(&root)]);
        insta::assert_snapshot!(scan.stdout);
        std::fs::rename(root.join("no date.jpg"), root.join("moved.jpg")).unwrap();
        std::fs::copy(root.join("moved.jpg"), root.join("copied.jpg")).unwrap();
        std::fs::remove_file(root.join("Oma erzählt.wav")).unwrap();
        let scan = home.done(["scan", path(&root)]);
        insta::assert_snapshot!(scan.stdout);
    });
}

#[test]
fn lists_and_details_are_readable() {
    let home = Home::scanned();
    let id = home.asset("Strand.jpg");
    home.done(["claim", "make", &id, "title", "Am Strand"]);
    home.done(["claim", "make", &id, "date", "1973~", "--source", "Oma"]);
    home.done(["claim", "make", &id, "tag", "Sylt", "--not"]);
    redacted(|| {
        insta::assert_snapshot!(home.done(["asset", "list", "--limit", "2"]).stdout);
        insta::assert_snapshot!(home.done(["asset", "show", &id]).stdout);
        insta::assert_snapshot!(home.done(["claim", "list", &id]).stdout);
        insta::assert_snapshot!(home.done(["search", "strand"]).stdout);
        insta::assert_snapshot!(home.done(["search", "nothing"]).stdout);
        insta::assert_snapshot!(home.done(["archive", "list"]).stdout);
        insta::assert_snapshot!(home.done(["run", "list"]).stdout);
        insta::assert_snapshot!(home.done(["doctor"]).stdout);
        insta::assert_snapshot!(home.done(["fsck"]).stdout);
        insta::assert_snapshot!(home.done(["asset", "delete", &id]).stdout);
        insta::assert_snapshot!(home.done(["asset", "restore", &id]).stdout);
    });
}

#[test]
fn a_list_longer_than_a_page_of_the_api_comes_whole() {
    let home = Home::new();
    let root = home.folder.path().join("library");
    heirloom_testing::jpeg::write_library(&root, 1_203, 2_000);
    home.done(["scan", path(&root)]);
    let list = home.json(["asset", "list", "--limit", "2000"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 1_203);
    assert_eq!(list["next"], serde_json::Value::Null);
    let list = home.json(["asset", "list", "--limit", "1100"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 1_100);
    let next = list["next"].as_str().unwrap();
    let rest = home.json(["asset", "list", "--limit", "2000", "--after", next]);
    assert_eq!(rest["items"].as_array().unwrap().len(), 103);
    let found = home.json(["search", "type:image", "--limit", "2000"]);
    assert_eq!(found["items"].as_array().unwrap().len(), 1_203);
}
