//! Bytes in, facts and pictures out: the true type of a file, what it says about itself, and what is
//! shown of it.
//!
//! [`sniff`] tells what a file is, [`metadata`] what it states, [`read_name`] what its name does, [`match_sidecars`] and
//! [`read_sidecar`] what is stated beside it, [`find_stacks`] which files are one moment.
//!
//! Whatever the bytes, none of these panics, reads more than a bounded part of a file, or
//! allocates by a length that the file states. Broken media is a value with
//! [problems](Problem), never an error; the only errors are those of the disk. [`picture`] and [`document`] draw
//! and read, with libraries of which not all are in Rust, and are called in a confined process. The crate knows no
//! database and no HTTP and runs no other program.

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "hostile bytes meet every line here"
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test may panic"
    )
)]

pub mod album;
mod asf;
mod audio;
mod bmff;
mod bytes;
pub mod document;
mod ebml;
mod edited;
mod exif;
mod file_name;
mod file_type;
mod finding;
mod flir;
mod gif;
pub mod icloud;
pub mod immich;
mod iptc;
mod jpeg;
mod moment;
mod mpeg;
mod notes;
mod office;
mod pdf;
mod photoprism;
pub mod picture;
mod png;
pub mod property;
mod prose;
mod psd;
mod raw;
mod read;
mod riff;
mod scanner;
pub mod searchable;
mod sidecar;
mod sniff;
mod source;
mod stack;
mod takeout;
mod text;
mod tiff;
mod xml;
mod xmp;
mod yaml;
mod zip;

pub use file_type::FileType;
pub use finding::{Facts, Finding, Metadata, Problem};
pub use read::{metadata, read_name};
pub use sidecar::{SidecarKind, SidecarMatch, match_sidecars, read_sidecar};
pub use sniff::sniff;
pub use stack::{Member, Stack, StackKind, find_stacks};
