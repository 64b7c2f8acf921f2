//! Units: one asset through one step of a run, leased, worked on and ended.
//!
//! A lease is a token and a time. Whoever leases a unit gets a higher token than all before, and an
//! end is taken only with the token that the unit has then, in the transaction that stores what was
//! made: a holder that was thought dead can do no harm. Clocks may jump: a lease that ends later than
//! any lease could counts as ended.

use std::collections::{BTreeMap, HashMap};

use heirloom_core::{
    Actor, AssetId, ContentHash, RunId, UnitId,
    permission::Action,
    unit::{UnitEvent, UnitState},
};

use crate::{
    Db, DbError, Tx, artifact, asset, blob, clock,
    row::Row,
    run::{self, StepCounts},
    sql::statements,
    value::{Value, args},
};

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
    /// Whether the same work would fail again.
    pub is_permanent: bool,
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
    /// There was nothing to do, for this reason.
    Skipped(String),
    /// It is given up.
    Failed {
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
    LIST_READY = "SELECT id FROM unit WHERE run_id = $1 AND step = $2
          AND state IN ('pending', 'running') AND ready_at_ms <= $3
        ORDER BY ready_at_ms LIMIT $4";
    LEASE = "UPDATE unit SET state = 'running', attempts = attempts + 1, lease_token = lease_token + 1,
          ready_at_ms = $1
        WHERE state IN ('pending', 'running') AND ready_at_ms <= $2
          AND EXISTS (SELECT 1 FROM run WHERE run.id = unit.run_id AND run.state = 'running')
          AND id IN ({list})
        RETURNING id, lease_token, subject_id, attempts, crashes";
    EXTEND = "UPDATE unit SET ready_at_ms = $3
        WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    LIST_HELD = "SELECT id, lease_token, step FROM unit WHERE state = 'running' AND id IN ({list})
        ORDER BY id /*pg FOR UPDATE */";
    END = "WITH ended (id, state, ready_at_ms, attempts, crashes, error, is_permanent, ended_at_ms,
          duration_ms, log) AS (VALUES {rows})
        UPDATE unit SET state = ended.state, ready_at_ms = ended.ready_at_ms,
          attempts = ended.attempts, crashes = ended.crashes, error = ended.error,
          is_permanent = ended.is_permanent, ended_at_ms = ended.ended_at_ms,
          duration_ms = ended.duration_ms, log = ended.log
        FROM ended WHERE unit.id = ended.id";
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
    RETRY = "UPDATE unit SET state = 'pending', attempts = 0, crashes = 0, error = NULL,
          is_permanent = FALSE, ended_at_ms = NULL, ready_at_ms = $2
        WHERE run_id = $1 AND state IN ('failed', 'cancelled')";
    LIST_OPEN_OF_ASSET = "SELECT run_id, step FROM unit
        WHERE subject_id = $1 AND state IN ('pending', 'running') ORDER BY run_id, step";
    DELETE_OF_ASSET = "DELETE FROM unit WHERE subject_id = $1";
    LIST = concat!("SELECT ", columns!(), " WHERE u.run_id = $1 AND u.id > $2
        ORDER BY u.id LIMIT $3");
    LIST_IN_STATE = concat!("SELECT ", columns!(), " WHERE u.run_id = $1 AND u.id > $2 AND u.state = $4
        ORDER BY u.id LIMIT $3");
    GET = concat!("SELECT ", columns!(), " WHERE u.id = $1");
}

/// The columns of a [`Unit`], in the order in which [`read`] takes them, and where they are from.
macro_rules! columns {
    () => {
        "u.id, u.run_id, u.step, u.subject_id, a.name, u.state, u.attempts, u.crashes, u.error, \
         u.is_permanent, u.duration_ms, u.log, u.ended_at_ms \
         FROM unit u LEFT JOIN asset a ON a.id = u.subject_id"
    };
}
use columns;

/// How many values an `END` row has.
const COLUMNS: usize = 10;

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
        let rows = self
            .fetch(LIST_READY, args![run, step, clock::now_ms(), limit])
            .await?;
        rows.iter().map(|row| row.get(0)).collect()
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
            let now_ms = clock::now_ms();
            let lease = async {
                let mut tx = self.begin().await?;
                let fixed = args![now_ms + lease_ms, now_ms];
                let rows = tx.fetch_list(LEASE, fixed, list.clone()).await?;
                tx.commit().await?;
                rows.iter().map(read_lease).collect()
            };
            match lease.await {
                Err::<Vec<Lease>, DbError>(error) if error.is_conflict() && tries < TRIES => {
                    tries += 1;
                }
                leased => return leased,
            }
        }
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

    /// Stores what became of units of a run, with all that was made, as one transaction. A unit that
    /// is no longer held under the lease it was worked on under stays as it is, and nothing that was
    /// made under that lease is stored. Gives those that were refused so.
    ///
    /// # Errors
    /// What the engine says; nothing was stored then.
    pub async fn end_units(&self, run: RunId, ended: &[Ended]) -> Result<Vec<UnitId>, DbError> {
        let mut tries = 1;
        loop {
            match self.try_end(run, ended).await {
                Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_end(&self, run: RunId, ended: &[Ended]) -> Result<Vec<UnitId>, DbError> {
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        let held = list_held(&mut tx, ended).await?;
        let is_held = |ended: &&Ended| {
            held.get(&ended.lease.unit)
                .is_some_and(|(token, _)| *token == ended.lease.token)
        };
        let (kept, refused): (Vec<&Ended>, Vec<&Ended>) = ended.iter().partition(is_held);
        for ended in &refused {
            forget_made(&mut tx, &ended.outcome).await?;
        }
        store_made(&mut tx, run, &kept, now_ms).await?;
        let mut counts: BTreeMap<&str, StepCounts> = BTreeMap::new();
        let mut rows = Vec::with_capacity(kept.len());
        for ended in kept {
            let (state, row) = end_row(ended, now_ms)?;
            rows.push(row);
            if let Some((_, step)) = held.get(&ended.lease.unit) {
                counts
                    .entry(step)
                    .or_default()
                    .moved(UnitState::Running, state);
            }
        }
        tx.execute_rows(END, COLUMNS, rows).await?;
        run::count(&mut tx, run, &counts).await?;
        tx.commit().await?;
        Ok(refused.into_iter().map(|ended| ended.lease.unit).collect())
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

    /// Units of a run in the order in which they were planned, or those of them in one state.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_units(
        &self,
        actor: &Actor,
        run: RunId,
        state: Option<UnitState>,
        after: Option<UnitId>,
        limit: usize,
    ) -> Result<UnitPage, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let after = after.map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = match state {
            None => self.fetch(LIST, args![run, after, wanted]).await?,
            Some(state) => {
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

/// The tokens and steps of those of these units that are held.
async fn list_held(
    tx: &mut Tx,
    ended: &[Ended],
) -> Result<HashMap<UnitId, (i64, String)>, DbError> {
    let list = ended.iter().map(|ended| Value::from(ended.lease.unit));
    let rows = tx.fetch_list(LIST_HELD, args![], list.collect()).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .collect()
}

/// Stores what units made and nobody else has made meanwhile.
async fn store_made(tx: &mut Tx, run: RunId, ended: &[&Ended], now_ms: i64) -> Result<(), DbError> {
    let made = ended.iter().filter_map(|ended| match &ended.outcome {
        Outcome::Done(derived) if !derived.is_empty() => Some((&ended.lease, derived)),
        _ => None,
    });
    let made: Vec<_> = made.collect();
    if made.is_empty() {
        return Ok(());
    }
    let family = run::family_of(tx, run).await?;
    let assets: Vec<AssetId> = made.iter().map(|(lease, _)| lease.asset).collect();
    let known = artifact::list_keys(tx, &assets).await?;
    let mut new = Vec::new();
    let mut stated = Vec::new();
    for (lease, derived) in made {
        for derived in derived {
            let key = artifact::artifact_key(family, lease.asset, &derived.artifact.recipe());
            if known.contains(&key) {
                forget_blob(tx, derived.artifact.payload.blob()).await?;
                continue;
            }
            if !derived.claims.is_empty() {
                stated.push(lease.asset);
            }
            new.push((lease.asset, Some(lease.unit), derived.clone()));
        }
    }
    artifact::add(tx, (family, run), new, now_ms).await?;
    if stated.is_empty() {
        return Ok(());
    }
    stated.sort_unstable();
    stated.dedup();
    crate::timeline::lock(tx).await?;
    asset::refresh(tx, &stated).await
}

/// Notes the bytes of what is not stored as unneeded, unless a row has them.
async fn forget_made(tx: &mut Tx, outcome: &Outcome) -> Result<(), DbError> {
    if let Outcome::Done(derived) = outcome {
        for derived in derived {
            forget_blob(tx, derived.artifact.payload.blob()).await?;
        }
    }
    Ok(())
}

async fn forget_blob(tx: &mut Tx, hash: Option<ContentHash>) -> Result<(), DbError> {
    match hash {
        Some(hash) => blob::note_unneeded(tx, hash).await,
        None => Ok(()),
    }
}

/// The state that a unit ends in, or waits in, and what is stored of it.
fn end_row(ended: &Ended, now_ms: i64) -> Result<(UnitState, Vec<Value>), DbError> {
    let Ended { lease, outcome, .. } = ended;
    let mut attempts = lease.attempts;
    let mut ready_at_ms = now_ms;
    let mut failed_for_good = false;
    let (event, reason) = match outcome {
        Outcome::Done(_) => (UnitEvent::Complete, None),
        Outcome::Skipped(reason) => (UnitEvent::Skip, Some(reason)),
        Outcome::Failed {
            reason,
            is_permanent,
        } => {
            failed_for_good = *is_permanent;
            (UnitEvent::Fail, Some(reason))
        }
        Outcome::Again { reason, after_ms } => {
            ready_at_ms += (*after_ms).clamp(0, LONGEST_WAIT_MS);
            (UnitEvent::Release, Some(reason))
        }
        Outcome::Untouched => {
            attempts -= 1;
            (UnitEvent::Release, None)
        }
        Outcome::Cancelled => (UnitEvent::Cancel, None),
    };
    let state = UnitState::Running
        .after(event)
        .map_err(|illegal| DbError::Refused(illegal.to_string()))?;
    let row = args![
        lease.unit,
        state.as_str(),
        ready_at_ms,
        attempts,
        lease.crashes + i64::from(ended.has_crashed),
        reason.cloned(),
        failed_for_good,
        state.has_ended().then_some(now_ms),
        Some(ended.duration_ms).filter(|_| attempts == lease.attempts),
        ended.log.clone(),
    ];
    Ok((state, row))
}

fn read_lease(row: &Row) -> Result<Lease, DbError> {
    Ok(Lease {
        unit: row.get(0)?,
        token: row.get(1)?,
        asset: row.get(2)?,
        attempts: row.get(3)?,
        crashes: row.get(4)?,
    })
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
    })
}
