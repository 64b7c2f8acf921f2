//! The real process, killed at any moment: the catalogue ends up as if nothing had happened.
//!
//! A round takes one archive through a first scan, changes on disk, a rescan and a purge. Each of
//! these is started and killed at seeded random moments until one is let through. Then everything
//! stored must be sound, no run may be left open, and the catalogue must hold what that of an
//! undisturbed twin holds, down to each word of the search index. Rounds go on until each phase was
//! killed often enough; only processes that a SIGKILL really ended are counted.

mod run;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use heirloom_db::{Db, Location};
use heirloom_testing::{
    jpeg, postgres,
    process::Heirloom,
    tree::{TreeSnapshot, copy_tree},
};

use crate::harness::Dice;

/// Kills per phase and engine: 3 phases on 2 engines make 204.
const KILLS_PER_PHASE: usize = 34;

/// What lies in blobs after the rescan: four stories in each of four folders, one in each that two
/// photographs share, and four of edited photographs.
const BLOBS: u64 = 24;

#[test]
fn a_killed_process_leaves_a_sqlite_catalogue_as_an_undisturbed_one_has_it() {
    kill_until_satisfied(|_| None);
}

#[test]
fn a_killed_process_leaves_a_postgres_catalogue_as_an_undisturbed_one_has_it() {
    kill_until_satisfied(|_| Some(postgres::database()));
}

fn kill_until_satisfied(database: impl Fn(&Path) -> Option<postgres::TestDatabase>) {
    let dir = tempfile::tempdir().unwrap();
    let pristine = dir.path().join("pristine");
    make_tree(&pristine);

    let twin = World::new(&dir.path().join("twin"), &pristine, &database);
    let mut patience = Vec::new();
    for phase in PHASES {
        twin.prepare(phase);
        patience.push(twin.finish(phase));
        if phase == Phase::Rescan {
            assert_eq!(
                twin.check(),
                BLOBS,
                "blobs are written, shared and replaced"
            );
        }
    }
    let blobs_left = twin.check();
    assert!(blobs_left < BLOBS, "a purge deletes blobs");
    let expected = twin.dump();
    assert!(
        expected.len() > 400,
        "the archive is catalogued: {} lines",
        expected.len()
    );

    let is_told = |line: &String| line.starts_with("search ") && line.contains(":=beach");
    assert!(
        expected.iter().any(is_told),
        "the words of the index are compared"
    );

    let mut dice = Dice(0x5EED);
    let mut kills = [0; PHASES.len()];
    for round in 0.. {
        let world = World::new(
            &dir.path().join(format!("round-{round}")),
            &pristine,
            &database,
        );
        for (at, phase) in PHASES.into_iter().enumerate() {
            world.prepare(phase);
            let before = TreeSnapshot::of(&world.root);
            // Not more than eight times at one piece of work: then it goes through and is compared.
            for _ in 0..8 {
                // What was begun before ends sooner: a later moment would find nothing to kill.
                let delay = dice.below(patience[at].mul_f64(0.7));
                kills[at] += usize::from(world.kill(phase, delay));
            }
            let _ = world.finish(phase);
            before.assert_same(&TreeSnapshot::of(&world.root));
        }
        assert_eq!(world.check(), blobs_left, "round {round}");
        assert_same(round, &expected, &world.dump());
        if kills.iter().all(|killed| *killed >= KILLS_PER_PHASE) {
            break;
        }
        assert!(
            round < 60,
            "too few processes lived long enough to be killed: {kills:?}"
        );
    }
}

fn assert_same(round: usize, expected: &[String], found: &[String]) {
    let lines = |of: &[String]| of.iter().cloned().collect::<BTreeSet<String>>();
    let (expected_lines, found_lines) = (lines(expected), lines(found));
    let missing: Vec<_> = expected_lines.difference(&found_lines).collect();
    let surplus: Vec<_> = found_lines.difference(&expected_lines).collect();
    assert!(
        expected == found,
        "round {round}: missing {missing:#?}\nsurplus {surplus:#?}\nor something twice"
    );
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    FirstScan,
    Rescan,
    Purge,
}

const PHASES: [Phase; 3] = [Phase::FirstScan, Phase::Rescan, Phase::Purge];

/// One archive with its catalogue.
struct World {
    root: PathBuf,
    heirloom: Heirloom,
    location: Location,
    _database: Option<postgres::TestDatabase>,
}

