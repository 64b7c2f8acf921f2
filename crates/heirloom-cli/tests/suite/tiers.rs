//! A library whose blobs are in more than one place, with the real program and a real server of S3.

mod archive;
mod environment;
mod on_postgres;
mod served;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use heirloom_testing::{
    http,
    jpeg::{self, Options},
    line::Line,
    media::repository,
    postgres::TestDatabase,
    process::{PATIENCE, Running, free_address},
    s3::{BUCKET, S3Server},
};
use serde_json::Value as Json;

use crate::harness::{Dice, Home, assert_refusal, path};

/// A library in its data folder, and a server of S3 that it knows.
struct Tiered {
    home: Home,
    server: S3Server,
    _database: Option<TestDatabase>,
}

impl Tiered {
    fn new() -> Self {
        Self::on(None)
    }

    /// With its catalogue in PostgreSQL, or else in its data folder.
    fn on(database: Option<TestDatabase>) -> Self {
        let (home, server) = (Home::new(), S3Server::start());
        fs::create_dir(home.data()).unwrap();
        let environment = server.environment();
        let mut heirloom = environment
            .iter()
            .fold(home.heirloom, |heirloom, (name, value)| {
                heirloom.env(name, value)
            });
        if let Some(database) = &database {
            heirloom = heirloom.env("HEIRLOOM_DATABASE", &database.url);
        }
        let home = Home {
            folder: home.folder,
            heirloom,
        };
        Self {
            home,
            server,
            _database: database,
        }
    }

    /// With originals in the vault, and what is derived of one.
    fn filled() -> Self {
        Self::filled_on(None)
    }

    fn filled_on(database: Option<TestDatabase>) -> Self {
        let subject = Self::on(database);
        subject.configure("");
        let folder = subject.home.folder.path().join("handed over");
        fs::create_dir_all(&folder).unwrap();
        for number in 0..12 {
            let options = Options {
                padding_bytes: 40_000 * number,
                ..Options::varied(number as u64)
            };
            let bytes = jpeg::tiny(number as u64, &options);
            fs::write(folder.join(format!("{number:02}.jpg")), bytes).unwrap();
        }
        let inks = repository().join("testdata/pictures/inks.jpg");
        fs::copy(inks, folder.join("Inks.jpg")).unwrap();
        subject.add_all();
        subject
    }

    fn add_all(&self) {
        let folder = self.home.folder.path().join("handed over");
        let files = fs::read_dir(folder).unwrap();
        let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        let files = files.iter().map(|file| path(file));
        self.home.done(["add"].into_iter().chain(files));
    }

    fn configure(&self, config: &str) {
        let endpoint = format!("s3_endpoint = \"{}\"\n", self.server.endpoint());
        let config = format!("{endpoint}{config}");
        fs::write(self.home.data().join("config.toml"), config).unwrap();
    }

    fn serve(&self) -> (Running, SocketAddr) {
        let address = free_address();
        let listen = address.to_string();
        let mut server = self.home.heirloom.start(["serve", "--listen", &listen]);
        server.wait_until_ready(address);
        (server, address)
    }

    /// How many blobs are in each place.
    fn counts(&self) -> Vec<(String, u64)> {
        counts(&self.home.json(["store", "status"]))
    }

    /// That nothing is missing, damaged or out of place.
    #[track_caller]
    fn check(&self) {
        let report = self.home.json(["fsck", "--originals"]);
        assert_eq!(report["faults"], 0, "{report}");
    }

    fn originals(&self) -> Vec<(String, Vec<u8>)> {
        let folder = self.home.folder.path().join("handed over");
        let list = self.home.json(["asset", "list"]);
        let mut originals = Vec::new();
        for item in list["items"].as_array().unwrap() {
            let name = item["name"].as_str().unwrap();
            let bytes = fs::read(folder.join(name)).unwrap();
            originals.push((item["id"].as_str().unwrap().to_owned(), bytes));
        }
        originals
    }
}

/// Who asks the server of S3 itself; it compares no signatures.
const KNOWN: [(&str, &str); 1] = [(
    "authorization",
    "AWS4-HMAC-SHA256 Credential=nobody/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
)];

fn counts(status: &Json) -> Vec<(String, u64)> {
    let places = status["survey"]["places"].as_array().unwrap().iter();
    let count = |place: &Json| {
        let name = place["name"].as_str().unwrap().to_owned();
        (name, place["blobs"].as_u64().unwrap())
    };
    places.map(count).collect()
}

