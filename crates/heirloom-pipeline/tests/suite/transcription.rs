//! Services elsewhere that write down what is said, over real HTTP: what they are sent, what becomes of their answers,
//! and of those that do not answer.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use heirloom_core::transcript::Word;
use heirloom_pipeline::{
    speech::Asked,
    transcription::{Outcome, Recording, TASK, hear},
    understand::UnderstandError,
    way::{Key, Method, ServiceError, ServiceSettings, WaySettings, Ways},
};
use heirloom_testing::transcriber::{Fault, Transcriber};
use tokio_util::sync::CancellationToken;

use crate::studio::{Studio, block_on};

/// A beep of 0.4 seconds each second, for so long.
fn beeps(studio: &Studio, seconds: u32) -> std::path::PathBuf {
    let sound = format!("aevalsrc='0.5*sin(2*PI*660*t)*lt(mod(t,1),0.4)':s=22050:d={seconds}");
    studio.make(&format!("{seconds}.flac"), &["-f", "lavfi", "-i", &sound])
}

fn service(transcriber: &Transcriber) -> ServiceSettings {
    ServiceSettings {
        name: "cloud".to_owned(),
        address: transcriber.api(),
        model: "whisper-1".to_owned(),
        key: Some(Key::new(Transcriber::KEY)),
        patience: Duration::from_secs(60),
        pause: Duration::from_millis(1),
        ..ServiceSettings::default()
    }
}

fn transcription(order: &[&str], service: ServiceSettings) -> Ways {
    let settings = WaySettings {
        order: order.iter().map(|name| Method::from(*name)).collect(),
        services: vec![service],
    };
    Ways::new(&settings, &TASK).unwrap()
}

fn heard_by(
    studio: &Studio,
    transcription: &Ways,
    file: &Path,
) -> Result<Outcome, UnderstandError> {
    let input = File::open(file).unwrap();
    let cancelled = CancellationToken::new();
    let recording = Recording {
        input: &input,
        ffmpeg: &studio.ffmpeg,
        ears: &|| Err(UnderstandError::NoModel("speech")),
        asked: &Asked::default(),
        cancelled: &cancelled,
    };
    block_on(hear(transcription.order(), &recording, |_| {}, |_, _| {}))
}

fn words(outcome: &Outcome) -> Vec<&Word> {
    let passages = outcome.heard.transcript.passages.iter();
    passages.flat_map(|passage| &passage.words).collect()
}

#[test]
fn each_kind_of_service_hears_a_long_recording_in_pieces_whose_times_are_put_together() {
    let studio = Studio::new();
    let file = beeps(&studio, 100);
    for kind in ["openai", "whisper.cpp"] {
        let transcriber = Transcriber::start();
        let max_bytes = if kind == "openai" {
            256 * 1024
        } else {
            1_500_000
        };
        let settings = ServiceSettings {
            kind: kind.to_owned(),
            address: match kind {
                "openai" => transcriber.api(),
                _ => transcriber.whisper_cpp(),
            },
            max_bytes,
            ..service(&transcriber)
        };
        let outcome = heard_by(&studio, &transcription(&["cloud"], settings), &file).unwrap();
        let words = words(&outcome);
        assert_eq!(words.len(), 100, "{kind}");
        for (word, number) in words.iter().zip(0_u64..) {
            let wanted_ms = number * 1_000;
            let off_ms = word.start_ms.abs_diff(wanted_ms);
            assert!(
                off_ms < 60,
                "{kind}: {} instead of {wanted_ms}",
                word.start_ms
            );
            assert!(
                word.end_ms.abs_diff(wanted_ms + 400) < 60,
                "{kind}: {word:?}"
            );
        }
        let heard = &outcome.heard;
        assert_eq!(
            (heard.method.as_str(), outcome.key.as_str()),
            ("cloud", "cloud:whisper-1")
        );
        assert_eq!(heard.transcript.language.as_deref(), Some("en"));
        assert!(heard.confidence > 0.7, "{kind}: {}", heard.confidence);
        let text = heard.transcript.to_text();
        assert!(
            text.starts_with("Grandfather built this house himself alone.\n"),
            "{kind}: {text}"
        );
        let asked = transcriber.asked();
        assert!(asked.len() >= 3, "{kind}: {}", asked.len());
        for asked in &asked {
            let size = asked.bytes.len() as u64;
            assert!(size < max_bytes, "{kind}: {size}");
        }
    }
    studio.assert_clean();
}

