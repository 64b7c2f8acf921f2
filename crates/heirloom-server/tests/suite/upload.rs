//! Handing files over to the vault: tus 1.0, and what becomes of what was handed over.

use std::{fs, io, path::PathBuf, time::Duration};

use axum::{
    body::Bytes,
    http::{Method, Request},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use heirloom_core::{AccountId, Actor, AudienceId, audience::Sight, role::Role};
use heirloom_server::{Body, Door, Library, LibraryConfig, Router, UploadLimits, router};
use heirloom_testing::jpeg::{self, Options};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use crate::harness::{Answer, Home, ask, on_both_engines};

const STREAM: (&str, &str) = ("content-type", "application/offset+octet-stream");
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const UPLOADS: &str = "/api/v1/uploads";

/// Sends a request with a body of bytes.
async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Answer {
    let method: Method = method.parse().unwrap();
    let mut req = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        req = req.header(*name, *value);
    }
    let res = router
        .clone()
        .oneshot(req.body(body).unwrap())
        .await
        .unwrap();
    let (parts, body) = res.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.to_vec(),
    }
}

fn metadata(entries: &[(&str, &str)]) -> String {
    let entries = entries.iter();
    let encoded = entries.map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value)));
    encoded.collect::<Vec<_>>().join(",")
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn photo(seed: u64) -> Vec<u8> {
    let taken = Some("1974:07:01 10:00:00".to_owned());
    let options = Options {
        taken,
        ..Options::default()
    };
    jpeg::tiny(seed, &options)
}

/// A film would be as long; a photograph with noise is.
fn long(seed: u64, padding_bytes: usize) -> Vec<u8> {
    let options = Options {
        padding_bytes,
        ..Options::default()
    };
    jpeg::tiny(seed, &options)
}

impl Home {
    /// Announces a file; gives the address of the upload.
    async fn announce(&self, length: usize, entries: &[(&str, &str)]) -> String {
        let (length, metadata) = (length.to_string(), metadata(entries));
        let headers = [
            TUS,
            ("upload-length", &*length),
            ("upload-metadata", &metadata),
        ];
        let made = send(&self.router, "POST", UPLOADS, &headers, Body::empty()).await;
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(made.header("tus-resumable"), "1.0.0");
        made.header("location").to_owned()
    }

    /// Sends a part of a file.
    async fn part(&self, address: &str, offset: usize, bytes: &[u8]) -> Answer {
        let offset = offset.to_string();
        let headers = [TUS, STREAM, ("upload-offset", &*offset)];
        let body = Body::from(bytes.to_vec());
        send(&self.router, "PATCH", address, &headers, body).await
    }

    /// Where an upload stands, for clients of tus.
    async fn head(&self, address: &str) -> Answer {
        send(&self.router, "HEAD", address, &[TUS], Body::empty()).await
    }

    /// Hands a whole file over; gives the upload as it ends.
    /// Nothing is made of it, so that what is stored of it is itself alone.
    async fn hand_over(&self, name: &str, bytes: &[u8]) -> Json {
        self.hand_over_to_process(name, bytes, "false").await
    }

    async fn hand_over_to_process(&self, name: &str, bytes: &[u8], process: &str) -> Json {
        let told = [("filename", name), ("process", process)];
        let address = self.announce(bytes.len(), &told).await;
        let sent = self.part(&address, 0, bytes).await;
        assert_eq!(sent.status, 204, "{}", sent.text());
        let upload = self.get(&address).await.json();
        assert_eq!(upload["state"], "done", "{upload}");
        assert_eq!(sent.header("asset-id"), upload["asset_id"], "{upload}");
        upload
    }

