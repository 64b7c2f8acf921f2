//! Two servers, each a process of its own, with one PostgreSQL and one store of blobs.

use std::{
    fs,
    os::unix::fs::symlink,
    time::{Duration, Instant},
};

use heirloom_testing::{
    http, jpeg, postgres,
    process::{PATIENCE, Running, free_address},
};
use serde_json::Value as Json;

use crate::harness::{path, program};

/// How many photographs there are: enough for the second server to come in time.
const FILES: u64 = 1500;

#[test]
fn two_servers_share_a_run_without_doing_a_unit_twice() {
    let place = tempfile::tempdir().unwrap();
    let database = postgres::database();
    let root = place.path().join("library");
    fs::create_dir(&root).unwrap();
    for number in 0..FILES {
        let bytes = jpeg::tiny(number, &jpeg::Options::varied(number));
        fs::write(root.join(format!("{number:04}.jpg")), bytes).unwrap();
    }
    let [one, other] = ["one", "other"].map(|name| {
        let heirloom = program().data(place.path().join(name));
        heirloom.env("HEIRLOOM_DATABASE", &database.url)
    });
    let _ = one
        .run(["scan", "--no-process", path(&root)])
        .expect_code(0);
    // What they make lies in one place.
    fs::create_dir(place.path().join("other")).unwrap();
    symlink(
        place.path().join("one/blobs"),
        place.path().join("other/blobs"),
    )
    .unwrap();
    let addresses = [free_address(), free_address()];
    let servers = [(&one, addresses[0]), (&other, addresses[1])].map(|(heirloom, address)| {
        let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
        server.wait_until_ready(address);
        server
    });

    let run = one.run(["run", "start", "prepare", "--json"]);
    let run = run.expect_code(0).json()["id"].as_str().unwrap().to_owned();
    let json = |address, path: &str| -> Json {
        let answer = http::get(address, path, &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        serde_json::from_slice(&answer.body).unwrap()
    };
    let started = Instant::now();
    let mut have_worked = [false; 2];
    // Each of them sees the same run, and where it stands.
    while json(addresses[1], &format!("/api/v1/runs/{run}"))["state"] != "done" {
        assert!(started.elapsed() < 3 * PATIENCE, "the run does not end");
        for (server, has_worked) in servers.iter().zip(&mut have_worked) {
            *has_worked |= has_child(server);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(have_worked, [true, true], "both of them work on it");

    let steps = json(addresses[0], &format!("/api/v1/runs/{run}"))["steps"].clone();
    assert_eq!(steps[0]["done"], FILES, "{steps}");
    let mut units = 0;
    let mut after = String::new();
    loop {
        let page = format!("/api/v1/runs/{run}/units?limit=500{after}");
        let page = json(addresses[0], &page);
        for unit in page["items"].as_array().unwrap() {
            assert_eq!(
                unit["attempts"], 1,
                "somebody began what another had: {unit}"
            );
            units += 1;
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    // Each has its pictures, and those that say where they are from have a name of that.
    let steps = steps.as_array().unwrap();
    let place = steps.iter().find(|step| step["step"] == "place").unwrap();
    assert_eq!(units, FILES + place["done"].as_u64().unwrap());
    // Once more there is nothing to do, for neither.
    for heirloom in [&one, &other] {
        let again = heirloom.run(["run", "start", "prepare", "--wait", "--json"]);
        let again = again.expect_code(0).json();
        assert_eq!(again["steps"][0]["present"], FILES, "{again}");
    }
    for server in servers {
        let _ = server.stop().expect_code(0);
    }
}

/// Whether a process of its own works for a server.
fn has_child(server: &Running) -> bool {
    let id = server.id();
    let threads = fs::read_dir(format!("/proc/{id}/task"))
        .into_iter()
        .flatten();
    threads.flatten().any(|thread| {
        let children = fs::read_to_string(thread.path().join("children"));
        children.is_ok_and(|children| !children.trim().is_empty())
    })
}
