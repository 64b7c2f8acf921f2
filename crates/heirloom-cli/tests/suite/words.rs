//! What people read.

use crate::harness::{Home, path, program, redacted};

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
fn a_search_leaves_out_what_a_minus_says() {
    let home = Home::scanned();
    let cases: [(&[&str], &str, &[&str]); 7] = [
        (
            &["-strand"],
            "-strand",
            &["Düne.jpg", "Oma erzählt.wav", "no date.jpg"],
        ),
        (&["-type:image"], "-type:image", &["Oma erzählt.wav"]),
        (
            &["-type:audio", "-strand", "jpg"],
            "-type:audio -strand jpg",
            &["Düne.jpg", "no date.jpg"],
        ),
        (
            &["jpg", "-strand", "--limit", "1"],
            "jpg -strand",
            &["Düne.jpg"],
        ),
        (
            &["--limit=1", "-strand", "jpg"],
            "-strand jpg",
            &["Düne.jpg"],
        ),
        (&["jpg -strand -no"], "jpg -strand -no", &["Düne.jpg"]),
        (
            &["-\"no date\"", "-hello", "jpg"],
            "-\"no date\" -hello jpg",
            &["Düne.jpg", "Strand.jpg"],
        ),
    ];
    let data = home.data();
    let heirloom = program().env("HEIRLOOM_DATA", path(&data));
    let assert_found = |arguments: &[&str], query: &str, names: &[&str]| {
        let found = heirloom.run(arguments).expect_code(0).json();
        let items = found["items"].as_array().unwrap().iter();
        let mut found_names: Vec<&str> = items.map(|it| it["name"].as_str().unwrap()).collect();
        found_names.sort_unstable();
        assert_eq!(found_names, names, "{arguments:?}");
        assert_eq!(found["query"], query, "{arguments:?}");
    };
    for (words, query, names) in cases {
        // Options before it, after it, and between its words.
        let (first, rest) = words.split_at(1);
        assert_found(&[&["--json", "search"], words].concat(), query, names);
        assert_found(&[&["search"], words, &["--json"]].concat(), query, names);
        let between = [&["--data", path(&data), "search"], first, &["--json"], rest].concat();
        assert_found(&between, query, names);
    }
    let after_dashes = ["search", "--json", "--", "-strand", "jpg"];
    assert_found(&after_dashes, "-strand jpg", &["Düne.jpg", "no date.jpg"]);
    let help = home.done(["search", "-h"]).stdout;
    assert!(help.contains("--limit"), "{help}");
    let said = home.refused(["search", "--strand"]);
    assert!(said.contains("unexpected argument '--strand'"), "{said}");
    // Only there is a minus a word.
    let said = home.refused(["asset", "list", "-search"]);
    assert!(said.contains("unexpected argument '-s'"), "{said}");
}

#[test]
fn a_list_of_nothing_is_refused() {
    let home = Home::scanned();
    for command in [
        &["asset", "list"][..],
        &["search", "strand"],
        &["run", "list"],
    ] {
        for limit in ["0", "-1", "many", "1.5"] {
            let limit = format!("--limit={limit}");
            let arguments = command.iter().copied().chain([limit.as_str()]);
            let said = home.refused(arguments);
            assert!(
                said.contains("a whole number from 1 on is needed"),
                "{said}"
            );
        }
    }
}

#[test]
fn several_are_changed_at_once_and_a_refusal_stops_no_other() {
    let home = Home::scanned();
    let [strand, duene, sound] =
        ["Strand.jpg", "Düne.jpg", "Oma erzählt.wav"].map(|name| home.asset(name));
    let unknown = "01a1fd5a-0000-7000-8000-000000000000";

    let finished = home
        .heirloom
        .run(["asset", "delete", &strand, unknown, &duene]);
    let finished = finished.expect_code(1);
    assert_eq!(
        finished.stdout,
        format!(
            "Strand.jpg is hidden. Bring it back with `heirloom asset restore {strand}`.\n\
             Düne.jpg is hidden. Bring it back with `heirloom asset restore {duene}`.\n"
        )
    );
    assert_eq!(
        finished.stderr,
        format!("error: {unknown}: there is no asset {unknown}\n")
    );

    let finished = home
        .heirloom
        .run(["asset", "purge", &strand, &sound, "--json"]);
    let items = finished.expect_code(1).json()["items"].clone();
    assert_eq!(items[0]["done"]["asset_id"], strand.as_str());
    assert_eq!(items[0]["error"], serde_json::Value::Null);
    assert_eq!(items[1]["id"], sound.as_str());
    assert_eq!(items[1]["done"], serde_json::Value::Null);
    assert_eq!(items[1]["error"]["code"], "refused");

    let restored = home.json(["asset", "restore", &duene, &sound]);
    assert_eq!(restored["items"][0]["done"]["name"], "Düne.jpg");
    assert_eq!(restored["items"][1]["done"]["name"], "Oma erzählt.wav");

    // Nothing at all was done.
    let finished = home.heirloom.run(["asset", "purge", &duene, &sound]);
    let said = finished.expect_code(2).stderr;
    assert_eq!(said.matches("delete it first").count(), 2, "{said}");
    let said = home.refused(["asset", "delete", &duene, &sound, "--if-version", "1"]);
    assert!(
        said.contains("--if-version is the version of one original"),
        "{said}"
    );
    assert_eq!(home.json(["doctor"])["counts"]["deleted"], 0);
}

