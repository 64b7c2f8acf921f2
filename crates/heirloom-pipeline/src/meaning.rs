//! What pictures show and texts mean, in one space: a model of the CLIP family, at work in confinement.
//!
//! One hand of confinement, which may read the folder of models and nothing else, decodes pictures and reads what people ask
//! for. What it says is checked before anybody believes it.

mod job;

use std::{collections::HashMap, fs::File, io::Seek as _, sync::Arc, time::Duration};

use bytes::Bytes;
use heirloom_core::{
    meaning::{Meaning, Meant, NOTHING},
    unit::FailureCode,
};
use heirloom_models::{Ability, Store};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::{Confinement, ConfinementError, HandSettings, JobHeader, JobLimits},
    loading::{Trained, TrainedHand},
    pictures::{SeenTag, are_tags},
    remembered::Remembered,
    understand::UnderstandError,
};

pub(crate) use job::{Grasp, MEAN, SEE};

/// Says what pictures show and texts mean. Cloning is cheap; the clones share one process, which starts with the first of
/// either.
#[derive(Debug, Clone)]
pub struct Interpreter {
    hand: Arc<TrainedHand>,
    /// What texts mean that were asked for lately.
    known: Arc<Remembered<Meaning>>,
}

/// What a picture shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenery {
    /// As a direction.
    pub meaning: Meaning,
    /// In words of the vocabulary, the likeliest first.
    pub tags: Vec<SeenTag>,
    /// What is wrong with the file.
    pub problems: Vec<String>,
}

/// A large model, and the pixels of the largest picture that is looked at.
pub(crate) const MEMORY_BYTES: u64 = 6 << 30;
/// A picture takes a tenth of a second of a processor, and all words of the vocabulary half a minute with a large model; a
/// small or busy machine is many times slower.
const TIME: Duration = Duration::from_secs(600);
const ANSWER_BYTES: u64 = 1 << 20;
/// The fewest and most numbers that a direction has.
const NUMBERS: std::ops::RangeInclusive<usize> = 2..=8_192;
/// So many texts are remembered.
const KNOWN: usize = 256;

impl Trained for Interpreter {
    fn hand(&self) -> Option<&TrainedHand> {
        Some(&self.hand)
    }
}

impl Interpreter {
    /// With the models that are used for it by default, which compute with so many threads. Nothing is loaded yet.
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
            // Loading and reading the vocabulary take seconds.
            jobs_per_process: 10_000,
            ..HandSettings::default()
        };
        let hand = TrainedHand::start(confinement, store, Ability::ImageText, threads, settings)?;
        Ok(Self {
            hand: Arc::new(hand),
            known: Arc::new(Remembered::new(KNOWN)),
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &str {
        self.hand.model_id()
    }

    /// What tells it apart from others: [`Store::key_for`] pictures and text.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hand.key()
    }

    /// What words mean that somebody looks for, beside what any picture shows.
    ///
    /// # Errors
    /// [`UnderstandError`]
    pub async fn read(
        &self,
        words: &str,
        cancelled: &CancellationToken,
    ) -> Result<Meant, UnderstandError> {
        Ok(Meant::Pictures {
            words: self.read_text(words, cancelled).await?,
            nothing: self.read_text(NOTHING, cancelled).await?,
        })
    }

    async fn read_text(
        &self,
        text: &str,
        cancelled: &CancellationToken,
    ) -> Result<Meaning, UnderstandError> {
        if let Some(meaning) = self.known.find(text) {
            return Ok(meaning);
        }
        let job = json!({ "job": MEAN, "text": text });
        // The text is in what is asked; there is no file.
        let parts = self.work(job, tempfile::tempfile()?, cancelled).await?;
        let (_, numbers) = parts.last().ok_or_else(nonsense)?;
        let meaning = self.meaning(numbers)?;
        let new = HashMap::from([(text.to_owned(), meaning.clone())]);
        self.known.keep(new);
        Ok(meaning)
    }

    /// Says what a picture of that name shows.
    ///
    /// # Errors
    /// [`UnderstandError`]
    pub async fn see(
        &self,
        input: &mut File,
        name: &str,
        cancelled: &CancellationToken,
    ) -> Result<Scenery, UnderstandError> {
        let job = json!({ "job": SEE, "name": name });
        // The hand reads from where this one stands.
        input.rewind()?;
        let parts = self.work(job, input.try_clone()?, cancelled).await?;
        let mut seen = Scenery::default();
        for (header, numbers) in parts {
            if let Some(reason) = header["nothing"].as_str() {
                return Err(UnderstandError::Nothing(reason.to_owned()));
            }
            if let Some(problem) = header["problem"].as_str() {
                seen.problems.push(problem.to_owned());
            } else {
                let tags = serde_json::from_value(header["tags"].clone());
                let tags = tags.ok().filter(|tags: &Vec<SeenTag>| are_tags(tags));
                seen.tags = tags.ok_or_else(nonsense)?;
                seen.meaning = self.meaning(&numbers)?;
            }
        }
        seen.problems.dedup();
        Ok(seen)
    }

    async fn work(
        &self,
        job: JobHeader,
        input: File,
        cancelled: &CancellationToken,
    ) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
        let limits = JobLimits {
            wall: TIME * 2,
            cpu: TIME,
            answer_bytes: ANSWER_BYTES,
        };
        self.hand.work(job, input, limits, cancelled).await
    }

    /// A direction, if these are the bytes of one.
    fn meaning(&self, bytes: &[u8]) -> Result<Meaning, ConfinementError> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers: Vec<f32> = numbers.iter().map(|it| f32::from_le_bytes(*it)).collect();
        let is_one = rest.is_empty()
            && NUMBERS.contains(&numbers.len())
            && numbers.iter().all(|number| number.is_finite());
        match is_one {
            true => Ok(Meaning::of(self.key(), &numbers)),
            false => Err(nonsense()),
        }
    }
}

fn nonsense() -> ConfinementError {
    let reason = "the model gave nonsense for what a picture shows or a text means".to_owned();
    ConfinementError::failed(FailureCode::Other, reason)
}
