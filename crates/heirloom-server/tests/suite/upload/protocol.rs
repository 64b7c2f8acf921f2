//! tus 1.0, as clients speak it: what is taken, and the table of all that a client may do wrong.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use heirloom_server::{Body, UploadLimits};
use serde_json::json;

use super::{STREAM, TUS, UPLOADS, hash, limited, metadata, photo};
use crate::harness::{Home, on_both_engines, send};

#[tokio::test]
async fn the_server_says_what_it_can() {
    let home = Home::on_sqlite().await;
    let said = send(&home.router, "OPTIONS", UPLOADS, &[], Body::empty()).await;
    assert_eq!((said.status, said.header("tus-version")), (204, "1.0.0"));
    assert_eq!(
        said.header("tus-extension"),
        "creation,creation-with-upload,expiration,checksum,termination"
    );
    assert_eq!(said.header("tus-checksum-algorithm"), "sha1,sha256,blake3");
    assert_eq!(said.header("tus-max-size"), "1000000000000");
}

#[tokio::test]
async fn a_small_file_comes_along_with_its_announcement() {
    let home = Home::on_sqlite().await;
    let bytes = photo(3);
    let length = bytes.len().to_string();
    let entries = metadata(&[("filename", "Brief.jpg"), ("process", "false")]);
    let headers = [
        TUS,
        STREAM,
        ("upload-length", &*length),
        ("content-length", &*length),
        ("upload-metadata", &*entries),
        ("idempotency-key", "once"),
    ];
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let body = Body::from(bytes.clone());
        let made = send(&home.router, "POST", UPLOADS, &headers, body).await;
        assert_eq!((made.status, made.header("upload-offset")), (201, &*length));
        assert!(!made.header("asset-id").is_empty());
        addresses.push(made.header("location").to_owned());
    }
    assert_eq!(addresses[0], addresses[1], "asked twice, it is made once");
    let runs = home.get("/api/v1/runs").await.json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    assert_eq!(runs["items"][0]["parameters"], json!({ "process": false }));
    // The same key for something else.
    let other = [TUS, ("upload-length", "7"), ("idempotency-key", "once")];
    send(&home.router, "POST", UPLOADS, &other, Body::empty())
        .await
        .assert_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_part_with_its_checksum_is_taken() {
    let home = Home::on_sqlite().await;
    let bytes = photo(5);
    let address = home.announce(bytes.len(), &[]).await;
    use sha1::Digest as _;
    let third = bytes.len() / 3;
    let parts = [
        &bytes[..third],
        &bytes[third..2 * third],
        &bytes[2 * third..],
    ];
    let sums = [
        format!(
            "sha1 {}",
            BASE64_STANDARD.encode(sha1::Sha1::digest(parts[0]))
        ),
        format!(
            "sha256 {}",
            BASE64_STANDARD.encode(sha2::Sha256::digest(parts[1]))
        ),
        format!(
            "blake3 {}",
            BASE64_STANDARD.encode(blake3::hash(parts[2]).as_bytes())
        ),
    ];
    let mut offset = 0;
    for (part, sum) in parts.into_iter().zip(&sums) {
        let text = offset.to_string();
        // By clients that cannot send PATCH.
        let headers = [
            TUS,
            STREAM,
            ("upload-offset", &*text),
            ("upload-checksum", sum),
            ("x-http-method-override", "PATCH"),
        ];
        let body = Body::from(part.to_vec());
        let sent = send(&home.router, "POST", &address, &headers, body).await;
        assert_eq!(sent.status, 204, "{sum}: {}", sent.text());
        offset += part.len();
    }
    let upload = home.get(&address).await.json();
    assert_eq!(upload["outcome"], "added");
    assert_eq!(upload["name"], "unnamed");
}

