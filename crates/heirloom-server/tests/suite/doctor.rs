//! What the doctor says.

use std::fs;

use serde_json::json;

use crate::harness::on_both_engines;

#[tokio::test]
async fn a_healthy_library_is_well_and_a_lost_disk_shows() {
    on_both_engines(async |home| {
        let root = home.pictures();
        home.scan(&root).await;
        let diagnosis = home.get("/api/v1/doctor").await.json();
        assert_eq!(diagnosis["is_well"], true, "{diagnosis}");
        assert_eq!(diagnosis["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(diagnosis["data_folder"], json!(home.library.folder()));
        assert_eq!(diagnosis["counts"]["assets"], 4);
        assert_eq!(diagnosis["counts"]["archives"], 1);
        assert!(diagnosis["free_bytes"].as_u64().unwrap() > 0);
        assert!(diagnosis["resident_bytes"].as_i64().unwrap() > 1_000_000);

        let elsewhere = home.folder.path().join("unplugged");
        fs::rename(&root, &elsewhere).unwrap();
        let diagnosis = home.get("/api/v1/doctor").await.json();
        assert_eq!(diagnosis["is_well"], false);
        let checks = diagnosis["checks"].as_array().unwrap();
        let lost = checks
            .iter()
            .find(|check| check["name"] == "archive Pictures")
            .unwrap();
        assert_eq!(lost["is_well"], false);
        assert!(lost["hint"].is_string(), "{lost}");

        // An empty folder is what a disk that is not mounted looks like.
        fs::create_dir(&root).unwrap();
        let diagnosis = home.get("/api/v1/doctor").await.json();
        assert_eq!(diagnosis["is_well"], false, "{diagnosis}");
    })
    .await;
}
