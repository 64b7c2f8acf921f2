//! Handing files over to the vault: what becomes of what was handed over, and who may.

mod interruption;
mod protocol;
mod vault;

use std::{fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use heirloom_core::{AccountId, Actor, AudienceId, audience::Sight, role::Role};
use heirloom_server::{
    Body, Door, IpfsSettings, Library, LibraryConfig, ModelsConfig, Router, StoreConfig,
    UploadLimits, router,
};
use heirloom_testing::jpeg::{self, Options};
use serde_json::{Value as Json, json};

use crate::harness::{Answer, Home, ask, on_both_engines, send};

const STREAM: (&str, &str) = ("content-type", "application/offset+octet-stream");
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const UPLOADS: &str = "/api/v1/uploads";

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
    /// Where the original of a photograph is that was handed over just now.
    pub(crate) async fn vault_original(&self) -> String {
        let upload = self.hand_over("Oma.jpg", &photo(1)).await;
        let id = upload["asset_id"].as_str().unwrap();
        format!("/api/v1/assets/{id}/original")
    }

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

/// A library of its own with other limits than usual.
async fn limited(limits: UploadLimits) -> (tempfile::TempDir, Library, Router) {
    let folder = tempfile::tempdir().unwrap();
    let config = LibraryConfig {
        folder: folder.path().join("data"),
        database: None,
        is_creating: true,
        confined_program: Some(env!("CARGO_BIN_EXE_confined-for-server-tests").into()),
        uploads: limits,
        store: StoreConfig::default(),
        ipfs: IpfsSettings::default(),
        models: ModelsConfig::default(),
    };
    let library = Library::open(&config).await.unwrap();
    let router = router(library.clone(), Door::Known(Actor::Operator));
    (folder, library, router)
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
        // What was handed over may be nowhere else, and nothing is backed up yet.
        let checks = doctor["checks"].as_array().unwrap().iter();
        let ill = checks.filter(|check| check["is_well"] == false);
        let ill: Vec<&Json> = ill.map(|check| &check["name"]).collect();
        assert_eq!(ill, ["backups"], "{doctor}");
    })
    .await;
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
