//! Bytes that change on the disk: each of them is found, and none is given for what was stored.

use std::{fs, path::Path, process::Command};

use heirloom_core::claim::ClaimKind;
use heirloom_db::{Db, DbError, Engine, Location, take_pages};

use crate::harness::{File, OPERATOR, Store, file, home, on_both_engines, runtime};

const CAPTION: &str = "Am Strand von Westerland";

/// A catalogue that was closed with so many photographs in it, its file, and what it says.
async fn filled(photographs: usize) -> (Store, std::path::PathBuf, Vec<String>) {
    let (home, location) = home(Engine::Sqlite);
    let store = Store::open(home, location.clone()).await;
    let photographs = (0..photographs).map(|n| {
        file(&format!("{n}.jpg"))
            .dated("1974-07-01")
            .says(ClaimKind::Caption, &format!("{CAPTION} {n}"))
    });
    store.record(photographs.collect::<Vec<File>>()).await;
    let said = store.db.dump_rows().await.unwrap();
    store.db.close().await;
    let Location::File(path) = location else {
        unreachable!()
    };
    (store, path, said)
}

/// Changes one byte, and sees what becomes of it.
async fn assert_found(path: &Path, sound: &[u8], at: usize, said: &[String]) {
    let mut bytes = sound.to_vec();
    bytes[at] ^= 1 << (at % 8);
    fs::write(path, &bytes).unwrap();
    let page = at / 4096 + 1;
    let is_named = |error: DbError| match error {
        DbError::Damaged { path: named, .. } => assert_eq!(named, path, "byte {at}"),
        other => panic!("byte {at}: {other:?}"),
    };
    match Db::open(&Location::File(path.to_owned())).await {
        Err(error) => is_named(error),
        Ok(db) => {
            let faults = db.check_pages(OPERATOR).await.unwrap();
            assert_eq!(faults.len(), 1, "byte {at}");
            let name = format!("Page {page} of {} is not as it was written", path.display());
            assert!(faults[0].starts_with(&name), "byte {at}: {}", faults[0]);
            match db.dump_rows().await {
                Ok(rows) => assert_eq!(rows, said, "byte {at}"),
                Err(error) => is_named(error),
            }
            let folder = path.parent().unwrap();
            match db.freeze_catalogue(OPERATOR, false, folder).await {
                Ok(_) => panic!("byte {at} goes into a backup"),
                Err(error) => is_named(error),
            }
            db.close().await;
        }
    }
    fs::write(path, sound).unwrap();
}

#[test]
fn a_changed_byte_in_any_page_is_found_and_never_given_for_what_was_stored() {
    runtime().block_on(async {
        let (_store, path, said) = filled(60).await;
        let sound = fs::read(&path).unwrap();
        let pages = sound.len() / 4096;
        assert!(pages > 100, "{pages} pages");
        // Somewhere else in each page, the checksum itself among it.
        for page in 0..pages {
            let at = page * 4096 + (page * 1657 + 20) % 4096;
            assert_found(&path, &sound, at, &said).await;
        }
        // What tells whether there are checksums at all.
        for at in [16, 17, 18, 20, 68, 71] {
            assert_found(&path, &sound, at, &said).await;
        }
        let places = sound.windows(CAPTION.len()).enumerate();
        let captions: Vec<usize> = places
            .filter(|(_, bytes)| *bytes == CAPTION.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert!(captions.len() >= 60, "{}", captions.len());
        for at in captions.into_iter().step_by(10) {
            assert_found(&path, &sound, at + 10, &said).await;
        }
        let db = Db::open(&Location::File(path)).await.unwrap();
        assert!(db.check_pages(OPERATOR).await.unwrap().is_empty());
        assert_eq!(db.dump_rows().await.unwrap(), said);
        db.close().await;
    });
}

#[test]
fn copies_have_the_checksums_too_and_other_programs_read_them() {
    runtime().block_on(async {
        let (store, path, said) = filled(5).await;
        let copy = path.with_file_name("copy.db");
        store
            .sql(&format!("VACUUM INTO '{}'", copy.display()))
            .await;
        let sound = fs::read(&copy).unwrap();
        for page in [2, 30, 60] {
            assert_found(&copy, &sound, page * 4096 + 4000, &said).await;
        }
        assert_eq!(
            python(
                &path,
                "print(db.execute('SELECT COUNT(*) FROM asset').fetchone()[0])"
            ),
            "5"
        );
    });
}

#[test]
fn a_catalogue_without_checksums_gets_them_when_it_is_opened() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        let location = Location::File(path.clone());
        // Another program reserves nothing, and what is there is only changed when all of it is written anew.
        python(
            &path,
            "db.execute('PRAGMA auto_vacuum = 2'); db.execute('CREATE TABLE other (n)'); \
             db.execute('PRAGMA journal_mode = WAL')",
        );
        assert_eq!(fs::read(&path).unwrap()[20], 0);
        let db = Db::open(&location).await.unwrap();
        assert!(db.has_page_checksums().await.unwrap());
        db.get_or_create_family("Home").await.unwrap();
        let said = db.dump_rows().await.unwrap();
        db.close().await;
        let sound = fs::read(&path).unwrap();
        assert_eq!(sound[20], 8);
        for page in [1, 5, 50, sound.len() / 4096 - 1] {
            assert_found(&path, &sound, page * 4096 + 77, &said).await;
        }
        assert_eq!(
            python(
                &path,
                "print(db.execute('PRAGMA auto_vacuum').fetchone()[0])"
            ),
            "2"
        );
    });
}