    /// What has come of files that are not added yet.
    fn parts(&self) -> Vec<PathBuf> {
        let folder = self.library.folder().join("uploads");
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn blob(&self, hash: &str) -> PathBuf {
        let blobs = self.library.folder().join("blobs");
        blobs.join(&hash[..2]).join(hash)
    }

    async fn known(&self, hashes: &[String]) -> Json {
        let path = format!("{UPLOADS}/known");
        let answer = self.post(&path, &json!({ "hashes": hashes })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].clone()
    }

    async fn fsck(&self, repair: bool) -> Json {
        let report = self
            .post("/api/v1/fsck", &json!({ "repair": repair }))
            .await;
        assert_eq!(report.status, 200, "{}", report.text());
        report.json()
    }
}

#[tokio::test]
async fn what_is_handed_over_is_an_original_in_the_vault() {
    on_both_engines(async |home| {
        let bytes = photo(1);
        let upload = home
            .hand_over_to_process("Oma & Opa.jpg", &bytes, "true")
            .await;
        assert_eq!(upload["outcome"], "added");
        assert!(home.parts().is_empty(), "{:?}", home.parts());
        let id = upload["asset_id"].as_str().unwrap();
        let detail = home.get(&format!("/api/v1/assets/{id}")).await.json();
        assert_eq!(detail["name"], "Oma & Opa.jpg");
        assert_eq!(detail["kind"], "image");
        assert_eq!(detail["date"], "1974-07-01T10:00:00", "{detail}");
        assert_eq!(detail["content_hash"], hash(&bytes));
        assert_eq!(detail["place"]["archive"], "Vault");
        assert_eq!(detail["place"]["path"], "Oma & Opa.jpg");
        assert_eq!(detail["artifacts"][0]["tool"], "metadata");
        // Its bytes, all of them or a part.
        let original = format!("/api/v1/assets/{id}/original");
        assert!(home.get(&original).await.body == bytes);
        let part = home
            .ask("GET", &original, &[("range", "bytes=5-9")], None)
            .await;
        assert_eq!((part.status, &part.body[..]), (206, &bytes[5..10]));
        // It is listed and found as every other.
        let found = home
            .get("/api/v1/search?q=archive%3AVault%20opa")
            .await
            .json();
        assert_eq!(found["items"][0]["id"], id, "{found}");
        let archives = home.get("/api/v1/archives").await.json();
        let vault = &archives["items"][0];
        assert_eq!((&vault["path"], &vault["files"]), (&Json::Null, &json!(1)));
        // Nothing scans it.
        let scan = format!("/api/v1/archives/{}/scans", vault["id"].as_str().unwrap());
        home.post(&scan, &json!({}))
            .await
            .assert_problem(422, "invalid_archive");
        // The addition is a run of its own, and everything is sound.
        let runs = home.get("/api/v1/runs").await.json();
        let runs = runs["items"].as_array().unwrap();
        let run = runs.iter().find(|run| run["pipeline"] == "add").unwrap();
        // What was added is prepared by a run that comes after it.
        assert_eq!(runs[0]["pipeline"], "prepare");
        assert_eq!(
            (&run["pipeline"], &run["state"]),
            (&json!("add"), &json!("done"))
        );
        assert_eq!(run["parameters"], json!({ "process": true }));
        assert_eq!(run["progress"]["files_done"], 1, "{run}");
        assert_eq!(run["id"], upload["run_id"]);
        let report = home.fsck(false).await;
        assert_eq!(report["faults"], 0, "{report}");
        let doctor = home.get("/api/v1/doctor").await.json();
        assert_eq!(doctor["is_well"], true, "{doctor}");
    })
    .await;
}

#[tokio::test]
async fn a_file_comes_in_parts_and_survives_a_restart_in_between() {
    on_both_engines(async |home| {
        let bytes = long(2, 300_000);
        let entries = [("filename", "Film.jpg"), ("blake3", &*hash(&bytes))];
        let address = home.announce(bytes.len(), &entries).await;
        let first = home.part(&address, 0, &bytes[..100_000]).await;
        assert_eq!(
            (first.status, first.header("upload-offset")),
            (204, "100000")
        );
        assert_eq!(first.header("asset-id"), "");
        assert!(!first.header("upload-expires").is_empty());
        // What was written and never acknowledged counts for nothing.
        let mut file = fs::File::options()
            .append(true)
            .open(&home.parts()[0])
            .unwrap();
        io::Write::write_all(&mut file, b"torn").unwrap();
        drop(file);
        let home = home.reopen().await;
        let stands = home.head(&address).await;
        assert_eq!(
            (stands.status, stands.header("upload-offset")),
            (200, "100000")
        );
        assert_eq!(stands.header("upload-length"), bytes.len().to_string());
        assert_eq!(stands.header("cache-control"), "no-store");
        assert_eq!(home.get(&address).await.json()["state"], "receiving");
        // Whoever has lost the address finds it by what is to be sent.
        let known = home.known(&[hash(&bytes)]).await;
        assert_eq!(known[0]["asset_id"], Json::Null);
        assert_eq!(known[0]["upload"]["received_bytes"], 100_000, "{known}");
        let last = home.part(&address, 100_000, &bytes[100_000..]).await;
        assert_eq!(last.status, 204, "{}", last.text());
        let id = last.header("asset-id");
        let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
        assert!(original.body == bytes);
        // Asked again it says the same, and adds nothing.
        let again = home.head(&address).await;
        assert_eq!((again.status, again.header("asset-id")), (200, id));
        let again = home.part(&address, bytes.len(), b"").await;
        assert_eq!((again.status, again.header("asset-id")), (204, id));
        let known = home.known(&[hash(&bytes)]).await;
        assert_eq!(
            known,
            json!([{ "content_hash": hash(&bytes), "asset_id": id, "upload": null }])
        );
    })
    .await;
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
async fn files_that_are_handed_over_together_are_one_run() {
    on_both_engines(async |home| {
        let made = home
            .post("/api/v1/additions", &json!({ "process": false }))
            .await;
        assert_eq!(made.status, 201, "{}", made.text());
        let addition = made.json()["id"].as_str().unwrap().to_owned();
        for seed in 0..3 {
            let bytes = photo(seed);
            let entries = [("filename", "x.jpg"), ("addition", &*addition)];
            let address = home.announce(bytes.len(), &entries).await;
            assert_eq!(home.part(&address, 0, &bytes).await.status, 204);
            let upload = home.get(&address).await.json();
            assert_eq!(
                (&upload["run_id"], &upload["process"]),
                (&json!(addition), &json!(false))
            );
        }
        let late = home
            .announce(photo(9).len(), &[("addition", &*addition)])
            .await;
        let end = format!("/api/v1/additions/{addition}/end");
        for _ in 0..2 {
            assert_eq!(home.post(&end, &json!({})).await.status, 204);
        }
        let run = home.get(&format!("/api/v1/runs/{addition}")).await.json();
        assert_eq!(
            (&run["state"], &run["progress"]["files_done"]),
            (&json!("done"), &json!(3))
        );
        // What was begun before the end and comes after it is an addition by itself.
        assert_eq!(home.part(&late, 0, &photo(9)).await.status, 204);
        let upload = home.get(&late).await.json();
        assert_eq!(upload["outcome"], "added");
        assert_ne!(upload["run_id"], json!(addition));
        let headers = [
            TUS,
            ("upload-length", "5"),
            ("upload-metadata", &*metadata(&[("addition", &*addition)])),
        ];
        send(&home.router, "POST", UPLOADS, &headers, Body::empty())
            .await
            .assert_problem(409, "refused");
        // Three of one name lie beside each other, and each is called what it was called.
        let list = home.get("/api/v1/assets").await.json();
        let places = list["items"].as_array().unwrap().iter();
        let mut paths: Vec<_> = places
            .filter(|item| item["name"] == "x.jpg")
            .map(|item| item["place"]["path"].as_str().unwrap().to_owned())
            .collect();
        paths.sort();
        assert_eq!(paths, ["2/x.jpg", "3/x.jpg", "x.jpg"]);
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

/// A body that stays open until it is told more.
fn slow_body() -> (mpsc::Sender<Result<Bytes, io::Error>>, Body) {
    let (give, mut take) = mpsc::channel(4);
    let stream = futures_util::stream::poll_fn(move |cx| take.poll_recv(cx));
    (give, Body::from_stream(stream))
}

#[tokio::test]
async fn what_came_before_a_connection_broke_is_kept() {
    on_both_engines(async |home| {
        let bytes = long(8, 100_000);
        let address = home.announce(bytes.len(), &[]).await;
        let (give, body) = slow_body();
        let headers = [TUS, STREAM, ("upload-offset", "0")];
        let sending = send(&home.router, "PATCH", &address, &headers, body);
        let breaking = async {
            let first = Bytes::copy_from_slice(&bytes[..60_000]);
            give.send(Ok(first)).await.unwrap();
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            give.send(Err(broken)).await.unwrap();
        };
        let (answer, ()) = tokio::join!(sending, breaking);
        answer.assert_problem(400, "invalid_request");
        assert_eq!(home.head(&address).await.header("upload-offset"), "60000");
        // With a checksum there is nothing that could be kept.
        let sum = format!("sha1 {}", BASE64_STANDARD.encode([7; 20]));
        let headers = [
            TUS,
            STREAM,
            ("upload-offset", "60000"),
            ("upload-checksum", &*sum),
        ];
        let (give, body) = slow_body();
        let sending = send(&home.router, "PATCH", &address, &headers, body);
        let breaking = async {
            give.send(Ok(Bytes::from_static(b"part of it")))
                .await
                .unwrap();
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            give.send(Err(broken)).await.unwrap();
        };
        let (answer, ()) = tokio::join!(sending, breaking);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(home.head(&address).await.header("upload-offset"), "60000");
        assert_eq!(
            home.part(&address, 60_000, &bytes[60_000..]).await.status,
            204
        );
        assert_eq!(home.get(&address).await.json()["outcome"], "added");
    })
    .await;
}

#[tokio::test]
async fn who_comes_back_takes_an_upload_over_from_a_dead_connection() {
    on_both_engines(async |home| {
        let bytes = long(9, 100_000);
        let address = home.announce(bytes.len(), &[]).await;
        let (give, body) = slow_body();
        let headers = [TUS, STREAM, ("upload-offset", "0")];
        let dead = send(&home.router, "PATCH", &address, &headers, body);
        let coming_back = async {
            let first = Bytes::copy_from_slice(&bytes[..50_000]);
            give.send(Ok(first)).await.unwrap();
            // It is taken once there is room for more than the channel holds.
            while give.capacity() < 4 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let stands = home.head(&address).await;
            let offset: usize = stands.header("upload-offset").parse().unwrap();
            assert_eq!(offset, 50_000);
            let rest = home.part(&address, offset, &bytes[offset..]).await;
            assert_eq!(rest.status, 204, "{}", rest.text());
            // What still comes over the old one counts for nothing.
            let _ = give.send(Ok(Bytes::from_static(b"late"))).await;
        };
        let (dead, ()) = tokio::join!(dead, coming_back);
        dead.assert_problem(423, "upload_busy");
        let upload = home.get(&address).await.json();
        let id = upload["asset_id"].as_str().unwrap();
        let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
        assert!(original.body == bytes);
    })
    .await;
}

#[tokio::test]
async fn two_that_send_the_same_part_at_once_leave_it_whole() {
    on_both_engines(async |home| {
        for seed in 20..25 {
            let bytes = long(seed, 200_000);
            let address = home.announce(bytes.len(), &[]).await;
            let (first, second) = tokio::join!(
                home.part(&address, 0, &bytes),
                home.part(&address, 0, &bytes)
            );
            let statuses = [first.status, second.status];
            assert!(statuses.contains(&204), "{statuses:?}");
            let allowed = |status: &u16| [204, 409, 423].contains(status);
            assert!(statuses.iter().all(allowed), "{statuses:?}");
            let upload = home.get(&address).await.json();
            assert_eq!(upload["state"], "done", "{upload}");
            let id = upload["asset_id"].as_str().unwrap();
            let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
            assert!(original.body == bytes);
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_file_is_one_original_however_often_it_is_handed_over() {
    on_both_engines(async |home| {
        home.scanned().await;
        let beach = fs::read(home.pictures().join("Am Meer/Strand.jpg")).unwrap();
        let id = home.asset("Strand.jpg").await;
        let known = home.known(&[hash(&beach), hash(b"new")]).await;
        assert_eq!(
            known,
            json!([{ "content_hash": hash(&beach), "asset_id": id, "upload": null }])
        );
        // Whoever does not ask sends it, and it is kept in the vault as well.
        for (name, places) in [("Beach.jpg", 2), ("Beach.jpg", 2), ("Sylt.jpg", 3)] {
            let upload = home.hand_over(name, &beach).await;
            assert_eq!(
                (&upload["outcome"], &upload["asset_id"]),
                (&json!("known"), &json!(id))
            );
            let detail = home.get(&format!("/api/v1/assets/{id}")).await.json();
            assert_eq!(
                detail["locations"].as_array().unwrap().len(),
                places,
                "{name}"
            );
        }
        // Both come at once, and are one.
        let bytes = photo(30);
        let (one, other) = tokio::join!(
            home.hand_over("a.jpg", &bytes),
            home.hand_over("b.jpg", &bytes)
        );
        assert_eq!(one["asset_id"], other["asset_id"]);
        let mut outcomes = [
            one["outcome"].as_str().unwrap(),
            other["outcome"].as_str().unwrap(),
        ];
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["added", "known"]);
        // The disk with the folder is gone; the vault has it still.
        fs::remove_dir_all(home.folder.path().join("Pictures")).unwrap();
        let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
        assert!(original.body == beach);
        let report = home.fsck(false).await;
        assert_eq!(report["faults"], 0, "{report}");
    })
    .await;
}

#[tokio::test]
async fn what_was_hidden_or_purged_comes_back_when_it_is_handed_over_again() {
    on_both_engines(async |home| {
        let bytes = photo(40);
        let first = home.hand_over("Oma.jpg", &bytes).await;
        let id = first["asset_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/assets/{id}");
        assert_eq!(home.ask("DELETE", &path, &[], None).await.status, 200);
        assert_eq!(home.known(&[hash(&bytes)]).await, json!([]), "it is hidden");
        let back = home.hand_over("Oma.jpg", &bytes).await;
        assert_eq!(
            (&back["outcome"], &back["asset_id"]),
            (&json!("returned"), &json!(id))
        );
        assert_eq!(home.get(&path).await.json()["deleted_at_ms"], Json::Null);
        assert_eq!(home.asset("Oma.jpg").await, id);

        assert_eq!(home.ask("DELETE", &path, &[], None).await.status, 200);
        assert!(home.blob(&hash(&bytes)).exists());
        let purged = home.post(&format!("{path}/purge"), &json!({})).await;
        assert_eq!(purged.json()["blobs"], 1, "{}", purged.text());
        assert!(
            !home.blob(&hash(&bytes)).exists(),
            "a purge removes its bytes"
        );
        let address = format!("{UPLOADS}/{}", first["id"].as_str().unwrap());
        home.get(&address).await.assert_problem(404, "not_found");

        let new = home.hand_over("Oma.jpg", &bytes).await;
        assert_eq!(new["outcome"], "added");
        assert_ne!(new["asset_id"], json!(id));
        let report = home.fsck(false).await;
        assert_eq!(report["faults"], 0, "{report}");
    })
    .await;
}

#[tokio::test]
async fn bytes_that_another_original_needs_survive_a_purge() {
    on_both_engines(async |home| {
        let kept = home.hand_over("kept.jpg", &photo(41)).await;
        let gone = home.hand_over("gone.jpg", &photo(42)).await;
        let path = format!("/api/v1/assets/{}", gone["asset_id"].as_str().unwrap());
        home.ask("DELETE", &path, &[], None).await;
        home.post(&format!("{path}/purge"), &json!({})).await;
        let id = kept["asset_id"].as_str().unwrap();
        let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
        assert!(original.body == photo(41));
        // A check that removes what nobody refers to leaves it alone.
        let report = home.fsck(true).await;
        assert_eq!(
            (&report["faults"], &report["removed"]),
            (&json!(0), &json!(0)),
            "{report}"
        );
        assert!(home.blob(&hash(&photo(41))).exists());
    })
    .await;
}

#[tokio::test]
async fn a_check_finds_a_damaged_or_missing_original_and_handing_it_over_heals_it() {
    on_both_engines(async |home| {
        let bytes = photo(50);
        let upload = home.hand_over("Oma.jpg", &bytes).await;
        let original = format!(
            "/api/v1/assets/{}/original",
            upload["asset_id"].as_str().unwrap()
        );
        let blob = home.blob(&hash(&bytes));
        let damage = |damaged: &[u8]| {
            fs::remove_file(&blob).unwrap();
            fs::write(&blob, damaged).unwrap();
        };
        let mut flipped = bytes.clone();
        flipped[100] ^= 1;
        for repair in [false, true] {
            damage(&flipped);
            let report = home.fsck(repair).await;
            assert_eq!(
                (&report["faults"], &report["mended"]),
                (&json!(1), &json!(0)),
                "{report}"
            );
            assert_eq!(report["items"][0]["part"], "originals", "{report}");
            let what = report["items"][0]["what"].as_str().unwrap();
            assert!(
                what.contains("\"Oma.jpg\"") && what.contains("damaged"),
                "{what}"
            );
            home.get(&original)
                .await
                .assert_problem(409, "original_damaged");
            assert_eq!(
                home.get("/api/v1/doctor").await.json()["counts"]["damaged"],
                1
            );
            assert_eq!(
                home.known(&[hash(&bytes)]).await,
                json!([]),
                "it is wanted again"
            );
            assert_eq!(home.hand_over("Oma.jpg", &bytes).await["outcome"], "known");
            assert!(home.get(&original).await.body == bytes);
            assert_eq!(home.fsck(false).await["faults"], 0);
        }
        // Missing altogether, and put back by other hands.
        fs::remove_file(&blob).unwrap();
        home.get(&original)
            .await
            .assert_problem(410, "original_gone");
        let report = home.fsck(false).await;
        assert!(
            report["items"][0]["what"]
                .as_str()
                .unwrap()
                .contains("missing"),
            "{report}"
        );
        fs::write(&blob, &bytes).unwrap();
        assert_eq!(home.fsck(false).await["faults"], 0);
        assert!(home.get(&original).await.body == bytes, "it is right again");
        // Cut short, which shows without a check.
        damage(&bytes[..50]);
        assert_eq!(home.get(&original).await.status, 409);
        // A folder archive has it too: that copy makes it good.
        let folder = home.folder.path().join("Copies");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("copy.jpg"), &bytes).unwrap();
        home.scan(&folder).await;
        let report = home.fsck(true).await;
        assert_eq!(
            (&report["faults"], &report["mended"]),
            (&json!(1), &json!(1)),
            "{report}"
        );
        assert!(fs::read(&blob).unwrap() == bytes);
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_or_forgotten_leaves_nothing() {
    on_both_engines(async |home| {
        let bytes = photo(60);
        let address = home.announce(bytes.len(), &[]).await;
        home.part(&address, 0, &bytes[..50]).await;
        assert_eq!(home.parts().len(), 1);
        let given_up = send(&home.router, "DELETE", &address, &[TUS], Body::empty()).await;
        assert_eq!(given_up.status, 204);
        assert!(home.parts().is_empty());
        assert_eq!(home.head(&address).await.status, 404);
        // One that was added can be given up too, and stays what it is.
        let upload = home.hand_over("x.jpg", &bytes).await;
        let address = format!("{UPLOADS}/{}", upload["id"].as_str().unwrap());
        let given_up = send(&home.router, "DELETE", &address, &[TUS], Body::empty()).await;
        assert_eq!(given_up.status, 204);
        let id = upload["asset_id"].as_str().unwrap();
        assert_eq!(home.get(&format!("/api/v1/assets/{id}")).await.status, 200);
    })
    .await;
}

/// A library of its own with other limits than usual.
async fn limited(limits: UploadLimits) -> (tempfile::TempDir, Library, Router) {
    let folder = tempfile::tempdir().unwrap();
    let config = LibraryConfig {
        folder: folder.path().join("data"),
        database: None,
        is_creating: true,
        confined_program: Some(env!("CARGO_BIN_EXE_confined-for-server-tests").into()),
        uploads: limits,
    };
    let library = Library::open(&config).await.unwrap();
    let router = router(library.clone(), Door::Known(Actor::Operator));
    (folder, library, router)
}

#[tokio::test]
async fn what_nobody_goes_on_with_is_swept_away() {
    let (_folder, library, router) = limited(UploadLimits {
        kept: Duration::ZERO,
        ..UploadLimits::default()
    })
    .await;
    let headers = [TUS, STREAM, ("upload-length", "10")];
    let made = send(&router, "POST", UPLOADS, &headers, Body::empty()).await;
    let address = made.header("location").to_owned();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let gone = send(&router, "HEAD", &address, &[TUS], Body::empty()).await;
    assert_eq!(gone.status, 410);
    let headers = [TUS, STREAM, ("upload-offset", "0")];
    send(&router, "PATCH", &address, &headers, Body::from("x"))
        .await
        .assert_problem(410, "upload_gone");
    // What a process left there that was killed goes with it.
    let uploads = library.folder().join("uploads");
    let left = uploads.join("01a1fd5a-0000-7000-8000-000000000000");
    fs::write(&left, "left").unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let listen = "127.0.0.1:0".parse().unwrap();
    heirloom_server::serve(&library, listen, &stop, |_| stop.cancel())
        .await
        .unwrap();
    assert!(!left.exists());
    ask(&router, "GET", &address, &[], None)
        .await
        .assert_problem(404, "not_found");
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

#[tokio::test]
async fn members_add_and_viewers_do_not() {
    on_both_engines(async |home| {
        let archives = home.hand_over("operator.jpg", &photo(70)).await;
        let operators = format!("{UPLOADS}/{}", archives["id"].as_str().unwrap());
        let family = home.family().await;
        let (family, everybody) = (family.id, family.audience_id);
        let as_role = |role: Role, number: u8, sees: Vec<AudienceId>| {
            let actor = Actor::Member {
                account_id: AccountId::from_parts(1, [number; 10]),
                family_id: family,
                role,
                sight: Sight::Audiences(sees),
            };
            router(home.library.clone(), Door::Known(actor))
        };
        let anna = as_role(Role::Member, 1, vec![everybody]);
        let karl = as_role(Role::Member, 2, vec![everybody]);
        let viewer = as_role(Role::Viewer, 3, vec![everybody]);
        let blind = as_role(Role::Member, 4, vec![]);
        let bytes = photo(71);
        let length = bytes.len().to_string();
        let announce = [TUS, ("upload-length", &*length)];
        send(&viewer, "POST", UPLOADS, &announce, Body::empty())
            .await
            .assert_problem(403, "denied");
        ask(&viewer, "POST", "/api/v1/additions", &[], Some(&json!({})))
            .await
            .assert_problem(403, "denied");
        let made = send(&anna, "POST", UPLOADS, &announce, Body::empty()).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let address = made.header("location").to_owned();
        // An upload is somebody's own.
        for other in [&karl, &viewer] {
            ask(other, "GET", &address, &[], None)
                .await
                .assert_problem(404, "not_found");
        }
        ask(&anna, "GET", &operators, &[], None)
            .await
            .assert_problem(404, "not_found");
        let begin = [TUS, STREAM, ("upload-offset", "0")];
        let sent = send(&anna, "PATCH", &address, &begin, Body::from(bytes.clone())).await;
        assert_eq!(sent.status, 204, "{}", sent.text());
        let id = sent.header("asset-id").to_owned();
        assert!(!id.is_empty());
        // What somebody may not see is not known to them, also not when they have the file.
        let hashes = json!({ "hashes": [hash(&bytes)] });
        let asked = format!("{UPLOADS}/known");
        let seen = ask(&karl, "POST", &asked, &[], Some(&hashes)).await.json();
        assert_eq!(seen["items"][0]["asset_id"], json!(id));
        let unseen = ask(&blind, "POST", &asked, &[], Some(&hashes)).await.json();
        assert_eq!(unseen["items"], json!([]));
        let made = send(&blind, "POST", UPLOADS, &announce, Body::empty()).await;
        let address = made.header("location").to_owned();
        let sent = send(&blind, "PATCH", &address, &begin, Body::from(bytes.clone())).await;
        assert_eq!((sent.status, sent.header("asset-id")), (204, ""));
        // What somebody who decides has deleted stays so for those who do not.
        let path = format!("/api/v1/assets/{id}");
        assert_eq!(home.ask("DELETE", &path, &[], None).await.status, 200);
        let made = send(&karl, "POST", UPLOADS, &announce, Body::empty()).await;
        let address = made.header("location").to_owned();
        let refused = send(&karl, "PATCH", &address, &begin, Body::from(bytes.clone())).await;
        refused.assert_problem(409, "refused");
        let admin = as_role(Role::Admin, 5, vec![everybody]);
        let made = send(&admin, "POST", UPLOADS, &announce, Body::empty()).await;
        let address = made.header("location").to_owned();
        let sent = send(&admin, "PATCH", &address, &begin, Body::from(bytes)).await;
        assert_eq!((sent.status, sent.header("asset-id")), (204, &*id));
    })
    .await;
}
