//! The web app's files, as far as that does not depend on whether the app was built. The tests in a
//! browser (`web/tests/browser`) look at the rest.

use crate::harness::Home;

#[tokio::test]
async fn every_page_of_the_app_answers_with_a_strict_policy() {
    let home = Home::on_sqlite().await;
    for path in [
        "/",
        "/assets/anything",
        "/assets/anything/reading?page=2",
        "/search?q=x",
        "/runs",
        "/runs/anything",
        "/archives",
        "/backups",
        "/transfers",
        "/models",
        "/add",
        "/settings",
        "/help",
        "/offline",
    ] {
        let answer = home.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"));
        let policy = answer.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn nothing_but_the_app_is_given_for_its_files() {
    let home = Home::on_sqlite().await;
    for path in [
        "/_app/nothing.js",
        "/_app/",
        "/_app/../../Cargo.toml",
        "/_app/%2e%2e/%2e%2e/%2e%2e/Cargo.toml",
        "/_app/..%2f..%2f..%2fCargo.toml",
        "/_app//etc/passwd",
    ] {
        home.get(path).await.assert_problem(404, "not_found");
    }
}
