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
fn what_is_typed_wrong_is_refused_in_words() {
    let home = Home::scanned();
    let id = home.asset("Strand.jpg");
    let unknown = "01a1fd5a-0000-7000-8000-000000000000";
    let cases: [(&[&str], &str); 9] = [
        (&["search", "kamera:leica"], "there is no field kamera:"),
        (
            &["search", "archive:nowhere"],
            "there is no archive nowhere",
        ),
        (&["asset", "list", "--after", "x"], "no place in this list"),
        (&["asset", "show", unknown], "there is no asset"),
        (
            &["claim", "make", &id, "date", "yesterday"],
            "is not a date",
        ),
        (&["claim", "make", &id, "rating", "many"], "is not a rating"),
        (
            &["claim", "make", &id, "position", "north"],
            "is no position",
        ),
        (
            &["asset", "delete", &id, "--if-version", "99"],
            "changed by somebody else",
        ),
        (&["asset", "purge", &id], "delete it first"),
    ];
    for (arguments, words) in cases {
        let finished = home.heirloom.run(arguments.iter()).expect_code(2);
        let said = &finished.stderr;
        assert!(
            said.starts_with("error: ") && said.contains(words),
            "{said}"
        );
        assert_eq!(finished.stdout, "");
    }
    for arguments in [
        &["asset", "show", "strand"][..],
        &["claim", "make", &id, "smell", "salt"],
        &["asset", "list", "--limit", "-1"],
        &["scan"],
        &["nothing"],
        &[],
    ] {
        let finished = home.heirloom.run(arguments.iter()).expect_code(2);
        assert!(!finished.stderr.is_empty());
        assert_eq!(finished.stdout, "");
    }
    let denied = home.json(["asset", "show", &id]);
    assert_eq!(denied["deleted_at_ms"], serde_json::Value::Null);
}
