//! Models over HTTP.

use std::{fs, time::Duration};

use heirloom_core::{Actor, audience::Sight, role::Role};
use heirloom_server::{Door, router};
use heirloom_testing::files::{FileServer, Manners};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Home, ask};

const MODELS: &str = "/api/v1/models";
const PULLS: &str = "/api/v1/models/pulls";
const CANCEL: &str = "/api/v1/models/pulls/cancel";

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

async fn model(home: &Home, id: &str) -> Json {
    let models = home.get(MODELS).await.json();
    let mut items = models["items"].as_array().unwrap().iter();
    items.find(|model| model["id"] == id).unwrap().clone()
}

/// Waits until a model is in a state.
async fn until(home: &Home, id: &str, state: &str) -> Json {
    for _ in 0..6_000 {
        let model = model(home, id).await;
        if model["state"] == state {
            return model;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id} did not come to be {state}: {}", model(home, id).await);
}

fn new_model(id: &str, url: &str, bytes: &[u8]) -> Json {
    let file = json!({ "source": url, "sha256": sha256(bytes) });
    json!({ "id": id, "ability": "language", "files": [file] })
}

#[tokio::test]
async fn a_guest_may_not_see_nor_change_models() {
    let home = Home::on_sqlite().await;
    let member = Actor::Member {
        account_id: uuid::Uuid::now_v7().into(),
        family_id: home.family().await.id,
        role: Role::Owner,
        sight: Sight::Audiences(Vec::new()),
    };
    let router = router(home.library.clone(), Door::Known(member));
    let new =
        json!({ "id": "mine", "ability": "language", "files": [{ "source": "/etc/hostname" }] });
    let all = json!({ "all": true });
    for (method, path, body) in [
        ("GET", MODELS, None),
        ("POST", MODELS, Some(&new)),
        ("POST", PULLS, Some(&all)),
        ("POST", CANCEL, None),
        ("POST", "/api/v1/models/whisper-base/check", None),
        ("DELETE", "/api/v1/models/whisper-base", None),
    ] {
        let answer = ask(&router, method, path, &[], body).await;
        answer.assert_problem(403, "denied");
    }
    assert!(!home.library.folder().join("models").exists());
}

#[tokio::test]
async fn a_pull_goes_on_in_the_background_is_seen_and_stopped() {
    let home = Home::on_sqlite().await;
    let (bytes, server) = (vec![7; 500_000], FileServer::start());
    server.put("/model.bin", &bytes, Manners::Stalls(200_000));
    let new = new_model("mine", &server.url("/model.bin"), &bytes);
    let begun = home.post(MODELS, &new).await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    until(&home, "mine", "pulling").await;
    // Nobody takes it away under the hands of who fetches it.
    let busy = home.ask("DELETE", "/api/v1/models/mine", &[], None).await;
    busy.assert_problem(503, "busy");
    let again = home.post(PULLS, &json!({ "ids": ["mine"] })).await;
    assert_eq!(again.status, 201, "it is under way and not begun twice");
    let part = home
        .library
        .folder()
        .join("models/.parts/mine/model.bin.source.0.partial");
    while fs::metadata(&part).map_or(0, |found| found.len()) < 200_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = home.post(CANCEL, &json!({})).await;
    assert_eq!(stopped.status, 200, "{}", stopped.text());
    let model = until(&home, "mine", "missing").await;
    assert_eq!(model["problem"], Json::Null, "who stops it knows why");

    server.put("/model.bin", &bytes, Manners::Good);
    home.post(PULLS, &json!({ "ids": ["mine"] })).await;
    until(&home, "mine", "here").await;
    let from: Vec<_> = server.asked().iter().map(|(_, from)| *from).collect();
    assert_eq!(from, [0, 200_000]);
    let nothing = home.post(CANCEL, &json!({})).await;
    nothing.assert_problem(409, "refused");
}

#[tokio::test]
async fn what_does_not_come_says_why_and_the_next_comes() {
    let home = Home::on_sqlite().await;
    let (bytes, server) = (b"weights".to_vec(), FileServer::start());
    server.put("/good", &bytes, Manners::Good);
    server.put("/wrong", b"<html>", Manners::Good);
    for (id, path) in [("gone", "/gone"), ("wrong", "/wrong"), ("good", "/good")] {
        let new = new_model(id, &server.url(path), &bytes);
        assert_eq!(home.post(MODELS, &new).await.status, 201);
    }
    until(&home, "good", "here").await;
    let gone = model(&home, "gone").await;
    assert!(gone["problem"].as_str().unwrap().contains("404"), "{gone}");
    assert!(gone["hint"].is_string(), "{gone}");
    let wrong = model(&home, "wrong").await;
    assert!(
        wrong["problem"]
            .as_str()
            .unwrap()
            .contains(&sha256(b"<html>")),
        "{wrong}"
    );
    let unknown = home
        .post(PULLS, &json!({ "ids": ["good", "nobody"] }))
        .await;
    unknown.assert_problem(404, "not_found");
    let nothing = home.post(PULLS, &json!({})).await;
    nothing.assert_problem(400, "invalid_request");
    let diagnosis = home.get("/api/v1/doctor").await.json();
    assert_eq!(
        diagnosis["is_well"], true,
        "a model that is missing is no fault"
    );
}

#[tokio::test]
async fn a_restart_finds_what_is_here() {
    let home = Home::on_sqlite().await;
    let server = FileServer::start();
    server.put("/good", b"weights", Manners::Good);
    let new = new_model("mine", &server.url("/good"), b"weights");
    home.post(MODELS, &new).await;
    until(&home, "mine", "here").await;
    let home = home.reopen().await;
    assert_eq!(model(&home, "mine").await["state"], "here");
    let removed = home.ask("DELETE", "/api/v1/models/mine", &[], None).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert!(!home.library.folder().join("models/mine").exists());
}