impl World {
    fn new(
        dir: &Path,
        pristine: &Path,
        database: &impl Fn(&Path) -> Option<postgres::TestDatabase>,
    ) -> Self {
        let (root, data) = (dir.join("archive"), dir.join("data"));
        fs::create_dir_all(dir).unwrap();
        copy_tree(pristine, &root);
        let database = database(dir);
        let mut heirloom = Heirloom::new(env!("CARGO_BIN_EXE_heirloom")).data(&data);
        let mut location = Location::File(data.join("catalogue.db"));
        if let Some(database) = &database {
            heirloom = heirloom.env("HEIRLOOM_DATABASE", &database.url);
            location = Location::Url(database.url.clone());
        }
        Self {
            root,
            heirloom,
            location,
            _database: database,
        }
    }

    /// What happens between two phases, undisturbed.
    fn prepare(&self, phase: Phase) {
        match phase {
            Phase::FirstScan => {}
            Phase::Rescan => {
                self.let_people_speak();
                change_tree(&self.root);
            }
            Phase::Purge => {
                for id in self.unwanted() {
                    let _ = self.heirloom.run(["asset", "delete", &id]).expect_code(0);
                }
            }
        }
    }

    /// The command of a phase.
    fn command(&self, phase: Phase) -> Vec<String> {
        let words: Vec<String> = match phase {
            Phase::FirstScan | Phase::Rescan => vec![
                "scan".into(),
                "--no-process".into(),
                self.root.to_str().unwrap().into(),
                "--name".into(),
                "Album".into(),
            ],
            Phase::Purge => ["asset".to_owned(), "purge".to_owned()]
                .into_iter()
                .chain(self.deleted().into_iter().next())
                .collect(),
        };
        words
    }

    /// Starts a phase and kills it after `delay`; false when it had ended by then.
    fn kill(&self, phase: Phase, delay: Duration) -> bool {
        let command = self.command(phase);
        if phase == Phase::Purge && command.len() == 2 {
            return false;
        }
        let running = self.heirloom.start(command);
        std::thread::sleep(delay);
        running.kill().code.is_none()
    }

    /// Lets a phase come to its end; says how long its quickest command took.
    fn finish(&self, phase: Phase) -> Duration {
        let mut quickest = Duration::MAX;
        loop {
            let command = self.command(phase);
            if phase == Phase::Purge && command.len() == 2 {
                return quickest;
            }
            let started = Instant::now();
            let _ = self.heirloom.run(command).expect_code(0);
            quickest = quickest.min(started.elapsed());
            if phase != Phase::Purge {
                return quickest;
            }
        }
    }

    /// What people say of photographs before these are edited, moved and purged.
    fn let_people_speak(&self) {
        let list = self.json(&["asset", "list", "--limit", "500"]);
        let id = |name: &str| {
            let mut items = list["items"].as_array().unwrap().iter();
            let found = items.find(|item| item["name"] == name);
            found.expect(name)["id"].as_str().unwrap()
        };
        for (name, words) in [
            ("IMG_0002.jpg", &["title", "Anna on the beach"][..]),
            ("IMG_0007.jpg", &["person", "Elsa", "--not"]),
            ("IMG_0012.jpg", &["caption", "It was not so"]),
            ("IMG_0017 blurred.jpg", &["tag", "thumb"]),
            ("IMG_0005 blurred.jpg", &["tag", "private"]),
        ] {
            let claim = self.json(&[&["claim", "make", id(name)], words].concat());
            if words[0] == "caption" {
                let claim = claim["id"].as_str().unwrap();
                let _ = self.json(&["claim", "undo", id(name), claim]);
            }
        }
    }

    /// That everything stored is sound and every run has ended; gives how many blobs there are.
    fn check(&self) -> u64 {
        let report = self.json(&["fsck", "--originals"]);
        assert_eq!(report["faults"], 0, "{report}");
        let runs = self.json(&["run", "list", "--limit", "500"]);
        for run in runs["items"].as_array().unwrap() {
            assert!(run["ended_at_ms"].is_i64(), "left open: {run}");
        }
        report["blobs"].as_u64().unwrap() - report["unreferenced"].as_u64().unwrap()
    }

    /// Originals that nobody wants to see again: every one whose name says so.
    fn unwanted(&self) -> Vec<String> {
        self.ids("blurred")
    }

    fn deleted(&self) -> Vec<String> {
        self.ids("blurred is:deleted")
    }

