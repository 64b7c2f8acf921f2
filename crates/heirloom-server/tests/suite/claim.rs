//! Claims over HTTP.

use serde_json::{Value as Json, json};

use crate::harness::{Home, on_both_engines};

fn believed<'a>(asset: &'a Json, kind: &str) -> Vec<&'a Json> {
    let facts = asset["facts"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact["kind"] == kind);
    fact.map_or_else(Vec::new, |fact| {
        let claims = fact["believed"].as_array().unwrap();
        claims.iter().map(|claim| &claim["value"]).collect()
    })
}

#[tokio::test]
async fn what_a_person_says_is_believed_until_it_is_taken_back() {
    on_both_engines(async |home| {
        home.scanned().await;
        let id = home.asset("Strand.jpg").await;
        let path = format!("/api/v1/assets/{id}");
        let claims = format!("{path}/claims");
        let new = json!({ "kind": "date", "value": "1973~", "source": "Oma" });
        let made = home.post(&claims, &new).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        assert_eq!(made["author"], json!({ "kind": "operator" }));
        let asset = home.get(&path).await.json();
        assert_eq!(believed(&asset, "date"), ["1973~"]);
        assert_eq!(asset["date"], "1973~");
        // The camera disagrees, and that is shown.
        let facts = asset["facts"].as_array().unwrap();
        let date = facts.iter().find(|fact| fact["kind"] == "date").unwrap();
        assert_eq!(date["disagreeing"][0]["value"], "1974-07-01T10:00:00");

        let claim = made["id"].as_str().unwrap();
        let undone = home
            .ask("POST", &format!("{claims}/{claim}/undo"), &[], None)
            .await;
        assert!(undone.json()["undone_at_ms"].is_i64());
        assert_eq!(home.get(&path).await.json()["date"], "1974-07-01T10:00:00");
        let redone = home
            .ask("POST", &format!("{claims}/{claim}/redo"), &[], None)
            .await;
        assert_eq!(redone.json()["undone_at_ms"], json!(null));
        assert_eq!(home.get(&path).await.json()["date"], "1973~");
    })
    .await;
}

#[tokio::test]
async fn a_machines_claim_is_denied_and_never_undone() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Strand.jpg").await;
    let path = format!("/api/v1/assets/{id}");
    let asset = home.get(&path).await.json();
    let claims = asset["claims"].as_array().unwrap();
    let make = claims
        .iter()
        .find(|claim| claim["kind"] == "camera_make")
        .unwrap();
    let undo = format!("{path}/claims/{}/undo", make["id"].as_str().unwrap());
    home.ask("POST", &undo, &[], None)
        .await
        .assert_problem(409, "refused");
    let no = json!({ "kind": "camera_make", "value": "Canon", "is_negation": true });
    assert_eq!(home.post(&format!("{path}/claims"), &no).await.status, 201);
    let asset = home.get(&path).await.json();
    assert_eq!(believed(&asset, "camera_make"), Vec::<&Json>::new());
}

