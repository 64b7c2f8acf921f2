//! Units: one asset through one step of a run, leased, worked on and ended.
//!
//! A lease is a token and a time. Whoever leases a unit gets a higher token than all before, and an
//! end is taken only with the token that the unit has then, in the transaction that stores what was
//! made: a holder that was thought dead can do no harm. Clocks may jump: a lease that ends later than
//! any lease could counts as ended.

mod end;

use std::{collections::BTreeMap, fmt, str::FromStr};

use heirloom_core::{
    Actor, AssetId, RunId, UnitId,
    permission::Action,
    unit::{FailureCode, UnitState},
};

use crate::{
    Db, DbError, Tx, artifact,
    asset::Measures,
    clock,
    row::Row,
    run::{self, StepCounts},
    sql::statements,
    value::{Value, args},
};

pub(crate) use end::STATEMENTS as END_STATEMENTS;

/// A unit as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// The run it belongs to.
    pub run_id: RunId,
    /// The step of that run's pipeline.
    pub step: String,
    /// The asset that goes through it.
    pub asset_id: AssetId,
    /// What that asset is called; `None` when it is no more.
    pub asset_name: Option<String>,
    /// Where it stands.
    pub state: UnitState,
    /// How often it was tried.
    pub attempts: i64,
    /// How many processes it killed.
    pub crashes: i64,
    /// Why it failed, was skipped, or is tried again, in a sentence.
    pub error: Option<String>,
    /// Of one that failed: the same as a word.
    pub failure_code: Option<FailureCode>,
    /// Whether the same work would fail again.
    pub is_permanent: bool,
    /// Whether it made again what was there, and something came out otherwise.
    pub has_changed: bool,
    /// How long the last attempt took.
    pub duration_ms: Option<i64>,
    /// What its tool said, the end of it.
    pub log: Option<String>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// The right to work on a unit, until it runs out or is extended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The unit.
    pub unit: UnitId,
    /// Proves the right: a later lease of the same unit has a higher one.
    pub token: i64,
    /// The asset that it is about.
    pub asset: AssetId,
    /// How often it has been tried, this time included.
    pub attempts: i64,
    /// How many processes it has killed.
    pub crashes: i64,
}

/// What became of a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This was made.
    Done(Vec<artifact::Derived>),
    /// This was made once more: it takes the place of what the same tool made before.
    Remade(Vec<artifact::Derived>),
    /// There was nothing to do.
    Skipped {
        /// Why, in a sentence.
        reason: String,
        /// Whether the same work would come to nothing again.
        is_permanent: bool,
    },
    /// It is given up.
    Failed {
        /// Why, as a word.
        code: FailureCode,
        /// Why, in a sentence.
        reason: String,
        /// Whether the same work would fail again.
        is_permanent: bool,
    },
    /// It is tried again.
    Again {
        /// Why, in a sentence.
        reason: String,
        /// How long from now.
        after_ms: i64,
    },
    /// It was not begun: somebody else may take it at once.
    Untouched,
    /// Its run is being cancelled.
    Cancelled,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The lease that it was worked on under.
    pub lease: Lease,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the process that worked on it died of it.
    pub has_crashed: bool,
    /// How long it took.
    pub duration_ms: i64,
    /// What its tool said, the end of it.
    pub log: Option<String>,
    /// What its tool measured of the original, where that is what it does.
    pub measures: Option<Measures>,
}

/// Some units of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhichUnits {
    /// All of them.
    #[default]
    All,
    /// Those in this state.
    In(UnitState),
    /// Those that made something again that came out otherwise than before.
    Changed,
}

/// Some units, in the order in which they were planned, and where the next page begins.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitPage {
    /// The units.
    pub items: Vec<Unit>,
    /// The unit to go on from, unless this was the last page.
    pub next: Option<UnitId>,
}

/// The longest that a lease lasts, and the longest that a unit waits to be tried again. Whatever would
/// end later was written by a clock that has since been put back.
pub const LONGEST_WAIT_MS: i64 = 10 * 60 * 1000;

