//! The real program is the one that confined children are started from.

use std::{fs::File, path::Path};

use heirloom_pipeline::confinement::{Confinement, Hand, HandSettings, JobLimits};
use heirloom_testing::{media::media, process::Heirloom};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_heirloom");

#[test]
fn the_program_does_jobs_in_confinement() {
    let confinement = Confinement::through(Path::new(PROGRAM));
    let hand = Hand::start(&confinement, HandSettings::default()).unwrap();
    let path = media("sample/Pets/Minka.avif");
    let size_bytes = path.metadata().unwrap().len();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let parts = runtime.block_on(hand.work(
        json!({ "job": "length" }),
        File::open(path).unwrap(),
        JobLimits::default(),
        &CancellationToken::new(),
    ));
    assert_eq!(parts.unwrap()[0].0, json!({ "size_bytes": size_bytes }));
}

#[test]
fn the_door_to_confinement_is_no_command_for_people() {
    let heirloom = Heirloom::new(PROGRAM);
    let refused = heirloom.run(["confined"]).expect_code(125);
    assert!(
        refused.stderr.contains("without orders"),
        "{}",
        refused.stderr
    );
    assert!(refused.stdout.is_empty());
    let help = heirloom.run(["help"]).expect_code(0);
    assert!(!help.stdout.contains("confined"), "{}", help.stdout);
}
