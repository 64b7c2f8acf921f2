//! What stands in pictures and on pages: models for reading, at work in confinement.
//!
//! One hand of confinement, which may read the folder of models and nothing else, decodes a picture or draws a page and
//! reads it. Pages come one by one: only one is in memory, however many a document has, and one that kills its process
//! costs no other. A page that has a text of its own keeps it. A service elsewhere is sent the picture of each page that has none.

mod elsewhere;
mod film;
mod job;
mod provider;
mod second;

use std::{fs::File, io::Seek as _, sync::Arc, time::Duration};

use bytes::Bytes;
use heirloom_core::{
    reading::{Page, Reading},
    unit::FailureCode,
};
use heirloom_models::{Ability, Store};
use serde_json::{Value as Json, json};
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

pub use film::read_film;
pub(crate) use job::{PageReader, READ};
pub use second::SecondReader;

/// What services are configured for here.
pub const TASK: way::Task = way::Task {
    kinds: &[OPENAI, GOOGLE],
    may_be_noted: false,
};

/// What reads pictures. Cloning is cheap; the clones share one process, which starts with the first picture.
#[derive(Debug, Clone)]
pub struct Eyes {
    reader: Reader,
    second: Option<SecondReader>,
}

#[derive(Debug, Clone)]
enum Reader {
    /// Models on this machine.
    Local(Arc<TrainedHand>),
    /// A service, for which a hand without models draws.
    Service(Arc<Service>, Arc<Hand>),
}

/// How far it is with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoFar {
    /// Up to which page.
    pub until: u32,
    /// How many pages there are.
    pub count: u32,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// What was read.
    pub reading: Reading,
    /// How many pages there are.
    pub count: u32,
    /// What was left out or is wrong with it.
    pub problems: Vec<String>,
    /// The page alone, straight and in one light, where a camera saw it with what is around it: what is said of it, and a JPEG.
    pub flat: Option<(Json, Bytes)>,
    /// Who read it a second time, where that was of use.
    pub second: Option<String>,
}

/// Models and ONNX Runtime with their arenas, and the pixels of the largest picture that is read.
pub(crate) const MEMORY_BYTES: u64 = 3 << 30;
/// The longest side of a picture that a service is sent, in pixels: what those who take more make smaller themselves.
const SENT_SIDE: u32 = 2048;
/// A page takes a few seconds of a processor; a small or busy machine is many times slower.
const PAGE_TIME: Duration = Duration::from_secs(300);
/// The most bytes that are said of the pages of one turn.
const ANSWER_BYTES: u64 = 64 << 20;
/// The most pages that are read: a shelf of books.
const MOST_PAGES: u32 = 2_000;
/// So many pages may each end a process; after one more no others are tried.
const DEATHS: usize = 3;

impl Trained for Eyes {
    fn hand(&self) -> Option<&TrainedHand> {
        match &self.reader {
            Reader::Local(hand) => Some(hand),
            Reader::Service(..) => None,
        }
    }
}

impl Eyes {
    /// With the models that reading uses by default, which compute with so many threads. Nothing is loaded yet.
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
            jobs_per_process: 200,
            ..HandSettings::default()
        };
        let hand = TrainedHand::start(confinement, store, Ability::Reading, threads, settings)?;
        Ok(Self {
            reader: Reader::Local(Arc::new(hand)),
            second: None,
        })
    }

    /// The same with somebody who reads each page a second time, if they are there.
    #[must_use]
    pub fn beside(self, second: &SecondReader) -> Self {
        Self {
            second: second.is_there().then(|| second.clone()),
            ..self
        }
    }

    /// A service elsewhere: pages are drawn here, and it is sent their pictures and nothing else.
    ///
    /// # Errors
    /// [`UnderstandError::Disk`] when no thread can be started.
    pub fn elsewhere(
        confinement: &Confinement,
        service: Arc<Service>,
    ) -> Result<Self, UnderstandError> {
        let settings = HandSettings {
            memory_bytes: MEMORY_BYTES,
            ..HandSettings::default()
        };
        let hand = Hand::start(confinement, settings)?;
        Ok(Self {
            reader: Reader::Service(service, Arc::new(hand)),
            second: None,
        })
    }

    /// Who reads: `local`, or a service by its name.
    #[must_use]
    pub fn method(&self) -> &str {
        match &self.reader {
            Reader::Local(_) => LOCAL,
            Reader::Service(service, _) => &service.settings().name,
        }
    }

    /// The model that reads.
    #[must_use]
    pub fn model(&self) -> String {
        match &self.reader {
            Reader::Local(hand) => hand.model_id().to_owned(),
            Reader::Service(service, _) => service.key(),
        }
    }

    /// What tells all that reads apart from others: [`Store::key_for`] reading with who reads beside that, or the service's own.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.reader {
            Reader::Local(hand) => {
                let second = self.second.as_ref().map(SecondReader::suffix);
                hand.key().to_owned() + &second.unwrap_or_default()
            }
            Reader::Service(service, _) => service.key(),
        }
    }

    async fn work(
        &self,
        input: &mut File,
        name: &str,
        (from, until): (u32, Option<u32>),
        cancelled: &CancellationToken,
    ) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
        let mut job = json!({
            "job": READ,
            "name": name,
            "from": from,
            "until": until,
        });
        let limits = JobLimits {
            wall: PAGE_TIME * 2,
            cpu: PAGE_TIME,
            answer_bytes: ANSWER_BYTES,
        };
        // The hand reads from where this one stands.
        input.rewind()?;
        let input = input.try_clone()?;
        match &self.reader {
            Reader::Local(hand) => {
                job["flat"] = true.into();
                job["second"] = self.second.is_some().into();
                let parts = hand.work(job, input, limits, cancelled);
                let parts: Result<_, UnderstandError> = parts.await;
                match &self.second {
                    Some(second) => Ok(second.hear(parts?).await),
                    None => parts,
                }
            }
            Reader::Service(service, hand) => {
                job["draw"] = SENT_SIDE.into();
                let parts = hand.work(job, input, limits, cancelled).await?;
                elsewhere::read(service, parts, cancelled).await
            }
        }
    }
}

