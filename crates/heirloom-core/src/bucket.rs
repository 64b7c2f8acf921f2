//! The stretches of time under which a timeline shows what there is.
//!
//! A bucket is a month, and beside the months stand those for dates that are vaguer than one: "some time
//! in 1974" before January of that year, "the fifties" before the year 1950. They follow one another
//! without a gap and in one order, so that each bucket is one stretch of the timeline.

use std::{fmt, ops::Range, str::FromStr};

use crate::edtf::civil::{DAY_S, civil_from_days, days_from_civil};

/// How much of time a date may mean, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
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
    /// Every span.
    pub const ALL: [Self; 4] = [Self::Age, Self::Decade, Self::Year, Self::Day];

    /// The span of a date from its first and last second; `None` where it is open.
    #[must_use]
    pub fn of((from, until): (Option<i64>, Option<i64>)) -> Self {
        let Some((from, until)) = from.zip(until) else {
            return Self::Age;
        };
        let width_s = until.saturating_sub(from);
        let fits = |span: &Self| span.width_s().is_some_and(|most| width_s <= most);
        Self::ALL.into_iter().rfind(fits).unwrap_or(Self::Age)
    }

    /// The seconds that a date of this span may last, if they are bounded.
    #[must_use]
    pub const fn width_s(self) -> Option<i64> {
        match self {
            Self::Age => None,
            Self::Decade => Some(3_653 * 86_400),
            Self::Year => Some(366 * 86_400),
            Self::Day => Some(86_400),
        }
    }
}

/// A stretch of a timeline. The greater is the newer; what has no date is the least of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(i64);

/// A text that names no bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no part of a timeline: it is a month (1974-05), a year (1974), a decade (195X), an interval \
     (1953/1962, 1953/..) or \"undated\""
)]
pub struct InvalidBucket(String);

impl Bucket {
    /// What has no date.
    pub const UNDATED: Self = Self(-(1 << 40));

    /// The bucket of a date that begins at this second since 1970 and spans so much.
    ///
    /// A date that is only a year begins with its first second. So what spans much stands apart only
    /// where a year begins; elsewhere it is in the month in which it begins.
    #[must_use]
    pub fn of(second: i64, span: Span) -> Self {
        let day_s = DAY_S as i64;
        let (year, month, day) = civil_from_days(second.div_euclid(day_s));
        let begins_year = (month, day, second.rem_euclid(day_s)) == (1, 1, 0);
        let span = if begins_year { span } else { Span::Day };
        Self::new(year, month, span)
    }

    fn new(year: i64, month: u8, span: Span) -> Self {
        let months = year * 12 + i64::from(month) - 1;
        Self(months * 4 + span as i64)
    }

    /// The number by which the catalogue knows it.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The bucket with that number.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The seconds since 1970 at which dates in it begin, and how much they span; nothing for what has
    /// no date. What spans more than a day begins at the first of these seconds.
    #[must_use]
    pub fn begins(self) -> Option<(Range<i64>, Span)> {
        if self == Self::UNDATED {
            return None;
        }
        let (year, month, span) = self.parts();
        let next = match month {
            12 => (year + 1, 1),
            month => (year, month + 1),
        };
        let second = |(year, month)| (days_from_civil(year, month, 1) * DAY_S) as i64;
        Some((second((year, month))..second(next), span))
    }

    fn parts(self) -> (i64, u8, Span) {
        let months = self.0.div_euclid(4);
        let month = months.rem_euclid(12) as u8 + 1;
        let span = Span::ALL[self.0.rem_euclid(4) as usize];
        (months.div_euclid(12), month, span)
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "undated" {
            return Some(Self::UNDATED);
        }
        if let Some((from, until)) = text.split_once('/') {
            let span = match until {
                ".." => Span::Age,
                _ => Span::Decade,
            };
            return Some(Self::new(parse_year(from)?, 1, span));
        }
        if let Some(decade) = text.strip_suffix('X') {
            return Some(Self::new(
                parse_year(&format!("{decade}0"))?,
                1,
                Span::Decade,
            ));
        }
        match text.rsplit_once('-') {
            Some((year, month)) if !year.is_empty() => {
                let month = month
                    .parse()
                    .ok()
                    .filter(|month| (1..=12).contains(month))?;
                Some(Self::new(parse_year(year)?, month, Span::Day))
            }
            _ => Some(Self::new(parse_year(text)?, 1, Span::Year)),
        }
    }
}

