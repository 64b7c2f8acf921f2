//! What a query finds, in the order of the timeline alone: how much in each of its stretches, and which.

use std::{collections::BTreeMap, ops::RangeInclusive};

use heirloom_core::{Actor, Bucket, FamilyId, permission::Action, query::Query};

use super::{
    alike,
    plan::Plan,
    walk::{SCOPES, condition, date_conditions},
};
use crate::{
    Db, DbError, Engine,
    sql::{Sql, statements},
    timeline,
    value::{Value, args},
};

statements! {
    // One row with all keys, without what only tells assets apart: grouping sorts them, and passing on a row for
    // each day takes as long as finding all that is there.
    COUNT = "SELECT string_agg(CAST(hit.timeline_key >> 21 AS TEXT), ' ') FROM (
          SELECT s./*lite rowid AS */ timeline_key FROM search_index s
          WHERE /*lite s.search_index MATCH $1 AND s.rowid *//*pg s.words @@ $1::tsquery AND s.timeline_key */
            BETWEEN $2 AND $3 {dates}) AS hit";
    LIST = "SELECT s./*lite rowid *//*pg timeline_key */ FROM search_index s
        WHERE /*lite s.search_index MATCH $1 AND s.rowid *//*pg s.words @@ $1::tsquery AND s.timeline_key */
          BETWEEN $2 AND $3 {dates}
        ORDER BY s./*lite rowid *//*pg timeline_key */ DESC LIMIT $4 OFFSET $5";
}

/// A query, and what to ask the index for.
struct Questions {
    plan: Plan,
    /// A condition, and the part of the timeline to ask it of; no asset answers two.
    list: Vec<(String, RangeInclusive<i64>)>,
}

impl Db {
    async fn ask(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        within: &RangeInclusive<i64>,
    ) -> Result<Questions, DbError> {
        actor.require(Action::Search, family)?;
        let plan = Plan::of(self, actor, family, query).await?;
        let whole = plan.whole();
        let mut list = Vec::new();
        for part in plan.parts() {
            let (from, until) = (*part.keys.start(), *part.keys.end());
            let keys = from.max(*within.start())..=until.min(*within.end());
            if keys.is_empty() {
                continue;
            }
            for scope in plan.scopes(SCOPES) {
                let condition = condition(self.engine(), &whole, &part, Some(scope));
                list.push((condition, keys.clone()));
            }
        }
        Ok(Questions { plan, list })
    }

    /// The text of a statement about what matches, with its arguments.
    fn with_dates(&self, sql: Sql, plan: &Plan, mut args: Vec<Value>) -> (String, Vec<Value>) {
        let key = match self.engine() {
            Engine::Sqlite => "rowid",
            Engine::Postgres => "timeline_key",
        };
        let dates = date_conditions(plan, key, &mut args);
        let text = sql.for_engine(self.engine()).replace("{dates}", &dates);
        (text, args)
    }

    /// The keys of what looks like a picture, where a query asks for that.
    async fn keys_alike(
        &self,
        plan: &Plan,
        within: &RangeInclusive<i64>,
    ) -> Result<Option<Vec<i64>>, DbError> {
        let Some(alike) = &plan.alike else {
            return Ok(None);
        };
        let found = self.find_alike(plan, alike).await?.into_iter();
        let keys = found.map(|(_, asset)| asset.timeline_key);
        Ok(Some(keys.filter(|key| within.contains(key)).collect()))
    }

    /// How much of what a query finds, among these keys, is in each bucket.
    pub(crate) async fn count_found(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        within: &RangeInclusive<i64>,
    ) -> Result<BTreeMap<Bucket, i64>, DbError> {
        let questions = self.ask(actor, family, query, within).await?;
        if let Some(keys) = self.keys_alike(&questions.plan, within).await? {
            return Ok(alike::count(&keys));
        }
        let mut counts = BTreeMap::new();
        for (condition, keys) in &questions.list {
            let args = args![condition, *keys.start(), *keys.end()];
            let (text, args) = self.with_dates(COUNT, &questions.plan, args);
            for row in self.fetch_text(text.into(), args).await? {
                let keys: Option<String> = row.get(0)?;
                count(&keys.unwrap_or_default(), &mut counts)?;
            }
        }
        Ok(counts)
    }

    /// The keys of what a query finds among these keys, newest first, from the `offset`th on.
    pub(crate) async fn list_found(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        within: &RangeInclusive<i64>,
        (offset, limit): (i64, i64),
    ) -> Result<Vec<i64>, DbError> {
        let questions = self.ask(actor, family, query, within).await?;
        if let Some(keys) = self.keys_alike(&questions.plan, within).await? {
            return Ok(timeline::page_of(keys, (offset, limit)));
        }
        // Of several lists each may have what comes first of all.
        let is_one = questions.list.len() == 1;
        let (skipped, most) = if is_one {
            (offset, limit)
        } else {
            (0, offset.saturating_add(limit))
        };
        let mut found: Vec<i64> = Vec::new();
        for (condition, keys) in &questions.list {
            let args = args![condition, *keys.start(), *keys.end(), most, skipped];
            let (text, args) = self.with_dates(LIST, &questions.plan, args);
            for row in self.fetch_text(text.into(), args).await? {
                found.push(row.get(0)?);
            }
        }
        Ok(match is_one {
            true => found,
            false => timeline::page_of(found, (offset, limit)),
        })
    }
}

/// Counts keys by their buckets, as [`COUNT`] gives them. They come in order on SQLite, so most are in the bucket
/// of the one before.
fn count(keys: &str, counts: &mut BTreeMap<Bucket, i64>) -> Result<(), DbError> {
    let mut last: Option<(Bucket, RangeInclusive<i64>, i64)> = None;
    for key in keys.split_ascii_whitespace() {
        let key: i64 = key
            .parse()
            .map_err(|error| DbError::unreadable("a timeline key", error))?;
        let key = key << timeline::COUNTER_BITS;
        match &mut last {
            Some((_, within, assets)) if within.contains(&key) => *assets += 1,
            _ => {
                let bucket = timeline::bucket_of_key(key);
                let next = (bucket, timeline::keys_of_bucket(bucket), 1);
                if let Some((bucket, _, assets)) = last.replace(next) {
                    *counts.entry(bucket).or_default() += assets;
                }
            }
        }
    }
    if let Some((bucket, _, assets)) = last {
        *counts.entry(bucket).or_default() += assets;
    }
    Ok(())
}
