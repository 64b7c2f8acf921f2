//! How bytes get into a bucket: hashed first, then written under their name.

use std::{fs::File, io::Read as _, path::Path};

use bytes::{Bytes, BytesMut};
use heirloom_core::ContentHash;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{READ_BYTES, S3Store, SMALL_BYTES, object};
use crate::{
    BlobError, BlobSource, BlobStore as _, PutBlob, cache::Incoming, error::At as _,
    pump::blocking, remote::WriteError,
};

/// Bytes that are stored.
pub(super) enum Stored<'a> {
    Memory(Bytes),
    File(&'a Path, u64),
}

impl Stored<'_> {
    const fn size_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, size_bytes) => *size_bytes,
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
                return Ok(Spooled::File(Box::new(incoming)));
            }
            incoming = blocking(move || incoming.write(&chunk).map(|()| incoming)).await?;
        }
    }

    /// Stores bytes whose hash is known, unless they are there undamaged.
    pub(super) async fn store(
        &self,
        hash: ContentHash,
        bytes: Stored<'_>,
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
                Err(BlobError::Corrupt { .. }) => self.move_aside(hash).await?,
                Err(BlobError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let object = object(hash);
        match bytes {
            Stored::Memory(bytes) => self.remote.write(&object, bytes).await?,
            Stored::File(file, size_bytes) => {
                let mut source = tokio::fs::File::open(file).await.at(file)?;
                self.write_from(&object, size_bytes, &mut source).await?;
            }
        }
        Ok(put(true))
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
