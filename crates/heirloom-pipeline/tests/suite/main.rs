//! The suite of the pipeline: real folders, real databases, real bytes.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and says where"
)]

mod harness;

mod archive;
mod change;
mod confinement;
mod deriving;
mod eyes;
mod film;
mod fsck;
mod import;
mod originals;
mod reading;
mod room;
mod run;
mod scrub;
mod sidecar;
mod sound;
mod special;
mod stack;
mod studio;
mod transcription;
mod transfer;