/// Years have four digits, or a letter in front (EDTF level 1).
fn parse_year(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('Y').unwrap_or(text);
    digits
        .parse()
        .ok()
        .filter(|year: &i64| year.abs() < 1_000_000)
}

struct Year(i64);

impl fmt::Display for Year {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..=9_999 => write!(f, "{:04}", self.0),
            -9_999..0 => write!(f, "-{:04}", -self.0),
            _ => write!(f, "Y{}", self.0),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNDATED {
            return f.write_str("undated");
        }
        let (year, month, span) = self.parts();
        match span {
            Span::Age => write!(f, "{}/..", Year(year)),
            Span::Decade if (0..10_000).contains(&year) && year % 10 == 0 => {
                write!(f, "{:03}X", year / 10)
            }
            Span::Decade => write!(f, "{}/{}", Year(year), Year(year + 9)),
            Span::Year => Year(year).fmt(f),
            Span::Day => write!(f, "{}-{month:02}", Year(year)),
        }
    }
}

impl FromStr for Bucket {
    type Err = InvalidBucket;

    /// Reads what [`Display`](fmt::Display) writes, and nothing else.
    fn from_str(text: &str) -> Result<Self, InvalidBucket> {
        Self::parse(text)
            .filter(|bucket| bucket.to_string() == text)
            .ok_or_else(|| InvalidBucket(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edtf;

    #[test]
    fn a_date_is_in_the_bucket_that_says_how_much_is_known() {
        let cases = [
            ("1974-05-17T12:00:00", Span::Day, "1974-05"),
            ("1974-05-01", Span::Day, "1974-05"),
            ("1974-01-01", Span::Day, "1974-01"),
            ("1974-05", Span::Year, "1974-05"),
            ("1974", Span::Year, "1974"),
            ("195X", Span::Decade, "195X"),
            ("1953/1960", Span::Decade, "1953/1962"),
            ("19XX", Span::Age, "1900/.."),
            ("1953/..", Span::Age, "1953/.."),
            ("-0044-03", Span::Year, "-0044-03"),
            ("-0044", Span::Year, "-0044"),
            ("Y12000", Span::Year, "Y12000"),
        ];
        for (date, span, name) in cases {
            let begin = date.parse::<Edtf>().unwrap().interval().0.unwrap();
            let bucket = Bucket::of(begin, span);
            assert_eq!(bucket.to_string(), name, "{date}");
            assert_eq!(name.parse(), Ok(bucket), "{date}");
            let (seconds, _) = bucket.begins().unwrap();
            assert!(seconds.contains(&begin), "{date}");
            assert!(bucket > Bucket::UNDATED);
        }
        assert_eq!("undated".parse(), Ok(Bucket::UNDATED));
        assert_eq!(Bucket::UNDATED.begins(), None);
    }

    #[test]
    fn what_is_vaguer_comes_before_the_months_of_its_year() {
        let names = [
            "undated", "-0044-03", "1949-12", "1950/..", "195X", "1950", "1950-01", "1950-02",
            "1951", "1951-01",
        ];
        let buckets = names.map(|name| name.parse::<Bucket>().unwrap());
        assert!(buckets.is_sorted(), "{buckets:?}");
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        for text in [
            "",
            "1974-13",
            "1974-00",
            "1974-5",
            "74",
            "01974",
            "1974-05-01",
            "1953/1961",
            "1950/1959",
            "X",
            "195x",
            "undated ",
            "-",
            "1974-",
            "Y1974",
            "Y99999999999999999999",
        ] {
            let refused = text.parse::<Bucket>().unwrap_err().to_string();
            assert!(refused.contains("is no part of a timeline"), "{refused}");
        }
    }
}
