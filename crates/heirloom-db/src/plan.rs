//! Planning a run: which assets it goes through, and which of them still have something to do.
//!
//! A run is planned a few hundred assets at a time, the newest first, and no further ahead than those
//! who work on it need: what a run of a million assets keeps in memory and leaves behind when it is
//! cancelled stays small. What would be made and is there already gets no unit; it is counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom_core::{
    Actor, ArchiveId, AssetId, ContentHash, FamilyId, RunId, UnitId, permission::Action,
    run::RunState, unit::UnitState,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    Db, DbError, Tx, artifact, clock,
    row::Row,
    run::{self, StepCounts},
    sql::statements,
    value::{Value, args},
    workpiece::{self, Workpiece, workpieces},
};

/// What a run that goes through assets was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// Which assets.
    pub scope: Scope,
    /// The most of them, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
    /// Whether what failed before and would fail again is tried all the same.
    pub retry_failed: bool,
    /// Whether the next pipeline goes through the same assets when it is done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub process: bool,
    /// What the tools are asked for other than what they do by themselves: a JSON object for each such
    /// step.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, Json>,
}

impl Parameters {
    /// What the tool of a step is asked for; null for nothing.
    #[must_use]
    pub fn of_step(&self, step: &str) -> &Json {
        self.tools.get(step).unwrap_or(&Json::Null)
    }
}

/// Which assets a run goes through. Only those that are there and were not deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of the family's.
    #[default]
    All,
    /// Those of one archive.
    Archive(ArchiveId),
    /// Those of which that run, a scan, read something new.
    FoundBy(RunId),
    /// These.
    Assets(Vec<AssetId>),
}

/// A step that an asset is to go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The step.
    pub step: &'static str,
    /// Its tool and that tool's version.
    pub tool: (&'static str, i64),
    /// The model that it uses, by its key; empty without one.
    pub model: String,
    /// The key of the artifact that is there when there is nothing to do; none where only the tool knows
    /// what it is made of.
    pub key: Option<ContentHash>,
}

/// How a run is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// What is missing is made.
    Complete,
    /// All of it is made once more.
    Again,
}

/// What a run would find at one of its steps, in numbers of assets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// What would be made is there.
    pub present: i64,
    /// It is missing; something else was made by the same tool: another version of it, or asked for
    /// something else.
    pub stale: i64,
    /// Of these: the same version made it, with another model.
    pub other_model: i64,
    /// Nothing was made yet.
    pub missing: i64,
    /// It failed before and would fail again.
    pub failed: i64,
}

/// What one round of planning came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Planned {
    /// How many assets were looked at.
    pub assets: usize,
    /// How many units were made that wait.
    pub units: usize,
    /// Whether nothing is left to be planned.
    pub is_planned: bool,
}

