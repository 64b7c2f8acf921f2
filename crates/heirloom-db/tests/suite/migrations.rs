//! Opening a catalogue: new, old, newer, changed, damaged, or not to be written.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use heirloom_core::{
    Bucket,
    bucket::Span,
    map::View,
    query::{Caret, Language, Query},
};
use heirloom_db::{Db, DbError, Engine, Location};
use heirloom_testing::{postgres, process::as_nobody};
use sqlx::Connection as _;

use crate::harness::{Home, OPERATOR, Store, file, on_both_engines, runtime};

/// Name and text of each migration, in order.
fn migrations() -> Vec<(String, String)> {
    let mut migrations: Vec<_> = fs::read_dir("migrations")
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    migrations.sort();
    migrations
}

/// The text with what is for this engine opened, as a reader would do it by hand.
fn opened(text: &str, engine: Engine) -> String {
    let hook = match engine {
        Engine::Sqlite => "/*lite",
        Engine::Postgres => "/*pg",
    };
    let mut parts = text.split(hook);
    let mut opened = parts.next().unwrap().to_owned();
    for part in parts {
        let (inside, after) = part.split_once("*/").unwrap();
        opened += inside;
        opened += after;
    }
    opened
}

/// What an older Heirloom left: the first `count` migrations, and a family.
fn older(count: usize, engine: Engine) -> String {
    let mut script =
        "CREATE TABLE migration (name TEXT NOT NULL PRIMARY KEY, text_hash TEXT NOT NULL,
        applied_at_ms BIGINT NOT NULL);"
            .to_owned();
    for (name, text) in migrations().into_iter().take(count) {
        script += &opened(&text, engine);
        let hash = blake3::hash(text.as_bytes()).to_hex();
        script += &format!(";\nINSERT INTO migration VALUES ('{name}', '{hash}', 1);\n");
    }
    let id = match engine {
        Engine::Sqlite => "X'00112233445566778899aabbccddeeff'",
        Engine::Postgres => "'\\x00112233445566778899aabbccddeeff'::bytea",
    };
    let other = id.replace("0011", "1100");
    script += &format!(
        "INSERT INTO family VALUES ({id}, 'An old family', 1, 1);
         INSERT INTO audience VALUES ({other}, {id}, 'family', 'An old family', 1);"
    );
    script
}

async fn run_on_file(path: &Path, script: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let script = sqlx::AssertSqlSafe(script.to_owned());
    sqlx::raw_sql(script)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Makes an empty place and runs a script there.
async fn place(engine: Engine, script: &str) -> (Home, Location) {
    let folder = tempfile::tempdir().unwrap();
    match engine {
        Engine::Sqlite => {
            let path = folder.path().join("catalogue.db");
            run_on_file(&path, script).await;
            let database = None;
            (Home { folder, database }, Location::File(path))
        }
        Engine::Postgres => {
            let database = postgres::database();
            let _ = database.sql(script);
            let location = Location::Url(database.url.clone());
            let database = Some(database);
            (Home { folder, database }, location)
        }
    }
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_older_catalogue_is_brought_up_to_date_and_keeps_what_it_holds() {
    runtime().block_on(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            for count in 1..=migrations().len() {
                let (home, location) = place(engine, &older(count, engine)).await;
                let db = Db::open(&location).await.unwrap();
                let family = db.get_or_create_family("A new family").await.unwrap();
                assert_eq!(family.name, "An old family");
                assert_eq!(
                    db.list_assets(OPERATOR, family.id, None, 1)
                        .await
                        .unwrap()
                        .items,
                    []
                );
                db.close().await;
                let last = &migrations()[count - 1].0;
                let copy = home
                    .folder
                    .path()
                    .join(format!("catalogue.db.after-{last}"));
                let is_behind = count < migrations().len();
                assert_eq!(
                    copy.exists(),
                    engine == Engine::Sqlite && is_behind,
                    "after {last}"
                );
                if copy.exists() {
                    // The copy is what was there before, and opens.
                    let db = Db::open(&Location::File(copy)).await.unwrap();
                    let family = db.get_or_create_family("A new family").await.unwrap();
                    assert_eq!(family.name, "An old family");
                    db.close().await;
                }
            }
        }
    });
}

