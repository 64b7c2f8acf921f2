//! A service that writes down what is said or written, or says what pictures show, for a test: the published APIs of OpenAI, of the
//! server of whisper.cpp and of Google Cloud Vision, over real HTTP on a loopback port. It hears nothing but beeps: each is a word.
//! Of a picture it sees how wide and how high it is, and always reads the same on it and sees the same in it.

mod vision;

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value as Json, json};

use crate::process::PATIENCE;

/// A running service. It stops when this is dropped.
#[derive(Debug)]
pub struct Transcriber {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<Asked>,
    faults: VecDeque<Fault>,
    /// What goes wrong once there are no other faults.
    always: Option<Fault>,
}

/// What somebody asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// What it said it was allowed by.
    pub authorization: String,
    /// The fields of the form, in order, but for the file.
    pub fields: Vec<(String, String)>,
    /// The name of the file and the type of its bytes.
    pub file: (String, String),
    /// The file.
    pub bytes: Vec<u8>,
    /// What was sent, where it is JSON.
    pub json: Json,
}

impl Asked {
    /// The first field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It answers with this status, these further headers and this body.
    Status(u16, &'static str, String),
    /// It takes what is sent, and never answers.
    Silent,
    /// It answers well, once nothing goes wrong always any more.
    Waits,
    /// It ends the connection in the middle of an answer.
    Cut,
    /// It answers well, with this in place of what it heard.
    Says(String),
    /// It answers well, and never stops.
    Endless,
}

impl Fault {
    /// Too many requests; it says after how many seconds to come again.
    #[must_use]
    pub fn busy(after_s: u32) -> Self {
        let after = match after_s {
            0 => "retry-after: 0\r\n",
            1 => "retry-after: 1\r\n",
            _ => "retry-after: 86400\r\n",
        };
        Self::Status(
            429,
            after,
            error("Rate limit reached for requests", "rate_limit_exceeded"),
        )
    }

    /// Nothing is left on the account.
    #[must_use]
    pub fn no_money() -> Self {
        let words = "You exceeded your current quota, please check your plan and billing details.";
        Self::Status(429, "", error(words, "insufficient_quota"))
    }

    /// It is overloaded.
    #[must_use]
    pub fn down() -> Self {
        Self::Status(
            503,
            "",
            error("The engine is currently overloaded", "server_error"),
        )
    }
}

fn error(message: &str, code: &str) -> String {
    let error =
        json!({ "message": message, "type": "invalid_request_error", "param": null, "code": code });
    json!({ "error": error }).to_string()
}

/// The most bytes of a file, as OpenAI has it.
const MOST_BYTES: usize = 25 * 1024 * 1024;
const ENDINGS: [&str; 9] = [
    "flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm",
];
const SAMPLES_PER_SECOND: usize = 16_000;
/// How loud a beep is at least, and how long it is quiet between two.
const LOUD: u16 = 2_000;
const PAUSE: usize = SAMPLES_PER_SECOND / 20;

impl Transcriber {
    /// The key that it accepts.
    pub const KEY: &str = "sk-the-key-of-the-tests";
    /// What it says for each beep, one after the other.
    pub const WORDS: [&str; 6] = ["Grandfather", "built", "this", "house", "himself", "alone"];

    /// A new one.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if of_thread.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                // Whoever asks and goes away is no fault of a test.
                thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// The address of its API, as it is configured.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The same of the server of whisper.cpp.
    #[must_use]
    pub fn whisper_cpp(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is to go wrong with the next requests, one after the other.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.state().faults.extend(faults);
    }

