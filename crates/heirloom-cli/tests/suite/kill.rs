//! The real process, killed at any moment: the catalogue ends up as if nothing had happened.
//!
//! A round takes one archive through a first scan, changes on disk, a rescan and a purge. Each of
//! these is started and killed at seeded random moments until one is let through. Then the catalogue
//! must hold what that of an undisturbed twin holds. Rounds go on until each phase was killed often
//! enough; only processes that a SIGKILL really ended are counted.

use std::{
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

/// Kills per phase and engine: 3 phases on 2 engines make 204.
const KILLS_PER_PHASE: usize = 34;

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
    }
    let expected = twin.dump();
    assert!(
        expected.len() > 500,
        "the archive is catalogued: {} lines",
        expected.len()
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
            // Not more than six times at one piece of work: then it goes through and is compared.
            for _ in 0..6 {
                let delay = dice.below(patience[at]);
                kills[at] += usize::from(world.kill(phase, delay));
            }
            let _ = world.finish(phase);
            before.assert_same(&TreeSnapshot::of(&world.root));
        }
        let found = world.dump();
        let missing: Vec<_> = expected
            .iter()
            .filter(|line| !found.contains(line))
            .collect();
        let surplus: Vec<_> = found
            .iter()
            .filter(|line| !expected.contains(line))
            .collect();
        assert!(
            missing.is_empty() && surplus.is_empty() && found.len() == expected.len(),
            "round {round}: missing {missing:#?}\nsurplus {surplus:#?}"
        );
        if kills.iter().all(|killed| *killed >= KILLS_PER_PHASE) {
            break;
        }
        assert!(
            round < 60,
            "too few processes lived long enough to be killed: {kills:?}"
        );
    }
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
            Phase::Rescan => change_tree(&self.root),
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

    /// Lets a phase come to its end; says how long one command took.
    fn finish(&self, phase: Phase) -> Duration {
        let mut longest = Duration::ZERO;
        loop {
            let command = self.command(phase);
            if phase == Phase::Purge && command.len() == 2 {
                return longest;
            }
            let started = Instant::now();
            let _ = self.heirloom.run(command).expect_code(0);
            longest = longest.max(started.elapsed());
            if phase != Phase::Purge {
                return longest;
            }
        }
    }

    /// Originals that nobody wants to see again: every one whose name says so.
    fn unwanted(&self) -> Vec<String> {
        self.ids("blurred")
    }

    fn deleted(&self) -> Vec<String> {
        self.ids("blurred is:deleted")
    }

    fn ids(&self, query: &str) -> Vec<String> {
        let found = self
            .heirloom
            .run(["search", query, "--limit", "500", "--json"])
            .expect_code(0)
            .json();
        let items = found["items"].as_array().unwrap();
        items
            .iter()
            .map(|hit| hit["id"].as_str().unwrap().to_owned())
            .collect()
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

/// A few hundred photographs in folders, with sidecars, RAW pairs and exact copies among them.
fn make_tree(root: &Path) {
    for (at, folder) in FOLDERS.into_iter().enumerate() {
        fs::create_dir_all(root.join(folder)).unwrap();
        for n in 0..60_u64 {
            let seed = at as u64 * 1000 + n;
            let photo = jpeg::tiny(seed, &jpeg::Options::varied(seed));
            let blurred = if n % 30 == 5 { " blurred" } else { "" };
            write(
                root,
                &format!("{folder}/IMG_{seed:04}{blurred}.jpg"),
                &photo,
            );
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

/// What a family does to its folders in a year.
fn change_tree(root: &Path) {
    fs::rename(root.join("2011"), root.join("2011 Wedding")).unwrap();
    for n in 0..60_u64 {
        let path = |name: String| root.join("1998 Sea").join(name);
        let blurred = if n % 30 == 5 { " blurred" } else { "" };
        let name = path(format!("IMG_{n:04}{blurred}.jpg"));
        match n % 5 {
            0 => fs::rename(&name, path(format!("Sea {n:04}{blurred}.jpg"))).unwrap(),
            1 => fs::remove_file(&name).unwrap(),
            2 => {
                let edited = jpeg::tiny(50_000 + n, &jpeg::Options::varied(n));
                write(root, &format!("1998 Sea/IMG_{n:04}{blurred}.jpg"), &edited);
            }
            3 => {
                let new = jpeg::tiny(60_000 + n, &jpeg::Options::varied(n));
                write(root, &format!("2004 Garden/NEW_{n:04}.jpg"), &new);
            }
            _ => {}
        }
    }
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

/// Seeded chance (xorshift64*), so that a failing round can be run again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let draw = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        limit.mul_f64(draw as f64 / (1_u64 << 53) as f64)
    }
}
