//! Copies of blobs in the cache, and what is read from them.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use heirloom_core::ContentHash;

use super::{S3Store, SMALL_BYTES, open::Stored};
use crate::{
    BlobError, BlobReader, BlobStore as _, Cache, hash_of, pump::blocking, seal::BlobFile,
};

/// Where a blob is read from.
pub(super) enum Found {
    File(BlobFile),
    Remote(Stored),
}

impl Found {
    pub(super) const fn size_bytes(&self) -> u64 {
        match self {
            Self::File(blob) => blob.size_bytes(),
            Self::Remote(stored) => stored.size_bytes(),
        }
    }
}

impl S3Store {
    /// Brings a blob into the cache, verified, and gives it as a file.
    pub(super) async fn fetch(&self, hash: ContentHash) -> Result<BlobFile, BlobError> {
        let cache = self.cache.clone();
        let mut reader = self.get(hash).await?;
        let mut incoming = blocking(move || cache.begin()).await?;
        while let Some(chunk) = reader.next_chunk().await? {
            incoming = blocking(move || incoming.write(&chunk).map(|()| incoming)).await?;
        }
        let cache = self.cache.clone();
        blocking(move || cache.keep(incoming, hash)).await
    }

    /// The copy of a blob in the cache, brought there if it is small.
    pub(super) async fn copy(&self, hash: ContentHash) -> Result<Found, BlobError> {
        let cache = self.cache.clone();
        if let Some(blob) = blocking(move || Ok(cache.find(hash))).await? {
            return Ok(Found::File(blob));
        }
        let stored = self.find(hash).await?.ok_or(BlobError::NotFound { hash })?;
        if stored.size_bytes() > SMALL_BYTES {
            return Ok(Found::Remote(stored));
        }
        Ok(Found::File(self.fetch(hash).await?))
    }
}

/// A part of a copy; all of it verified, and let go of where it is damaged.
pub(super) fn read_copy(
    cache: &Cache,
    hash: ContentHash,
    blob: BlobFile,
    range: Range<u64>,
) -> Result<BlobReader, BlobError> {
    let (length, size_bytes) = (range.end - range.start, blob.size_bytes());
    let is_whole = range == (0..size_bytes);
    let watched = cache.clone();
    let mut chunks = blob.chunks(range).inspect(move |chunk| {
        if matches!(chunk, Err(BlobError::Corrupt { .. })) {
            watched.remove(hash);
        }
    });
    if !is_whole {
        return Ok(BlobReader::part(hash, length, chunks));
    }
    if size_bytes > SMALL_BYTES {
        return BlobReader::whole(hash, size_bytes, chunks);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    chunks.try_for_each(|chunk| chunk.map(|chunk| bytes.extend_from_slice(&chunk)))?;
    if hash_of(&bytes) != hash {
        cache.remove(hash);
    }
    BlobReader::whole_from(hash, size_bytes, stream::iter([Ok(Bytes::from(bytes))]))
}
