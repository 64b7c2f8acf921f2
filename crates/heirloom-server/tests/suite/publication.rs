//! Collections on IPFS: published to a real node of the JavaScript implementation and to a pinning service beside it,
//! over real HTTP.

use std::{fs, path::Path, process::Command, time::Duration};

use heirloom_core::{Actor, CollectionId};
use heirloom_db::collection::NewCollection;
use heirloom_server::{IpfsSettings, PinningService, Token};
use heirloom_testing::{
    ipfs::IpfsNode,
    postgres::{self, TestDatabase},
};
use serde_json::{Value as Json, json};

use crate::harness::Home;

/// What asks this node and its service, and does not wait long.
fn settings(node: &IpfsNode) -> IpfsSettings {
    IpfsSettings {
        node: Some(node.rpc()),
        service: Some(PinningService {
            endpoint: node.service(),
            token: Token::new(IpfsNode::TOKEN),
        }),
        pause: Duration::from_millis(1),
        ..IpfsSettings::default()
    }
}

/// A library with two photographs in the album "Am Meer", and its address.
async fn with_album(database: Option<TestDatabase>, settings: IpfsSettings) -> (Home, String) {
    let home = Home::with_ipfs(database, settings).await;
    home.scanned().await;
    let assets = [home.asset("Strand.jpg").await, home.asset("Düne.jpg").await];
    let new = json!({ "name": "Am Meer", "assets": assets });
    let made = home.post("/api/v1/collections", &new).await.json();
    let path = format!(
        "/api/v1/collections/{}/publication",
        made["id"].as_str().unwrap()
    );
    (home, path)
}

impl Home {
    /// Publishes as it is asked; gives the run, which has ended.
    async fn publish(&self, path: &str, asked: &Json) -> Json {
        let begun = self.post(path, asked).await;
        assert_eq!(begun.status, 201, "{}", begun.text());
        self.wait(&begun.json()).await
    }

    /// The bytes of an original.
    fn original(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("Pictures/Am Meer").join(name)).unwrap()
    }
}

