//! Who writes down what is said: models on this machine, services elsewhere, or nobody.
//!
//! The order in which they are tried is configured; unless somebody chose otherwise it is the models of this machine alone,
//! and nothing leaves the house. A service is asked piece by piece, with a compact form of the sound that FFmpeg makes. What
//! nobody could hear is noted as such, with what is known of the sound and without a word.

mod answer;
mod ask;
mod elsewhere;
mod language;
mod pieces;
mod provider;
mod settings;

use std::{fs::File, sync::Arc};

use heirloom_core::{transcript::Transcript, unit::FailureCode};
use tokio_util::sync::CancellationToken;

use crate::{
    Ffmpeg,
    confinement::ConfinementError,
    ffmpeg::no_sound,
    probe::probe,
    speech::{Asked, Ears, SoFar, SpeechError, transcribe},
    tool::transcript::{Basics, Heard, keywords_of},
};

pub use elsewhere::{Service, ServiceError};
pub use provider::{PROVIDERS, Provider, Question, Said, SaidPassage, SaidWord, Sound};
pub use settings::{Key, LOCAL, METADATA, Method, Reach, ServiceSettings, TranscriptionSettings};

/// Who writes down what is said, in the order in which they are tried. Cloning is cheap; clones share what is known of
/// services that do not answer.
#[derive(Debug, Clone)]
pub struct Transcription {
    order: Arc<[Way]>,
    services: Arc<[Arc<Service>]>,
}

/// One of those who are tried.
#[derive(Debug, Clone)]
pub enum Way {
    /// The models of this machine.
    Local,
    /// A service.
    Service(Arc<Service>),
    /// Nobody: what is known of the sound is noted.
    Metadata,
}

impl Way {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Local => LOCAL,
            Self::Service(service) => &service.settings().name,
            Self::Metadata => METADATA,
        }
    }

    /// What it is called in the keys of artifacts; `local` is the key of the model of this machine.
    #[must_use]
    pub fn key(&self, local: &str) -> String {
        match self {
            Self::Local => local.to_owned(),
            Self::Service(service) => service.key(),
            Self::Metadata => METADATA.to_owned(),
        }
    }

    /// Whether an artifact with that key is of its making, with whatever model.
    fn has_made(&self, key: &str) -> bool {
        match self {
            Self::Local => key != METADATA && !key.contains(':'),
            Self::Service(service) => {
                let name = key.split_once(':').map(|(name, _)| name);
                name == Some(service.settings().name.as_str())
            }
            Self::Metadata => key == METADATA,
        }
    }
}

/// A recording to be heard.
pub struct Recording<'a> {
    /// Its bytes.
    pub input: &'a File,
    /// What decodes it.
    pub ffmpeg: &'a Ffmpeg,
    /// The models of this machine, where somebody needs them.
    pub ears: &'a (dyn Fn() -> Result<Ears, SpeechError> + Sync),
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

impl Default for Transcription {
    /// The models of this machine alone.
    fn default() -> Self {
        Self {
            order: Arc::new([Way::Local]),
            services: Arc::new([]),
        }
    }
}

impl Transcription {
    /// As configured.
    ///
    /// # Errors
    /// What cannot be, in words for whoever wrote it.
    pub fn new(settings: &TranscriptionSettings) -> Result<Self, String> {
        settings.check()?;
        let services = settings.services.iter();
        let services: Vec<_> = services
            .map(|service| Service::new(service).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let all = Self {
            order: Arc::new([]),
            services: services.into(),
        };
        let order = settings.order.iter();
        let order = order.filter_map(|method| all.find(method.as_str()));
        Ok(Self {
            order: order.collect(),
            ..all
        })
    }

    /// In which order they are tried.
    #[must_use]
    pub fn order(&self) -> &[Way] {
        &self.order
    }

    /// All services that are configured, those included that are used only where somebody asks for them.
    #[must_use]
    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }

