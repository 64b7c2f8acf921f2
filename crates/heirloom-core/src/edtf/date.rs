//! A date without a time of day.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    Precision,
    civil::{DAY_S, days_from_civil, month_days},
    error::InvalidEdtf,
};

/// The years of which months and days can be written.
pub(super) const LAST_FOUR_DIGIT_YEAR: i64 = 9_999;

/// The last year that can be written.
pub(super) const LAST_YEAR: i64 = 999_999_999_999_999_999;

/// A day, or something wider that is known to contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    pub(super) year: i64,
    pub(super) detail: Detail,
    pub(super) qualifier: Qualifier,
}

/// What is known beyond the year, or that not even the year is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Detail {
    /// `19XX`; the year is the first of the century.
    Century,
    /// `195X`; the year is the first of the decade.
    Decade,
    /// `1950`
    Year,
    /// `1950-XX`
    AnyMonth,
    /// `1950-XX-XX`
    AnyMonthAndDay,
    /// `1950-21`
    Season(Season),
    /// `1950-05`
    Month(u8),
    /// `1950-05-XX`
    AnyDay(u8),
    /// `1950-05-01`
    Day(u8, u8),
}

/// A quarter of a year; see the [module](super) for its months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Season {
    /// 21: March to May.
    Spring,
    /// 22: June to August.
    Summer,
    /// 23: September to November.
    Autumn,
    /// 24: December to February of the following year.
    Winter,
}

/// How sure a date is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// As written.
    #[default]
    Sure,
    /// `?`: the source is in doubt.
    Uncertain,
    /// `~`: about then.
    Approximate,
    /// `%`: about then, and the source is in doubt.
    UncertainAndApproximate,
}

impl Date {
    pub(super) fn from_year(year: i64) -> Result<Self, InvalidEdtf> {
        if year.unsigned_abs() > LAST_YEAR.unsigned_abs() {
            return Err(InvalidEdtf::of_parts(
                format!("year {year}"),
                "at most 18 digits",
            ));
        }
        Ok(Self::sure(year, Detail::Year))
    }

    pub(super) fn from_month(year: i64, month: u8) -> Result<Self, InvalidEdtf> {
        check_month(year, month)?;
        Ok(Self::sure(year, Detail::Month(month)))
    }

    pub(super) fn from_day(year: i64, month: u8, day: u8) -> Result<Self, InvalidEdtf> {
        check_day(year, month, day)?;
        Ok(Self::sure(year, Detail::Day(month, day)))
    }

    const fn sure(year: i64, detail: Detail) -> Self {
        Self {
            year,
            detail,
            qualifier: Qualifier::Sure,
        }
    }

    /// The year, or the first year of the decade or century.
    #[must_use]
    pub const fn year(&self) -> i64 {
        self.year
    }

    /// The month, 1 to 12, where it is known.
    #[must_use]
    pub const fn month(&self) -> Option<u8> {
        match self.detail {
            Detail::Month(month) | Detail::AnyDay(month) | Detail::Day(month, _) => Some(month),
            _ => None,
        }
    }

    /// The season, where that is what is known.
    #[must_use]
    pub const fn season(&self) -> Option<Season> {
        match self.detail {
            Detail::Season(season) => Some(season),
            _ => None,
        }
    }

    /// The day of the month, 1 to 31, where it is known.
    #[must_use]
    pub const fn day(&self) -> Option<u8> {
        match self.detail {
            Detail::Day(_, day) => Some(day),
            _ => None,
        }
    }

    /// How sure it is.
    #[must_use]
    pub const fn qualifier(&self) -> Qualifier {
        self.qualifier
    }

