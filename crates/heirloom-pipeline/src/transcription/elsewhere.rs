//! A service that writes down what is said.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use heirloom_core::{
    breaker::Breaker,
    transcript::{Passage, Transcript, Word},
};

use super::{
    Recording, answer,
    ask::insist,
    pieces::{encode, end_of, is_silent, longest},
    provider::{PROVIDERS, Provider, Question},
    settings::ServiceSettings,
};
use crate::{
    probe::probe,
    speech::{Languages, SoFar, SpeechError, decode, to_ms},
};

/// A service, and whether it answers at present.
#[derive(Debug)]
pub struct Service {
    settings: ServiceSettings,
    provider: &'static dyn Provider,
    breaker: Mutex<Breaker>,
    /// What the breaker's times are counted from.
    since: Instant,
}

/// Why a service wrote nothing down. None of it has the key in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// It cannot be reached, or fails.
    #[error("{who} cannot be reached: {why}")]
    Away {
        /// The service.
        who: String,
        /// In its words, or those of the network.
        why: String,
    },
    /// It does not answer in time.
    #[error("{who} does not answer in time")]
    Silent {
        /// The service.
        who: String,
    },
    /// It was asked too much of.
    #[error("{who} has too much to do: {why}")]
    Busy {
        /// The service.
        who: String,
        /// In its words.
        why: String,
    },
    /// It does not take the key.
    #[error("{who} does not accept the key: {why}")]
    Key {
        /// The service.
        who: String,
        /// In its words.
        why: String,
    },
    /// It is not who it says it is.
    #[error("{who} shows a certificate that is not trusted: {why}")]
    Certificate {
        /// The service.
        who: String,
        /// What is wrong with it.
        why: String,
    },
    /// It refuses.
    #[error("{who} refuses: {why}")]
    Refused {
        /// The service.
        who: String,
        /// In its words.
        why: String,
    },
    /// What it answers makes no sense.
    #[error("{who} answers nonsense: {why}")]
    Rubbish {
        /// The service.
        who: String,
        /// What is wrong with it.
        why: String,
    },
    /// It did not answer often enough, and is left alone for a while.
    #[error("{who} failed too often, and is left alone for {seconds} seconds")]
    Resting {
        /// The service.
        who: String,
        /// For how long.
        seconds: u64,
    },
    /// It is not asked for this language.
    #[error("{who} is not asked for the language {language:?}")]
    Language {
        /// The service.
        who: String,
        /// The language.
        language: String,
    },
    /// Nobody wants it any more.
    #[error("it was cancelled")]
    Cancelled,
}

impl ServiceError {
    /// What can be done about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Key { .. } => {
                "Write the key that the service gave you into the file that `key_file` names."
            }
            Self::Certificate { .. } => {
                "Check its address; the certificate of an own service has to be one that this machine trusts."
            }
            Self::Rubbish { .. } | Self::Refused { .. } => {
                "Check the address, the kind and the model in config.toml: `heirloom config show` has them."
            }
            Self::Away { .. } | Self::Silent { .. } | Self::Busy { .. } | Self::Resting { .. } => {
                "Try again later, or let a model on this machine do it: --provider local."
            }
            Self::Language { .. } => "Its languages are those of `languages` in config.toml.",
            Self::Cancelled => return None,
        })
    }
}

impl Service {
    /// As configured.
    ///
    /// # Errors
    /// When there is no such kind.
    pub(super) fn new(settings: &ServiceSettings) -> Result<Self, String> {
        let mut providers = PROVIDERS.into_iter();
        let provider = providers.find(|provider| provider.word() == settings.kind);
        Ok(Self {
            settings: settings.clone(),
            provider: provider.ok_or_else(|| format!("{:?} is no kind", settings.kind))?,
            breaker: Mutex::default(),
            since: Instant::now(),
        })
    }

    /// What is configured of it.
    #[must_use]
    pub const fn settings(&self) -> &ServiceSettings {
        &self.settings
    }

