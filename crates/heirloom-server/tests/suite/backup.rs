//! Backups over HTTP, and those that the server makes by itself.

use std::{sync::Arc, time::Duration};

use heirloom_core::Actor;
use heirloom_db::clock;
use heirloom_pipeline::backup::{At, BackupKey, RepositoryLocation, Target, restore};
use heirloom_server::{
    Door, IpfsSettings, Library, LibraryConfig, ModelsConfig, StoreConfig, UploadLimits, router,
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Home, ask};

const DAY_MS: i64 = 24 * 3_600_000;

impl Home {
    fn repository(&self) -> String {
        let path = self.folder.path().join("disk/repository");
        path.to_str().unwrap().to_owned()
    }

    /// Waits for what was begun; gives how it ended.
    async fn ended(&self, begun: &Json) -> Json {
        let path = format!("/api/v1/backups/{}", begun["id"].as_str().unwrap());
        loop {
            let now = self.get(&path).await.json();
            if now["state"] != "running" {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn do_backup(&self, kind: &str) -> Json {
        let new = json!({ "kind": kind, "repository": self.repository() });
        let begun = self.post("/api/v1/backups", &new).await.json();
        self.ended(&begun).await
    }

    /// Lets the server begin what is due, and waits until nothing is under way any more.
    async fn pass_a_minute(&self) {
        self.library.keep_backup_schedule().await;
        while self.library.is_backing_up() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn kinds(&self) -> Vec<String> {
        let list = self.get("/api/v1/backups").await.json();
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|it| it["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn standing(&self) -> Json {
        self.get("/api/v1/backup-schedule").await.json()
    }
}

#[tokio::test]
async fn who_listens_hears_what_is_done_with_a_repository() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let mut events = home.listen("/api/v1/events", None).await;
    for kind in ["backup", "check"] {
        let ended = home.do_backup(kind).await;
        let heard = events
            .wait_for(|data| data["id"] == ended["id"] && data["state"] == "done")
            .await;
        assert_eq!(heard.data, ended);
        // Who was away since before that hears of it.
        let mut back = home.listen("/api/v1/events", Some(&heard.id)).await;
        back.wait_for(|data| *data == ended).await;
    }
}

#[tokio::test]
async fn what_is_done_with_a_repository_is_told_and_kept() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    for kind in ["backup", "check", "prune", "proof"] {
        let ended = home.do_backup(kind).await;
        assert_eq!(ended["state"], "done", "{ended}");
        assert!(ended["ended_at_ms"].is_i64(), "{ended}");
    }
    assert_eq!(home.kinds().await, ["proof", "prune", "check", "backup"]);
    let proof = home.get("/api/v1/backups").await.json()["items"][0].clone();
    assert!(
        proof["outcome"]["compared"].as_u64().unwrap() > 0,
        "{proof}"
    );
    assert!(!home.library.folder().join("proof").exists());
    // What has ended cannot be stopped.
    let path = format!("/api/v1/backups/{}/cancel", proof["id"].as_str().unwrap());
    home.post(&path, &json!({}))
        .await
        .assert_problem(409, "refused");
    for (new, status, code) in [
        (
            json!({ "kind": "backup", "repository": "relative" }),
            422,
            "not_absolute",
        ),
        (
            json!({ "kind": "capture", "repository": "/tmp/x" }),
            409,
            "refused",
        ),
        (
            json!({ "kind": "backup", "repository": "/tmp/x", "key_file": "/no/such/key" }),
            409,
            "no_key",
        ),
        (
            json!({ "kind": "nothing", "repository": "/tmp/x" }),
            400,
            "invalid_request",
        ),
    ] {
        home.post("/api/v1/backups", &new)
            .await
            .assert_problem(status, code);
    }
}

#[tokio::test]
async fn a_damaged_repository_fails_its_proof() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    home.do_backup("backup").await;
    let packs = std::path::Path::new(&home.repository()).join("data");
    for folder in std::fs::read_dir(packs).unwrap() {
        for pack in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = pack.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
    }
    let ended = home.do_backup("proof").await;
    assert_eq!(ended["state"], "failed", "{ended}");
    assert!(
        ended["error"].as_str().unwrap().contains("damaged"),
        "{ended}"
    );
}

#[tokio::test]
async fn the_server_does_what_is_due_and_captures_what_changed() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    home.pass_a_minute().await;
    assert_eq!(home.kinds().await, [""; 0], "nothing is asked for");
    let schedule = json!({ "repository": home.repository() });
    let answer = home
        .ask("PUT", "/api/v1/backup-schedule", &[], Some(&schedule))
        .await
        .json();
    assert_eq!(
        (&answer["is_new_key"], &answer["alarms"]),
        (&json!(true), &json!([])),
        "{answer}"
    );
    for _ in 0..5 {
        home.pass_a_minute().await;
    }
    // Each once; what follows are captures, of which no account is kept.
    assert_eq!(home.kinds().await, ["proof", "prune", "backup"]);
    let standing = home.standing().await;
    assert!(standing["last_backup_at_ms"].is_i64() && standing["last_proof_at_ms"].is_i64());
    assert_eq!(standing["alarms"], json!([]), "{standing}");
    let check = home.do_backup("check").await;
    assert_eq!(
        check["outcome"]["snapshots"], 2,
        "one backup and one capture: {check}"
    );

    home.ask("DELETE", "/api/v1/backup-schedule", &[], None)
        .await
        .json();
    assert_eq!(home.standing().await["schedule"], Json::Null);
}

#[tokio::test]
async fn a_clock_that_was_ahead_makes_each_due_once_and_no_alarm() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let schedule = json!({ "repository": home.repository() });
    home.ask("PUT", "/api/v1/backup-schedule", &[], Some(&schedule))
        .await
        .json();
    for _ in 0..4 {
        home.pass_a_minute().await;
    }
    let db = home.db().await;
    let year_ms = 365 * DAY_MS;
    db.set_backups_started_at(clock::now_ms() + 9 * year_ms)
        .await
        .unwrap();
    for _ in 0..6 {
        home.pass_a_minute().await;
    }
    let each = ["proof", "prune", "backup"];
    assert_eq!(home.kinds().await, [each, each].concat());
    let standing = home.standing().await;
    assert_eq!(standing["alarms"], json!([]), "{standing}");
    let last = standing["last_backup_at_ms"].as_i64().unwrap();
    assert!(last < clock::now_ms() + DAY_MS, "{standing}");
}

