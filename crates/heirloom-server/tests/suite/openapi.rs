//! The description of the API is committed, and changes only on purpose.

use std::fs;

use heirloom_testing::media::repository;
use serde_json::{Value as Json, json};

use crate::harness::{Answer, Home};

#[test]
fn the_description_in_the_documents_is_that_of_the_code() {
    let file = repository().join("docs/openapi.json");
    let text = heirloom_server::openapi().to_pretty_json().unwrap() + "\n";
    let committed = fs::read_to_string(&file).unwrap_or_default();
    if committed != text {
        fs::write(&file, text).unwrap();
        panic!(
            "docs/openapi.json was not up to date and has been written anew: look at the \
             difference, make sure that it only adds, and commit it"
        );
    }
}

#[test]
fn every_operation_says_what_it_is_and_how_it_refuses() {
    let openapi = serde_json::to_value(heirloom_server::openapi()).unwrap();
    let mut operations = 0;
    for (path, item) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let name = format!("{method} {path}");
            assert!(
                operation["summary"].as_str().is_some_and(|s| s.len() > 5),
                "{name}"
            );
            assert_eq!(
                operation["tags"].as_array().map(Vec::len),
                Some(1),
                "{name}"
            );
            assert!(operation["responses"].get("4XX").is_some(), "{name}");
        }
    }
    assert!(operations >= 20, "{operations}");
}

#[tokio::test]
async fn the_server_describes_itself_as_the_documents_do() {
    let home = Home::on_sqlite().await;
    let served = home.get("/api/v1/openapi.json").await.json();
    assert_eq!(
        served,
        serde_json::to_value(heirloom_server::openapi()).unwrap()
    );
}

/// The description, against which answers are held.
struct Description(Json);

impl Description {
    fn new() -> Self {
        Self(serde_json::to_value(heirloom_server::openapi()).unwrap())
    }

