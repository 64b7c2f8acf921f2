//! Events: what happens, as it happens (server-sent events).
//!
//! Each event carries the whole of what changed, as it is now. So nothing is lost to whoever was away:
//! the id of an event is a time, and who comes back with it is told first how everything stands that
//! may have changed since. No two events of a listener have one id, and each is greater than the one
//! before, whatever the clock does.

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
/// How often it is looked what is damaged, which is found slowly, and how backups stand.
const LOOK_AT_DAMAGE: Duration = Duration::from_secs(5);
/// How much of what is damaged is looked at, what was found last first.
const DAMAGED: usize = 100;
/// How often something is sent so that the connection is not taken for dead.
const SIGN_EVERY: Duration = Duration::from_secs(15);
/// How much further back than its last event somebody is told of: what changed in between was perhaps
/// not sent yet.
const SLACK_MS: i64 = 5_000;
/// How many of the newest runs are told of to somebody who comes back, whatever the clock says of them.
const NEWEST_RUNS: usize = 50;
/// How many runs are told of at most that have ended meanwhile.
const ENDED_RUNS: i64 = 1000;

/// What happens, as it happens: server-sent events. An event `run` has a `Run` as JSON, as it is now; `backup` a `Backup`,
/// what is done with a repository; `alarm` a `BackupStanding`, whenever its alarms are others than before; `damage` a
/// `DamagedPlace` that was found. With `Last-Event-ID`, everything that may have
/// changed since then comes first.
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
    let since_ms: Option<i64> = last.and_then(|id| id.parse().ok());
    let teller = Teller {
        last_id: since_ms.unwrap_or_default(),
        changes: library.engine().changes(),
        library,
        actor,
        since_ms,
        came_at_ms: clock::now_ms(),
        told: HashMap::new(),
        heard: BTreeSet::new(),
        backup: None,
        alarms: Vec::new(),
        damaged: None,
        looked_at: Instant::now(),
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

/// Something that is told.
enum Event {
    Run(Box<wire::Run>),
    Backup(Box<wire::Backup>),
    Alarm(Box<wire::BackupStanding>),
    Damage(wire::DamagedPlace),
}

impl Event {
    /// As it is sent.
    fn render(&self, id: i64) -> String {
        let (name, data) = match self {
            Self::Run(run) => ("run", serde_json::to_string(run)),
            Self::Backup(backup) => ("backup", serde_json::to_string(backup)),
            Self::Alarm(standing) => ("alarm", serde_json::to_string(standing)),
            Self::Damage(place) => ("damage", serde_json::to_string(place)),
        };
        let data = data.unwrap_or_default();
        format!("id: {id}\nevent: {name}\ndata: {data}\n\n")
    }
}

/// Tells one listener.
struct Teller {
    library: Library,
    actor: Actor,
    changes: broadcast::Receiver<RunId>,
    /// The id of the event that was sent last.
    last_id: i64,
    /// From when on to tell of what was before; `None` once that was done.
    since_ms: Option<i64>,
    /// When the listener came.
    came_at_ms: i64,
    /// What was told last of each run that has not ended.
    told: HashMap<RunId, wire::Run>,
    /// What was heard to have changed since the last look.
    heard: BTreeSet<RunId>,
    /// The newest thing that was done with a repository of backups, as it was at the last look.
    backup: Option<wire::Backup>,
    /// What needed somebody about backups at the last look.
    alarms: Vec<wire::BackupAlarm>,
    /// What was damaged at the last look; `None` before the first.
    damaged: Option<Vec<wire::DamagedPlace>>,
    /// When it was looked what is damaged.
    looked_at: Instant,
    /// When something was said last.
    spoke_at: Instant,
}

impl Teller {
    /// The next events, as text; `None` when there are no more.
    async fn next(&mut self) -> Option<String> {
        loop {
            let mut text = String::new();
            match self.look().await {
                Ok(events) => {
                    for event in events {
                        text.push_str(&event.render(self.next_id()));
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

    /// The id of the next event: the time, unless that is no greater than the last.
    fn next_id(&mut self) -> i64 {
        self.last_id = clock::now_ms().max(self.last_id.saturating_add(1));
        self.last_id
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

    /// What is otherwise than it was told of last.
    async fn look(&mut self) -> Result<Vec<Event>, Problem> {
        let runs = self.look_at_runs().await?;
        let mut events: Vec<_> = runs
            .into_iter()
            .map(|run| Event::Run(Box::new(run)))
            .collect();
        let backup = self.look_at_backups().await?;
        events.extend(backup.map(|backup| Event::Backup(Box::new(backup))));
        if self.is_time_for_damage() {
            let alarm = self.look_at_alarms().await?;
            events.extend(alarm.map(|standing| Event::Alarm(Box::new(standing))));
        }
        let damaged = self.look_at_damage().await?;
        events.extend(damaged.into_iter().map(Event::Damage));
        self.since_ms = None;
        Ok(events)
    }

    /// What is or was done with a repository last, if that is otherwise than it was told of.
    async fn look_at_backups(&mut self) -> Result<Option<wire::Backup>, Problem> {
        let (db, family) = (self.library.db(), self.library.family().id);
        let backups = self.library.backups();
        let underway = backups.underway();
        let page = db.list_backups(&self.actor, family, None, 1).await?;
        let newest = page.items.into_iter().next();
        let Some(newest) = newest.map(|backup| backups.describe(backup, underway)) else {
            return Ok(None);
        };
        let is_news = match (&self.backup, newest.ended_at_ms) {
            (Some(told), _) => *told != newest,
            (None, None) => true,
            (None, Some(at_ms)) => self.since_ms.is_some() || self.is_news_at(at_ms),
        };
        self.backup = Some(newest.clone());
        Ok(is_news.then_some(newest))
    }

    /// How backups stand, if something else about them needs somebody than before.
    async fn look_at_alarms(&mut self) -> Result<Option<wire::BackupStanding>, Problem> {
        let standing = self.library.backups().standing().await?;
        let standing = wire::BackupStanding::from(standing);
        if standing.alarms == self.alarms {
            return Ok(None);
        }
        self.alarms.clone_from(&standing.alarms);
        Ok(Some(standing))
    }

    fn is_time_for_damage(&self) -> bool {
        self.damaged.is_none() || self.looked_at.elapsed() >= LOOK_AT_DAMAGE
    }

    /// What was found to be damaged since it was looked last.
    async fn look_at_damage(&mut self) -> Result<Vec<wire::DamagedPlace>, Problem> {
        if !self.is_time_for_damage() {
            return Ok(Vec::new());
        }
        self.looked_at = Instant::now();
        let (db, family) = (self.library.db(), self.library.family().id);
        let places = db.list_damaged_places(&self.actor, family, DAMAGED).await?;
        let places: Vec<_> = places.into_iter().map(wire::DamagedPlace::from).collect();
        let is_news = |place: &&wire::DamagedPlace| match &self.damaged {
            Some(told) => !told.contains(place),
            None => self.is_news_at(place.damaged_at_ms),
        };
        let news = places.iter().filter(is_news).cloned().collect();
        self.damaged = Some(places);
        Ok(news)
    }

    /// Whether the listener is told of what happened then: what was before it came is told only to who was away.
    fn is_news_at(&self, at_ms: i64) -> bool {
        let since_ms = self
            .since_ms
            .map_or(self.came_at_ms, |ms| ms.saturating_sub(SLACK_MS));
        at_ms >= since_ms
    }

    /// The runs that are otherwise than they were told of last.
    async fn look_at_runs(&mut self) -> Result<Vec<wire::Run>, Problem> {
        let db = self.library.db();
        let mut ids: BTreeSet<RunId> = self.told.keys().copied().collect();
        if let Some(since_ms) = self.since_ms {
            let family = self.library.family().id;
            let since_ms = since_ms.saturating_sub(SLACK_MS);
            let ended = db.list_ended_runs(&self.actor, family, since_ms, ENDED_RUNS);
            ids.extend(ended.await?.iter().map(|run| run.id));
            let newest = db.list_runs(&self.actor, family, None, NEWEST_RUNS);
            ids.extend(newest.await?.items.iter().map(|run| run.id));
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