fn named(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    let counts = counts.iter();
    counts
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[test]
fn a_library_moves_to_a_bucket_and_back_while_it_serves() {
    let subject = Tiered::filled();
    let home = &subject.home;
    let all = subject.counts()[0].1;
    assert!(all > 15, "originals and what was derived: {all}");
    let originals = subject.originals();

    for (config, first, left) in [
        (
            format!("store = \"s3://{BUCKET}/photos\"\n"),
            "bucket",
            "folder",
        ),
        ("store = \"folder\"\n".to_owned(), "folder", "left-1"),
    ] {
        // Slowly enough to look at it meanwhile; each original is read at any moment.
        subject.configure(&format!("{config}store_move_rate = \"2 MB\"\n"));
        let (server, address) = subject.serve();
        let started = Instant::now();
        let mut seen = Vec::new();
        loop {
            for (id, bytes) in &originals {
                let original = http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
                assert_eq!(original.status, 200, "{}", original.head);
                assert!(original.body == *bytes, "{id}");
            }
            let status = home.json(["store", "status"]);
            seen.push(counts(&status));
            if status["store"]["moves"][0]["state"] == "done" {
                assert_eq!(status["survey"]["to_move"], Json::Array(Vec::new()));
                break;
            }
            assert!(started.elapsed() < PATIENCE, "{status}");
        }
        let last = seen.pop().unwrap();
        let of = |name: &str| {
            last.iter()
                .find(|place| place.0 == name)
                .map(|place| place.1)
        };
        assert_eq!(
            (of(first), of(left).unwrap_or(0)),
            (Some(all), 0),
            "{last:?}"
        );
        assert_eq!(server.stop().code, Some(0));
        // What is empty is forgotten.
        assert_eq!(subject.counts(), named(&[(first, all)]));
        subject.check();
    }
    let doctor = home.heirloom.run(["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["name"] != "places"));
    // The bucket that was left is the same library's when it is used again.
    subject.configure(&format!("store = \"s3://{BUCKET}/photos\"\n"));
    home.done(["store", "move"]);
    assert_eq!(subject.counts(), named(&[("bucket", all)]));
    subject.check();
    let backup = home.folder.path().join("backup disk");
    let backed_up = home.json(["backup", "to", path(&backup)]);
    assert_eq!(backed_up["outcome"]["lacking"], 0, "{backed_up}");
}

#[test]
fn rules_say_what_is_kept_where() {
    let subject = Tiered::filled();
    let home = &subject.home;
    let all = subject.counts()[0].1;
    let album = "For Oma";
    home.done(["collection", "create", album]);
    let kept_near = home.asset("11.jpg");
    home.done(["collection", "add", album, &kept_near]);
    let rules = r#"store_rules = [
  'originals of album "For Oma" to folder',
  "pictures larger than 200 kB to archive",
]
"#;
    subject.configure(&format!(
        "{rules}store_places.archive = \"s3://{BUCKET}/archive GLACIER_IR\"\n"
    ));
    let to_move = home.json(["store", "move", "--dry-run"]);
    let to_move = to_move["to_move"].as_array().unwrap();
    assert_eq!(to_move.len(), 1, "{to_move:?}");
    assert_eq!(
        (&to_move[0]["from"], &to_move[0]["to"]),
        (&"folder".into(), &"archive".into())
    );
    let many = to_move[0]["blobs"].as_u64().unwrap();
    let large = subject.originals();
    let large = large
        .iter()
        .filter(|(id, bytes)| bytes.len() > 200_000 && *id != kept_near);
    let large: Vec<_> = large.collect();
    assert_eq!(large.len() as u64, many);
    let moved = home.json(["store", "move"]);
    assert_eq!(
        (&moved["state"], &moved["blobs"]),
        (&"done".into(), &many.into())
    );
    assert_eq!(
        subject.counts(),
        named(&[("folder", all - many), ("archive", many)])
    );
    let hash = blake3::hash(&large[0].1).to_hex();
    let object = format!("/{BUCKET}/archive/blobs/{hash}");
    let object = http::get(subject.server.address, &object, &KNOWN);
    let class = object.header("x-amz-storage-class");
    assert_eq!(class, "GLACIER_IR", "{} {}", object.status, object.head);
    subject.check();

    // What is taken out of the album goes, and what is put into it comes back.
    home.done(["collection", "remove", album, &kept_near]);
    home.done(["collection", "add", album, &large[0].0]);
    home.done(["store", "move"]);
    assert_eq!(
        subject.counts(),
        named(&[("folder", all - many), ("archive", many)])
    );
    let object = format!("/{BUCKET}/archive/blobs/{hash}");
    assert_eq!(
        http::get(subject.server.address, &object, &KNOWN).status,
        404
    );
    let doctor = home.heirloom.run(["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().unwrap();
    let places = checks
        .iter()
        .find(|check| check["name"] == "places")
        .unwrap();
    assert_eq!(places["is_well"], true, "{places}");

    // Without the rule it comes home, and the place is forgotten.
    subject.configure("store = \"folder\"\n");
    home.done(["store", "move"]);
    assert_eq!(subject.counts(), named(&[("folder", all)]));
    subject.check();
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    let subject = Tiered::new();
    let cases = [
        (
            "store_rules = [\n  \"films to folder\",\n  \"movies to folder\",\n]\n",
            "line 4: the rule `movies",
        ),
        (
            "store_rules = [\"films to archive\"]\n",
            "line 2: `films to archive` names the place `archive`",
        ),
        (
            "store_rules = [\n  \"originals to folder\",\n  \"films to folder\"]\n",
            "line 4: `films to folder` is never asked",
        ),
        (
            "store_rules = [\"everything to archive\"]\nstore_places.archive = \"s3://family/a DEEP_ARCHIVE\"\n",
            "line 2: `everything to archive` would put what is shown all the time",
        ),
        (
            "store_places.archive = \"s3://family/a COLD\"\n",
            "line 2: `COLD` is none of the classes",
        ),
        (
            "store_places.archive = \"/a/folder\"\n",
            "is not a place such as",
        ),
        (
            "store_places.folder = \"s3://family/a\"\n",
            "what another place is called",
        ),
        (
            "store_places.Archive = \"s3://family/a\"\n",
            "cannot be the name of a place",
        ),
        (
            "store = \"s3://family\"\nstore_places.archive = \"s3://family/a\"\n",
            "one is in the other",
        ),
    ];
    for (config, said) in cases {
        subject.configure(config);
        let refused = subject.home.heirloom.run(["config", "show"]).expect_code(2);
        let refusal = assert_refusal(&refused);
        assert!(refusal.contains(said), "{config}: {refusal}");
    }
}

#[test]
fn one_bucket_is_never_taken_for_two() {
    let subject = Tiered::filled();
    let all = subject.counts()[0].1;
    let named_otherwise = subject.server.endpoint().replace("127.0.0.1", "localhost");
    let (one, other) = (subject.server.endpoint(), named_otherwise);
    let store = |endpoint: &str| format!("store = \"s3:{endpoint}/{BUCKET}/photos\"\n");
    let place =
        |endpoint: &str| format!("store_places.archive = \"s3:{endpoint}/{BUCKET}/photos\"\n");
    subject.configure(&store(&one));
    subject.home.done(["store", "move"]);
    let rule = "store_rules = [\"originals to archive\"]\n";
    for (store, place) in [(store(&one), place(&other)), (store(&other), place(&one))] {
        subject.configure(&format!("{store}{rule}{place}"));
        let refused = subject.home.heirloom.run(["store", "move"]);
        let said = assert_refusal(&refused.expect_code(2));
        assert!(said.contains("another library has it"), "{said}");
    }
    // By its other name alone it is the one that it was.
    subject.configure(&store(&other));
    assert_eq!(subject.counts(), named(&[("bucket", all)]));
    subject.check();
}

#[test]
fn a_library_with_one_place_has_nothing_to_move() {
    let home = Home::scanned();
    let status = home.json(["store", "status"]);
    assert_eq!(status["store"]["places"][0]["location"], "folder");
    assert_eq!(home.json(["store", "move"])["state"], "done");
    let said = home.heirloom.run(["store", "cancel"]).expect_code(2);
    assert!(
        said.stderr.contains("no blobs are being moved"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_place_that_fails_in_the_middle_costs_nothing() {
    let mut subject = Tiered::filled();
    let all = subject.counts()[0].1;
    let config = format!("store = \"s3://{BUCKET}/photos\"\nstore_move_rate = \"0\"\n");
    subject.configure(&config);
    let blobs = subject.home.data().join("blobs");
    // One is damaged where it is: it is named, and stays.
    let damaged = largest(&blobs);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[100] ^= 1;
    let sound = damaged.with_extension("other");
    fs::write(&sound, bytes).unwrap();
    fs::rename(&sound, &damaged).unwrap();
    let name = damaged.file_name().unwrap().to_str().unwrap().to_owned();
    let moved = subject.home.heirloom.run(["store", "move", "--json"]);
    let moved = moved.expect_code(1).json();
    assert_eq!(moved["state"], "done");
    assert_eq!(moved["blobs"], all - 1);
    assert_eq!(moved["problems"][0]["blob"], name.as_str(), "{moved}");
    assert_eq!(
        subject.counts(),
        named(&[("folder", 1), ("bucket", all - 1)])
    );
    // `add` of the same file heals it, and then it goes.
    let found = subject.home.heirloom.run(["fsck"]).expect_code(1);
    assert!(found.stdout.contains(&name), "{}", found.stdout);
    subject.add_all();
    subject.home.done(["store", "move"]);
    assert_eq!(subject.counts(), named(&[("bucket", all)]));
    subject.check();

    // On the way back the server is gone.
    subject.configure("store = \"folder\"\nstore_move_rate = \"0\"\n");
    let (server, address) = subject.serve();
    subject.server.stop();
    let moved = subject.home.heirloom.run(["store", "move", "--json"]);
    assert_ne!(moved.code, Some(0), "{}", moved.stdout);
    assert_eq!(http::get(address, "/healthz", &[]).status, 200);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_library_opens_while_the_place_of_some_of_its_blobs_cannot_be_reached() {
    let subject = Tiered::filled();
    let line = Line::to(subject.server.address, u64::MAX);
    let config = format!(
        "s3_endpoint = \"http://{}\"\nstore = \"s3://{BUCKET}/photos\"\nstore_cache = \"1 MB\"\n",
        line.address
    );
    fs::write(subject.home.data().join("config.toml"), config).unwrap();
    let far = subject.home.folder.path().join("handed over/far.jpg");
    // Larger than the cache.
    let options = Options {
        padding_bytes: 3_000_000,
        ..Options::varied(77)
    };
    let bytes = jpeg::tiny(77, &options);
    fs::write(&far, &bytes).unwrap();
    subject.home.done(["add", path(&far), "--no-process"]);
    let near = subject.originals();
    let far_id = subject.home.asset("far.jpg");
    line.cut();

    let (server, address) = subject.serve();
    let original = |id: &str| http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
    for (id, bytes) in near.iter().filter(|(id, _)| *id != far_id) {
        assert!(original(id).body == *bytes);
    }
    let away = original(&far_id);
    assert_eq!(away.status, 503, "{}", String::from_utf8_lossy(&away.body));
    let other = subject.home.folder.path().join("other.jpg");
    fs::write(&other, jpeg::tiny(78, &Options::varied(78))).unwrap();
    let added = subject.home.heirloom.run(["add", path(&other)]);
    assert_ne!(added.code, Some(0), "{added:?}");
    let doctor = subject.home.heirloom.run(["doctor"]);
    let said = doctor.stdout + &doctor.stderr;
    assert!(said.contains("cannot be reached"), "{said}");

    // Nobody has to start it again.
    line.mend();
    assert!(original(&far_id).body == bytes);
    subject.home.done(["add", path(&other)]);
    assert_eq!(server.stop().code, Some(0));
    subject.check();
}

/// The file with the most bytes below a folder.
fn largest(folder: &Path) -> std::path::PathBuf {
    let shards = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let shards = shards.filter(|shard| shard.file_name().unwrap().len() == 2);
    let files = shards.flat_map(|shard| fs::read_dir(shard).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files
        .max_by_key(|file| fs::metadata(file).unwrap().len())
        .unwrap()
}

/// Kills of those who move; what chance begins with.
const KILLS: usize = 25;
const SEED: u64 = 0x71E5;

#[test]
fn a_move_that_is_killed_at_any_moment_loses_nothing() {
    let subject = Tiered::filled();
    let all = subject.counts()[0].1;
    let mut dice = Dice(SEED);
    let (mut kills, mut rounds) = (0, 0);
    let mut takes = Duration::MAX;
    while kills < KILLS {
        let is_there = rounds % 2 == 0;
        let store = match is_there {
            true => format!("s3://{BUCKET}/photos"),
            false => "folder".to_owned(),
        };
        subject.configure(&format!("store = \"{store}\"\n"));
        // The first round says how long it takes.
        for _ in 0..if rounds == 0 { 0 } else { 4 } {
            let delay = dice.below(takes);
            let running = subject.home.heirloom.start(["store", "move"]);
            std::thread::sleep(delay);
            kills += usize::from(running.kill().code.is_none());
        }
        subject.check();
        let started = Instant::now();
        subject.home.done(["store", "move"]);
        if rounds == 0 {
            takes = started.elapsed();
        }
        let first = if is_there { "bucket" } else { "folder" };
        let there = subject.counts();
        assert_eq!(
            there,
            named(&[(first, all)]),
            "seed {SEED:#x}, round {rounds}"
        );
        rounds += 1;
        assert!(
            rounds < 40,
            "too few lived long enough to be killed: {kills}"
        );
    }
    subject.check();
}
