//! The end of units: what became of them, stored in one transaction with all that was made.

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom_core::{
    AssetId, ContentHash, RunId, UnitId,
    unit::{UnitEvent, UnitState},
};

use super::{Ended, LONGEST_WAIT_MS, Outcome, TRIES, read_word};
use crate::{
    Db, DbError, Tx,
    artifact::{self, AllMade, Derived, Payload},
    asset::{self, Measures},
    blob, clock,
    run::{self, StepCounts},
    sql::statements,
    value::{Value, args},
};

statements! {
    // One row instead of a thousand: passing rows on takes longer than finding them.
    LIST_HELD = "SELECT string_agg(/*lite hex(held.id) *//*pg encode(held.id, 'hex') */
          || ' ' || held.lease_token || ' ' || held.step, ' ') FROM (
          SELECT id, lease_token, step FROM unit WHERE state = 'running' AND id IN ({list})
          ORDER BY id /*pg FOR UPDATE */) AS held";
    END = "WITH ended (id, state, ready_at_ms, attempts, crashes, error, is_permanent, ended_at_ms,
          duration_ms, log, has_changed, failure_code) AS (VALUES {rows})
        UPDATE unit SET state = ended.state, ready_at_ms = ended.ready_at_ms,
          attempts = ended.attempts, crashes = ended.crashes, error = ended.error,
          is_permanent = ended.is_permanent, ended_at_ms = ended.ended_at_ms,
          duration_ms = ended.duration_ms, log = ended.log, has_changed = ended.has_changed,
          failure_code = ended.failure_code
        FROM ended WHERE unit.id = ended.id";
    // Of most there is nothing to be changed.
    SET_MEASURES = "UPDATE asset SET kind = $2, media_type = $3, width = $4, height = $5,
          duration_ms = $6, version = version + 1
        WHERE id = $1 AND (kind <> $2 OR media_type <> $3 OR width IS DISTINCT FROM $4
          OR height IS DISTINCT FROM $5 OR duration_ms IS DISTINCT FROM $6)";
}

/// How many values an `END` row has.
const COLUMNS: usize = 12;

impl Db {
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
        let changed = store_made(&mut tx, run, &kept, now_ms).await?;
        let mut counts: BTreeMap<&str, StepCounts> = BTreeMap::new();
        let mut rows = Vec::with_capacity(kept.len());
        for ended in kept {
            let has_changed = changed.contains(&ended.lease.unit);
            let (state, row) = end_row(ended, has_changed, now_ms)?;
            rows.push(row);
            if let Some((_, step)) = held.get(&ended.lease.unit) {
                let counts = counts.entry(step).or_default();
                counts.moved(UnitState::Running, state);
                counts.changed += i64::from(has_changed);
            }
        }
        tx.execute_rows(END, COLUMNS, rows).await?;
        run::count(&mut tx, run, &counts).await?;
        tx.commit().await?;
        Ok(refused.into_iter().map(|ended| ended.lease.unit).collect())
    }
}

/// The tokens and steps of those of these units that are held.
async fn list_held(
    tx: &mut Tx,
    ended: &[Ended],
) -> Result<HashMap<UnitId, (i64, String)>, DbError> {
    let list = ended.iter().map(|ended| Value::from(ended.lease.unit));
    let rows = tx.fetch_list(LIST_HELD, args![], list.collect()).await?;
    let mut held = HashMap::new();
    for row in rows {
        let units: Option<String> = row.get(0)?;
        let mut words = units.as_deref().unwrap_or_default().split(' ');
        while let (Some(id), Some(token), Some(step)) = (words.next(), words.next(), words.next()) {
            held.insert(read_word(id)?, (read_word(token)?, step.to_owned()));
        }
    }
    Ok(held)
}