statements! {
    GET = "SELECT family_id, state, planned_until, is_planned, assets_planned, parameters FROM run
        WHERE id = $1";
    LOCK = "SELECT state, planned_until, is_planned FROM run WHERE id = $1 /*pg FOR UPDATE */";
    // The plus keeps SQLite from gathering and sorting the whole family each time.
    LIST_ALL = workpieces!("/*lite + */a.family_id = $1 AND a.id < $2
          AND a.deleted_at_ms IS NULL AND a.state = 'present' ORDER BY a.id DESC LIMIT $3");
    LIST_OF_ARCHIVE = workpieces!("/*lite + */a.family_id = $1 AND a.id < $2
          AND a.deleted_at_ms IS NULL AND a.state = 'present'
          AND EXISTS (SELECT 1 FROM asset_location l JOIN folder f ON f.id = l.folder_id
            WHERE l.asset_id = a.id AND l.gone_at_ms IS NULL AND f.archive_id = $4)
        ORDER BY a.id DESC LIMIT $3");
    LIST_THESE = workpieces!("a.family_id = $1 AND a.id IN ({list})
          AND a.deleted_at_ms IS NULL AND a.state = 'present'");
    LIST_FOUND = "SELECT DISTINCT subject_id FROM artifact WHERE run_id = $1 AND subject_id < $2
        ORDER BY subject_id DESC LIMIT $3";
    // What is listed, less what is listed although it is nowhere any more.
    COUNT_ALL = "SELECT CAST(COALESCE(SUM(b.assets), 0) - (SELECT COUNT(*) FROM asset a
            WHERE a.family_id = $1 AND a.state = 'missing' AND a.deleted_at_ms IS NULL) AS BIGINT)
        FROM timeline_bucket b JOIN audience u ON u.id = b.audience_id WHERE u.family_id = $1";
    COUNT_OF_ARCHIVE = "SELECT COUNT(*) FROM asset a
        WHERE a.family_id = $1 AND a.deleted_at_ms IS NULL AND a.state = 'present'
          AND EXISTS (SELECT 1 FROM asset_location l JOIN folder f ON f.id = l.folder_id
            WHERE l.asset_id = a.id AND l.gone_at_ms IS NULL AND f.archive_id = $2)";
    COUNT_FOUND = "SELECT COUNT(DISTINCT subject_id) FROM artifact WHERE run_id = $1";
    LIST_FAILED = "SELECT work_key, error, failure_code FROM unit
        WHERE state = 'failed' AND is_permanent = TRUE AND subject_id IN ({list})";
    LIST_SKIPPED = "SELECT work_key FROM unit WHERE state = 'skipped' AND is_permanent = TRUE
          AND subject_id IN ({list})";
    ADD_UNITS = "WITH planned (id, run_id, step, subject_id, state, ready_at_ms, error, ended_at_ms,
          work_key, failure_code) AS (VALUES {rows})
        INSERT INTO unit (id, run_id, step, subject_kind, subject_id, subject_part, state, attempts,
          ready_at_ms, lease_token, error, is_permanent, ended_at_ms, work_key, failure_code)
        SELECT id, run_id, step, 'asset', subject_id, '', state, 0, ready_at_ms, 0, error,
          ended_at_ms IS NOT NULL, ended_at_ms, work_key, failure_code FROM planned";
    SET_PLANNED = "UPDATE run SET planned_until = $2, is_planned = $3,
          assets_planned = assets_planned + $4
        WHERE id = $1";
}

/// How many assets are looked at together when it is foreseen what there is to do.
const FORESEEN: usize = 512;
/// How many values an `ADD_UNITS` row has.
const COLUMNS: usize = 10;

impl Db {
    /// Plans the next assets of a run, `limit` at most: `wanted` says which steps an asset goes
    /// through. The assets are read before the one transaction that plans them, so that others write
    /// meanwhile. A run that is not running is left alone, and so is one that another process has planned
    /// further by then.
    ///
    /// # Errors
    /// [`DbError::NotFound`], and what the engine says.
    pub async fn plan_run(
        &self,
        id: RunId,
        limit: usize,
        aim: Aim,
        wanted: impl Fn(&Workpiece, &Parameters) -> Vec<Wanted>,
    ) -> Result<Planned, DbError> {
        let unknown = || DbError::not_found("run", id);
        let row = self.fetch_optional(GET, args![id]).await?;
        let row = row.ok_or_else(unknown)?;
        let family: FamilyId = row.get(0)?;
        let state = row.word(1, "a run state", RunState::from_word)?;
        let is_planned: bool = row.get(3)?;
        if is_planned || state != RunState::Running {
            return Ok(Planned {
                is_planned,
                ..Planned::default()
            });
        }
        let parameters: Parameters = serde_json::from_str(&row.get::<String>(5)?)
            .map_err(|error| DbError::unreadable("a run's parameters", error))?;
        let left = match parameters.sample {
            Some(sample) => usize::try_from(i64::from(sample) - row.get::<i64>(4)?).unwrap_or(0),
            None => usize::MAX,
        };
        let limit = limit.min(left);
        let planned_until: Option<Vec<u8>> = row.get(2)?;
        let until = planned_until.clone().unwrap_or_else(|| vec![0xff; 16]);
        let next = list_next(self, family, &parameters.scope, until, limit).await?;
        let mut tx = self.begin().await?;
        let row = tx.fetch_optional(LOCK, args![id]).await?;
        let row = row.ok_or_else(unknown)?;
        let is_planned: bool = row.get(2)?;
        if row.word(0, "a run state", RunState::from_word)? != RunState::Running
            || row.get::<Option<Vec<u8>>>(1)? != planned_until
            || is_planned
        {
            return Ok(Planned {
                is_planned,
                ..Planned::default()
            });
        }
        let mut counts: BTreeMap<&str, StepCounts> = BTreeMap::new();
        let known = match parameters.retry_failed {
            true => Known::default(),
            false => Known::of(&mut tx, &next.assets).await?,
        };
        let wanted = |asset: &Workpiece| wanted(asset, &parameters);
        let units = add_units(
            &mut tx,
            (id, aim),
            &next.assets,
            &known,
            wanted,
            &mut counts,
        )
        .await?;
        run::count(&mut tx, id, &counts).await?;
        let is_planned = next.is_last || limit == left;
        let seen = i64::try_from(next.assets.len()).unwrap_or(i64::MAX);
        tx.execute(SET_PLANNED, args![id, next.until, is_planned, seen])
            .await?;
        tx.commit().await?;
        Ok(Planned {
            assets: next.assets.len(),
            units,
            is_planned,
        })
    }
}