    /// That an answer is one of those that are described, in its status, its type and its shape.
    #[track_caller]
    fn assert_describes(&self, method: &str, template: &str, answer: &Answer) {
        let name = format!("{method} {template}: {} {}", answer.status, answer.text());
        let operation = &self.0["paths"][template][method.to_lowercase()];
        let responses = operation["responses"].as_object().expect(&name);
        let range = format!("{}XX", answer.status / 100);
        let response = responses
            .get(&answer.status.to_string())
            .or(responses.get(&range));
        let response = response.unwrap_or_else(|| panic!("its status is not described: {name}"));
        let kind = answer.header("content-type").split(';').next().unwrap();
        let content = &response["content"];
        let content = content.get(kind).unwrap_or(&content["*/*"]);
        assert!(
            content.is_object(),
            "its type {kind} is not described: {name}"
        );
        if !kind.ends_with("json") {
            return;
        }
        let schema = json!({
            "allOf": [content["schema"]],
            "components": self.0["components"],
        });
        let validator = jsonschema::draft202012::new(&schema).expect(&name);
        let faults: Vec<String> = validator
            .iter_errors(&answer.json())
            .map(|error| format!("{} {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:#?} in {name}");
    }
}

#[tokio::test]
async fn what_is_answered_is_what_is_described() {
    let home = Home::on_sqlite().await;
    let archive = home.scanned().await["id"].as_str().unwrap().to_owned();
    let (beach, undated) = (
        home.asset("Strand.jpg").await,
        home.asset("no date.jpg").await,
    );
    let runs = home.get("/api/v1/runs").await.json();
    let run = runs["items"][0]["id"].as_str().unwrap().to_owned();
    let none = "01a1fd5a-0000-7000-8000-000000000000";
    let title = json!({ "kind": "title", "value": "Am Strand" });
    let claims = "/api/v1/assets/{id}/claims";
    let made = home
        .post(&format!("/api/v1/assets/{beach}/claims"), &title)
        .await;
    let claim = made.json()["id"].as_str().unwrap().to_owned();
    let album = json!({ "name": "Am Meer", "assets": [&beach] });
    let album = home.post("/api/v1/collections", &album).await.json();
    let album = album["id"].as_str().unwrap().to_owned();
    let both = json!({ "assets": [&beach, &undated], "kind": "tag", "value": "box" });
    let batch = home.post("/api/v1/claims", &both).await.json();
    let batch = batch["id"].as_str().unwrap().to_owned();
    let (one, unknown) = (json!({ "assets": [&undated] }), json!({ "assets": [none] }));
    let nothing = || Some(json!({}));
    // Method, path of the description, what stands for `{id}`, parameters, body, status.
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str, Option<Json>, u16);
    #[rustfmt::skip]
    let cases: Vec<Case<'_>> = vec![
        ("GET", "/api/v1/archives", "", "", None, 200),
        ("GET", "/api/v1/archives", "", "?all", None, 400),
        ("POST", "/api/v1/archives", "", "", Some(json!({ "path": home.folder.path().join("Pictures") })), 200),
        ("POST", "/api/v1/archives", "", "", Some(json!({ "path": "/does/not/exist" })), 422),
        ("POST", "/api/v1/archives", "", "", Some(json!({ "folder": "/" })), 400),
        ("GET", "/api/v1/archives/{id}", &archive, "", None, 200),
        ("GET", "/api/v1/archives/{id}", none, "", None, 404),
        ("PATCH", "/api/v1/archives/{id}", &archive, "", Some(json!({ "name": "Photos" })), 200),
        ("PATCH", "/api/v1/archives/{id}", &archive, "", Some(json!({ "name": "" })), 422),
        ("POST", "/api/v1/archives/{id}/scans", &archive, "", nothing(), 201),
        ("POST", "/api/v1/archives/{id}/scans", none, "", nothing(), 404),
        ("GET", "/api/v1/assets", "", "?limit=2", None, 200),
        ("GET", "/api/v1/assets", "", "?limit=0", None, 400),
        ("GET", "/api/v1/assets", "", "?after=zz", None, 400),
        ("GET", "/api/v1/assets/{id}", &beach, "", None, 200),
        ("GET", "/api/v1/assets/{id}", &undated, "", None, 200),
        ("GET", "/api/v1/assets/{id}", "x", "", None, 404),
        ("GET", "/api/v1/assets/{id}/original", &beach, "", None, 200),
        ("GET", "/api/v1/assets/{id}/original", none, "", None, 404),
        ("POST", claims, &beach, "", Some(title.clone()), 201),
        ("POST", claims, &beach, "", Some(json!({ "kind": "date", "value": "soon" })), 422),
        ("POST", claims, &beach, "", Some(json!([])), 400),
        ("POST", "/api/v1/assets/{id}/claims/{claim_id}/undo", &beach, "", None, 200),
        ("POST", "/api/v1/assets/{id}/claims/{claim_id}/redo", &beach, "", None, 200),
        ("POST", "/api/v1/assets/{id}/claims/{claim_id}/redo", &undated, "", None, 404),
        ("POST", "/api/v1/claims", "", "", Some(both.clone()), 201),
        ("POST", "/api/v1/claims", "", "", Some(json!({ "assets": [none], "kind": "tag", "value": "x" })), 404),
        ("POST", "/api/v1/claims", "", "", Some(json!({ "assets": [], "kind": "tag", "value": "x" })), 400),
        ("POST", "/api/v1/claims", "", "", Some(json!({ "assets": [&beach], "kind": "date", "value": "soon" })), 422),
        ("POST", "/api/v1/claims/{id}/undo", &batch, "", None, 200),
        ("POST", "/api/v1/claims/{id}/redo", &batch, "", None, 200),
        ("POST", "/api/v1/claims/{id}/redo", none, "", None, 404),
        ("GET", "/api/v1/collections", "", "?limit=1", None, 200),
        ("GET", "/api/v1/collections", "", "?deleted=true", None, 200),
        ("GET", "/api/v1/collections", "", "?after=zz", None, 400),
        ("POST", "/api/v1/collections", "", "", Some(json!({ "name": "Beaches", "query": "strand" })), 201),
        ("POST", "/api/v1/collections", "", "", Some(json!({ "name": "Beaches" })), 409),
        ("POST", "/api/v1/collections", "", "", Some(json!({ "name": " " })), 422),
        ("POST", "/api/v1/collections", "", "", Some(json!({ "name": "x", "query": "kammera:x" })), 400),
        ("POST", "/api/v1/collections", "", "", Some(json!({ "name": "x", "query": "in:nowhere" })), 404),
        ("GET", "/api/v1/assets/{id}/collections", &beach, "", None, 200),
        ("GET", "/api/v1/assets/{id}/collections", none, "", None, 404),
        ("GET", "/api/v1/collections/{id}", &album, "", None, 200),
        ("GET", "/api/v1/collections/{id}", none, "", None, 404),
        ("PATCH", "/api/v1/collections/{id}", &album, "", Some(json!({ "name": "Meer" })), 200),
        ("PATCH", "/api/v1/collections/{id}", &album, "", Some(json!({ "name": "two\nlines" })), 422),
        ("PATCH", "/api/v1/collections/{id}", &album, "", Some(json!({ "query": "strand" })), 409),
        ("GET", "/api/v1/collections/{id}/assets", &album, "?limit=1", None, 200),
        ("GET", "/api/v1/collections/{id}/assets", none, "", None, 404),
        ("POST", "/api/v1/collections/{id}/assets", &album, "", Some(one.clone()), 200),
        ("POST", "/api/v1/collections/{id}/assets", &album, "", Some(unknown.clone()), 404),
        ("POST", "/api/v1/collections/{id}/assets/move", &album, "", Some(json!({ "asset_id": &undated, "before_asset_id": &beach })), 200),
        ("POST", "/api/v1/collections/{id}/assets/move", &album, "", Some(json!({ "asset_id": none })), 404),
        ("POST", "/api/v1/collections/{id}/assets/remove", &album, "", Some(one.clone()), 200),
        ("POST", "/api/v1/collections/{id}/assets/remove", &album, "", Some(unknown), 200),
        ("POST", "/api/v1/collections/{id}/freeze", &album, "", None, 200),
        ("POST", "/api/v1/collections/{id}/freeze", &album, "", None, 409),
        ("POST", "/api/v1/collections/{id}/assets", &album, "", Some(one.clone()), 409),
        ("POST", "/api/v1/collections/{id}/assets/remove", &album, "", Some(one), 409),
        ("DELETE", "/api/v1/collections/{id}", &album, "", None, 200),
        ("POST", "/api/v1/collections/{id}/restore", &album, "", None, 200),
        ("DELETE", "/api/v1/assets/{id}", &undated, "", None, 200),
        ("DELETE", "/api/v1/assets/{id}", none, "", None, 404),
        ("POST", "/api/v1/assets/{id}/restore", &undated, "", None, 200),
        ("POST", "/api/v1/assets/{id}/purge", &undated, "", None, 409),
        ("DELETE", "/api/v1/assets/{id}", &undated, "", None, 200),
        ("POST", "/api/v1/assets/{id}/purge", &undated, "", None, 200),
        ("GET", "/api/v1/doctor", "", "", None, 200),
        ("POST", "/api/v1/fsck", "", "", Some(json!({ "quick": "yes" })), 400),
        ("GET", "/api/v1/runs", "", "?limit=1", None, 200),
        ("GET", "/api/v1/runs/{id}", &run, "", None, 200),
        ("POST", "/api/v1/runs/{id}/cancel", &run, "", None, 409),
        ("GET", "/api/v1/runs/{id}/report", &run, "", None, 404),
        ("GET", "/api/v1/search", "", "?q=strand", None, 200),
        ("GET", "/api/v1/search", "", "?q=a%20!!!&limit=1", None, 200),
        ("GET", "/api/v1/search", "", "?q=kammera:x", None, 400),
        ("GET", "/api/v1/search", "", "?q=archive:nowhere", None, 404),
        ("GET", "/api/v1/search/suggestions", "", "?q=stra&at=2&limit=3&language=de", None, 200),
        ("GET", "/api/v1/search/suggestions", "", "?q=camera:", None, 200),
        ("GET", "/api/v1/search/suggestions", "", "?at=9", None, 400),
    ];
    let description = Description::new();
    for (method, template, id, parameters, body, status) in cases {
        let path = template.replace("{id}", id).replace("{claim_id}", &claim) + parameters;
        let answer = home.ask(method, &path, &[], body.as_ref()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        description.assert_describes(method, template, &answer);
    }
    let changed = [("if-match", "\"1000\"")];
    let path = format!("/api/v1/assets/{beach}");
    let answer = home.ask("DELETE", &path, &changed, None).await;
    assert_eq!(answer.status, 412);
    description.assert_describes("DELETE", "/api/v1/assets/{id}", &answer);
}

#[test]
fn every_code_of_a_problem_is_described_as_it_is_written() {
    let described = &Description::new().0["components"]["schemas"]["Code"]["enum"];
    let written = heirloom_server::Code::ALL.map(|code| serde_json::to_value(code).unwrap());
    assert_eq!(*described, json!(written.to_vec()));
}
