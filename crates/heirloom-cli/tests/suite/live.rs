//! What is said while it is said, over a real WebSocket and from standard input, with the real models.

use std::{
    io::Write as _,
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use heirloom_testing::{
    http::get,
    media::sample_library,
    models,
    process::{Heirloom, Running, free_address},
    websocket::WebSocket,
};
use serde_json::{Value as Json, json};

use crate::harness::{Home, path};

const PATH: &str = "/api/v1/transcriptions/live";
const RATE: &str = "/api/v1/transcriptions/live?rate=16000";
/// A second of samples.
const SECOND: usize = 32_000;
const SHORT: &str = "Grandmother reads Austen 2.wav";
const LONG: &str = "Grandmother reads Austen 1.wav";

fn serve(heirloom: &Heirloom) -> (Running, SocketAddr) {
    let address = free_address();
    let listen = address.to_string();
    let mut server = heirloom.start(["serve", "--listen", &listen]);
    server.wait_until_ready(address);
    (server, address)
}

fn hearing() -> Home {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    home
}

/// What FFmpeg makes with these arguments, of one channel.
fn made(arguments: &[&str]) -> Vec<u8> {
    let made = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(arguments)
        .args(["-ac", "1", "pipe:1"])
        .output()
        .unwrap();
    assert!(made.status.success());
    made.stdout
}

/// A recording of the sample.
fn sound(name: &str, arguments: &[&str]) -> Vec<u8> {
    let file = sample_library().join("Voices").join(name);
    made(&[&["-i", path(&file)], arguments].concat())
}

fn samples(name: &str) -> Vec<u8> {
    sound(name, &["-ar", "16000", "-f", "s16le"])
}

/// Words without marks, in small letters.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn end() -> Json {
    json!({ "type": "end" })
}

fn is(event: &Json, kind: &str) -> bool {
    event["type"] == kind
}

fn open(address: SocketAddr, asked: &str) -> WebSocket {
    let mut socket = WebSocket::open(address, asked, &[]).unwrap();
    assert_eq!(socket.receive(), Some(json!({ "type": "ready" })));
    socket
}

/// All that still comes.
fn rest(socket: &mut WebSocket) -> Vec<Json> {
    std::iter::from_fn(|| socket.receive()).collect()
}

/// Sends all of it at once, and gives all that comes back.
fn conversation(address: SocketAddr, asked: &str, sound: &[u8]) -> Vec<Json> {
    let mut socket = open(address, asked);
    let mut sender = socket.sender();
    let sound = sound.to_vec();
    let sending = thread::spawn(move || {
        sound.chunks(SECOND).for_each(|chunk| sender.send(chunk));
        sender.say(&end());
    });
    let events = rest(&mut socket);
    sending.join().unwrap();
    events
}

/// What was said for good.
fn finals(events: &[Json]) -> Vec<String> {
    let finals = events.iter().filter(|event| is(event, "final"));
    let passages = finals.flat_map(|event| event["passages"].as_array().unwrap().clone());
    passages
        .flat_map(|passage| words(passage["text"].as_str().unwrap()))
        .collect()
}

/// The model may write the one rare word of it otherwise after Opus.
fn assert_once(said: &[String]) {
    let all = words("He was not an ill disposed young man");
    assert_eq!((said.len(), &said[..5]), (8, &all[..5]), "{said:?}");
    assert_eq!(said[6..], all[6..]);
}

fn assert_ended(events: &[Json], reason: &str) {
    let last = events.last().unwrap();
    assert_eq!(
        *last,
        json!({ "type": "end", "reason": reason }),
        "{events:?}"
    );
}

#[test]
fn what_is_said_comes_back_while_it_is_said_and_what_was_agreed_on_stays() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    let sound = samples(LONG);
    let mut socket = open(address, RATE);
    let (first, later) = sound.split_at(2 * SECOND);
    socket.send(first);
    let mut events = vec![socket.receive().unwrap()];
    for chunk in later.chunks(SECOND) {
        // Each second is heard before the next one is said.
        socket.send(chunk);
        if events.last().is_some_and(|event| is(event, "partial")) && chunk.len() == SECOND {
            events.push(socket.receive().unwrap());
        }
    }
    let before = events.len();
    socket.say(&end());
    events.extend(rest(&mut socket));
    assert_ended(&events, "done");

    assert!(is(&events[0], "partial"), "{events:?}");
    let partials = events[..before].iter().filter(|event| is(event, "partial"));
    let mut agreed: Vec<&str> = partials
        .map(|event| event["agreed"].as_str().unwrap())
        .collect();
    assert!(agreed.iter().any(|text| !text.is_empty()), "{events:?}");
    assert!(
        agreed.windows(2).all(|pair| pair[1].starts_with(pair[0])),
        "{agreed:?}"
    );
    agreed.dedup();
    assert!(agreed.len() >= 3, "it comes bit by bit: {agreed:?}");

    let file = sample_library().join("Voices").join(LONG);
    let whole = words(&home.done(["transcribe", path(&file)]).stdout);
    let heard = finals(&events);
    let same = whole.iter().filter(|word| heard.contains(word)).count();
    assert!(same * 10 >= whole.len() * 9, "{heard:?} for {whole:?}");
    let said = events.iter().find(|event| is(event, "final")).unwrap();
    assert_eq!(said["language"], "en");
    let words = said["passages"][0]["words"].as_array().unwrap();
    let times: Vec<u64> = words
        .iter()
        .flat_map(|word| [&word["start_ms"], &word["end_ms"]])
        .map(|time| time.as_u64().unwrap())
        .collect();
    assert!(words.len() >= 5 && times[0] < times[1], "{words:?}");
    assert!(
        times.iter().step_by(2).is_sorted() && *times.last().unwrap() <= 8_000,
        "{times:?}"
    );
    server.stop();
}

