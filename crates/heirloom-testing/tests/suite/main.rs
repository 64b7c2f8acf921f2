//! The harness itself, and the rules that hold for the whole repository.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod house;
mod jpeg;
mod postgres;
mod process;
mod testdata;
mod tree;
mod words;
