//! Libraries whose catalogue is in PostgreSQL: they come back into such a database, or into a data folder alone.

use std::{fs, time::Duration};

use heirloom_db::{Db, Location};
use heirloom_testing::{
    jpeg,
    postgres::{self, TestDatabase},
    process::{Finished, Heirloom},
};

use crate::harness::{Dice, Home, assert_refusal, path, program};

/// A scanned library whose catalogue is in a database, and what it says.
fn library() -> (Home, TestDatabase, Vec<String>) {
    let database = postgres::database();
    let mut home = Home::new();
    home.heirloom = home.heirloom.env("HEIRLOOM_DATABASE", &database.url);
    let root = home.pictures();
    home.done(["scan", path(&root)]);
    let added = home.folder.path().join("From Anna.jpg");
    fs::write(&added, jpeg::tiny(77, &jpeg::Options::varied(77))).unwrap();
    home.done(["add", path(&added)]);
    let strand = home.asset("Strand.jpg");
    let odd = "Am \"Strand\"\\ von Sylt\n\u{1f3d6} 'x'";
    home.done(["claim", "make", &strand, "title", odd]);
    let said = dump(&Location::Url(database.url.clone()));
    (home, database, said)
}

fn dump(location: &Location) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let db = Db::open_existing(location).await.unwrap();
        let dump = db.dump().await.unwrap();
        db.close().await;
        dump
    })
}

fn in_database(database: &TestDatabase) -> Vec<String> {
    dump(&Location::Url(database.url.clone()))
}

/// Restores into a folder of that name, by a program that knows nothing else.
fn restore(home: &Home, name: &str, more: &[&str]) -> Finished {
    let (repository, key) = (home.repository(), home.data().join("backup.key"));
    let folder = home.folder.path().join(name);
    let fixed = [
        "restore",
        path(&repository),
        path(&folder),
        "--key-file",
        path(&key),
    ];
    program().run(fixed.iter().chain(more))
}