#[test]
fn what_a_browser_records_is_heard_and_a_pause_ends_what_is_said() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    // Somebody speaks, is silent for three seconds, and says the same again.
    let twice = [
        "-filter_complex",
        "[0]apad=pad_dur=3,asplit[a][b];[a][b]concat=n=2:v=0:a=1",
    ];
    for packed in [
        ["-c:a", "libopus", "-f", "webm"],
        ["-c:a", "libopus", "-f", "ogg"],
    ] {
        let sound = sound(SHORT, &[&twice[..], &packed[..]].concat());
        let (first, second) = sound.split_at(sound.len() / 2);
        let mut socket = open(address, PATH);
        socket.send(first);
        let mut events = Vec::new();
        while !events.last().is_some_and(|event| is(event, "final")) {
            events.push(socket.receive().unwrap());
        }
        assert_once(&finals(&events));
        socket.send(second);
        socket.say(&end());
        events.extend(rest(&mut socket));
        assert_ended(&events, "done");
        let both = finals(&events);
        let (one, other) = both.split_at(both.len() / 2);
        assert_once(one);
        assert_once(other);
    }
    server.stop();
}

#[test]
fn languages_are_told_apart_and_silence_and_noise_say_nothing() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    for (name, language, word) in [
        ("Oma Hilde erzählt.wav", "de", "portal"),
        ("Abuela Carmen.ogg", "es", "arenas"),
    ] {
        let events = conversation(address, RATE, &samples(name));
        let said = events.iter().find(|event| is(event, "final")).unwrap();
        assert_eq!(said["language"], language, "{events:?}");
        assert!(finals(&events).contains(&word.to_owned()), "{events:?}");
    }
    let asked = format!("{RATE}&language=fr");
    let events = conversation(address, &asked, &samples(SHORT));
    let said = events.iter().find(|event| is(event, "final")).unwrap();
    assert_eq!(said["language"], "fr", "{events:?}");

    let noise = [
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=4:c=pink:a=0.1",
        "-ar",
        "16000",
        "-f",
        "s16le",
    ];
    for nothing in [vec![0; 8 * SECOND], made(&noise)] {
        let events = conversation(address, RATE, &nothing);
        assert_eq!(events, [json!({ "type": "end", "reason": "done" })]);
    }
    // After a silence in which the model was let go of.
    let late = [vec![0; 130 * SECOND], samples(SHORT)].concat();
    let events = conversation(address, RATE, &late);
    assert_once(&finals(&events));
    let said = events.iter().find(|event| is(event, "final")).unwrap();
    let start_ms = said["passages"][0]["start_ms"].as_u64().unwrap();
    assert!((130_000..131_000).contains(&start_ms), "{events:?}");
    server.stop();
}

#[test]
fn who_speaks_on_and_on_is_heard_piece_by_piece() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    // Half a minute in which nobody pauses for long.
    let once: Vec<u8> = [LONG, SHORT, "Grandmother reads Austen 3.wav"]
        .into_iter()
        .flat_map(samples)
        .collect();
    let events = conversation(address, RATE, &once.repeat(2));
    assert_ended(&events, "done");
    let texts = events.iter().filter(|event| is(event, "final"));
    assert!(texts.count() >= 2, "{events:?}");
    let said = words(
        "and mister john dashwood had then leisure to consider how much there might be prudently in his power to do for \
         them he was not an ill disposed young man unless to be rather cold hearted and rather selfish is to be ill disposed",
    );
    let heard = finals(&events);
    for word in &said {
        let count = heard.iter().filter(|heard| *heard == word).count();
        // "Mr" is written otherwise.
        let is_there = count >= 2 || word == "mister";
        assert!(is_there, "{word}: {heard:?}");
    }
    let difference = heard.len().abs_diff(2 * said.len());
    assert!(
        difference <= 8,
        "nothing is heard twice or missed: {heard:?}"
    );
    server.stop();
}

