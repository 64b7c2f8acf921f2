//! Reads a blob from its start to its end.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use heirloom_core::ContentHash;
use tokio::io::{AsyncRead, ReadBuf};

use crate::{BlobError, pump::Pump, verification::Verification};

/// The bytes of a blob or of a part of it: a stream of chunks, or an [`AsyncRead`].
///
/// A reader of a whole blob fails with `Corrupt` before it yields the last bytes of a blob that does
/// not match its name; what came before must then be thrown away. As an `AsyncRead` it fails with an
/// [`io::Error`] of kind `InvalidData` (or of the kind that the medium reported) around the
/// [`BlobError`]. No more than two chunks of at most 256 KiB are in memory at once.
pub struct BlobReader {
    hash: ContentHash,
    size_bytes: u64,
    remaining_bytes: u64,
    current: Bytes,
    chunks: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl BlobReader {
    /// Reads all `size_bytes` of a blob from `chunks` and verifies them. The first chunk is taken
    /// here, so that a small blob costs one visit to a blocking thread: call it on one.
    ///
    /// # Errors
    /// What the first chunk shows: `Corrupt`, or what the medium reports.
    pub(crate) fn whole<C>(
        hash: ContentHash,
        size_bytes: u64,
        mut chunks: C,
    ) -> Result<Self, BlobError>
    where
        C: Iterator<Item = Result<Bytes, BlobError>> + Send + Unpin + 'static,
    {
        let mut verification = Verification::new(hash, size_bytes);
        let first = chunks.next().transpose()?.unwrap_or_default();
        verification.pass(&first)?;
        let verified = chunks.map(move |chunk| {
            let chunk = chunk?;
            verification.pass(&chunk)?;
            Ok(chunk)
        });
        Ok(Self {
            hash,
            size_bytes,
            remaining_bytes: size_bytes,
            current: first,
            chunks: Pump::new(verified).boxed(),
        })
    }

    /// Reads `size_bytes` of a blob from `chunks` without verifying them.
    pub(crate) fn part<C>(hash: ContentHash, size_bytes: u64, chunks: C) -> Self
    where
        C: Iterator<Item = Result<Bytes, BlobError>> + Send + Unpin + 'static,
    {
        Self {
            hash,
            size_bytes,
            remaining_bytes: size_bytes,
            current: Bytes::new(),
            chunks: Pump::new(chunks).boxed(),
        }
    }

    /// Reads all `size_bytes` of a blob from what comes in and verifies them.
    ///
    /// # Errors
    /// `Corrupt` for an empty blob that should not be.
    pub(crate) fn whole_from<S>(
        hash: ContentHash,
        size_bytes: u64,
        chunks: S,
    ) -> Result<Self, BlobError>
    where
        S: Stream<Item = Result<Bytes, BlobError>> + Send + 'static,
    {
        let mut verification = Verification::new(hash, size_bytes);
        verification.pass(&[])?;
        let verified = chunks.map(move |chunk| {
            let chunk = chunk?;
            verification.pass(&chunk)?;
            Ok(chunk)
        });
        Ok(Self::part_from(hash, size_bytes, verified))
    }

    /// Reads `size_bytes` of a blob from what comes in without verifying them.
    pub(crate) fn part_from<S>(hash: ContentHash, size_bytes: u64, chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, BlobError>> + Send + 'static,
    {
        Self {
            hash,
            size_bytes,
            remaining_bytes: size_bytes,
            current: Bytes::new(),
            chunks: chunks.boxed(),
        }
    }

    /// The name of the blob.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// How many bytes this reader yields in all, if it does not fail.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `Corrupt`, or what the medium reports. After an error the reader is at its end.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, BlobError> {
        self.next().await.transpose()
    }

    /// Everything that is left, in memory: for blobs whose [`size_bytes`](Self::size_bytes) is known
    /// to be small.
    ///
    /// # Errors
    /// `Corrupt`, or what the medium reports.
    pub async fn bytes(mut self) -> Result<Bytes, BlobError> {
        let Some(first) = self.next_chunk().await? else {
            return Ok(Bytes::new());
        };
        if self.remaining_bytes == 0 {
            return Ok(first);
        }
        let mut all = BytesMut::from(&first[..]);
        while let Some(chunk) = self.next_chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Makes sure that `current` has bytes, unless the end is reached.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BlobError>> {
        while self.current.is_empty() && self.remaining_bytes > 0 {
            match ready!(self.chunks.poll_next_unpin(cx)) {
                Some(Ok(chunk)) => self.current = chunk,
                end => {
                    // Fewer bytes than the blob had when it was opened are never a clean end.
                    self.remaining_bytes = 0;
                    let corrupt = BlobError::Corrupt { hash: self.hash };
                    return Poll::Ready(Err(end.and_then(Result::err).unwrap_or(corrupt)));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Stream for BlobReader {
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(error) = ready!(self.poll_fill(cx)) {
            return Poll::Ready(Some(Err(error)));
        }
        if self.current.is_empty() {
            return Poll::Ready(None);
        }
        self.remaining_bytes = self
            .remaining_bytes
            .saturating_sub(self.current.len() as u64);
        Poll::Ready(Some(Ok(std::mem::take(&mut self.current))))
    }
}

impl AsyncRead for BlobReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_fill(cx)).map_err(into_io)?;
        let length = self.current.len().min(buffer.remaining());
        buffer.put_slice(&self.current[..length]);
        self.current.advance(length);
        self.remaining_bytes = self.remaining_bytes.saturating_sub(length as u64);
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader")
            .field("hash", &self.hash)
            .field("size_bytes", &self.size_bytes)
            .field("remaining_bytes", &self.remaining_bytes)
            .finish_non_exhaustive()
    }
}

fn into_io(error: BlobError) -> io::Error {
    let kind = match &error {
        BlobError::Io { source, .. } => source.kind(),
        BlobError::NotPermitted { .. } => io::ErrorKind::PermissionDenied,
        BlobError::Remote(_) => io::ErrorKind::HostUnreachable,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}
