//! What Heirloom does with originals: the tools that read them, the scan that catalogues them, and
//! the checks that prove that all is as it should be.
//!
//! Knows nothing of HTTP, sessions or command lines, and no SQL. Originals are opened in one module,
//! for reading; nothing here ever writes below an archive's root.

pub mod add;
pub mod archive;
pub mod backup;
pub mod confinement;
mod context;
pub mod export;
pub mod faces;
mod ffmpeg;
pub mod film;
pub mod fsck;
pub mod hearing;
pub mod import;
pub mod ipfs;
mod jobs;
pub mod lineage;
mod loading;
mod log;
pub mod machine;
pub mod meaning;
pub mod open;
mod original;
pub mod payload;
pub mod pictures;
pub mod place;
pub mod probe;
pub mod purge;
pub mod reading;
mod remake;
mod remembered;
pub mod run;
pub mod scan;
pub mod scrub;
pub mod sealing;
pub mod searchable;
pub mod sound;
pub mod speech;
mod tasks;
pub mod template;
pub mod texts;
pub mod tier;
pub mod tool;
pub mod transcription;
pub mod understand;
mod unreachable;
pub mod voice;
pub mod way;
pub mod work;
pub mod workshop;

pub use context::Context;
pub use ffmpeg::{Ffmpeg, Incoming};
pub use jobs::jobs;
pub use open::{Original, is_in_vault, open_original};
pub use tasks::Tasks;
