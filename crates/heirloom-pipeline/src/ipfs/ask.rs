//! Asking others over HTTP, again and again where that may help.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::{IpfsError, IpfsSettings};
use crate::unreachable;

/// How often something is tried.
const ATTEMPTS: u32 = 5;
/// The longest that somebody's wish to be left alone is followed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long an answer may be.
const ANSWER_BYTES: usize = 4 << 20;
/// How much of what somebody says is passed on.
const WORDS: usize = 300;

/// Whoever asks.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) client: Client,
    pub(super) settings: IpfsSettings,
    pub(super) stop: CancellationToken,
}

/// What became of one attempt.
pub(super) enum Failed {
    /// It may be otherwise the next time, at the earliest after so long.
    Again(IpfsError, Option<Duration>),
    /// It will be the same.
    For(IpfsError),
}

impl Asker {
    pub(super) fn new(
        settings: &IpfsSettings,
        stop: &CancellationToken,
    ) -> Result<Self, IpfsError> {
        let client = Client::builder()
            .connect_timeout(settings.patience.min(Duration::from_secs(15)))
            // What goes to one address with a secret does not go to another.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| IpfsError::Away {
                who: "the network",
                why: error.to_string(),
            })?;
        Ok(Self {
            client,
            settings: settings.clone(),
            stop: stop.clone(),
        })
    }

    /// Tries until it works, is refused, or has failed often enough.
    pub(super) async fn insist<T, Tried: Future<Output = Result<T, Failed>>>(
        &self,
        attempt: impl Fn() -> Tried,
    ) -> Result<T, IpfsError> {
        let mut pause = self.settings.pause;
        for number in 1.. {
            let tried = tokio::select! {
                tried = attempt() => tried,
                () = self.stop.cancelled() => return Err(IpfsError::Cancelled),
            };
            let wait = match tried {
                Ok(value) => return Ok(value),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::Again(error, _)) if number == ATTEMPTS => return Err(error),
                Err(Failed::Again(error, wished)) => {
                    tracing::debug!(%error, number, "asked again in a moment");
                    wished.unwrap_or(pause).min(LONGEST_PAUSE)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => return Err(IpfsError::Cancelled),
            }
            pause *= 2;
        }
        Err(IpfsError::Cancelled)
    }

    /// Sends a short question and waits for the answer.
    pub(super) async fn send(
        &self,
        who: &'static str,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), Failed> {
        let sent = request.timeout(self.settings.patience).send().await;
        let response = sent.map_err(|error| unreachable(who, &error))?;
        self.judge(who, response).await
    }

    /// The status and the body of an answer that is none of those that say to come again.
    pub(super) async fn judge(
        &self,
        who: &'static str,
        mut response: Response,
    ) -> Result<(StatusCode, Vec<u8>), Failed> {
        let status = response.status();
        let wished = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        loop {
            let more = tokio::time::timeout(self.settings.patience, response.chunk()).await;
            match more {
                Ok(Ok(Some(piece))) if body.len() + piece.len() <= ANSWER_BYTES => {
                    body.extend_from_slice(&piece);
                }
                Ok(Ok(None)) => break,
                Ok(Ok(Some(_))) => {
                    let why = "it is far too long".to_owned();
                    return Err(Failed::For(IpfsError::Rubbish { who, why }));
                }
                Ok(Err(error)) => return Err(unreachable(who, &error)),
                Err(_) => return Err(silent(who)),
            }
        }
        let why = words_of(status, &body);
        match status.as_u16() {
            401 | 403 => Err(Failed::For(IpfsError::Token(who))),
            429 => Err(Failed::Again(IpfsError::Away { who, why }, wished)),
            // A node says with 500 and a message that it will not do something.
            500 if message_of(&body).is_some() => Ok((status, body)),
            500..=599 => Err(Failed::Again(IpfsError::Away { who, why }, wished)),
            _ => Ok((status, body)),
        }
    }
}

/// The connection failed.
pub(super) fn unreachable(who: &'static str, error: &reqwest::Error) -> Failed {
    if error.is_timeout() {
        return silent(who);
    }
    let why = unreachable::in_words(error);
    Failed::Again(IpfsError::Away { who, why }, None)
}

/// It says nothing.
pub(super) fn silent(who: &'static str) -> Failed {
    let why = "it does not answer in time".to_owned();
    Failed::Again(IpfsError::Away { who, why }, None)
}

/// What a node says in an error: `{"Message": …}`.
pub(super) fn message_of(body: &[u8]) -> Option<String> {
    let said: Json = serde_json::from_slice(body).ok()?;
    Some(shortened(said.get("Message")?.as_str()?))
}

/// What somebody says with a status, as far as that can be read.
pub(super) fn words_of(status: StatusCode, body: &[u8]) -> String {
    let said: Option<Json> = serde_json::from_slice(body).ok();
    let said = said.as_ref();
    let of_service = said.and_then(|it| {
        let error = it.get("error")?;
        error
            .get("details")
            .or_else(|| error.get("reason"))?
            .as_str()
    });
    let of_node = said.and_then(|it| it.get("Message")?.as_str());
    match of_service.or(of_node) {
        Some(words) => format!("{} ({})", shortened(words), status.as_u16()),
        None => format!("it answered with status {}", status.as_u16()),
    }
}

pub(super) fn shortened(words: &str) -> String {
    words
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(WORDS)
        .collect()
}