#[test]
fn what_an_older_catalogue_has_is_counted_in_the_bucket_of_its_date() {
    /// As `timeline` makes keys: the second, counted from long ago, how much the date spans, a counter.
    const fn key(second: i64, span: Span, counter: i64) -> i64 {
        ((second + (1 << 39)) << 23) | ((span as i64) << 21) | counter
    }
    let years = [
        -15_000_i64,
        -1,
        0,
        1,
        1582,
        1900,
        1969,
        1970,
        2000,
        2024,
        9_999,
        19_000,
    ];
    let days = years.map(|year| year * 146_097 / 400 - 719_528);
    let mut keys = Vec::new();
    for (counter, second) in (0..).zip(days.into_iter().flat_map(|day| {
        [day - 1, day, day + 1, day + 58, day + 59, day + 60].map(|day| day * 86_400)
    })) {
        for second in [second, second + 1, second + 86_399] {
            keys.extend(Span::ALL.map(|span| (second, span, key(second, span, counter))));
        }
    }
    let mut expected: BTreeMap<Bucket, i64> = BTreeMap::from([(Bucket::UNDATED, 1)]);
    for (second, span, _) in &keys {
        *expected.entry(Bucket::of(*second, *span)).or_default() += 1;
    }
    assert!(expected.len() > 60, "{}", expected.len());

    runtime().block_on(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let (home, location) = place(engine, &older(6, engine)).await;
            let text = |id: &str| match engine {
                Engine::Sqlite => format!("X'{id}'"),
                Engine::Postgres => format!("'\\x{id}'::bytea"),
            };
            let (family, audience) = (
                text("00112233445566778899aabbccddeeff"),
                text("11002233445566778899aabbccddeeff"),
            );
            let undated = std::iter::once(i64::MIN + 5);
            let keys = keys.iter().map(|(_, _, key)| *key).chain(undated);
            let rows: Vec<String> = keys
                .enumerate()
                .map(|(number, key)| {
                    let id = text(&format!("{number:032x}"));
                    format!(
                        "({id}, {family}, {audience}, {id}, 1, 'image', 'image/jpeg', 'present', {key}, 'a.jpg', 1, 1, 1)"
                    )
                })
                .collect();
            for rows in rows.chunks(100) {
                let rows = rows.join(", ");
                let script = format!(
                    "INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind, media_type,
                       state, timeline_key, name, added_at_ms, updated_at_ms, version) VALUES {rows}"
                );
                match (&location, &home.database) {
                    (Location::File(path), _) => run_on_file(path, &script).await,
                    (Location::Url(_), Some(database)) => drop(database.sql(&script)),
                    (Location::Url(_), None) => unreachable!("PostgreSQL has a database"),
                }
            }
            let db = Db::open(&location).await.unwrap();
            let family = db.get_or_create_family("A new family").await.unwrap();
            let counted = db.count_buckets(OPERATOR, family.id, &Query::default()).await;
            let counted: BTreeMap<Bucket, i64> = counted.unwrap().into_iter().collect();
            assert_eq!(counted, expected, "{engine:?}");
            db.close().await;
        }
    });
}

