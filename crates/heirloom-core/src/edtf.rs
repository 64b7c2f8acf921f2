//! Dates as families know them: "about 1950", "some day in May 1942", "the forties".
//!
//! [`Edtf`] is the Extended Date/Time Format at levels 0 and 1 (ISO 8601-2:2019, annex A; published
//! by the Library of Congress at <https://www.loc.gov/standards/datetime/>). Level 2 is refused by
//! name. The calendar is the proleptic Gregorian one with a year 0, as in ISO 8601.
//!
//! # What the standard leaves open, and what is done here
//! - **Time without an offset** is somebody's wall clock. Its interval is computed as if it were
//!   UTC; [`Edtf::offset_minutes`] says whether an offset is known.
//! - **Approximate and uncertain dates** (`~`, `?`, `%`) keep the interval that is written: nobody
//!   knows by how much "about 1950" may be wrong, so a search widens it where it wants to.
//! - **Seasons** are the meteorological ones of the northern hemisphere: spring is March to May, and
//!   winter is December to February of the *following* year.
//! - **Unknown and open ends** of an interval both have no bound; the text keeps the difference.
//! - **Hour 24** is refused. **Second 60** is accepted where a leap second can be, which is in the
//!   last minute of a day in UTC (without an offset: at the end of a quarter of an hour, where that
//!   minute falls in some time zone), and counts as second 59, so that it stays on its day.
//! - **Offsets** reach from `-23:59` to `+23:59`, because local time was odder than today's -12 to
//!   +14 hours (Manila kept -15:56). `-00:00` is refused. `Z` is written for zero.
//! - **Years** have at most 18 digits. Seconds beyond `i64` stop at its ends.
//! - **Intervals** have dates as ends, at least one of them, without unspecified digits (that is
//!   level 2), and do not end before they begin.
//!
//! # Why not a library
//! The crate `edtf` 0.2 lets an interval end before it begins and refuses qualified long years and
//! long years in intervals. `edtf-core` 1.2 is good: on twenty million mutated examples it and
//! this module disagree only where this module has a rule above, and about `%1984?/2006%`, which is
//! level 2. But its dates can be built wrong through public fields, its bounds are whole days, it
//! has neither order nor hints, and it is young. What would have to be written around it is about
//! what is written here, and dates are kept for generations: what they mean should not hang on
//! somebody else's next release.

pub(crate) mod civil;
mod date;
mod error;
mod moment;
mod parse;
#[cfg(test)]
mod tests;

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use date::{Date, Qualifier, Season};
pub use error::InvalidEdtf;
pub use moment::Moment;

/// A date, a moment or an interval, as exact as it is known. See the [module](self) for the rules.
///
/// Printing gives the canonical text; parsing that gives the same value back. The order is that of
/// time: by where a date begins (an interval without a beginning: where it ends), and the wider
/// first, so that "1950" stands before "1950-01" and that before "1950-01-01".
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edtf(Shape);

/// What an [`Edtf`] is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// A day or something wider.
    Date(Date),
    /// A date with a time of day.
    Moment(Moment),
    /// From one date until another.
    Interval(Bound, Bound),
}

/// One end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// There is an end, but it is not known (written as nothing).
    Unknown,
    /// There is no end (written `..`).
    Open,
    /// The interval begins or ends within this date.
    Date(Date),
}

/// How exact a date is, from coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// From one date until another: ask each end.
    Interval,
    /// Somewhere within a hundred years: `19XX`.
    Century,
    /// Somewhere within ten years: `195X`.
    Decade,
    /// Somewhere within a year: `1950`, `1950-XX`, `1950-XX-XX`.
    Year,
    /// Somewhere within three months: `1950-21`.
    Season,
    /// Somewhere within a month: `1950-05`, `1950-05-XX`.
    Month,
    /// A day: `1950-05-01`.
    Day,
    /// A second: `1950-05-01T12:00:00`.
    Second,
}

impl Edtf {
    /// A year, which must have at most 18 digits.
    pub fn from_year(year: i64) -> Result<Self, InvalidEdtf> {
        Date::from_year(year).map(Self::from)
    }

    /// A month (1 to 12) of a year from -9999 to 9999.
    pub fn from_month(year: i64, month: u8) -> Result<Self, InvalidEdtf> {
        Date::from_month(year, month).map(Self::from)
    }

    /// A day that exists, of a year from -9999 to 9999.
    pub fn from_day(year: i64, month: u8, day: u8) -> Result<Self, InvalidEdtf> {
        Date::from_day(year, month, day).map(Self::from)
    }

    /// A moment from `(year, month, day)`, `(hour, minute, second)` and the minutes by which the
    /// clock was ahead of UTC, where that is known.
    pub fn from_moment(
        date: (i64, u8, u8),
        time: (u8, u8, u8),
        offset_minutes: Option<i16>,
    ) -> Result<Self, InvalidEdtf> {
        Moment::new(date, time, offset_minutes).map(|moment| Self(Shape::Moment(moment)))
    }

