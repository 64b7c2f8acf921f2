//! Events: what happens, as it happens (server-sent events).
//!
//! Each event carries the whole of what changed, as it is now. So nothing is lost to whoever was away:
//! the id of an event is a time, and who comes back with it is told first how everything stands that
//! may have changed since.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    time::Duration,
};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use heirloom_core::{Actor, RunId, permission::Action};
use heirloom_db::clock;
use tokio::{
    sync::broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
    time::Instant,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, library::Library, problem::Problem, run::load_run, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_events))
}

/// What this process changes is heard of at once, and told of together with what follows within this time.
const GATHER: Duration = Duration::from_millis(40);
/// How often it is looked where a scan goes on here: how far it is, is in no transaction.
const LOOK_AT_SCANS: Duration = Duration::from_millis(250);
/// How often it is looked for what others have changed, who share the catalogue.
const LOOK_AT_OTHERS: Duration = Duration::from_secs(1);
/// How often something is sent so that the connection is not taken for dead.
const SIGN_EVERY: Duration = Duration::from_secs(15);
/// How much further back than its last event somebody is told of: what changed in between was perhaps
/// not sent yet.
const SLACK_MS: i64 = 5_000;
/// How many runs are told of to somebody new.
const RUNS: usize = 50;

/// What happens, as it happens: server-sent events. An event `run` has a run as JSON, as it is now. With
/// `Last-Event-ID`, everything that may have changed since then comes first.
#[utoipa::path(get, path = "/api/v1/events", tag = "run", params(
    ("last-event-id" = Option<String>, Header, description = "The id of the last event that was heard"),
), responses(
    (status = 200, description = "Events, without end", body = String, content_type = "text/event-stream"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_events(
    State(library): State<Library>,
    Asker(actor): Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since_ms = last.and_then(|id| id.parse().ok());
    let teller = Teller {
        changes: library.engine().changes(),
        library,
        actor,
        since_ms,
        told: HashMap::new(),
        heard: BTreeSet::new(),
        spoke_at: Instant::now(),
    };
    let events = stream::unfold(teller, async |mut teller| {
        let text = teller.next().await?;
        Some((Ok::<_, Infallible>(text), teller))
    });
    let mut res = Body::from_stream(events).into_response();
    let headers = res.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(res)
}

/// Tells one listener.
struct Teller {
    library: Library,
    actor: Actor,
    changes: broadcast::Receiver<RunId>,
    /// From when on to tell of what was before; `None` once that was done.
    since_ms: Option<i64>,
    /// What was told last of each run that has not ended.
    told: HashMap<RunId, wire::Run>,
    /// What was heard to have changed since the last look.
    heard: BTreeSet<RunId>,
    /// When something was said last.
    spoke_at: Instant,
}

impl Teller {
    /// The next events, as text; `None` when there are no more.
    async fn next(&mut self) -> Option<String> {
        loop {
            let mut text = String::new();
            match self.look().await {
                Ok(changed) => {
                    for run in changed {
                        let data = serde_json::to_string(&run).unwrap_or_default();
                        text += &format!("id: {}\nevent: run\ndata: {data}\n\n", clock::now_ms());
                    }
                }
                Err(problem) => tracing::warn!("a listener hears nothing: {problem}"),
            }
            if text.is_empty() && self.spoke_at.elapsed() >= SIGN_EVERY {
                text = ": still here\n\n".to_owned();
            }
            if !text.is_empty() {
                self.spoke_at = Instant::now();
                return Some(text);
            }
            let closing = self.library.closing().clone();
            tokio::select! {
                () = closing.cancelled() => return None,
                () = self.wait() => {}
            }
        }
    }

    /// Waits until it is worth looking.
    async fn wait(&mut self) {
        let is_scanning = self.told.keys().any(|id| self.library.scans().has(*id));
        let most = if is_scanning {
            LOOK_AT_SCANS
        } else {
            LOOK_AT_OTHERS
        };
        let changed = tokio::time::timeout(most, self.changes.recv()).await;
        match changed {
            Ok(Ok(id)) => {
                self.heard.insert(id);
                tokio::time::sleep(GATHER).await;
            }
            Ok(Err(RecvError::Lagged(_))) | Err(_) => {}
            // Nobody is left who could tell of anything.
            Ok(Err(RecvError::Closed)) => tokio::time::sleep(most).await,
        }
    }

    /// The runs that are otherwise than they were told of last.
    async fn look(&mut self) -> Result<Vec<wire::Run>, Problem> {
        let db = self.library.db();
        let mut ids: BTreeSet<RunId> = self.told.keys().copied().collect();
        if let Some(since_ms) = self.since_ms {
            let family = self.library.family().id;
            for run in db.list_runs(&self.actor, family, None, RUNS).await?.items {
                let is_older = run
                    .ended_at_ms
                    .is_some_and(|at_ms| at_ms < since_ms - SLACK_MS);
                ids.extend((!is_older).then_some(run.id));
            }
        }
        ids.extend(db.list_unended_runs().await?.iter().map(|run| run.id));
        // One that is short begins and ends between two looks.
        ids.append(&mut self.heard);
        while let Some(id) = self.next_change() {
            ids.insert(id);
        }
        let mut changed = Vec::new();
        for id in ids {
            let run = load_run(&self.library, &self.actor, id).await?;
            if self.told.get(&id) == Some(&run) {
                continue;
            }
            if run.state.has_ended() {
                self.told.remove(&id);
            } else {
                self.told.insert(id, run.clone());
            }
            changed.push(run);
        }
        self.since_ms = None;
        Ok(changed)
    }

    fn next_change(&mut self) -> Option<RunId> {
        loop {
            match self.changes.try_recv() {
                Ok(id) => return Some(id),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }
}