/// The files of a published folder, as the node lists them.
fn list(node: &IpfsNode, root: &str) -> Vec<String> {
    let listed = node.json(&format!("/test/list?path={root}"), b"");
    let paths = listed.as_array().unwrap().iter();
    paths
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

fn fetch(node: &IpfsNode, root: &str, path: &str) -> Vec<u8> {
    let (status, bytes) = node.ask(&format!("/test/file?path={root}/{path}"), b"");
    assert_eq!(status, 200, "{path}");
    bytes
}

fn count(state: &Json, asked: &str) -> usize {
    let log = state["log"].as_array().unwrap().iter();
    log.filter(|line| line.as_str().unwrap().contains(asked))
        .count()
}

#[tokio::test]
async fn a_collection_is_published_sealed_and_opened_by_others_with_its_key() {
    let databases = [None, Some(postgres::database())];
    for database in databases {
        let node = IpfsNode::start();
        let (home, path) = with_album(database, settings(&node)).await;
        let run = home.publish(&path, &json!({})).await;
        assert_eq!(run["state"], "done", "{run}");
        let report = &run["publication"];
        assert_eq!(
            (&report["files"], &report["sent"]),
            (&json!(2), &json!(2)),
            "{run}"
        );
        assert_eq!(
            (&report["is_plain"], &report["problem_count"]),
            (&json!(false), &json!(0))
        );

        // Its names and what lies open say nothing of what it is.
        let root = report["root_cid"].as_str().unwrap();
        let files = list(&node, root);
        assert_eq!(files.len(), 4, "{files:?}");
        for file in &files {
            let bytes = fetch(&node, root, file);
            let is_words = file == "README.txt";
            assert_eq!(is_words, !file.ends_with(".age"), "{file}");
            assert!(
                is_words || bytes.starts_with(b"age-encryption.org/v1\n"),
                "{file}"
            );
            let text = String::from_utf8_lossy(&bytes);
            assert!(
                !text.contains("Strand") && !text.contains("Am Meer"),
                "{file}"
            );
        }

        // Another implementation of the format opens it, with the key alone.
        let key = home.get(&format!("{path}/key")).await.json();
        let open = format!("/test/open?key={}", key["key"].as_str().unwrap());
        let index = node.json(&open, &fetch(&node, root, "index.json.age"));
        assert_eq!(index["collection"], "Am Meer");
        for file in index["files"].as_array().unwrap() {
            let sealed = fetch(&node, root, file["path"].as_str().unwrap());
            let (_, plain) = node.ask(&open, &sealed);
            assert_eq!(
                plain,
                home.original(file["name"].as_str().unwrap()),
                "{file}"
            );
        }

        // Both keep it, and it is known who chose that.
        let state = node.state();
        assert!(state["pins"].as_array().unwrap().contains(&json!(root)));
        assert_eq!(state["requests"][0]["pin"]["cid"], root);
        let standing = home.post(&format!("{path}/check"), &json!({})).await.json();
        assert_eq!(standing["state"], "published");
        assert_eq!(standing["consented_by"], "operator");
        let statuses: Vec<_> = standing["pins"].as_array().unwrap().iter().collect();
        assert_eq!(statuses.len(), 2);
        assert!(
            statuses.iter().all(|pin| pin["status"] == "pinned"),
            "{standing}"
        );

        // What a node throws away that it does not keep is nothing of this.
        let before = node.json("/test/collect", b"");
        assert_eq!(before["blocks"], state["blocks"]);

        // Again: the same names, and nothing is sent that is there.
        let again = home.publish(&path, &json!({})).await;
        assert_eq!(again["publication"]["root_cid"], root);
        assert_eq!(again["publication"]["sent"], 0);
        assert_eq!(node.state()["requests"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_a_collection_loses_is_let_go_of_when_it_is_published_again() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    let first = home.publish(&path, &json!({})).await;
    let members = path.replace("/publication", "/assets");
    let gone = home.asset("Düne.jpg").await;
    let added = home.asset("no date.jpg").await;
    let remove = format!("{members}/remove");
    let removed = home.post(&remove, &json!({ "assets": [gone] })).await;
    assert!(removed.status < 300, "{}", removed.text());
    home.post(&members, &json!({ "assets": [added] })).await;
    let second = home.publish(&path, &json!({})).await;
    assert_eq!(second["publication"]["sent"], 1, "{second}");
    let old = &first["publication"]["root_cid"];
    let new = second["publication"]["root_cid"].as_str().unwrap();
    assert_ne!(old, new);
    let state = node.state();
    let pins = state["pins"].as_array().unwrap();
    assert!(
        pins.contains(&json!(new)) && !pins.contains(old),
        "{pins:?}"
    );
    // Two originals and the folder.
    assert_eq!(pins.len(), 3, "{pins:?}");
    let requests = state["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["pin"]["cid"], new);
}

#[tokio::test]
async fn nothing_plain_goes_out_without_consent() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    let refused = home.post(&path, &json!({ "plain": true })).await;
    let problem = refused.assert_problem(409, "refused");
    assert!(
        problem["detail"].as_str().unwrap().contains("for ever"),
        "{problem}"
    );
    assert_eq!(node.state()["blocks"], 0);
    assert_eq!(home.get(&path).await.json()["state"], "none");

    let asked = json!({ "plain": true, "visible_to_everybody_for_ever": true });
    let run = home.publish(&path, &asked).await;
    let root = run["publication"]["root_cid"].as_str().unwrap();
    let files = list(&node, root);
    assert!(
        files.contains(&"originals/0001/Strand.jpg".to_owned()),
        "{files:?}"
    );
    let there = fetch(&node, root, "originals/0001/Strand.jpg");
    assert_eq!(there, home.original("Strand.jpg"));
    home.get(&format!("{path}/key"))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_not_for_the_whole_family_is_not_published_without_a_second_consent() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    let family = home.family().await;
    let db = home.db().await;
    let parents = db
        .create_audience(&Actor::Operator, family.id, "parents")
        .await
        .unwrap();
    db.close().await;
    let catalogue = home.library.folder().join("catalogue.db");
    let id = hex(parents.as_bytes());
    sql(
        &catalogue,
        &format!("UPDATE asset SET audience_id = x'{id}' WHERE name = 'Strand.jpg'"),
    );
    let refused = home.post(&path, &json!({})).await;
    let problem = refused.assert_problem(409, "refused");
    assert!(
        problem["detail"].as_str().unwrap().contains("Strand.jpg"),
        "{problem}"
    );
    assert_eq!(node.state()["blocks"], 0);
    let run = home
        .publish(&path, &json!({ "include_private": true }))
        .await;
    assert_eq!(run["publication"]["files"], 2, "{run}");
    assert_eq!(home.get(&path).await.json()["includes_private"], true);
}

#[tokio::test]
async fn a_collection_that_some_may_not_see_is_private_itself() {
    let node = IpfsNode::start();
    for database in [None, Some(postgres::database())] {
        let (home, _) = with_album(database, settings(&node)).await;
        let family = home.family().await;
        let db = home.db().await;
        let parents = db
            .create_audience(&Actor::Operator, family.id, "parents")
            .await
            .unwrap();
        let new = NewCollection {
            name: "Gifts".to_owned(),
            description: String::new(),
            query: None,
            audience_id: parents,
            assets: vec![home.asset("Strand.jpg").await.parse().unwrap()],
        };
        let made = db.create_collection_once(&Actor::Operator, family.id, new, None);
        let id: CollectionId = made.await.unwrap().id;
        db.close().await;
        let refused = home
            .post(&format!("/api/v1/collections/{id}/publication"), &json!({}))
            .await;
        refused.assert_problem(409, "refused");
    }
    assert_eq!(node.state()["blocks"], 0);
}

#[tokio::test]
async fn deleted_originals_are_never_published() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    let gone = home.asset("Strand.jpg").await;
    let deleted = home
        .ask("DELETE", &format!("/api/v1/assets/{gone}"), &[], None)
        .await;
    assert!(deleted.status < 300, "{}", deleted.text());
    let asked =
        json!({ "plain": true, "visible_to_everybody_for_ever": true, "include_private": true });
    let run = home.publish(&path, &asked).await;
    let root = run["publication"]["root_cid"].as_str().unwrap();
    let files = list(&node, root);
    assert!(
        !files.iter().any(|file| file.contains("Strand")),
        "{files:?}"
    );
}

#[tokio::test]
async fn unpinning_asks_all_who_keep_it() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    let unpin = format!("{path}/unpin");
    home.post(&unpin, &json!({}))
        .await
        .assert_problem(404, "not_found");
    home.publish(&path, &json!({})).await;
    let begun = home.ask("POST", &unpin, &[], None).await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    let run = home.wait(&begun.json()).await;
    assert_eq!(run["state"], "done", "{run}");
    let state = node.state();
    assert_eq!(
        (&state["pins"], &state["requests"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(node.json("/test/collect", b"")["blocks"], 0);
    let standing = home.get(&path).await.json();
    assert_eq!(
        (&standing["state"], &standing["pins"]),
        (&json!("unpinned"), &json!([]))
    );
    // The key stays: what others copied is opened with it.
    assert_eq!(standing["has_key"], true);
}

#[tokio::test]
async fn who_is_busy_or_down_for_a_moment_is_asked_again() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    node.fail(&json!([
        { "path": "/api/v0/dag/import", "count": 2, "status": 503 },
        { "path": "/api/v0/pin/ls", "count": 1, "status": 502, "body": "<html>" },
        { "path": "/psa/pins", "count": 2, "status": 429, "headers": { "retry-after": "0" } },
    ]));
    let run = home.publish(&path, &json!({})).await;
    assert_eq!(
        (&run["state"], &run["publication"]["problem_count"]),
        (&json!("done"), &json!(0)),
        "{run}"
    );
    assert_eq!(count(&node.state(), "dag/import"), 5);
}

#[tokio::test]
async fn what_ends_a_publication_is_told_and_doing_it_again_goes_on() {
    let mut quick = settings(&IpfsNode::start());
    // Nobody is there any more.
    let (home, path) = with_album(None, quick.clone()).await;
    let run = home.publish(&path, &json!({})).await;
    assert!(
        run["error"]
            .as_str()
            .unwrap()
            .contains("the IPFS node cannot be reached"),
        "{run}"
    );
    assert_eq!(home.get(&path).await.json()["state"], "failed");

    let node = IpfsNode::start();
    quick = IpfsSettings {
        patience: Duration::from_millis(700),
        ..settings(&node)
    };
    let (home, path) = with_album(None, quick).await;
    let cases = [
        (
            json!({ "path": "/api/v0/dag/import", "count": 1, "status": 200, "body": "rubbish" }),
            "cannot be read",
        ),
        (
            json!({ "path": "/api/v0/dag/import", "count": 1, "status": 403 }),
            "does not take the token",
        ),
        (
            json!({ "path": "/api/v0/dag/import", "count": 9, "silent": true }),
            "does not answer in time",
        ),
        (
            json!({ "path": "/api/v0/dag/import", "count": 1, "status": 500,
                "body": "{\"Message\":\"the disk is full\",\"Type\":\"error\"}" }),
            "the disk is full",
        ),
    ];
    for (fault, said) in cases {
        node.fail(&json!([fault]));
        let run = home.publish(&path, &json!({})).await;
        assert_eq!(run["state"], "failed", "{run}");
        assert!(
            run["error"].as_str().unwrap().contains(said),
            "{said}: {run}"
        );
    }
    node.fail(&json!([]));
    let run = home.publish(&path, &json!({})).await;
    assert_eq!(run["state"], "done", "{run}");
}

#[tokio::test]
async fn a_service_that_fails_does_not_undo_what_the_node_keeps() {
    let node = IpfsNode::start();
    let mut refused = settings(&node);
    let service = refused.service.as_mut().unwrap();
    service.token = Token::new("a wrong token");
    let (home, path) = with_album(None, refused).await;
    let run = home.publish(&path, &json!({})).await;
    assert_eq!(run["publication"]["problem_count"], 1, "{run}");
    let standing = home.get(&path).await.json();
    assert_eq!(standing["state"], "published");
    let text = standing.to_string() + &run.to_string();
    assert!(
        text.contains("the pinning service does not take the token"),
        "{text}"
    );
    assert!(!text.contains("a wrong token"), "{text}");
}

#[tokio::test]
async fn a_request_whose_answer_was_never_heard_is_not_made_twice() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    home.publish(&path, &json!({})).await;
    let catalogue = home.library.folder().join("catalogue.db");
    sql(
        &catalogue,
        "UPDATE publication_pin SET request_id = NULL WHERE place = 'service'",
    );
    let run = home.publish(&path, &json!({})).await;
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!(node.state()["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_original_that_rotted_is_named_and_not_published() {
    let node = IpfsNode::start();
    let (home, path) = with_album(None, settings(&node)).await;
    let file = home.folder.path().join("Pictures/Am Meer/Strand.jpg");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let times = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, bytes).unwrap();
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(times)
        .unwrap();
    let run = home.publish(&path, &json!({})).await;
    let report = &run["publication"];
    assert_eq!(
        (&report["files"], &report["problem_count"]),
        (&json!(1), &json!(1)),
        "{run}"
    );
    assert_eq!(report["problems"][0]["name"], "Strand.jpg");
}

#[tokio::test]
async fn an_archive_is_written_without_anybody_and_brought_into_another_library() {
    let (home, path) = with_album(None, IpfsSettings::default()).await;
    let file = home.folder.path().join("Am Meer.car");
    let asked = json!({ "path": file });
    home.post(&path, &json!({}))
        .await
        .assert_problem(409, "refused");
    let run = home.publish(&path, &asked).await;
    assert_eq!(run["state"], "done", "{run}");
    home.post(&path, &asked)
        .await
        .assert_problem(409, "refused");
    let key = home.get(&format!("{path}/key")).await.json();

    let other = Home::on_sqlite().await;
    let import = async |asked: Json| {
        let begun = other.post("/api/v1/publication-imports", &asked).await;
        assert_eq!(begun.status, 201, "{}", begun.text());
        other.wait(&begun.json()).await
    };
    let without = import(json!({ "path": file, "process": false })).await;
    assert!(
        without["error"]
            .as_str()
            .unwrap()
            .contains("no key was given"),
        "{without}"
    );
    let asked = json!({ "path": file, "key": key["key"], "process": false });
    let run = import(asked.clone()).await;
    assert_eq!(run["import"]["added"], 2, "{run}");
    assert!(!run.to_string().contains("AGE-SECRET-KEY"), "{run}");
    other.asset("Strand.jpg").await;

    // One flipped bit is told with the block that has it.
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
    let run = import(asked).await;
    let error = run["error"].as_str().unwrap();
    assert!(
        error.contains("block baf") && error.contains("is damaged"),
        "{run}"
    );
}

fn sql(catalogue: &Path, statement: &str) {
    // It knows of no checksums, so the server is left to fold what it writes into the file.
    let done = Command::new("sqlite3")
        .args(["-cmd", ".dbconfig no_ckpt_on_close on"])
        .arg(catalogue)
        .arg(statement)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