    /// The moment `seconds` after 1970 in UTC, told on a clock that is `offset_minutes` ahead; with
    /// no offset it is told on UTC's clock and keeps no offset. Years reach from -9999 to 9999.
    pub fn from_unix_seconds(
        seconds: i64,
        offset_minutes: Option<i16>,
    ) -> Result<Self, InvalidEdtf> {
        Moment::from_unix_seconds(seconds, offset_minutes).map(|it| Self(Shape::Moment(it)))
    }

    /// What it is made of.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.0
    }

    /// The first and the last second that it may mean, both included, in seconds since 1970 (UTC);
    /// `None` where an interval is open or its end unknown. Local times are read as UTC.
    #[must_use]
    pub fn interval(&self) -> (Option<i64>, Option<i64>) {
        let (earliest, latest) = self.span();
        (earliest.map(saturate), latest.map(saturate))
    }

    /// Where it stands on a time line, in seconds since 1970 (UTC): where it begins, or where it
    /// ends if it has no known beginning. `a <= b` implies `a.sort_key() <= b.sort_key()`.
    #[must_use]
    pub fn sort_key(&self) -> i64 {
        saturate(self.place())
    }

    /// How many minutes the clock was ahead of UTC; `None` for local times and for plain dates.
    #[must_use]
    pub const fn offset_minutes(&self) -> Option<i16> {
        match &self.0 {
            Shape::Moment(moment) => moment.offset_minutes(),
            Shape::Date(_) | Shape::Interval(..) => None,
        }
    }

    /// How exact it is, so that people can be told "somewhere in the 1950s".
    #[must_use]
    pub const fn precision(&self) -> Precision {
        match &self.0 {
            Shape::Date(date) => date.precision(),
            Shape::Moment(_) => Precision::Second,
            Shape::Interval(..) => Precision::Interval,
        }
    }

    /// Whether it, or an end of it, is marked `~` or `%`: about then.
    #[must_use]
    pub fn is_approximate(&self) -> bool {
        self.dates().any(|date| date.qualifier().is_approximate())
    }

    /// Whether it, or an end of it, is marked `?` or `%`: the source is in doubt.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.dates().any(|date| date.qualifier().is_uncertain())
    }

    fn dates(&self) -> impl Iterator<Item = Date> {
        let bound = |bound| match bound {
            Bound::Date(date) => Some(date),
            Bound::Unknown | Bound::Open => None,
        };
        let (first, second) = match self.0 {
            Shape::Date(date) => (Some(date), None),
            Shape::Moment(_) => (None, None),
            Shape::Interval(from, until) => (bound(from), bound(until)),
        };
        first.into_iter().chain(second)
    }

    /// As [`interval`](Self::interval), but exact: 18 digits of years are more seconds than `i64` has.
    fn span(&self) -> (Option<i128>, Option<i128>) {
        match self.0 {
            Shape::Date(date) => (Some(date.earliest()), Some(date.latest())),
            Shape::Moment(moment) => (Some(moment.instant()), Some(moment.instant())),
            Shape::Interval(from, until) => (
                if let Bound::Date(date) = from {
                    Some(date.earliest())
                } else {
                    None
                },
                if let Bound::Date(date) = until {
                    Some(date.latest())
                } else {
                    None
                },
            ),
        }
    }

    fn place(&self) -> i128 {
        let (earliest, latest) = self.span();
        // An interval has at least one end that is a date, so that the zero is never used.
        earliest.or(latest).unwrap_or_default()
    }
}

fn saturate(seconds: i128) -> i64 {
    i64::try_from(seconds).unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX })
}

impl Ord for Edtf {
    fn cmp(&self, other: &Self) -> Ordering {
        let width = |it: &Self| it.span().1.unwrap_or(i128::MAX);
        self.place()
            .cmp(&other.place())
            .then_with(|| width(other).cmp(&width(self)))
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Edtf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Date> for Edtf {
    fn from(date: Date) -> Self {
        Self(Shape::Date(date))
    }
}

impl From<Moment> for Edtf {
    fn from(moment: Moment) -> Self {
        Self(Shape::Moment(moment))
    }
}

impl FromStr for Edtf {
    type Err = InvalidEdtf;

    fn from_str(text: &str) -> Result<Self, InvalidEdtf> {
        parse::parse_edtf(text).map(Self)
    }
}

impl fmt::Display for Edtf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Shape::Date(date) => date.fmt(f),
            Shape::Moment(moment) => moment.fmt(f),
            Shape::Interval(from, until) => write!(f, "{from}/{until}"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::Open => f.write_str(".."),
            Self::Date(date) => date.fmt(f),
        }
    }
}

impl fmt::Debug for Edtf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edtf({self})")
    }
}

impl Serialize for Edtf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Edtf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Edtf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date such as \"1974-05-01\", \"194X\" or \"1942~\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Edtf, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}
