//! Going through the index, newest first.
//!
//! SQLite's index is in the order of the timeline, so it is walked backwards and left as soon as the
//! page is full, however many documents a word has. First it is walked without the words that say who
//! may see, because nearly everybody may see nearly everything, and to meet such a word costs more
//! than to look at the asset. Only if that did not fill the page these words join in.
//!
//! PostgreSQL's index is not in any order: it gathers all that match, which is quick for a word that
//! is rare and slow for one that is common. So there the newest documents are looked at first, one by
//! one, and only when these did not fill the page is the index asked for the rest. A word that is
//! common fills the page before that, unless all of its documents are old.

use std::{fmt::Write as _, ops::RangeInclusive};

use super::{
    expression::{Expression, Wanted},
    plan::Plan,
    span::Part,
};
use crate::{
    Db, DbError, Engine,
    asset::Asset,
    sql::{Sql, statements},
    value::{Value, args},
};

/// How many audiences one condition names (FTS5 bounds the depth of an expression, and PostgreSQL
/// the length of one).
pub(super) const SCOPES: usize = 100;
/// How many documents to look at without the words that say who may see: so many times as many as
/// are missing, and so many more.
#[derive(Debug, Clone, Copy)]
struct Look {
    times: usize,
    more: usize,
}

/// One look after the other, until the page is full; the last is with these words.
const LOOKS: [Option<Look>; 3] = [
    Some(Look { times: 1, more: 8 }),
    Some(Look { times: 4, more: 64 }),
    None,
];

/// How many of the newest documents are looked at before PostgreSQL's index is asked.
const NEWEST: i64 = 1_500;

statements! {
    // The inner selection keeps PostgreSQL from gathering: it comes in the order of the timeline, and
    // OFFSET is a fence over which no condition is moved.
    WALK = "SELECT s./*lite rowid *//*pg timeline_key */ FROM /*lite search_index */
        /*pg (SELECT timeline_key, words FROM search_index WHERE timeline_key BETWEEN $2 AND $3
          ORDER BY timeline_key DESC OFFSET 0) */ s
        WHERE /*lite s.search_index MATCH $1 AND s.rowid BETWEEN $2 AND $3 *//*pg s.words @@ $1::tsquery */
        {dates}
        ORDER BY s./*lite rowid *//*pg timeline_key */ DESC LIMIT $4";
    GATHER = "WITH hits AS MATERIALIZED (SELECT /*lite rowid AS */ timeline_key FROM search_index
          WHERE /*lite search_index MATCH $1 *//*pg words @@ $1::tsquery */)
        SELECT s.timeline_key FROM hits s WHERE s.timeline_key BETWEEN $2 AND $3 {dates}
        ORDER BY s.timeline_key DESC LIMIT $4";
    FIND_FLOOR = "SELECT /*lite rowid *//*pg timeline_key */ FROM search_index
        WHERE /*lite rowid *//*pg timeline_key */ BETWEEN $1 AND $2
        ORDER BY /*lite rowid *//*pg timeline_key */ DESC LIMIT 1 OFFSET $3";
}

impl Db {
    /// The first `limit` assets below the timeline key `before` that match, newest first.
    pub(super) async fn walk(
        &self,
        plan: &Plan,
        wanted: &Wanted,
        before: i64,
        limit: usize,
    ) -> Result<Vec<Asset>, DbError> {
        let looks: &[Option<Look>] = match self.engine() {
            Engine::Sqlite if !wanted.all.is_empty() => &LOOKS,
            _ => &LOOKS[LOOKS.len() - 1..],
        };
        let mut found = Vec::new();
        for mut part in plan.parts() {
            let end = (*part.keys.end()).min(before.saturating_sub(1));
            part.keys = *part.keys.start()..=end;
            for look in looks {
                let missing = limit - found.len();
                if missing == 0 || part.keys.is_empty() {
                    break;
                }
                let most = look.map_or(missing, |look| missing * look.times + look.more);
                let keys = match look {
                    Some(_) => self.walk_part(plan, wanted, &part, None, most).await?,
                    None => self.walk_scopes(plan, wanted, &part, most).await?,
                };
                // Between two statements somebody may also have hidden an asset, or dated it anew.
                let mut assets = self.list_assets_by_key(&keys).await?;
                assets.retain(|asset| plan.admits(asset));
                assets.truncate(missing);
                found.extend(assets);
                let Some(last) = keys.last().filter(|_| keys.len() == most) else {
                    break;
                };
                part.keys = *part.keys.start()..=last.saturating_sub(1);
            }
        }
        Ok(found)
    }

