//! What is said in recordings, with the real models in the real program.

use std::{path::PathBuf, process::Command};

use heirloom_testing::{media::sample_library, models, process::Heirloom};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, bring, path, program};

fn hearing() -> Heirloom {
    program().env("HEIRLOOM_MODELS", path(&models::folder()))
}

fn voice(name: &str) -> PathBuf {
    sample_library().join("Voices").join(name)
}

fn heard(arguments: &[&str]) -> Json {
    let mut all = vec!["--json", "transcribe"];
    all.extend(arguments);
    let finished = hearing().run(all).expect_code(0);
    serde_json::from_str(&finished.stdout).unwrap()
}

/// Words without marks, in small letters.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// A library of these recordings of the sample, whatever was said in them written down.
fn understood(names: &[&str]) -> Home {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Voices");
    std::fs::create_dir_all(&root).unwrap();
    for name in names {
        std::fs::copy(voice(name), root.join(name)).unwrap();
    }
    home.done(["scan", path(&root)]);
    home
}

fn text_of(heard: &Json) -> String {
    let passages = heard["passages"].as_array().unwrap().iter();
    let texts: Vec<&str> = passages
        .map(|passage| passage["text"].as_str().unwrap())
        .collect();
    texts.join(" ")
}

/// Sound that FFmpeg makes by itself.
fn made(home: &Home, name: &str, source: &str) -> PathBuf {
    let file = home.folder.path().join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", source])
        .arg(&file)
        .status()
        .unwrap();
    assert!(made.success());
    file
}

#[test]
fn what_is_read_aloud_is_written_down_with_the_time_of_each_word() {
    let heard = heard(&[path(&voice("Grandmother reads Austen 2.wav"))]);
    assert_eq!(heard["language"], "en");
    assert_eq!(heard["method"], "local");
    assert_eq!(
        words(&text_of(&heard)),
        words("He was not an ill disposed young man")
    );
    let said = heard["passages"][0]["words"].as_array().unwrap();
    let starts: Vec<u64> = said
        .iter()
        .map(|word| word["start_ms"].as_u64().unwrap())
        .collect();
    assert!(starts.is_sorted(), "{starts:?}");
    for word in said {
        assert!(
            word["end_ms"].as_u64() > word["start_ms"].as_u64(),
            "{word}"
        );
        assert!(word["probability"].as_f64().unwrap() > 0.2, "{word}");
    }
    assert!(heard["confidence"].as_f64().unwrap() > 0.5, "{heard}");
}

#[test]
fn a_language_is_found_out_and_may_be_told() {
    let file = voice("Oma Hilde erzählt.wav");
    let found = heard(&[path(&file)]);
    assert_eq!(found["language"], "de");
    assert!(text_of(&found).contains("genutzt"), "{found}");
    let told = heard(&["--language", "de", path(&file)]);
    assert_eq!(told["language"], "de");
    let unknown = hearing().run(["transcribe", "--language", "tlh", path(&file)]);
    let refused = assert_refusal(&unknown.expect_code(2));
    assert!(refused.contains("knows no language \"tlh\""), "{refused}");
}

