//! Runs whose processes are killed: what is made of each original is what an undisturbed run makes.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use heirloom_core::Actor;
use heirloom_db::Db;
use heirloom_testing::{jpeg, postgres};

use super::World;
use crate::harness::Dice;

/// Kills of those who work on a run, per engine.
const KILLS: usize = 200;
/// What chance begins with; a round that fails names it.
const SEED: u64 = 0xD1CE;
/// On PostgreSQL the units that a killed server held are free only when their leases run out, so that
/// there are few rounds, each with many kills.
const KILLS_PER_ROUND: [usize; 2] = [10, 40];

#[test]
fn killed_servers_leave_a_run_on_sqlite_as_an_undisturbed_one_has_it() {
    kill_runs_until_satisfied(KILLS_PER_ROUND[0], |_| None);
}

#[test]
fn killed_servers_leave_a_run_on_postgres_as_an_undisturbed_one_has_it() {
    kill_runs_until_satisfied(KILLS_PER_ROUND[1], |_| Some(postgres::database()));
}

fn kill_runs_until_satisfied(
    kills_per_round: usize,
    database: impl Fn(&Path) -> Option<postgres::TestDatabase>,
) {
    let dir = tempfile::tempdir().unwrap();
    let pristine = dir.path().join("pristine");
    fs::create_dir(&pristine).unwrap();
    for number in 0..250 {
        let bytes = jpeg::tiny(number, &jpeg::Options::varied(number));
        fs::write(pristine.join(format!("{number:03}.jpg")), bytes).unwrap();
    }
    fs::write(pristine.join("voice.wav"), heirloom_testing::wav::tiny(1)).unwrap();
    fs::write(pristine.join("broken.jpg"), [0xFF, 0xD8, 0xFF, 0xE0]).unwrap();

    let twin = World::new(&dir.path().join("twin"), &pristine, &database);
    twin.catalogue();
    let _ = twin
        .heirloom
        .run(["run", "start", "prepare"])
        .expect_code(1);
    let expected = twin.made();
    assert_eq!(expected.len(), 252);
    assert_eq!(
        expected["000.jpg"].len(),
        5,
        "a look, two sizes, what tells it from others and the name of where it was"
    );
    assert_eq!(
        expected["voice.wav"].len(),
        2,
        "how it sounds and how it is played"
    );
    assert_eq!(expected["broken.jpg"], Vec::<String>::new());

    let mut dice = Dice(SEED);
    let mut kills = 0;
    for round in 0.. {
        let place = dir.path().join(format!("round-{round}"));
        let world = World::new(&place, &pristine, &database);
        world.catalogue();
        while world.run_state().is_none() {
            let running = world.heirloom.start(["run", "start", "prepare"]);
            std::thread::sleep(Duration::from_millis(50) + dice.below(Duration::from_millis(300)));
            kills += usize::from(running.kill().code.is_none());
        }
        for _ in 0..kills_per_round {
            let server = world.heirloom.start(["serve", "--listen", "127.0.0.1:0"]);
            std::thread::sleep(Duration::from_millis(80) + dice.below(Duration::from_millis(250)));
            kills += usize::from(server.kill().code.is_none());
        }
        let mut server = world.heirloom.start(["serve", "--listen", "127.0.0.1:0"]);
        let started = Instant::now();
        while world.run_state().as_deref() != Some("done") {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "seed {SEED:#x}, round {round}: it does not end"
            );
            // Whoever asks before it answers holds the library for a moment, and keeps it out.
            if server.has_ended() {
                server = world.heirloom.start(["serve", "--listen", "127.0.0.1:0"]);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = server.stop();
        // None missing, none twice, and the same to the byte.
        let made = world.made();
        assert_eq!(made, expected, "seed {SEED:#x}, round {round}");
        world.check();
        if kills >= KILLS {
            break;
        }
        assert!(
            round < 40,
            "too few processes lived long enough to be killed: {kills}"
        );
    }
}

impl World {
    fn catalogue(&self) {
        let root = self.root.to_str().unwrap();
        let _ = self
            .heirloom
            .run(["scan", "--no-process", root])
            .expect_code(0);
    }

    /// Where the newest run of `prepare` stands, as soon as that can be told.
    fn run_state(&self) -> Option<String> {
        let list = self.heirloom.run(["run", "list", "--json"]);
        // A server that is just starting holds the library and does not answer yet.
        if list.code != Some(0) {
            return None;
        }
        let runs = list.json();
        let mut runs = runs["items"].as_array().unwrap().iter();
        let run = runs.find(|run| run["pipeline"] == "prepare")?;
        Some(run["state"].as_str().unwrap().to_owned())
    }

    /// What was derived of each original, with what it came out to be; not what the scan read.
    fn made(&self) -> BTreeMap<String, Vec<String>> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let db = Db::open(&self.location).await.unwrap();
            let family = db.get_or_create_family("Family").await.unwrap();
            let listed = db
                .list_assets(&Actor::Operator, family.id, None, 1000)
                .await;
            let mut made = BTreeMap::new();
            for asset in listed.unwrap().items {
                let artifacts = db.list_artifacts(&asset).await.unwrap().into_iter();
                let mut lines: Vec<String> = artifacts
                    .filter(|artifact| artifact.kind != "metadata")
                    .map(|artifact| {
                        let content = (artifact.payload, artifact.blob_hash);
                        format!("{} {} {content:?}", artifact.kind, artifact.part)
                    })
                    .collect();
                lines.sort();
                made.insert(asset.name, lines);
            }
            db.close().await;
            made
        })
    }
}
