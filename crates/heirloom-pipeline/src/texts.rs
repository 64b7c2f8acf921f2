//! Which names mean something like what somebody says: a model that compares texts, at work in confinement.

mod job;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use heirloom_core::{meaning::standing_out, query::Language, tag, unit::FailureCode};
use heirloom_models::{Ability, Store};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::{Confinement, ConfinementError, HandSettings, JobLimits},
    loading::{Trained, TrainedHand},
    remembered::Remembered,
    understand::UnderstandError,
};

pub(crate) use job::{COMPARE, Reader};

/// Compares texts. Cloning is cheap; the clones share one process, which starts with the first texts.
#[derive(Debug, Clone)]
pub struct Comparer {
    hand: Arc<TrainedHand>,
    /// What texts mean that were compared before.
    known: Arc<Remembered<Arc<[f32]>>>,
}

/// The model, twice while it is loaded, and what it works with.
pub(crate) const MEMORY_BYTES: u64 = 1 << 30;
/// All nouns of the vocabulary take seconds; a small or busy machine is many times slower.
const TIME: Duration = Duration::from_secs(120);
const ANSWER_BYTES: u64 = 16 << 20;
/// So many texts are read at once, and remembered. A name is at most 300 bytes long.
const AT_ONCE: usize = 256;
const KNOWN: usize = 8_192;

impl Trained for Comparer {
    fn hand(&self) -> Option<&TrainedHand> {
        Some(&self.hand)
    }
}

impl Comparer {
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
            jobs_per_process: 10_000,
            ..HandSettings::default()
        };
        let ability = Ability::TextEmbedding;
        let hand = TrainedHand::start(confinement, store, ability, threads, settings)?;
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

    /// What tells it apart from others: [`Store::key_for`] texts.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hand.key()
    }

    /// Those of some names that mean something like some words, the nearest first.
    ///
    /// # Errors
    /// [`UnderstandError`]
    pub async fn list_near(
        &self,
        words: &str,
        names: &[String],
        cancelled: &CancellationToken,
    ) -> Result<Vec<String>, UnderstandError> {
        let nouns = tag::nouns().map(|noun| noun.name(Language::English).to_owned());
        let nouns: Vec<String> = nouns.collect();
        let asked = [words.to_owned()];
        let meanings = [&asked[..], &nouns, names].concat();
        let meanings = self.read(&meanings, cancelled).await?;
        let (asked, others) = meanings.split_first().ok_or_else(nonsense)?;
        let nearness = others.iter().map(|other| {
            let both = other.iter().zip(asked.iter());
            both.map(|(a, b)| a * b).sum()
        });
        let nearness: Vec<f32> = nearness.collect();
        let (usual, nearness) = nearness.split_at(nouns.len());
        let near = standing_out(nearness, usual).into_iter();
        Ok(near.map(|at| names[at].clone()).collect())
    }

    async fn read(
        &self,
        texts: &[String],
        cancelled: &CancellationToken,
    ) -> Result<Vec<Arc<[f32]>>, UnderstandError> {
        // What is known is taken now: somebody else may make it forgotten meanwhile.
        let mut read: HashMap<&str, Arc<[f32]>> = HashMap::new();
        let mut unknown: BTreeSet<&str> = BTreeSet::new();
        for text in texts {
            match self.known.find(text) {
                Some(known) => {
                    read.insert(text, known);
                }
                None => {
                    unknown.insert(text);
                }
            }
        }
        let unknown: Vec<&str> = unknown.into_iter().collect();
        let mut new = HashMap::with_capacity(unknown.len());
        for part in unknown.chunks(AT_ONCE) {
            let job = json!({ "job": COMPARE, "texts": part });
            let limits = JobLimits {
                wall: TIME * 2,
                cpu: TIME,
                answer_bytes: ANSWER_BYTES,
            };
            // The texts are in what is asked; there is no file.
            let input = tempfile::tempfile()?;
            let answer = self.hand.work(job, input, limits, cancelled).await?;
            if answer.len() != part.len() {
                return Err(nonsense().into());
            }
            for (text, (_, bytes)) in part.iter().zip(answer) {
                let numbers = bytes.as_chunks::<4>().0.iter();
                let numbers: Arc<[f32]> = numbers.map(|it| f32::from_le_bytes(*it)).collect();
                if numbers.is_empty() || numbers.iter().any(|number| !number.is_finite()) {
                    return Err(nonsense().into());
                }
                new.insert((*text).to_owned(), Arc::clone(&numbers));
                read.insert(text, numbers);
            }
        }
        self.known.keep(new);
        let all = texts.iter().map(|text| read.get(text.as_str()).cloned());
        Ok(all.collect::<Option<_>>().ok_or_else(nonsense)?)
    }
}

fn nonsense() -> ConfinementError {
    let reason = "the model gave nonsense for what texts mean".to_owned();
    ConfinementError::failed(FailureCode::Other, reason)
}

/// Those of some words that say something by themselves: no articles, no prepositions, in the languages that queries are
/// written in. All of them where none does.
#[must_use]
pub fn telling_words(words: &str) -> Vec<String> {
    let words = words.split_whitespace().map(str::to_owned);
    let is_common = |word: &String| {
        let word = word.to_lowercase();
        let mut common = ["en", "de"].into_iter().filter_map(stop_words::lookup);
        common.any(|common| common.contains(&word.as_str()))
    };
    let (common, telling): (Vec<String>, Vec<String>) = words.partition(is_common);
    if telling.is_empty() { common } else { telling }
}

#[cfg(test)]
mod tests {
    use super::telling_words;

    #[test]
    fn articles_and_prepositions_say_nothing_of_a_picture() {
        for (words, telling) in [
            ("a rocket", &["rocket"][..]),
            ("A dog on the beach", &["dog", "beach"]),
            ("ein Hund am Strand", &["Hund", "Strand"]),
            ("the", &["the"]),
            ("", &[]),
        ] {
            assert_eq!(telling_words(words), telling, "{words}");
        }
    }
}
