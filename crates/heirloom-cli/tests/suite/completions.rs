//! Completions for shells, and manual pages.

use std::{io::Write as _, process::Command};

use crate::harness::{assert_refusal, path, program};

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

#[test]
fn each_command_gets_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let written = program().run(["manual", path(&pages)]).expect_code(0);
    assert!(written.stdout.contains(path(&pages)), "{}", written.stdout);
    for (name, word) in [
        ("heirloom.1", "originals"),
        ("heirloom-scan.1", "allow\\-empty"),
        ("heirloom-asset-list.1", "cursor"),
        ("heirloom-doctor.1", "HEIRLOOM_DATA"),
    ] {
        let page = std::fs::read_to_string(pages.join(name)).unwrap();
        assert!(page.contains(".SH NAME"), "{name}: {page}");
        let page = page.to_lowercase();
        assert!(page.contains(&word.to_lowercase()), "{name}: {page}");
    }
    let file = pages.join("heirloom.1");
    let refused = program().run(["manual", path(&file)]).expect_code(2);
    assert!(assert_refusal(&refused).contains("cannot be written"));
}
