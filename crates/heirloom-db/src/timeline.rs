//! The one number that orders assets in time.
//!
//! An asset's timeline key orders listings, names its document in the full-text index (so that
//! walking the index backwards is newest first) and marks the place where a page ends. Keys of dated
//! assets are not negative and hold the first second of the date, then how much time it may mean (of
//! dates that begin together the exact ones are the newest), then a counter that tells assets apart.
//! Keys of undated assets are negative and rise with the time they were added: they come after
//! everything dated and never land on 1970.

use std::collections::{HashMap, HashSet};

use crate::{
    DbError, Engine, Tx,
    sql::statements,
    value::{Value, args},
};

/// Bits of a key that count: two million assets of one second and span.
const COUNTER_BITS: u32 = 21;
/// Bits of a key that hold a [`Span`].
const SPAN_BITS: u32 = 2;
const SECOND_BITS: u32 = COUNTER_BITS + SPAN_BITS;
/// Added to a second so that it is not negative: half of what the bits above hold. It reaches from
/// about 15,400 BC to 19,300 AD; dates beyond are kept, but stand at that edge.
const SECOND_OFFSET: i64 = 1 << (62 - SECOND_BITS);

/// How much of time a date may mean, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Span {
    /// More than ten years, or open at one end.
    Age,
    /// Ten years at most.
    Decade,
    /// A year at most.
    Year,
    /// A day at most: what cameras say.
    Day,
}

impl Span {
    const ALL: [Self; 4] = [Self::Age, Self::Decade, Self::Year, Self::Day];

    /// The span of a date from its first and last second.
    pub(crate) fn of((from, until): (Option<i64>, Option<i64>)) -> Self {
        let Some((from, until)) = from.zip(until) else {
            return Self::Age;
        };
        let width_s = until.saturating_sub(from);
        let fits = |span: &Self| span.width_s().is_some_and(|most| width_s <= most);
        Self::ALL.into_iter().rfind(fits).unwrap_or(Self::Age)
    }

    /// The span of the date of the asset with that key; of an undated one it says nothing.
    pub(crate) const fn of_key(key: i64) -> Self {
        Self::ALL[((key >> COUNTER_BITS) & 3) as usize]
    }

    /// The seconds that a date of this span may last.
    pub(crate) const fn width_s(self) -> Option<i64> {
        match self {
            Self::Age => None,
            Self::Decade => Some(3_653 * 86_400),
            Self::Year => Some(366 * 86_400),
            Self::Day => Some(86_400),
        }
    }
}

statements! {
    LIST_TAKEN = "SELECT timeline_key FROM asset WHERE timeline_key IN ({list})";
    FIND_LAST = "SELECT MAX(timeline_key) FROM asset WHERE timeline_key BETWEEN $1 AND $2";
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
        let spans: Vec<Span> = keys.iter().map(|key| Span::of_key(*key)).collect();
        use Span::{Age, Day, Decade, Year};
        assert_eq!(spans, [Age, Decade, Year, Year, Day, Day]);
        assert!(last_key(-2_208_988_800) >= keys[5] && first_key(-2_208_988_800) <= keys[0]);
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
            assert_eq!(dated_key(date.interval()).map(Span::of_key), Some(span));
        }
        assert_eq!(dated_key((None, None)), None);
    }
}
