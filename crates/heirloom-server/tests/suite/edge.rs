//! What every answer has, and what comes in from elsewhere.

use heirloom_server::{Door, Router, router};

use crate::harness::{Answer, Home, ask};

fn loopback(home: &Home) -> Router {
    router(home.library.clone(), Door::Loopback { port: 8480 })
}

#[tokio::test]
async fn every_answer_has_the_requests_id_and_the_headers_that_protect() {
    let home = Home::on_sqlite().await;
    for path in [
        "/",
        "/api/v1/assets",
        "/style.css",
        "/nothing",
        "/healthz",
        "/metrics",
    ] {
        let answer = home.get(path).await;
        assert!(answer.header("x-request-id").len() > 20, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{path}"
        );
        assert!(!answer.header("cache-control").is_empty(), "{path}");
    }
    let given = [("x-request-id", "abc-123")];
    let answer = home.ask("GET", "/api/v1/assets/x", &given, None).await;
    assert_eq!(
        answer.assert_problem(404, "not_found")["request_id"],
        "abc-123"
    );
    for wrong in ["a b", "ä", "", &"x".repeat(65)] {
        let Ok(value) = axum::http::HeaderValue::from_bytes(wrong.as_bytes()) else {
            continue;
        };
        let mut req = axum::http::Request::new(heirloom_server::Body::empty());
        req.headers_mut().insert("x-request-id", value);
        let res = tower::ServiceExt::oneshot(home.router.clone(), req)
            .await
            .unwrap();
        assert_ne!(res.headers()["x-request-id"].as_bytes(), wrong.as_bytes());
    }
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_a_document_when_something_fails() {
    let home = Home::on_sqlite().await;
    let browser = [("accept", "text/html"), ("accept-language", "de")];
    let page = home
        .ask("GET", "/plain/assets/nothing", &browser, None)
        .await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("lang=\"de\""), "{}", page.text());
    assert!(page.text().contains(page.header("x-request-id")));
    home.get("/plain/assets/nothing")
        .await
        .assert_problem(404, "not_found");
    let api = home
        .ask("GET", "/api/v1/assets/nothing", &browser, None)
        .await;
    api.assert_problem(404, "not_found");
}

#[tokio::test]
async fn another_web_site_cannot_use_the_operators_browser() {
    let home = Home::on_sqlite().await;
    let router = loopback(&home);
    let post = async |headers: &[(&str, &str)]| -> Answer {
        let new = serde_json::json!({ "quick": true });
        ask(&router, "POST", "/api/v1/fsck", headers, Some(&new)).await
    };
    let own = ("host", "localhost:8480");
    assert_eq!(post(&[own]).await.status, 200);
    let same = [
        own,
        ("origin", "http://localhost:8480"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(post(&same).await.status, 200);
    for foreign in [
        &[own, ("origin", "https://evil.example")][..],
        &[own, ("sec-fetch-site", "cross-site")],
        &[own, ("origin", "null")],
        // A name that somebody else points to this machine.
        &[("host", "evil.example:8480")],
        &[("host", "localhost:80")],
        &[],
    ] {
        let answer = post(foreign).await;
        answer.assert_problem(403, "foreign_request");
    }
    // Not even to look: the name is not ours.
    let rebound = [("host", "evil.example:8480")];
    for path in ["/", "/api/v1/assets", "/metrics"] {
        let answer = ask(&router, "GET", path, &rebound, None).await;
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[tokio::test]
async fn the_figures_count_requests_by_route_and_files_by_outcome() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Strand.jpg").await;
    for _ in 0..3 {
        home.get(&format!("/api/v1/assets/{id}")).await;
    }
    home.get("/nothing").await;
    let text = home.get("/metrics").await.text();
    let has = |line: &str| assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    has(r#"http_requests_total{method="GET",route="/api/v1/assets/{id}",status="200"} 3"#);
    has(r#"http_requests_total{method="GET",route="unmatched",status="404"} 1"#);
    has(r#"http_request_duration_seconds_count{method="GET",route="/api/v1/assets/{id}"} 3"#);
    has(r#"scan_files_total{outcome="new"} 4"#);
    has("scans_running 0");
    assert!(text.contains("process_resident_memory_bytes "));
    assert!(!text.contains(&id), "ids multiply figures");
}

#[tokio::test]
async fn it_says_that_it_lives_and_whether_it_is_ready() {
    let home = Home::on_sqlite().await;
    assert_eq!(home.get("/healthz").await.text(), r#"{"status":"ok"}"#);
    assert_eq!(home.get("/readyz").await.status, 200);
    home.library.close().await;
    assert_eq!(home.get("/healthz").await.status, 200);
    assert_eq!(home.get("/readyz").await.status, 503);
}
