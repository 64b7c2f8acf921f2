//! Runs over HTTP: a scan from its beginning to its end, its cancellation and its continuation.

use std::fs;

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
        let run = begin(&home, &root, &json!({ "report": true })).await;
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
        let serving = heirloom_server::serve(&home.library, address, &stop, |_| {});
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
