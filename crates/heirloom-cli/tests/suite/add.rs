//! Handing files over by the real program: what it says, and that nothing is lost or sent twice.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use heirloom_testing::{
    http,
    jpeg::{self, Options},
    process::{PATIENCE, Running, free_address},
};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path, redacted};

impl Home {
    /// A photograph of about that length, in a folder of what is to be handed over.
    fn photo(&self, name: &str, seed: u64, padding_bytes: usize) -> PathBuf {
        let folder = self.folder.path().join("handed over");
        fs::create_dir_all(&folder).unwrap();
        let options = Options {
            taken: Some("1974:07:01 10:00:00".to_owned()),
            padding_bytes,
            ..Options::default()
        };
        let file = folder.join(name);
        fs::write(&file, jpeg::tiny(seed, &options)).unwrap();
        file
    }

    fn serve(&self) -> (Running, SocketAddr) {
        let address = free_address();
        let listen = address.to_string();
        let mut server = self.heirloom.start(["serve", "--listen", &listen]);
        server.wait_until_ready(address);
        (server, address)
    }

    /// That each of these files is one asset whose bytes are its own, and that all else is sound.
    #[track_caller]
    fn assert_added(&self, files: &[PathBuf]) {
        let (server, address) = self.serve();
        let list = self.json(["asset", "list", "--limit", "500"]);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), files.len(), "{list:#}");
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            let id = self.asset(name);
            let original = http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
            assert!(original.body == fs::read(file).unwrap(), "{name}");
        }
        let report = self.json(["fsck"]);
        assert_eq!(report["faults"], 0, "{report}");
        assert_eq!(server.stop().code, Some(0));
    }

    /// What has come of files that are not added yet.
    fn parts(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data().join("uploads"))
            .into_iter()
            .flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn it_is_said_of_each_file_what_became_of_it() {
    let home = Home::scanned();
    let known = home.folder.path().join("Pictures/Am Meer/Strand.jpg");
    let new = home.photo("Oma.jpg", 1, 0);
    let large = home.photo("Opa.jpg", 2, 2_000_000);
    let empty = home.folder.path().join("empty.jpg");
    fs::write(&empty, "").unwrap();
    let folder = home.folder.path().join("Pictures");
    redacted(|| {
        let all = ["add", path(&new), path(&large), path(&new), path(&known)];
        insta::assert_snapshot!(home.done(all).stdout);
        insta::assert_snapshot!(home.done(["add", path(&large)]).stdout);
        let some = [
            "add",
            path(&folder),
            path(&empty),
            path(&known),
            "/nowhere.jpg",
        ];
        let some = home.heirloom.run(some).expect_code(1);
        insta::assert_snapshot!(some.stdout + &some.stderr);
        let other = home.photo("Letter.jpg", 3, 0);
        let list = [
            "add",
            path(&other),
            path(&known),
            path(&folder),
            "--no-process",
            "--json",
        ];
        let list = home.heirloom.run(list).expect_code(1);
        insta::assert_snapshot!(list.stdout);
    });
    for refused in [path(&folder), path(&empty), "/nowhere.jpg"] {
        let finished = home.heirloom.run(["add", refused]).expect_code(2);
        assert_refusal(&finished);
    }
    let none = home.heirloom.run(["add", path(&empty), "/nowhere.jpg"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    // One run for each handing over that sent something, and it says whether to process. What follows is waited for.
    let runs = home.json(["run", "list"]);
    let runs = runs["items"].as_array().unwrap().iter();
    assert!(runs.clone().all(|run| run["state"] == "done"), "{runs:?}");
    let prepared = runs.clone().filter(|run| run["pipeline"] == "prepare");
    assert_eq!(
        prepared
            .map(|run| run["assets"].clone())
            .collect::<Vec<_>>(),
        [json!(2), json!(4)]
    );
    let runs = runs.filter(|run| run["pipeline"] != "prepare");
    let told: Vec<_> = runs
        .map(|run| {
            (
                run["pipeline"].clone(),
                run["parameters"]["process"].clone(),
                run["progress"]["files_done"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!("add"), json!(false), json!(1)),
            (json!("add"), json!(true), json!(2)),
            (json!("scan"), json!(true), json!(5)),
        ]
    );
    assert!(home.parts().is_empty());
}

#[test]
fn the_first_files_that_are_handed_over_begin_a_library() {
    let home = Home::new();
    home.refused(["add", "/nowhere.jpg"]);
    assert!(!home.data().exists(), "nothing was begun for nothing");
    let files = [home.photo("a.jpg", 1, 0), home.photo("b.jpg", 2, 3_000_000)];
    home.done(["add", path(&files[0]), path(&files[1])]);
    home.assert_added(&files);
}

#[test]
fn a_file_that_is_larger_than_is_taken_is_refused() {
    let home = Home::new();
    let file = home.photo("a.jpg", 1, 5000);
    let small = home.heirloom.clone().env("HEIRLOOM_MAX_UPLOAD", "5 kB");
    let finished = small.run(["add", path(&file)]).expect_code(2);
    let said = assert_refusal(&finished);
    assert!(said.contains("at most 5000"), "{said}");
}

/// A request that sends less than it says, over a connection that stays open.
fn send_half(
    address: SocketAddr,
    upload: &str,
    offset: usize,
    length: usize,
    bytes: &[u8],
) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nhost: {address}\r\ntus-resumable: 1.0.0\r\nupload-offset: {offset}\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

pub(crate) fn announce(address: SocketAddr, file: &Path) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let bytes = fs::read(file).unwrap();
    let encode = |text: &str| BASE64_STANDARD.encode(text);
    let name = encode(file.file_name().unwrap().to_str().unwrap());
    let hash = encode(blake3::hash(&bytes).to_hex().as_str());
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /api/v1/uploads HTTP/1.0\r\nhost: {address}\r\ntus-resumable: 1.0.0\r\nupload-length: {}\r\n\
         upload-metadata: filename {name},blake3 {hash}\r\n\r\n",
        bytes.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    location.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Sends the first part of a file and waits until it is acknowledged.
pub(crate) fn send_part(address: SocketAddr, upload: &str, bytes: &[u8]) {
    let mut stream = send_half(address, upload, 0, bytes.len(), bytes);
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_in_the_middle_of_a_part() {
    let home = Home::new();
    let file = home.photo("Film.jpg", 1, 6_000_000);
    let bytes = fs::read(&file).unwrap();
    let (server, address) = home.serve();
    let upload = announce(address, &file);
    send_part(address, &upload, &bytes[..1_000_000]);
    let rest = bytes.len() - 1_000_000;
    let second = send_half(
        address,
        &upload,
        1_000_000,
        rest,
        &bytes[1_000_000..4_000_000],
    );
    let written = || fs::metadata(&home.parts()[0]).unwrap().len();
    wait_until("the second part", || written() > 1_500_000);
    drop(server.kill());
    drop(second);
    let (server, address) = home.serve();
    let stands: Json = serde_json::from_slice(&http::get(address, &upload, &[]).body).unwrap();
    let received = stands["received_bytes"].as_u64().unwrap();
    assert!((1_000_000..=4_000_000).contains(&received), "{stands}");
    // Whoever adds the same file goes on with it, and nothing is begun anew.
    home.done(["add", path(&file)]);
    let stands: Json = serde_json::from_slice(&http::get(address, &upload, &[]).body).unwrap();
    assert_eq!(
        (&stands["state"], &stands["outcome"]),
        (&json!("done"), &json!("added"))
    );
    assert_eq!(server.stop().code, Some(0));
    assert!(home.parts().is_empty());
    home.assert_added(&[file]);
}

#[test]
fn a_server_that_is_stopped_keeps_what_it_received() {
    let home = Home::new();
    let file = home.photo("Film.jpg", 1, 3_000_000);
    let bytes = fs::read(&file).unwrap();
    let (server, address) = home.serve();
    let upload = announce(address, &file);
    let open = send_half(address, &upload, 0, bytes.len(), &bytes[..2_000_000]);
    // All but what fits into the buffer of 1 MiB.
    wait_until("the part", || {
        home.parts()
            .iter()
            .any(|part| fs::metadata(part).unwrap().len() >= 900_000)
    });
    assert_eq!(server.stop().code, Some(0));
    drop(open);
    let (server, address) = home.serve();
    let stands: Json = serde_json::from_slice(&http::get(address, &upload, &[]).body).unwrap();
    assert!(
        stands["received_bytes"].as_u64().unwrap() >= 900_000,
        "{stands}"
    );
    drop(server);
    home.done(["add", path(&file)]);
    home.assert_added(&[file]);
}

#[test]
fn a_command_that_is_killed_at_any_moment_adds_each_file_once_in_the_end() {
    let home = Home::new();
    let files: Vec<PathBuf> = (0..24)
        .map(|seed| {
            // Some that go along with their announcement, and some that come in parts.
            let padding_bytes = if seed % 4 == 0 { 4_000_000 } else { 20_000 };
            home.photo(&format!("{seed:02}.jpg"), seed, padding_bytes)
        })
        .collect();
    let command: Vec<&str> = std::iter::once("add")
        .chain(files.iter().map(|file| path(file)))
        .collect();
    let started = Instant::now();
    let twin = Home::new();
    twin.done(command.iter().copied());
    let whole = started.elapsed();
    let mut killed = 0;
    for round in 1..=20_u32 {
        let running = home.heirloom.start(command.iter().copied());
        std::thread::sleep(whole * round / 24);
        killed += usize::from(running.kill().code.is_none());
    }
    assert!(killed >= 5, "only {killed} lived long enough to be killed");
    home.done(command.iter().copied());
    home.assert_added(&files);
    assert!(home.parts().is_empty(), "{:?}", home.parts());
    let left = fs::read_dir(home.data().join("blobs/incoming"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[test]
fn it_goes_on_when_the_server_is_killed_and_started_again() {
    let home = Home::new();
    let file = home.photo("Film.jpg", 1, 60_000_000);
    let (server, address) = home.serve();
    let adding = home.heirloom.start(["add", path(&file)]);
    wait_until("the first bytes", || {
        home.parts()
            .iter()
            .any(|part| fs::metadata(part).is_ok_and(|part| part.len() > 100_000))
    });
    drop(server.kill());
    let listen = address.to_string();
    let mut server = home.heirloom.start(["serve", "--listen", &listen]);
    server.wait_until_ready(address);
    let finished = adding.wait();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(server.stop().code, Some(0));
    home.assert_added(&[file]);
}

/// A client of tus that others wrote: tuspy, as `./dev setup` installs it.
const CLIENT: &str = "heirloom/tools/tuspy-1.1.0/bin/python";

const SCRIPT: &str = "
import sys
from tusclient import client
url, path = sys.argv[1:]
tus = client.TusClient(url)
meta = {'filename': 'Größe.jpg'}
begun = tus.uploader(path, chunk_size=400_000, metadata=meta, upload_checksum=True)
begun.upload_chunk()
again = tus.uploader(path, chunk_size=400_000, metadata=meta, url=begun.url, upload_checksum=True)
assert again.offset == 400_000, again.offset
again.upload()
print(begun.url)
";

#[test]
fn a_client_of_tus_that_others_wrote_hands_a_file_over() {
    let home = Home::new();
    let file = home.photo("Größe.jpg", 1, 1_500_000);
    let (server, address) = home.serve();
    #[expect(clippy::disallowed_methods, reason = "where ./dev puts its tools")]
    let [cache, own] = ["XDG_CACHE_HOME", "HOME"].map(std::env::var_os);
    let cache = cache.map_or_else(|| Path::new(&own.unwrap()).join(".cache"), PathBuf::from);
    let python = cache.join(CLIENT);
    assert!(
        python.exists(),
        "{} is missing: run ./dev setup",
        python.display()
    );
    let url = format!("http://{address}/api/v1/uploads");
    let done = Command::new(python)
        .args(["-c", SCRIPT, &url, path(&file)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert_eq!(server.stop().code, Some(0));
    home.assert_added(&[file]);
}

#[test]
fn the_doctor_says_that_what_was_handed_over_is_backed_up_nowhere() {
    let home = Home::scanned();
    home.done(["doctor"]);
    let file = home.folder.path().join("handed over.jpg");
    fs::write(&file, jpeg::tiny(91, &Options::varied(91))).unwrap();
    home.done(["add", path(&file), "--no-process"]);
    let words = "kept here, and nothing is backed up regularly";
    let doctor = home.heirloom.run(["doctor"]).expect_code(1);
    assert!(doctor.stdout.contains(words), "{}", doctor.stdout);
    let disk = home.folder.path().join("backup disk");
    home.done(["backup", "to", path(&disk)]);
    home.done(["backup", "schedule", path(&disk)]);
    let doctor = home.heirloom.run(["doctor"]);
    assert!(!doctor.stdout.contains(words), "{}", doctor.stdout);
}
