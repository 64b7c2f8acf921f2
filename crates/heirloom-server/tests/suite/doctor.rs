//! What the doctor says.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use heirloom_core::Actor;
use heirloom_server::{
    Door, IpfsSettings, Library, LibraryConfig, ModelsConfig, StoreConfig, UploadLimits, router,
};
use serde_json::{Value as Json, json};

use crate::harness::{ask, on_both_engines};

#[tokio::test]
async fn what_confinement_lacks_is_said_with_what_to_do_about_it() {
    let folder = tempfile::tempdir().unwrap();
    // The tracer lets the call fail as an old kernel does.
    let without = folder.path().join("old-kernel");
    let script = format!(
        "#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e inject=landlock_create_ruleset:error=ENOSYS '{}' \"$@\"",
        env!("CARGO_BIN_EXE_confined-for-server-tests")
    );
    fs::write(&without, script).unwrap();
    fs::set_permissions(&without, Permissions::from_mode(0o755)).unwrap();
    let cases = [
        (env!("CARGO_BIN_EXE_confined-for-server-tests").into(), true),
        (without, false),
    ];
    for (number, (program, is_well)) in cases.into_iter().enumerate() {
        let config = LibraryConfig {
            folder: folder.path().join(format!("data-{number}")),
            database: None,
            is_creating: true,
            confined_program: Some(program),
            uploads: UploadLimits::default(),
            store: StoreConfig::default(),
            ipfs: IpfsSettings::default(),
            models: ModelsConfig::default(),
        };
        let library = Library::open(&config).await.unwrap();
        let router = router(library.clone(), Door::Known(Actor::Operator));
        let diagnosis = ask(&router, "GET", "/api/v1/doctor", &[], None)
            .await
            .json();
        let checks = diagnosis["checks"].as_array().unwrap();
        let mut named = checks.iter().filter(|check| check["name"] == "confinement");
        let check: &Json = named.next().unwrap();
        assert_eq!(check["is_well"], is_well, "{check}");
        assert_eq!(diagnosis["is_well"], is_well, "{diagnosis}");
        let detail = check["detail"].as_str().unwrap();
        assert_eq!(detail.contains("Landlock"), !is_well, "{check}");
        assert_eq!(check["hint"].is_string(), !is_well, "{check}");
        library.close().await;
    }
}

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

#[tokio::test]
async fn a_data_folder_that_everybody_can_look_into_shows() {
    on_both_engines(async |home| {
        let folder = home.library.folder();
        let rights = async || {
            let diagnosis = home.get("/api/v1/doctor").await.json();
            let checks = diagnosis["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["name"] == "rights");
            (check.unwrap().clone(), diagnosis["is_well"] == true)
        };
        let (check, is_well) = rights().await;
        assert!(is_well, "{check}");
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        let (check, is_well) = rights().await;
        assert!(!is_well, "{check}");
        assert_eq!(check["is_well"], false);
        let hint = check["hint"].as_str().unwrap();
        assert!(
            hint.contains(&format!("chmod 700 {}", folder.display())),
            "{hint}"
        );
        fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
        assert!(rights().await.1);
    })
    .await;
}