impl Db {
    /// What a run with these parameters would find to do at each step; nothing is planned.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn foresee_run(
        &self,
        actor: &Actor,
        family: FamilyId,
        parameters: &Parameters,
        wanted: impl Fn(&Workpiece) -> Vec<Wanted>,
    ) -> Result<BTreeMap<&'static str, Foreseen>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut foreseen: BTreeMap<&'static str, Foreseen> = BTreeMap::new();
        let mut until = vec![0xff; 16];
        let mut left = parameters
            .sample
            .map_or(usize::MAX, |sample| sample as usize);
        loop {
            let limit = FORESEEN.min(left);
            let next = list_next(self, family, &parameters.scope, until, limit).await?;
            // A round each, so that others get at the catalogue in between.
            let mut tx = self.begin().await?;
            let known = Known::of(&mut tx, &next.assets).await?;
            let ids: Vec<AssetId> = next.assets.iter().map(|asset| asset.id).collect();
            let made = artifact::list_made(&mut tx, &ids).await?;
            drop(tx);
            for asset in &next.assets {
                for Wanted {
                    step,
                    tool,
                    model,
                    key,
                } in wanted(asset)
                {
                    let foreseen = foreseen.entry(step).or_default();
                    let versions = made.versions.get(&(asset.id, tool.0.to_owned()));
                    let is_of_other_model = versions.is_some_and(|versions| {
                        let same = versions.iter().filter(|(version, _)| *version == tool.1);
                        let mut models = same.map(|(_, model)| model).peekable();
                        models.peek().is_some() && models.all(|made_with| *made_with != model)
                    });
                    let is_present = match key {
                        Some(key) => made.keys.contains(&key),
                        None => {
                            versions.is_some_and(|versions| versions.contains(&(tool.1, model)))
                        }
                    };
                    let has_failed = key.is_some_and(|key| known.failed.contains_key(&key));
                    let is_skipped = key.is_some_and(|key| known.skipped.contains(&key));
                    let count = if is_present {
                        &mut foreseen.present
                    } else if has_failed && !parameters.retry_failed {
                        &mut foreseen.failed
                    } else if is_skipped && !parameters.retry_failed {
                        continue;
                    } else if versions.is_some() {
                        foreseen.other_model += i64::from(is_of_other_model);
                        &mut foreseen.stale
                    } else if key.is_some() {
                        &mut foreseen.missing
                    } else {
                        // Nothing came of it, as of most names.
                        continue;
                    };
                    *count += 1;
                }
            }
            left -= next.assets.len();
            match next.until {
                Some(last) if !next.is_last && left > 0 => until = last,
                _ => return Ok(foreseen),
            }
        }
    }
}

/// How many assets a run is to go through, at most.
pub(crate) async fn count_assets(
    tx: &mut Tx,
    family: FamilyId,
    parameters: &Parameters,
) -> Result<i64, DbError> {
    let row = match &parameters.scope {
        Scope::All => tx.fetch_optional(COUNT_ALL, args![family]).await?,
        Scope::Archive(archive) => {
            tx.fetch_optional(COUNT_OF_ARCHIVE, args![family, *archive])
                .await?
        }
        Scope::FoundBy(run) => tx.fetch_optional(COUNT_FOUND, args![*run]).await?,
        Scope::Assets(assets) => return Ok(i64::try_from(assets.len()).unwrap_or(i64::MAX)),
    };
    let count: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    Ok(parameters
        .sample
        .map_or(count, |sample| count.min(i64::from(sample))))
}

/// The next assets of a scope.
struct Next {
    assets: Vec<Workpiece>,
    /// From where to go on.
    until: Option<Vec<u8>>,
    is_last: bool,
}

