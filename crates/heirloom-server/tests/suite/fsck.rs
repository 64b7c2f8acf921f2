//! Checks over HTTP.

use std::fs;

use heirloom_testing::TreeSnapshot;
use serde_json::json;

use crate::harness::{Home, on_both_engines};

#[tokio::test]
async fn a_sound_library_has_no_faults_and_its_originals_are_not_touched() {
    on_both_engines(async |home| {
        let root = home.pictures();
        let before = TreeSnapshot::of(&root);
        home.scan(&root).await;
        let new = json!({ "originals": true });
        let report = home.post("/api/v1/fsck", &new).await.json();
        assert_eq!(report["is_sound"], true, "{report}");
        assert_eq!(report["items"], json!([]));
        assert!(report["original_bytes"].as_u64().unwrap() > 500, "{report}");
        before.assert_same(&TreeSnapshot::of(&root));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_and_set_aside_when_asked() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let stray = home.library.folder().join("blobs/ab/not-a-blob");
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, "stray").unwrap();
    let report = home
        .post("/api/v1/fsck", &json!({ "quick": true }))
        .await
        .json();
    assert_eq!(
        (&report["is_sound"], &report["faults"]),
        (&json!(false), &json!(1))
    );
    let fault = &report["items"][0];
    assert_eq!(fault["part"], "blobs");
    assert!(
        fault["subject"].as_str().unwrap().ends_with("not-a-blob"),
        "{fault}"
    );
    assert!(stray.exists());

    let report = home
        .post("/api/v1/fsck", &json!({ "repair": true }))
        .await
        .json();
    assert_eq!(
        (&report["is_sound"], &report["mended"]),
        (&json!(true), &json!(1))
    );
    assert!(!stray.exists());
    let report = home.post("/api/v1/fsck", &json!({})).await.json();
    assert_eq!(report["faults"], 0);
}
