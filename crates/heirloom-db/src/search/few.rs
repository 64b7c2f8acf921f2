//! Queries that find little.
//!
//! A word that says who may see, or which kind an asset is, stands in nearly every document. To meet
//! a rare word with it, the index has to look for each of the few documents in a list of a million,
//! which takes longer than anything else. So when what only the index knows is in few documents, all
//! of those are fetched, and the rest of the query is decided by the assets themselves. Nothing is
//! lost by that, because the few are all there are.

use std::collections::HashSet;

use super::{Cursor, expression::Wanted, plan::Plan};
use crate::{Db, DbError, asset::Asset, sql::statements, value::args};

/// How many documents are few.
const FEW: usize = 1_000;
/// How many assets are looked at first, and then each time.
const FIRST: usize = 64;
const THEN: usize = 256;

statements! {
    // One row instead of a thousand: passing rows on takes longer than finding them.
    LIST_KEYS = "SELECT string_agg(CAST(hit.timeline_key AS TEXT), ' ') FROM (
          SELECT /*lite rowid AS */ timeline_key FROM search_index
          WHERE /*lite search_index MATCH $1 *//*pg words @@ $1::tsquery */ LIMIT $2) AS hit";
}

impl Db {
    /// The first `limit` assets after `after` that the query finds, if those that the index alone
    /// can tell are few; `None` if they are many.
    pub(super) async fn find_few(
        &self,
        plan: &Plan,
        after: Cursor,
        limit: usize,
    ) -> Result<Option<Vec<(Cursor, Asset)>>, DbError> {
        let Some((wanted, called)) = plan.selective() else {
            return Ok(None);
        };
        let keys = self.list_keys(&wanted).await?;
        if keys.len() >= FEW {
            return Ok(None);
        }
        let called: HashSet<i64> = match called {
            Some(called) if !keys.is_empty() => {
                self.list_keys(&called).await?.into_iter().collect()
            }
            _ => HashSet::new(),
        };
        let has_tiers = plan.has_words();
        let tier = |key: &i64| u8::from(has_tiers && !called.contains(key));
        let parts = plan.parts();
        let is_in_time = |key: &&i64| parts.iter().any(|part| part.contains(**key));
        let cursors = keys.iter().filter(is_in_time).map(|key| Cursor {
            tier: tier(key),
            key: *key,
        });
        let mut cursors: Vec<Cursor> = cursors.filter(|cursor| after.is_before(cursor)).collect();
        cursors.sort_unstable_by_key(|cursor| (cursor.tier, std::cmp::Reverse(cursor.key)));

        let mut found = Vec::new();
        let mut rest = cursors.as_slice();
        let mut size = FIRST;
        while !rest.is_empty() && found.len() < limit {
            let (now, later) = rest.split_at(size.min(rest.len()));
            (rest, size) = (later, THEN);
            let keys: Vec<i64> = now.iter().map(|cursor| cursor.key).collect();
            for asset in self.list_assets_by_key(&keys).await? {
                if plan.admits(&asset) {
                    let key = asset.timeline_key;
                    found.push((
                        Cursor {
                            tier: tier(&key),
                            key,
                        },
                        asset,
                    ));
                }
            }
        }
        found.truncate(limit);
        Ok(Some(found))
    }

    /// The timeline keys of the documents that match, in no order; not more than are few.
    async fn list_keys(&self, wanted: &Wanted) -> Result<Vec<i64>, DbError> {
        let limit = i64::try_from(FEW).unwrap_or(i64::MAX);
        let condition = wanted.render(self.engine());
        let row = self
            .fetch_optional(LIST_KEYS, args![condition, limit])
            .await?;
        let keys: Option<String> = row.map_or(Ok(None), |row| row.get(0))?;
        let keys = keys.unwrap_or_default();
        let keys = keys.split_ascii_whitespace().map(str::parse);
        keys.collect::<Result<_, _>>()
            .map_err(|error| DbError::unreadable("a timeline key", error))
    }
}