    /// What it is called in the keys of artifacts.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.settings.name, self.settings.model)
    }

    /// For how long it is left alone, if it is: it failed too often.
    #[must_use]
    pub fn rest_left(&self) -> Option<Duration> {
        let left_ms = self.breaker().rest_left_ms(self.now_ms());
        left_ms.map(Duration::from_millis)
    }

    /// Has a recording heard piece by piece.
    pub(super) async fn hear(
        &self,
        recording: &Recording<'_>,
        heard: &mut impl FnMut(SoFar<'_>),
    ) -> Result<Transcript, SpeechError> {
        let Recording {
            ffmpeg,
            input,
            cancelled,
            ..
        } = *recording;
        let only = match self.settings.languages.as_slice() {
            [only] => Some(only.as_str()),
            _ => None,
        };
        if let Some(language) = recording.asked.language.as_deref()
            && !self.settings.languages.is_empty()
            && !self.settings.languages.iter().any(|it| it == language)
        {
            let (who, language) = (self.name(), language.to_owned());
            return Err(ServiceError::Language { who, language }.into());
        }
        // Whoever is left alone need not be decoded for.
        if let Some(left) = self.rest_left() {
            return Err(self.resting(left).into());
        }
        let found = probe(ffmpeg, input, cancelled).await?;
        let samples = decode(ffmpeg, input, &found, cancelled).await?;
        let count = usize::try_from(samples.metadata()?.len()).unwrap_or(usize::MAX) / 2;
        let sound = self.provider.sound();
        let longest = longest(sound, self.settings.max_bytes);
        let mut languages = Languages::new(recording.asked.language.as_deref().or(only));
        let mut transcript = Transcript::default();
        let mut from = 0;
        while from < count {
            let until = end_of(&samples, from, count, longest)?;
            let piece = from..until;
            let passages = transcript.passages.len();
            if !is_silent(&samples, piece.clone())? {
                let bytes = encode(ffmpeg, &samples, piece, sound, cancelled).await?;
                let question = Question {
                    sound: bytes,
                    language: languages.known(),
                };
                let settings = &self.settings;
                let ask = |client: &_| self.provider.ask(client, settings, question.clone());
                let answer = insist(self, ask, cancelled).await?;
                let said = self.provider.read(&answer).map_err(|why| {
                    self.fail();
                    ServiceError::Rubbish {
                        who: self.name(),
                        why,
                    }
                })?;
                if let Some(language) = said.language.clone() {
                    languages.hear(language, 1.0, until - from);
                }
                answer::add(&mut transcript, said, (to_ms(from), to_ms(until)));
            }
            let new = &transcript.passages[passages..];
            let words: Vec<_> = new.iter().flat_map(words_of).collect();
            heard(SoFar {
                until_ms: to_ms(until),
                duration_ms: to_ms(count),
                words: &words,
            });
            from = until;
        }
        if !transcript.passages.is_empty() {
            transcript.language = languages.most();
        }
        Ok(transcript)
    }

    pub(super) fn name(&self) -> String {
        self.settings.name.clone()
    }

    pub(super) fn away(&self, why: String) -> ServiceError {
        ServiceError::Away {
            who: self.name(),
            why,
        }
    }

    pub(super) fn admit(&self) -> Result<(), ServiceError> {
        let admitted = self.breaker().admit(self.now_ms());
        admitted.map_err(|left_ms| self.resting(Duration::from_millis(left_ms)))
    }

    pub(super) fn succeed(&self) {
        self.breaker().succeed();
    }

    pub(super) fn fail(&self) {
        self.breaker().fail(self.now_ms());
    }

    /// Nothing that it is asked would go well.
    pub(super) fn give_up(&self) {
        let now_ms = self.now_ms();
        self.breaker().give_up(now_ms);
    }

    fn resting(&self, left: Duration) -> ServiceError {
        let seconds = left.as_secs_f64().ceil() as u64;
        ServiceError::Resting {
            who: self.name(),
            seconds,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The words of a passage; where they are not known one by one, all of it as one.
fn words_of(passage: &Passage) -> Vec<Word> {
    if !passage.words.is_empty() {
        return passage.words.clone();
    }
    vec![Word {
        start_ms: passage.start_ms,
        end_ms: passage.end_ms,
        text: format!(" {}", passage.text),
        probability: passage.confidence,
    }]
}
