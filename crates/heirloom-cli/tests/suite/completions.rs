//! Completions for shells.

use std::{io::Write as _, process::Command};

use crate::harness::program;

#[test]
fn each_shell_gets_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let finished = program().run(["completions", shell]).expect_code(0);
        for command in ["scan", "asset", "search", "doctor", "--data"] {
            let named = command.trim_start_matches('-');
            assert!(finished.stdout.contains(named), "{shell}: {command}");
        }
        assert_eq!(finished.stderr, "");
    }
    let script = program().run(["completions", "bash"]).stdout;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let output = Command::new("bash")
        .arg("-n")
        .arg(file.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
