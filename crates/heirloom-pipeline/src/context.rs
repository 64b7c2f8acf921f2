//! What the operations of this crate work with.

use std::{path::PathBuf, sync::Arc};

use heirloom_blobs::{BlobStore, S3Settings};
use heirloom_core::Actor;
use heirloom_db::Db;

/// Truth, bytes and whoever asks. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Context {
    /// The catalogue.
    pub db: Db,
    /// The store of bytes that Heirloom makes.
    pub blobs: Arc<dyn BlobStore>,
    /// Who is asking.
    pub actor: Actor,
    /// Heirloom's own data folder: nothing in it is ever catalogued.
    pub data_folder: PathBuf,
    /// What has to be known of S3 beside the name of a repository there.
    pub s3: S3Settings,
}
