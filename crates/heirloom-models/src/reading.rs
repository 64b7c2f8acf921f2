//! Reading: what stands in a picture, word by word, and where.
//!
//! A picture is gone through three times: where lines of writing are, which way up they stand, and what stands in each of
//! them. [`Reader`] does all of it, and finds out how the page lies. In which order lines are read is no question for a
//! network: `heirloom_core::reading` answers it.

mod classifier;
mod detector;
mod outline;
mod reader;
mod recogniser;
mod region;
mod stack;

pub use reader::{Reader, Seen, SeenLine, SeenWord};
pub use stack::Stack;

/// Why nothing can be read: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// A file of the model is not what it is to be.
    #[error("the model for reading cannot be used: {0}")]
    Model(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}

/// A network of a model, from its bytes.
fn load(
    runtime: &crate::runtime::Runtime,
    model: &[u8],
) -> Result<ort::session::Session, ReadingError> {
    // Each page and line has a size of its own: plans of memory for each would only grow.
    let options = runtime.options()?.with_memory_pattern(false);
    let options = options.map_err(ort::Error::from)?;
    { options }
        .commit_from_memory(model)
        .map_err(|error| ReadingError::Model(error.to_string()))
}
