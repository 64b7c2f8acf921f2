//! A collection on IPFS: published, killed in the middle, opened again with the key and the program alone.

use std::{fs, path::PathBuf, time::Duration};

use heirloom_testing::{ipfs::IpfsNode, process::free_address};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path, program};

/// A library with the album "Am Meer" that knows this node.
fn home(node: &IpfsNode) -> Home {
    let mut home = Home::scanned();
    let (strand, duene) = (home.asset("Strand.jpg"), home.asset("Düne.jpg"));
    home.done(["collection", "create", "Am Meer", &strand, &duene]);
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_IPFS_NODE", &node.rpc())
        .env("HEIRLOOM_IPFS_SERVICE", &node.service())
        .env("HEIRLOOM_IPFS_SERVICE_TOKEN", IpfsNode::TOKEN);
    home
}

impl Home {
    fn original(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("Pictures/Am Meer").join(name)).unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn a_published_collection_is_opened_with_its_key_and_the_program_alone() {
    let node = IpfsNode::start();
    let home = home(&node);
    let run = home.json(["ipfs", "publish", "Am Meer"]);
    let root = run["publication"]["root_cid"].as_str().unwrap();
    let status = home.json(["ipfs", "status", "Am Meer"]);
    assert_eq!(status["items"][0]["root_cid"], root);
    assert_eq!(
        status["items"][0]["pins"][1]["status"], "pinned",
        "{status}"
    );

    // The same name, whether it is sent or written to an archive.
    let (car, key) = (home.at("Am Meer.car"), home.at("key.txt"));
    let exported = home.json(["ipfs", "export", "Am Meer", path(&car)]);
    assert_eq!(exported["publication"]["root_cid"], root);
    let shown = home.done(["ipfs", "key", "Am Meer"]);
    fs::write(&key, format!("# Am Meer\n{}", shown.stdout)).unwrap();

    let album = home.at("Album");
    let bare = program();
    let open = ["ipfs", "open", path(&car), path(&album)];
    assert_refusal(&bare.run(open).expect_code(2));
    let with_key = [&open[..], &["--key-file", path(&key), "--json"]].concat();
    let opened = bare.run(&with_key).expect_code(0).json();
    assert_eq!(
        (&opened["files"], &opened["collection"]),
        (&json!(2), &json!("Am Meer"))
    );
    for name in ["Strand.jpg", "Düne.jpg"] {
        assert_eq!(fs::read(album.join(name)).unwrap(), home.original(name));
    }
    // What is whole stays, and what is missing comes.
    fs::remove_file(album.join("Strand.jpg")).unwrap();
    assert_eq!(bare.run(&with_key).expect_code(0).json()["files"], 2);
    assert!(album.join("Strand.jpg").exists());

    // One file by itself, as it was fetched.
    let listed = node.json(&format!("/test/list?path={root}"), b"");
    let listed = listed.as_array().unwrap().iter();
    let name = listed
        .filter_map(Json::as_str)
        .find(|it| it.starts_with("originals/"));
    let (_, sealed) = node.ask(&format!("/test/file?path={root}/{}", name.unwrap()), b"");
    fs::write(home.at("one.age"), sealed).unwrap();
    let (one, out) = (home.at("one.age"), home.at("one.jpg"));
    let open_one = [
        "ipfs",
        "open",
        path(&one),
        path(&out),
        "--key-file",
        path(&key),
    ];
    let _ = bare.run(open_one).expect_code(0);
    let opened = fs::read(&out).unwrap();
    assert!(opened == home.original("Strand.jpg") || opened == home.original("Düne.jpg"));

    // The key of somebody else, and a flipped bit.
    home.done(["collection", "create", "Other", &home.asset("no date.jpg")]);
    home.done(["ipfs", "publish", "Other"]);
    let other = home.at("other.txt");
    fs::write(&other, home.done(["ipfs", "key", "Other"]).stdout).unwrap();
    let elsewhere = home.at("Elsewhere");
    let wrong = [
        "ipfs",
        "open",
        path(&car),
        path(&elsewhere),
        "--key-file",
        path(&other),
    ];
    let said = assert_refusal(&bare.run(wrong).expect_code(2));
    assert!(said.contains("sealed for another"), "{said}");
    let mut bytes = fs::read(&car).unwrap();
    let at = bytes.len() - 200;
    bytes[at] ^= 1;
    fs::write(&car, bytes).unwrap();
    let said = assert_refusal(&bare.run(&with_key[..with_key.len() - 1]).expect_code(2));
    assert!(
        said.contains("block baf") && said.contains("is damaged"),
        "{said}"
    );
}

#[test]
fn a_node_that_wants_a_login_is_told_it_and_nobody_else_is() {
    let node = IpfsNode::start();
    let home = home(&node);
    // anna:the secret of anna
    node.want_login("Basic YW5uYTp0aGUgc2VjcmV0IG9mIGFubmE=");
    let said = home.refused(["ipfs", "publish", "Am Meer"]);
    assert!(said.contains("the IPFS node does not take"), "{said}");
    let doctor = home.heirloom.run(["doctor"]);
    let told = doctor.stdout + &doctor.stderr;
    assert!(told.contains("ipfs_node_login_file"), "{told}");

    let file = home.at("login");
    fs::write(&file, "basic:anna:the secret of anna\n").unwrap();
    let known = home
        .heirloom
        .clone()
        .env("HEIRLOOM_IPFS_NODE_LOGIN_FILE", path(&file));
    let _ = known.run(["ipfs", "publish", "Am Meer"]).expect_code(0);
    let shown = known.run(["config", "show"]).expect_code(0).stdout;
    assert!(
        shown.contains("ipfs_node_login") && !shown.contains("of anna"),
        "{shown}"
    );
    node.want_login("Bearer a token");
    let bearer = home
        .heirloom
        .clone()
        .env("HEIRLOOM_IPFS_NODE_LOGIN", "bearer:a token");
    let _ = bearer.run(["ipfs", "status"]).expect_code(0);
    let wrong = home
        .heirloom
        .clone()
        .env("HEIRLOOM_IPFS_NODE_LOGIN", "the secret of anna");
    let refused = wrong.run(["config", "show"]).expect_code(2).stderr;
    assert!(
        refused.contains("bearer:TOKEN") && !refused.contains("of anna"),
        "{refused}"
    );
}

#[test]
fn the_doctor_says_what_is_wrong_with_what_is_published() {
    let mut node = IpfsNode::start();
    let home = home(&node);
    let checks = |home: &Home| -> Vec<Json> {
        let doctor = home.heirloom.run(["doctor", "--json"]).json();
        let checks = doctor["checks"].as_array().unwrap().iter();
        let ours = |check: &&Json| {
            ["ipfs node", "publications"].contains(&check["name"].as_str().unwrap())
        };
        checks.filter(ours).cloned().collect()
    };
    home.done(["ipfs", "publish", "Am Meer"]);
    let well = checks(&home);
    assert_eq!(well.len(), 2, "{well:?}");
    assert!(
        well.iter().all(|check| check["is_well"] == true),
        "{well:?}"
    );
    // The node let go of it behind our back, and then it is gone.
    let root = home.json(["ipfs", "status"])["items"][0]["root_cid"].clone();
    let _ = node.ask(
        &format!("/api/v0/pin/rm?arg={}", root.as_str().unwrap()),
        b"",
    );
    let _ = home.heirloom.run(["ipfs", "status"]).expect_code(1);
    let lost = checks(&home);
    let told = lost[1]["detail"].as_str().unwrap();
    assert!(
        told.contains("\"Am Meer\": the IPFS node: it does not keep it any more"),
        "{told}"
    );
    node.stop();
    let away = checks(&home);
    assert_eq!(away[0]["is_well"], false, "{away:?}");
    assert!(
        away[0]["detail"]
            .as_str()
            .unwrap()
            .contains("cannot be reached"),
        "{away:?}"
    );
}

#[test]
fn what_an_archive_says_of_its_originals_comes_in_with_them() {
    let node = IpfsNode::start();
    let home = home(&node);
    let strand = home.asset("Strand.jpg");
    home.done(["claim", "make", &strand, "title", "Am Strand"]);
    home.done(["claim", "make", &strand, "date", "1942~"]);
    let (car, key) = (home.at("Am Meer.car"), home.at("key.txt"));
    home.done(["ipfs", "export", "Am Meer", path(&car)]);
    fs::write(&key, home.done(["ipfs", "key", "Am Meer"]).stdout).unwrap();
    let other = Home::new();
    other.done([
        "add",
        path(&home.folder.path().join("Pictures/no date.jpg")),
    ]);
    other.done(["ipfs", "import", path(&car), "--key-file", path(&key)]);
    let asset = other.json(["asset", "show", &other.asset("Strand.jpg")]);
    assert_eq!(asset["title"], "Am Strand", "{asset}");
    assert_eq!(asset["date"], "1942~", "{asset}");
}

#[test]
fn what_is_published_goes_along_with_an_export() {
    let node = IpfsNode::start();
    let home = home(&node);
    home.done(["ipfs", "publish", "Am Meer"]);
    let before = home.json(["ipfs", "status"])["items"][0].clone();
    let out = home.at("taken along");
    home.done(["export", path(&out)]);
    let other = Home::new();
    other.done(["import", path(&out)]);
    // Nobody can be asked without a node, which is told.
    let status = other.heirloom.run(["ipfs", "status", "--json"]);
    let after = status.expect_code(1).json()["items"][0].clone();
    for field in [
        "root_cid",
        "state",
        "files",
        "bytes",
        "is_plain",
        "published_at_ms",
    ] {
        assert_eq!(after[field], before[field], "{field}: {after}");
    }
    let folders = |item: &Json| -> Vec<(Json, Json)> {
        let pins = item["pins"].as_array().unwrap().iter();
        pins.map(|pin| (pin["place"].clone(), pin["cid"].clone()))
            .collect()
    };
    assert_eq!(folders(&after), folders(&before));
    // Imported once more, nothing changes; and whoever has it now can have it let go of.
    other.done(["import", path(&out)]);
    let other = Home {
        heirloom: other
            .heirloom
            .env("HEIRLOOM_IPFS_NODE", &node.rpc())
            .env("HEIRLOOM_IPFS_SERVICE", &node.service())
            .env("HEIRLOOM_IPFS_SERVICE_TOKEN", IpfsNode::TOKEN),
        ..other
    };
    other.done(["ipfs", "unpin", "Am Meer"]);
    assert_eq!(node.state()["pins"], json!([]));
}

#[test]
fn nothing_goes_out_that_nobody_consented_to() {
    let node = IpfsNode::start();
    let home = home(&node);
    let said = home.refused(["ipfs", "publish", "Am Meer", "--plain"]);
    assert!(said.contains("--visible-to-everybody-for-ever"), "{said}");
    home.refused(["ipfs", "unpin", "Am Meer"]);
    home.refused(["ipfs", "key", "Am Meer"]);
    assert_eq!(node.state()["blocks"], 0);
    home.done([
        "ipfs",
        "publish",
        "Am Meer",
        "--plain",
        "--visible-to-everybody-for-ever",
    ]);
    home.done(["ipfs", "unpin", "Am Meer"]);
    let state = node.state();
    assert_eq!(
        (&state["pins"], &state["requests"]),
        (&json!([]), &json!([]))
    );
}

#[test]
fn a_file_is_called_what_a_node_calls_it() {
    let node = IpfsNode::start();
    let home = Home::new();
    let file = home.at("film.bin");
    fs::write(&file, vec![7; 700_000]).unwrap();
    for layout in ["kubo", "unixfs-v1-2025"] {
        let named = program().env("HEIRLOOM_IPFS_LAYOUT", layout);
        let named = named
            .run(["ipfs", "cid", path(&file), "--json"])
            .expect_code(0);
        assert_eq!(named.json()["cid"], node.cid_of(&vec![7; 700_000], layout));
    }
}

#[test]
fn a_server_that_is_killed_in_the_middle_goes_on_when_it_is_back() {
    let node = IpfsNode::start();
    let home = home(&node);
    // It takes the first original, and says nothing to the second.
    node.fail(&json!([
        { "path": "/api/v0/dag/import", "count": 1, "skip": 1, "silent": true }
    ]));
    let listen = free_address();
    let serve = ["serve", "--listen", &listen.to_string()];
    let mut server = home.heirloom.start(serve);
    server.wait_until_ready(listen);
    let mut publishing = home.heirloom.start(["ipfs", "publish", "Am Meer"]);
    while imports(&node) < 2 {
        assert!(!publishing.has_ended(), "{}", publishing.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
    server.kill();
    publishing.wait();
    let status = home.heirloom.run(["ipfs", "status", "--json"]);
    assert_eq!(status.json()["items"][0]["state"], "publishing");

    node.fail(&json!([]));
    let mut server = home.heirloom.start(serve);
    server.wait_until_ready(listen);
    loop {
        let status = home.heirloom.run(["ipfs", "status", "--json"]).json();
        let item = &status["items"][0];
        assert_ne!(item["state"], "failed", "{status}");
        if item["state"] == "published" {
            assert_eq!(item["files"], 2);
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // The first original was there: the second, and the folder.
    assert_eq!(imports(&node), 4);
    server.stop();
}

fn imports(node: &IpfsNode) -> usize {
    let state = node.state();
    let log = state["log"].as_array().unwrap().iter();
    log.filter(|line| line.as_str().unwrap().contains("dag/import"))
        .count()
}

#[test]
fn what_is_configured_of_ipfs_is_checked_and_its_token_never_shown() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    let (file, token) = (home.data().join("config.toml"), home.at("token"));
    let refused = |text: &str| {
        fs::write(&file, text).unwrap();
        let finished = home.heirloom.run(["config", "show"]).expect_code(2);
        finished.stderr
    };
    assert!(refused("ipfs_node = \"localhost\"\n").contains("127.0.0.1:5001"));
    let secret = "ipfs_service = \"https://anna:secret@pins.example\"\n";
    assert!(!refused(secret).contains("anna"));
    let without = "ipfs_service = \"https://pins.example/psa\"\n";
    assert!(refused(without).contains("no token"));
    assert!(refused("ipfs_layout = \"other\"\n").contains("unixfs-v1-2025"));
    fs::write(&token, "the secret token\n").unwrap();
    fs::write(
        &file,
        format!("{without}ipfs_service_token_file = {:?}\n", path(&token)),
    )
    .unwrap();
    let shown = home.done(["config", "show"]).stdout;
    assert!(
        shown.contains("https://pins.example/psa") && !shown.contains("the secret"),
        "{shown}"
    );
}