#[test]
fn a_service_is_asked_as_it_is_published() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let transcriber = Transcriber::start();
    let settings = ServiceSettings {
        model: "whisper-large-v3".to_owned(),
        languages: vec!["de".to_owned()],
        ..service(&transcriber)
    };
    let outcome = heard_by(&studio, &transcription(&["cloud"], settings), &file).unwrap();
    assert_eq!(outcome.key, "cloud:whisper-large-v3");
    assert_eq!(outcome.heard.transcript.language.as_deref(), Some("de"));
    let asked = &transcriber.asked()[0];
    assert_eq!(asked.path, "/v1/audio/transcriptions");
    assert_eq!(asked.authorization, format!("Bearer {}", Transcriber::KEY));
    assert_eq!(asked.file, ("piece.ogg".to_owned(), "audio/ogg".to_owned()));
    for (name, value) in [
        ("model", "whisper-large-v3"),
        ("response_format", "verbose_json"),
        ("language", "de"),
        ("temperature", "0"),
    ] {
        assert_eq!(asked.field(name), Some(value), "{name}");
    }
    let granularities = asked
        .fields
        .iter()
        .filter(|(name, _)| name == "timestamp_granularities[]");
    let granularities: Vec<_> = granularities.map(|(_, value)| value.as_str()).collect();
    assert_eq!(granularities, ["word", "segment"]);
    // Nothing of the file but its sound: no name, no tags.
    let text = String::from_utf8_lossy(&asked.bytes);
    assert!(!text.contains("5.flac"));
}

#[test]
fn silence_goes_nowhere() {
    let studio = Studio::new();
    let file = studio.make(
        "silence.wav",
        &["-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=20"],
    );
    let transcriber = Transcriber::start();
    let transcription = transcription(&["cloud"], service(&transcriber));
    let outcome = heard_by(&studio, &transcription, &file).unwrap();
    assert_eq!(
        (
            outcome.heard.transcript.passages.len(),
            transcriber.asked().len()
        ),
        (0, 0)
    );
    assert_eq!(outcome.heard.transcript.language, None);
}

#[test]
fn what_passes_is_asked_again_and_what_does_not_is_said() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let html = || Fault::Says("<html>Welcome to nginx</html>".to_owned());
    let says = |text: &str| Fault::Says(text.to_owned());
    let moved = Fault::Status(302, "location: http://127.0.0.1:1/\r\n", String::new());
    let wrong = Fault::Status(
        400,
        "",
        "{\"error\":{\"message\":\"Invalid file format.\\u0007\"}}".to_owned(),
    );
    // Faults, what is said in the end, and how often it was asked.
    let cases: Vec<(Vec<Fault>, Option<&str>, usize)> = vec![
        (vec![Fault::busy(0), Fault::down(), Fault::Cut], None, 4),
        (vec![Fault::busy(1)], None, 2),
        (
            vec![Fault::busy(86_400)],
            Some("too much to do: Rate limit reached"),
            1,
        ),
        (
            vec![Fault::no_money()],
            Some("refuses: You exceeded your current quota"),
            1,
        ),
        (
            vec![Fault::down(); 4],
            Some("cannot be reached: The engine is currently overloaded (503)"),
            4,
        ),
        (vec![html()], Some("answers nonsense: it is no JSON"), 1),
        (
            vec![says("[]")],
            Some("answers nonsense: it is no JSON object"),
            1,
        ),
        (
            vec![says(
                "{\"text\": \"a\", \"segments\": [{\"start\": \"soon\"}]}",
            )],
            Some("answers nonsense: "),
            1,
        ),
        (
            vec![Fault::Endless],
            Some("answers nonsense: it is far too long"),
            1,
        ),
        (vec![wrong], Some("refuses: Invalid file format.  (400)"), 1),
        (vec![moved], Some("refuses: it answered with status 302"), 1),
    ];
    for (faults, said, times) in cases {
        let transcriber = Transcriber::start();
        let what = format!("{faults:?}");
        transcriber.fail(faults);
        let transcription = transcription(&["cloud"], service(&transcriber));
        let heard = heard_by(&studio, &transcription, &file);
        match (said, heard) {
            (None, Ok(outcome)) => assert_eq!(words(&outcome).len(), 5, "{what}"),
            (Some(said), Err(UnderstandError::Service(error))) => {
                let words = error.to_string();
                assert!(
                    words.starts_with("cloud ") && words.contains(said),
                    "{what}: {words}"
                );
                assert!(!words.contains(Transcriber::KEY), "{words}");
                assert!(error.hint().is_some(), "{words}");
            }
            (_, heard) => panic!("{what}: {heard:?}"),
        }
        assert_eq!(transcriber.asked().len(), times, "{what}");
    }
    studio.assert_clean();
}