#[tokio::test]
async fn the_same_key_makes_the_same_claim_once() {
    on_both_engines(async |home| {
        home.scanned().await;
        let id = home.asset("Strand.jpg").await;
        let path = format!("/api/v1/assets/{id}");
        let claims = format!("{path}/claims");
        let new = json!({ "kind": "tag", "value": "Sylt" });
        let key = [("idempotency-key", "a-key")];
        let first = home.ask("POST", &claims, &key, Some(&new)).await;
        let again = home.ask("POST", &claims, &key, Some(&new)).await;
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(first.json()["id"], again.json()["id"]);
        let asset = home.get(&path).await.json();
        let tags = asset["claims"].as_array().unwrap().iter();
        assert_eq!(tags.filter(|claim| claim["kind"] == "tag").count(), 1);

        let other = json!({ "kind": "tag", "value": "Amrum" });
        home.ask("POST", &claims, &key, Some(&other))
            .await
            .assert_problem(422, "idempotency_key_reused");
        // Many at once, as an impatient client sends them.
        let key = [("idempotency-key", "another")];
        let (a, b, c) = tokio::join!(
            home.ask("POST", &claims, &key, Some(&other)),
            home.ask("POST", &claims, &key, Some(&other)),
            home.ask("POST", &claims, &key, Some(&other)),
        );
        assert_eq!(
            (a.status, b.status, c.status),
            (201, 201, 201),
            "{a:?} {b:?} {c:?}"
        );
        assert_eq!(a.json()["id"], b.json()["id"]);
        assert_eq!(a.json()["id"], c.json()["id"]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_claimed_is_refused_and_changes_nothing() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Strand.jpg").await;
    let path = format!("/api/v1/assets/{id}");
    let claims = format!("{path}/claims");
    let before = home.get(&path).await.json();
    let long = "x".repeat(70_000);
    let cases = [
        (
            json!({ "kind": "date", "value": "yesterday" }),
            422,
            "invalid_claim",
        ),
        (
            json!({ "kind": "rating", "value": 6 }),
            422,
            "invalid_claim",
        ),
        (
            json!({ "kind": "title", "value": " " }),
            422,
            "invalid_claim",
        ),
        (
            json!({ "kind": "title", "value": long }),
            422,
            "invalid_claim",
        ),
        (
            json!({ "kind": "title", "value": "x", "confidence": 2 }),
            422,
            "invalid_claim",
        ),
        (
            json!({ "kind": "smell", "value": "x" }),
            400,
            "invalid_request",
        ),
        (json!({ "kind": "title" }), 400, "invalid_request"),
        (
            json!({ "kind": "title", "value": "x", "colour": 1 }),
            400,
            "invalid_request",
        ),
        (json!([]), 400, "invalid_request"),
        (
            json!({ "kind": "title", "value": "x".repeat(600_000) }),
            413,
            "too_large",
        ),
    ];
    for (new, status, code) in cases {
        home.post(&claims, &new).await.assert_problem(status, code);
    }
    let plain = [("content-type", "text/plain")];
    home.ask("POST", &claims, &plain, None)
        .await
        .assert_problem(415, "unsupported_type");
    home.post(&claims, &json!({ "kind": "title", "value": "x" }))
        .await;
    let key = [("idempotency-key", "")];
    let new = json!({ "kind": "title", "value": "y" });
    home.ask("POST", &claims, &key, Some(&new))
        .await
        .assert_problem(400, "invalid_request");
    let after = home.get(&path).await.json();
    assert_eq!(
        after["claims"].as_array().unwrap().len(),
        before["claims"].as_array().unwrap().len() + 1
    );
}

#[tokio::test]
async fn a_box_of_scans_is_dated_at_once_and_taken_back_at_once() {
    on_both_engines(async |home| {
        home.scanned().await;
        let (a, b) = (
            home.asset("no date.jpg").await,
            home.asset("Oma erzählt.wav").await,
        );
        let new = json!({ "assets": [a, b], "kind": "date", "value": "1953~", "source": "box 7" });
        let key = [("idempotency-key", "a-key")];
        let said = home.ask("POST", "/api/v1/claims", &key, Some(&new)).await;
        assert_eq!(said.status, 201, "{}", said.text());
        let said = said.json();
        assert_eq!(
            (said["asset_count"].as_i64(), said["undone_count"].as_i64()),
            (Some(2), Some(0))
        );
        let again = home
            .ask("POST", "/api/v1/claims", &key, Some(&new))
            .await
            .json();
        assert_eq!(said["id"], again["id"]);
        let date =
            async |id: &str| home.get(&format!("/api/v1/assets/{id}")).await.json()["date"].clone();
        assert_eq!(
            (date(&a).await, date(&b).await),
            (json!("1953~"), json!("1953~"))
        );

        let at = format!("/api/v1/claims/{}", said["id"].as_str().unwrap());
        let undone = home
            .ask("POST", &format!("{at}/undo"), &[], None)
            .await
            .json();
        assert_eq!(undone["undone_count"], 2);
        assert_eq!((date(&a).await, date(&b).await), (Json::Null, Json::Null));
        home.ask("POST", &format!("{at}/redo"), &[], None).await;
        assert_eq!(date(&a).await, "1953~");

        let unknown = "01a1fd5a-0000-7000-8000-000000000000";
        let new = json!({ "assets": [a, unknown], "kind": "tag", "value": "box" });
        let refused = home.post("/api/v1/claims", &new).await;
        let problem = refused.assert_problem(404, "not_found");
        assert!(
            problem["detail"].as_str().unwrap().contains(unknown),
            "{problem}"
        );
        assert_eq!(
            home.get("/api/v1/search?q=tag:box").await.json()["items"],
            json!([])
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_said_is_claimed_of_a_stretch_of_a_recording_alone() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let (picture, tape) = (
        home.asset("Strand.jpg").await,
        home.asset("Oma erzählt.wav").await,
    );
    let length = home.get(&format!("/api/v1/assets/{tape}")).await.json()["duration_ms"].clone();
    let length = length.as_i64().unwrap();
    let at = |start_ms: i64, end_ms: i64| json!({ "start_ms": start_ms, "end_ms": end_ms });
    let said = |kind: &str, at: Json| json!({ "kind": kind, "value": "Guten Tag.", "at": at });
    for (asset, claim, why) in [
        (
            &picture,
            said("said", at(0, 100)),
            "nothing is said in this original",
        ),
        (
            &tape,
            said("said", json!(null)),
            "said is claimed of a stretch",
        ),
        (
            &tape,
            said("speaker", json!(null)),
            "speaker is claimed of a stretch",
        ),
        (
            &tape,
            said("title", at(0, 100)),
            "title is claimed of a whole original",
        ),
        (
            &tape,
            said("said", at(100, 100)),
            "no stretch of a recording",
        ),
        (
            &tape,
            said("said", at(length, length + 1)),
            "the recording is over",
        ),
    ] {
        let refused = home
            .post(&format!("/api/v1/assets/{asset}/claims"), &claim)
            .await;
        let problem = refused.assert_problem(422, "invalid_claim");
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{problem}"
        );
    }
    let many = json!({ "kind": "said", "value": "Guten Tag.", "assets": [tape] });
    home.post("/api/v1/claims", &many)
        .await
        .assert_problem(422, "invalid_claim");

    let claims = format!("/api/v1/assets/{tape}/claims");
    let made = home.post(&claims, &said("said", at(0, 100))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["at"], at(0, 100));
    // It is no fact about the whole.
    let asset = home.get(&format!("/api/v1/assets/{tape}")).await.json();
    assert_eq!(believed(&asset, "said"), Vec::<&Json>::new());
    let kept = asset["claims"].as_array().unwrap().iter();
    assert!(kept.clone().any(|claim| claim["at"] == at(0, 100)));
}

/// The corners of an upright rectangle.
fn corners([left, top, width, height]: [f64; 4]) -> Json {
    let (right, bottom) = (left + width, top + height);
    json!([[left, top], [right, top], [right, bottom], [left, bottom]])
}

#[tokio::test]
async fn what_is_written_is_claimed_of_an_strip_of_a_page_alone() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let (picture, tape) = (
        home.asset("Strand.jpg").await,
        home.asset("Oma erzählt.wav").await,
    );
    let on = |page: u32, corners: Json| json!({ "page": page, "corners": corners });
    let row = corners([0.1, 0.1, 0.8, 0.05]);
    let written = |kind: &str, on: Json| json!({ "kind": kind, "value": "Strand 1921", "on": on });
    let outside = json!([[0.1, 0.1], [1.2, 0.1], [1.2, 0.2], [0.1, 0.2]]);
    let crossed = json!([[0.1, 0.1], [0.5, 0.2], [0.5, 0.1], [0.1, 0.2]]);
    for (asset, claim, why) in [
        (
            &tape,
            written("written", on(1, row.clone())),
            "nothing can be read",
        ),
        (
            &picture,
            written("written", json!(null)),
            "of a strip of a page",
        ),
        (
            &picture,
            written("title", on(1, row.clone())),
            "of a whole original",
        ),
        (
            &picture,
            written("written", on(2, row.clone())),
            "there is no page 2",
        ),
        (
            &picture,
            written("written", on(0, row.clone())),
            "no part of a page",
        ),
        (
            &picture,
            written("written", on(1, outside)),
            "no part of a page",
        ),
        (
            &picture,
            written("written", on(1, crossed)),
            "no part of a page",
        ),
    ] {
        let claims = format!("/api/v1/assets/{asset}/claims");
        let problem = home.post(&claims, &claim).await;
        let problem = problem.assert_problem(422, "invalid_claim");
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{problem}"
        );
        assert!(problem["hint"].is_string(), "{problem}");
    }
    let three = json!([[0.1, 0.1], [0.5, 0.1], [0.5, 0.2]]);
    home.post(
        &format!("/api/v1/assets/{picture}/claims"),
        &written("written", on(1, three)),
    )
    .await
    .assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn what_people_write_down_is_the_reading_where_no_machine_read_it() {
    on_both_engines(async |home| {
        home.scanned().await;
        let id = home.asset("Strand.jpg").await;
        let (reading, claims) = (
            format!("/api/v1/assets/{id}/reading"),
            format!("/api/v1/assets/{id}/claims"),
        );
        home.get(&reading).await.assert_problem(404, "not_found");
        let write = async |top: f64, text: &str| {
            let on = json!({ "page": 1, "corners": corners([0.1, top, 0.5, 0.05]) });
            let new = json!({ "kind": "written", "value": text, "on": on });
            let made = home.post(&claims, &new).await;
            assert_eq!(made.status, 201, "{}", made.text());
            made.json()
        };
        let second = write(0.2, "im Sommer 1921").await;
        assert_eq!(second["on"]["corners"], corners([0.1, 0.2, 0.5, 0.05]));
        write(0.1, "Tante Frieda").await;
        let read = home.get(&reading).await.json();
        assert_eq!(read["text"], "Tante Frieda\nim Sommer 1921\n");
        assert_eq!(
            (&read["method"], &read["artifact_id"], &read["confidence"]),
            (&json!("people"), &Json::Null, &json!(1.0))
        );
        let line = &read["pages"][0]["blocks"][0]["lines"][1];
        assert_eq!(line["correction_id"], second["id"]);
        assert_eq!(line["words"].as_array().unwrap().len(), 3);
        let found = home
            .get("/api/v1/search?q=%22sommer%201921%22")
            .await
            .json();
        assert_eq!(found["items"][0]["id"], json!(id), "{found}");
        let place = &found["items"][0]["matches"][0];
        assert_eq!(
            (&place["field"], &place["page"]),
            (&json!("text"), &Json::Null)
        );

        let undo = format!("{claims}/{}/undo", second["id"].as_str().unwrap());
        home.ask("POST", &undo, &[], None).await;
        assert_eq!(home.get(&reading).await.json()["text"], "Tante Frieda\n");
        // Nothing is written there: an empty text says so.
        write(0.1, "").await;
        home.get(&reading).await.assert_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn what_people_write_down_is_the_transcript_where_no_machine_heard_it() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Oma erzählt.wav").await;
    let transcript = format!("/api/v1/assets/{id}/transcript");
    home.get(&transcript).await.assert_problem(404, "not_found");
    let at = json!({ "start_ms": 0, "end_ms": 400 });
    let said = json!({ "kind": "said", "value": "Es war einmal.", "at": at });
    home.post(&format!("/api/v1/assets/{id}/claims"), &said)
        .await;
    let heard = home.get(&transcript).await.json();
    assert_eq!(heard["passages"][0]["text"], "Es war einmal.");
    assert_eq!(
        (&heard["method"], &heard["artifact_id"]),
        (&json!("people"), &Json::Null)
    );
    let captions = home.get(&format!("/api/v1/assets/{id}/captions")).await;
    assert!(
        captions.text().contains("Es war einmal."),
        "{}",
        captions.text()
    );
    let found = home.get("/api/v1/search?q=einmal").await.json();
    assert_eq!(
        found["items"][0]["matches"][0]["field"], "spoken",
        "{found}"
    );
}
