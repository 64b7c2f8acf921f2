//! What there is twice, over HTTP.

use std::fs;

use heirloom_testing::media::media;
use serde_json::{Value as Json, json};

use crate::harness::{Home, on_both_engines};

/// A library with one picture in two forms; gives their group.
async fn drawn(home: &Home) -> Json {
    let root = home.folder.path().join("Cats");
    fs::create_dir_all(&root).unwrap();
    for name in ["chelsea.png", "baseline.jpg"] {
        fs::copy(media(&format!("pictures/{name}")), root.join(name)).unwrap();
    }
    home.scan(&root).await;
    let run = home
        .post("/api/v1/runs", &json!({ "pipeline": "prepare" }))
        .await;
    assert_eq!(run.status, 201, "{run:?}");
    home.wait(&run.json()).await;
    let groups = home.get("/api/v1/duplicates").await.json();
    assert_eq!(groups["items"].as_array().unwrap().len(), 1, "{groups}");
    groups["items"][0].clone()
}

#[tokio::test]
async fn a_group_is_listed_decided_and_open_again() {
    on_both_engines(async |home: Home| {
        let group = drawn(&home).await;
        assert_eq!(
            (&group["why"], &group["is_decided"]),
            (&json!("near"), &json!(false))
        );
        let members = group["members"].as_array().unwrap();
        assert!(
            members
                .iter()
                .all(|it| it["sharpness"].as_f64().unwrap() > 0.0),
            "{group}"
        );
        assert!(
            members
                .iter()
                .all(|it| it["asset"]["look"]["renditions"][0] == "grid"),
            "{group}"
        );
        assert!(!group["reasons"].as_array().unwrap().is_empty(), "{group}");
        let path = format!("/api/v1/duplicates/{}", group["id"].as_str().unwrap());
        let kept = home.post(&format!("{path}/keep"), &json!({})).await;
        assert_eq!(kept.status, 201, "{kept:?}");
        let kept = kept.json();
        assert_eq!(
            (&kept["what"], &kept["asset_count"]),
            (&json!("kept"), &json!(1))
        );
        let again = home.post(&format!("{path}/keep"), &json!({})).await;
        again.assert_problem(409, "refused");
        let decided = home.get("/api/v1/duplicates?decided=true").await.json();
        assert_eq!(decided["items"][0]["is_decided"], true);
        assert_eq!(
            home.get("/api/v1/duplicates").await.json()["items"],
            json!([])
        );
        let undo = format!("/api/v1/claims/{}/undo", kept["id"].as_str().unwrap());
        assert_eq!(home.post(&undo, &json!({})).await.status, 200);
        assert_eq!(
            home.get("/api/v1/duplicates").await.json()["items"][0]["id"],
            group["id"]
        );
        let parted = home
            .post(&format!("{path}/part"), &json!({ "asset_ids": [] }))
            .await;
        assert_eq!(parted.json()["what"], "parted");
        assert_eq!(
            home.get("/api/v1/duplicates").await.json()["items"],
            json!([])
        );
        let said = home.get("/api/v1/duplicates/decisions").await.json();
        assert_eq!(said["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let home = Home::on_sqlite().await;
    let group = drawn(&home).await;
    let id = group["id"].as_str().unwrap();
    let other = "01890000-0000-7000-8000-000000000000";
    let cases = [
        (
            format!("/api/v1/duplicates/{other}/keep"),
            json!({}),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/duplicates/{id}/keep"),
            json!({ "asset_id": other }),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/duplicates/{id}/part"),
            json!({ "asset_ids": [other] }),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/duplicates/{id}/part"),
            json!({ "assets": [] }),
            400,
            "invalid_request",
        ),
    ];
    for (path, body, status, code) in cases {
        home.post(&path, &body).await.assert_problem(status, code);
    }
    home.get("/api/v1/duplicates?after=c00")
        .await
        .assert_problem(400, "invalid_cursor");
    home.get("/api/v1/duplicates?why=twins")
        .await
        .assert_problem(400, "invalid_request");
}
