//! Asking a service over HTTP: again where that may help, and not at all while it does not answer.

use std::time::{Duration, Instant};

use heirloom_core::unit::backoff_ms;
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::{Service, ServiceError};
use crate::unreachable;

/// How often something is tried.
const ATTEMPTS: u32 = 4;
/// How often it is tried where it takes the whole of what is waited.
const SILENT_ATTEMPTS: u32 = 2;
/// The longest that somebody's wish to be left alone is followed; whoever wants more is busy for the day.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long an answer may be: all words of ten minutes with their times, many times over.
const ANSWER_BYTES: usize = 16 << 20;
/// How much of what a service says is passed on.
const WORDS: usize = 300;

/// What became of one attempt.
enum Failed {
    /// It may be otherwise the next time, at the earliest after so long.
    Again(ServiceError, Option<Duration>),
    /// It will be the same with whatever it is asked.
    Service(ServiceError),
    /// It will be the same with this.
    Question(ServiceError),
}

/// Asks until there is an answer, a refusal or no hope.
pub(crate) async fn insist(
    service: &Service,
    request: impl Fn(&Client) -> RequestBuilder,
    cancelled: &CancellationToken,
) -> Result<Json, ServiceError> {
    let settings = service.settings();
    let client = client(service)?;
    for number in 1.. {
        service.admit()?;
        let tried = tokio::select! {
            tried = attempt(service, request(&client)) => tried,
            () = cancelled.cancelled() => return Err(ServiceError::Cancelled),
        };
        let (error, wished) = match tried {
            Ok(answer) => {
                service.succeed();
                return Ok(answer);
            }
            Err(Failed::Question(error)) => {
                service.succeed();
                return Err(error);
            }
            Err(Failed::Service(error)) => {
                service.give_up();
                return Err(error);
            }
            Err(Failed::Again(error, wished)) => (error, wished),
        };
        service.fail();
        let is_silent = matches!(error, ServiceError::Silent { .. });
        let most = if is_silent { SILENT_ATTEMPTS } else { ATTEMPTS };
        if number >= most || service.rest_left().is_some() {
            return Err(error);
        }
        // Doubled each time, and never quite the same: those who failed together do not come back together.
        let share = backoff_ms(number, u64::from(rand_byte()) << 8);
        let own = settings
            .pause
            .mul_f64(Duration::from_millis(share).as_secs_f64());
        let wait = match wished {
            Some(wished) if wished > LONGEST_PAUSE => return Err(error),
            Some(wished) => wished,
            None => own.min(LONGEST_PAUSE),
        };
        tracing::debug!(service = settings.name, %error, number, "asked again in a moment");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = cancelled.cancelled() => return Err(ServiceError::Cancelled),
        }
    }
    Err(ServiceError::Cancelled)
}

fn rand_byte() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}

fn client(service: &Service) -> Result<Client, ServiceError> {
    let patience = service.settings().patience;
    Client::builder()
        .connect_timeout(patience.min(Duration::from_secs(15)))
        // What goes to one address with a key does not go to another.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| service.away(error.to_string()))
}

async fn attempt(service: &Service, request: RequestBuilder) -> Result<Json, Failed> {
    let patience = service.settings().patience;
    let since = Instant::now();
    let sent = request.timeout(patience).send().await;
    let response = sent.map_err(|error| unreachable(service, &error))?;
    let (status, wished) = (response.status(), wish(response.headers()));
    let body = body(service, response, patience.saturating_sub(since.elapsed())).await?;
    let who = || service.name();
    if status.is_success() {
        let read = serde_json::from_slice(&body);
        return read.map_err(|_| {
            let why = "it is no JSON: is this the address of the service?".to_owned();
            Failed::Service(ServiceError::Rubbish { who: who(), why })
        });
    }
    let (words, code) = words_of(status, &body);
    let why = || words.clone();
    Err(match status.as_u16() {
        401 | 403 => Failed::Service(ServiceError::Key {
            who: who(),
            why: words,
        }),
        // Of an account without money; that does not change in a minute.
        429 if code.as_deref() == Some("insufficient_quota") => {
            Failed::Service(ServiceError::Refused {
                who: who(),
                why: words,
            })
        }
        429 => Failed::Again(
            ServiceError::Busy {
                who: who(),
                why: words,
            },
            wished,
        ),
        408 | 500..=599 => Failed::Again(service.away(why()), wished),
        300..=399 | 404 | 405 => {
            let why =
                format!("{words}: is this the address of the service, and the name of its model?");
            Failed::Service(ServiceError::Refused { who: who(), why })
        }
        _ => Failed::Question(ServiceError::Refused {
            who: who(),
            why: words,
        }),
    })
}

/// All of an answer, unless it is far too long or does not come.
async fn body(
    service: &Service,
    mut response: Response,
    patience: Duration,
) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    let reading = async {
        loop {
            match response.chunk().await {
                Ok(Some(piece)) if body.len() + piece.len() <= ANSWER_BYTES => {
                    body.extend_from_slice(&piece);
                }
                Ok(None) => return Ok(()),
                Ok(Some(_)) => {
                    let (who, why) = (service.name(), "it is far too long".to_owned());
                    return Err(Failed::Service(ServiceError::Rubbish { who, why }));
                }
                Err(error) => return Err(unreachable(service, &error)),
            }
        }
    };
    match tokio::time::timeout(patience, reading).await {
        Ok(read) => read.map(|()| body),
        Err(_) => Err(silent(service)),
    }
}

fn wish(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn unreachable(service: &Service, error: &reqwest::Error) -> Failed {
    if error.is_timeout() && !error.is_connect() {
        return silent(service);
    }
    let why = unreachable::in_words(error);
    let lower = why.to_lowercase();
    if lower.contains("certificate") || lower.contains("unknownissuer") {
        return Failed::Service(ServiceError::Certificate {
            who: service.name(),
            why,
        });
    }
    Failed::Again(service.away(why), None)
}

fn silent(service: &Service) -> Failed {
    Failed::Again(
        ServiceError::Silent {
            who: service.name(),
        },
        None,
    )
}

/// What a service says with a status, as far as that can be read, and the code that programs know it by.
fn words_of(status: StatusCode, body: &[u8]) -> (String, Option<String>) {
    let said: Option<Json> = serde_json::from_slice(body).ok();
    let error = said
        .as_ref()
        .and_then(|said| said.get("error").or_else(|| said.get("detail")));
    let words = error.and_then(|error| error.as_str().or_else(|| error.get("message")?.as_str()));
    let code = error.and_then(|error| error.get("code")?.as_str());
    let words = match words {
        Some(words) => format!("{} ({})", shortened(words), status.as_u16()),
        None => format!("it answered with status {}", status.as_u16()),
    };
    (words, code.map(str::to_owned))
}

fn shortened(words: &str) -> String {
    let plain = words
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(WORDS).collect()
}