#[test]
fn what_was_said_of_positions_and_places_before_is_counted_from_then_on() {
    runtime().block_on(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let names: Vec<String> = migrations().into_iter().map(|(name, _)| name).collect();
            let before = names.iter().position(|name| name == "0008_places").unwrap();
            let literal = |hex: String| {
                match engine {
                    Engine::Sqlite => format!("X'{hex}'"),
                    Engine::Postgres => format!("'\\x{hex}'::bytea"),
                }
            };
            let hex = |number: u8| format!("00112233445566778899aabbccddee{number:02x}");
            let id = |number: u8| literal(hex(number));
            let hash = |number: u8| literal(hex(number).repeat(2));
            let (family, audience) = (id(0xff), id(0xff).replace("0011", "1100"));
            let mut script = older(before, engine);
            for asset in [1, 2, 3] {
                script += &format!(
                    "INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind, media_type,
                       state, timeline_key, name, added_at_ms, updated_at_ms, version)
                     VALUES ({}, {family}, {audience}, {}, 1, 'image', 'image/jpeg', 'present', {asset}, 'a', 1, 1, 1);",
                    id(asset),
                    hash(asset),
                );
            }
            let berlin = r#"{"latitude":52.52,"longitude":13.4}"#;
            let rome = r#"{"latitude":41.9,"longitude":12.5}"#;
            let said = [
                (1, 11, "position", berlin, "artifact", id(99)),
                (1, 12, "position", rome, "operator", "NULL".to_owned()),
                (2, 13, "position", berlin, "artifact", id(99)),
                (3, 14, "place", "\"Oma's garden\"", "operator", "NULL".to_owned()),
            ];
            for (asset, claim, kind, value, author, author_id) in said {
                let value = value.replace('\'', "''");
                script += &format!(
                    "INSERT INTO claim (subject_id, id, subject_kind, subject_part, family_id, kind, value,
                       is_negation, author_kind, author_id, source, confidence, made_at_ms)
                     VALUES ({}, {}, 'asset', '', {family}, '{kind}', '{value}', FALSE, '{author}', {author_id}, '', 0.9, 1);",
                    id(asset),
                    id(claim),
                );
            }
            let (_home, location) = place(engine, &script).await;
            let db = Db::open(&location).await.unwrap();
            let family = db.get_or_create_family("Home").await.unwrap().id;
            let view = |text: &str| text.parse::<View>().unwrap().cells(8);
            for (part, count) in [("12,41,13,42", 1), ("13,52,14,53", 1)] {
                let clusters = db.list_clusters(OPERATOR, family, &view(part)).await.unwrap();
                let counts: Vec<i64> = clusters.iter().map(|cluster| cluster.assets).collect();
                assert_eq!(counts, [count], "{part}");
            }
            let countries = db.list_countries(OPERATOR, family).await.unwrap();
            assert_eq!((countries.len(), countries[0].assets), (1, 1));
            let unnamed = db.count_unnamed(OPERATOR, family).await.unwrap().unwrap();
            assert_eq!(unnamed.assets, 2);
            db.close().await;
        }
    });
}

#[test]
fn what_an_older_catalogue_has_is_offered_by_name() {
    runtime().block_on(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let names: Vec<String> = migrations().into_iter().map(|(name, _)| name).collect();
            let before = names.iter().position(|name| name == "0020_names").unwrap();
            let literal = |hex: &str| match engine {
                Engine::Sqlite => format!("X'{hex}'"),
                Engine::Postgres => format!("'\\x{hex}'::bytea"),
            };
            let family = literal("00112233445566778899aabbccddeeff");
            let audience = literal("11002233445566778899aabbccddeeff");
            let id = literal("000000000000000000000000000000aa");
            let mut script = older(before, engine);
            script += &format!(
                "INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind, media_type,
                   state, timeline_key, name, added_at_ms, updated_at_ms, version, country, region, place)
                 VALUES ({id}, {family}, {audience}, {id}, 1, 'image', 'image/jpeg', 'present', 1, 'a', 1, 1, 1,
                   'DE', 'Bremen', 'Vegesack');
                 INSERT INTO claim (subject_id, id, subject_kind, subject_part, family_id, kind, value,
                   is_negation, author_kind, source, confidence, made_at_ms)
                 VALUES ({id}, {id}, 'asset', '', {family}, 'tag', '\"Am Meer\"', FALSE, 'operator', '', 0.9, 1);"
            );
            let (_home, location) = place(engine, &script).await;
            let db = Db::open(&location).await.unwrap();
            let family = db.get_or_create_family("Home").await.unwrap().id;
            for (typed, expected) in [("tag:am", "\"Am Meer\""), ("place:ve", "Vegesack"), ("br", "place:Bremen")] {
                let caret = Caret::of(typed, typed.len()).unwrap();
                let found = db.suggest(OPERATOR, family, &caret, Language::English, 5).await.unwrap();
                let texts: Vec<_> = found.iter().map(|it| (it.text.as_str(), it.assets)).collect();
                assert_eq!(texts, [(expected, Some(1))], "{engine:?} {typed}");
            }
            db.close().await;
        }
    });
}