statements! {
    // One row instead of a thousand: passing rows on takes longer than finding them.
    LIST_READY = "SELECT string_agg(/*lite hex(ready.id) *//*pg encode(ready.id, 'hex') */, ' ') FROM (
          SELECT id FROM unit WHERE run_id = $1 AND step = $2
            AND state IN ('pending', 'running') AND ready_at_ms <= $3
          ORDER BY ready_at_ms LIMIT $4) AS ready";
    LIST_FREE = "SELECT string_agg(/*lite hex(free.id) *//*pg encode(free.id, 'hex') */
          || ' ' || free.lease_token || ' '
          || /*lite hex(free.subject_id) *//*pg encode(free.subject_id, 'hex') */
          || ' ' || free.attempts || ' ' || free.crashes, ' ') FROM (
          SELECT id, lease_token, subject_id, attempts, crashes FROM unit
          WHERE state IN ('pending', 'running') AND ready_at_ms <= $1
            AND EXISTS (SELECT 1 FROM run WHERE run.id = unit.run_id AND run.state = 'running')
            AND id IN ({list})
          ORDER BY id /*pg FOR UPDATE */) AS free";
    LEASE = "UPDATE unit SET state = 'running', attempts = attempts + 1, lease_token = lease_token + 1,
          ready_at_ms = $1
        WHERE id IN ({list})";
    EXTEND = "UPDATE unit SET ready_at_ms = $3
        WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    CALM = "UPDATE unit SET ready_at_ms = $2 WHERE run_id = $1 AND state IN ('pending', 'running')
          AND ready_at_ms > $3";
    LET_GO = "UPDATE unit SET ready_at_ms = $2 WHERE run_id = $1 AND state IN ('pending', 'running')
          AND state = 'running'";
    // Of paused runs; one that ends later than any may was written by a clock that was put back.
    RELEASE_OVERDUE = "UPDATE unit SET state = 'pending' WHERE state = 'running'
          AND (ready_at_ms <= $1 OR ready_at_ms > $2)
          AND run_id IN (SELECT id FROM run WHERE state = 'paused')";
    OLDEST_HOLDER = "SELECT MIN(COALESCE(started_at_ms, created_at_ms)) FROM run
        WHERE archive_id IS NULL AND (state IN ('running', 'cancelling')
          OR (state = 'paused' AND EXISTS
            (SELECT 1 FROM unit u WHERE u.run_id = run.id AND u.state = 'running')))";
    CANCEL = "UPDATE unit SET state = 'cancelled', ended_at_ms = $2
        WHERE run_id = $1 AND state IN ('pending', 'running')
          AND (state = 'pending' OR ready_at_ms <= $2)
        RETURNING step";
    HAS_OPEN = "SELECT id FROM unit WHERE run_id = $1 AND state IN ('pending', 'running') LIMIT 1";
    COUNT_ENDED = "SELECT step, state, COUNT(*) FROM unit WHERE run_id = $1
          AND state IN ('failed', 'cancelled') GROUP BY step, state";
    RETRY = "UPDATE unit SET state = 'pending', attempts = 0, crashes = 0, error = NULL, failure_code = NULL,
          is_permanent = FALSE, ended_at_ms = NULL, ready_at_ms = $2
        WHERE run_id = $1 AND state IN ('failed', 'cancelled')";
    LIST_OPEN_OF_ASSET = "SELECT run_id, step FROM unit
        WHERE subject_id = $1 AND state IN ('pending', 'running') ORDER BY run_id, step";
    DELETE_OF_ASSET = "DELETE FROM unit WHERE subject_id = $1";
    LIST = concat!("SELECT ", columns!(), " WHERE u.run_id = $1 AND u.id > $2
        ORDER BY u.id LIMIT $3");
    LIST_IN_STATE = concat!("SELECT ", columns!(), " WHERE u.run_id = $1 AND u.id > $2 AND u.state = $4
        ORDER BY u.id LIMIT $3");
    LIST_CHANGED = concat!("SELECT ", columns!(), " WHERE u.run_id = $1 AND u.id > $2
          AND u.has_changed = TRUE
        ORDER BY u.id LIMIT $3");
    GET = concat!("SELECT ", columns!(), " WHERE u.id = $1");
}

/// The columns of a [`Unit`], in the order in which [`read`] takes them, and where they are from.
macro_rules! columns {
    () => {
        "u.id, u.run_id, u.step, u.subject_id, a.name, u.state, u.attempts, u.crashes, u.error, \
         u.is_permanent, u.duration_ms, u.log, u.ended_at_ms, u.has_changed, u.failure_code \
         FROM unit u LEFT JOIN asset a ON a.id = u.subject_id"
    };
}
use columns;

/// How often a transaction is tried that met another one of another process.
const TRIES: u32 = 4;

impl Db {
    /// Units of a step that may be leased now: those that wait no longer, and those whose holder let
    /// its lease run out. The oldest first.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_ready_units(
        &self,
        run: RunId,
        step: &str,
        limit: usize,
    ) -> Result<Vec<UnitId>, DbError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let row = self
            .fetch_optional(LIST_READY, args![run, step, clock::now_ms(), limit])
            .await?;
        let ids: Option<String> = row.map_or(Ok(None), |row| row.get(0))?;
        ids.unwrap_or_default()
            .split_ascii_whitespace()
            .map(read_word)
            .collect()
    }

    /// Leases those of these units that are still free and whose run is running, for so long.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn lease_units(
        &self,
        units: &[UnitId],
        lease_ms: i64,
    ) -> Result<Vec<Lease>, DbError> {
        let list: Vec<Value> = units.iter().map(|unit| Value::from(*unit)).collect();
        let mut tries = 1;
        loop {
            match self.try_lease(list.clone(), lease_ms).await {
                Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
                leased => return leased,
            }
        }
    }

    async fn try_lease(&self, list: Vec<Value>, lease_ms: i64) -> Result<Vec<Lease>, DbError> {
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        let mut leases = Vec::new();
        for row in tx.fetch_list(LIST_FREE, args![now_ms], list).await? {
            read_leases(
                &row.get::<Option<String>>(0)?.unwrap_or_default(),
                &mut leases,
            )?;
        }
        let list = leases.iter().map(|lease| Value::from(lease.unit)).collect();
        tx.execute_list(LEASE, args![now_ms + lease_ms], list)
            .await?;
        tx.commit().await?;
        Ok(leases)
    }

    /// Extends leases; gives those that were lost.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn extend_leases(
        &self,
        leases: &[Lease],
        lease_ms: i64,
    ) -> Result<Vec<UnitId>, DbError> {
        let until_ms = clock::now_ms() + lease_ms;
        let mut lost = Vec::new();
        let mut tx = self.begin().await?;
        for lease in leases {
            let extended = tx
                .execute(EXTEND, args![lease.unit, lease.token, until_ms])
                .await?;
            if extended == 0 {
                lost.push(lease.unit);
            }
        }
        tx.commit().await?;
        Ok(lost)
    }

    /// Has units that wait for longer than any may be ready now: a clock was put back.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn calm_units(&self, run: RunId) -> Result<(), DbError> {
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        tx.execute(CALM, args![run, now_ms, now_ms + LONGEST_WAIT_MS])
            .await?;
        tx.commit().await
    }

    /// Ends the leases of a run whose holders are known to be dead, so that its units are ready now.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn let_leases_go(&self, run: RunId) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(LET_GO, args![run, clock::now_ms()]).await?;
        tx.commit().await
    }

    /// When the oldest run began that may be about to store what it made, in milliseconds since 1970: one
    /// that goes on, or one that is paused and of which somebody still holds units. Whoever let the lease
    /// of such a unit run out loses it here, so that what they made is refused.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_oldest_holder(&self) -> Result<Option<i64>, DbError> {
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        tx.execute(RELEASE_OVERDUE, args![now_ms, now_ms + LONGEST_WAIT_MS])
            .await?;
        let row = tx.fetch_optional(OLDEST_HOLDER, args![]).await?;
        tx.commit().await?;
        row.map_or(Ok(None), |row| row.get(0))
    }

    /// Cancels what nobody holds of a run that is being cancelled; gives whether all of it has ended
    /// then.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn cancel_units(&self, run: RunId) -> Result<bool, DbError> {
        let mut tx = self.begin().await?;
        let rows = tx.fetch(CANCEL, args![run, clock::now_ms()]).await?;
        let mut steps: BTreeMap<String, StepCounts> = BTreeMap::new();
        for row in &rows {
            let counts = steps.entry(row.get(0)?).or_default();
            counts.moved(UnitState::Pending, UnitState::Cancelled);
        }
        let counts = steps.iter().map(|(step, counts)| (step.as_str(), *counts));
        run::count(&mut tx, run, &counts.collect()).await?;
        let is_through = tx.fetch(HAS_OPEN, args![run]).await?.is_empty();
        tx.commit().await?;
        Ok(is_through)
    }

    /// Whether any unit of a run waits or is worked on.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn has_open_units(&self, run: RunId) -> Result<bool, DbError> {
        Ok(!self.fetch(HAS_OPEN, args![run]).await?.is_empty())
    }

    /// Units of a run in the order in which they were planned: all, or some of them.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_units(
        &self,
        actor: &Actor,
        run: RunId,
        which: WhichUnits,
        after: Option<UnitId>,
        limit: usize,
    ) -> Result<UnitPage, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let after = after.map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = match which {
            WhichUnits::All => self.fetch(LIST, args![run, after, wanted]).await?,
            WhichUnits::Changed => self.fetch(LIST_CHANGED, args![run, after, wanted]).await?,
            WhichUnits::In(state) => {
                let fixed = args![run, after, wanted, state.as_str()];
                self.fetch(LIST_IN_STATE, fixed).await?
            }
        };
        let mut items: Vec<Unit> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|unit| unit.id);
        Ok(UnitPage { items, next })
    }

    /// One unit.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not know of it.
    pub async fn get_unit(&self, actor: &Actor, id: UnitId) -> Result<Unit, DbError> {
        let row = self.fetch_optional(GET, args![id]).await?;
        let unit = row.as_ref().map(read).transpose()?;
        unit.filter(|_| actor.require_operator(Action::OperateMachine).is_ok())
            .ok_or_else(|| DbError::not_found("unit", id))
    }
}

