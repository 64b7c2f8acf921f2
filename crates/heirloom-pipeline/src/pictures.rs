//! What pictures show: a model that looks at them, at work in confinement.
//!
//! One hand of confinement, which may read the folder of models and nothing else, decodes a picture and looks at it. What it
//! says is checked before anybody believes it: nouns of the vocabulary, each at most once, and numbers. A service elsewhere is sent
//! the picture, drawn anew; what a picture looks like is of the model alone.

mod elsewhere;
mod film;
mod job;
mod provider;

use std::{fs::File, io::Seek as _, sync::Arc, time::Duration};

use bytes::Bytes;
use heirloom_core::{imprint::Imprint, query::Language, tag::Noun, unit::FailureCode};
use heirloom_models::{Ability, Store};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::{Confinement, ConfinementError, Hand, HandSettings, JobHeader, JobLimits},
    loading::{Trained, TrainedHand},
    understand::UnderstandError,
    way::{
        self, LOCAL, Service, Way,
        vision::{GOOGLE, OPENAI},
    },
};

pub use film::look_at_film;
pub(crate) use job::{LOOK, Onlooker, decode};

/// What services are configured for here.
pub const TASK: way::Task = way::Task {
    kinds: &[OPENAI, GOOGLE],
    may_be_noted: false,
};

/// What looks at pictures. Cloning is cheap; the clones share one process, which starts with the first picture.
#[derive(Debug, Clone)]
pub struct Beholder {
    looker: Looker,
}

#[derive(Debug, Clone)]
enum Looker {
    /// A model on this machine.
    Local(Arc<TrainedHand>),
    /// A service, for which a hand without models draws; and the model that says what pictures look like, where it is here.
    Service(Arc<Service>, Arc<Hand>, Option<Arc<TrainedHand>>),
}

/// A tag that a picture gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenTag {
    /// The English name of its noun.
    pub tag: String,
    /// How likely it is, from 0 to 1.
    pub confidence: f32,
}

/// What was seen in a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// Its tags, the likeliest first.
    pub tags: Vec<SeenTag>,
    /// What it looks like.
    pub imprint: Imprint,
    /// What is wrong with the file.
    pub problems: Vec<String>,
}

/// The model and ONNX Runtime, and the pixels of the largest picture that is looked at.
pub(crate) const MEMORY_BYTES: u64 = 3 << 30;
/// A picture takes a tenth of a second of a processor; a small or busy machine is many times slower.
const TIME: Duration = Duration::from_secs(120);
/// The most bytes that are said of a picture, or that it has when it is drawn.
const ANSWER_BYTES: u64 = 4 << 20;
/// The longest side of a picture that a service is sent, in pixels: what a picture shows is seen in fewer.
const SENT_SIDE: u32 = 1024;

impl Trained for Beholder {
    fn hand(&self) -> Option<&TrainedHand> {
        match &self.looker {
            Looker::Local(hand) => Some(hand),
            Looker::Service(_, _, own) => own.as_deref(),
        }
    }
}

impl Beholder {
    /// With the models that looking uses by default, which compute with so many threads. Nothing is loaded yet.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when one of them is not here.
    pub fn open(
        confinement: &Confinement,
        store: &Store,
        threads: usize,
    ) -> Result<Self, UnderstandError> {
        let settings = HandSettings {
            memory_bytes: MEMORY_BYTES,
            // Loading takes a fifth of a second.
            jobs_per_process: 1_000,
            ..HandSettings::default()
        };
        let ability = Ability::ImageFeatures;
        let hand = TrainedHand::start(confinement, store, ability, threads, settings)?;
        Ok(Self {
            looker: Looker::Local(Arc::new(hand)),
        })
    }

    /// A service elsewhere: pictures are drawn here, and it is sent these and nothing else. What they look like `own` says, which
    /// works with the model of this machine; nobody does where it is not here.
    ///
    /// # Errors
    /// [`UnderstandError::Disk`] when no thread can be started.
    pub fn elsewhere(
        confinement: &Confinement,
        service: Arc<Service>,
        own: Option<Self>,
    ) -> Result<Self, UnderstandError> {
        let settings = HandSettings {
            memory_bytes: MEMORY_BYTES,
            ..HandSettings::default()
        };
        let hand = Hand::start(confinement, settings)?;
        let own = own.and_then(|own| match own.looker {
            Looker::Local(hand) => Some(hand),
            Looker::Service(_, _, own) => own,
        });
        Ok(Self {
            looker: Looker::Service(service, Arc::new(hand), own),
        })
    }

    /// Who looks: `local`, or a service by its name.
    #[must_use]
    pub fn method(&self) -> &str {
        match &self.looker {
            Looker::Local(_) => LOCAL,
            Looker::Service(service, ..) => &service.settings().name,
        }
    }

    /// The model that looks.
    #[must_use]
    pub fn model(&self) -> String {
        match &self.looker {
            Looker::Local(hand) => hand.model_id().to_owned(),
            Looker::Service(service, ..) => service.key(),
        }
    }

