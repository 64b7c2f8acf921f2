//! The one number that orders assets in time.
//!
//! An asset's timeline key orders listings, names its document in the full-text index (so that
//! walking the index backwards is newest first) and marks the place where a page ends. Keys of dated
//! assets are not negative and hold the first second of the date above a counter that tells assets of
//! the same second apart. Keys of undated assets are negative and rise with the time they were
//! added: they come after everything dated and never land on 1970.

use std::collections::HashSet;

use crate::{
    DbError, Tx,
    sql::statements,
    value::{Value, args},
};

/// Bits of a key that count within one second: 8.4 million assets.
const COUNTER_BITS: u32 = 23;
/// Added to a second so that it is not negative: half of what the bits above the counter hold. It
/// reaches from about 15,400 BC to 19,300 AD; dates beyond are kept, but stand at that edge.
const SECOND_OFFSET: i64 = 1 << (62 - COUNTER_BITS);

statements! {
    LIST_TAKEN = "SELECT timeline_key FROM asset WHERE timeline_key IN ({list})";
    FIND_LAST = "SELECT MAX(timeline_key) FROM asset WHERE timeline_key BETWEEN $1 AND $2";
}

/// The least key of an asset whose date begins at `second` (seconds since 1970).
pub(crate) fn first_key(second: i64) -> i64 {
    let second = second.clamp(-SECOND_OFFSET, SECOND_OFFSET - 1);
    (second + SECOND_OFFSET) << COUNTER_BITS
}

/// The greatest key of an asset whose date begins at `second`.
pub(crate) fn last_key(second: i64) -> i64 {
    first_key(second) | ((1 << COUNTER_BITS) - 1)
}

/// The key at which an undated asset that was added then is looked for first.
fn undated_key(added_at_ms: i64) -> i64 {
    i64::MIN | (added_at_ms.clamp(0, (1 << 47) - 1) << 16)
}

/// Free keys for assets about to be stored: (first second of the date, when it was added) each.
pub(crate) async fn allocate_keys(
    tx: &mut Tx,
    assets: &[(Option<i64>, i64)],
) -> Result<Vec<i64>, DbError> {
    let wanted: Vec<i64> = assets
        .iter()
        .map(|(second, added_at_ms)| second.map_or_else(|| undated_key(*added_at_ms), first_key))
        .collect();
    let list = wanted.iter().map(|key| Value::from(*key)).collect();
    let mut taken = HashSet::new();
    for row in tx.fetch_list(LIST_TAKEN, args![], list).await? {
        taken.insert(row.get::<i64>(0)?);
    }
    let mut keys = Vec::with_capacity(wanted.len());
    for (first, (second, _)) in wanted.into_iter().zip(assets) {
        let mut key = first;
        if taken.contains(&first) {
            let last = second.map_or(key | 0xffff, last_key);
            let row = tx.fetch_optional(FIND_LAST, args![first, last]).await?;
            let highest: Option<i64> = row.map_or(Ok(None), |row| row.get(0))?;
            key = highest.map_or(first, |highest| highest + 1);
            while taken.contains(&key) {
                key += 1;
            }
        }
        taken.insert(key);
        keys.push(key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_dates_do_and_undated_come_last() {
        let seconds = [
            i64::MIN,
            -1_000_000_000_000,
            -1,
            0,
            1,
            4_000_000_000,
            i64::MAX,
        ];
        for pair in seconds.windows(2) {
            assert!(first_key(pair[0]) <= first_key(pair[1]), "{pair:?}");
        }
        assert!(last_key(-1) < first_key(0));
        assert!(first_key(i64::MIN) >= 0);
        assert!(last_key(i64::MAX) > 0);
        assert!(undated_key(i64::MAX) < 0);
        assert!(undated_key(5) < undated_key(6));
    }
}
