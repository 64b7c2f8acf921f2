//! Runs: executions of a pipeline, and the right to be the only one at an archive.

use std::collections::BTreeMap;

use heirloom_core::{
    Actor, ArchiveId, FamilyId, RunId,
    permission::Action,
    run::{RunEvent, RunState},
    unit::UnitState,
};
use serde_json::{Value as Json, json};

use crate::{
    Db, DbError, Tx, clock,
    plan::{self, Parameters, Scope},
    row::Row,
    sql::statements,
    unit,
    value::args,
};

/// A run as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub family_id: FamilyId,
    /// What is executed: `scan`.
    pub pipeline: String,
    /// Where it stands.
    pub state: RunState,
    /// The archive it works on, if it is one.
    pub archive_id: Option<ArchiveId>,
    /// What it was asked.
    pub parameters: Json,
    /// How far it is; the shape is the pipeline's.
    pub progress: Json,
    /// Why it failed, as one sentence.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at_ms: i64,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// How many assets it is to go through.
    pub assets: i64,
    /// For how many of these it is known what there is to do.
    pub assets_planned: i64,
    /// Whether that is known for all.
    pub is_planned: bool,
}

impl Run {
    /// What a run that goes through assets was asked for.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn asked(&self) -> Result<crate::plan::Parameters, DbError> {
        serde_json::from_value(self.parameters.clone())
            .map_err(|error| DbError::unreadable("a run's parameters", error))
    }
}

/// A step of a run, and how many units of it there are by where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStep {
    /// What it is called in its pipeline.
    pub step: String,
    /// How far it is.
    pub counts: StepCounts,
}

/// How many assets of a step there are by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// What would be made was there already: there is no unit.
    pub present: i64,
    /// Units that wait or are worked on.
    pub pending: i64,
    /// Units whose artifacts are stored.
    pub done: i64,
    /// Of these: units that made again what was there, and something came out otherwise.
    pub changed: i64,
    /// Units with nothing to do.
    pub skipped: i64,
    /// Units that were given up.
    pub failed: i64,
    /// Units whose run was cancelled first.
    pub cancelled: i64,
}

impl StepCounts {
    /// Counts units more (or fewer) in a state.
    pub(crate) const fn change(&mut self, state: UnitState, by: i64) {
        let count = match state {
            UnitState::Pending | UnitState::Running => &mut self.pending,
            UnitState::Done => &mut self.done,
            UnitState::Skipped => &mut self.skipped,
            UnitState::Failed => &mut self.failed,
            UnitState::Cancelled => &mut self.cancelled,
        };
        *count += by;
    }

    /// Counts a unit that went from one state into another.
    pub(crate) const fn moved(&mut self, from: UnitState, to: UnitState) {
        self.change(from, -1);
        self.change(to, 1);
    }
}

/// Some runs, newest first, and where the next page begins.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// The runs.
    pub items: Vec<Run>,
    /// The run to go on from, unless this was the last page.
    pub next: Option<RunId>,
}

/// Holds an archive for one scan; the hold ends when this is dropped or its process dies.
#[derive(Debug)]
pub struct ArchiveHold {
    // Closing the connection lets the lock go, whatever became of the process.
    connection: Option<sqlx::PgConnection>,
}

impl ArchiveHold {
    /// Gives the archive back, so that the next may take it at once. (Of one that is only dropped the
    /// server takes a moment to hear.)
    pub async fn release(self) {
        if let Some(mut connection) = self.connection {
            let unlock = sqlx::query("SELECT pg_advisory_unlock_all()");
            if let Err(error) = unlock.execute(&mut connection).await {
                tracing::debug!(%error, "the hold ends with its connection");
            }
        }
    }
}

macro_rules! columns {
    () => {
        "id, family_id, pipeline, state, archive_id, parameters, progress, error, created_at_ms, \
         started_at_ms, ended_at_ms, assets, assets_planned, is_planned"
    };
}

/// What goes on with what a run came upon.
#[derive(Debug, Clone, Copy)]
pub struct Next<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// Its steps.
    pub steps: &'a [&'a str],
    /// Whether something goes on after it in turn.
    pub goes_on: bool,
}