    /// What tells all that looks apart from others: [`Store::key_for`] pictures, or the service's own with that.
    #[must_use]
    pub fn key(&self) -> String {
        let own = self.hand().map(TrainedHand::key);
        match &self.looker {
            Looker::Local(hand) => hand.key().to_owned(),
            Looker::Service(service, ..) => key_beside(service, own),
        }
    }

    async fn work(
        &self,
        input: &mut File,
        name: &str,
        cancelled: &CancellationToken,
    ) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
        let mut job = json!({ "job": LOOK, "name": name });
        let limits = JobLimits {
            wall: TIME * 2,
            cpu: TIME,
            answer_bytes: ANSWER_BYTES,
        };
        let own = match self.hand() {
            Some(hand) => {
                // The hand reads from where this one stands.
                input.rewind()?;
                let input = input.try_clone()?;
                hand.work(job.clone(), input, limits, cancelled).await?
            }
            None => Vec::new(),
        };
        match &self.looker {
            Looker::Local(_) => Ok(own),
            // What the model cannot look at goes nowhere.
            Looker::Service(service, hand, _) => {
                job["draw"] = SENT_SIDE.into();
                input.rewind()?;
                let input = input.try_clone()?;
                let parts = hand.work(job, input, limits, cancelled).await?;
                elsewhere::look(service, parts, own, cancelled).await
            }
        }
    }
}

/// The key of a service that says what pictures show, with that of the models that say what they look like.
pub(crate) fn key_beside(service: &Service, own: Option<&str>) -> String {
    let own = own.map(|own| format!("+{own}"));
    service.key() + &own.unwrap_or_default()
}

/// Has a picture looked at by the first who can. `skipped` is told who could not and why.
///
/// # Errors
/// What is wrong with the file; else why the last of them could not.
pub async fn look_by(
    ways: &[Way],
    beholder: impl Fn(&Way) -> Result<Beholder, UnderstandError>,
    (input, name): (&mut File, &str),
    cancelled: &CancellationToken,
    mut skipped: impl FnMut(&Way, &UnderstandError),
) -> Result<(Beholder, Seen), UnderstandError> {
    let mut before = UnderstandError::NoModel(Ability::ImageFeatures.as_str());
    for way in ways {
        let tried = match beholder(way) {
            Ok(beholder) => {
                let seen = look(&beholder, input, name, cancelled).await;
                seen.map(|seen| (beholder, seen))
            }
            Err(error) => Err(error),
        };
        match tried {
            Err(error) if error.may_be_tried_elsewhere() => {
                skipped(way, &error);
                before = error;
            }
            tried => return tried,
        }
    }
    Err(before)
}

/// Looks at a picture of that name.
///
/// # Errors
/// [`UnderstandError`]
pub async fn look(
    beholder: &Beholder,
    input: &mut File,
    name: &str,
    cancelled: &CancellationToken,
) -> Result<Seen, UnderstandError> {
    let parts = beholder.work(input, name, cancelled).await?;
    let mut seen = Seen::default();
    for (header, bytes) in parts {
        if let Some(reason) = header["nothing"].as_str() {
            return Err(UnderstandError::Nothing(reason.to_owned()));
        }
        if let Some(problem) = header["problem"].as_str() {
            seen.problems.push(problem.to_owned());
        } else {
            let tags = serde_json::from_value(header["tags"].clone());
            let tags = tags.ok().filter(|tags: &Vec<SeenTag>| are_tags(tags));
            seen.tags = tags.ok_or_else(|| {
                let reason = "the model gave nonsense for what a picture shows".to_owned();
                ConfinementError::failed(FailureCode::Other, reason)
            })?;
            let own = beholder.hand().map(TrainedHand::key);
            seen.imprint = Imprint {
                model: own.unwrap_or_default().to_owned(),
                numbers: bytes.to_vec(),
            };
        }
    }
    seen.problems.dedup();
    Ok(seen)
}

/// Whether these are nouns of the vocabulary, each once.
pub(crate) fn are_tags(tags: &[SeenTag]) -> bool {
    let is_noun = |tag: &SeenTag| {
        let noun = Noun::find(&tag.tag);
        noun.is_some_and(|noun| noun.name(Language::English) == tag.tag)
            && (0.0..=1.0).contains(&tag.confidence)
    };
    let is_first = |(at, tag): (usize, &SeenTag)| tags[..at].iter().all(|it| it.tag != tag.tag);
    tags.iter().all(is_noun) && tags.iter().enumerate().all(is_first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nouns_of_the_vocabulary_are_believed() {
        let tag = |tag: &str, confidence| SeenTag {
            tag: tag.to_owned(),
            confidence,
        };
        assert!(are_tags(&[]));
        assert!(are_tags(&[tag("dog", 0.9), tag("beach", 1.0)]));
        for wrong in [
            vec![tag("Hund", 0.9)],
            vec![tag("idiot", 0.9)],
            vec![tag("dog", 1.1)],
            vec![tag("dog", f32::NAN)],
            vec![tag("dog", 0.9), tag("dog", 0.8)],
        ] {
            assert!(!are_tags(&wrong), "{wrong:?}");
        }
    }
}