/// Stores what units made: what nobody else has made meanwhile, and what was made once more in the
/// place of what was there. Gives the units of which something came out otherwise than before.
async fn store_made(
    tx: &mut Tx,
    run: RunId,
    ended: &[&Ended],
    now_ms: i64,
) -> Result<HashSet<UnitId>, DbError> {
    let mut changed = HashSet::new();
    let made = ended.iter().filter_map(|ended| match &ended.outcome {
        Outcome::Done(derived) if !derived.is_empty() => Some((&ended.lease, derived, false)),
        Outcome::Remade(derived) => Some((&ended.lease, derived, true)),
        _ => None,
    });
    let made: Vec<_> = made.collect();
    if made.is_empty() {
        return Ok(changed);
    }
    for ended in ended {
        if let Some(measures) = &ended.measures {
            store_measures(tx, ended.lease.asset, measures).await?;
        }
    }
    let family = run::family_of(tx, run).await?;
    let assets: Vec<AssetId> = made.iter().map(|(lease, ..)| lease.asset).collect();
    let known = artifact::list_made(tx, &assets).await?;
    let mut new = Vec::new();
    let mut stated = Vec::new();
    for (lease, derived, is_again) in made {
        if is_again || has_older(&known, lease.asset, derived) {
            let origin = (family, run, lease.unit);
            let replaced = artifact::replace(tx, origin, lease.asset, derived, now_ms).await?;
            if replaced.is_different {
                changed.insert(lease.unit);
            }
            if replaced.has_new_claims {
                stated.push(lease.asset);
            }
            continue;
        }
        for derived in derived {
            let key = artifact::artifact_key(family, lease.asset, &derived.artifact.recipe());
            if known.keys.contains(&key) {
                forget_blob(tx, derived.artifact.payload.blob()).await?;
                continue;
            }
            if !derived.claims.is_empty() {
                stated.push(lease.asset);
            }
            new.push((lease.asset, Some(lease.unit), derived.clone()));
        }
    }
    artifact::add(tx, (family, Some(run)), new, now_ms).await?;
    if !stated.is_empty() {
        stated.sort_unstable();
        stated.dedup();
        crate::timeline::lock(tx).await?;
        asset::refresh(tx, &stated).await?;
    }
    Ok(changed)
}

async fn store_measures(tx: &mut Tx, asset: AssetId, measures: &Measures) -> Result<(), DbError> {
    let (kind, media_type) = (measures.kind.as_str(), measures.media_type);
    let (width, height) = (measures.width, measures.height);
    let duration_ms = measures.duration_ms;
    tx.execute(
        SET_MEASURES,
        args![asset, kind, media_type, width, height, duration_ms],
    )
    .await?;
    Ok(())
}

/// Whether the same tool made something of the asset in another version, or with another model; or a text in any other
/// way.
fn has_older(known: &AllMade, asset: AssetId, derived: &[Derived]) -> bool {
    derived.first().is_some_and(|first| {
        let tool = (asset, first.artifact.tool.to_owned());
        let versions = known.versions.get(&tool).into_iter().flatten();
        if matches!(first.artifact.payload, Payload::Text { .. }) {
            return versions.count() > 0;
        }
        let first = (first.artifact.tool_version, first.artifact.model.as_str());
        let mut versions = versions.map(|(version, model)| (*version, model.as_str()));
        versions.any(|version| version != first)
    })
}

/// Notes the bytes of what is not stored as unneeded, unless a row has them.
async fn forget_made(tx: &mut Tx, outcome: &Outcome) -> Result<(), DbError> {
    if let Outcome::Done(derived) | Outcome::Remade(derived) = outcome {
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
fn end_row(
    ended: &Ended,
    has_changed: bool,
    now_ms: i64,
) -> Result<(UnitState, Vec<Value>), DbError> {
    let Ended { lease, outcome, .. } = ended;
    let mut attempts = lease.attempts;
    let mut ready_at_ms = now_ms;
    let (mut ended_for_good, mut failure_code) = (false, None);
    let (event, reason) = match outcome {
        Outcome::Done(_) | Outcome::Remade(_) => (UnitEvent::Complete, None),
        Outcome::Skipped {
            reason,
            is_permanent,
        } => {
            ended_for_good = *is_permanent;
            (UnitEvent::Skip, Some(reason))
        }
        Outcome::Failed {
            code,
            reason,
            is_permanent,
        } => {
            failure_code = Some(code.as_str());
            ended_for_good = *is_permanent;
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
        ended_for_good,
        state.has_ended().then_some(now_ms),
        Some(ended.duration_ms).filter(|_| attempts == lease.attempts),
        ended.log.clone(),
        has_changed,
        failure_code,
    ];
    Ok((state, row))
}