statements! {
    ADD = "INSERT INTO run (id, family_id, pipeline, policy, state, archive_id, parameters, progress,
          created_at_ms, version) VALUES ($1, $2, $3, 'production', 'pending', $4, $5, '{}', $6, 1)";
    GET = concat!("SELECT ", columns!(), " FROM run WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM run WHERE family_id = $1 AND id < $2
        ORDER BY id DESC LIMIT $3");
    LIST_ENDED = concat!("SELECT ", columns!(), " FROM run WHERE family_id = $1 AND ended_at_ms >= $2
        ORDER BY ended_at_ms DESC LIMIT $3");
    FIND_UNENDED = concat!("SELECT ", columns!(), " FROM run WHERE archive_id = $1
        AND state IN ('pending', 'running', 'paused', 'cancelling') ORDER BY id DESC LIMIT 1");
    LIST_UNENDED = concat!("SELECT ", columns!(), " FROM run
        WHERE state IN ('pending', 'running', 'paused', 'cancelling') ORDER BY id");
    LAST_SCAN = "SELECT COALESCE(MAX(ended_at_ms), 0) FROM run
        WHERE archive_id = $1 AND pipeline = 'scan' AND state = 'done'";
    GET_STATE = "SELECT state FROM run WHERE id = $1 /*pg FOR UPDATE */";
    SET_STATE = "UPDATE run SET state = $2, error = $3, started_at_ms = COALESCE(started_at_ms, $4),
          ended_at_ms = $5, version = version + 1
        WHERE id = $1";
    SET_PROGRESS = "UPDATE run SET progress = $2 WHERE id = $1 RETURNING state";
    GET_FAMILY = "SELECT family_id FROM run WHERE id = $1";
    ADD_STEPS = "INSERT INTO run_step (run_id, position, step) VALUES {rows}";
    LOCK_ENDED = "SELECT family_id, state, parameters, progress FROM run WHERE id = $1 /*pg FOR UPDATE */";
    LIST_UNFOLLOWED = "SELECT id FROM run WHERE state = 'done'
          AND parameters LIKE '%\"process\":true%' AND progress NOT LIKE '%\"next_run\":%' ORDER BY id";
    START_PLANNING = "UPDATE run SET is_planned = FALSE, assets = $2 WHERE id = $1";
    COUNT_STEP = "UPDATE run_step SET present = present + $3, pending = pending + $4, done = done + $5,
          skipped = skipped + $6, failed = failed + $7, cancelled = cancelled + $8,
          changed = changed + $9
        WHERE run_id = $1 AND step = $2";
    LIST_STEPS = "SELECT step, present, pending, done, skipped, failed, cancelled, changed FROM run_step
        WHERE run_id = $1 ORDER BY position";
}

impl Db {
    /// Begins a run of a pipeline: it is there and running, or it is not there.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn begin_run(
        &self,
        actor: &Actor,
        family: FamilyId,
        pipeline: &str,
        archive: Option<ArchiveId>,
        parameters: &Json,
    ) -> Result<Run, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        let id: RunId = clock::new_id();
        let parameters = parameters.to_string();
        tx.execute(
            ADD,
            args![id, family, pipeline, archive, parameters, clock::now_ms()],
        )
        .await?;
        advance(&mut tx, id, RunEvent::Start, None).await?;
        tx.commit().await?;
        self.get_run(actor, id).await
    }

    /// Asks for a run that goes through assets: `parameters` has its [`Scope`](crate::plan::Scope).
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn create_deriving_run(
        &self,
        actor: &Actor,
        family: FamilyId,
        pipeline: &str,
        parameters: &Parameters,
        steps: &[&str],
    ) -> Result<Run, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        let assets = plan::count_assets(&mut tx, family, parameters).await?;
        let id = add_deriving(&mut tx, (family, pipeline), parameters, steps, assets).await?;
        tx.commit().await?;
        self.get_run(actor, id).await
    }

    /// Asks for the run that goes on with what another one found or added, or went through, if that has ended well,
    /// was asked to (`process` in its parameters) and came upon anything. Without a
    /// pipeline it is noted that nothing goes on. It is asked for once: whoever asks
    /// again is given the same. That is noted in the same transaction, so that what a process that was
    /// killed in between left out is found by [`list_unfollowed_runs`](Self::list_unfollowed_runs).
    ///
    /// # Errors
    /// [`DbError::NotFound`], and what the engine says.
    pub async fn create_next_run(
        &self,
        found_by: RunId,
        next: Option<Next<'_>>,
    ) -> Result<Option<RunId>, DbError> {
        let mut tx = self.begin().await?;
        let row = tx.fetch_optional(LOCK_ENDED, args![found_by]).await?;
        let row = row.ok_or_else(|| DbError::not_found("run", found_by))?;
        let family: FamilyId = row.get(0)?;
        let state = row.word(1, "a run state", RunState::from_word)?;
        let (asked, mut progress) = (read_json(row.get(2)?), read_json(row.get(3)?));
        let is_done = match asked.get("scope") {
            // Whoever asks knows that nothing is left to do.
            Some(_) => matches!(state, RunState::Running | RunState::Done),
            None => state == RunState::Done,
        };
        if !is_done || asked["process"] != Json::Bool(true) {
            return Ok(None);
        }
        if let Some(next) = progress.get("next_run") {
            return Ok(serde_json::from_value(next.clone()).unwrap_or_default());
        }
        let next = match next {
            None => None,
            Some(next) => {
                let before: Parameters = match asked.get("scope") {
                    Some(_) => serde_json::from_value(asked)
                        .map_err(|error| DbError::unreadable("a run's parameters", error))?,
                    None => Parameters {
                        scope: Scope::FoundBy(found_by),
                        ..Parameters::default()
                    },
                };
                let parameters = Parameters {
                    process: next.goes_on,
                    tools: BTreeMap::new(),
                    ..before
                };
                let assets = plan::count_assets(&mut tx, family, &parameters).await?;
                let pipeline = (family, next.pipeline);
                match assets {
                    0 => None,
                    _ => Some(
                        add_deriving(&mut tx, pipeline, &parameters, next.steps, assets).await?,
                    ),
                }
            }
        };
        progress["next_run"] = json!(next);
        tx.execute(SET_PROGRESS, args![found_by, progress.to_string()])
            .await?;
        tx.commit().await?;
        Ok(next)
    }

    /// The runs that have ended well, whose findings are to be gone on with, and of which nobody has
    /// seen to that: their process was killed.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_unfollowed_runs(&self) -> Result<Vec<RunId>, DbError> {
        let rows = self.fetch(LIST_UNFOLLOWED, args![]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The steps of a run and how far each is. That the actor may know of the run was checked by
    /// whoever fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_run_steps(&self, id: RunId) -> Result<Vec<RunStep>, DbError> {
        let rows = self.fetch(LIST_STEPS, args![id]).await?;
        rows.iter().map(read_step).collect()
    }

    /// Has the failed and the cancelled units of a run that has ended tried once more; gives how many
    /// there are. What was not planned of it yet is planned too.
    ///
    /// # Errors
    /// [`DbError::Refused`] when it has not ended, [`DbError::NotFound`].
    pub async fn retry_run(&self, actor: &Actor, id: RunId) -> Result<u64, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        advance(&mut tx, id, RunEvent::Retry, None).await?;
        let retried = unit::retry(&mut tx, id, clock::now_ms()).await?;
        tx.commit().await?;
        Ok(retried)
    }

    /// One run.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not know of it.
    pub async fn get_run(&self, actor: &Actor, id: RunId) -> Result<Run, DbError> {
        let row = self.fetch_optional(GET, args![id]).await?;
        let run = row.as_ref().map(read).transpose()?;
        run.filter(|_| actor.require_operator(Action::OperateMachine).is_ok())
            .ok_or_else(|| DbError::not_found("run", id))
    }

    /// When the last whole scan of an archive ended; 0 before the first one has.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn last_scan_ms(&self, archive: ArchiveId) -> Result<i64, DbError> {
        let row = self.fetch_optional(LAST_SCAN, args![archive]).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }

    /// The runs of a family, newest first.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_runs(
        &self,
        actor: &Actor,
        family: FamilyId,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<RunPage, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let before = before.map_or_else(|| vec![0xff; 16], |id| id.as_bytes().to_vec());
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST, args![family, before, wanted]).await?;
        let mut items: Vec<Run> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|run| run.id);
        Ok(RunPage { items, next })
    }

    /// The runs that ended at that time or later, the last first, at most `limit`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_ended_runs(
        &self,
        actor: &Actor,
        family: FamilyId,
        since_ms: i64,
        limit: i64,
    ) -> Result<Vec<Run>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self
            .fetch(LIST_ENDED, args![family, since_ms, limit])
            .await?;
        rows.iter().map(read).collect()
    }

    /// The run that has not ended at an archive, if there is one.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_unended_run(&self, archive: ArchiveId) -> Result<Option<Run>, DbError> {
        self.fetch_optional(FIND_UNENDED, args![archive])
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Every run that has not ended, the oldest first.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_unended_runs(&self) -> Result<Vec<Run>, DbError> {
        self.fetch(LIST_UNENDED, args![])
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// Lets something happen to a run; gives its state then.
    ///
    /// # Errors
    /// [`DbError::Refused`] when its state does not allow it, [`DbError::NotFound`].
    pub async fn advance_run(
        &self,
        actor: &Actor,
        id: RunId,
        event: RunEvent,
        error: Option<&str>,
    ) -> Result<RunState, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        let state = advance(&mut tx, id, event, error).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// Stores how far a run is; gives its state, which somebody may have changed meanwhile.
    ///
    /// # Errors
    /// [`DbError::NotFound`], and what the engine says.
    pub async fn store_progress(&self, id: RunId, progress: &Json) -> Result<RunState, DbError> {
        let mut tx = self.begin().await?;
        let row = tx
            .fetch_optional(SET_PROGRESS, args![id, progress.to_string()])
            .await?
            .ok_or_else(|| DbError::not_found("run", id))?;
        let state = row.word(0, "a run state", RunState::from_word)?;
        tx.commit().await?;
        Ok(state)
    }

    /// Takes an archive for one scan across every process that shares this catalogue; `None` when
    /// another process holds it. (A SQLite catalogue belongs to one process, which sees to its own.)
    ///
    /// # Errors
    /// What the engine says.
    pub async fn hold_archive(&self, archive: ArchiveId) -> Result<Option<ArchiveHold>, DbError> {
        let Some(connection) = self.pg_connection().await? else {
            return Ok(Some(ArchiveHold { connection: None }));
        };
        let mut connection = connection.detach();
        // An advisory lock takes 64 bits; the last 8 bytes of the id are its random ones.
        let mut key = [0; 8];
        key.copy_from_slice(&archive.as_bytes()[8..]);
        let is_held: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(i64::from_be_bytes(key))
            .fetch_one(&mut connection)
            .await?;
        Ok(is_held.then_some(ArchiveHold {
            connection: Some(connection),
        }))
    }
}