/// More than SQLite keeps in memory, so that it writes pages before the first.
const MANY_ROWS: &str = "db.execute('CREATE TABLE other (n TEXT UNIQUE)'); \
    db.executemany('INSERT INTO other VALUES (?)', [(f'{n:08}' * 40,) for n in range(30_000)])";

#[test]
fn a_large_catalogue_gets_all_checksums_and_so_do_its_copies() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        python(&path, MANY_ROWS);
        let location = Location::File(path.clone());
        let db = Db::open(&location).await.unwrap();
        assert!(db.has_page_checksums().await.unwrap());
        assert_eq!(
            db.check_pages(OPERATOR).await.unwrap(),
            Vec::<String>::new()
        );
        db.close().await;
        assert!(fs::metadata(&path).unwrap().len() > 10_000_000);
        // And what another program made of it.
        let copy = path.with_file_name("copy.db");
        python(&path, &format!("db.execute('VACUUM INTO ?', ({copy:?},))"));
        assert!(take_pages(&copy).await.unwrap().is_some());
        let db = Db::open(&Location::File(copy)).await.unwrap();
        assert_eq!(
            db.check_pages(OPERATOR).await.unwrap(),
            Vec::<String>::new()
        );
        assert!(db.check_integrity(OPERATOR).await.unwrap().is_empty());
        db.close().await;
    });
}

#[test]
fn the_copy_of_a_large_catalogue_before_a_migration_has_all_checksums() {
    runtime().block_on(async {
        let (home, location) = home(Engine::Sqlite);
        let store = Store::open(home, location.clone()).await;
        for text in [
            "CREATE TABLE other (n TEXT UNIQUE)",
            "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 30000) \
             INSERT INTO other SELECT hex(randomblob(160)) FROM row",
            "DELETE FROM migration WHERE name = (SELECT MAX(name) FROM migration)",
        ] {
            store.sql(text).await;
        }
        store.db.close().await;
        // What the migration makes is there already; the copy comes before that.
        if let Ok(db) = Db::open(&location).await {
            db.close().await;
        }
        let Location::File(path) = location else {
            unreachable!()
        };
        let names = fs::read_dir(path.parent().unwrap()).unwrap();
        let mut names = names.map(|entry| entry.unwrap().path());
        let copy = names
            .find(|name| name.to_string_lossy().contains(".after-"))
            .unwrap();
        assert!(fs::metadata(&copy).unwrap().len() > 10_000_000);
        assert_eq!(take_pages(&copy).await.unwrap(), None);
    });
}

#[test]
fn a_catalogue_that_is_damaged_already_gets_no_checksums() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        python(
            &path,
            "db.execute('CREATE TABLE other (n TEXT UNIQUE)'); \
             db.executemany('INSERT INTO other VALUES (?)', [(f'row {n}',) for n in range(50)])",
        );
        let mut bytes = fs::read(&path).unwrap();
        // The index and the table do not say the same any more.
        let at = bytes.windows(6).position(|text| text == b"row 17").unwrap();
        bytes[at] = b'R';
        fs::write(&path, &bytes).unwrap();
        let db = Db::open(&Location::File(path.clone())).await.unwrap();
        assert!(!db.has_page_checksums().await.unwrap());
        assert!(!db.check_integrity(OPERATOR).await.unwrap().is_empty());
        db.close().await;
        assert_eq!(fs::read(&path).unwrap()[20], 0);
    });
}

/// Takes what is at `path`, and sees that it says what it should, and that it is kept as it was found.
async fn assert_taken(path: &Path, said: &[String]) {
    let found = fs::read(path).unwrap();
    let kept = take_pages(path).await.unwrap().unwrap();
    assert!(fs::read(&kept).unwrap() == found);
    let db = Db::open(&Location::File(path.to_owned())).await.unwrap();
    assert!(db.check_pages(OPERATOR).await.unwrap().is_empty());
    assert!(db.check_integrity(OPERATOR).await.unwrap().is_empty());
    assert!(db.has_page_checksums().await.unwrap());
    assert_eq!(db.dump_rows().await.unwrap(), said);
    db.close().await;
    let sound = fs::read(path).unwrap();
    assert_eq!(take_pages(path).await.unwrap(), None);
    assert!(
        fs::read(path).unwrap() == sound,
        "what is right is left alone"
    );
    for page in [2, 30] {
        assert_found(path, &sound, page * 4096 + 4000, said).await;
    }
}

