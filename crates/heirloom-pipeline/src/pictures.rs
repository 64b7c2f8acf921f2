//! What pictures show: a model that looks at them, at work in confinement.
//!
//! One hand of confinement, which may read the folder of models and nothing else, decodes a picture and looks at it. What it
//! says is checked before anybody believes it: nouns of the vocabulary, each at most once, and numbers.

mod film;
mod job;

use std::{fs::File, io::Seek as _, sync::Arc, time::Duration};

use heirloom_core::{imprint::Imprint, query::Language, tag::Noun, unit::FailureCode};
use heirloom_models::{Ability, Store};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::{Confinement, ConfinementError, HandSettings, JobLimits},
    loading::{Trained, TrainedHand},
    understand::UnderstandError,
};

pub use film::look_at_film;
pub(crate) use job::{LOOK, Onlooker, decode};

/// What looks at pictures. Cloning is cheap; the clones share one process, which starts with the first picture.
#[derive(Debug, Clone)]
pub struct Beholder {
    hand: Arc<TrainedHand>,
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
const ANSWER_BYTES: u64 = 1 << 20;

impl Trained for Beholder {
    fn hand(&self) -> &TrainedHand {
        &self.hand
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
            hand: Arc::new(hand),
        })
    }

    /// The model that looks.
    #[must_use]
    pub fn model(&self) -> &str {
        self.hand.model_id()
    }

    /// What tells all that looks apart from others: [`Store::key_for`] pictures.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hand.key()
    }
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
    let job = json!({ "job": LOOK, "name": name });
    let limits = JobLimits {
        wall: TIME * 2,
        cpu: TIME,
        answer_bytes: ANSWER_BYTES,
    };
    // The hand reads from where this one stands.
    input.rewind()?;
    let input = input.try_clone()?;
    let hand = &beholder.hand;
    let parts = hand.work(job, input, limits, cancelled).await?;
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
            seen.imprint = Imprint {
                model: beholder.key().to_owned(),
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
