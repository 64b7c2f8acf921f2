//! What the confined process does: it says what pictures show and what texts mean, in one space.

use std::fs::File;

use heirloom_core::{
    query::Language,
    tag::{self, Likelihood},
};
use heirloom_models::meaning::{Interpreter, MeaningError};
use serde_json::json;

use crate::{
    confinement::{Answer, Failure, JobHeader},
    loading::{self, Loading, files, refuse},
    pictures::{SeenTag, decode},
};

/// Says what a picture shows.
pub(crate) const SEE: &str = "see";
/// Says what a text means.
pub(crate) const MEAN: &str = "mean";

/// What is kept loaded from job to job.
#[derive(Debug, Default)]
pub(crate) struct Grasp {
    loading: Loading,
    interpreter: Option<Interpreter>,
    /// What each of [`tag::sayings`] means.
    sayings: Vec<Vec<f32>>,
}

/// The longest side that is enough for what networks see, in pixels.
const SIDE: u32 = 1_024;

impl Grasp {
    /// Gives `{"problem": …}` for what is wrong with the file, and `{"tags": […]}` with what the picture shows, four bytes
    /// for each number; or `{"nothing": …}` where there is nothing to see.
    pub(crate) fn see(
        &mut self,
        header: &JobHeader,
        input: File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let Some(sheet) = decode(header, input, SIDE, answer)? else {
            return Ok(());
        };
        let direction = self.interpreter(header)?.see(&sheet).map_err(failed)?;
        let tags = self.tags(header, &direction)?;
        Ok(answer.give(&json!({ "tags": tags }), &bytes(&direction))?)
    }

    /// Gives `{}` with what the text means, four bytes for each number.
    pub(crate) fn mean(
        &mut self,
        header: &JobHeader,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let text = header["text"].as_str().unwrap_or_default();
        let direction = self.interpreter(header)?.read(text).map_err(failed)?;
        Ok(answer.give(&json!({}), &bytes(&direction))?)
    }

    /// The words for what a picture shows, if the model says how likely it takes what is near.
    fn tags(&mut self, header: &JobHeader, direction: &[f32]) -> Result<Vec<SeenTag>, Failure> {
        let Some(scale) = self.interpreter(header)?.scale() else {
            return Ok(Vec::new());
        };
        if self.sayings.is_empty() {
            let interpreter = self.interpreter(header)?;
            let sayings = tag::sayings();
            let meanings = sayings.iter().map(|saying| interpreter.read(saying));
            let meanings: Result<_, _> = meanings.collect();
            self.sayings = meanings.map_err(failed)?;
        }
        let nearness = self.sayings.iter().map(|saying| {
            let both = saying.iter().zip(direction);
            both.map(|(a, b)| a * b).sum()
        });
        let nearness: Vec<f32> = nearness.collect();
        let scale = Likelihood {
            slope: scale.slope,
            offset: scale.offset,
        };
        let tags = scale.said(&nearness).into_iter();
        let tags = tags.map(|(noun, likely)| SeenTag {
            tag: noun.name(Language::English).to_owned(),
            confidence: (likely * 1e3).round() / 1e3,
        });
        Ok(tags.collect())
    }

    fn interpreter(&mut self, header: &JobHeader) -> Result<&mut Interpreter, Failure> {
        if self.interpreter.is_none() {
            let model = files(header, "image_text")?;
            let find = |part: &str| {
                let file = model.iter().find(|(name, _)| name.contains(part));
                file.map(|(_, path)| loading::read(path)).transpose()
            };
            let missing =
                |what: &str| refuse(format!("the model for pictures and text has no {what}"));
            let network = find(".onnx")?.ok_or_else(|| missing("*.onnx"))?;
            let tokens = find("token")?.ok_or_else(|| missing("tokens"))?;
            let preprocessor = find("preprocessor")?;
            let runtime = self.loading.runtime(header)?;
            let interpreter =
                Interpreter::load(runtime, &network, &tokens, preprocessor.as_deref());
            self.interpreter = Some(interpreter.map_err(failed)?);
        }
        let missing = || refuse("there is no model for pictures and text".to_owned());
        self.interpreter.as_mut().ok_or_else(missing)
    }
}

fn bytes(direction: &[f32]) -> Vec<u8> {
    let numbers = direction.iter();
    numbers.flat_map(|number| number.to_le_bytes()).collect()
}

fn failed(error: MeaningError) -> Failure {
    refuse(error.to_string())
}