async fn list_next(
    db: &Db,
    family: FamilyId,
    scope: &Scope,
    until: Vec<u8>,
    limit: usize,
) -> Result<Next, DbError> {
    let count = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = match scope {
        Scope::All => db.fetch(LIST_ALL, args![family, until, count]).await?,
        Scope::Archive(archive) => {
            db.fetch(LIST_OF_ARCHIVE, args![family, until, count, *archive])
                .await?
        }
        Scope::FoundBy(run) => {
            let rows = db.fetch(LIST_FOUND, args![*run, until, count]).await?;
            let ids: Vec<AssetId> = rows
                .iter()
                .map(|row| row.get(0))
                .collect::<Result<_, _>>()?;
            return get_next(db, family, ids, limit).await;
        }
        Scope::Assets(ids) => {
            let mut ids: Vec<AssetId> = ids
                .iter()
                .filter(|id| id.as_bytes().as_slice() < until.as_slice())
                .copied()
                .collect();
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            ids.truncate(limit);
            return get_next(db, family, ids, limit).await;
        }
    };
    let assets = read_newest_first(&rows)?;
    Ok(Next {
        until: assets.last().map(|asset| asset.id.as_bytes().to_vec()),
        is_last: assets.len() < limit,
        assets,
    })
}

async fn get_next(
    db: &Db,
    family: FamilyId,
    ids: Vec<AssetId>,
    limit: usize,
) -> Result<Next, DbError> {
    let list = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = db.fetch_list(LIST_THESE, args![family], list).await?;
    let assets = read_newest_first(&rows)?;
    Ok(Next {
        until: ids.last().map(|id| id.as_bytes().to_vec()),
        is_last: ids.len() < limit,
        assets,
    })
}

/// What such a statement gives, the newest first.
fn read_newest_first(rows: &[Row]) -> Result<Vec<Workpiece>, DbError> {
    let mut assets = workpiece::read_all(rows)?;
    assets.sort_unstable_by_key(|asset| std::cmp::Reverse(asset.id));
    assets.dedup_by_key(|asset| asset.id);
    Ok(assets)
}

/// Why something failed: in a sentence, and as a word.
type Why = (Option<String>, Option<String>);

/// What was tried before, and would end as it did.
#[derive(Debug, Default)]
struct Known {
    /// It failed, with why.
    failed: HashMap<ContentHash, Why>,
    /// It came to nothing.
    skipped: HashSet<ContentHash>,
}

impl Known {
    async fn of(tx: &mut Tx, assets: &[Workpiece]) -> Result<Self, DbError> {
        let list = || assets.iter().map(|asset| Value::from(asset.id)).collect();
        let mut known = Self::default();
        for row in tx.fetch_list(LIST_FAILED, args![], list()).await? {
            if let Some(key) = row.get::<Option<ContentHash>>(0)? {
                known.failed.insert(key, (row.get(1)?, row.get(2)?));
            }
        }
        for row in tx.fetch_list(LIST_SKIPPED, args![], list()).await? {
            known.skipped.extend(row.get::<Option<ContentHash>>(0)?);
        }
        Ok(known)
    }
}

async fn add_units(
    tx: &mut Tx,
    (run, aim): (RunId, Aim),
    assets: &[Workpiece],
    known: &Known,
    wanted: impl Fn(&Workpiece) -> Vec<Wanted>,
    counts: &mut BTreeMap<&'static str, StepCounts>,
) -> Result<usize, DbError> {
    let ids: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
    let present: HashSet<ContentHash> = match aim {
        Aim::Complete => artifact::list_keys(tx, &ids).await?,
        Aim::Again => HashSet::new(),
    };
    let now_ms = clock::now_ms();
    let mut rows = Vec::new();
    let mut waiting = 0;
    for asset in assets {
        for Wanted { step, key, .. } in wanted(asset) {
            let counts = counts.entry(step).or_default();
            if key.is_some_and(|key| present.contains(&key)) {
                counts.present += 1;
                continue;
            }
            if key.is_some_and(|key| known.skipped.contains(&key)) && aim == Aim::Complete {
                counts.change(UnitState::Skipped, 1);
                continue;
            }
            let failed = key.and_then(|key| known.failed.get(&key));
            let state = match failed {
                Some(_) => UnitState::Failed,
                None => UnitState::Pending,
            };
            counts.change(state, 1);
            waiting += usize::from(failed.is_none());
            let id: UnitId = clock::new_id();
            let (error, failure_code) = failed.cloned().unwrap_or_default();
            rows.push(args![
                id,
                run,
                step,
                asset.id,
                state.as_str(),
                now_ms,
                error,
                failed.map(|_| now_ms),
                key,
                failure_code,
            ]);
        }
    }
    tx.execute_rows(ADD_UNITS, COLUMNS, rows).await?;
    Ok(waiting)
}