#[test]
fn a_list_of_claims_marks_what_is_believed() {
    let home = Home::scanned();
    let id = home.asset("Strand.jpg");
    home.done(["claim", "make", &id, "date", "1973~"]);
    home.done(["claim", "make", &id, "tag", "Sylt", "--not"]);
    let undone = home.json(["claim", "make", &id, "title", "Am Strand"]);
    home.done(["claim", "undo", &id, undone["id"].as_str().unwrap()]);
    let said = home.done(["claim", "list", &id]).stdout;
    let line = |value: &str| said.lines().find(|line| line.contains(value)).unwrap();
    assert!(line("1973~").ends_with("believed"), "{said}");
    assert!(!line("1974-07-01").contains("believed"), "{said}");
    assert!(!line("not Sylt").contains("believed"), "{said}");
    assert!(line("Am Strand").ends_with("taken back"), "{said}");
    let list = home.json(["claim", "list", &id]);
    let items = list["items"].as_array().unwrap().iter();
    let believed: Vec<&str> = items
        .filter(|item| item["is_believed"] == true)
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert!(
        believed.contains(&"date") && !believed.contains(&"title"),
        "{list}"
    );
}

#[test]
fn no_name_of_a_file_commands_the_terminal() {
    let home = Home::new();
    let root = home.pictures();
    let name = "two\nlines \u{1b}[31mred \u{202E}gpj.jpg";
    std::fs::rename(root.join("no date.jpg"), root.join(name)).unwrap();
    std::fs::rename(root.join("Am Meer"), root.join("\u{1b}]0;Am Meer\u{7}")).unwrap();
    let long = format!("{}.wav", "n".repeat(240));
    std::fs::rename(root.join("Oma erzählt.wav"), root.join(&long)).unwrap();
    let evil = "\u{1b}[2J\nerror: none";
    let mut said = home.done(["scan", path(&root)]).stdout;
    let id = home.asset(name);
    for arguments in [
        &["asset", "list"][..],
        &["asset", "show", &id],
        &["claim", "make", &id, "tag", evil],
        &["claim", "list", &id],
        &["search", "red"],
        &["archive", "list"],
        &["run", "list"],
        &["asset", "delete", &id],
        &["asset", "restore", &id],
        &["doctor"],
        &["fsck"],
    ] {
        let finished = home.done(arguments.iter().copied());
        said += &finished.stdout;
        said += &finished.stderr;
    }
    for arguments in [
        &["scan", path(&root), "--name", evil][..],
        &["search", "\u{1b}[2J:x\nerror"],
        &["search", "archive:\u{1b}[2J"],
        &["scan", "/\u{1b}[2J\nerror"],
        &["\u{1b}[2J\nerror"],
        &["asset", "list", "--limit", "\u{1b}[2J\n\u{202E}"],
    ] {
        let finished = home.heirloom.run(arguments.iter());
        said += &finished.stdout;
        said += &finished.stderr;
    }
    let obeyed = said
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202E}');
    assert_eq!(obeyed, None, "{said:?}");
    assert!(
        said.contains(r"two\nlines \u{1b}[31mred \u{202e}gpj.jpg"),
        "{said}"
    );
    assert!(
        !said.lines().any(|line| line.starts_with("lines")),
        "{said}"
    );
    assert!(
        said.contains(&long),
        "what goes into a pipe is whole: {said}"
    );
    let short = said.lines().filter(|line| line.contains("Strand.jpg"));
    assert!(
        short.into_iter().all(|line| line.chars().count() < 200),
        "{said}"
    );
    // In JSON it is what it is.
    assert_eq!(home.json(["asset", "show", &id])["name"], name);
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