#[test]
fn who_may_not_or_cannot_be_heard_is_told_so() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    let code = |asked: &str, headers: &[(&str, &str)]| {
        let answer = WebSocket::open(address, asked, headers).unwrap_err();
        let body: Json = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, body["code"].as_str().unwrap().to_owned())
    };
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(code(RATE, &foreign), (403, "foreign_request".to_owned()));
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(code(RATE, &foreign), (403, "foreign_request".to_owned()));
    for wrong in ["rate=5", "rate=many", "pitch=5"] {
        let refused = code(&format!("{PATH}?{wrong}"), &[]);
        assert_eq!(refused, (400, "invalid_request".to_owned()), "{wrong}");
    }
    assert_eq!(get(address, PATH, &[]).status, 400, "no WebSocket");

    let own = format!("http://{address}");
    let mut first = WebSocket::open(address, RATE, &[("origin", &own)]).unwrap();
    assert_eq!(first.receive(), Some(json!({ "type": "ready" })));
    assert_eq!(code(RATE, &[]), (503, "busy".to_owned()));
    // Whoever goes away in the middle of a word makes room.
    first.send(&samples(SHORT)[..SECOND]);
    drop(first);
    while WebSocket::open(address, PATH, &[]).is_err() {
        thread::sleep(Duration::from_millis(100));
    }
    server.stop();

    let mut bare = Home::new();
    let nothing = bare.folder.path().join("nothing");
    bare.heirloom = bare.heirloom.env("HEIRLOOM_MODELS", path(&nothing));
    let (server, address) = serve(&bare.heirloom);
    let answer = WebSocket::open(address, RATE, &[]).unwrap_err();
    let body: Json = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (answer.status, &body["code"]),
        (503, &json!("model_missing"))
    );
    server.stop();
}

#[test]
fn rubbish_ends_a_conversation_and_not_the_next() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    let refused = |asked: &str, send: &dyn Fn(&mut WebSocket)| {
        let mut socket = loop {
            // The one before may still be on its way out.
            match WebSocket::open(address, asked, &[]) {
                Ok(socket) => break socket,
                Err(answer) => assert_eq!(answer.status, 503),
            }
        };
        send(&mut socket);
        let events = rest(&mut socket);
        let last = events.last().unwrap();
        assert!(is(last, "error") && last["hint"].is_string(), "{events:?}");
        last["code"].as_str().unwrap().to_owned()
    };
    let no_sound = refused(PATH, &|socket| {
        socket.send(
            "This is no sound at all, whatever it says."
                .repeat(200)
                .as_bytes(),
        );
        socket.say(&end());
    });
    assert_eq!(no_sound, "unsupported_type");
    let no_message = refused(RATE, &|socket| socket.say(&json!({ "type": "sing" })));
    assert_eq!(no_message, "invalid_request");
    let too_much = refused(RATE, &|socket| socket.send(&vec![0; (1 << 20) + 1]));
    assert_eq!(too_much, "invalid_request");
    let no_language = refused(&format!("{RATE}&language=xx"), &|_| {});
    assert_eq!(no_language, "refused");
    let events = conversation(address, RATE, &samples(SHORT));
    assert_once(&finals(&events));
    server.stop();
}

#[test]
fn a_server_that_stops_hears_the_last_words() {
    let home = hearing();
    let (server, address) = serve(&home.heirloom);
    let mut socket = open(address, RATE);
    socket.send(&samples(SHORT));
    let mut events = vec![socket.receive().unwrap()];
    let stopping = thread::spawn(move || server.stop());
    events.extend(rest(&mut socket));
    stopping.join().unwrap();
    assert_ended(&events, "stopping");
    let heard = finals(&events);
    assert!(!heard.is_empty(), "{events:?}");
}

#[test]
fn standard_input_is_heard_as_it_comes() {
    let home = hearing();
    for (arguments, sound) in [
        (
            vec!["transcribe", "--live", "--rate", "16000", "-"],
            samples(SHORT),
        ),
        (
            vec!["transcribe", "--live", "-"],
            sound(SHORT, &["-c:a", "libopus", "-f", "webm"]),
        ),
        (
            vec![
                "--json",
                "transcribe",
                "--live",
                "--rate",
                "8000",
                "--language",
                "en",
                "-",
            ],
            sound(SHORT, &["-ar", "8000", "-f", "s16le"]),
        ),
    ] {
        let mut child = home
            .heirloom
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let sending = thread::spawn(move || stdin.write_all(&sound));
        let output = child.wait_with_output().unwrap();
        sending.join().unwrap().unwrap();
        assert!(output.status.success());
        let printed = String::from_utf8(output.stdout).unwrap();
        if arguments[0] == "--json" {
            let lines = printed.lines().map(serde_json::from_str);
            let events: Vec<Json> = lines.collect::<Result<_, _>>().unwrap();
            assert!(is(&events[0], "ready"), "{events:?}");
            assert_once(&finals(&events));
        } else {
            assert_once(&words(&printed));
        }
    }
    let file = sample_library().join("Voices").join(SHORT);
    let printed = home.done(["transcribe", "--live", path(&file)]).stdout;
    assert_once(&words(&printed));
    let refused = home.heirloom.run(["transcribe", "--rate", "16000", "-"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}
