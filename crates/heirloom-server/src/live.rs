//! What is said while it is said, over a WebSocket: see docs/live.md. The operator's alone, until there are interviews.

use std::{fs::File, os::fd::OwnedFd, sync::Arc, time::Duration};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::Response,
};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use heirloom_core::{permission::Action, unit::FailureCode};
use heirloom_pipeline::{
    Ffmpeg, Incoming,
    confinement::ConfinementError,
    speech::{
        Ears,
        live::{Conversation, LiveEvent, listen},
    },
    understand::UnderstandError,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::unix::pipe,
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::Query,
    guard,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) const PATH: &str = "/api/v1/transcriptions/live";

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(hear_live))
}

/// How many conversations are heard at once: each needs all processors.
const AT_ONCE: usize = 1;
/// The longest message that is taken.
const MESSAGE_BYTES: usize = 1 << 20;
/// How long nothing may come, and how long nobody may take what is said.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest conversation.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// How long what was said last may take to be heard when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(8);
/// How many events wait for who is slow; partial texts beyond are left out.
const EVENTS: usize = 16;

/// The conversations that are heard.
#[derive(Debug)]
pub(crate) struct Live {
    turns: Arc<Semaphore>,
    cut: CancellationToken,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            cut: CancellationToken::new(),
        }
    }
}

impl Live {
    /// Waits until what was said last was heard and told, but not for ever. No other conversation begins.
    pub(crate) async fn stop(&self) {
        let all = self.turns.acquire_many(AT_ONCE as u32);
        if timeout(LAST_WORDS, all).await.is_err() {
            tracing::warn!("a conversation was cut off");
            self.cut.cancel();
        }
        self.turns.close();
    }

    fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        turn.map_err(|error| match error {
            TryAcquireError::Closed => Problem::new(Code::Stopping, "Heirloom is stopping"),
            TryAcquireError::NoPermits => {
                Problem::new(Code::Busy, "another conversation is being heard")
                    .hint("One is heard at a time: wait until it is over.")
            }
        })
    }
}

/// What is asked for in the address.
#[derive(Debug, Deserialize)]
struct Asked {
    rate: Option<u32>,
    language: Option<String>,
}

/// What is said, while it is said: a WebSocket. The sound goes in as binary messages; events come back as JSON, with partial
/// text after a few seconds and final text, with its words, at each pause. `docs/live.md` describes the messages. One
/// conversation is heard at a time.
#[utoipa::path(get, path = PATH, tag = "machine", params(
    ("rate" = Option<u32>, Query, description = "What comes is plain samples, so many in a second (8000 to 192000): one channel, 16 bits, the lower byte first. Without it what comes says itself what it is, such as Opus in WebM or Ogg"),
    ("language" = Option<String>, Query, description = "The language that is spoken, by its code; else it is found out"),
), responses(
    (status = 101, description = "The socket is open"),
    (status = 503, description = "Another conversation is being heard, or a model is missing", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn hear_live(
    State(library): State<Library>,
    Asker(actor): Asker,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    guard::check_socket(&headers)?;
    let invalid = |why: String| {
        Problem::new(Code::InvalidRequest, why).hint("How to ask stands in docs/live.md.")
    };
    let incoming = match asked.rate {
        None => Incoming::Packed,
        Some(per_second @ 8_000..=192_000) => Incoming::Samples { per_second },
        Some(rate) => {
            return Err(invalid(format!(
                "{rate} samples in a second are not heard: 8000 to 192000 are"
            )));
        }
    };
    let upgrade = upgrade.map_err(|error| invalid(error.body_text()))?;
    let turn = library.live().turn()?;
    let engine = library.engine();
    let session = Session {
        ffmpeg: engine.ffmpeg().clone(),
        // A process of its own: nobody who speaks waits for the recordings of a run.
        ears: Ears::open_live(engine.confinement(), engine.models())?,
        incoming,
        language: asked.language,
        over: library.closing().clone(),
        cancelled: library.live().cut.child_token(),
        turn,
    };
    let upgrade = upgrade
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| session.hear(socket)))
}

struct Session {
    ffmpeg: Ffmpeg,
    ears: Ears,
    incoming: Incoming,
    language: Option<String>,
    /// Cancelled when the server stops.
    over: CancellationToken,
    cancelled: CancellationToken,
    /// Somebody else's when this is over.
    turn: OwnedSemaphorePermit,
}

/// Why a conversation is over.
enum Ending {
    /// Whoever sends it said so, or the sound itself.
    Done,
    /// Nothing came any more.
    Silent,
    /// It has become too long.
    TooLong,
    /// The server stops.
    Stopping,
}

impl Ending {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Silent => "silent",
            Self::TooLong => "too_long",
            Self::Stopping => "stopping",
        }
    }
}

/// Why nothing more is told.
enum Broken {
    /// The other end went away.
    Gone,
    /// It is told why.
    Failed(Problem),
}

