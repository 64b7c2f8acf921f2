//! Who speaks when in a recording.

use std::fs::File;

use heirloom_core::transcript::{Speaker, Turn, Voiceprint};
use heirloom_models::{
    Ability,
    speech::{SAMPLES_PER_SECOND, Span, Voices, pack, utterances_of},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Ears, Sound, WINDOW_TIME, job::VOICES, nonsense, to_ms};
use crate::{Ffmpeg, confinement::JobLimits, understand::UnderstandError};

/// Who speaks in a recording, and when.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Speaking {
    /// Sorted by their beginnings.
    pub turns: Vec<Turn>,
    /// In the order in which they begin.
    pub speakers: Vec<Speaker>,
}

/// Utterances are heard together up to so many samples: a minute.
const AT_ONCE: usize = 60 * SAMPLES_PER_SECOND;

/// Tells who speaks in a film or recording, without writing down what is said. `wanted` is how many they are, where
/// somebody knows.
///
/// # Errors
/// [`UnderstandError`]; a failure of the recording where there is no sound in it.
pub async fn who_speaks(
    ffmpeg: &Ffmpeg,
    ears: &Ears,
    input: &File,
    wanted: Option<usize>,
    cancelled: &CancellationToken,
) -> Result<Speaking, UnderstandError> {
    let sound = Sound::find(ffmpeg, ears, input, cancelled).await?;
    find(ears, &sound, wanted, cancelled).await
}

/// Nobody where no model tells voices apart.
pub(super) async fn find(
    ears: &Ears,
    sound: &Sound,
    wanted: Option<usize>,
    cancelled: &CancellationToken,
) -> Result<Speaking, UnderstandError> {
    let Ok(model) = ears.hand.model(Ability::Speaker) else {
        return Ok(Speaking::default());
    };
    let utterances = utterances_of(&sound.likely, sound.count);
    let mut voices = Voices::default();
    let mut rest = &utterances[..];
    while !rest.is_empty() {
        let mut length = 0;
        let fits = rest.iter().take_while(|utterance| {
            length += utterance.len();
            length <= AT_ONCE
        });
        let (some, later) = rest.split_at(fits.count().max(1));
        rest = later;
        hear(ears, sound, some, &mut voices, cancelled).await?;
    }
    // Clustering takes a while where there is much.
    let told = tokio::task::spawn_blocking(move || voices.tell(wanted)).await;
    let told = told.map_err(|_| nonsense("who speaks"))?;
    let turns: Vec<Turn> = told.turns.iter().map(turn).collect();
    let voices = (0_u32..).zip(told.voices);
    let speakers = voices.map(|(label, voice)| {
        let own = turns.iter().filter(|turn| turn.speaker == label);
        Speaker {
            label,
            voice: Voiceprint {
                model: model.key(),
                numbers: pack(&voice),
            },
            spoken_ms: own.map(|turn| turn.end_ms - turn.start_ms).sum(),
        }
    });
    let speakers = speakers.collect();
    Ok(Speaking { turns, speakers })
}

async fn hear(
    ears: &Ears,
    sound: &Sound,
    utterances: &[Span],
    voices: &mut Voices,
    cancelled: &CancellationToken,
) -> Result<(), UnderstandError> {
    let parts = utterances.iter().map(|part| [part.start, part.end]);
    let job = json!({ "job": VOICES, "parts": parts.collect::<Vec<_>>() });
    let limits = JobLimits {
        wall: WINDOW_TIME,
        cpu: WINDOW_TIME,
        answer_bytes: 4 << 20,
    };
    let answer = ears.work(job, &sound.samples, limits, cancelled).await?;
    if answer.len() != utterances.len() {
        return Err(nonsense("who speaks"));
    }
    for (utterance, (_, packed)) in utterances.iter().zip(answer) {
        voices.add(utterance.clone(), &packed);
    }
    Ok(())
}

fn turn((speaker, span): &(usize, Span)) -> Turn {
    Turn {
        speaker: u32::try_from(*speaker).unwrap_or(u32::MAX),
        start_ms: to_ms(span.start),
        end_ms: to_ms(span.end),
    }
}
