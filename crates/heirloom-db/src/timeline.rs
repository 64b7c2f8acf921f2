//! The one number that orders assets in time.
//!
//! An asset's timeline key orders listings, names its document in the full-text index (so that
//! walking the index backwards is newest first) and marks the place where a page ends. Keys of dated
//! assets are not negative and hold the first second of the date, then how much time it may mean (of
//! dates that begin together the exact ones are the newest), then a counter that tells assets apart.
//! Keys of undated assets are negative and rise with the time they were added: they come after
//! everything dated and never land on 1970.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
};

use heirloom_core::bucket::{Bucket, Span};

use crate::{
    DbError, Engine, Tx,
    sql::statements,
    value::{Value, args},
};

/// Bits of a key that count: two million assets of one second and span.
pub(crate) const COUNTER_BITS: u32 = 21;
/// Bits of a key that hold a [`Span`].
const SPAN_BITS: u32 = 2;
const SECOND_BITS: u32 = COUNTER_BITS + SPAN_BITS;
/// Added to a second so that it is not negative: half of what the bits above hold. It reaches from
/// about 15,400 BC to 19,300 AD; dates beyond are kept, but stand at that edge.
const SECOND_OFFSET: i64 = 1 << (62 - SECOND_BITS);

statements! {
    LIST_TAKEN = "SELECT timeline_key FROM asset WHERE timeline_key IN ({list})";
    FIND_LAST = "SELECT MAX(timeline_key) FROM asset WHERE timeline_key BETWEEN $1 AND $2";
}

/// The span of the date of the asset with that key; of an undated one it says nothing.
pub(crate) const fn span_of_key(key: i64) -> Span {
    Span::ALL[((key >> COUNTER_BITS) & 3) as usize]
}

/// The bucket of the asset with that key.
#[must_use]
pub fn bucket_of_key(key: i64) -> Bucket {
    if key < 0 {
        return Bucket::UNDATED;
    }
    Bucket::of((key >> SECOND_BITS) - SECOND_OFFSET, span_of_key(key))
}

/// The keys of the assets in a bucket.
pub(crate) fn keys_of_bucket(bucket: Bucket) -> RangeInclusive<i64> {
    let Some((seconds, span)) = bucket.begins() else {
        return i64::MIN..=-1;
    };
    let mut first = first_key(seconds.start);
    if bucket_of_key(first) != bucket {
        first |= (span as i64) << COUNTER_BITS;
    }
    match span {
        Span::Day => first..=last_key(seconds.end - 1),
        _ => first..=first | ((1 << COUNTER_BITS) - 1),
    }
}

/// Of keys that come from several lists, those of a page: the newest first, from the `offset`th on.
pub(crate) fn page_of(mut keys: Vec<i64>, (offset, limit): (i64, i64)) -> Vec<i64> {
    keys.sort_unstable_by_key(|key| std::cmp::Reverse(*key));
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    keys.into_iter().skip(offset).take(limit).collect()
}

/// The least key of an asset whose date begins at `second` (seconds since 1970).
pub(crate) fn first_key(second: i64) -> i64 {
    let second = second.clamp(-SECOND_OFFSET, SECOND_OFFSET - 1);
    (second + SECOND_OFFSET) << SECOND_BITS
}

/// The greatest key of an asset whose date begins at `second`.
pub(crate) fn last_key(second: i64) -> i64 {
    first_key(second) | ((1 << SECOND_BITS) - 1)
}

/// The key at which an asset of that date (first and last second) is looked for first: where the
/// date begins, or ends if its beginning is open.
pub(crate) fn dated_key(date: (Option<i64>, Option<i64>)) -> Option<i64> {
    let second = date.0.or(date.1)?;
    Some(first_key(second) | ((Span::of(date) as i64) << COUNTER_BITS))
}

/// The key at which an undated asset that was added then is looked for first.
fn undated_key(added_at_ms: i64) -> i64 {
    i64::MIN | (added_at_ms.clamp(0, (1 << 47) - 1) << 16)
}

/// Makes other transactions wait that would allocate keys or store new bytes, until this one ends.
/// (SQLite has one writer anyway.) The number names this lock.
pub(crate) async fn lock(tx: &mut Tx) -> Result<(), DbError> {
    if tx.engine() == Engine::Postgres {
        tx.execute_script("SELECT pg_advisory_xact_lock(7024118)".to_owned())
            .await?;
    }
    Ok(())
}

