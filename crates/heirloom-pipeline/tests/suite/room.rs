//! Processes that wait for their next job.

use std::{fs::File, time::Duration};

use heirloom_pipeline::confinement::{Confinement, Hand, HandSettings, JobLimits, RoomSettings};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::studio::block_on;

const LONG: Duration = Duration::from_secs(3600);
const MUCH: u64 = 1 << 40;

fn confinement(keep: Duration, memory_bytes: u64) -> Confinement {
    let settings = RoomSettings { memory_bytes, keep };
    Confinement::through(env!("CARGO_BIN_EXE_confined-for-tests")).waiting_as(settings)
}

fn hand(confinement: &Confinement, stays: bool) -> Hand {
    let settings = HandSettings {
        stays,
        ..HandSettings::default()
    };
    Hand::start(confinement, settings).unwrap()
}

/// The process that does a job.
fn work(hand: &Hand) -> String {
    let input = File::open("/dev/null").unwrap();
    let header = json!({ "attempt": "nothing" });
    let never = CancellationToken::new();
    let job = hand.work(header, input, JobLimits::default(), &never);
    block_on(job).unwrap()[0].0["process"].to_string()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let patience = std::time::Instant::now() + heirloom_testing::process::PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_process_that_waits_for_long_ends_unless_it_is_to_stay() {
    let confinement = confinement(Duration::from_millis(200), MUCH);
    let (goes, stays) = (hand(&confinement, false), hand(&confinement, true));
    assert!(!goes.has_process());
    let (gone, there) = (work(&goes), work(&stays));
    wait_until("it ends", || !goes.has_process());
    assert!(stays.has_process());
    assert_ne!(work(&goes), gone);
    assert_eq!(work(&stays), there);
}

#[test]
fn who_waits_longest_ends_where_memory_is_short() {
    let wide = confinement(LONG, MUCH);
    let (one, other) = (hand(&wide, false), hand(&wide, false));
    let first = work(&one);
    work(&other);
    assert_eq!(work(&one), first);

    // What one of them has is enough for one.
    let status = std::fs::read_to_string(format!("/proc/{first}/status")).unwrap();
    let own = status.lines().find(|line| line.starts_with("RssAnon"));
    let kilobytes = own.unwrap().split_whitespace().nth(1).unwrap();
    let bytes = kilobytes.parse::<u64>().unwrap() * 1024;
    assert!(bytes > 0);
    let narrow = confinement(LONG, bytes * 3 / 2);
    let (one, other, stays) = (
        hand(&narrow, false),
        hand(&narrow, false),
        hand(&narrow, true),
    );
    work(&one);
    assert!(one.has_process());
    work(&other);
    wait_until("the one that waits longer ends", || !one.has_process());
    assert!(other.has_process());
    work(&stays);
    wait_until("what need not stay ends", || !other.has_process());
    assert!(stays.has_process());
}
