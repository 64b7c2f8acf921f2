//! How long it takes to find a voice in all other recordings of a library.

use std::time::{Duration, Instant};

use heirloom_core::{Actor, MediaKind, transcript::Voiceprint};
use heirloom_db::{artifact::Payload, asset::Measures, text::Text, voice::Voice};
use serde_json::json;

use crate::{
    chance::Chance,
    figures::Figures,
    library::{Finding, Library, Times},
    options::Options,
};

const LIMIT: Duration = Duration::from_millis(500);
/// How many recordings, how many voices are in each, and how many people they are of.
const RECORDINGS: u64 = 10_000;
const VOICES: u32 = 2;
const PEOPLE: u64 = 200;
const ASKED: usize = 50;
const RECORDING: Measures = Measures {
    kind: MediaKind::Audio,
    media_type: "audio/x-wav",
    width: None,
    height: None,
    duration_ms: Some(400_000),
};

pub(crate) async fn measure(options: &Options) {
    let library = Library::of(options, RECORDINGS, RECORDING, hear).await;
    let (db, family) = (&library.db, library.family.id);
    let (mut times, mut most) = (Times::default(), 0);
    for asset in library.some(ASKED).await {
        let started = Instant::now();
        let known = db.list_voices(&Actor::Operator, family, asset).await;
        times.add(started);
        let elsewhere = known.unwrap().into_iter().map(|it| it.elsewhere.len());
        most = elsewhere.fold(most, usize::max);
    }
    let title =
        format!("the voices of one of {RECORDINGS} recordings in all others, {VOICES} in each");
    let figures = Figures::titled(&title, &Times::COLUMNS);
    times.row(&figures, "where else", LIMIT, most);
    db.close().await;
}

/// A conversation of two with a hundred passages.
fn hear(number: u64) -> Finding {
    let mut chance = Chance::new(number);
    let voice = |label| {
        let mut own = Chance::new(1_000_000 + chance.below(PEOPLE));
        // A third of the numbers is nothing, as with Resemblyzer's.
        let numbers = (0..256).map(|_| match own.percent(33) {
            true => 0,
            false => (own.below(200) + chance.below(20)) as u8,
        });
        let numbers = numbers.collect();
        let passages = (0..50).map(|at| (at * 8_000, at * 8_000 + 3_000));
        Voice {
            label,
            voiceprint: Voiceprint {
                model: "resemblyzer@1".to_owned(),
                numbers,
            },
            spoken_ms: 150_000,
            passages: passages.collect(),
        }
    };
    let text = Text {
        words: "So it was. ".repeat(300),
        times: (0..900).map(|at| (at * 400, at * 400 + 300)).collect(),
        voices: (0..VOICES).map(voice).collect(),
        ..Text::default()
    };
    Finding {
        kind: "transcript",
        payload: Payload::Text {
            json: Some(json!({})),
            blob: None,
            text,
        },
    }
}
