//! What Heirloom does with originals: the tools that read them, the scan that catalogues them, and
//! the checks that prove that all is as it should be.
//!
//! Knows nothing of HTTP, sessions or command lines, and no SQL. Originals are opened in one module,
//! for reading; nothing here ever writes below an archive's root.

pub mod add;
pub mod archive;
pub mod confinement;
mod context;
mod ffmpeg;
pub mod film;
pub mod fsck;
mod jobs;
pub mod lineage;
pub mod open;
mod original;
pub mod place;
pub mod probe;
pub mod purge;
mod remake;
pub mod run;
pub mod scan;
pub mod scrub;
pub mod sound;
mod tasks;
pub mod template;
pub mod tool;
pub mod work;
pub mod workshop;

pub use context::Context;
pub use ffmpeg::Ffmpeg;
pub use jobs::jobs;
pub use open::{Original, open_original};
pub use tasks::Tasks;