/// Makes the failed and the cancelled units of a run wait once more; gives how many.
pub(crate) async fn retry(tx: &mut Tx, run: RunId, now_ms: i64) -> Result<u64, DbError> {
    let mut steps: BTreeMap<String, StepCounts> = BTreeMap::new();
    for row in tx.fetch(COUNT_ENDED, args![run]).await? {
        let state = row.word(1, "a unit state", UnitState::from_word)?;
        let counts = steps.entry(row.get(0)?).or_default();
        counts.change(state, -row.get::<i64>(2)?);
        counts.change(UnitState::Pending, row.get(2)?);
    }
    let counts = steps.iter().map(|(step, counts)| (step.as_str(), *counts));
    run::count(tx, run, &counts.collect()).await?;
    tx.execute(RETRY, args![run, now_ms]).await
}

/// Removes the units of an asset that is purged. In the counts of their runs, those that had not ended
/// have nothing to do.
pub(crate) async fn delete_of_asset(tx: &mut Tx, asset: AssetId) -> Result<(), DbError> {
    for row in tx.fetch(LIST_OPEN_OF_ASSET, args![asset]).await? {
        let step: String = row.get(1)?;
        let mut counts = StepCounts::default();
        counts.moved(UnitState::Pending, UnitState::Skipped);
        run::count(tx, row.get(0)?, &BTreeMap::from([(step.as_str(), counts)])).await?;
    }
    tx.execute(DELETE_OF_ASSET, args![asset]).await?;
    Ok(())
}

