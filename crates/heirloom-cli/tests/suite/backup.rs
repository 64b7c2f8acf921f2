//! Backups: everything comes back, on a machine that has the program and the key alone.

mod copied;
mod damage;
mod kill;
mod postgres;
mod remote;

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_db::{Db, Location};
use heirloom_testing::{
    TreeSnapshot, jpeg,
    process::{Heirloom, free_address},
};
use serde_json::Value as Json;

use crate::harness::{Home, assert_refusal, path, program};

/// Where backups go, and what a bare machine makes of them.
impl Home {
    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("backup disk/repository")
    }

    fn key(&self) -> PathBuf {
        self.data().join("backup.key")
    }

    /// Backs up; gives what came of it.
    #[track_caller]
    pub(crate) fn back_up(&self) -> Json {
        let repository = self.repository();
        self.json(["backup", "to", path(&repository)])
    }

    /// Restores the newest snapshot into a folder of that name, by a program that knows nothing else.
    #[track_caller]
    pub(crate) fn restore(&self, name: &str, arguments: &[&str]) -> Bare {
        let folder = self.folder.path().join(name);
        let (repository, key) = (self.repository(), self.key());
        let fixed = [
            "restore",
            path(&repository),
            path(&folder),
            "--key-file",
            path(&key),
            "--json",
        ];
        let finished = program().run(fixed.iter().chain(arguments)).expect_code(0);
        Bare {
            report: finished.json(),
            heirloom: program().data(&folder),
            folder,
        }
    }
}

/// A data folder that was restored.
pub(crate) struct Bare {
    pub(crate) report: Json,
    pub(crate) heirloom: Heirloom,
    pub(crate) folder: PathBuf,
}

impl Bare {
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Json {
        let arguments = arguments.iter().chain(&["--json"]);
        self.heirloom.run(arguments).expect_code(0).json()
    }

    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        let report = self.json(&["fsck", "--originals"]);
        assert_eq!(report["faults"], 0, "{report}");
    }
}

pub(crate) fn dump(data: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let location = Location::File(data.join("catalogue.db"));
        let db = Db::open_existing(&location).await.unwrap();
        let dump = db.dump().await.unwrap();
        db.close().await;
        dump
    })
}

#[test]
fn everything_comes_back_on_a_bare_machine() {
    let home = Home::scanned();
    let added = home.folder.path().join("From Anna.jpg");
    fs::write(&added, jpeg::tiny(77, &jpeg::Options::varied(77))).unwrap();
    home.done(["add", path(&added)]);
    let strand = home.asset("Strand.jpg");
    home.done(["claim", "make", &strand, "title", "Am Strand von Sylt"]);
    let root = home.folder.path().join("Pictures");
    let before = TreeSnapshot::of(&root);

    let backup = home.back_up();
    assert_eq!(backup["state"], "done", "{backup}");
    assert_eq!(backup["is_new_key"], true);
    assert_eq!(backup["outcome"]["lacking"], 0);
    before.assert_same(&TreeSnapshot::of(&root));

    // The machine is gone, and with it what was catalogued.
    let expected = dump(&home.data());
    fs::rename(&root, home.folder.path().join("lost")).unwrap();
    let bare = home.restore("restored", &[]);
    assert_eq!(bare.report["lacking"], 0, "{}", bare.report);
    assert_eq!(bare.report["files"], 4, "what was passed over is not in it");
    assert_eq!(dump(&bare.folder), expected);
    for name in [
        "Am Meer/Strand.jpg",
        "Am Meer/Düne.jpg",
        "no date.jpg",
        "Oma erzählt.wav",
    ] {
        let was = home.folder.path().join("lost").join(name);
        let is = bare.folder.join("originals/Pictures").join(name);
        assert_eq!(fs::read(&was).unwrap(), fs::read(&is).unwrap(), "{name}");
        let modified = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(modified(&was), modified(&is), "{name}");
    }
    bare.assert_sound();
    // Nothing has to be read anew, and everything is served at once.
    let shown = bare.json(&["asset", "show", &strand]);
    assert_eq!(shown["title"], "Am Strand von Sylt", "{shown}");
    let originals = bare.folder.join("originals/Pictures");
    let scanned = bare.json(&["scan", path(&originals)]);
    assert_eq!(scanned["report"]["unchanged"], 4, "{scanned}");
}

