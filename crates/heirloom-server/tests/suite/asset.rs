//! Assets over HTTP.

use std::fs;

use heirloom_testing::TreeSnapshot;
use serde_json::json;

use crate::harness::{Home, on_both_engines};

#[tokio::test]
async fn a_list_is_newest_first_and_undated_last_page_by_page() {
    on_both_engines(async |home| {
        home.scanned().await;
        let mut names = Vec::new();
        let mut path = "/api/v1/assets?limit=1".to_owned();
        loop {
            let page = home.get(&path).await.json();
            let items = page["items"].as_array().unwrap();
            names.extend(
                items
                    .iter()
                    .map(|item| item["name"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next"].as_str() else {
                break;
            };
            assert_eq!(items.len(), 1);
            path = format!("/api/v1/assets?limit=1&after={next}");
        }
        assert_eq!(names[..2], ["Düne.jpg", "Strand.jpg"]);
        names[2..].sort();
        assert_eq!(names[2..], ["Oma erzählt.wav", "no date.jpg"]);
    })
    .await;
}

#[tokio::test]
async fn an_asset_is_shown_with_its_facts_their_source_and_its_places() {
    on_both_engines(async |home| {
        let archive = home.scanned().await;
        let id = home.asset("Strand.jpg").await;
        let answer = home.get(&format!("/api/v1/assets/{id}")).await;
        assert_eq!(answer.status, 200);
        let asset = answer.json();
        assert_eq!(answer.header("etag"), format!("\"{}\"", asset["version"]));
        assert_eq!(asset["kind"], "image");
        assert_eq!(asset["media_type"], "image/jpeg");
        assert_eq!(asset["date"], "1974-07-01T10:00:00");
        assert_eq!(asset["state"], "present");
        let facts = asset["facts"].as_array().unwrap();
        let date = facts.iter().find(|fact| fact["kind"] == "date").unwrap();
        assert_eq!(date["cardinality"], "contested");
        assert_eq!(date["believed"][0]["source"], "exif:DateTimeOriginal");
        assert_eq!(date["believed"][0]["author"]["kind"], "artifact");
        assert_eq!(asset["locations"][0]["path"], "Am Meer/Strand.jpg");
        assert_eq!(asset["locations"][0]["archive_id"], archive["id"]);
        assert_eq!(asset["locations"][0]["is_there"], true);
        assert!(!asset["artifacts"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_deleted_asset_is_hidden_until_it_is_restored() {
    on_both_engines(async |home| {
        home.scanned().await;
        let id = home.asset("Strand.jpg").await;
        let path = format!("/api/v1/assets/{id}");
        let deleted = home.ask("DELETE", &path, &[], None).await;
        assert_eq!(deleted.status, 200);
        assert!(deleted.json()["deleted_at_ms"].is_i64());
        let list = home.get("/api/v1/assets").await.text();
        assert!(!list.contains("Strand.jpg"), "{list}");
        let found = home.get("/api/v1/search?q=strand").await.json();
        assert_eq!(found["items"], json!([]));
        let found = home.get("/api/v1/search?q=is:deleted").await.json();
        assert_eq!(found["items"][0]["id"], id.as_str());

        let restored = home
            .ask("POST", &format!("{path}/restore"), &[], None)
            .await;
        assert_eq!(restored.json()["deleted_at_ms"], json!(null));
        home.asset("Strand.jpg").await;
    })
    .await;
}

#[tokio::test]
async fn who_has_an_old_version_changes_nothing() {
    on_both_engines(async |home| {
        home.scanned().await;
        let id = home.asset("Strand.jpg").await;
        let path = format!("/api/v1/assets/{id}");
        let tag = home.get(&path).await.header("etag").to_owned();
        let current = [("if-match", tag.as_str())];
        let deleted = home.ask("DELETE", &path, &current, None).await;
        assert_eq!(deleted.status, 200, "{}", deleted.text());
        let new_tag = deleted.header("etag").to_owned();
        assert_ne!(new_tag, tag);

        let restore = format!("{path}/restore");
        let late = home.ask("POST", &restore, &current, None).await;
        let problem = late.assert_problem(412, "version_conflict");
        assert_eq!(format!("\"{}\"", problem["current_version"]), new_tag);
        assert!(home.get(&path).await.json()["deleted_at_ms"].is_i64());

        for wrong in ["7", "\"x\"", "W/\"1\"", ""] {
            home.ask("DELETE", &path, &[("if-match", wrong)], None)
                .await
                .assert_problem(400, "invalid_request");
        }
        let any = home.ask("POST", &restore, &[("if-match", "*")], None).await;
        assert_eq!(any.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_purge_takes_everything_but_the_original() {
    on_both_engines(async |home| {
        let root = home.pictures();
        let before = TreeSnapshot::of(&root);
        let archive = home.scan(&root).await;
        let id = home.asset("Strand.jpg").await;
        let path = format!("/api/v1/assets/{id}");
        let purge = format!("{path}/purge");
        home.ask("POST", &purge, &[], None)
            .await
            .assert_problem(409, "refused");
        // A report names what is to be forgotten.
        let scans = format!("/api/v1/archives/{}/scans", archive["id"].as_str().unwrap());
        let run = home.post(&scans, &json!({ "report": true })).await.json();
        home.wait(&run).await;
        let report = format!("/api/v1/runs/{}/report", run["id"].as_str().unwrap());
        assert!(home.get(&report).await.text().contains("Strand.jpg"));

        home.ask("DELETE", &path, &[], None).await;
        let purged = home.ask("POST", &purge, &[], None).await;
        assert_eq!(purged.json(), json!({ "asset_id": id, "blobs": 0 }));
        home.get(&path).await.assert_problem(404, "not_found");
        home.get(&report).await.assert_problem(404, "not_found");
        let found = home.get("/api/v1/search?q=is:deleted").await.json();
        assert_eq!(found["items"], json!([]));
        home.scan(&root).await;
        assert!(!home.get("/api/v1/assets").await.text().contains("Strand"));
        before.assert_same(&TreeSnapshot::of(&root));
    })
    .await;
}

#[tokio::test]
async fn a_moved_file_is_the_same_asset_with_its_history() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    home.scan(&root).await;
    let id = home.asset("Strand.jpg").await;
    fs::rename(root.join("Am Meer/Strand.jpg"), root.join("Sylt.jpg")).unwrap();
    home.scan(&root).await;
    assert_eq!(home.asset("Sylt.jpg").await, id);
    let asset = home.get(&format!("/api/v1/assets/{id}")).await.json();
    let places: Vec<_> = asset["locations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| (place["path"].as_str().unwrap(), place["is_there"] == true))
        .collect();
    assert_eq!(places, [("Am Meer/Strand.jpg", false), ("Sylt.jpg", true)]);
    assert_eq!(asset["place"]["path"], "Sylt.jpg");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_plain_words() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let unknown = "/api/v1/assets/01a1fd5a-0000-7000-8000-000000000000";
    let cases = [
        ("GET", "/api/v1/assets?limit=0", 400, "invalid_request"),
        ("GET", "/api/v1/assets?limit=501", 400, "invalid_request"),
        ("GET", "/api/v1/assets?limit=-1", 400, "invalid_request"),
        ("GET", "/api/v1/assets?limit=x", 400, "invalid_request"),
        ("GET", "/api/v1/assets?after=x", 400, "invalid_cursor"),
        ("GET", "/api/v1/assets?after=c00", 400, "invalid_cursor"),
        ("GET", "/api/v1/assets/strand", 404, "not_found"),
        ("GET", "/api/v1/assets/%ff", 404, "not_found"),
        ("GET", unknown, 404, "not_found"),
        ("DELETE", unknown, 404, "not_found"),
        ("PUT", unknown, 405, "method_not_allowed"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1", 404, "not_found"),
    ];
    for (method, path, status, code) in cases {
        let answer = home.ask(method, path, &[], None).await;
        answer.assert_problem(status, code);
        if status == 405 {
            assert_eq!(answer.header("allow"), "GET,HEAD,DELETE");
        }
    }
}
