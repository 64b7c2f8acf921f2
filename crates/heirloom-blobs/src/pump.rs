//! Turns a blocking iterator into a stream without holding a thread between items.

use std::{
    mem, panic,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::BlobError;

/// A stream of what an iterator yields; each step runs on a thread that may block.
///
/// One item is made ahead while the last is being used, so that disk and consumer work at the same
/// time. A consumer that is slow holds one item in memory and no thread.
pub(crate) enum Pump<I: Iterator> {
    Resting(I),
    Working(JoinHandle<(I, Option<I::Item>)>),
    Finished,
}

impl<I, T> Pump<I>
where
    I: Iterator<Item = Result<T, BlobError>> + Send + 'static,
    T: Send + 'static,
{
    /// Starts with the first item that is asked for.
    pub(crate) fn new(iterator: I) -> Self {
        Self::Resting(iterator)
    }

    fn start(mut iterator: I) -> Self {
        Self::Working(spawn_blocking(move || {
            let item = iterator.next();
            (iterator, item)
        }))
    }
}

impl<I, T> Stream for Pump<I>
where
    I: Iterator<Item = Result<T, BlobError>> + Send + Unpin + 'static,
    T: Send + 'static,
{
    type Item = Result<T, BlobError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        *this = match mem::replace(this, Self::Finished) {
            Self::Resting(iterator) => Self::start(iterator),
            started => started,
        };
        let Self::Working(job) = this else {
            return Poll::Ready(None);
        };
        let done = ready!(Pin::new(job).poll(cx));
        *this = Self::Finished;
        let (iterator, item) = done.map_err(why_not_finished)?;
        if let Some(Ok(_)) = item {
            *this = Self::start(iterator);
        }
        Poll::Ready(item)
    }
}

/// Runs one blocking step on a thread that may block.
pub(crate) async fn blocking<T, F>(step: F) -> Result<T, BlobError>
where
    F: FnOnce() -> Result<T, BlobError> + Send + 'static,
    T: Send + 'static,
{
    finished(spawn_blocking(step)).await
}

/// Waits for a blocking step that was started.
pub(crate) async fn finished<T>(step: JoinHandle<Result<T, BlobError>>) -> Result<T, BlobError> {
    step.await.map_err(why_not_finished)?
}

/// A step that panicked panics here too.
fn why_not_finished(error: JoinError) -> BlobError {
    match error.try_into_panic() {
        Ok(cause) => panic::resume_unwind(cause),
        Err(_) => BlobError::ShuttingDown,
    }
}
