//! Faces in pictures: a model for them, at work in confinement.
//!
//! One hand of confinement, which may read the folder of models and nothing else, decodes a picture and finds its faces.

mod film;
mod job;

use std::{fs::File, io::Seek as _, sync::Arc, time::Duration};

use heirloom_core::{
    face::{Face, Faces},
    unit::FailureCode,
};
use heirloom_models::{Ability, Store};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::{Confinement, ConfinementError, HandSettings, JobLimits},
    loading::{Trained, TrainedHand},
    understand::UnderstandError,
};

pub use film::find_in_film;
pub(crate) use job::{FIND, FaceLooker};

/// What finds faces. Cloning is cheap; the clones share one process, which starts with the first picture.
#[derive(Debug, Clone)]
pub struct FaceFinder {
    hand: Arc<TrainedHand>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The faces.
    pub faces: Faces,
    /// What is wrong with the picture.
    pub problems: Vec<String>,
}

/// Models and ONNX Runtime with their arenas, and the pixels of the largest picture that is looked at.
pub(crate) const MEMORY_BYTES: u64 = 2 << 30;
/// A picture takes a fraction of a second of a processor; a small or busy machine is many times slower.
const TIME: Duration = Duration::from_secs(120);
/// The most bytes that are said of the faces of a picture.
const ANSWER_BYTES: u64 = 16 << 20;

impl Trained for FaceFinder {
    fn hand(&self) -> Option<&TrainedHand> {
        Some(&self.hand)
    }
}

impl FaceFinder {
    /// With the model that is used for faces by default. Nothing is loaded yet.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when one of its files is not here.
    pub fn open(confinement: &Confinement, store: &Store) -> Result<Self, UnderstandError> {
        let settings = HandSettings {
            memory_bytes: MEMORY_BYTES,
            // Loading takes a tenth of a second.
            jobs_per_process: 200,
            ..HandSettings::default()
        };
        // Its networks are so small that more threads would wait for one another.
        let hand = TrainedHand::start(confinement, store, Ability::Faces, 1, settings)?;
        Ok(Self {
            hand: Arc::new(hand),
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &str {
        self.hand.model_id()
    }

    /// What tells all that finds faces apart from others: [`Store::key_for`] faces.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hand.key()
    }

    /// The faces of a picture of that name, upright as it is shown.
    ///
    /// # Errors
    /// [`UnderstandError`]; a failure of the file where nothing of it can be looked at.
    pub async fn find(
        &self,
        input: &mut File,
        name: &str,
        cancelled: &CancellationToken,
    ) -> Result<Found, UnderstandError> {
        let job = json!({ "job": FIND, "name": name, "key": self.key() });
        let limits = JobLimits {
            wall: TIME * 2,
            cpu: TIME,
            answer_bytes: ANSWER_BYTES,
        };
        // The hand reads from where this one stands.
        input.rewind()?;
        let input = input.try_clone()?;
        let mut found = Found::default();
        let parts: Result<_, UnderstandError> = self.hand.work(job, input, limits, cancelled).await;
        for (header, bytes) in parts? {
            if let Some(reason) = header["nothing"].as_str() {
                return Err(UnderstandError::Nothing(reason.to_owned()));
            }
            if let Some(problem) = header["problem"].as_str() {
                found.problems.push(problem.to_owned());
                continue;
            }
            let faces: Vec<Face> = serde_json::from_slice(&bytes).map_err(|_| {
                let reason = "the model gave nonsense for the faces of a picture".to_owned();
                ConfinementError::failed(FailureCode::Other, reason)
            })?;
            found.faces = Faces { faces };
        }
        Ok(found)
    }
}