#[test]
fn what_is_known_already_is_not_stored_again_and_each_time_can_be_restored() {
    let home = Home::scanned();
    let first = home.back_up();
    let second = home.back_up();
    // The catalogue with the account of the first backup, and what is said of the snapshot itself.
    let read = second["outcome"]["files_read"].as_u64().unwrap();
    assert!(read <= 3, "{second}");
    let root = home.folder.path().join("Pictures");
    fs::write(
        root.join("new.jpg"),
        jpeg::tiny(9, &jpeg::Options::varied(9)),
    )
    .unwrap();
    home.done(["scan", path(&root)]);
    let third = home.back_up();
    assert!(
        third["outcome"]["files_read"].as_u64().unwrap() > read,
        "{third}"
    );

    let key = home.key();
    let list = [
        "backup",
        "list",
        path(&home.repository()),
        "--key-file",
        path(&key),
        "--json",
    ]
    .map(str::to_owned);
    let list = program().run(list).expect_code(0).json();
    let id = |backup: &Json| {
        backup["outcome"]["snapshot"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let listed: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, [id(&first), id(&second), id(&third)]);

    let early = home.restore("early", &["--at", &id(&first)[..12]]);
    assert_eq!(early.report["files"], 4);
    early.assert_sound();
    let late = home.restore("late", &[]);
    assert_eq!(late.report["files"], 5);
    let shown = home.json(["backup", "show"]);
    assert_eq!(shown["items"].as_array().unwrap().len(), 3, "{shown}");
}

#[test]
fn the_stock_program_of_the_format_reads_it() {
    let home = Home::scanned();
    home.back_up();
    let restic = |arguments: &[&str]| {
        let output = Command::new("restic")
            .args([
                "--no-cache",
                "--repo",
                path(&home.repository()),
                "--password-file",
                path(&home.key()),
            ])
            .args(arguments)
            .output()
            .expect("restic is needed: ./dev setup installs it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let snapshots: Json = serde_json::from_str(&restic(&["snapshots", "--json"])).unwrap();
    assert_eq!(snapshots.as_array().unwrap().len(), 1, "{snapshots}");
    assert!(restic(&["check", "--read-data"]).contains("no errors were found"));
    let there = home.folder.path().join("by restic");
    restic(&["restore", "latest", "--target", path(&there)]);
    let originals = there.join("library/originals/Pictures");
    for name in [
        "Am Meer/Strand.jpg",
        "Am Meer/Düne.jpg",
        "no date.jpg",
        "Oma erzählt.wav",
    ] {
        let was = fs::read(home.folder.path().join("Pictures").join(name)).unwrap();
        assert_eq!(was, fs::read(originals.join(name)).unwrap(), "{name}");
    }
    assert_eq!(
        dump(&there.join("library/catalogue")).len(),
        dump(&home.data()).len()
    );
    // What it leaves behind is no harm.
    home.back_up();
}

#[test]
fn what_is_not_as_it_was_catalogued_is_named_and_the_rest_is_stored() {
    let home = Home::scanned();
    home.back_up();
    let root = home.folder.path().join("Pictures");
    fs::remove_file(root.join("no date.jpg")).unwrap();
    fs::write(root.join("Am Meer/Düne.jpg"), "edited since").unwrap();
    // Rot: the bytes change and nothing else about the file does.
    let rotten = root.join("Am Meer/Strand.jpg");
    let mut bytes = fs::read(&rotten).unwrap();
    let modified = fs::metadata(&rotten).unwrap().modified().unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&rotten, bytes).unwrap();
    let file = fs::File::options().write(true).open(&rotten).unwrap();
    file.set_modified(modified).unwrap();
    let found = file.metadata().unwrap();
    set_changed_at(
        &home.data(),
        "Strand.jpg",
        found.ctime() * 1_000_000_000 + found.ctime_nsec(),
    );
    let repository = home.repository();

    let finished = home
        .heirloom
        .run(["backup", "to", path(&repository), "--json"])
        .expect_code(1);
    let backup = finished.json();
    let lacking: Vec<(&str, &str)> = backup["outcome"]["lacking_files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap(),
                file["lacking"].as_str().unwrap(),
            )
        })
        .collect();
    // What the snapshot before has of the others is in this one, too, until a scan looks at them.
    assert_eq!(lacking, [("Pictures/Am Meer/Strand.jpg", "damaged")]);
    let words = home
        .heirloom
        .run(["backup", "to", path(&repository)])
        .expect_code(1);
    assert!(
        words
            .stdout
            .contains("damaged: Pictures/Am Meer/Strand.jpg"),
        "{}",
        words.stdout
    );
}

