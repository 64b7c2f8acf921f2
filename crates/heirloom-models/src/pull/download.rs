//! Bytes from an address: asked for from where they broke off, again and again for as long as more come.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, header};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::part::Part;
use crate::error::ModelError;

/// How often a server is asked again that brings nothing.
const TRIES: u32 = 5;
/// How long the way to a server may take.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest that it waits before it asks again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What came of one question.
enum Answer {
    /// Everything is here.
    Whole,
    /// Something is in the way that may go away; how long to wait if the server said that.
    Again(String, Option<Duration>),
}

/// Brings the bytes of an address into a part, from where that is.
pub(super) fn download(
    url: &str,
    part: &mut Part,
    exact: Option<u64>,
    first_pause: Duration,
    cancel: &CancellationToken,
    report: &(dyn Fn(u64) + Sync),
) -> Result<(), ModelError> {
    let client = Client::builder()
        .user_agent(concat!("heirloom/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .build()
        .map_err(|error| ModelError::Source(explain(&error)))?;
    let fetching = async {
        let (mut tries, mut pause) = (0, first_pause);
        loop {
            let before = part.bytes;
            if exact == Some(before) {
                return Ok(());
            }
            let (why, wanted) = match ask(&client, url, part, exact, report).await? {
                Answer::Whole => return Ok(()),
                Answer::Again(why, wanted) => (why, wanted),
            };
            if part.bytes > before {
                (tries, pause) = (0, first_pause);
            }
            tries += 1;
            if tries == TRIES {
                return Err(ModelError::Source(format!("{url}: {why}")));
            }
            tracing::debug!(url, tries, "it broke off and is asked again: {why}");
            tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    Handle::current().block_on(async {
        tokio::select! {
            ended = fetching => ended,
            () = cancel.cancelled() => Err(ModelError::Cancelled),
        }
    })
}

async fn ask(
    client: &Client,
    url: &str,
    part: &mut Part,
    exact: Option<u64>,
    report: &(dyn Fn(u64) + Sync),
) -> Result<Answer, ModelError> {
    let mut req = client.get(url);
    if part.bytes > 0 {
        req = req.header(header::RANGE, format!("bytes={}-", part.bytes));
    }
    let mut res = match req.send().await {
        Ok(res) => res,
        Err(error) if error.is_builder() || error.is_redirect() => {
            return Err(ModelError::Source(explain(&error)));
        }
        Err(error) => return Ok(Answer::Again(explain(&error), None)),
    };
    let status = res.status();
    match status {
        StatusCode::PARTIAL_CONTENT if begins_at(&res) == Some(part.bytes) => {}
        // It begins where nobody asked.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if part.bytes > 0 => {
            part.empty()?;
            return Ok(Answer::Again(
                format!("it answered {status}"),
                Some(Duration::ZERO),
            ));
        }
        // It gives everything or nothing.
        StatusCode::OK => {
            if part.bytes > 0 {
                part.empty()?;
            }
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            return Ok(again(&res));
        }
        status if status.is_server_error() => return Ok(again(&res)),
        status => return Err(ModelError::Source(format!("{url}: it answered {status}"))),
    }
    let length = res.content_length();
    part.check_room(length.unwrap_or(0))?;
    loop {
        match res.chunk().await {
            Ok(Some(chunk)) => {
                part.take(&chunk)?;
                report(part.bytes);
            }
            // Who does not say how much it is may have stopped in the middle.
            Ok(None) if length.is_none() && exact.is_some_and(|exact| part.bytes < exact) => {
                return Ok(Answer::Again(
                    format!("it ended after {} bytes", part.bytes),
                    None,
                ));
            }
            Ok(None) => return Ok(Answer::Whole),
            Err(error) => return Ok(Answer::Again(explain(&error), None)),
        }
    }
}

fn again(res: &Response) -> Answer {
    let wanted = res.headers().get(header::RETRY_AFTER);
    let seconds = wanted.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let why = format!("it answered {}", res.status());
    Answer::Again(why, seconds.map(Duration::from_secs))
}

/// Where the bytes of a part of an answer begin.
fn begins_at(res: &Response) -> Option<u64> {
    let range = res.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    let first = range.strip_prefix("bytes ")?.split('-').next()?;
    first.trim().parse().ok()
}

/// An error with what it follows from: by itself it only says that something could not be sent.
fn explain(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words
}
