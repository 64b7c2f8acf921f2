//! How bytes get into a bucket: hashed first, then written under their name.

use std::{fs::File, io::Read as _, path::Path};

use bytes::{Bytes, BytesMut};
use heirloom_core::ContentHash;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{READ_BYTES, S3Store, SMALL_BYTES, object};
use crate::{
    BlobError, BlobSource, BlobStore as _, KeyId, PutBlob,
    cache::Incoming,
    error::At as _,
    pump::blocking,
    remote::WriteError,
    seal::{Form, seal},
};

/// Bytes that are stored.
pub(super) enum Source<'a> {
    Memory(Bytes),
    /// A file that nobody sealed.
    File(&'a Path, u64),
    /// What came to the cache.
    Incoming(&'a Incoming),
}

impl Source<'_> {
    const fn size_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, size_bytes) => *size_bytes,
            Self::Incoming(incoming) => incoming.size_bytes(),
        }
    }
}

/// What a put has taken from its source.
pub(super) enum Spooled {
    Memory(Bytes),
    File(Box<Incoming>),
}

impl S3Store {
    /// Takes everything that a source yields: a little in memory, else in a file of the cache.
    pub(super) async fn spool(&self, source: BlobSource<'_>) -> Result<Spooled, BlobError> {
        let mut small = BytesMut::new();
        let mut source = source.take(u64::MAX);
        while small.len() as u64 <= SMALL_BYTES {
            small.reserve(READ_BYTES);
            if source
                .read_buf(&mut small)
                .await
                .map_err(BlobError::Source)?
                == 0
            {
                return Ok(Spooled::Memory(small.freeze()));
            }
        }
        let cache = self.cache.clone();
        let mut incoming = blocking(move || {
            let mut incoming = cache.begin()?;
            incoming.write(&small).map(|()| incoming)
        })
        .await?;
        loop {
            let mut chunk = BytesMut::with_capacity(4 * READ_BYTES);
            while chunk.len() < 4 * READ_BYTES
                && source
                    .read_buf(&mut chunk)
                    .await
                    .map_err(BlobError::Source)?
                    > 0
            {}
            if chunk.is_empty() {
                let incoming = blocking(move || incoming.finish().map(|()| incoming)).await?;
                return Ok(Spooled::File(Box::new(incoming)));
            }
            incoming = blocking(move || incoming.write(&chunk).map(|()| incoming)).await?;
        }
    }

    /// Stores bytes whose hash is known, unless they are there undamaged.
    pub(super) async fn store(
        &self,
        hash: ContentHash,
        bytes: Source<'_>,
    ) -> Result<PutBlob, BlobError> {
        let size_bytes = bytes.size_bytes();
        let put = |was_new| PutBlob {
            hash,
            size_bytes,
            was_new,
        };
        // Young first: then nobody removes it while it is compared.
        if self.renew(hash).await? {
            match self.compare(hash).await {
                Ok(()) => return Ok(put(false)),
                // S3 compared it with its checksum when it was written, and keeps watch over it.
                Err(BlobError::Archived { .. }) if self.has_length(hash, size_bytes).await? => {
                    return Ok(put(false));
                }
                Err(BlobError::Corrupt { .. }) => self.move_aside(hash).await?,
                Err(BlobError::NotFound { .. } | BlobError::Archived { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let key = match bytes {
            Source::Memory(bytes) => self.write_bytes(hash, bytes).await?,
            Source::File(file, size_bytes) => {
                let object = object(hash, Form::Plain);
                self.write_file(&object, size_bytes, file).await?;
                None
            }
            Source::Incoming(incoming) => {
                if incoming.form() == Form::Sealed {
                    self.mark_sealed().await?;
                }
                let object = object(hash, incoming.form());
                self.write_file(&object, incoming.stored_bytes(), incoming.path())
                    .await?;
                incoming.key()
            }
        };
        // It may have been begun before there was this key, and whoever seals the others have passed its place.
        if self.cache.sealing().current_id() != key {
            self.seal_again(hash).await?;
        }
        Ok(put(true))
    }

    async fn has_length(&self, hash: ContentHash, size_bytes: u64) -> Result<bool, BlobError> {
        let found = self.find(hash).await?;
        Ok(found.is_some_and(|found| found.size_bytes() == size_bytes))
    }

    /// Writes a small blob; gives the key that it was sealed with.
    async fn write_bytes(
        &self,
        hash: ContentHash,
        bytes: Bytes,
    ) -> Result<Option<KeyId>, BlobError> {
        let Some(key) = self.cache.sealing().current() else {
            let object = object(hash, Form::Plain);
            self.remote.write_blob(&object, bytes).await?;
            return Ok(None);
        };
        self.mark_sealed().await?;
        let id = key.id();
        let sealing = blocking(move || seal(&key, hash, &bytes).at(Path::new("a blob in memory")));
        let sealed = Bytes::from(sealing.await?);
        self.remote
            .write_blob(&object(hash, Form::Sealed), sealed)
            .await?;
        Ok(Some(id))
    }

    async fn write_file(
        &self,
        object: &str,
        stored_bytes: u64,
        file: &Path,
    ) -> Result<(), BlobError> {
        let mut source = tokio::fs::File::open(file).await.at(file)?;
        self.write_from(object, stored_bytes, &mut source).await
    }

    pub(super) async fn write_from(
        &self,
        object: &str,
        size_bytes: u64,
        source: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<(), BlobError> {
        let written = self.remote.write_from(object, size_bytes, source).await;
        written.map_err(|error| match error {
            WriteError::Remote(error) => error.into(),
            WriteError::Source(error) => BlobError::Source(error),
        })
    }
}

pub(super) fn check(expected: Option<ContentHash>, actual: ContentHash) -> Result<(), BlobError> {
    match expected {
        Some(expected) if expected != actual => Err(BlobError::Mismatch { expected, actual }),
        _ => Ok(()),
    }
}

pub(super) fn hash_file(path: &Path) -> Result<(ContentHash, u64), BlobError> {
    let mut file = File::open(path).map_err(BlobError::Source)?;
    let mut hasher = blake3::Hasher::new();
    let (mut buffer, mut size_bytes) = (vec![0; READ_BYTES], 0);
    loop {
        match file.read(&mut buffer).map_err(BlobError::Source)? {
            0 => break,
            length => {
                hasher.update(&buffer[..length]);
                size_bytes += length as u64;
            }
        }
    }
    Ok((
        ContentHash::from_bytes(hasher.finalize().into()),
        size_bytes,
    ))
}