    /// The keys of what the actor may see, whatever else matches.
    async fn walk_scopes(
        &self,
        plan: &Plan,
        wanted: &Wanted,
        part: &Part,
        limit: usize,
    ) -> Result<Vec<i64>, DbError> {
        let mut keys = Vec::new();
        for scope in plan.scopes(SCOPES) {
            keys.extend(
                self.walk_part(plan, wanted, part, Some(scope), limit)
                    .await?,
            );
        }
        keys.sort_unstable_by_key(|key| std::cmp::Reverse(*key));
        keys.truncate(limit);
        Ok(keys)
    }

    async fn walk_part(
        &self,
        plan: &Plan,
        wanted: &Wanted,
        part: &Part,
        scope: Option<Expression>,
        limit: usize,
    ) -> Result<Vec<i64>, DbError> {
        let walk = Walk {
            condition: condition(self.engine(), wanted, part, scope),
            plan,
            limit,
        };
        walk.through(self, part.keys.clone()).await
    }
}

/// What the index is asked for in a part of the timeline.
pub(super) fn condition(
    engine: Engine,
    wanted: &Wanted,
    part: &Part,
    scope: Option<Expression>,
) -> String {
    let mut wanted = wanted.clone();
    wanted.all.extend(scope);
    let spans = part.words();
    if !spans.is_empty() {
        let spans = spans.into_iter().map(Expression::word).collect();
        wanted.all.push(Expression::Any(spans));
    }
    wanted.render(engine)
}

struct Walk<'a> {
    condition: String,
    plan: &'a Plan,
    limit: usize,
}

impl Walk<'_> {
    async fn through(&self, db: &Db, range: RangeInclusive<i64>) -> Result<Vec<i64>, DbError> {
        if db.engine() == Engine::Sqlite {
            return self.fetch(db, WALK, range, self.limit).await;
        }
        let args = args![*range.start(), *range.end(), NEWEST];
        let floor = db.fetch_optional(FIND_FLOOR, args).await?;
        let Some(floor) = floor.map(|row| row.get::<i64>(0)).transpose()? else {
            return self.fetch(db, WALK, range, self.limit).await;
        };
        let mut keys = self
            .fetch(db, WALK, floor..=*range.end(), self.limit)
            .await?;
        if keys.len() < self.limit {
            let (rest, limit) = (
                *range.start()..=floor.saturating_sub(1),
                self.limit - keys.len(),
            );
            keys.extend(self.fetch(db, GATHER, rest, limit).await?);
        }
        Ok(keys)
    }

    async fn fetch(
        &self,
        db: &Db,
        sql: Sql,
        range: RangeInclusive<i64>,
        limit: usize,
    ) -> Result<Vec<i64>, DbError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut args = args![&self.condition, *range.start(), *range.end(), limit];
        let key = match (db.engine(), sql.text() == WALK.text()) {
            (Engine::Sqlite, true) => "rowid",
            _ => "timeline_key",
        };
        let dates = date_conditions(self.plan, key, &mut args);
        let text = sql.for_engine(db.engine()).replace("{dates}", &dates);
        let rows = db.fetch_text(text.into(), args).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// Compares the dates of an asset with those of the query. A scalar selection, so that it is made
/// for one document after the other and never for all assets beforehand.
pub(super) fn date_conditions(plan: &Plan, key: &str, args: &mut Vec<Value>) -> String {
    let mut text = String::new();
    for (is_negated, range) in plan.dates() {
        args.push(Value::from(range.from().unwrap_or(i64::MIN)));
        args.push(Value::from(range.until().unwrap_or(i64::MAX)));
        let (from, until) = (args.len() - 1, args.len());
        let condition = if is_negated {
            format!("a.date IS NULL OR a.date_from_s > ${until} OR a.date_until_s < ${from}")
        } else {
            format!(
                "a.date IS NOT NULL AND (a.date_from_s IS NULL OR a.date_from_s <= ${until}) \
                 AND (a.date_until_s IS NULL OR a.date_until_s >= ${from})"
            )
        };
        let _ = write!(
            text,
            " AND (SELECT {condition} FROM asset a WHERE a.timeline_key = s.{key})"
        );
    }
    text
}
