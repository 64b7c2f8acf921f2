//! Bad input: one clear sentence, a hint, exit code 2, nothing changed.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
};

use crate::harness::{Home, path, program, snapshot};

#[test]
fn a_path_that_cannot_be_scanned_is_refused() {
    let home = Home::scanned();
    let root = home.folder.path().join("Pictures");
    let other = home.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let (originals, archives) = (snapshot(&root), home.json(["archive", "list"]));
    let data = home.data();
    let cases = [
        (home.folder.path().join("missing"), "there is no folder"),
        (root.join("no date.jpg"), "is a file and not a folder"),
        (data.clone(), "inside Heirloom's own data folder"),
        (data.join("blobs"), "inside Heirloom's own data folder"),
        (
            home.folder.path().to_owned(),
            "contains Heirloom's data folder",
        ),
        (root.join("Am Meer"), "is inside the archive \"Pictures\""),
    ];
    for (folder, words) in &cases {
        let said = home.refused(["scan", path(folder)]);
        assert!(said.contains(words), "{said}");
    }
    // Around an archive without the data folder in it.
    let outer = home.folder.path().join("outer");
    fs::create_dir_all(outer.join("inner")).unwrap();
    fs::write(outer.join("inner/a.txt"), "a").unwrap();
    home.done(["scan", path(&outer.join("inner"))]);
    let said = home.refused(["scan", path(&outer)]);
    assert!(said.contains("contains the archive \"inner\""), "{said}");
    let now = home.json(["archive", "list"]);
    assert_eq!(now["items"].as_array().unwrap().len(), 2);
    assert_eq!(now["items"][0], archives["items"][0]);
    originals.assert_same(&snapshot(&root));
}