fn assert_sound(heirloom: &Heirloom) {
    let report = heirloom
        .run(["fsck", "--originals", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(report["faults"], 0, "{report}");
}

#[test]
fn a_catalogue_comes_back_into_an_empty_database() {
    let (home, database, said) = library();
    home.back_up();
    let other = postgres::database();
    let finished = restore(&home, "restored", &["--database", &other.url]).expect_code(0);
    assert!(
        finished.stdout.contains("catalogue is in the database"),
        "{finished:?}"
    );
    let folder = home.folder.path().join("restored");
    assert!(!folder.join("catalogue.db").exists());
    assert!(!folder.join("restoring").exists());
    assert_eq!(in_database(&other), said);
    // What refers to what is held again, and what is counted goes on being so.
    let references = "SELECT COUNT(*) FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(other.sql(references), database.sql(references));
    let bare = program().data(&folder).env("HEIRLOOM_DATABASE", &other.url);
    assert_sound(&bare);
    let new = home.folder.path().join("new.jpg");
    fs::write(&new, jpeg::tiny(78, &jpeg::Options::varied(78))).unwrap();
    let _ = bare.run(["add", path(&new)]).expect_code(0);
    assert_sound(&bare);
    // Without the database there is no library in the folder, and nobody begins one there.
    let refused = assert_refusal(&program().data(&folder).run(["doctor"]).expect_code(2));
    assert!(refused.contains("--database"), "{refused}");
    // And from there into a folder alone.
    let repository = home.folder.path().join("second");
    let _ = bare.run(["backup", "to", path(&repository)]).expect_code(0);
    let key = folder.join("backup.key");
    let alone = home.folder.path().join("alone");
    let fixed = [
        "restore",
        path(&repository),
        path(&alone),
        "--key-file",
        path(&key),
    ];
    let _ = program().run(fixed).expect_code(0);
    let alone = program().data(&alone);
    assert_sound(&alone);
    let found = alone.run(["search", "sylt", "--json"]);
    let found = found.expect_code(0).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
}

#[test]
fn a_catalogue_in_sqlite_comes_into_a_database_as_it_was_at_a_time() {
    let home = Home::scanned();
    home.back_up();
    let backup = home.back_up();
    let id = backup["outcome"]["snapshot"]["id"].as_str().unwrap();
    let said = dump(&Location::File(home.data().join("catalogue.db")));
    let strand = home.asset("Strand.jpg");
    home.done(["claim", "make", &strand, "title", "Later"]);
    home.back_up();
    let database = postgres::database();
    // In the environment as well.
    let (repository, key) = (home.repository(), home.data().join("backup.key"));
    let folder = home.folder.path().join("restored");
    let fixed = [
        "restore",
        path(&repository),
        path(&folder),
        "--key-file",
        path(&key),
        "--at",
        id,
    ];
    let _ = program()
        .env("HEIRLOOM_DATABASE", &database.url)
        .run(fixed)
        .expect_code(0);
    let bare = program()
        .data(&folder)
        .env("HEIRLOOM_DATABASE", &database.url);
    assert_sound(&bare);
    // The two databases write the same in other words: it is compared when it is back in the first.
    let repository = home.folder.path().join("second");
    let _ = bare.run(["backup", "to", path(&repository)]).expect_code(0);
    let (key, alone) = (folder.join("backup.key"), home.folder.path().join("alone"));
    let fixed = [
        "restore",
        path(&repository),
        path(&alone),
        "--key-file",
        path(&key),
    ];
    let _ = program().run(fixed).expect_code(0);
    assert_eq!(dump(&Location::File(alone.join("catalogue.db"))), said);
}

#[test]
fn a_database_that_is_not_empty_is_left_as_it_is() {
    let (home, database, said) = library();
    home.back_up();
    let other = postgres::database();
    let _ = other.sql("CREATE TABLE accounts (name TEXT)");
    for (url, why) in [
        (&database.url, "it has the catalogue of a library"),
        (&other.url, "it has tables of something else"),
    ] {
        let finished = restore(&home, "restored", &["--database", url]).expect_code(2);
        assert!(finished.stderr.contains(why), "{finished:?}");
        assert!(!home.folder.path().join("restored").exists());
    }
    assert_eq!(in_database(&database), said);
    let silent = "postgres://nobody@127.0.0.1:1/none";
    let finished = restore(&home, "restored", &["--database", silent]).expect_code(2);
    assert!(finished.stderr.contains("cannot be opened"), "{finished:?}");
}

#[test]
fn a_killed_restore_leaves_nothing_or_all_in_the_database_and_goes_on() {
    let (home, _database, said) = library();
    home.back_up();
    let other = postgres::database();
    let (repository, key) = (home.repository(), home.data().join("backup.key"));
    let folder = home.folder.path().join("restored");
    let fixed = [
        "restore",
        path(&repository),
        path(&folder),
        "--key-file",
        path(&key),
    ];
    let heirloom = program().env("HEIRLOOM_DATABASE", &other.url);
    let mut dice = Dice(0x5EED);
    let mut kills = 0;
    // The first is killed soon whatever the machine, and the later ones live ever longer.
    for round in 1..=30 {
        let running = heirloom.start(fixed);
        std::thread::sleep(dice.below(round * Duration::from_millis(50)));
        if running.kill().code.is_some() {
            break;
        }
        kills += 1;
        let made = other.sql("SELECT to_regclass('family') IS NOT NULL");
        let families = match made.as_str() {
            "t" => other.sql("SELECT COUNT(*) FROM family"),
            _ => "0".to_owned(),
        };
        if families == "1" {
            assert_eq!(other.sql("SELECT COUNT(*) FROM asset"), "5");
        }
        // Half of a library is none.
        if folder.join("restoring/snapshot").exists() {
            let half = program().data(&folder).env("HEIRLOOM_DATABASE", &other.url);
            let refused = assert_refusal(&half.run(["doctor"]).expect_code(2));
            assert!(refused.contains("has not come to its end"), "{refused}");
        }
    }
    assert!(kills > 0, "no process lived long enough to be killed");
    // On a slow machine none may have come as far as to begin.
    let has_begun = other.sql("SELECT to_regclass('family') IS NOT NULL") == "t";
    if folder.join("restoring/snapshot").exists() || !has_begun {
        let _ = heirloom.run(fixed).expect_code(0);
    }
    assert_eq!(in_database(&other), said);
    assert_sound(&program().data(&folder).env("HEIRLOOM_DATABASE", &other.url));
}

#[test]
fn a_restore_that_was_killed_when_all_was_in_the_database_comes_to_its_end() {
    let (home, _database, said) = library();
    let backup = home.back_up();
    let id = backup["outcome"]["snapshot"]["id"].as_str().unwrap();
    let other = postgres::database();
    let _ = restore(&home, "restored", &["--database", &other.url]).expect_code(0);
    let note = other.sql("SELECT obj_description('migration'::regclass)");
    let name = note.strip_prefix("restored ").unwrap();
    // As a kill between the end of the transaction and that of the restore leaves it, and the search index half made.
    let scratch = home.folder.path().join("restored/restoring");
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("snapshot"), format!("{id}\n")).unwrap();
    fs::write(scratch.join("copy"), name).unwrap();
    let _ = other.sql("DELETE FROM search_index WHERE timeline_key = (SELECT MIN(timeline_key) FROM search_index)");
    let _ = restore(&home, "restored", &["--database", &other.url]).expect_code(0);
    assert!(!scratch.exists());
    assert_eq!(in_database(&other), said);
    // Another restore has no part in it.
    let finished = restore(&home, "again", &["--database", &other.url]).expect_code(2);
    assert!(finished.stderr.contains("not empty"), "{finished:?}");
}
