//! Faces in pictures: where they are, their features, and which of them are alike.
//!
//! A picture is looked at as a whole and, closer and closer, in parts that overlap. Each face is then looked at three
//! times: whether there is one, where its eyes, nose and mouth are, and what tells it from others. [`Finder`] does all of it.
//! What looks like a face from afar and has no such features, or none that tell it from others, is none.

mod align;
mod detector;
mod finder;
mod pyramid;

pub use finder::{Finder, SeenFace};

/// Why no face can be looked for: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum FacesError {
    /// A file of the model is not what it is to be.
    #[error("the model for faces cannot be used: {0}")]
    Model(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}

/// A network of a model, from its bytes.
fn load(
    runtime: &crate::runtime::Runtime,
    model: &[u8],
) -> Result<ort::session::Session, FacesError> {
    // They are small: more threads would wait for one another.
    let mut options = runtime.alone().options()?;
    options
        .commit_from_memory(model)
        .map_err(|error| FacesError::Model(error.to_string()))
}

/// What a network answers in one of its outputs, if it is as long as it is to be.
fn answer<'a>(
    answers: &'a ort::session::SessionOutputs<'_>,
    at: usize,
    length: usize,
) -> Result<&'a [f32], FacesError> {
    let refuse = || FacesError::Model("a network for faces gives other answers".to_owned());
    if answers.len() <= at {
        return Err(refuse());
    }
    let (_, numbers) = answers[at].try_extract_tensor::<f32>()?;
    if numbers.len() == length {
        Ok(numbers)
    } else {
        Err(refuse())
    }
}