#[test]
fn a_folder_that_may_not_be_read_is_refused() {
    let home = Home::new();
    let root = home.pictures();
    fs::set_permissions(&root, Permissions::from_mode(0o000)).unwrap();
    let refused = if fs::metadata(&root).unwrap().uid() == 0 {
        // Root may read everything, wherever it is root; not so in a name space where it is another.
        chown(&root, Some(65_534), Some(65_534)).unwrap();
        let mut command = std::process::Command::new("unshare");
        command.args(["--map-root-user", env!("CARGO_BIN_EXE_heirloom"), "scan"]);
        let output = command
            .arg(&root)
            .arg("--data")
            .arg(home.data())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        said
    } else {
        home.refused(["scan", path(&root)])
    };
    assert!(refused.contains("may not be read"), "{refused}");
    assert!(refused.contains("hint: "), "{refused}");
    assert!(!home.data().exists(), "no data folder is made for nothing");
    fs::set_permissions(&root, Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn nothing_is_made_for_a_command_that_is_refused() {
    let home = Home::new();
    let root = home.pictures();
    let before = snapshot(home.folder.path());
    for arguments in [
        &["scan", "/nowhere"][..],
        &["scan", path(&root), "--no-wait"],
        &[
            "scan",
            path(&root),
            "--report",
            path(&root.join("report.jsonl")),
        ],
        &["asset", "list"],
        &["search", "strand"],
        &["fsck"],
        &["doctor"],
        &["run", "list"],
    ] {
        home.refused(arguments.iter().copied());
        before.assert_same(&snapshot(home.folder.path()));
    }
    // A data folder within what is to be scanned would be written there.
    let inside = program().data(root.join("heirloom"));
    inside
        .run(["scan", path(&root)])
        .expect_code(2)
        .json_is_absent();
    before.assert_same(&snapshot(home.folder.path()));
}

/// What a refusal leaves on standard output.
trait Absent {
    fn json_is_absent(&self);
}

impl Absent for heirloom_testing::process::Finished {
    fn json_is_absent(&self) {
        assert_eq!(self.stdout, "");
        assert!(
            self.stderr.contains("contains Heirloom's data folder"),
            "{}",
            self.stderr
        );
    }
}

#[test]
fn what_is_typed_wrong_is_refused_in_one_sentence_with_a_hint() {
    let home = Home::scanned();
    let id = home.asset("Strand.jpg");
    let of = |kind: &'static str, value: &'static str| {
        ["claim", "make", &id, kind, value]
            .map(str::to_owned)
            .to_vec()
    };
    let typed = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let write_date = "Write a date such as 1942-05-01, 1942~ or 194X";
    let write_place = "Write degrees north and east, and perhaps metres above the sea: 52.52,13.40";
    let cases = [
        (
            typed("search camra:leica"),
            "there is no field camra:",
            "Did you mean camera:?",
        ),
        (
            typed("search archive:nowhere"),
            "there is no archive nowhere",
            "",
        ),
        (typed("asset list --after x"), "no place in this list", ""),
        (
            typed("asset list --limit 0"),
            "invalid value '0' for '--limit <N>': a whole number from 1 on is needed",
            "Try",
        ),
        (of("date", "hello"), "\"hello\" is not a date", write_date),
        (
            of("date", "1942-13-01"),
            "is not a date: expected a month from 01 to 12 at character 6",
            write_date,
        ),
        (
            of("date", "1940s"),
            "is not a date: expected only digits",
            "For the decade write 194X",
        ),
        (
            of("rating", "many"),
            "\"many\" is not a rating: expected a whole number from -1 to 5",
            "Write one of the numbers from -1 to 5",
        ),
        (
            of("position", "north"),
            "\"north\" is not a position",
            "Write degrees north and east",
        ),
        (
            of("position", "95,13.4"),
            "95.0,13.4 is not a position: expected a latitude",
            write_place,
        ),
        (
            of("title", " "),
            "\" \" is not a title: expected a text",
            "Write a word",
        ),
        (
            of("smell", "salt"),
            "invalid value 'smell' for '<KIND>': kinds are date, position",
            "Try",
        ),
        (
            [of("tag", "x"), typed("--confidence nan")].concat(),
            "invalid value 'nan' for '--confidence <CONFIDENCE>': a number from 0 to 1 is needed",
            "Try",
        ),
        (
            [of("tag", "x"), typed("--confidence 1.5")].concat(),
            "a number from 0 to 1 is needed",
            "Try",
        ),
        (
            typed("asset show strand"),
            "invalid value 'strand' for '<ID>'",
            "Try",
        ),
        (
            typed("scan"),
            "the following required arguments were not provided: <PATH>",
            "Usage: heirloom scan",
        ),
        (
            typed("scan --verfy x"),
            "unexpected argument '--verfy' found",
            "A similar argument exists: '--verify'. Usage: heirloom scan",
        ),
        (
            typed("nothing"),
            "unrecognized subcommand 'nothing'",
            "Usage: heirloom",
        ),
    ];
    for (arguments, message, hint) in cases {
        let finished = home.heirloom.run(&arguments).expect_code(2);
        let (said, hinted) = finished.stderr.split_once('\n').unwrap();
        assert!(
            said.starts_with("error: ") && said.contains(message),
            "{arguments:?}: {said}"
        );
        if !hint.is_empty() {
            assert!(
                hinted.starts_with(&format!("hint: {hint}")),
                "{arguments:?}: {hinted}"
            );
            assert_eq!(hinted.lines().count(), 1, "{hinted}");
        }
        assert_eq!(finished.stdout, "");
        let json = arguments.iter().map(String::as_str).chain(["--json"]);
        let error = home.heirloom.run(json).expect_code(2).json()["error"].clone();
        assert_eq!(
            format!("error: {}", error["message"].as_str().unwrap()),
            said
        );
    }
    let unknown = "01a1fd5a-0000-7000-8000-000000000000";
    let cases: [(&[&str], &str); 3] = [
        (&["asset", "show", unknown], "there is no asset"),
        (
            &["asset", "delete", &id, "--if-version", "99"],
            "changed by somebody else",
        ),
        (&["asset", "purge", &id], "delete it first"),
    ];
    for (arguments, words) in cases {
        let said = home.heirloom.run(arguments.iter()).expect_code(2).stderr;
        assert!(
            said.starts_with("error: ") && said.contains(words),
            "{said}"
        );
    }
    // Half of a command asks what can follow.
    for (arguments, words) in [
        (&[][..], "Usage: heirloom"),
        (&["asset"], "Usage: heirloom asset"),
    ] {
        let finished = program().run(arguments.iter()).expect_code(2);
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
        let json = arguments.iter().copied().chain(["--json"]);
        let error = home.heirloom.run(json).expect_code(2).json()["error"].clone();
        assert_eq!(error["message"], "a command is missing");
    }
    let denied = home.json(["asset", "show", &id]);
    assert_eq!(denied["deleted_at_ms"], serde_json::Value::Null);
}

#[test]
fn an_emptied_folder_is_refused_with_the_option_that_takes_it() {
    let home = Home::scanned();
    let root = home.folder.path().join("Pictures");
    fs::rename(&root, home.folder.path().join("elsewhere")).unwrap();
    fs::create_dir(&root).unwrap();
    // The scan itself finds that, so it ends as a run that failed.
    let finished = home.heirloom.run(["scan", path(&root)]);
    let said = finished.stdout + &finished.stderr;
    assert!(said.contains("but 4 were catalogued there"), "{said}");
    assert!(said.contains("scan it with --allow-empty"), "{said}");
}
