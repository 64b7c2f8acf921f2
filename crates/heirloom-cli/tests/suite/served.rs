//! Commands act through a running server.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixDatagram,
    process::Stdio,
    time::Duration,
};

use heirloom_testing::{
    jpeg::{self, Options},
    process::{Running, free_address},
};
use serde_json::Value as Json;

use crate::harness::{Home, path, program};

fn serve(home: &Home) -> (Running, SocketAddr) {
    let address = free_address();
    let listen = address.to_string();
    let mut server = home.heirloom.start(["serve", "--listen", &listen]);
    server.wait_until_ready(address);
    (server, address)
}

#[test]
fn every_command_acts_through_the_running_server() {
    let home = Home::scanned();
    let alone = home.json(["asset", "list"]);
    let (mut server, address) = serve(&home);
    server.wait_for_line(&format!("Heirloom is at http://{address}"));
    assert_eq!(home.json(["asset", "list"]), alone);
    let id = home.asset("Strand.jpg");
    home.done(["claim", "make", &id, "title", "Am Strand"]);
    let found = home.json(["search", "am strand"]);
    assert_eq!(found["items"][0]["title"], "Am Strand");
    assert_eq!(home.json(["doctor"])["is_well"], true);
    home.done(["fsck"]);
    let unknown = "01a1fd5a-0000-7000-8000-000000000000";
    let refused = home.heirloom.run(["asset", "show", unknown]).expect_code(2);
    assert_eq!(
        refused.stderr,
        format!("error: there is no asset {unknown}\n")
    );
    let finished = server.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(!home.data().join("socket").exists());
    // What was said through the server is there without it.
    assert_eq!(home.json(["asset", "show", &id])["title"], "Am Strand");
}