impl Session {
    async fn hear(self, socket: WebSocket) {
        // Whatever ends this ends the processes that hear.
        let _cancel = self.cancelled.clone().drop_guard();
        let (mut sink, mut stream) = socket.split();
        let heard = self.hear_all(&mut sink, &mut stream).await;
        // Whoever is told that it is over can begin another one.
        drop(self.turn);
        let last = match heard {
            Ok(ending) => json!({ "type": "end", "reason": ending.as_str() }),
            Err(Broken::Gone) => return,
            Err(Broken::Failed(problem)) => {
                tracing::info!(
                    code = problem.code().as_str(),
                    "a conversation was not heard: {problem}"
                );
                json!({
                    "type": "error", "code": problem.code().as_str(), "detail": problem.to_string(),
                    "hint": problem.get_hint(),
                })
            }
        };
        if tell(&mut sink, &last).await.is_ok() {
            let _ = timeout(PATIENCE, sink.close()).await;
        }
    }

    async fn hear_all(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut SplitStream<WebSocket>,
    ) -> Result<Ending, Broken> {
        let pipe = open_pipe().map_err(Problem::internal);
        let (input, mut writer) = pipe.map_err(Broken::Failed)?;
        let (events, told) = mpsc::channel::<LiveEvent>(EVENTS);
        let conversation = Conversation {
            ffmpeg: &self.ffmpeg,
            ears: &self.ears,
            input,
            incoming: self.incoming,
            language: self.language.clone(),
            // The end of the pipe is the end of what comes: all that is in it is heard.
            over: CancellationToken::new(),
            cancelled: self.cancelled.clone(),
        };
        let telling = async move {
            // Dropped when nobody takes it any more: so who hears notices.
            let mut told = told;
            while let Some(event) = told.recv().await {
                tell(sink, &json!(event)).await?;
            }
            Ok(())
        };
        let hearing = async {
            let (heard, told) = tokio::join!(listen(conversation, events), telling);
            told?;
            heard.map_err(|error| Broken::Failed(explain(error)))
        };
        tokio::pin!(hearing);
        // What comes in is taken as fast as it is heard, and no faster.
        let taking = timeout(LONGEST, take(stream, &mut writer, &self.over));
        let ending = tokio::select! {
            heard = &mut hearing => {
                heard?;
                let is_stopping = self.over.is_cancelled();
                return Ok(if is_stopping { Ending::Stopping } else { Ending::Done });
            }
            taken = taking => taken.unwrap_or(Ok(Ending::TooLong))?,
        };
        drop(writer);
        hearing.await?;
        Ok(ending)
    }
}

/// Says of what came that it is no sound, where that is why nothing was heard.
fn explain(error: UnderstandError) -> Problem {
    match error {
        UnderstandError::Confinement(ConfinementError::Failed {
            code: FailureCode::Damaged | FailureCode::Empty | FailureCode::Unsupported,
            ..
        }) => Problem::new(
            Code::UnsupportedType,
            "what came is no sound that is understood here",
        )
        .hint(
            "Send Opus in WebM or Ogg from its beginning, or plain samples and say so with ?rate=.",
        ),
        UnderstandError::Confinement(ConfinementError::Failed { ref reason, .. }) => {
            let reason = reason.clone();
            Problem::new(Code::Refused, reason)
                .hint("A language that the model knows is needed, and sound models: `heirloom models check`.")
        }
        error => error.into(),
    }
}

fn open_pipe() -> std::io::Result<(File, pipe::Sender)> {
    let (reader, writer) = std::io::pipe()?;
    let writer = pipe::Sender::from_owned_fd(OwnedFd::from(writer))?;
    Ok((File::from(OwnedFd::from(reader)), writer))
}

/// Hands on the sound until it is over, the last message as a whole.
async fn take(
    stream: &mut SplitStream<WebSocket>,
    writer: &mut pipe::Sender,
    over: &CancellationToken,
) -> Result<Ending, Broken> {
    let invalid = |why: String| {
        let problem = Problem::new(Code::InvalidRequest, why);
        Broken::Failed(problem.hint("What may be sent stands in docs/live.md."))
    };
    loop {
        let message = tokio::select! {
            message = timeout(PATIENCE, stream.next()) => message,
            () = over.cancelled() => return Ok(Ending::Stopping),
        };
        let Ok(message) = message else {
            return Ok(Ending::Silent);
        };
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                // Who reads has ended, and says why.
                if writer.write_all(&bytes).await.is_err() {
                    return Ok(Ending::Done);
                }
            }
            Some(Ok(Message::Text(text))) => {
                let said: Json = serde_json::from_str(&text).unwrap_or_default();
                if said["type"] == "end" {
                    return Ok(Ending::Done);
                }
                return Err(invalid("a message is neither sound nor the end".to_owned()));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(Broken::Gone),
            // Who went away does not hear it.
            Some(Err(error)) => return Err(invalid(format!("a message cannot be read: {error}"))),
        }
    }
}

async fn tell(sink: &mut SplitSink<WebSocket, Message>, event: &Json) -> Result<(), Broken> {
    let sent = sink.send(Message::Text(event.to_string().into()));
    match timeout(PATIENCE, sent).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Broken::Gone),
    }
}
