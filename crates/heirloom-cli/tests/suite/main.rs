//! The real program: what it prints, how it ends, and what it refuses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod add;
mod backup;
mod collection;
mod completions;
mod config;
mod confinement;
mod data_folder;
mod documents;
mod encryption;
mod faces;
mod harness;
mod ipfs;
mod json;
mod kill;
mod live;
mod machine;
mod malformed;
mod models;
mod originals;
mod pdf;
mod people;
mod read;
mod rebuild;
mod refused;
mod remote;
mod scan;
mod served;
mod sharing;
mod space;
mod store;
mod tag;
mod tiers;
mod transcribe;
mod transfer;
mod words;
