//! Nobody unknown gets anything.

use heirloom_core::Actor;
use heirloom_server::{Door, RemoteLocation, S3Keys, S3Settings, StoreConfig, addresses, router};
use heirloom_testing::s3::{BUCKET, S3Server};

use crate::harness::{Home, ask};

#[tokio::test]
async fn every_address_refuses_a_stranger() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let asset = home.asset("Strand.jpg").await;
    let router = router(home.library.clone(), Door::Known(Actor::Stranger));
    let mut refused = 0;
    for (method, path, is_public) in addresses() {
        // Of something that exists, so that it is not refused for being missing.
        let path = path
            .replace("/assets/{id}", &format!("/assets/{asset}"))
            .replace("{id}", &asset)
            .replace("{claim_id}", &asset);
        let body = serde_json::json!({ "path": "/", "kind": "title", "value": "x", "name": "x" });
        let body = (method != "GET").then_some(&body);
        let answer = ask(&router, &method, &path, &[], body).await;
        if is_public {
            assert!(answer.status < 400, "{method} {path}: {}", answer.text());
        } else if method == "HEAD" {
            assert_eq!(answer.status, 401, "{path}");
            refused += 1;
        } else {
            answer.assert_problem(401, "unknown_actor");
            assert!(!answer.text().contains("Strand"), "{method} {path}");
            refused += 1;
        }
    }
    assert!(refused >= 25, "only {refused} addresses were tried");
}

#[tokio::test]
async fn a_stranger_is_sent_to_no_bucket() {
    let (folder, bucket) = (tempfile::tempdir().unwrap(), S3Server::start());
    let name = format!("s3:{}/{BUCKET}/photos", bucket.endpoint());
    let Some(Ok(RemoteLocation::S3(location))) = RemoteLocation::parse(&name) else {
        panic!("{name}");
    };
    let store = StoreConfig {
        bucket: Some(location),
        s3: S3Settings {
            keys: Some(S3Keys {
                access_key_id: bucket.access_key_id.clone(),
                secret_access_key: bucket.secret_access_key.clone(),
            }),
            ..S3Settings::default()
        },
        is_redirecting: true,
        ..StoreConfig::default()
    };
    let home = Home::with_store(folder, store).await;
    let path = home.vault_original().await;
    let sent = home.get(&path).await;
    assert_eq!(sent.status, 307, "{}", sent.text());
    assert!(sent.header("location").starts_with(&bucket.endpoint()));
    let router = router(home.library.clone(), Door::Known(Actor::Stranger));
    let refused = ask(&router, "GET", &path, &[], None).await;
    refused.assert_problem(401, "unknown_actor");
    assert!(!refused.headers.contains_key("location"));
}

#[tokio::test]
async fn a_request_that_nobody_vouched_for_is_a_strangers() {
    let home = Home::on_sqlite().await;
    let router = router(home.library.clone(), Door::Loopback { port: 8480 });
    let own = [("host", "127.0.0.1:8480")];
    assert_eq!(
        ask(&router, "GET", "/api/v1/assets", &own, None)
            .await
            .status,
        200
    );
    // Without the host there is nobody to vouch for it.
    ask(&router, "GET", "/api/v1/assets", &[], None)
        .await
        .assert_problem(403, "foreign_request");
}