#[test]
fn a_copy_that_another_program_made_can_be_taken_as_it_is() {
    runtime().block_on(async {
        let (_store, path, said) = filled(60).await;
        for (name, how) in [
            (
                "by backup.db",
                "copy = sqlite3.connect(COPY); db.backup(copy); copy.close()",
            ),
            ("by vacuum.db", "db.execute('VACUUM INTO ?', (COPY,))"),
        ] {
            let copy = path.with_file_name(name);
            python(&path, &how.replace("COPY", &format!("{copy:?}")));
            let looks = match Db::open(&Location::File(copy.clone())).await {
                Err(error) => error.to_string(),
                Ok(db) => {
                    let faults = db.check_pages(OPERATOR).await.unwrap();
                    db.close().await;
                    assert!(
                        faults[0].contains("heirloom fsck --take-pages"),
                        "{faults:?}"
                    );
                    faults[0].clone()
                }
            };
            assert!(
                looks.contains("damaged") || looks.contains("not as it was written"),
                "{looks}"
            );
            assert_taken(&copy, &said).await;
        }
    });
}

#[test]
fn a_catalogue_that_another_program_changed_can_be_taken_with_what_is_not_folded_in_yet() {
    runtime().block_on(async {
        let (_store, path, said) = filled(20).await;
        let change = "db.execute(\"UPDATE claim SET source = 'by hand'\")";
        python(&path, change);
        let copy = path.with_file_name("stopped.db");
        // As a kill of that program leaves it.
        let stopped = format!(
            "db.execute(\"UPDATE claim SET source = 'by hand, twice'\"); db.commit(); import shutil; \
             shutil.copy({path:?}, {copy:?}); shutil.copy({:?}, {:?})",
            path.with_extension("db-wal"),
            copy.with_extension("db-wal"),
        );
        python(&path, &stopped);
        let kept = take_pages(&copy).await.unwrap();
        assert!(kept.is_some());
        let db = Db::open(&Location::File(copy)).await.unwrap();
        assert!(db.check_pages(OPERATOR).await.unwrap().is_empty());
        let rows = db.dump_rows().await.unwrap();
        db.close().await;
        assert!(rows.iter().any(|row| row.contains("by hand, twice")));
        assert_eq!(rows.len(), said.len());
    });
}

#[test]
fn a_catalogue_that_contradicts_itself_is_not_taken() {
    runtime().block_on(async {
        let (_store, path, _) = filled(60).await;
        let mut bytes = fs::read(&path).unwrap();
        let name = b"17.jpg";
        let places = bytes.windows(name.len()).enumerate();
        let places: Vec<usize> = places
            .filter(|(_, at)| at == name)
            .map(|(at, _)| at)
            .collect();
        for at in places.iter().step_by(2) {
            bytes[*at] = b'X';
        }
        fs::write(&path, &bytes).unwrap();
        match take_pages(&path).await {
            Err(DbError::Damaged {
                path: named,
                detail,
            }) => {
                assert_eq!(named, path);
                assert!(detail.contains("contradicts itself"), "{detail}");
            }
            other => panic!("{other:?}"),
        }
        assert!(fs::read(&path).unwrap() == bytes);
        let names = fs::read_dir(path.parent().unwrap()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert!(
            !names
                .iter()
                .any(|name| name.to_string_lossy().contains("incoming")),
            "{names:?}"
        );
        fs::write(&path, "no catalogue").unwrap();
        assert!(matches!(
            take_pages(&path).await,
            Err(DbError::Damaged { .. })
        ));
    });
}

on_both_engines! {
    async fn a_sound_catalogue_has_no_damaged_page(store: Store) {
        store.add(file("a.jpg")).await;
        assert!(store.db.check_pages(OPERATOR).await.unwrap().is_empty());
        if store.db.engine() == Engine::Sqlite {
            assert!(store.db.has_page_checksums().await.unwrap());
        } else {
            let said = store.sql("SHOW data_checksums").await;
            assert_eq!(store.db.has_page_checksums().await.unwrap(), said == ["on"]);
        }
    }
}

/// Has another program, which knows of no checksums, do something with a file.
fn python(path: &Path, what: &str) -> String {
    let script = format!(
        "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n{what}\ndb.commit()\ndb.close()\n"
    );
    let output = Command::new("python3")
        .args(["-c", &script])
        .arg(path)
        .output()
        .expect("python3 is needed as the other program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