    fn ids(&self, query: &str) -> Vec<String> {
        let found = self.json(&["search", query, "--limit", "500"]);
        let items = found["items"].as_array().unwrap();
        items
            .iter()
            .map(|hit| hit["id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn json(&self, command: &[&str]) -> serde_json::Value {
        let command = command.iter().copied().chain(["--json"]);
        self.heirloom.run(command).expect_code(0).json()
    }

    fn dump(&self) -> Vec<String> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let db = Db::open(&self.location).await.unwrap();
            let dump = db.dump().await.unwrap();
            db.close().await;
            dump
        })
    }
}

const FOLDERS: [&str; 4] = ["1998 Sea", "2004 Garden/Spring", "2011", "Box of prints"];

/// A few hundred photographs in folders, with sidecars and exact copies among them. Some say so much
/// of themselves that it lies in a blob: all that are blurred, and two of a folder in the same one.
fn make_tree(root: &Path) {
    for (at, folder) in FOLDERS.into_iter().enumerate() {
        fs::create_dir_all(root.join(folder)).unwrap();
        for n in 0..40_u64 {
            let seed = at as u64 * 1000 + n;
            let photo = match n {
                5 | 35 => wordy(seed, at as u64),
                _ if n % 10 == 7 => wordy(seed, seed),
                _ => jpeg::tiny(seed, &jpeg::Options::varied(seed)),
            };
            write(root, &format!("{folder}/{}", name(seed)), &photo);
            if n % 10 == 3 {
                write(root, &format!("{folder}/Copy of {seed:04}.jpg"), &photo);
            }
            if n % 12 == 4 {
                let sidecar = sidecar(&format!("Told by Anna {seed}"));
                write(
                    root,
                    &format!("{folder}/IMG_{seed:04}.jpg.xmp"),
                    sidecar.as_bytes(),
                );
            }
        }
    }
}

fn name(seed: u64) -> String {
    let is_blurred = matches!(seed, 5 | 17 | 35 | 1005 | 1035);
    let blurred = if is_blurred { " blurred" } else { "" };
    format!("IMG_{seed:04}{blurred}.jpg")
}

/// A photograph with a long comment before everything else: what is told is the same for all of one
/// `story`, and the bytes are not.
fn wordy(seed: u64, story: u64) -> Vec<u8> {
    let photo = jpeg::tiny(seed, &jpeg::Options::varied(story));
    let words = format!("A long story, number {story}. ").repeat(400);
    let length = u16::try_from(words.len() + 2).unwrap().to_be_bytes();
    let comment = [&[0xFF, 0xFE], &length[..], words.as_bytes()].concat();
    [&photo[..2], &comment, &photo[2..]].concat()
}

/// What a family does to its folders in a year.
fn change_tree(root: &Path) {
    fs::rename(root.join("2011"), root.join("2011 Wedding")).unwrap();
    for n in 0..40_u64 {
        let here = format!("1998 Sea/{}", name(n));
        let moved = format!("1998 Sea/Sea {}", name(n));
        match n % 5 {
            0 => fs::rename(root.join(&here), root.join(moved)).unwrap(),
            1 => fs::remove_file(root.join(&here)).unwrap(),
            2 if n % 10 == 7 => write(root, &here, &wordy(50_000 + n, 50_000 + n)),
            2 => {
                let edited = jpeg::tiny(50_000 + n, &jpeg::Options::varied(n));
                write(root, &here, &edited);
            }
            3 => {
                let new = jpeg::tiny(60_000 + n, &jpeg::Options::varied(n));
                write(root, &format!("2004 Garden/NEW_{n:04}.jpg"), &new);
            }
            _ => {}
        }
    }
    // Two change their names, and another takes the place of one that is moved away.
    let spring = root.join("2004 Garden/Spring");
    for (from, to) in [
        (name(1006), "between".to_owned()),
        (name(1008), name(1006)),
        ("between".to_owned(), name(1008)),
        (name(1010), "../moved.jpg".to_owned()),
    ] {
        fs::rename(spring.join(from), spring.join(to)).unwrap();
    }
    let other = jpeg::tiny(70_000, &jpeg::Options::varied(7));
    write(&spring, &name(1010), &other);
    let sidecar = sidecar("Told by Anna, once more");
    write(root, "Box of prints/IMG_3004.jpg.xmp", sidecar.as_bytes());
    fs::remove_file(root.join("Box of prints/IMG_3016.jpg.xmp")).unwrap();
}

fn sidecar(caption: &str) -> String {
    format!(
        r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">{caption}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"#
    )
}

/// Writes a file whose time follows from its bytes, so that twins have equal ones.
fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    let second = 1_000_000_000 + bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
        .unwrap();
}