#[test]
fn nothing_is_invented_where_nobody_speaks() {
    let home = Home::new();
    // A melody on strings that are struck, each note with its overtones, twice a second; and a band: a bass, a drum on each
    // beat, a rattle between, a fiddle with vibrato.
    let note = |times: u32, part: f64| {
        format!("{part}*exp(-4*mod(t,0.5))*sin({times}*2*PI*t*220*pow(2,mod(floor(2*t)*7,12)/12))")
    };
    let piano: Vec<String> = (1..=5)
        .map(|times| note(times, 0.3 / f64::from(times)))
        .collect();
    let piano = format!(
        "aevalsrc={}:d=20:s=44100",
        piano.join("+").replace(',', "\\,")
    );
    let band = "0.2*sin(2*PI*55*pow(2,floor(mod(t,4))/12)*t)+0.6*exp(-25*mod(t,0.5))*sin(2*PI*60*t)\
                +0.3*exp(-60*mod(t+0.25,0.5))*(random(0)-0.5)\
                +0.2*sin(2*PI*440*pow(2,floor(mod(t,8))/12)*t+3*sin(2*PI*6*t))";
    let band = format!("aevalsrc={}:d=20:s=44100", band.replace(',', "\\,"));
    for (name, source) in [
        ("silence.wav", "anullsrc=r=16000:cl=mono:d=20"),
        ("noise.wav", "anoisesrc=d=20:c=pink:r=44100:a=0.3"),
        (
            "music.flac",
            "aevalsrc=0.3*sin(2*PI*440*t)+0.2*sin(2*PI*554*t)*gt(sin(PI*t)\\,0):d=20",
        ),
        ("piano.mp3", &piano),
        ("band.mp3", &band),
        ("moment.wav", "sine=f=300:d=0.2"),
    ] {
        let file = made(&home, name, source);
        let finished = hearing().run(["transcribe", path(&file)]).expect_code(0);
        assert_eq!(finished.stdout, "", "{name}");
        assert!(finished.stderr.contains("Nobody speaks in it."), "{name}");
    }
}

/// These recordings one after the other.
fn joined(home: &Home, voices: &[&str]) -> PathBuf {
    let file = home.folder.path().join("talk.wav");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error"]);
    for name in voices {
        ffmpeg.arg("-i").arg(voice(name));
    }
    let join = format!("concat=n={}:v=0:a=1", voices.len());
    let made = ffmpeg.args(["-filter_complex", &join]).arg(&file).status();
    assert!(made.unwrap().success());
    file
}

const KENNEDY: &str = "1961-01-20 Kennedy on the radio.mp3";
const AUSTEN: &str = "Grandmother reads Austen 1.wav";

#[test]
fn who_says_what_is_told() {
    let home = Home::new();
    let talk = joined(&home, &[KENNEDY, AUSTEN, KENNEDY]);
    let found = heard(&[path(&talk)]);
    let speakers = found["speakers"].as_array().unwrap();
    assert_eq!(speakers.len(), 2, "{speakers:?}");
    for (label, speaker) in speakers.iter().enumerate() {
        assert_eq!(speaker["label"], label);
        let numbers = speaker["voice"]["numbers"].as_str().unwrap();
        assert_eq!(numbers.len(), 2 * 256);
        assert!(speaker["spoken_ms"].as_u64().unwrap() > 4_000, "{speaker}");
    }
    let said = |words: &str| {
        let passages = found["passages"].as_array().unwrap().iter();
        let mut with = passages.filter(|passage| passage["text"].as_str().unwrap().contains(words));
        let passage = with
            .next()
            .unwrap_or_else(|| panic!("{words} is not in {found}"));
        passage["speaker"].as_u64().unwrap()
    };
    assert_eq!((said("fellow Americans"), said("leisure")), (0, 1));
    let script = hearing().run(["transcribe", path(&talk)]).expect_code(0);
    let begins = |line: &&str| line.starts_with("Speaker ");
    let begun = script.stdout.lines().filter(begins);
    let begun: Vec<&str> = begun.filter_map(|line| line.split(':').next()).collect();
    assert_eq!(begun, ["Speaker 1", "Speaker 2", "Speaker 1"]);
    let captions = hearing().run(["transcribe", "--vtt", path(&talk)]);
    let captions = captions.expect_code(0).stdout;
    assert!(captions.contains("<v Speaker 1>") && captions.contains("<v Speaker 2>"));
    let one = heard(&["--speakers", "1", path(&talk)]);
    assert_eq!(one["speakers"].as_array().unwrap().len(), 1);
}

const WITHOUT_VOICES: [&str; 3] = ["onnxruntime", "silero-vad", "whisper-base"];