#[test]
fn whoever_watches_a_server_is_told_when_it_is_ready_and_when_it_stops() {
    let home = Home::scanned();
    let none = home.heirloom.run(["health"]).expect_code(1);
    assert!(none.stderr.contains("no server answers"), "{}", none.stderr);
    // What systemd listens at.
    let notices = home.folder.path().join("notices");
    let listener = UnixDatagram::bind(&notices).unwrap();
    listener
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let notice = || {
        let mut bytes = [0; 100];
        let length = listener.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let watched = program()
        .data(home.data())
        .env("NOTIFY_SOCKET", path(&notices));
    let server = watched.start(["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(notice(), "READY=1\n");
    // It can be asked as soon as it said so.
    assert_eq!(home.done(["health"]).stdout, "ready\n");
    assert_eq!(home.json(["health"])["status"], "ok");
    let finished = server.stop();
    assert_eq!(notice(), "STOPPING=1\n");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(home.heirloom.run(["health"]).code, Some(1));
}

#[test]
fn asking_for_health_makes_no_library() {
    let home = Home::new();
    assert_eq!(home.heirloom.run(["health"]).code, Some(1));
    assert!(!home.data().exists());
}

#[test]
fn commands_act_through_a_scan_that_runs_by_itself() {
    let home = Home::scanned();
    let mut scan = home.heirloom.start(["scan", path(&home.endless())]);
    let socket = home.data().join("socket");
    while !socket.exists() {
        assert!(!scan.has_ended(), "{}", scan.stderr());
        std::thread::sleep(Duration::from_millis(2));
    }
    let id = home.asset("Strand.jpg");
    home.done(["claim", "make", &id, "title", "Am Strand"]);
    // The command answers others a moment before its own scan begins.
    let running = std::iter::repeat_with(|| {
        assert!(!scan.has_ended(), "{}", scan.stderr());
        home.json(["run", "list"])["items"][0].clone()
    })
    .find(|run| run["pipeline"] == "scan" && run["state"] == "running")
    .unwrap();
    let said = home.refused(["scan", path(&home.folder.path().join("Pictures"))]);
    assert!(said.contains("ends with it"), "{said}");
    assert!(said.contains("start `heirloom serve` first"), "{said}");
    let said = home.refused(["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains(&format!("process {}", scan.id())), "{said}");
    assert!(
        said.contains("`heirloom serve` was started first"),
        "{said}"
    );
    home.done(["run", "cancel", running["id"].as_str().unwrap()]);
    assert_eq!(scan.wait().code, Some(1));
    assert!(!socket.exists());
    assert_eq!(home.json(["asset", "show", &id])["title"], "Am Strand");
}

#[test]
fn a_search_is_asked_once() {
    let home = Home::scanned();
    let (server, address) = serve(&home);
    home.done(["search", "strand"]);
    let metrics = get(address, "/metrics");
    let asked = metrics
        .lines()
        .find(|line| line.contains("route=\"/api/v1/search\"") && !line.contains("_seconds"));
    assert!(asked.is_some_and(|line| line.ends_with(" 1")), "{metrics}");
    drop(server);
}

/// What the server answers to a plain request.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_scan_is_left_to_the_server_or_waited_for() {
    let home = Home::scanned();
    let (server, _) = serve(&home);
    let root = home.folder.path().join("Pictures");
    let report = home.folder.path().join("r.jsonl");
    home.done(["scan", path(&root), "--report", path(&report)]);
    assert_eq!(fs::read_to_string(&report).unwrap().lines().count(), 5);
    let many = home.many(100);
    let run = home.json(["scan", path(&many), "--no-wait", "--no-process"]);
    let id = run["id"].as_str().unwrap();
    let ended = wait(&home, id);
    assert_eq!(
        (&ended["state"], &ended["report"]["new"]),
        (&"done".into(), &100.into())
    );
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_run_can_be_cancelled_from_another_command() {
    let home = Home::scanned();
    let (server, _) = serve(&home);
    let endless = home.endless();
    let run = home.json(["scan", path(&endless), "--no-wait", "--no-process"]);
    let id = run["id"].as_str().unwrap();
    // The first scan holds the archive.
    let said = home.refused(["scan", path(&endless)]);
    assert!(said.contains("is being scanned already"), "{said}");
    home.json(["run", "cancel", id]);
    assert_eq!(wait(&home, id)["state"], "cancelled");
    let said = home
        .heirloom
        .run(["run", "cancel", id])
        .expect_code(2)
        .stderr;
    assert!(said.contains("cannot be cancelled"), "{said}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_stopped_server_goes_on_with_its_scan_when_it_starts_again() {
    let home = Home::scanned();
    let (server, _) = serve(&home);
    let endless = home.endless();
    let run = home.json(["scan", path(&endless), "--no-wait", "--no-process"]);
    let id = run["id"].as_str().unwrap();
    let finished = server.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let state = home.json(["run", "status", id])["state"].clone();
    assert_eq!(state, "running", "it has not ended");
    let doctor = home.heirloom.run(["doctor"]).expect_code(1);
    let said = doctor.stdout;
    assert!(said.contains("1 run was interrupted"), "{said}");
    fs::write(endless.join("z.mov"), "short").unwrap();
    let (server, _) = serve(&home);
    assert_eq!(wait(&home, id)["state"], "done");
    server.kill();
    // A socket that nobody answers any more is no obstacle.
    assert!(home.data().join("socket").exists());
    assert_eq!(home.json(["doctor"])["counts"]["assets"], 5);
    let (server, _) = serve(&home);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_second_server_is_refused() {
    let home = Home::scanned();
    let (server, address) = serve(&home);
    let said = home.refused(["serve", "--listen", "127.0.0.1:0"]);
    assert!(
        said.contains(&format!("in use by process {}", server.id())),
        "{said}"
    );
    let other = Home::scanned();
    let said = other.refused(["serve", "--listen", &address.to_string()]);
    assert!(said.contains("is in use by another program"), "{said}");
    let said = other.refused(["serve", "--listen", "0.0.0.0:8480"]);
    assert!(said.contains("there are no accounts yet"), "{said}");
    drop(server);
}

#[test]
fn log_lines_are_json_when_asked() {
    let home = Home::scanned();
    let address = free_address().to_string();
    let mut server = home
        .heirloom
        .start(["serve", "--listen", &address, "--log-format", "json"]);
    let line = server.wait_for_line("\"ready\"");
    let line: Json = serde_json::from_str(&line).unwrap();
    assert_eq!(line["message"], "ready");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["address"], address.as_str());
    let finished = server.stop();
    assert!(
        finished
            .stderr
            .lines()
            .all(|line| serde_json::from_str::<Json>(line).is_ok())
    );
    assert!(
        finished.stderr.contains("\"stopped\""),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_program_that_stops_reading_is_no_error() {
    let home = Home::new();
    let root = home.folder.path().join("library");
    heirloom_testing::jpeg::write_library(&root, 2_000, 5_000);
    home.done(["scan", path(&root)]);
    let mut command = home.heirloom.command(["asset", "list", "--limit", "2000"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_rots_in_the_vault_is_named_until_somebody_hands_it_in_again() {
    let home = Home::scanned();
    let file = home.folder.path().join("Oma.jpg");
    fs::write(&file, jpeg::tiny(77, &Options::varied(77))).unwrap();
    home.done(["add", path(&file)]);
    let hash = blake3::hash(&fs::read(&file).unwrap()).to_hex().to_string();
    let blobs = heirloom_testing::tree::files_below(&home.data().join("blobs"));
    let blob = blobs
        .iter()
        .find(|blob| path(blob).ends_with(&hash[4..]))
        .unwrap();
    fs::remove_file(blob).unwrap();
    fs::write(blob, "rotten").unwrap();
    fs::write(home.data().join("config.toml"), "scrub_rate = \"1 GB\"\n").unwrap();
    let (server, _) = serve(&home);
    let scrub = scrubbed(&home);
    assert_eq!(
        (
            &scrub["passes"][0]["damaged"],
            &scrub["passes"][0]["mended"]
        ),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (
            &scrub["damaged"][0]["asset_name"],
            &scrub["damaged"][0]["copies"]
        ),
        (&"Oma.jpg".into(), &0.into())
    );
    let said = home.done(["scrub"]).stdout;
    assert!(
        said.contains("Oma.jpg") && said.contains("no other copy is known"),
        "{said}"
    );
    let said = home.heirloom.run(["doctor"]).expect_code(1).stdout;
    assert!(said.contains("`heirloom scrub` names them"), "{said}");
    home.done(["add", path(&file)]);
    assert_eq!(home.json(["scrub"])["damaged"], Json::Array(Vec::new()));
    assert_eq!(server.stop().code, Some(0));
}

/// What the first reading of everything found.
fn scrubbed(home: &Home) -> Json {
    for _ in 0..3_000 {
        let scrub = home.json(["scrub"]);
        if scrub["passes"][0]["ended_at_ms"].is_i64() {
            return scrub;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the reading did not end");
}

/// Waits until a run has ended.
fn wait(home: &Home, id: &str) -> Json {
    for _ in 0..3_000 {
        let run = home.json(["run", "status", id]);
        if run["ended_at_ms"].is_i64() && run["report"].is_object() {
            return run;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the run did not end");
}
