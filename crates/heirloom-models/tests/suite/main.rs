//! The store of models, against servers on this machine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod download;
mod harness;
mod store;
