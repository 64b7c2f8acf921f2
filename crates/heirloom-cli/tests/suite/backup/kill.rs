//! The real process, killed at any moment of a backup or of a prune: the repository is sound, and the next
//! goes on.

use std::{
    fs,
    time::{Duration, Instant},
};

use heirloom_testing::jpeg;

use crate::harness::{Dice, Home, path};

/// Kills of each.
const KILLS: usize = 25;

#[test]
fn a_killed_backup_or_prune_leaves_a_sound_repository() {
    let home = Home::scanned();
    home.back_up();
    let (repository, root) = (home.repository(), home.folder.path().join("Pictures"));
    let mut dice = Dice(0x5EED);
    let (mut kills, mut round) = ([0, 0], 0_u64);
    let mut patience = [Duration::from_secs(1); 2];
    while kills.iter().any(|killed| *killed < KILLS) {
        round += 1;
        assert!(
            round < 200,
            "too few processes lived long enough to be killed: {kills:?}"
        );
        let photo = jpeg::tiny(
            500 + round,
            &jpeg::Options {
                padding_bytes: 300_000,
                ..jpeg::Options::varied(round)
            },
        );
        fs::write(root.join(format!("new {round}.jpg")), photo).unwrap();
        home.done(["scan", "--no-process", path(&root)]);
        for (at, command) in ["to", "prune"].into_iter().enumerate() {
            for _ in 0..3 {
                let running = home.heirloom.start(["backup", command, path(&repository)]);
                std::thread::sleep(dice.below(patience[at]));
                kills[at] += usize::from(running.kill().code.is_none());
            }
            // Whatever was half done: what is there is whole.
            home.done(["backup", "check", path(&repository)]);
            let started = Instant::now();
            home.done(["backup", command, path(&repository)]);
            patience[at] = started.elapsed().mul_f64(0.9);
        }
    }
    home.done(["backup", "check", path(&repository), "--read-data"]);
    let bare = home.restore("restored", &[]);
    assert_eq!(bare.report["lacking"], 0, "{}", bare.report);
    bare.assert_sound();
}