/// Lets something happen to a run; gives its state then.
pub(crate) async fn advance(
    tx: &mut Tx,
    id: RunId,
    event: RunEvent,
    error: Option<&str>,
) -> Result<RunState, DbError> {
    let row = tx
        .fetch_optional(GET_STATE, args![id])
        .await?
        .ok_or_else(|| DbError::not_found("run", id))?;
    let state = row
        .word(0, "a run state", RunState::from_word)?
        .after(event)
        .map_err(|illegal| DbError::Refused(illegal.to_string()))?;
    let now_ms = clock::now_ms();
    let started_at_ms = (state == RunState::Running).then_some(now_ms);
    let ended_at_ms = state.has_ended().then_some(now_ms);
    tx.execute(
        SET_STATE,
        args![id, state.as_str(), error, started_at_ms, ended_at_ms],
    )
    .await?;
    Ok(state)
}

/// Adds a run that goes through so many assets, with its steps.
async fn add_deriving(
    tx: &mut Tx,
    (family, pipeline): (FamilyId, &str),
    parameters: &Parameters,
    steps: &[&str],
    assets: i64,
) -> Result<RunId, DbError> {
    let id: RunId = clock::new_id();
    let text = json!(parameters).to_string();
    let archive = None::<ArchiveId>;
    tx.execute(
        ADD,
        args![id, family, pipeline, archive, text, clock::now_ms()],
    )
    .await?;
    let rows = steps.iter().zip(0_i64..);
    let rows = rows.map(|(step, position)| args![id, position, *step]);
    tx.execute_rows(ADD_STEPS, 3, rows.collect()).await?;
    tx.execute(START_PLANNING, args![id, assets]).await?;
    Ok(id)
}

