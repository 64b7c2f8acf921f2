//! Whisper (Radford and others, 2022): from the spectrogram of a window of at most 30 seconds to what is said in it.
//!
//! Its weights are those of CTranslate2's form, the networks are built from them for ONNX Runtime, and how tokens
//! are chosen follows OpenAI's reference: beams, rules for times, and a search for when each token is said.

mod align;
mod engine;
mod going;
mod network;
mod token;
mod vocabulary;
mod weights;

pub(super) use engine::{Asked, Whisper, Window, Written};
pub(super) use going::Going;
pub(super) use token::{text_of, words_of};