#[test]
fn a_key_that_is_refused_is_said_and_not_shown() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let transcriber = Transcriber::start();
    let settings = ServiceSettings {
        key: Some(Key::new("sk-somebody-elses")),
        ..service(&transcriber)
    };
    let heard = heard_by(&studio, &transcription(&["cloud"], settings), &file);
    let Err(UnderstandError::Service(error @ ServiceError::Key { .. })) = heard else {
        panic!("{heard:?}");
    };
    assert!(!error.to_string().contains("somebody"), "{error}");
    assert_eq!(transcriber.asked().len(), 1);
}

#[test]
fn who_does_not_answer_in_time_is_not_waited_for() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let transcriber = Transcriber::start();
    transcriber.fail_always(Some(Fault::Silent));
    let settings = ServiceSettings {
        patience: Duration::from_millis(300),
        ..service(&transcriber)
    };
    let heard = heard_by(&studio, &transcription(&["cloud"], settings), &file);
    assert!(
        matches!(
            heard,
            Err(UnderstandError::Service(ServiceError::Silent { .. }))
        ),
        "{heard:?}"
    );
    assert_eq!(transcriber.asked().len(), 2);
}

#[test]
fn who_fails_too_often_is_left_alone() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let transcriber = Transcriber::start();
    transcriber.fail_always(Some(Fault::down()));
    let transcription = transcription(&["cloud"], service(&transcriber));
    let first = heard_by(&studio, &transcription, &file);
    assert!(
        matches!(
            first,
            Err(UnderstandError::Service(ServiceError::Away { .. }))
        ),
        "{first:?}"
    );
    transcriber.fail_always(None);
    let next = heard_by(&studio, &transcription, &file);
    assert!(
        matches!(
            next,
            Err(UnderstandError::Service(ServiceError::Resting { .. }))
        ),
        "{next:?}"
    );
    assert_eq!(transcriber.asked().len(), 4);
    assert!(transcription.services()[0].rest_left().is_some());
}

#[test]
fn what_nobody_could_hear_is_noted_without_a_word() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let transcriber = Transcriber::start();
    transcriber.fail_always(Some(Fault::down()));
    let transcription = transcription(&["local", "cloud", "metadata"], service(&transcriber));
    let outcome = heard_by(&studio, &transcription, &file).unwrap();
    let heard = &outcome.heard;
    assert_eq!(
        (heard.method.as_str(), outcome.key.as_str()),
        ("metadata", "metadata")
    );
    assert!(heard.is_unheard() && heard.confidence == 0.0);
    assert!(heard.transcript.passages.is_empty() && heard.transcript.language.is_none());
    let basics = heard.basics.clone().unwrap();
    assert_eq!(
        (basics.duration_ms, basics.codec.as_str()),
        (Some(5_000), "flac")
    );
    assert!(basics.why.unwrap().contains("overloaded"));
}

#[test]
fn what_is_wrong_with_a_recording_is_no_reason_to_ask_somebody_else() {
    let studio = Studio::new();
    let letter = studio.path("letter.mp3");
    std::fs::write(&letter, "Dear Anna").unwrap();
    let film = studio.make("silent.mp4", &["-f", "lavfi", "-i", "testsrc=d=1:s=64x64"]);
    let transcriber = Transcriber::start();
    let transcription = transcription(&["cloud", "metadata"], service(&transcriber));
    for file in [letter, film] {
        let heard = heard_by(&studio, &transcription, &file);
        assert!(
            matches!(heard, Err(UnderstandError::Confinement(_))),
            "{heard:?}"
        );
    }
    assert_eq!(transcriber.asked().len(), 0);
}

/// Somebody with a certificate that nobody vouches for.
struct Impostor {
    server: Child,
    port: u16,
}

impl Impostor {
    fn start(studio: &Studio) -> Self {
        let (key, certificate) = (studio.path("key.pem"), studio.path("certificate.pem"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ])
            .args([
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args([
                "-keyout".as_ref(),
                key.as_os_str(),
                "-out".as_ref(),
                certificate.as_os_str(),
            ])
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let mut server = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www"])
            .args([
                "-key".as_ref(),
                key.as_os_str(),
                "-cert".as_ref(),
                certificate.as_os_str(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let address = line.strip_prefix("ACCEPT ")?;
            address.rsplit_once(':')?.1.parse().ok()
        });
        Self {
            server,
            port: port.unwrap(),
        }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn who_shows_a_certificate_that_is_not_trusted_is_sent_nothing() {
    let studio = Studio::new();
    let file = beeps(&studio, 5);
    let impostor = Impostor::start(&studio);
    let transcriber = Transcriber::start();
    let settings = ServiceSettings {
        address: format!("https://localhost:{}/v1", impostor.port),
        ..service(&transcriber)
    };
    let heard = heard_by(&studio, &transcription(&["cloud"], settings), &file);
    let Err(UnderstandError::Service(ServiceError::Certificate { who, .. })) = heard else {
        panic!("{heard:?}");
    };
    assert_eq!(who, "cloud");
}
