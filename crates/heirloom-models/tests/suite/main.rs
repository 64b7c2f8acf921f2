//! The store of models, against servers on this machine, and voices, with the real models.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod download;
mod harness;
mod listener;
mod meaning;
mod speakers;
mod store;
mod texts;