#[tokio::test]
async fn what_fails_or_is_overdue_raises_an_alarm() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let schedule = json!({ "repository": home.repository() });
    home.ask("PUT", "/api/v1/backup-schedule", &[], Some(&schedule))
        .await
        .json();
    let doctor = home.get("/api/v1/doctor").await.json();
    assert_eq!(doctor["is_well"], true, "{doctor}");
    let mut events = home.listen("/api/v1/events", None).await;
    // It was set long ago, and nothing came of it.
    let (db, family) = (home.db().await, home.family().await.id);
    let mut stored = db.find_backup_schedule(family).await.unwrap().unwrap();
    stored.set_at_ms = clock::now_ms() - 30 * DAY_MS;
    db.set_backup_schedule(&heirloom_core::Actor::Operator, family, Some(&stored))
        .await
        .unwrap();
    let alarms = home.standing().await["alarms"].clone();
    assert_eq!(
        alarms,
        json!([
            { "kind": "backup", "cause": "overdue", "words": "the backup is overdue" },
            {
                "kind": "proof", "cause": "overdue",
                "words": "the proof that it can be restored is overdue"
            },
        ])
    );
    events.wait_for(|data| data["alarms"] == alarms).await;
    let doctor = home.get("/api/v1/doctor").await.json();
    assert_eq!(doctor["is_well"], false, "{doctor}");
    // What fails says why, and is not tried again at once.
    std::fs::create_dir_all(home.repository()).unwrap();
    std::fs::write(
        std::path::Path::new(&home.repository()).join("letter.txt"),
        "x",
    )
    .unwrap();
    for _ in 0..3 {
        home.pass_a_minute().await;
    }
    assert_eq!(home.kinds().await, ["backup"]);
    let alarms = home.standing().await["alarms"].clone();
    assert_eq!(alarms[0]["code"], "not_a_repository", "{alarms}");
    let last = home.get("/api/v1/backups").await.json()["items"][0].clone();
    assert_eq!(last["error_code"], "not_a_repository", "{last}");
    let alarms = alarms.to_string();
    assert!(
        alarms.contains("the last backup failed") && alarms.contains("other files are in it"),
        "{alarms}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_in_postgres_is_proved_and_comes_back_without_a_server() {
    let home = Home::on_postgres().await;
    home.scanned().await;
    let asset = home.asset("Strand.jpg").await;
    let before = home.db().await.change_mark().await;
    for value in [
        "back\\slash \"quoted\"",
        "two\nlines\tand 🏖️ \\n",
        "Am Meer",
    ] {
        let claim = json!({ "kind": "title", "value": value });
        let path = format!("/api/v1/assets/{asset}/claims");
        assert_eq!(home.post(&path, &claim).await.status, 201);
    }
    let album = json!({ "name": "Sommer", "assets": [asset] });
    assert_eq!(home.post("/api/v1/collections", &album).await.status, 201);
    // Changes are seen, if a moment later.
    while home.db().await.change_mark().await == before {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    for kind in ["backup", "proof"] {
        let ended = home.do_backup(kind).await;
        assert_eq!(ended["state"], "done", "{ended}");
        assert_eq!(ended["outcome"]["lacking"], 0, "{ended}");
    }
    let target = Target {
        location: RepositoryLocation::Folder(home.repository().into()),
        key: BackupKey::load(&home.library.folder().join("backup.key")).unwrap(),
    };
    let folder = home.folder.path().join("restored");
    let (progress, cancel) = (Arc::default(), CancellationToken::new());
    restore(&target, &At::Latest, &folder, None, &progress, &cancel)
        .await
        .unwrap();
    let config = LibraryConfig {
        folder,
        database: None,
        is_creating: false,
        confined_program: None,
        uploads: UploadLimits::default(),
        store: StoreConfig::default(),
        ipfs: IpfsSettings::default(),
        models: ModelsConfig::default(),
    };
    let library = Library::open(&config).await.unwrap();
    let router = router(library.clone(), Door::Known(Actor::Operator));
    for path in [
        "/api/v1/assets",
        &format!("/api/v1/assets/{asset}"),
        "/api/v1/collections",
        "/api/v1/timeline",
        "/api/v1/search?q=meer",
        "/api/v1/search?q=type:image",
        "/api/v1/places",
        "/api/v1/runs",
    ] {
        let (was, is) = (
            home.get(path).await,
            ask(&router, "GET", path, &[], None).await,
        );
        assert_eq!((was.status, is.status), (200, 200), "{path}");
        assert_eq!(was.json(), is.json(), "{path}");
    }
    let original = format!("/api/v1/assets/{asset}/original");
    let is = ask(&router, "GET", &original, &[], None).await;
    assert!(is.body == home.get(&original).await.body);
    let fsck = json!({ "originals": true });
    let report = ask(&router, "POST", "/api/v1/fsck", &[], Some(&fsck)).await;
    assert_eq!(report.json()["faults"], 0, "{}", report.text());
    // What is counted is counted on.
    let hide = format!("/api/v1/assets/{asset}");
    for router in [&router, &home.router] {
        assert_eq!(ask(router, "DELETE", &hide, &[], None).await.status, 200);
    }
    let timeline = ask(&router, "GET", "/api/v1/timeline", &[], None).await;
    assert_eq!(timeline.json(), home.get("/api/v1/timeline").await.json());
    library.close().await;
}
