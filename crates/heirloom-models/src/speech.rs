//! Speech becomes words: who listens, in which language, and when each word is said.
//!
//! A recording is gone through several times. [`Voice`] finds where somebody speaks, without which a model writes words
//! into silence and music. [`Voiceprints`] hears what voices sound like, by which [`Voices`] tells who speaks when. Then
//! [`Listener`] takes what is spoken, window by window, and writes it down. None keeps more sound than one window,
//! however long a recording is; of its voices 2 kB stay for each second that somebody speaks.

mod listener;
mod mel;
mod overhear;
mod span;
mod speaker;
mod voice;
mod voiceprint;
mod whisper;

pub use listener::{Hearing, Listener, Said, SaidWord, WINDOW};
pub use mel::SAMPLES_PER_SECOND;
pub use overhear::Overheard;
pub use span::{STILL_LIKELY, Span, Speech, spans_of, voices_of};
pub use speaker::{MOST_SPEAKERS, Told, Voices, utterances_of};
pub use voice::{FRAME, Voice};
pub use voiceprint::{LENGTHS, PRINT, STEP, Voiceprints, pack};

/// Why nothing can be heard: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The model's files are not what they are to be.
    #[error("the model for speech cannot be used: {0}")]
    Model(String),
    /// The file of the model that tells voices apart is not what it is to be.
    #[error("the model that tells voices apart cannot be used: {0}")]
    Speaker(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}
