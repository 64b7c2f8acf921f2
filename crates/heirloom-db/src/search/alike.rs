//! Queries for what looks like a picture: the most alike first, whatever else is asked for.

use std::collections::{BTreeMap, HashSet};

use heirloom_core::{Bucket, MediaKind};

use super::{
    Cursor,
    document::fact_word,
    expression::{Expression, Wanted},
    plan::Plan,
};
use crate::{
    Db, DbError,
    asset::Asset,
    sql::statements,
    timeline,
    value::{Value, args},
};

/// The most that are found: a cursor counts them.
const MOST: usize = 250;
/// How many are looked at each time.
const AT_ONCE: usize = 250;

statements! {
    LIST_AMONG = "SELECT /*lite rowid *//*pg timeline_key */ FROM search_index
        WHERE /*lite search_index MATCH $1 AND rowid *//*pg words @@ $1::tsquery AND timeline_key */ IN ({list})";
}

impl Db {
    /// Those of the assets with these keys that a query means and the actor may see, in this order.
    pub(super) async fn find_alike(
        &self,
        plan: &Plan,
        alike: &[i64],
    ) -> Result<Vec<(Cursor, Asset)>, DbError> {
        let mut wanted = plan.whole();
        let has_words = !wanted.all.is_empty() || !wanted.none.is_empty();
        if wanted.all.is_empty() {
            wanted.all.push(any_kind());
        }
        let mut found = Vec::new();
        for keys in alike.chunks(AT_ONCE) {
            let mut keys = keys.to_vec();
            if has_words {
                let among = self.list_among(&wanted, &keys).await?;
                keys.retain(|key| among.contains(key));
            }
            for asset in self.list_assets_by_key(&keys).await? {
                let key = asset.timeline_key;
                if let Ok(tier) = u8::try_from(found.len())
                    && found.len() < MOST
                    && plan.admits(&asset)
                {
                    found.push((Cursor { tier, key }, asset));
                }
            }
            if found.len() == MOST {
                break;
            }
        }
        Ok(found)
    }

    async fn list_among(&self, wanted: &Wanted, keys: &[i64]) -> Result<HashSet<i64>, DbError> {
        let condition = wanted.render(self.engine());
        let list = keys.iter().map(|key| Value::from(*key)).collect();
        let rows = self.fetch_list(LIST_AMONG, args![condition], list).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// Each document has one of these words.
fn any_kind() -> Expression {
    let words = MediaKind::ALL.map(|kind| fact_word("kind", kind.as_str()));
    Expression::Any(words.into_iter().map(Expression::word).collect())
}

/// How many of these assets are in each bucket.
pub(super) fn count(found: &[i64]) -> BTreeMap<Bucket, i64> {
    let mut counts = BTreeMap::new();
    for key in found {
        *counts.entry(timeline::bucket_of_key(*key)).or_default() += 1;
    }
    counts
}
