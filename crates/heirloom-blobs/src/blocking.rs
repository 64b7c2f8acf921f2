//! Puts and reads blobs from threads that may block.

use std::{
    io::{self, Read},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    runtime::Handle,
};

use crate::BlobReader;

/// A blocking reader as the source of a put: `handle.block_on(store.put(&mut source, None))`.
///
/// It blocks the thread that polls it. Use it inside `Handle::block_on` on a thread of one's own,
/// never inside a task of the runtime.
#[derive(Debug)]
pub struct BlockingSource<R>(pub R);

impl<R: Read + Unpin> AsyncRead for BlockingSource<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let reader = &mut self.get_mut().0;
        let length = loop {
            match reader.read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

/// A [`BlobReader`] as a blocking reader, for threads outside of the runtime.
#[derive(Debug)]
pub struct BlockingReader {
    reader: BlobReader,
    runtime: Handle,
}

impl BlockingReader {
    /// Reads with the help of this runtime.
    #[must_use]
    pub fn new(reader: BlobReader, runtime: Handle) -> Self {
        Self { reader, runtime }
    }
}

impl Read for BlockingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.reader.read(buffer))
    }
}