/// Adds to what is counted of a run's steps. In the order of their names, so that no two
/// transactions wait for each other.
pub(crate) async fn count(
    tx: &mut Tx,
    run: RunId,
    steps: &BTreeMap<&str, StepCounts>,
) -> Result<(), DbError> {
    for (step, counts) in steps {
        if *counts == StepCounts::default() {
            continue;
        }
        tx.execute(
            COUNT_STEP,
            args![
                run,
                *step,
                counts.present,
                counts.pending,
                counts.done,
                counts.skipped,
                counts.failed,
                counts.cancelled,
                counts.changed,
            ],
        )
        .await?;
    }
    Ok(())
}

/// Whose run it is.
pub(crate) async fn family_of(tx: &mut Tx, run: RunId) -> Result<FamilyId, DbError> {
    let row = tx.fetch_optional(GET_FAMILY, args![run]).await?;
    row.ok_or_else(|| DbError::not_found("run", run))?.get(0)
}

fn read_step(row: &Row) -> Result<RunStep, DbError> {
    Ok(RunStep {
        step: row.get(0)?,
        counts: StepCounts {
            present: row.get(1)?,
            pending: row.get(2)?,
            done: row.get(3)?,
            skipped: row.get(4)?,
            failed: row.get(5)?,
            cancelled: row.get(6)?,
            changed: row.get(7)?,
        },
    })
}

fn read_json(text: String) -> Json {
    let read: Option<Json> = serde_json::from_str(&text).ok();
    read.filter(Json::is_object).unwrap_or_else(|| json!({}))
}

fn read(row: &Row) -> Result<Run, DbError> {
    Ok(Run {
        id: row.get(0)?,
        family_id: row.get(1)?,
        pipeline: row.get(2)?,
        state: row.word(3, "a run state", RunState::from_word)?,
        archive_id: row.get(4)?,
        parameters: read_json(row.get(5)?),
        progress: read_json(row.get(6)?),
        error: row.get(7)?,
        created_at_ms: row.get(8)?,
        started_at_ms: row.get(9)?,
        ended_at_ms: row.get(10)?,
        assets: row.get(11)?,
        assets_planned: row.get(12)?,
        is_planned: row.get(13)?,
    })
}