/// Free keys for assets about to be stored: the key of the date, and when it was added, each.
pub(crate) async fn allocate_keys(
    tx: &mut Tx,
    assets: &[(Option<i64>, i64)],
) -> Result<Vec<i64>, DbError> {
    lock(tx).await?;
    let wanted: Vec<i64> = assets
        .iter()
        .map(|(dated, added_at_ms)| dated.unwrap_or_else(|| undated_key(*added_at_ms)))
        .collect();
    let list = wanted.iter().map(|key| Value::from(*key)).collect();
    let mut taken = HashSet::new();
    for row in tx.fetch_list(LIST_TAKEN, args![], list).await? {
        taken.insert(row.get::<i64>(0)?);
    }
    // Where the next one of the same date goes.
    let mut next: HashMap<i64, i64> = HashMap::new();
    let mut keys = Vec::with_capacity(wanted.len());
    for (first, (dated, _)) in wanted.into_iter().zip(assets) {
        let mut key = next.get(&first).copied().unwrap_or(first);
        if key == first && taken.contains(&first) {
            let bits = dated.map_or(16, |_| COUNTER_BITS);
            let last = first | ((1 << bits) - 1);
            let row = tx.fetch_optional(FIND_LAST, args![first, last]).await?;
            let highest: Option<i64> = row.map_or(Ok(None), |row| row.get(0))?;
            key = highest.map_or(first, |highest| highest + 1);
        }
        while !taken.insert(key) {
            key += 1;
        }
        next.insert(first, key + 1);
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

    #[test]
    fn of_dates_that_begin_together_the_exact_are_the_newest() {
        let texts = [
            "19XX",
            "190X",
            "1900",
            "1900-01",
            "1900-01-01",
            "1900-01-01T00:00:00",
        ];
        let keys: Vec<i64> = texts
            .iter()
            .map(|text| dated_key(text.parse::<heirloom_core::Edtf>().unwrap().interval()).unwrap())
            .collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let spans: Vec<Span> = keys.iter().map(|key| span_of_key(*key)).collect();
        use Span::{Age, Day, Decade, Year};
        assert_eq!(spans, [Age, Decade, Year, Year, Day, Day]);
        assert!(last_key(-2_208_988_800) >= keys[5] && first_key(-2_208_988_800) <= keys[0]);
    }

    #[test]
    fn each_key_is_in_the_bucket_whose_keys_have_it() {
        let ends = [first_key(i64::MIN), last_key(i64::MAX), i64::MIN, -1];
        let dates = [
            "1974",
            "1974-01",
            "1974-01-01",
            "195X",
            "1953/..",
            "-0044",
            "1969-12-31T23:59:59",
        ];
        let keys = dates.map(|text| {
            dated_key(text.parse::<heirloom_core::Edtf>().unwrap().interval()).unwrap()
        });
        let mut keys: Vec<i64> = ends.into_iter().chain(keys).collect();
        keys.extend(
            keys.clone()
                .iter()
                .flat_map(|key| [key.saturating_sub(1), key.saturating_add(1)]),
        );
        for key in keys
            .into_iter()
            .filter(|key| *key < 0 || *key >= first_key(i64::MIN))
        {
            let bucket = bucket_of_key(key);
            let range = keys_of_bucket(bucket);
            assert!(range.contains(&key), "{key} {bucket}");
            for end in [*range.start(), *range.end()] {
                assert_eq!(bucket_of_key(end), bucket, "{key} {bucket}");
            }
        }
    }

    #[test]
    fn a_date_is_told_apart_by_how_much_it_spans() {
        let cases = [
            ("1974-05-01", Span::Day),
            ("1974-05", Span::Year),
            ("1976", Span::Year),
            ("1970/1979", Span::Decade),
            ("1970/1980", Span::Age),
            ("1970/..", Span::Age),
            ("../1970", Span::Age),
        ];
        for (text, span) in cases {
            let date: heirloom_core::Edtf = text.parse().unwrap();
            assert_eq!(Span::of(date.interval()), span, "{text}");
            assert_eq!(dated_key(date.interval()).map(span_of_key), Some(span));
        }
        assert_eq!(dated_key((None, None)), None);
    }
}