    /// What goes wrong with each request from now on; `None` for nothing.
    pub fn fail_always(&self, fault: Option<Fault>) {
        self.shared.state().always = fault;
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.state().asked.clone()
    }
}

impl Drop for Transcriber {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes whoever waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let mut lines = head.iter().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value).to_owned()
    };
    let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let boundary = header("content-type");
    let boundary = boundary
        .split_once("boundary=")
        .map_or("", |(_, rest)| rest.trim_matches('"'));
    let key = header("x-goog-api-key");
    let mut asked = Asked {
        path,
        authorization: if key.is_empty() {
            header("authorization")
        } else {
            key
        },
        json: serde_json::from_slice(&body).unwrap_or_default(),
        ..Asked::default()
    };
    read_form(&body, boundary, &mut asked);
    let fault = {
        let mut state = shared.state();
        state.asked.push(asked.clone());
        let next = state.faults.pop_front();
        next.or_else(|| state.always.clone())
    };
    match fault {
        Some(Fault::Silent) => {
            while !shared.is_over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
        Some(Fault::Waits) => {
            while shared.state().always.is_some() && !shared.is_over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
            let (status, body) = judge(&asked);
            answer(&mut stream, status, "", &body.to_string())
        }
        Some(Fault::Cut) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"text\": \"Gra")
        }
        Some(Fault::Endless) => {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"text\": \"",
            )?;
            while !shared.is_over.load(Ordering::Relaxed) {
                stream.write_all(&[b'a'; 65536])?;
            }
            Ok(())
        }
        Some(Fault::Status(status, headers, body)) => answer(&mut stream, status, headers, &body),
        Some(Fault::Says(body)) => answer(&mut stream, 200, "", &body),
        None => {
            let (status, body) = judge(&asked);
            answer(&mut stream, status, "", &body.to_string())
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

/// A form as RFC 7578 has it.
fn read_form(body: &[u8], boundary: &str, asked: &mut Asked) {
    let mark = format!("--{boundary}");
    let mut rest = body;
    while let Some(at) = find(rest, mark.as_bytes()) {
        rest = &rest[at + mark.len()..];
        let Some(end) = find(rest, format!("\r\n{mark}").as_bytes()) else {
            return;
        };
        let part = &rest[2.min(end)..end];
        rest = &rest[end + 2..];
        let Some(blank) = find(part, b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&part[..blank]).into_owned();
        let value = &part[blank + 4..];
        let of = |name: &str| {
            let (_, after) = head.split_once(&format!("{name}=\""))?;
            Some(after.split_once('"')?.0.to_owned())
        };
        let name = of("; name").unwrap_or_default();
        match of("filename") {
            Some(file) => {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                let kind = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
                asked.file = (file, kind.map_or("", |(_, kind)| kind).to_owned());
                asked.bytes = value.to_vec();
            }
            None => {
                let value = String::from_utf8_lossy(value).into_owned();
                asked.fields.push((name, value));
            }
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// What the service makes of what it is asked.
fn judge(asked: &Asked) -> (u16, Json) {
    let refuse = |status: u16, message: &str, code: &str| {
        (status, serde_json::from_str(&error(message, code)).unwrap())
    };
    let is_openai = match asked.path.as_str() {
        "/v1/audio/transcriptions" => true,
        "/inference" => false,
        "/v1/chat/completions" | "/v1/images:annotate" => return vision::judge(asked),
        _ => return refuse(404, "Invalid URL", "unknown_url"),
    };
    let ending = asked.file.0.rsplit('.').next().unwrap_or_default();
    if is_openai {
        if asked.authorization != format!("Bearer {}", Transcriber::KEY) {
            return refuse(401, "Incorrect API key provided.", "invalid_api_key");
        }
        if asked.field("model").is_none() {
            return refuse(400, "you must provide a model parameter", "missing_model");
        }
        if asked.bytes.len() > MOST_BYTES {
            return refuse(
                413,
                "Maximum content size limit (26214400) exceeded",
                "too_large",
            );
        }
        if !ENDINGS.contains(&ending) {
            return refuse(400, "Invalid file format.", "invalid_file");
        }
    } else if !asked.bytes.starts_with(b"RIFF") {
        return (400, json!({ "error": "failed to read WAV file" }));
    }
    let Some((beeps, seconds)) = hear(&asked.bytes) else {
        return refuse(
            400,
            "The audio file could not be decoded or its format is not supported.",
            "invalid_file",
        );
    };
    (200, write_down(asked, &beeps, seconds, is_openai))
}

/// The answer as it is published.
fn write_down(asked: &Asked, beeps: &[(f64, f64)], seconds: f64, is_openai: bool) -> Json {
    let said: Vec<_> = Transcriber::WORDS.iter().cycle().zip(beeps).collect();
    let words = said.iter().map(|(word, (start, end))| {
        let mut word = json!({ "word": word, "start": start, "end": end });
        if !is_openai {
            word["probability"] = 0.9.into();
        }
        word
    });
    let words: Vec<Json> = words.collect();
    // A sentence is all the words there are.
    let sentences = words.chunks(Transcriber::WORDS.len()).enumerate();
    let segments = sentences.map(|(id, words)| {
        let text: Vec<_> = words
            .iter()
            .map(|word| word["word"].as_str().unwrap())
            .collect();
        let mut segment = json!({
            "id": id, "seek": 0, "start": words[0]["start"], "end": words[words.len() - 1]["end"],
            "text": format!(" {}.", text.join(" ")), "tokens": [50364], "temperature": 0.0,
            "avg_logprob": -0.25, "compression_ratio": 1.1, "no_speech_prob": 0.01,
        });
        if !is_openai {
            segment["words"] = words.into();
        }
        segment
    });
    let segments: Vec<Json> = segments.collect();
    let texts: Vec<_> = segments
        .iter()
        .map(|segment| segment["text"].as_str().unwrap())
        .collect();
    let text = texts.concat().trim().to_owned();
    if asked.field("response_format") != Some("verbose_json") {
        return json!({ "text": text });
    }
    let language = match asked.field("language") {
        Some("de") => "german",
        _ => "english",
    };
    let mut answer = json!({
        "task": "transcribe", "language": language, "duration": seconds, "text": text, "segments": segments,
    });
    let wants_words = asked
        .fields
        .contains(&("timestamp_granularities[]".to_owned(), "word".to_owned()));
    if is_openai && wants_words {
        answer["words"] = words.into();
        answer["usage"] = json!({ "type": "duration", "seconds": seconds.ceil() });
    }
    answer
}

/// When each beep begins and ends, and how long all of it is.
fn hear(bytes: &[u8]) -> Option<(Vec<(f64, f64)>, f64)> {
    let mut decoder = Command::new("ffmpeg")
        .args([
            "-v", "error", "-i", "pipe:0", "-ac", "1", "-ar", "16000", "-f", "s16le", "pipe:1",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = decoder.stdin.take()?;
    let bytes = bytes.to_vec();
    let writing = thread::spawn(move || stdin.write_all(&bytes));
    let mut samples = Vec::new();
    decoder.stdout.take()?.read_to_end(&mut samples).ok()?;
    let _ = writing.join();
    if !decoder.wait().ok()?.success() {
        return None;
    }
    let samples: Vec<_> = samples
        .chunks_exact(2)
        .map(|it| i16::from_le_bytes([it[0], it[1]]))
        .collect();
    let mut beeps: Vec<(usize, usize)> = Vec::new();
    for (at, sample) in samples.iter().enumerate() {
        if sample.unsigned_abs() >= LOUD {
            match beeps.last_mut() {
                Some(last) if at - last.1 < PAUSE => last.1 = at,
                _ => beeps.push((at, at)),
            }
        }
    }
    let seconds = |at: usize| at as f64 / SAMPLES_PER_SECOND as f64;
    let beeps = beeps
        .into_iter()
        .map(|(start, end)| (seconds(start), seconds(end)))
        .collect();
    Some((beeps, seconds(samples.len())))
}
