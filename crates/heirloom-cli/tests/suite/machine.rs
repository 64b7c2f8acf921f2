//! Models at work on this machine: how they stay in memory, and what comes of one whose bytes rot.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use heirloom_testing::{
    media::sample_library,
    models,
    process::{PATIENCE, free_address},
};
use serde_json::Value as Json;

use crate::harness::{Home, assert_refusal, bring, path};

const SHORT: &str = "Grandmother reads Austen 2.wav";

fn voice() -> PathBuf {
    sample_library().join("Voices").join(SHORT)
}

/// Puts a recording where it is scanned.
fn recording(home: &Home) -> PathBuf {
    let root = home.folder.path().join("Voices");
    fs::create_dir_all(&root).unwrap();
    fs::copy(voice(), root.join(SHORT)).unwrap();
    root
}

fn hears(home: &Home) -> bool {
    let models = home.json(["models", "list"]);
    let mut runs = models["runs"].as_array().unwrap().iter();
    let speech = runs.find(|run| run["ability"] == "speech").unwrap();
    speech["is_loaded"].as_bool().unwrap()
}

#[test]
fn models_stay_in_memory_for_a_while_and_less_long_where_memory_is_short() {
    for (keep, memory, stays) in [
        ("1 h", "100 GB", true),
        ("1 h", "1 MB", false),
        ("1 s", "100 GB", false),
    ] {
        let mut home = Home::new();
        home.heirloom = home
            .heirloom
            .env("HEIRLOOM_MODELS", path(&models::folder()))
            .env("HEIRLOOM_MODELS_KEEP", keep)
            .env("HEIRLOOM_MODELS_MEMORY", memory);
        let root = recording(&home);
        let address = free_address();
        let listen = address.to_string();
        let mut server = home.heirloom.start(["serve", "--listen", &listen]);
        server.wait_until_ready(address);
        home.done(["scan", path(&root)]);
        let run = home.json(["run", "start", "understand", "--wait"]);
        assert_eq!(run["state"], "done", "{run}");
        let patience = Instant::now() + PATIENCE;
        while hears(&home) != stays {
            assert!(Instant::now() < patience, "{keep}, {memory}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server.stop();
    }
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::write(home.data().join("config.toml"), "models_keep = \"soon\"\n").unwrap();
    let said = home.refused(["config", "show"]);
    assert!(said.contains("a stretch of time such as 90 s"), "{said}");
}

#[test]
fn a_model_whose_bytes_rot_is_told_of_and_no_recording_is_blamed() {
    let mut home = Home::new();
    let folder = home.folder.path().join("models");
    bring(&folder, &["onnxruntime", "silero-vad", "whisper-base"]);
    let weights = folder.join("whisper-base/model.bin");
    // The shared file stays as it is.
    fs::remove_file(&weights).unwrap();
    fs::copy(models::folder().join("whisper-base/model.bin"), &weights).unwrap();
    let rotten = OpenOptions::new().write(true).open(&weights).unwrap();
    rotten.write_all_at(&[0xa5; 4096], 0).unwrap();
    drop(rotten);
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&folder))
        .env("HEIRLOOM_MODELS_MIRROR", path(&models::folder()));

    let said = assert_refusal(&home.heirloom.run(["transcribe", path(&voice())]));
    assert!(
        said.contains("the model whisper-base is damaged (model.bin)"),
        "{said}"
    );
    assert!(said.contains("heirloom models pull whisper-base"), "{said}");

    // A run finds it out in the same way.
    fs::remove_file(folder.join("whisper-base/.model.bin.damaged")).unwrap();
    let root = recording(&home);
    let scanned = home.heirloom.run(["scan", path(&root)]).expect_code(1);
    assert!(scanned.stdout.contains("understand"), "{scanned:?}");
    let asset = home.asset(SHORT);
    let has_transcript = || {
        let artifacts = home.json(["artifact", "list", &asset])["items"].clone();
        let mut artifacts = artifacts.as_array().unwrap().clone().into_iter();
        artifacts.any(|it| it["kind"] == "transcript")
    };
    assert!(!has_transcript());
    let asked = ["run", "start", "understand", "--json"];
    let run: Json = home.heirloom.run(asked).json();
    let failed = home
        .done(["run", "failed", run["id"].as_str().unwrap()])
        .stdout;
    assert!(
        failed.contains("heirloom models pull whisper-base"),
        "{failed}"
    );

    home.done(["models", "pull", "whisper-base"]);
    let again = home.json(["run", "start", "understand"]);
    assert_eq!(again["steps"][0]["done"], 1, "{again}");
    assert!(has_transcript());
}