#[test]
fn a_library_that_was_heard_without_voices_is_heard_again_when_their_model_is_here() {
    let mut home = Home::new();
    let folder = home.folder.path().join("models");
    bring(&folder, &WITHOUT_VOICES);
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&folder));
    let root = home.folder.path().join("Talks");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::rename(
        joined(&home, &[KENNEDY, AUSTEN, KENNEDY]),
        root.join("talk.wav"),
    )
    .unwrap();
    home.done(["scan", path(&root)]);
    let heard = || {
        let found = home.json(["search", "leisure"]);
        let asset = found["items"][0]["id"].as_str().unwrap().to_owned();
        let artifacts = home.json(["artifact", "list", &asset])["items"].clone();
        let mut artifacts = artifacts.as_array().unwrap().clone().into_iter();
        let transcript = artifacts.find(|it| it["kind"] == "transcript").unwrap();
        transcript["payload"].clone()
    };
    let before = heard();
    assert_eq!(before["speakers"], Json::Null);
    assert_eq!(before["passages"][0]["speaker"], Json::Null);

    bring(&folder, &["resemblyzer"]);
    let dry = ["run", "start", "understand", "--dry-run"];
    let foreseen = home.done(dry).stdout;
    assert!(foreseen.contains("1 made by another model"), "{foreseen}");
    assert!(!foreseen.contains("version"), "{foreseen}");
    let again = home.json(["run", "start", "understand"]);
    assert_eq!(again["steps"][0]["done"], 1, "{again}");
    // What runs where is said of what is here, and nothing is loaded for that.
    let doctor = home.heirloom.run(["doctor"]).stdout;
    for words in [
        "speech runs",
        "whisper-base with ONNX Runtime 1.",
        "speaker runs",
        "processors, with at most 3.2 GB of memory; not loaded now",
        "graphics card",
    ] {
        assert!(doctor.contains(words), "{words}: {doctor}");
    }
    let models = home.json(["models", "list"]);
    assert_eq!(models["runs"][0]["model"], "whisper-base");
    assert_eq!(models["runs"][0]["is_loaded"], false);
    let after = heard();
    let speakers = after["speakers"].as_array().unwrap();
    assert_eq!(speakers.len(), 2, "{after}");
    assert!(
        speakers[0]["voice"]["model"]
            .as_str()
            .unwrap()
            .starts_with("resemblyzer@")
    );
    let passages = after["passages"].as_array().unwrap().iter();
    let mut said_by: Vec<&Json> = passages.map(|passage| &passage["speaker"]).collect();
    said_by.dedup();
    assert_eq!(said_by, [&json!(0), &json!(1), &json!(0)]);
}

#[test]
fn without_the_model_for_voices_words_are_heard_all_the_same() {
    let home = Home::new();
    let folder = home.folder.path().join("models");
    bring(&folder, &WITHOUT_VOICES);
    let program = program().env("HEIRLOOM_MODELS", path(&folder));
    let file = voice("Grandmother reads Austen 2.wav");
    let finished = program.run(["transcribe", path(&file)]).expect_code(0);
    assert!(finished.stdout.contains("young man"), "{}", finished.stdout);
    let why = "Who speaks is not told: the model resemblyzer is missing";
    assert!(finished.stderr.contains(why), "{}", finished.stderr);
    assert!(finished.stderr.contains("heirloom models pull resemblyzer"));
}

#[test]
fn a_recording_of_whatever_make_is_heard() {
    let home = Home::new();
    let kennedy = voice("1961-01-20 Kennedy on the radio.mp3");
    for (name, options) in [
        ("telephone.wav", ["-ar", "8000", "-ac", "1"]),
        ("studio.flac", ["-ar", "192000", "-ac", "2"]),
        ("cinema.wav", ["-ar", "48000", "-ac", "6"]),
        ("clipped.ogg", ["-af", "volume=30dB", "-ac", "1"]),
        ("film.mkv", ["-c:a", "aac", "-ac", "2"]),
    ] {
        let file = home.folder.path().join(name);
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-i", path(&kennedy), "-vn"])
            .args(options)
            .arg(&file)
            .status();
        assert!(made.unwrap().success(), "{name}");
        let heard = heard(&[path(&file)]);
        let said = words(&text_of(&heard));
        assert!(
            said.iter().any(|word| word == "country"),
            "{name}: {said:?}"
        );
    }
}

