//! What the tests of every crate share: real databases, real media and real processes.
//!
//! It is a dev-dependency only. A missing tool is a panic that names what to install, never a
//! skipped test. The repository's media come from `testdata/`, so no test needs the network.
#![expect(
    clippy::unwrap_used,
    reason = "a harness that cannot do its work must fail the test that asked for it"
)]

pub mod conversation;
pub mod files;
pub mod http;
pub mod image_text;
pub mod ipfs;
pub mod jpeg;
pub mod line;
pub mod media;
pub mod models;
pub mod png;
pub mod postgres;
pub mod process;
pub mod s3;
pub mod sftp;
pub mod transcriber;
pub mod tree;
pub mod wav;
pub mod websocket;

pub use tree::TreeSnapshot;