/// Has a picture or document read by the first who can. `seen` is told how far somebody is, `skipped` who could not and why.
///
/// # Errors
/// What is wrong with the file; else why the last of them could not.
pub async fn read_by(
    ways: &[Way],
    eyes: impl Fn(&Way) -> Result<Eyes, UnderstandError>,
    (input, name): (&mut File, &str),
    cancelled: &CancellationToken,
    mut seen: impl FnMut(SoFar),
    mut skipped: impl FnMut(&Way, &UnderstandError),
) -> Result<(Eyes, Outcome), UnderstandError> {
    let mut before = UnderstandError::NoModel(Ability::Reading.as_str());
    for way in ways {
        let tried = match eyes(way) {
            Ok(eyes) => {
                let outcome = read(&eyes, input, name, cancelled, &mut seen).await;
                outcome.map(|outcome| (eyes, outcome))
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

/// Reads what stands in a picture or document of that name, page by page. `seen` is told how far it is.
///
/// # Errors
/// [`UnderstandError`]; a failure of the file where nothing of it can be looked at.
pub async fn read(
    eyes: &Eyes,
    input: &mut File,
    name: &str,
    cancelled: &CancellationToken,
    mut seen: impl FnMut(SoFar),
) -> Result<Outcome, UnderstandError> {
    let mut outcome = Outcome::default();
    let mut deaths = 0;
    let mut from = 1;
    loop {
        let turn = match eyes.work(input, name, (from, None), cancelled).await {
            Err(UnderstandError::Confinement(error)) if error.is_about_the_file() => {
                // It may have been a later page: this one is asked for alone.
                eyes.work(input, name, (from, Some(from)), cancelled).await
            }
            turn => turn,
        };
        from = match turn {
            Ok(parts) => outcome.take(parts, from)?,
            // Whatever it was, a page that cannot be looked at is no reason not to look at the next one.
            Err(UnderstandError::Confinement(error)) if error.is_about_the_file() => {
                if outcome.count == 0 {
                    let parts = eyes.work(input, name, (u32::MAX, None), cancelled);
                    outcome.take(parts.await?, from)?;
                }
                if outcome.count <= 1 {
                    return Err(error.into());
                }
                deaths += 1;
                let left_out = format!("Page {from} was left out: {error}");
                outcome.problems.push(left_out);
                from + 1
            }
            Err(error) => return Err(error),
        };
        seen(SoFar {
            until: (from - 1).min(outcome.count),
            count: outcome.count,
        });
        if from > outcome.count {
            break;
        }
        if from > MOST_PAGES || deaths > DEATHS {
            let left_out = format!("Pages from page {from} on were not read.");
            outcome.problems.push(left_out);
            break;
        }
    }
    outcome.problems.dedup();
    if outcome.reading.pages.is_empty()
        && let Some(problem) = outcome.problems.first()
    {
        let code = FailureCode::Other;
        return Err(ConfinementError::failed(code, problem.clone()).into());
    }
    Ok(outcome)
}

impl Outcome {
    /// Whether every page had a text of its own, so that nothing was read in a picture.
    #[must_use]
    pub fn is_layer(&self) -> bool {
        let pages = &self.reading.pages;
        !pages.is_empty() && pages.iter().all(|page| page.is_layer)
    }

    /// Takes what was said of pages; which page is next.
    fn take(&mut self, parts: Vec<(JobHeader, Bytes)>, from: u32) -> Result<u32, UnderstandError> {
        let mut last = from;
        for (header, bytes) in parts {
            if let Some(reason) = header["nothing"].as_str() {
                return Err(UnderstandError::Nothing(reason.to_owned()));
            }
            let number = |name: &str| header[name].as_u64().and_then(|n| u32::try_from(n).ok());
            if let Some(count) = number("count") {
                self.count = count;
            }
            if let Some(second) = header["second"].as_str() {
                self.second = Some(second.to_owned());
            }
            if !header["flat"].is_null() {
                self.flat = Some((header["flat"].clone(), bytes));
            } else if let Some(problem) = header["problem"].as_str() {
                self.problems.push(problem.to_owned());
            } else if number("page").is_some() {
                let page: Page = serde_json::from_slice(&bytes).map_err(|_| {
                    let reason = "the model gave nonsense for what stands on a page".to_owned();
                    ConfinementError::failed(FailureCode::Other, reason)
                })?;
                self.reading.pages.push(page);
            }
            last = last.max(number("page").unwrap_or(0));
        }
        Ok(last.saturating_add(1))
    }
}