#[test]
fn a_copy_before_migrating_is_whole_replaces_what_a_kill_left_and_goes_with_a_purge() {
    runtime().block_on(async {
        let (home, location) = place(Engine::Sqlite, &older(1, Engine::Sqlite)).await;
        let folder = home.folder.path();
        let copy = folder.join(format!("catalogue.db.after-{}", migrations()[0].0));
        let mut partial = copy.clone().into_os_string();
        partial.push(".partial");
        fs::write(&partial, "what a process wrote that was killed").unwrap();
        fs::write(&copy, "an older copy").unwrap();
        fs::write(folder.join("catalogue.db.mine"), "somebody's own").unwrap();
        let db = Db::open(&location).await.unwrap();
        let names = || files_of(folder).into_iter().map(|(name, _)| name);
        assert!(!names().any(|name| name.ends_with(".partial")));

        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&copy)
            .read_only(true);
        let mut opened = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let ask = async |connection: &mut _, text: &'static str| -> String {
            sqlx::query_scalar(text)
                .fetch_one(connection)
                .await
                .unwrap()
        };
        assert_eq!(ask(&mut opened, "PRAGMA integrity_check").await, "ok");
        assert_eq!(
            ask(&mut opened, "SELECT name FROM family").await,
            "An old family"
        );
        assert_eq!(
            ask(&mut opened, "SELECT group_concat(name) FROM migration").await,
            migrations()[0].0
        );
        opened.close().await.unwrap();

        db.close().await;
        let store = Store::open(home, location).await;
        let id = store.add(file("a.jpg")).await;
        let folder = store.home.folder.path();
        let copies = || {
            let names = files_of(folder).into_iter().map(|(name, _)| name);
            names.filter(|name| name.contains(".after-")).count()
        };
        store.db.purge_asset(OPERATOR, id).await.unwrap_err();
        assert_eq!(copies(), 1, "a purge that is refused changes nothing");
        store
            .db
            .delete_asset(OPERATOR, id, None, true)
            .await
            .unwrap();
        store.db.purge_asset(OPERATOR, id).await.unwrap();
        assert_eq!(copies(), 0);
        assert!(folder.join("catalogue.db.mine").exists());
    });
}

#[test]
fn a_catalogue_whose_path_is_not_utf_8_is_refused_and_nothing_is_made_elsewhere() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    runtime().block_on(async {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(OsStr::from_bytes(b"J\xfcrgen"));
        fs::create_dir(&folder).unwrap();
        let kept = folder.join("catalogue.db");
        run_on_file(&home.path().join("old.db"), &older(1, Engine::Sqlite)).await;
        fs::rename(home.path().join("old.db"), &kept).unwrap();
        let before = fs::read(&kept).unwrap();
        match Db::open(&Location::File(kept.clone())).await {
            Err(DbError::NotUtf8(path)) => assert_eq!(path, kept),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read(&kept).unwrap(), before);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    });
}

#[test]
fn a_new_catalogue_is_made_and_opening_it_again_changes_nothing() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("catalogue.db"));
        for _time in 0..2 {
            let db = Db::open(&location).await.unwrap();
            db.get_or_create_family("Home").await.unwrap();
            db.close().await;
        }
        let files = files_of(folder.path());
        Db::open(&location).await.unwrap().close().await;
        assert_eq!(files_of(folder.path()), files);
        assert_eq!(files.len(), 1, "closed, it is one file");

        let database = postgres::database();
        let location = Location::Url(database.url.clone());
        // Two servers that start at once must not both make the tables.
        let (first, second) = tokio::join!(Db::open(&location), Db::open(&location));
        for db in [first.unwrap(), second.unwrap()] {
            assert_eq!(db.engine(), Engine::Postgres);
            db.close().await;
        }
    });
}