    /// The one of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Way> {
        let service = || {
            let mut services = self.services.iter();
            services.find(|service| service.settings().name == name)
        };
        match name {
            LOCAL => Some(Way::Local),
            METADATA => Some(Way::Metadata),
            _ => service().map(|service| Way::Service(Arc::clone(service))),
        }
    }

    /// Whose turn it is first, where the models of this machine are here or not.
    #[must_use]
    pub fn first(&self, has_models: bool) -> Option<&Way> {
        let mut order = self.order.iter();
        order.find(|way| has_models || !matches!(way, Way::Local))
    }

    /// Those who may make again what has an artifact with this key: none of those who come after whoever made it.
    #[must_use]
    pub(crate) fn no_worse_than(&self, made: Option<&str>) -> &[Way] {
        let Some(made) = made else {
            return &self.order;
        };
        match self.order.iter().position(|way| way.has_made(made)) {
            Some(at) => &self.order[..=at],
            // Whoever made it is not asked any more; it is better than nothing all the same.
            None => match self.order.split_last() {
                Some((Way::Metadata, others)) => others,
                _ => &self.order,
            },
        }
    }
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
    mut skipped: impl FnMut(&Way, &SpeechError),
) -> Result<Outcome, SpeechError> {
    let mut before: Option<SpeechError> = None;
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
            Err(error) if may_be_tried_elsewhere(&error) => {
                skipped(way, &error);
                before = Some(error);
            }
            tried => return tried,
        }
    }
    Err(before.unwrap_or(SpeechError::NoModel("speech")))
}

async fn hear_locally(
    recording: &Recording<'_>,
    heard: &mut impl FnMut(SoFar<'_>),
) -> Result<Outcome, SpeechError> {
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
) -> Result<Outcome, SpeechError> {
    let transcript = service.hear(recording, heard).await?;
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
async fn note(recording: &Recording<'_>, why: Option<String>) -> Result<Outcome, SpeechError> {
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

/// Whether somebody else may be able to hear it: not when the recording is what is wrong, or nobody wants it any more.
fn may_be_tried_elsewhere(error: &SpeechError) -> bool {
    match error {
        SpeechError::Model(_) | SpeechError::NoModel(_) => true,
        SpeechError::Service(error) => !matches!(error, ServiceError::Cancelled),
        SpeechError::Confinement(ConfinementError::Failed { code, .. }) => {
            *code == FailureCode::Other
        }
        SpeechError::Confinement(ConfinementError::NoSpace | ConfinementError::Cancelled)
        | SpeechError::Disk(_) => false,
        SpeechError::Confinement(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(order: &[&str]) -> Transcription {
        let service = ServiceSettings {
            name: "cloud".to_owned(),
            address: "https://example.org/v1".to_owned(),
            ..ServiceSettings::default()
        };
        let settings = TranscriptionSettings {
            order: order.iter().map(|name| Method::from(*name)).collect(),
            services: vec![service],
        };
        Transcription::new(&settings).unwrap()
    }

    fn names(ways: &[Way]) -> Vec<&str> {
        ways.iter().map(Way::name).collect()
    }

    #[test]
    fn what_is_better_is_not_made_again_by_who_comes_later() {
        let all = ways(&["local", "cloud", "metadata"]);
        assert_eq!(names(all.no_worse_than(None)).len(), 3);
        assert_eq!(names(all.no_worse_than(Some("metadata"))).len(), 3);
        let cloud = all.no_worse_than(Some("cloud:an-older-model"));
        assert_eq!(names(cloud), ["local", "cloud"]);
        assert_eq!(names(all.no_worse_than(Some("whisper-base@12"))), ["local"]);
        // Of a service that is not configured any more.
        let gone = all.no_worse_than(Some("groq:whisper"));
        assert_eq!(names(gone), ["local", "cloud"]);
    }

    #[test]
    fn without_models_it_is_the_next_ones_turn() {
        let all = ways(&["local", "cloud", "metadata"]);
        assert_eq!(all.first(true).map(Way::name), Some("local"));
        assert_eq!(all.first(false).map(Way::name), Some("cloud"));
        assert!(Transcription::default().first(false).is_none());
    }
}
