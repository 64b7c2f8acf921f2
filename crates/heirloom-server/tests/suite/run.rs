//! Runs over HTTP: a scan from its beginning to its end, its cancellation and its continuation.

use std::fs;

use heirloom_core::Actor;
use heirloom_testing::jpeg::{self, Options};
use serde_json::{Value as Json, json};

use crate::harness::{Home, on_both_engines};

/// Enough to read that a scan is still at it when the next request comes.
fn large(home: &Home) -> std::path::PathBuf {
    let root = home.folder.path().join("large");
    fs::create_dir(&root).unwrap();
    for number in 0..400 {
        let options = Options {
            padding_bytes: 200_000,
            ..Options::varied(number)
        };
        let file = root.join(format!("{number:03}.jpg"));
        fs::write(file, jpeg::tiny(number, &options)).unwrap();
    }
    root
}

async fn begin(home: &Home, root: &std::path::Path, new: &Json) -> Json {
    let archive = home
        .post("/api/v1/archives", &json!({ "path": root }))
        .await
        .json();
    let path = format!("/api/v1/archives/{}/scans", archive["id"].as_str().unwrap());
    let run = home.post(&path, new).await;
    assert_eq!(run.status, 201, "{}", run.text());
    run.json()
}

#[tokio::test]
async fn a_scan_tells_what_it_found() {
    on_both_engines(async |home| {
        let root = home.pictures();
        fs::write(root.join(".DS_Store"), "x").unwrap();
        let run = begin(&home, &root, &json!({ "report": true, "process": false })).await;
        assert_eq!(run["pipeline"], "scan");
        let run = home.wait(&run).await;
        assert_eq!(run["state"], "done");
        let report = &run["report"];
        assert_eq!((&report["new"], &report["files"]), (&json!(4), &json!(5)));
        assert_eq!(report["skipped"].as_object().unwrap().len(), 1, "{report}");
        assert_eq!(run["progress"]["files_done"], run["progress"]["files"]);
        assert_eq!(run["progress"]["is_listed"], true);

        let path = format!("/api/v1/runs/{}/report", run["id"].as_str().unwrap());
        let answer = home.get(&path).await;
        assert_eq!(answer.header("content-type"), "application/jsonl");
        let lines: Vec<Json> = answer
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 5);
        let of = |path: &str| lines.iter().find(|line| line["path"] == path).unwrap();
        assert_eq!(of("Am Meer/Strand.jpg")["outcome"], "new");
        assert!(of("Am Meer/Strand.jpg")["asset"].is_string());
        assert_eq!(of(".DS_Store")["outcome"], "skipped");
        assert!(of(".DS_Store")["reason"].is_string());

        let again = home
            .wait(&begin(&home, &root, &json!({ "verify": true })).await)
            .await;
        assert_eq!(again["report"]["unchanged"], 4);
        assert_eq!(again["parameters"]["verify"], true);
        let page = home.get("/api/v1/runs?limit=1").await.json();
        assert_eq!(page["items"][0]["id"], again["id"]);
        let next = page["next"].as_str().unwrap();
        let page = home
            .get(&format!("/api/v1/runs?limit=1&after={next}"))
            .await
            .json();
        assert_eq!(page["items"][0]["id"], run["id"]);
        assert_eq!(page["next"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn a_scan_that_is_told_to_stop_does_and_keeps_what_it_found() {
    on_both_engines(async |home| {
        let root = large(&home);
        let run = begin(&home, &root, &json!({})).await;
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        let cancelled = home.ask("POST", &format!("{path}/cancel"), &[], None).await;
        assert_eq!(cancelled.status, 202, "{}", cancelled.text());
        let run = home.wait(&run).await;
        assert_eq!(run["state"], "cancelled", "{run}");
        assert!(run["report"].is_object());
        // What has ended cannot be stopped.
        let late = home.ask("POST", &format!("{path}/cancel"), &[], None).await;
        late.assert_problem(409, "refused");
        let done = home.wait(&begin(&home, &root, &json!({})).await).await;
        assert_eq!(done["state"], "done");
        let list = home.get("/api/v1/assets?limit=500").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 400);
    })
    .await;
}

#[tokio::test]
async fn an_archive_is_scanned_once_at_a_time() {
    let home = Home::on_sqlite().await;
    let root = large(&home);
    let run = begin(&home, &root, &json!({})).await;
    let path = format!(
        "/api/v1/archives/{}/scans",
        run["archive_id"].as_str().unwrap()
    );
    home.post(&path, &json!({}))
        .await
        .assert_problem(409, "scan_running");
    home.wait(&run).await;
    assert_eq!(home.post(&path, &json!({})).await.status, 201);
}

#[tokio::test]
async fn a_scan_that_was_interrupted_goes_on_when_the_library_is_served_again() {
    on_both_engines(async |home| {
        let root = large(&home);
        let run = begin(&home, &root, &json!({})).await;
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        // As a server does that is stopped and started again.
        let home = home.reopen().await;
        let state = home.get(&path).await.json()["state"].clone();
        assert_eq!(state, "running", "it has not ended");
        let stop = tokio_util::sync::CancellationToken::new();
        let address = "127.0.0.1:0".parse().unwrap();
        let serving = heirloom_server::serve(&home.library, address, 0, &stop, |_| {});
        let waiting = async {
            let run = home.wait(&run).await;
            stop.cancel();
            run
        };
        let (served, run) = tokio::join!(serving, waiting);
        served.unwrap();
        assert_eq!(run["state"], "done", "{run}");
        let list = home.get("/api/v1/assets?limit=500").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 400);
    })
    .await;
}

#[tokio::test]
async fn a_scan_that_was_interrupted_and_is_asked_otherwise_says_so_for_programs_too() {
    let home = Home::on_sqlite().await;
    let archive = home.scanned().await;
    let (db, family) = (home.db().await, home.family().await.id);
    let id: heirloom_core::ArchiveId = archive["id"].as_str().unwrap().parse().unwrap();
    let asked = json!({ "verify": true, "process": true });
    let left = db.begin_run(&Actor::Operator, family, "scan", Some(id), &asked);
    let left = left.await.unwrap().id;
    db.close().await;
    home.scan(&home.pictures()).await;
    let left = home.get(&format!("/api/v1/runs/{left}")).await.json();
    assert_eq!(
        (&left["state"], &left["error_code"]),
        (&json!("failed"), &json!("interrupted")),
        "{left}"
    );
}

#[tokio::test]
async fn an_empty_folder_is_not_taken_for_a_lost_archive() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    let archive = home.scan(&root).await;
    let moved = home.folder.path().join("moved");
    fs::rename(&root, &moved).unwrap();
    fs::create_dir(&root).unwrap();
    let path = format!("/api/v1/archives/{}/scans", archive["id"].as_str().unwrap());
    let problem = home.post(&path, &json!({})).await;
    assert!(problem.assert_problem(409, "refused")["hint"].is_string());
    assert_eq!(
        home.get("/api/v1/archives").await.json()["items"][0]["files"],
        4
    );
    let run = home
        .post(&path, &json!({ "allow_empty": true }))
        .await
        .json();
    let run = home.wait(&run).await;
    assert_eq!(
        (&run["report"]["gone"], &run["report"]["lost"]),
        (&json!(4), &json!(4))
    );
    fs::remove_dir(&root).unwrap();
    home.post(&path, &json!({}))
        .await
        .assert_problem(422, "invalid_archive");
}

#[tokio::test]
async fn only_the_last_reports_are_kept() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    let mut runs = Vec::new();
    for _ in 0..7 {
        let run = begin(&home, &root, &json!({ "report": true })).await;
        runs.push(home.wait(&run).await["id"].as_str().unwrap().to_owned());
    }
    let mut kept = Vec::new();
    for run in &runs {
        kept.push(home.get(&format!("/api/v1/runs/{run}/report")).await.status);
    }
    assert_eq!(kept, [404, 404, 200, 200, 200, 200, 200]);
}

