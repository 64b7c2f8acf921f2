//! Exports and imports over HTTP: what is refused, and what failed.

use std::fs;

use heirloom_core::Actor;
use serde_json::json;

use crate::harness::Home;

#[tokio::test]
async fn what_cannot_be_exported_to_or_imported_says_so_in_words_of_its_own() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let at = |name: &str| home.folder.path().join(name);
    fs::write(at("letter.txt"), "x").unwrap();
    fs::create_dir_all(at("full")).unwrap();
    fs::write(at("full/letter.txt"), "x").unwrap();
    for (folder, status, code) in [
        (at("letter.txt"), 422, "not_a_folder"),
        (at("full"), 409, "folder_not_empty"),
        (at("Pictures"), 422, "folder_forbidden"),
    ] {
        let new = json!({ "path": folder });
        let answer = home.post("/api/v1/exports", &new).await;
        answer.assert_problem(status, code);
    }
    for (path, from, code) in [
        (at("nowhere"), json!(null), "nothing_there"),
        (at("nowhere"), json!("export"), "nothing_there"),
        (at("full"), json!("export"), "not_an_export"),
        (at("letter.txt"), json!(null), "invalid_import"),
        (
            home.library.folder().to_owned(),
            json!(null),
            "folder_forbidden",
        ),
    ] {
        let new = json!({ "paths": [path], "from": from });
        let answer = home.post("/api/v1/imports", &new).await;
        let problem = answer.assert_problem(422, code);
        assert!(problem["hint"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn a_run_that_failed_says_why_for_programs_too() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let out = home.folder.path().join("out");
    let run = home.post("/api/v1/exports", &json!({ "path": out })).await;
    let run = home.wait(&run.json()).await;
    assert_eq!(
        (&run["state"], run.get("error_code")),
        (&json!("done"), None)
    );
    // One byte of the manifest is another: it is seen when the bag is read, which is after the import began.
    let manifest = out.join("manifest-sha512.txt");
    let mut bytes = fs::read(&manifest).unwrap();
    bytes[0] ^= 1;
    fs::write(&manifest, bytes).unwrap();
    let run = home
        .post("/api/v1/imports", &json!({ "paths": [out] }))
        .await;
    let run = home.wait(&run.json()).await;
    assert_eq!(
        (&run["state"], &run["error_code"]),
        (&json!("failed"), &json!("not_an_export")),
        "{run}"
    );
}

#[tokio::test]
async fn an_export_that_was_interrupted_says_so_for_programs_too() {
    let home = Home::on_sqlite().await;
    let db = home.db().await;
    let family = home.family().await.id;
    let asked = json!({ "data_folder": home.library.folder() });
    let run = db.begin_run(&Actor::Operator, family, "export", None, &asked);
    let run = run.await.unwrap().id;
    db.close().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let address = "127.0.0.1:0".parse().unwrap();
    let serving = heirloom_server::serve(&home.library, address, 0, &stop, |_| {});
    let waiting = async {
        let run = home.wait(&json!({ "id": run })).await;
        stop.cancel();
        run
    };
    let (served, run) = tokio::join!(serving, waiting);
    served.unwrap();
    assert_eq!(
        (&run["state"], &run["error_code"]),
        (&json!("failed"), &json!("interrupted")),
        "{run}"
    );
}
