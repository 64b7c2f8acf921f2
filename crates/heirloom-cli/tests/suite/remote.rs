//! Services elsewhere write down what is said, where somebody chose that: with the real program, over real HTTP.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use heirloom_testing::{
    media::sample_library,
    models,
    process::PATIENCE,
    transcriber::{Fault, Transcriber},
};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path};

/// A library whose configuration declares the service `cloud`, and has this order.
fn home(transcriber: &Transcriber, order: &str) -> Home {
    let mut home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    let key = home.folder.path().join("cloud.key");
    fs::write(&key, format!("{}\n", Transcriber::KEY)).unwrap();
    let config = format!(
        "transcription = {order}\n\n[[transcription_services]]\nname = \"cloud\"\naddress = \"{}\"\n\
         key_file = {key:?}\n",
        transcriber.api()
    );
    fs::write(home.data().join("config.toml"), config).unwrap();
    // Nobody's models.
    let models = home.folder.path().join("models");
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&models));
    home
}

/// A recording of beeps, each of which is a word to the service, in a folder of its own.
fn voices(home: &Home) -> PathBuf {
    beeps(home, 6)
}

/// The same for so many seconds.
fn beeps(home: &Home, seconds: u32) -> PathBuf {
    let folder = home.folder.path().join("Voices");
    fs::create_dir_all(&folder).unwrap();
    let sound = format!("aevalsrc='0.5*sin(2*PI*660*t)*lt(mod(t,1),0.4)':s=22050:d={seconds}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &sound])
        .arg(folder.join("Opa.flac"))
        .status();
    assert!(made.unwrap().success());
    folder
}

/// The transcripts that there are of a recording.
fn transcripts(home: &Home) -> Vec<Json> {
    let artifacts = home.json(["artifact", "list", &home.asset("Opa.flac")]);
    let artifacts = artifacts["items"].as_array().unwrap().iter();
    artifacts
        .filter(|it| it["kind"] == "transcript")
        .cloned()
        .collect()
}

fn found(home: &Home, words: &str) -> usize {
    home.json(["search", words])["items"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn a_service_writes_down_what_is_said_and_it_is_told_where_the_sound_goes() {
    let transcriber = Transcriber::start();
    let home = home(&transcriber, "[\"local\"]");
    let file = voices(&home).join("Opa.flac");
    let arguments = ["transcribe", path(&file), "--provider", "cloud"];
    let finished = home.heirloom.run(arguments).expect_code(0);
    assert_eq!(
        finished.stdout.trim_end(),
        "Grandfather built this house himself alone."
    );
    let told = format!(
        "the sound goes to {} and stays on this machine",
        transcriber.api()
    );
    assert!(finished.stderr.contains(&told), "{}", finished.stderr);
    let heard = home.json(arguments);
    assert_eq!(
        (&heard["method"], &heard["model"], &heard["language"]),
        (&json!("cloud"), &json!("cloud:whisper-1"), &json!("en"))
    );
    let vtt = home.done([&arguments[..], &["--vtt"]].concat()).stdout;
    assert!(vtt.starts_with("WEBVTT\n\n00:00:00.0"), "{vtt}");
    // It is not in the order: nobody else sends it anything.
    let asked = transcriber.asked().len();
    let refused = home.refused(["transcribe", path(&file)]);
    assert!(refused.contains("heirloom models pull"), "{refused}");
    let refused = home.refused(["transcribe", path(&file), "--provider", "nobody"]);
    assert!(refused.contains("There is: local, cloud."), "{refused}");
    assert_eq!(transcriber.asked().len(), asked);
}

#[test]
fn a_service_that_refuses_is_said_without_its_key() {
    let transcriber = Transcriber::start();
    let home = home(&transcriber, "[\"cloud\"]");
    let file = voices(&home).join("Opa.flac");
    fs::write(home.folder.path().join("cloud.key"), "sk-somebody-elses").unwrap();
    let finished = home
        .heirloom
        .run(["transcribe", path(&file)])
        .expect_code(2);
    let said = &finished.stderr;
    assert!(said.contains("cloud does not accept the key"), "{said}");
    assert!(
        said.contains("hint: ") && !said.contains("somebody"),
        "{said}"
    );
}

#[test]
fn the_configuration_says_where_the_sound_goes_and_shows_no_key() {
    let transcriber = Transcriber::start();
    let home = home(&transcriber, "[\"local\", \"cloud\", \"metadata\"]");
    let shown = home.done(["config", "show"]).stdout;
    assert!(shown.contains("local, cloud, metadata"), "{shown}");
    assert!(
        shown.contains("key ***: the sound stays on this machine"),
        "{shown}"
    );
    assert!(!shown.contains("sk-"), "{shown}");
    home.done(["scan", path(&home.pictures())]);
    let doctor = home.heirloom.run(["doctor"]).stdout;
    let said = format!(
        "then cloud at {} (the sound stays on this machine)",
        transcriber.api()
    );
    assert!(doctor.contains(&said), "{doctor}");
    for (config, why) in [
        (
            "transcription = [\"cloud\"]",
            "no service is called \"cloud\"",
        ),
        ("transcription = [\"metadata\", \"local\"]", "comes last"),
        (
            "[[transcription_services]]\nname = \"a\"\naddress = \"https://u:secret@b.org\"",
            "its address",
        ),
        (
            "[[transcription_services]]\nname = \"a\"\naddress = \"https://b.org\"\nkey_file = \"gone\"",
            "gone",
        ),
    ] {
        fs::write(home.data().join("config.toml"), config).unwrap();
        let refused = assert_refusal(&home.heirloom.run(["config", "show"]).expect_code(2));
        assert!(
            refused.contains(why) && !refused.contains("secret"),
            "{refused}"
        );
    }
}

#[test]
fn what_nobody_could_hear_is_noted_and_heard_once_the_service_is_back() {
    let transcriber = Transcriber::start();
    transcriber.fail_always(Some(Fault::Says("<html>".to_owned())));
    let home = home(&transcriber, "[\"local\", \"cloud\", \"metadata\"]");
    home.done(["scan", path(&voices(&home))]);
    let noted = transcripts(&home);
    assert_eq!(noted.len(), 1);
    let payload = &noted[0]["payload"];
    assert_eq!(
        (
            &noted[0]["model"],
            &payload["method"],
            &payload["confidence"],
            &payload["passages"]
        ),
        (
            &json!("metadata"),
            &json!("metadata"),
            &json!(0.0),
            &json!([])
        )
    );
    assert_eq!(found(&home, "grandfather"), 0);
    transcriber.fail_always(None);
    home.json(["run", "start", "understand"]);
    let heard = transcripts(&home);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0]["model"], "cloud:whisper-1");
    assert_eq!(found(&home, "grandfather"), 1);
    // It is sent away once; and that the service is away again takes nothing from what was heard.
    let asked = transcriber.asked().len();
    transcriber.fail_always(Some(Fault::down()));
    let again = home.json(["run", "start", "understand"]);
    assert_eq!(again["steps"][0]["present"], 1, "{again}");
    assert_eq!(transcriber.asked().len(), asked);
}

#[test]
fn a_service_that_is_away_fails_what_it_was_to_hear_and_holds_nothing_up() {
    let transcriber = Transcriber::start();
    transcriber.fail_always(Some(Fault::no_money()));
    let home = home(&transcriber, "[\"cloud\"]");
    let _ = home.heirloom.run(["scan", path(&voices(&home))]);
    assert_eq!(transcripts(&home).len(), 0);
    let finished = home
        .heirloom
        .run(["run", "start", "understand", "--json"])
        .expect_code(1);
    let run: Json = serde_json::from_str(&finished.stdout).unwrap();
    let failed = home.json(["run", "failed", run["id"].as_str().unwrap()]);
    let unit = &failed["items"][0];
    assert_eq!(unit["failure_code"], "no_service", "{unit}");
    let said = unit.to_string();
    assert!(said.contains("exceeded your current quota"), "{said}");
}

#[test]
fn what_a_model_here_heard_is_not_sent_away_when_that_model_is_gone() {
    let transcriber = Transcriber::start();
    let mut home = home(&transcriber, "[\"local\", \"cloud\", \"metadata\"]");
    let nobodys = home.heirloom.clone();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let folder = home.folder.path().join("Voices");
    fs::create_dir_all(&folder).unwrap();
    let name = "Grandmother reads Austen 2.wav";
    let from = sample_library().join("Voices").join(name);
    fs::copy(from, folder.join("Opa.flac")).unwrap();
    home.done(["scan", path(&folder)]);
    let before = transcripts(&home);
    assert_eq!(before[0]["payload"]["method"], "local");
    home.heirloom = nobodys;
    home.json(["run", "start", "understand"]);
    assert_eq!(transcripts(&home), before);
    assert_eq!(transcriber.asked().len(), 0);
}

#[test]
fn what_was_heard_so_far_is_seen_while_the_rest_is_heard() {
    let transcriber = Transcriber::start();
    let home = home(&transcriber, "[\"cloud\"]");
    let config = home.data().join("config.toml");
    let pieces = fs::read_to_string(&config).unwrap() + "max_bytes = \"300 kB\"\n";
    fs::write(&config, pieces).unwrap();
    let first = json!({
        "language": "en",
        "text": "Grandfather built it.",
        "segments": [{ "start": 0.0, "end": 2.4, "text": "Grandfather built it." }],
    });
    // The first piece is heard at once, and the second when the test says so.
    transcriber.fail_always(Some(Fault::Waits));
    transcriber.fail([Fault::Says(first.to_string())]);
    let root = beeps(&home, 100);
    let mut server = home.heirloom.start(["serve", "--listen", "127.0.0.1:0"]);
    server.wait_for_line("http://");
    home.done(["scan", path(&root), "--no-process"]);
    let id = home.asset("Opa.flac");
    home.done(["run", "start", "understand"]);
    let transcript = ["--json", "asset", "transcript", &id];
    let began = Instant::now();
    let so_far: Json = loop {
        assert!(began.elapsed() < PATIENCE, "the first piece is heard");
        let finished = home.heirloom.run(transcript);
        let said: Json = serde_json::from_str(&finished.stdout).unwrap_or_default();
        if said["hearing"]["until_ms"].as_u64() > Some(0) {
            break said;
        }
    };
    assert_eq!(so_far["artifact_id"], Json::Null);
    assert_eq!(so_far["passages"][0]["text"], "Grandfather built it.");
    assert_eq!(so_far["passages"].as_array().unwrap().len(), 1, "{so_far}");
    assert_eq!(so_far["hearing"]["duration_ms"], 100_000);
    let words = home.done(["asset", "transcript", &id]).stdout;
    assert!(
        words.contains("It is being heard: ") && words.contains("of 1 min 40 s"),
        "{words}"
    );
    // Whoever looks at the asset or at the run sees it, and nothing is stored yet.
    let detail = home.json(["asset", "show", &id]);
    assert_eq!(detail["hearing"], so_far["hearing"]);
    assert_eq!(transcripts(&home), Vec::<Json>::new());
    assert_eq!(found(&home, "grandfather"), 0);
    let runs = home.json(["run", "list"]);
    let run = runs["items"].as_array().unwrap().iter();
    let run = run
        .clone()
        .find(|run| run["pipeline"] == "understand")
        .unwrap();
    let run_id = run["id"].as_str().unwrap();
    let status = home.json(["run", "status", run_id]);
    assert_eq!(status["hearing"][0]["asset_id"], id.as_str(), "{status}");
    assert_eq!(
        status["hearing"][0]["until_ms"],
        so_far["hearing"]["until_ms"]
    );
    let status = home.done(["run", "status", run_id]).stdout;
    assert!(
        status.contains("It hears Opa.flac: ") && status.contains(" of 1 min 40 s"),
        "{status}"
    );

    transcriber.fail_always(None);
    home.done(["run", "watch", run_id]);
    let whole = home.json(["asset", "transcript", &id]);
    assert!(whole["artifact_id"].is_string(), "{whole}");
    assert_eq!(whole["hearing"], Json::Null);
    assert!(whole["passages"].as_array().unwrap().len() > 1, "{whole}");
    assert_eq!(home.json(["asset", "show", &id])["hearing"], Json::Null);
    assert_eq!(found(&home, "grandfather"), 1);
    server.stop();
}
