//! Speech becomes words: who listens, in which language, and when each word is said.
//!
//! A recording is gone through twice. [`Voice`] finds where somebody speaks, without which a model writes words into
//! silence and music. Then [`Listener`] takes what is spoken, window by window, and writes it down. Neither keeps
//! more than one window, however long a recording is.

mod listener;
mod mel;
mod span;
mod voice;
mod whisper;

pub use listener::{Hearing, Listener, Said, SaidWord, WINDOW};
pub use mel::SAMPLES_PER_SECOND;
pub use span::{STILL_LIKELY, Span, Speech, spans_of};
pub use voice::{FRAME, Voice};

/// Why nothing can be heard: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The model's files are not what they are to be.
    #[error("the model for speech cannot be used: {0}")]
    Model(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}