on_both_engines! {
    async fn a_catalogue_from_a_newer_heirloom_is_refused_and_left_alone(store: Store) {
        store.db.close().await;
        store.sql("INSERT INTO migration VALUES ('9999_future', 'x', 1)").await;
        let files = files_of(store.home.folder.path());
        match Db::open(&store.location).await {
            Err(DbError::Newer { migration }) => assert_eq!(migration, "9999_future"),
            other => panic!("{other:?}"),
        }
        assert_eq!(files_of(store.home.folder.path()), files);
    }

    async fn a_migration_that_was_another_is_refused(store: Store) {
        store.db.close().await;
        store.sql("UPDATE migration SET text_hash = 'other' WHERE name = '0002_search'").await;
        match Db::open(&store.location).await {
            Err(DbError::MigrationChanged { migration }) => assert_eq!(migration, "0002_search"),
            other => panic!("{other:?}"),
        }
    }
}

/// A catalogue that was closed, and its path.
async fn closed(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("catalogue.db");
    let db = Db::open(&Location::File(path.clone())).await.unwrap();
    db.get_or_create_family("Home").await.unwrap();
    db.close().await;
    path
}

/// What happened to a file, and how to do it.
type Harm = (&'static str, fn(&mut Vec<u8>));

#[test]
fn a_damaged_catalogue_is_named_and_left_alone() {
    runtime().block_on(async {
        let harm: [Harm; 4] = [
            ("no database", |bytes| {
                *bytes = b"These are not the pages you are looking for.".repeat(200)
            }),
            ("a wrong header", |bytes| bytes[..16].fill(b'x')),
            ("a wrong first page", |bytes| bytes[100..4096].fill(0xff)),
            ("cut off", |bytes| bytes.truncate(5000)),
        ];
        for (what, harm) in harm {
            let folder = tempfile::tempdir().unwrap();
            let path = closed(folder.path()).await;
            let mut bytes = fs::read(&path).unwrap();
            harm(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            match Db::open(&Location::File(path.clone())).await {
                Err(DbError::Damaged {
                    path: named,
                    detail,
                }) => {
                    assert_eq!(named, path, "{what}");
                    assert!(!detail.is_empty());
                }
                other => panic!("{what}: {other:?}"),
            }
            assert_eq!(
                fs::read(&path).unwrap(),
                bytes,
                "{what}: it is left as it is"
            );
        }
    });
}

#[test]
fn what_cannot_be_reached_is_said() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = Location::File(folder.path().join("missing/catalogue.db"));
        let is_folder = Location::File(folder.path().to_owned());
        let no_url = Location::Url("postgres://localhost:1/nothing?connect_timeout=1".to_owned());
        let no_scheme = Location::Url("mysql://localhost/x".to_owned());
        for location in [nowhere, is_folder, no_url, no_scheme] {
            let error = Db::open(&location).await.unwrap_err();
            assert!(
                matches!(error, DbError::Unavailable(_)),
                "{location:?}: {error:?}"
            );
        }
    });
}

#[test]
fn a_catalogue_in_a_read_only_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(closed(folder.path()));
    let files = files_of(folder.path());
    let catalogue = folder.path().join("catalogue.db");
    fs::set_permissions(&catalogue, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let opened = as_nobody(|| {
        runtime().block_on(async {
            let opened = Db::open(&Location::File(catalogue)).await;
            format!("{:?}", opened.map(|_| ()))
        })
    });
    assert!(opened.contains("ReadOnly"), "{opened}");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(files_of(folder.path()), files);
}

#[test]
fn a_catalogue_is_made_only_where_one_is_to_be_made() {
    runtime().block_on(async {
        for url in [None, Some(heirloom_testing::postgres::database())] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("catalogue.db");
            let location = url.as_ref().map_or_else(
                || Location::File(path.clone()),
                |database| Location::Url(database.url.clone()),
            );
            let opened = Db::open_existing(&location).await;
            assert!(matches!(opened, Err(DbError::NoCatalogue)), "{opened:?}");
            assert!(!path.exists());
            if url.is_none() {
                // Killed between the first page and the tables.
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(&path)
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
                let begun = sqlx::SqliteConnection::connect_with(&options).await;
                begun.unwrap().close().await.unwrap();
                let opened = Db::open_existing(&location).await;
                assert!(matches!(opened, Err(DbError::NoCatalogue)), "{opened:?}");
            }
            Db::open(&location).await.unwrap().close().await;
            let opened = Db::open_existing(&location).await;
            opened.unwrap().close().await;
        }
    });
}