#[test]
fn an_empty_recording_and_what_is_no_model_are_refused_with_why() {
    let home = Home::new();
    let folder = home.folder.path();
    let empty = folder.join("empty.wav");
    std::fs::write(&empty, b"").unwrap();
    let refused = assert_refusal(&hearing().run(["transcribe", path(&empty)]).expect_code(2));
    assert!(refused.contains("empty.wav"), "{refused}");

    let store = folder.join("models");
    bring(&store, &WITHOUT_VOICES);
    let file = voice("Grandmother reads Austen 2.wav");
    let model = store.join("whisper-base/model.bin");
    let whole = std::fs::read(&model).unwrap();
    let foreign = vec![7; whole.len()];
    for bytes in [&whole[..whole.len() / 2], &foreign] {
        std::fs::remove_file(&model).unwrap();
        std::fs::write(&model, bytes).unwrap();
        let hearing = program().env("HEIRLOOM_MODELS", path(&store));
        let refused = assert_refusal(&hearing.run(["transcribe", path(&file)]).expect_code(2));
        let why = "heirloom models pull whisper-base";
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn captions_are_those_of_browsers() {
    let file = voice("1961-01-20 Kennedy on the radio.mp3");
    let finished = hearing()
        .run(["transcribe", "--vtt", path(&file)])
        .expect_code(0);
    let mut lines = finished.stdout.lines();
    assert_eq!(lines.next(), Some("WEBVTT"));
    assert!(lines.any(|line| line.starts_with("00:00:") && line.contains(" --> ")));
    let said = words(&finished.stdout);
    assert!(said.iter().any(|word| word == "americans"), "{said:?}");
}

#[test]
fn what_cannot_be_heard_is_refused_with_why() {
    let home = Home::new();
    let silent = made(&home, "film.mp4", "testsrc=d=1:s=64x64");
    let letter = home.folder.path().join("letter.txt");
    std::fs::write(&letter, "Dear Anna").unwrap();
    for (file, why) in [
        (&silent, "there is no sound in this file"),
        (&letter, "letter.txt"),
        (&home.folder.path().join("gone.wav"), "cannot be read"),
    ] {
        let finished = hearing().run(["transcribe", path(file)]).expect_code(2);
        let refused = assert_refusal(&finished);
        assert!(refused.contains(why), "{refused}");
    }
    let nothing = program().env("HEIRLOOM_MODELS", path(&home.folder.path().join("empty")));
    let file = voice("Grandmother reads Austen 2.wav");
    let refused = assert_refusal(&nothing.run(["transcribe", path(&file)]).expect_code(2));
    assert!(refused.contains("heirloom models pull"), "{refused}");
}

#[test]
fn what_is_said_in_a_library_is_found_with_when_it_is_said() {
    let home = understood(&[
        "1961-01-20 Kennedy on the radio.mp3",
        "Oma Hilde erzählt.wav",
    ]);
    let found = home.json(["search", "\"what your country can do\""]);
    let hit = &found["items"][0];
    assert_eq!(hit["name"], "1961-01-20 Kennedy on the radio.mp3");
    let spoken = &hit["matches"][0];
    assert_eq!(spoken["field"], "spoken", "{spoken}");
    assert!(
        spoken["at_ms"]
            .as_u64()
            .is_some_and(|at| (2_000..9_000).contains(&at)),
        "{spoken}"
    );
    let asset = hit["id"].as_str().unwrap();
    let artifacts = home.json(["artifact", "list", asset])["items"].clone();
    let mut artifacts = artifacts.as_array().unwrap().iter();
    let transcript = artifacts.find(|it| it["kind"] == "transcript").unwrap();
    let model = transcript["model"].as_str().unwrap();
    assert!(model.starts_with("whisper-base@"), "{model}");
    assert_eq!(transcript["payload"]["language"], "en");
    assert_eq!(transcript["payload"]["method"], "local");
    // It is understood once.
    let again = home.json(["run", "start", "understand"]);
    let step = &again["steps"][0];
    assert_eq!(
        (&step["present"], &step["done"]),
        (&json!(2), &json!(0)),
        "{step}"
    );
}

#[test]
fn what_was_heard_is_corrected_and_named_and_taken_back() {
    let name = "1961-01-20 Kennedy on the radio.mp3";
    let home = understood(&[name]);
    let asset = home.asset(name);
    let transcript = || home.json(["asset", "transcript", &asset]);
    let before = transcript();
    let first = &before["passages"][0];
    let at = format!("{}-{}", first["start_ms"], first["end_ms"]);
    let make = |kind: &str, words: &str| {
        home.json(["claim", "make", &asset, kind, words, "--at", &at])["id"].clone()
    };
    let said = make("said", "And so, my fellow Heirlooms:");
    make("speaker", "John F. Kennedy");
    let passage = &transcript()["passages"][0];
    assert_eq!(passage["text"], "And so, my fellow Heirlooms:");
    assert_eq!(passage["correction_id"], said);
    assert_eq!(passage["speaker_name"], "John F. Kennedy");
    assert_eq!(passage["start_ms"], first["start_ms"]);
    let found = |query: &str| home.json(["search", query])["items"][0].clone();
    assert_eq!(found("fellow heirlooms")["matches"][0]["field"], "spoken");
    assert_eq!(found("person:kennedy speaker")["id"], Json::Null);
    assert_eq!(found("person:kennedy")["id"], asset.as_str());
    assert_eq!(before["keywords"], json!(["Americans", "country"]));
    let vtt = home.done(["asset", "transcript", "--vtt", &asset]).stdout;
    assert!(
        vtt.contains("<v John F. Kennedy>And so, my fellow Heirlooms:"),
        "{vtt}"
    );
    let shown = home.done(["asset", "transcript", &asset]).stdout;
    let line = shown.lines().next().unwrap();
    assert!(
        line.contains("John F. Kennedy  And so, my fellow Heirlooms:")
            && line.ends_with("corrected"),
        "{shown}"
    );

    // An export has it as it was corrected, and brings the correction along.
    let bag = home.folder.path().join("Taken along");
    home.done(["export", path(&bag)]);
    let texts = std::fs::read_dir(bag.join("data/texts/Voices")).unwrap();
    let texts: Vec<String> = texts
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts.iter().all(|text| text.contains("fellow Heirlooms")),
        "{texts:?}"
    );
    let other = Home::new();
    other.done(["import", path(&bag)]);
    let there = other.json(["asset", "transcript", &other.asset(name)]);
    assert_eq!(there["passages"], transcript()["passages"]);
    let hits = other.json(["search", "fellow heirlooms"])["items"].clone();
    assert_eq!(hits[0]["matches"][0]["field"], "spoken");

    home.done(["claim", "undo", &asset, said.as_str().unwrap()]);
    assert_eq!(transcript()["passages"][0]["text"], first["text"]);
    assert_eq!(found("heirlooms")["id"], Json::Null);
}

#[test]
fn a_voice_that_was_named_once_is_known_again_and_people_decide() {
    let names = [1, 3].map(|n| format!("Grandmother reads Austen {n}.wav"));
    let home = understood(&[&names[0], &names[1], "Oma Hilde erzählt.wav"]);
    let [first, second] = names.each_ref().map(|name| home.asset(name));
    let voices = |id: &str| home.json(["asset", "voices", id])["items"].clone();
    let before = voices(&second);
    assert_eq!(before.as_array().unwrap().len(), 1, "{before}");
    assert_eq!(before[0]["suggestion"], Json::Null);
    let elsewhere = before[0]["elsewhere"].as_array().unwrap();
    assert_eq!(
        elsewhere.len(),
        1,
        "the German reader is somebody else: {before}"
    );
    assert_eq!(elsewhere[0]["asset"]["id"], first.as_str());
    let say = |id: &str, name: &str, voice: &Json, denied: &[&str]| {
        let at = format!("{}-{}", voice["at"]["start_ms"], voice["at"]["end_ms"]);
        let claim = ["claim", "make", id, "speaker", name, "--at", &at];
        home.done([&claim[..], denied].concat());
    };
    say(&first, "Jane", &voices(&first)[0], &[]);
    let suggested = voices(&second);
    assert_eq!(suggested[0]["suggestion"]["name"], "Jane");
    assert_eq!(suggested[0]["suggestion"]["asset_id"], first.as_str());
    assert!(suggested[0]["suggestion"]["likeness"].as_f64().unwrap() >= 0.8);
    let words = home.done(["asset", "voices", &second]).stdout;
    assert!(words.contains("sounds like Jane (0."), "{words}");
    assert!(words.contains(&format!(
        "heirloom claim make {second} speaker \"Jane\" --at "
    )));
    assert!(words.contains("heard in 1 other recording:"), "{words}");
    // That it is not is kept, and asked no more; that it is takes its place.
    say(&second, "Jane", &suggested[0], &["--not"]);
    assert_eq!(voices(&second)[0]["suggestion"], Json::Null);
    say(&second, "Jane", &suggested[0], &[]);
    let after = voices(&second);
    assert_eq!(
        (&after[0]["name"], &after[0]["suggestion"]),
        (&json!("Jane"), &Json::Null)
    );
    // It comes from what was written down, and is made again from that.
    home.done(["rebuild", "--index"]);
    assert_eq!(voices(&second), after);
    let german = home.asset("Oma Hilde erzählt.wav");
    assert_eq!(voices(&german)[0]["elsewhere_count"], 0);
}

#[test]
fn a_recording_is_heard_again_in_the_language_that_people_say_it_is_in() {
    let name = "Oma Hilde erzählt.wav";
    let home = understood(&[name]);
    let asset = home.asset(name);
    let language = || home.json(["asset", "transcript", &asset])["language"].clone();
    assert_eq!(language(), "de");
    let refused = home
        .heirloom
        .run(["claim", "make", &asset, "language", "Dutch"]);
    let refused = assert_refusal(&refused.expect_code(2));
    assert!(refused.contains("de for German"), "{refused}");
    let claim = home.json(["claim", "make", &asset, "language", "nl"]);
    // What was begun in a process that has ended is gone on with by the next.
    home.json(["run", "start", "understand"]);
    assert_eq!(language(), "nl");
    home.done(["claim", "undo", &asset, claim["id"].as_str().unwrap()]);
    home.json(["run", "start", "understand"]);
    assert_eq!(language(), "de");
}

#[test]
fn without_models_nothing_is_understood_and_a_run_says_what_is_missing() {
    let home = Home::new();
    let root = home.folder.path().join("Voices");
    std::fs::create_dir_all(&root).unwrap();
    let name = "Oma Hilde erzählt.wav";
    std::fs::copy(voice(name), root.join(name)).unwrap();
    home.done(["scan", path(&root)]);
    let runs = home.json(["run", "list"])["items"].clone();
    let pipelines: Vec<&Json> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["pipeline"])
        .collect();
    assert_eq!(pipelines, ["prepare", "scan"]);
    let asked = ["run", "start", "understand", "--json"];
    let finished = home.heirloom.run(asked).expect_code(1);
    let run: Json = serde_json::from_str(&finished.stdout).unwrap();
    let failed = home.done(["run", "failed", run["id"].as_str().unwrap()]);
    let said = failed.stdout;
    assert!(said.contains("heirloom models pull"), "{said}");
}
