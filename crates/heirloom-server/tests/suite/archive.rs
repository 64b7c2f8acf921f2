//! Archives over HTTP.

use std::{fs, os::unix::ffi::OsStrExt as _, path::Path};

use serde_json::json;

use crate::harness::{Home, on_both_engines};

#[tokio::test]
async fn a_folder_becomes_an_archive_once() {
    on_both_engines(async |home| {
        let root = home.pictures();
        let first = home
            .post("/api/v1/archives", &json!({ "path": root }))
            .await;
        assert_eq!(first.status, 201, "{}", first.text());
        let first = first.json();
        assert_eq!(first["name"], "Pictures");
        // By another way to the same folder.
        let again = json!({ "path": root.join("../Pictures/."), "name": "Unsere Bilder" });
        let again = home.post("/api/v1/archives", &again).await;
        assert_eq!(again.status, 200);
        assert_eq!(again.json()["id"], first["id"]);
        assert_eq!(again.json()["name"], "Unsere Bilder");
        let list = home.get("/api/v1/archives").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["next"], json!(null));

        let path = format!("/api/v1/archives/{}", first["id"].as_str().unwrap());
        let renamed = home
            .ask("PATCH", &path, &[], Some(&json!({ "name": "Bilder" })))
            .await;
        assert_eq!(renamed.json()["name"], "Bilder");
        assert_eq!(home.get(&path).await.json(), renamed.json());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_an_archive_is_refused_and_nothing_is_made() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    home.scan(&root).await;
    let data = home.library.folder().to_owned();
    let file = root.join("no date.jpg");
    let cases: [(&Path, &str); 8] = [
        (&home.folder.path().join("nowhere"), "there is no folder"),
        (&file, "is a file"),
        (&data, "data folder"),
        (&data.join("blobs"), "data folder"),
        (home.folder.path(), "data folder"),
        (&root.join("Am Meer"), "is inside the archive"),
        (Path::new("Pictures"), "no absolute path"),
        (Path::new("/\\x0"), "no absolute path"),
    ];
    for (path, words) in cases {
        let answer = home
            .post("/api/v1/archives", &json!({ "path": path }))
            .await;
        let code = match words {
            "no absolute path" => "not_absolute",
            _ => "invalid_archive",
        };
        let problem = answer.assert_problem(422, code);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
        assert!(
            problem["hint"].as_str().is_some_and(|hint| hint.len() > 10),
            "{problem}"
        );
    }
    for name in ["", "  ", "a\nb", &"x".repeat(201)] {
        let new = json!({ "path": root, "name": name });
        home.post("/api/v1/archives", &new)
            .await
            .assert_problem(422, "invalid_archive");
    }
    let list = home.get("/api/v1/archives").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["name"], "Pictures");
}

#[tokio::test]
async fn two_archives_cannot_have_one_name() {
    let home = Home::on_sqlite().await;
    let (a, b) = (home.folder.path().join("a"), home.folder.path().join("b"));
    fs::create_dir(&a).unwrap();
    fs::create_dir(&b).unwrap();
    let make = async |path: &Path, name: &str| {
        home.post("/api/v1/archives", &json!({ "path": path, "name": name }))
            .await
    };
    assert_eq!(make(&a, "Bilder").await.status, 201);
    make(&b, "Bilder").await.assert_problem(409, "refused");
    let list = home.get("/api/v1/archives").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_folder_whose_name_is_no_text_can_be_an_archive() {
    let home = Home::on_sqlite().await;
    let name = std::ffi::OsStr::from_bytes(b"M\xfcller");
    let root = home.folder.path().join(name);
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a.txt"), "Guten Tag").unwrap();
    let path = format!("{}/M\\xfcller", home.folder.path().display());
    let made = home
        .post("/api/v1/archives", &json!({ "path": path }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let archive = made.json();
    assert_eq!(archive["path"], path);
    let scans = format!("/api/v1/archives/{}/scans", archive["id"].as_str().unwrap());
    let run = home.post(&scans, &json!({})).await.json();
    assert_eq!(home.wait(&run).await["report"]["new"], 1);
}