/// A part of what came as one text: a number, or an id in hexadecimal digits.
fn read_word<T: FromStr<Err: fmt::Display>>(word: &str) -> Result<T, DbError> {
    word.parse()
        .map_err(|error| DbError::unreadable("a unit", error))
}

/// Reads what `LIST_FREE` gives: units as they are before they are leased.
fn read_leases(text: &str, leases: &mut Vec<Lease>) -> Result<(), DbError> {
    let mut words = text.split_ascii_whitespace();
    while let (Some(unit), Some(token), Some(asset), Some(attempts), Some(crashes)) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) {
        leases.push(Lease {
            unit: read_word(unit)?,
            token: read_word::<i64>(token)? + 1,
            asset: read_word(asset)?,
            attempts: read_word::<i64>(attempts)? + 1,
            crashes: read_word(crashes)?,
        });
    }
    Ok(())
}

fn read(row: &Row) -> Result<Unit, DbError> {
    Ok(Unit {
        id: row.get(0)?,
        run_id: row.get(1)?,
        step: row.get(2)?,
        asset_id: row.get(3)?,
        asset_name: row.get(4)?,
        state: row.word(5, "a unit state", UnitState::from_word)?,
        attempts: row.get(6)?,
        crashes: row.get(7)?,
        error: row.get(8)?,
        is_permanent: row.get(9)?,
        duration_ms: row.get(10)?,
        log: row.get(11)?,
        ended_at_ms: row.get(12)?,
        has_changed: row.get(13)?,
        failure_code: row
            .get::<Option<String>>(14)?
            .map(|_| row.word(14, "a failure code", FailureCode::from_word))
            .transpose()?,
    })
}
