//! What is said while it is said: how long after a word its text is there, and what that costs.

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use heirloom_testing::{
    models,
    process::{Heirloom, free_address},
    websocket::WebSocket,
};
use serde_json::{Value as Json, json};

use crate::{
    figures::{Figures, percentile},
    options::Options,
    transcribe::{changes, clips, look, plain},
};

/// So long after a word was spoken its text is there.
const LIMIT_S: f64 = 4.0;
/// How long the conversation is.
const SECONDS: usize = 120;
/// What lies between two recordings.
const PAUSE_MS: usize = 700;
/// Bytes of a millisecond.
const MS: usize = 32;
/// What is sent at once, as a browser does.
const CHUNK_MS: usize = 100;

/// An event, and when it came, counted from the first sample.
type Heard = (Duration, Json);

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let (mut sound, mut said) = (Vec::new(), Vec::new());
    let clips = clips(options);
    for clip in clips.iter().cycle() {
        let samples = samples(&clip.file);
        if (sound.len() + samples.len()) / MS > SECONDS * 1000 {
            break;
        }
        sound.extend(samples);
        sound.resize(sound.len() + PAUSE_MS * MS, 0);
        said.extend(clip.words.iter().cloned());
    }
    let seconds = sound.len() as f64 / MS as f64 / 1000.0;
    let title = format!(
        "what is said in a conversation of {seconds:.0} s with {} words, while it is said",
        said.len()
    );
    let figures = Figures::of(&title);

    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program)
        .data(place.path().join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    let address = free_address();
    let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    let (heard, cpu_s, memory_mb) = converse(address, server.id(), sound);
    server.stop();

    let words = words_of(&heard);
    let name = |of: &str, percent: usize| format!("{of} after the word, p{percent}");
    for (of, limit, delays) in [
        ("agreed or final text", Some(LIMIT_S), delays(&words, false)),
        ("any text", None, delays(&words, true)),
    ] {
        for percent in [50, 95, 100] {
            let figure = percentile(&delays, percent).as_secs_f64();
            match limit.filter(|_| percent == 95) {
                Some(limit) => figures.at_most(&name(of, percent), figure, limit, "s"),
                None => figures.plain(&name(of, percent), &format!("{figure:.2} s")),
            }
        }
    }
    let text: Vec<String> = words.into_iter().map(|word| word.text).collect();
    let wrong = changes(&said, &plain(&text.join(" "))) as f64 / said.len() as f64;
    figures.plain(
        "final words that are wrong",
        &format!("{:.1} %", wrong * 100.0),
    );
    let busy = cpu_s / seconds;
    figures.plain("processors at work", &format!("{busy:.2}"));
    figures.plain("the most memory resident", &format!("{memory_mb:.0} MB"));
}

/// As plain samples.
fn samples(file: &Path) -> Vec<u8> {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-ac", "1", "-ar", "16000", "-f", "s16le", "pipe:1"])
        .output();
    made.unwrap().stdout
}

/// Sends it as it would be spoken. Gives what came back, what the server and all that it started computed meanwhile, and
/// the most that they had resident.
fn converse(address: SocketAddr, server: u32, sound: Vec<u8>) -> (Vec<Heard>, f64, f64) {
    let path = "/api/v1/transcriptions/live?rate=16000";
    let mut socket = WebSocket::open(address, path, &[]).unwrap();
    assert_eq!(socket.receive(), Some(json!({ "type": "ready" })));
    let mut ticks = std::collections::HashMap::new();
    look(server, &mut ticks);
    let before: u64 = ticks.values().sum();
    let mut sender = socket.sender();
    let begin = Instant::now();
    let sending = thread::spawn(move || {
        let mut most_kb = 0;
        for (at, chunk) in sound.chunks(CHUNK_MS * MS).enumerate() {
            let spoken = Duration::from_millis(((at + 1) * CHUNK_MS) as u64);
            thread::sleep(spoken.saturating_sub(begin.elapsed()));
            sender.send(chunk);
            most_kb = most_kb.max(look(server, &mut ticks));
        }
        sender.say(&json!({ "type": "end" }));
        let computed = ticks.values().sum::<u64>() - before;
        // The kernel counts in hundredths of a second.
        (computed as f64 / 100.0, most_kb as f64 * 1024.0 / 1e6)
    });
    let mut heard = Vec::new();
    while let Some(event) = socket.receive() {
        heard.push((begin.elapsed(), event));
    }
    let (cpu_s, memory_mb) = sending.join().unwrap();
    (heard, cpu_s, memory_mb)
}

/// A word of the final text.
struct Word {
    text: String,
    spoken: Duration,
    /// When two passes agreed on it, or it was final.
    agreed: Duration,
    /// When it was seen first.
    seen: Duration,
}

fn words_of(heard: &[Heard]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut partials: Vec<(Duration, Vec<String>, Vec<String>)> = Vec::new();
    for (when, event) in heard {
        if event["type"] == "partial" {
            let agreed = event["agreed"].as_str().unwrap();
            let all = format!("{agreed}{}", event["rest"].as_str().unwrap());
            partials.push((*when, plain(agreed), plain(&all)));
        } else if event["type"] == "final" {
            let passages = event["passages"].as_array().unwrap().iter();
            let each = passages.flat_map(|passage| passage["words"].as_array().unwrap());
            for (at, word) in each.enumerate() {
                let text = word["text"].as_str().unwrap().to_owned();
                let is_in = |text: &str, words: &[String]| {
                    let word = plain(text).concat();
                    // A word more or less may have been heard before it.
                    let mut near = words.iter().skip(at.saturating_sub(2)).take(5);
                    near.any(|near| *near == word)
                };
                let first = |is: &dyn Fn(&[String], &[String]) -> bool| {
                    let mut found = partials.iter().filter(|(_, agreed, all)| is(agreed, all));
                    found.next().map_or(*when, |(when, ..)| *when)
                };
                words.push(Word {
                    spoken: Duration::from_millis(word["end_ms"].as_u64().unwrap()),
                    agreed: first(&|agreed, _| is_in(&text, agreed)),
                    seen: first(&|_, all| is_in(&text, all)),
                    text,
                });
            }
            partials.clear();
        }
    }
    words
}

fn delays(words: &[Word], is_any: bool) -> Vec<Duration> {
    let when = |word: &Word| if is_any { word.seen } else { word.agreed };
    let mut delays: Vec<Duration> = words
        .iter()
        .map(|word| when(word).saturating_sub(word.spoken))
        .collect();
    delays.sort();
    delays
}
