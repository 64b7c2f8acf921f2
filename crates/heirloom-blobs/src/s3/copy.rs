//! Copies of blobs in the cache, and what is read from them.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    ops::Range,
    path::Path,
};

use bytes::Bytes;
use futures_util::stream;
use heirloom_core::ContentHash;

use super::{READ_BYTES, S3Store, SMALL_BYTES, object};
use crate::{
    BlobError, BlobReader, BlobStore as _, Cache, error::At as _, hash_of, pump::blocking,
};

/// Where a blob is read from.
pub(super) enum Found {
    File(File, u64),
    Remote(u64),
}

impl S3Store {
    /// Brings a blob into the cache, verified, and gives it as a file.
    pub(super) async fn fetch(&self, hash: ContentHash) -> Result<File, BlobError> {
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
        if let Some((file, size_bytes)) = blocking(move || Ok(cache.find(hash))).await? {
            return Ok(Found::File(file, size_bytes));
        }
        let stat = self.remote.stat(&object(hash)).await?;
        let size_bytes = stat.ok_or(BlobError::NotFound { hash })?.size_bytes;
        if size_bytes > SMALL_BYTES {
            return Ok(Found::Remote(size_bytes));
        }
        Ok(Found::File(self.fetch(hash).await?, size_bytes))
    }
}

/// A part of a copy; all of it verified, and let go of where it is damaged.
pub(super) fn read_copy(
    cache: &Cache,
    hash: ContentHash,
    mut file: File,
    range: Range<u64>,
    size_bytes: u64,
) -> Result<BlobReader, BlobError> {
    let named = Path::new("a copy in the cache");
    let length = range.end - range.start;
    if range == (0..size_bytes) && size_bytes <= SMALL_BYTES {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.read_to_end(&mut bytes).at(named)?;
        if hash_of(&bytes) != hash {
            cache.remove(hash);
        }
        return BlobReader::whole_from(hash, size_bytes, stream::iter([Ok(Bytes::from(bytes))]));
    }
    file.seek(SeekFrom::Start(range.start)).at(named)?;
    let mut remaining = length;
    let chunks = std::iter::from_fn(move || {
        let mut chunk = vec![0; remaining.min(READ_BYTES as u64) as usize];
        if chunk.is_empty() {
            return None;
        }
        remaining -= chunk.len() as u64;
        let read = file
            .read_exact(&mut chunk)
            .at(Path::new("a copy in the cache"));
        Some(read.map(|()| Bytes::from(chunk)))
    });
    if range == (0..size_bytes) {
        BlobReader::whole(hash, size_bytes, chunks)
    } else {
        Ok(BlobReader::part(hash, length, chunks))
    }
}
