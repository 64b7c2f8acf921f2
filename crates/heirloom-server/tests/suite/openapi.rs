//! The description of the API is committed, and changes only on purpose.

use std::fs;

use heirloom_testing::media::repository;

use crate::harness::Home;

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