fn set_changed_at(data: &Path, name: &str, changed_at_ns: i64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let location = Location::File(data.join("catalogue.db"));
        let db = Db::open_existing(&location).await.unwrap();
        db.set_changed_at(name, changed_at_ns).await.unwrap();
        db.close().await;
    });
}

#[test]
fn folders_that_others_back_up_are_left_out_when_asked_and_that_is_said() {
    let home = Home::scanned();
    let repository = home.repository();
    let said = home.done(["backup", "to", path(&repository), "--without-folders"]);
    assert!(said.stdout.contains("are NOT in it"), "{}", said.stdout);
    assert!(
        said.stderr.contains("Without it nothing can be restored"),
        "{}",
        said.stderr
    );
    let bare = home.restore("restored", &[]);
    assert_eq!(
        (&bare.report["files"], &bare.report["has_folders"]),
        (&0.into(), &false.into())
    );
    assert!(!bare.folder.join("originals").exists());
    // They are where they were.
    bare.assert_sound();
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let home = Home::scanned();
    home.back_up();
    let (repository, key) = (home.repository(), home.key());
    let other_key = home.folder.path().join("other.key");
    fs::write(&other_key, "ABCD-EFGH\n").unwrap();
    let foreign = home.folder.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear Anna").unwrap();
    let half = home.folder.path().join("half");
    fs::create_dir(&half).unwrap();
    heirloom_testing::tree::copy_tree(repository.join("data"), half.join("data"));
    let before = TreeSnapshot::of(home.folder.path().join("backup disk").as_path());
    let inside = home.folder.path().join("Pictures/backup");
    let in_data = home.data().join("backup");
    let target = home.folder.path().join("target");
    for (arguments, said) in [
        (
            vec!["backup", "to", path(&foreign)],
            "is no backup repository",
        ),
        (vec!["backup", "to", path(&half)], "`config` is not there"),
        (
            vec!["backup", "to", path(&inside)],
            "nothing is ever written there",
        ),
        (
            vec!["backup", "to", path(&in_data)],
            "would be lost with it",
        ),
        (
            vec!["backup", "list", path(&foreign)],
            "there is no backup repository",
        ),
        (
            vec!["backup", "check", path(&half)],
            "`config` is not there",
        ),
        (
            vec![
                "backup",
                "list",
                path(&repository),
                "--key-file",
                path(&other_key),
            ],
            "this key does not open",
        ),
        (
            vec![
                "restore",
                path(&repository),
                path(&target),
                "--key-file",
                path(&other_key),
            ],
            "this key does not open",
        ),
        (
            vec!["restore", path(&repository), path(&foreign)],
            "is not empty",
        ),
        (
            vec![
                "restore",
                path(&repository),
                path(&target),
                "--at",
                "1999-01-01",
            ],
            "there is no snapshot",
        ),
        (
            vec![
                "restore",
                path(&repository),
                path(&target),
                "--at",
                "yesterday",
            ],
            "neither a time",
        ),
    ] {
        let finished = home.heirloom.run(&arguments);
        assert_eq!(finished.code, Some(2), "{arguments:?}: {finished:?}");
        assert!(
            finished.stderr.contains(said) || finished.stdout.contains(said),
            "{arguments:?}: {finished:?}"
        );
    }
    assert!(!target.exists() && !inside.exists() && !in_data.exists());
    before.assert_same(&TreeSnapshot::of(
        home.folder.path().join("backup disk").as_path(),
    ));
    // A library of somebody else does not mix with this one.
    let other = Home::scanned();
    let finished =
        other
            .heirloom
            .run(["backup", "to", path(&repository), "--key-file", path(&key)]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.stdout.contains("another library"), "{finished:?}");
}

