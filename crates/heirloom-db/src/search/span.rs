//! Where in the timeline the assets lie whose dates overlap those of a query.
//!
//! The index is walked along timeline keys, and a key holds where a date *begins*. What is known to
//! the day overlaps a query only from a day before it on; "the fifties" overlap it from ten years
//! before on. So the timeline is cut into parts, in each of which only dates of a certain span can
//! still overlap, and the documents of such dates carry a word for it. What lies at an edge is
//! compared with the dates themselves.

use std::ops::RangeInclusive;

use heirloom_core::{bucket::Span, query::DateRange};

use super::document::fact_word;
use crate::timeline::{first_key, last_key, span_of_key};

/// The index's word for a date that spans so much. Most dates are exact, and most documents need
/// none.
pub(super) fn span_word(span: Span) -> Option<String> {
    let name = match span {
        Span::Day => return None,
        Span::Year => "year",
        Span::Decade => "decade",
        Span::Age => "age",
    };
    Some(fact_word("span", name))
}

/// A part of the timeline, and how much its dates must span at least to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) keys: RangeInclusive<i64>,
    pub(super) least: Span,
}

impl Part {
    pub(super) fn contains(&self, key: i64) -> bool {
        self.keys.contains(&key) && (self.least == Span::Day || span_of_key(key) <= self.least)
    }

    /// The words of which a document must have one; with none, all count.
    pub(super) fn words(&self) -> Vec<String> {
        let spans = match self.least {
            Span::Day => &[][..],
            Span::Year => &[Span::Year, Span::Decade, Span::Age],
            Span::Decade => &[Span::Decade, Span::Age],
            Span::Age => &[Span::Age],
        };
        spans.iter().copied().filter_map(span_word).collect()
    }
}

/// The parts of the timeline in which dates may overlap `range`, the newest first.
pub(super) fn parts_that_may_overlap(range: &DateRange) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut end = range.until().map_or(i64::MAX, last_key);
    if let Some(after) = end.checked_add(1) {
        // Without a beginning, a date stands where it ends.
        let keys = after..=i64::MAX;
        let least = Span::Age;
        parts.push(Part { keys, least });
    }
    for least in [Span::Day, Span::Year, Span::Decade, Span::Age] {
        // Where dates begin that last so long and still overlap.
        let begin = range.from().zip(least.width_s());
        let from = begin.map_or(0, |(from, width_s)| first_key(from.saturating_sub(width_s)));
        if from <= end {
            let keys = from..=end;
            parts.push(Part { keys, least });
        }
        end = end.min(from - 1);
    }
    parts
}

/// Parts of the timeline: ranges of keys, apart, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys(Vec<RangeInclusive<i64>>);

impl Keys {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn all() -> Self {
        Self(vec![i64::MIN..=i64::MAX])
    }

    pub(super) fn dated() -> Self {
        Self(vec![0..=i64::MAX])
    }

    pub(super) fn undated() -> Self {
        Self(vec![i64::MIN..=-1])
    }

    /// Where assets are whose dates overlap `range` however long they last: they begin (or, without
    /// a beginning, end) within it.
    pub(super) fn that_overlap(range: &DateRange) -> Self {
        let from = range.from().map_or(0, first_key);
        Self(vec![from..=range.until().map_or(i64::MAX, last_key)])
    }

    pub(super) fn contain(&self, key: i64) -> bool {
        self.0.iter().any(|range| range.contains(&key))
    }

    /// What is also in `range`.
    pub(super) fn within(&self, range: &RangeInclusive<i64>) -> Vec<RangeInclusive<i64>> {
        let both = self
            .0
            .iter()
            .map(|own| *own.start().max(range.start())..=*own.end().min(range.end()));
        both.filter(|range| !range.is_empty()).collect()
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both: Vec<_> = other
            .0
            .iter()
            .flat_map(|range| self.within(range))
            .collect();
        both.sort_by_key(|range| std::cmp::Reverse(*range.end()));
        Self(both)
    }

    /// What is in these and not in `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for gap in &other.0 {
            let mut outside = Vec::new();
            if let Some(after) = gap.end().checked_add(1) {
                outside.push(after..=i64::MAX);
            }
            if let Some(before) = gap.start().checked_sub(1) {
                outside.push(i64::MIN..=before);
            }
            rest = rest.and(&Self(outside));
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use heirloom_core::Edtf;

    use super::*;
    use crate::timeline::dated_key;

    fn interval(date: &str) -> (Option<i64>, Option<i64>) {
        date.parse::<Edtf>().unwrap().interval()
    }

    #[test]
    fn every_date_that_overlaps_is_in_a_part_for_its_span() {
        let dates = [
            "1974-05-01T12:00:00",
            "1974-05-01",
            "1974-05",
            "1974",
            "197X",
            "19XX",
            "1960/1990",
            "1970/..",
            "../1974",
            "../2020",
            "1974-12-31T23:59:59",
            "1975-01-01",
        ];
        let ranges = [
            (Some("1974"), Some("1974")),
            (Some("1974-05-01"), Some("1974-05-01")),
            (Some("1979-12-31"), None),
            (None, Some("1974-05-01")),
            (Some("2019"), Some("2021")),
        ];
        for (from, until) in ranges {
            let from = from.and_then(|date| interval(date).0);
            let until = until.and_then(|date| interval(date).1);
            let range = DateRange::new(from, until).unwrap();
            let parts = parts_that_may_overlap(&range);
            for pair in parts.windows(2) {
                assert!(
                    pair[0].keys.start() > pair[1].keys.end(),
                    "newest first, apart"
                );
            }
            for date in dates {
                let (first, last) = interval(date);
                let overlaps = first.is_none_or(|first| until.is_none_or(|until| first <= until))
                    && last.is_none_or(|last| from.is_none_or(|from| last >= from));
                let key = dated_key((first, last)).unwrap();
                let is_looked_at = parts.iter().any(|part| part.contains(key));
                assert!(is_looked_at || !overlaps, "{date} in {range}");
            }
        }
    }

    #[test]
    fn parts_of_the_timeline_are_cut_from_each_other() {
        let keys = Keys(vec![20..=30, 0..=10]);
        assert_eq!(keys.and(&Keys(vec![8..=25])), Keys(vec![20..=25, 8..=10]));
        assert_eq!(
            keys.without(&Keys(vec![5..=22])),
            Keys(vec![23..=30, 0..=4])
        );
        assert_eq!(keys.without(&Keys::all()), Keys(vec![]));
        assert_eq!(Keys::all().without(&Keys::dated()), Keys::undated());
    }
}
