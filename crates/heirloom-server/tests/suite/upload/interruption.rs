//! Uploads that break off, are taken over, given up or forgotten.

use std::{fs, io, time::Duration};

use axum::body::Bytes;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use heirloom_core::Actor;
use heirloom_server::{Body, UploadLimits};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::{STREAM, TUS, UPLOADS, hash, limited, long, photo};
use crate::harness::{ask, on_both_engines, send};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_added_by_a_process_that_was_killed_is_prepared_by_the_next() {
    on_both_engines(async |home| {
        let asked = json!({ "process": true });
        let addition = home.post("/api/v1/additions", &asked).await.json();
        let addition = addition["id"].as_str().unwrap().to_owned();
        let bytes = photo(10);
        let entries = [("filename", "Oma.jpg"), ("addition", &*addition)];
        let address = home.announce(bytes.len(), &entries).await;
        assert_eq!(home.part(&address, 0, &bytes).await.status, 204);
        // The end is stored, and nothing after it.
        let (db, family) = (home.db().await, home.family().await);
        let run = addition.parse().unwrap();
        db.end_addition(&Actor::Operator, family.id, run)
            .await
            .unwrap();
        db.close().await;
        let path = format!("/api/v1/runs/{addition}");
        assert_eq!(home.get(&path).await.json()["next_run_id"], Json::Null);

        let home = home.reopen().await;
        let stop = tokio_util::sync::CancellationToken::new();
        let address = "127.0.0.1:0".parse().unwrap();
        let serving = heirloom_server::serve(&home.library, address, 0, &stop, |_| {});
        let looking = async {
            let next = async || home.get(&path).await.json()["next_run_id"].clone();
            while next().await.is_null() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let run = home.wait(&json!({ "id": next().await })).await;
            assert_eq!(
                (&run["pipeline"], &run["assets"]),
                (&json!("prepare"), &json!(1))
            );
            assert_eq!(run["steps"][0]["done"], 1, "{run}");
            assert_eq!(home.get(&path).await.json()["progress"]["files_done"], 1);
            stop.cancel();
        };
        let (served, ()) = tokio::join!(serving, looking);
        served.unwrap();
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
    heirloom_server::serve(&library, listen, 0, &stop, |_| stop.cancel())
        .await
        .unwrap();
    assert!(!left.exists());
    ask(&router, "GET", &address, &[], None)
        .await
        .assert_problem(404, "not_found");
}