#[test]
fn a_backup_under_write_load_is_of_one_moment() {
    let home = Home::scanned();
    let many = home.many(60);
    let address = free_address();
    let mut server = home
        .heirloom
        .start(["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    let strand = home.asset("Strand.jpg");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            home.done(["scan", path(&many)]);
            let mut made = 0;
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) || made < 5 {
                let words = format!("word {made}");
                home.done(["claim", "make", &strand, "tag", &words]);
                made += 1;
            }
            made
        });
        for _ in 0..3 {
            // Files that came since are not catalogued then, and none that is may be lacking.
            let backup = home.back_up();
            assert_eq!(backup["outcome"]["lacking"], 0, "{backup}");
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        load.join().unwrap()
    });
    assert!(made >= 5);
    let list = home.json(["backup", "list", path(&home.repository())]);
    for (at, snapshot) in list["items"].as_array().unwrap().iter().enumerate() {
        let id = snapshot["id"].as_str().unwrap();
        let bare = home.restore(&format!("restored {at}"), &["--at", id]);
        assert_eq!(bare.report["lacking"], 0, "{}", bare.report);
        bare.assert_sound();
    }
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn old_snapshots_are_let_go_of_and_the_last_of_each_day_stays() {
    let home = Home::scanned();
    for _ in 0..3 {
        home.back_up();
    }
    let repository = home.repository();
    // The last of the day, and the very first until there are as many as may be kept.
    let pruned = home.json(["backup", "prune", path(&repository)]);
    assert_eq!(
        (&pruned["outcome"]["kept"], &pruned["outcome"]["removed"]),
        (&2.into(), &1.into()),
        "{pruned}"
    );
    let checked = home.json(["backup", "check", path(&repository), "--read-data"]);
    assert_eq!(checked["snapshots"], 2, "{checked}");
    let bare = home.restore("restored", &[]);
    bare.assert_sound();
    let nothing = "--keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0";
    let said = home.heirloom.run(
        ["backup", "prune", path(&repository)]
            .into_iter()
            .chain(nothing.split(' ')),
    );
    assert!(said.stdout.contains("no snapshot at all"), "{said:?}");
}

#[test]
fn an_interrupted_restore_is_no_library_until_it_went_on_to_its_end() {
    let home = Home::scanned();
    let backup = home.back_up();
    let id = backup["outcome"]["snapshot"]["id"].as_str().unwrap();
    let folder = home.folder.path().join("restored");
    // As a kill after its first moments leaves it.
    fs::create_dir_all(folder.join("restoring")).unwrap();
    fs::write(folder.join("restoring/snapshot"), format!("{id}\n")).unwrap();
    fs::create_dir_all(folder.join("originals/Pictures/Am Meer")).unwrap();
    fs::write(
        folder.join("originals/Pictures/Am Meer/Strand.jpg"),
        "half of it",
    )
    .unwrap();
    let said = assert_refusal(&program().data(&folder).run(["doctor"]).expect_code(2));
    assert!(said.contains("has not come to its end"), "{said}");
    let bare = home.restore("restored", &[]);
    bare.assert_sound();
    assert!(!folder.join("restoring").exists());
    // As a kill leaves it while that folder is removed, which no longer says what was restored.
    fs::create_dir(folder.join("restoring")).unwrap();
    bare.assert_sound();
}