    /// How exact it is.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        match self.detail {
            Detail::Century => Precision::Century,
            Detail::Decade => Precision::Decade,
            Detail::Year | Detail::AnyMonth | Detail::AnyMonthAndDay => Precision::Year,
            Detail::Season(_) => Precision::Season,
            Detail::Month(_) | Detail::AnyDay(_) => Precision::Month,
            Detail::Day(..) => Precision::Day,
        }
    }

    pub(super) const fn has_unspecified_digits(&self) -> bool {
        matches!(
            self.detail,
            Detail::Century
                | Detail::Decade
                | Detail::AnyMonth
                | Detail::AnyMonthAndDay
                | Detail::AnyDay(_)
        )
    }

    /// Its first second.
    pub(super) fn earliest(&self) -> i128 {
        let (month, day) = match self.detail {
            Detail::Month(month) | Detail::AnyDay(month) => (month, 1),
            Detail::Day(month, day) => (month, day),
            Detail::Season(season) => (season.first_month(), 1),
            _ => (1, 1),
        };
        days_from_civil(self.year, month, day) * DAY_S
    }

    /// Its last second.
    pub(super) fn latest(&self) -> i128 {
        let (year, month, day) = match self.detail {
            Detail::Century => (self.year + 99, 12, 31),
            Detail::Decade => (self.year + 9, 12, 31),
            Detail::Year | Detail::AnyMonth | Detail::AnyMonthAndDay => (self.year, 12, 31),
            Detail::Season(Season::Winter) => (self.year + 1, 2, month_days(self.year + 1, 2)),
            Detail::Season(season) => {
                let month = season.first_month() + 2;
                (self.year, month, month_days(self.year, month))
            }
            Detail::Month(month) | Detail::AnyDay(month) => {
                (self.year, month, month_days(self.year, month))
            }
            Detail::Day(month, day) => (self.year, month, day),
        };
        (days_from_civil(year, month, day) + 1) * DAY_S - 1
    }
}

impl Season {
    const ALL: [Self; 4] = [Self::Spring, Self::Summer, Self::Autumn, Self::Winter];

    /// The season that `number`, 21 to 24, stands for.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|season| season.number() == number)
    }

    const fn number(self) -> u8 {
        21 + self as u8
    }

    const fn first_month(self) -> u8 {
        3 + 3 * self as u8
    }
}

impl Qualifier {
    /// Whether it is about then: `~` or `%`.
    #[must_use]
    pub const fn is_approximate(self) -> bool {
        matches!(self, Self::Approximate | Self::UncertainAndApproximate)
    }

    /// Whether the source is in doubt: `?` or `%`.
    #[must_use]
    pub const fn is_uncertain(self) -> bool {
        matches!(self, Self::Uncertain | Self::UncertainAndApproximate)
    }

    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'?' => Some(Self::Uncertain),
            b'~' => Some(Self::Approximate),
            b'%' => Some(Self::UncertainAndApproximate),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sure => "",
            Self::Uncertain => "?",
            Self::Approximate => "~",
            Self::UncertainAndApproximate => "%",
        }
    }
}

pub(super) fn check_day(year: i64, month: u8, day: u8) -> Result<(), InvalidEdtf> {
    check_month(year, month)?;
    let last = month_days(year, month);
    if !(1..=last).contains(&day) {
        return Err(InvalidEdtf::of_parts(
            format!("{}-{month:02}-{day:02}", year_text(year)),
            format!("a day from 01 to {last}"),
        ));
    }
    Ok(())
}

fn check_month(year: i64, month: u8) -> Result<(), InvalidEdtf> {
    let text = || format!("{}-{month:02}", year_text(year));
    if year.unsigned_abs() > LAST_FOUR_DIGIT_YEAR.unsigned_abs() {
        return Err(InvalidEdtf::of_parts(
            text(),
            "a year from -9999 to 9999 with months",
        ));
    }
    if !(1..=12).contains(&month) {
        return Err(InvalidEdtf::of_parts(text(), "a month from 01 to 12"));
    }
    Ok(())
}

pub(super) fn year_text(year: i64) -> String {
    match year {
        0..=LAST_FOUR_DIGIT_YEAR => format!("{year:04}"),
        // The sign is one of the five.
        -9_999..0 => format!("{year:05}"),
        _ => format!("Y{year}"),
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = year_text(self.year);
        match self.detail {
            Detail::Century => write!(f, "{:02}XX", self.year / 100)?,
            Detail::Decade => write!(f, "{:03}X", self.year / 10)?,
            Detail::Year => f.write_str(&year)?,
            Detail::AnyMonth => write!(f, "{year}-XX")?,
            Detail::AnyMonthAndDay => write!(f, "{year}-XX-XX")?,
            Detail::Season(season) => write!(f, "{year}-{}", season.number())?,
            Detail::Month(month) => write!(f, "{year}-{month:02}")?,
            Detail::AnyDay(month) => write!(f, "{year}-{month:02}-XX")?,
            Detail::Day(month, day) => write!(f, "{year}-{month:02}-{day:02}")?,
        }
        f.write_str(self.qualifier.as_str())
    }
}
