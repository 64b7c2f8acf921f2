//! The harness runs any program; these tests give it a shell in Heirloom's place.

use std::time::{Duration, Instant};

use heirloom_testing::process::Heirloom;

#[test]
fn a_finished_program_leaves_its_code_and_both_streams() {
    let done = shell("echo data; echo words >&2; exit 2")
        .wait()
        .expect_code(2);
    assert_eq!(
        (done.stdout.as_str(), done.stderr.as_str()),
        ("data\n", "words\n")
    );
}

#[test]
fn a_killed_program_has_no_code_and_keeps_what_it_said() {
    let mut running = shell("echo started; exec sleep 600");
    assert_eq!(running.wait_for_line("start"), "started");
    let done = running.kill();
    assert_eq!(done.code, None);
    assert_eq!(done.stdout, "started\n");
}

#[test]
fn a_stopped_program_may_say_goodbye() {
    let mut running = shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    running.wait_for_line("up");
    assert_eq!(running.stop().expect_code(0).stdout, "up\nbye\n");
}

#[test]
#[should_panic(expected = "it said:\nnot that\n")]
fn a_program_that_ends_without_the_line_fails_the_test_at_once() {
    shell("echo not that").wait_for_line("this");
}

#[test]
fn a_grandchild_that_keeps_the_streams_does_not_hold_up_the_test() {
    let started = Instant::now();
    let done = shell("sleep 30 & echo $!").wait();
    assert!(started.elapsed() < Duration::from_secs(25));
    let sleeper = done.stdout.trim().to_owned();
    std::process::Command::new("kill")
        .arg(sleeper)
        .status()
        .unwrap();
}

#[test]
fn the_data_folder_goes_with_every_command() {
    let done = Heirloom::new("echo").data("chest").run(["asset", "list"]);
    assert_eq!(done.stdout, "asset list --data chest\n");
}

#[test]
fn another_program_may_start_every_command() {
    let limited = Heirloom::new("sh").behind(["env", "SAID=yes"]);
    let done = limited.run(["-c", "echo $SAID"]).expect_code(0);
    assert_eq!(done.stdout, "yes\n");
}

fn shell(script: &str) -> heirloom_testing::process::Running {
    Heirloom::new("sh").start(["-c", script])
}
