//! Who writes down what is said: models on this machine, services elsewhere, or nobody.
//!
//! The order in which they are tried is configured; unless somebody chose otherwise it is the models of this machine alone,
//! and nothing leaves the house. A service is asked piece by piece, with a compact form of the sound that FFmpeg makes. What
//! nobody could hear is noted as such, with what is known of the sound and without a word.

mod answer;
mod elsewhere;
mod language;
mod pieces;
mod provider;

use std::fs::File;

use heirloom_core::transcript::Transcript;
use tokio_util::sync::CancellationToken;

use crate::{
    Ffmpeg,
    ffmpeg::no_sound,
    probe::probe,
    speech::{Asked, Ears, SoFar, transcribe},
    tool::transcript::{Basics, Heard, keywords_of},
    understand::UnderstandError,
    way::{METADATA, Service, Task, Way},
};

use provider::{OPENAI, WHISPER_CPP};
pub use provider::{PROVIDERS, Provider, Question, Said, SaidPassage, SaidWord, Sound};

/// What services are configured for here.
pub const TASK: Task = Task {
    kinds: &[OPENAI, WHISPER_CPP],
    may_be_noted: true,
};

/// A recording to be heard.
pub struct Recording<'a> {
    /// Its bytes.
    pub input: &'a File,
    /// What decodes it.
    pub ffmpeg: &'a Ffmpeg,
    /// The models of this machine, where somebody needs them.
    pub ears: &'a (dyn Fn() -> Result<Ears, UnderstandError> + Sync),
    /// What is known of it, and so need not be found out.
    pub asked: &'a Asked,
    /// Cancelled when nobody wants it any more.
    pub cancelled: &'a CancellationToken,
}

impl std::fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What was heard.
    pub heard: Heard,
    /// Whose making it is, as the keys of artifacts have it.
    pub key: String,
    /// What is missing in it, and why.
    pub note: Option<String>,
}

/// Has a recording heard by the first who can. `heard` is told what was said as soon as it is known, `skipped` why somebody
/// could not.
///
/// # Errors
/// What is wrong with the recording; else why the last of them could not.
pub async fn hear(
    ways: &[Way],
    recording: &Recording<'_>,
    mut heard: impl FnMut(SoFar<'_>),
    mut skipped: impl FnMut(&Way, &UnderstandError),
) -> Result<Outcome, UnderstandError> {
    let mut before: Option<UnderstandError> = None;
    for way in ways {
        if let Some(why) = &before
            && matches!(way, Way::Metadata)
        {
            return note(recording, Some(why.to_string())).await;
        }
        let tried = match way {
            Way::Local => hear_locally(recording, &mut heard).await,
            Way::Service(service) => hear_elsewhere(service, recording, &mut heard).await,
            Way::Metadata => note(recording, None).await,
        };
        match tried {
            Err(error) if error.may_be_tried_elsewhere() => {
                skipped(way, &error);
                before = Some(error);
            }
            tried => return tried,
        }
    }
    Err(before.unwrap_or(UnderstandError::NoModel("speech")))
}

async fn hear_locally(
    recording: &Recording<'_>,
    heard: &mut impl FnMut(SoFar<'_>),
) -> Result<Outcome, UnderstandError> {
    let ears = (recording.ears)()?;
    let Recording {
        ffmpeg,
        input,
        asked,
        cancelled,
        ..
    } = *recording;
    let transcript = transcribe(ffmpeg, &ears, input, asked, cancelled, heard).await?;
    Ok(Outcome {
        heard: Heard::locally(ears.model(), transcript),
        key: ears.key().to_owned(),
        note: ears
            .without_voices()
            .map(|why| format!("Who speaks is not told: {why}")),
    })
}

async fn hear_elsewhere(
    service: &Service,
    recording: &Recording<'_>,
    heard: &mut impl FnMut(SoFar<'_>),
) -> Result<Outcome, UnderstandError> {
    let transcript = elsewhere::hear(service, recording, heard).await?;
    Ok(Outcome {
        heard: Heard {
            method: service.settings().name.clone(),
            model: service.key(),
            confidence: transcript.confidence(),
            keywords: keywords_of(&transcript),
            basics: None,
            transcript,
        },
        key: service.key(),
        note: None,
    })
}

/// What is known of a recording that nobody heard.
async fn note(recording: &Recording<'_>, why: Option<String>) -> Result<Outcome, UnderstandError> {
    let found = probe(recording.ffmpeg, recording.input, recording.cancelled).await?;
    let sound = found.sound.as_ref().ok_or_else(no_sound)?;
    let basics = Basics {
        duration_ms: found.duration_ms,
        codec: sound.codec.clone(),
        why,
    };
    Ok(Outcome {
        heard: Heard {
            method: METADATA.to_owned(),
            model: METADATA.to_owned(),
            confidence: 0.0,
            keywords: Vec::new(),
            basics: Some(basics),
            transcript: Transcript::default(),
        },
        key: METADATA.to_owned(),
        note: None,
    })
}
