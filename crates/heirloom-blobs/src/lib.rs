//! Bytes, named by their BLAKE3 hash.
//!
//! A [`BlobStore`] keeps blobs: immutable runs of bytes of any length. A blob's name is the hash of
//! its bytes, so the same bytes are kept once, what is read can be checked against its name, and a
//! blob is never changed, only put, read and deleted. [`FolderStore`] keeps them as files in an
//! open layout that outlives this program (`docs/formats.md`); [`S3Store`] keeps them in a bucket and those in use in a
//! [`Cache`]; [`MemoryStore`] keeps them in memory; [`Tiers`] are several of these as one. [`Remote`] is the door to S3 and SFTP, for whoever keeps something
//! there.
//!
//! What a blob means, who may see it and whether it is still needed is not known here: whoever keeps
//! that truth passes it in, to [`collect`] (removes what nobody references) and [`fsck`] (finds what
//! is damaged, missing or out of place).

mod blocking;
mod cache;
mod collect;
mod error;
mod folder;
mod fsck;
mod memory;
mod pump;
mod reader;
mod remote;
mod s3;
mod seal;
mod store;
mod tiers;
mod verification;

pub use blocking::{BlockingReader, BlockingSource};
pub use cache::Cache;
pub use collect::{CollectError, Collected, Grace, collect};
pub use error::BlobError;
pub use folder::FolderStore;
pub use fsck::{
    ExpectedBlob, Finding, FsckDepth, FsckError, FsckEvent, FsckOptions, FsckReport, fsck, pages_of,
};
pub use memory::MemoryStore;
pub use reader::BlobReader;
pub use remote::{
    Remote, RemoteError, RemoteLocation, RemoteObject, S3Keys, S3Location, S3Settings,
    SftpLocation, is_archive_class,
};
pub use s3::S3Store;
pub use seal::{
    DataKey, KEY_LETTERS, KeyError, KeyFile, KeyId, MasterKey, Sealing, open_sealed, seal_bytes,
};
pub use store::{
    Availability, BlobList, BlobSource, BlobStat, BlobStore, Deletion, Health, PutBlob, Recall,
    SignedRead, Stray, StrayKind, StrayList,
};
pub use tiers::{Moved, Tier, Tiers};

use heirloom_core::ContentHash;

/// The name of these bytes: their BLAKE3 hash.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(blake3::hash(bytes).into())
}
