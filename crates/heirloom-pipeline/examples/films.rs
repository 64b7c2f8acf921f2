//! What is made of films and recordings, and how long it takes: `cargo run --example films -- FILE…`
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{
    fs::File,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use heirloom_core::MediaKind;
use heirloom_pipeline::{
    Ffmpeg,
    confinement::{self, Confinement, Hand, HandSettings, JobLimits},
    film, jobs,
    probe::probe,
    sound,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    if let Some(code) = confinement::enter(jobs()) {
        return code;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    let confinement = Confinement::of_this_program();
    println!("{:?}", confinement.strength());
    let ffmpeg = Ffmpeg::new(confinement.clone(), std::env::temp_dir().join("films"));
    for path in std::env::args().skip(1) {
        if path == "--overhead" {
            runtime.block_on(overhead(&confinement));
            continue;
        }
        let line = runtime.block_on(look(&ffmpeg, Path::new(&path)));
        println!("{path}: {line}");
    }
    ExitCode::SUCCESS
}

async fn look(ffmpeg: &Ffmpeg, path: &Path) -> String {
    let never = CancellationToken::new();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let opened =
        File::open(path).and_then(|mut file| Ok((heirloom_media::sniff(&mut file, &name)?, file)));
    let (file_type, input) = match opened {
        Ok(opened) => opened,
        Err(error) => return error.to_string(),
    };
    if !matches!(file_type.kind, MediaKind::Video | MediaKind::Audio) {
        return format!("{} is not looked at", file_type.name);
    }
    let mut said = vec![file_type.name.to_owned()];
    let started = Instant::now();
    let found = match probe(ffmpeg, &input, &never).await {
        Ok(found) => found,
        Err(error) => return format!("{} REFUSED: {error}", file_type.name),
    };
    said.push(format!("probe {}", ms(started)));
    said.push(format!("{:?} ms", found.duration_ms));
    let mut note = |what: &str, started: Instant, outcome: Result<String, String>| {
        said.push(match outcome {
            Ok(made) => format!("{what} {made} {}", ms(started)),
            Err(error) => format!("{what} REFUSED: {error}"),
        });
    };
    if let Some(picture) = &found.picture {
        let started = Instant::now();
        let poster = film::make_poster(ffmpeg, &input, &found, &never).await;
        let made =
            poster.map(|poster| format!("{} {}x{}", picture.codec, poster.width, poster.height));
        note("poster", started, made.map_err(|error| error.to_string()));
        let started = Instant::now();
        let options = film::StoryboardOptions::default();
        let board = film::make_storyboard(ffmpeg, &input, &found, options, &never).await;
        let made = board.map(|board| format!("{} pictures", board.header.times_ms.len()));
        note(
            "storyboard",
            started,
            made.map_err(|error| error.to_string()),
        );
        if !film::is_playable(&found, file_type.media_type) {
            let started = Instant::now();
            let proxy = film::make_proxy(ffmpeg, &input, &found, 1080, &never).await;
            let made = proxy.map(|proxy| format!("{} kB", size(&proxy.mp4)));
            note("proxy", started, made.map_err(|error| error.to_string()));
        }
    }
    if found.sound.is_some() {
        let started = Instant::now();
        let wave = sound::make_waveform(ffmpeg, &input, &found, &never).await;
        let made = wave.map(|wave| format!("{} stretches of {} ms", wave.length, wave.duration_ms));
        note("waveform", started, made.map_err(|error| error.to_string()));
        if found.picture.is_none() && !sound::is_playable(&found, file_type.media_type) {
            let started = Instant::now();
            let proxy = sound::make_proxy(ffmpeg, &input, &found, &never).await;
            let made = proxy.map(|proxy| format!("{} kB", size(&proxy.m4a)));
            note("proxy", started, made.map_err(|error| error.to_string()));
        }
    }
    said.join(", ")
}

/// What confinement itself costs.
async fn overhead(confinement: &Confinement) {
    let never = CancellationToken::new();
    let rounds = 50;
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let command = confinement::Command {
            program: "true".into(),
            arguments: Vec::new(),
            input: None,
            scratch: std::env::temp_dir().join("films"),
            outputs: Vec::new(),
            limits: confinement::Limits::default(),
        };
        if let Ok(finished) = confinement.run(command, &never).await {
            spent += finished.wall;
        }
    }
    println!("`true`, confined: {:?} each", spent / rounds);
    let Ok(hand) = Hand::start(confinement, HandSettings::default()) else {
        return;
    };
    for round in 0..3 {
        let started = Instant::now();
        for _ in 0..rounds {
            let Ok(input) = File::open("/dev/null") else {
                return;
            };
            let header = json!({ "job": "length" });
            let _ = hand.work(header, input, JobLimits::default(), &never).await;
        }
        println!(
            "a job of a hand, round {round}: {:?} each",
            started.elapsed() / rounds
        );
    }
}

fn ms(started: Instant) -> String {
    format!("({} ms)", started.elapsed().as_millis())
}

fn size(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len() / 1000)
}
