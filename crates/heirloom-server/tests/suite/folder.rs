//! The folders of the machine over HTTP.

use std::{fs, os::unix::fs::symlink};

use heirloom_core::{Actor, audience::Sight, role::Role};
use heirloom_server::{Door, router};
use serde_json::{Value as Json, json};

use crate::harness::{Home, ask};

fn names(folders: &Json) -> Vec<&str> {
    let folders = folders["folders"].as_array().unwrap();
    folders
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn folders_are_listed_by_name_without_files_and_what_is_hidden() {
    let home = Home::on_sqlite().await;
    let root = home.folder.path().canonicalize().unwrap();
    for name in ["Zoo", "ärzte", "Alben/1974", ".cache", "lost+found"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    fs::write(root.join("letter.txt"), "x").unwrap();
    symlink(root.join("Alben/1974"), root.join("Neunzehnhundert")).unwrap();
    let path = format!("/api/v1/folders?path={}", root.display());
    let folders = home.get(&path).await.json();
    // Heirloom's own folder lies beside them.
    assert_eq!(
        names(&folders),
        ["Alben", "ärzte", "Neunzehnhundert", "Zoo"],
        "{folders}"
    );
    assert_eq!(folders["parent"], json!(root.parent().unwrap()));
    let path = format!(
        "/api/v1/folders?path={}",
        folders["folders"][0]["path"].as_str().unwrap()
    );
    assert_eq!(names(&home.get(&path).await.json()), ["1974"]);
    let top = home.get("/api/v1/folders").await.json();
    assert_eq!((&top["path"], &top["parent"]), (&json!("/"), &Json::Null));
    assert!(
        !names(&top).contains(&"proc") && names(&top).contains(&"tmp"),
        "{top}"
    );
}

#[tokio::test]
async fn what_cannot_be_looked_into_says_why() {
    let home = Home::on_sqlite().await;
    let root = home.folder.path();
    fs::write(root.join("letter.txt"), "x").unwrap();
    for (path, status, code) in [
        (root.join("nowhere"), 422, "nothing_there"),
        (root.join("letter.txt"), 422, "not_a_folder"),
        (home.library.folder().to_owned(), 422, "folder_forbidden"),
        ("/proc/1".into(), 422, "folder_forbidden"),
        ("Pictures".into(), 422, "not_absolute"),
    ] {
        let path = format!("/api/v1/folders?path={}", path.display());
        home.get(&path).await.assert_problem(status, code);
    }
}

#[tokio::test]
async fn nobody_but_the_operator_sees_folders() {
    let home = Home::on_sqlite().await;
    let member = Actor::Member {
        account_id: uuid::Uuid::now_v7().into(),
        family_id: home.family().await.id,
        role: Role::Member,
        sight: Sight::Audiences(Vec::new()),
    };
    for (actor, status, code) in [
        (member, 403, "denied"),
        (Actor::Stranger, 401, "unknown_actor"),
    ] {
        let router = router(home.library.clone(), Door::Known(actor));
        let answer = ask(&router, "GET", "/api/v1/folders?path=/", &[], None).await;
        answer.assert_problem(status, code);
    }
}