#[tokio::test]
async fn other_bytes_than_promised_are_not_kept() {
    on_both_engines(async |home| {
        let (promised, other) = (photo(6), photo(7));
        let address = home
            .announce(other.len(), &[("blake3", &*hash(&promised))])
            .await;
        home.part(&address, 0, &other)
            .await
            .assert_problem(422, "content_mismatch");
        let upload = home.get(&address).await.json();
        assert_eq!(upload["state"], "refused");
        assert_eq!(upload["problem"]["code"], "content_mismatch", "{upload}");
        assert_eq!(home.head(&address).await.status, 422);
        assert!(home.parts().is_empty());
        assert!(!home.blob(&hash(&other)).exists());
        assert_eq!(
            home.known(&[hash(&promised), hash(&other)]).await,
            json!([])
        );
        let list = home.get("/api/v1/assets").await.json();
        assert_eq!(list["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn what_the_protocol_forbids_is_refused_and_changes_nothing() {
    let home = Home::on_sqlite().await;
    let bytes = photo(4);
    let length = bytes.len().to_string();
    let address = home.announce(bytes.len(), &[("filename", "x.jpg")]).await;
    assert_eq!(home.part(&address, 0, &bytes[..100]).await.status, 204);
    let none = format!("{UPLOADS}/01a1fd5a-0000-7000-8000-000000000000");
    let too_long = vec![0; bytes.len()];
    let bad_name = metadata(&[("filename", "..")]);
    let bad_hash = metadata(&[("blake3", "xyz")]);
    let twice = "filename YQ==,filename YQ==";
    let sha1 = format!("sha1 {}", BASE64_STANDARD.encode([7; 20]));
    let blake3 = format!("blake3 {}", BASE64_STANDARD.encode([7; 32]));
    // Method, path, headers, bytes, status, code.
    type Case<'a> = (
        &'a str,
        &'a str,
        Vec<(&'a str, &'a str)>,
        &'a [u8],
        u16,
        &'a str,
    );
    #[rustfmt::skip]
    let cases: Vec<Case<'_>> = vec![
        ("POST", UPLOADS, vec![("upload-length", "5")], b"", 412, "tus_version"),
        ("POST", UPLOADS, vec![("tus-resumable", "0.2.2"), ("upload-length", "5")], b"", 412, "tus_version"),
        ("POST", UPLOADS, vec![TUS], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "-1")], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "+1")], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "18446744073709551615")], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-defer-length", "1")], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "5"), ("upload-concat", "partial")], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "0")], b"", 422, "invalid_upload"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "1000000000001")], b"", 413, "too_large"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "999999999999")], b"", 507, "no_space"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "5"), ("upload-metadata", "filename !")], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "5"), ("upload-metadata", twice)], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "5"), ("upload-metadata", &bad_name)], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "5"), ("upload-metadata", &bad_hash)], b"", 400, "invalid_request"),
        ("POST", UPLOADS, vec![TUS, ("upload-length", "5"), ("content-length", "5")], b"hello", 415, "unsupported_type"),
        ("POST", UPLOADS, vec![TUS, STREAM, ("upload-length", "3"), ("content-length", "5")], b"hello", 413, "too_large"),
        ("PATCH", &address, vec![STREAM, ("upload-offset", "100")], b"x", 412, "tus_version"),
        ("PATCH", &address, vec![TUS, STREAM], b"x", 400, "invalid_request"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "x")], b"x", 400, "invalid_request"),
        ("PATCH", &address, vec![TUS, ("upload-offset", "100")], b"x", 415, "unsupported_type"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "0")], b"x", 409, "offset_conflict"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "101")], b"x", 409, "offset_conflict"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "100")], &too_long, 413, "too_large"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "100"), ("content-length", &length)], b"x", 413, "too_large"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "100"), ("upload-checksum", "md5 AAAA")], b"x", 400, "invalid_request"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "100"), ("upload-checksum", "sha1 AAAA")], b"x", 400, "invalid_request"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "100"), ("upload-checksum", &sha1)], b"x", 460, "checksum_mismatch"),
        ("PATCH", &address, vec![TUS, STREAM, ("upload-offset", "100"), ("upload-checksum", &blake3)], b"x", 460, "checksum_mismatch"),
        ("PATCH", &none, vec![TUS, STREAM, ("upload-offset", "0")], b"x", 404, "not_found"),
        ("DELETE", &address, vec![], b"", 412, "tus_version"),
        ("DELETE", &none, vec![TUS], b"", 404, "not_found"),
        ("GET", &none, vec![], b"", 404, "not_found"),
        ("POST", &address, vec![TUS], b"", 405, "method_not_allowed"),
        ("POST", &address, vec![TUS, ("x-http-method-override", "GET")], b"", 405, "method_not_allowed"),
    ];
    for (method, path, headers, bytes, status, code) in cases {
        let body = Body::from(bytes.to_vec());
        let answer = send(&home.router, method, path, &headers, body).await;
        let name = format!("{method} {headers:?}");
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        answer.assert_problem(status, code);
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{name}");
        if status == 412 {
            assert_eq!(answer.header("tus-version"), "1.0.0", "{name}");
        }
        if code == "offset_conflict" {
            assert_eq!(answer.header("upload-offset"), "100", "{name}");
        }
        assert_eq!(
            home.head(&address).await.header("upload-offset"),
            "100",
            "{name}"
        );
    }
    assert_eq!(home.head(&none).await.status, 404);
    let rest = home.part(&address, 100, &bytes[100..]).await;
    assert_eq!(rest.status, 204, "{}", rest.text());
    let id = rest.header("asset-id");
    let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
    assert!(original.body == bytes, "after all that was refused");
}

#[tokio::test]
async fn a_file_that_is_larger_than_is_taken_is_refused_before_it_is_sent() {
    let (_folder, _library, router) = limited(UploadLimits {
        max_bytes: 1000,
        ..UploadLimits::default()
    })
    .await;
    let headers = [TUS, ("upload-length", "1001")];
    let refused = send(&router, "POST", UPLOADS, &headers, Body::empty()).await;
    let problem = refused.assert_problem(413, "too_large");
    assert_eq!(problem["max_bytes"], 1000);
    let headers = [TUS, ("upload-length", "1000")];
    let made = send(&router, "POST", UPLOADS, &headers, Body::empty()).await;
    assert_eq!(made.status, 201);
}