/// A photograph of which only the beginning is left: what it says of itself, and none of the picture.
fn broken_picture() -> Vec<u8> {
    let mut bytes = jpeg::tiny(9, &Options::varied(9));
    bytes.truncate(bytes.len() - 90);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scan_finds_is_prepared_and_can_be_looked_at() {
    on_both_engines(async |home| {
        let root = home.pictures();
        fs::write(root.join("broken.jpg"), broken_picture()).unwrap();
        let scan = home.wait(&begin(&home, &root, &json!({})).await).await;
        let next = json!({ "id": scan["next_run_id"] });
        let run = home.wait(&next).await;
        assert_eq!(
            (&run["pipeline"], &run["state"]),
            (&json!("prepare"), &json!("done"))
        );
        let step = &run["steps"][0];
        assert_eq!(step["step"], "renditions");
        assert_eq!(
            (&step["done"], &step["failed"]),
            (&json!(3), &json!(1)),
            "{run}"
        );

        let path = format!("/api/v1/runs/{}/units", run["id"].as_str().unwrap());
        let failed = home.get(&format!("{path}?state=failed")).await.json();
        let unit = &failed["items"][0];
        assert_eq!(failed["items"].as_array().unwrap().len(), 1, "{failed}");
        assert_eq!(unit["asset_name"], "broken.jpg");
        assert_eq!(unit["failure_code"], "damaged");
        assert!(
            unit["error"].as_str().unwrap().contains("damaged"),
            "{unit}"
        );
        let same = home
            .get(&format!("/api/v1/units/{}", unit["id"].as_str().unwrap()))
            .await;
        assert_eq!(&same.json(), unit);
        let page = home.get(&format!("{path}?limit=3")).await.json();
        let after = page["next"].as_str().unwrap();
        let rest = home
            .get(&format!("{path}?limit=3&after={after}"))
            .await
            .json();
        assert_eq!(rest["items"].as_array().unwrap().len(), 3);
        assert_eq!(rest["next"], Json::Null);

        let asset = home.asset("Strand.jpg").await;
        let address = format!("/api/v1/assets/{asset}/renditions/grid");
        let grid = home.get(&address).await;
        assert_eq!(grid.header("content-type"), "image/webp");
        let tag = grid.header("etag").to_owned();
        let cached = home
            .ask("GET", &address, &[("if-none-match", &tag)], None)
            .await;
        assert_eq!(cached.status, 304);
        let part = home
            .ask("GET", &address, &[("range", "bytes=0-3")], None)
            .await;
        assert_eq!((part.status, part.text()), (206, "RIFF".to_owned()));
        let missing = home
            .get(&format!("/api/v1/assets/{asset}/renditions/hologram"))
            .await;
        assert_eq!(missing.status, 404);

        let detail = home.get(&format!("/api/v1/assets/{asset}")).await.json();
        let artifacts = detail["artifacts"].as_array().unwrap();
        let look = artifacts
            .iter()
            .find(|made| made["kind"] == "look")
            .unwrap();
        let id = look["id"].as_str().unwrap();
        let content = home.get(&format!("/api/v1/artifacts/{id}/content")).await;
        assert_eq!(content.header("content-type"), "application/json");
        assert_eq!(content.json(), look["payload"]);
        let lineage = home
            .get(&format!("/api/v1/artifacts/{id}/lineage"))
            .await
            .json();
        assert_eq!(lineage["inputs"][0]["source"], "original");
        assert_eq!(
            (&lineage["run_id"], &lineage["is_stale"]),
            (&run["id"], &json!(false))
        );

        // Once more: everything is there already, and what is broken is not tried again.
        let again = home
            .post("/api/v1/runs", &json!({ "pipeline": "prepare" }))
            .await;
        assert_eq!(again.status, 201);
        let again = home.wait(&again.json()).await;
        let step = &again["steps"][0];
        assert_eq!(
            (&step["present"], &step["done"], &step["failed"]),
            (&json!(3), &json!(0), &json!(1))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_is_refused_with_a_reason() {
    on_both_engines(async |home| {
        let root = home.pictures();
        let scan = home
            .wait(&begin(&home, &root, &json!({ "process": false })).await)
            .await;
        assert_eq!(scan["next_run_id"], Json::Null);
        let archive = scan["archive_id"].clone();
        let nobody = "01890000-0000-7000-8000-000000000000";
        let cases = [
            (json!({ "pipeline": "dreams" }), 400, "there is: prepare"),
            (
                json!({ "pipeline": "prepare", "archive_id": nobody }),
                404,
                "archive",
            ),
            (
                json!({ "pipeline": "prepare", "archive_id": archive, "asset_ids": [] }),
                400,
                "not both",
            ),
            (
                json!({ "pipeline": "prepare", "colour": "red" }),
                400,
                "colour",
            ),
            (
                json!({ "pipeline": "prepare", "parameters": { "film": { "length": 3 } } }),
                400,
                "film has no parameter",
            ),
        ];
        for (body, status, words) in cases {
            for path in ["/api/v1/runs", "/api/v1/runs/forecast"] {
                let answer = home.post(path, &body).await;
                assert_eq!(answer.status, status, "{body}: {}", answer.text());
                assert!(answer.text().contains(words), "{body}: {}", answer.text());
            }
        }
        let both = format!(
            "/api/v1/runs/{}/units?state=failed&changed=true",
            scan["id"].as_str().unwrap()
        );
        home.get(&both).await.assert_problem(400, "invalid_request");
        let scan_id = scan["id"].as_str().unwrap();
        for what in ["pause", "resume", "retry", "cancel"] {
            let answer = home
                .post(&format!("/api/v1/runs/{scan_id}/{what}"), &json!({}))
                .await;
            assert_eq!(answer.status, 409, "{what}: {}", answer.text());
        }
        let none = home
            .post(
                "/api/v1/runs",
                &json!({ "pipeline": "prepare", "asset_ids": [] }),
            )
            .await;
        let none = home.wait(&none.json()).await;
        assert_eq!(
            (&none["state"], &none["assets"]),
            (&json!("done"), &json!(0))
        );
        let id = none["id"].as_str().unwrap();
        for what in ["pause", "resume", "cancel"] {
            let answer = home
                .post(&format!("/api/v1/runs/{id}/{what}"), &json!({}))
                .await;
            assert_eq!(answer.status, 409, "{what}: {}", answer.text());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_hears_how_a_run_goes_and_what_was_missed() {
    on_both_engines(async |home| {
        let mut events = home.listen("/api/v1/events", None).await;
        let root = home.pictures();
        let scan = begin(&home, &root, &json!({})).await;
        let ended = events
            .wait_for(|run| run["id"] == scan["id"] && run["state"] == "done")
            .await;
        let next = ended.data["next_run_id"].clone();
        events
            .wait_for(|run| run["id"] == next && run["state"] == "done")
            .await;
        drop(events);
        // Who was away since before that hears of it first, also if the clock was set back meanwhile.
        let id: i64 = ended.id.parse().unwrap();
        for last in [id, id + 3_600_000] {
            let mut back = home.listen("/api/v1/events", Some(&last.to_string())).await;
            let mut heard = last;
            for event in [
                back.wait_for(|run| run["id"] == scan["id"]).await,
                back.wait_for(|run| run["id"] == next && run["state"] == "done")
                    .await,
            ] {
                let id = event.id.parse().unwrap();
                assert!(id > heard, "{id} comes after {heard}");
                heard = id;
            }
        }
    })
    .await;
}
