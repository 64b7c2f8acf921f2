//! A date with a time of day.

use std::fmt;

use super::{
    civil::{DAY_S, civil_from_days, days_from_civil},
    date::{check_day, year_text},
    error::InvalidEdtf,
};

/// One day in minutes: no offset reaches it.
const DAY_MINUTES: i16 = 24 * 60;

/// A second, as told by a clock whose distance from UTC may be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    offset_minutes: Option<i16>,
}

impl Moment {
    pub(super) fn new(
        (year, month, day): (i64, u8, u8),
        (hour, minute, second): (u8, u8, u8),
        offset_minutes: Option<i16>,
    ) -> Result<Self, InvalidEdtf> {
        check_day(year, month, day)?;
        let moment = Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            offset_minutes,
        };
        match moment.find_fault() {
            Some(fault) => Err(InvalidEdtf::of_parts(moment.to_string(), fault)),
            None => Ok(moment),
        }
    }

    pub(super) fn from_unix_seconds(
        seconds: i64,
        offset_minutes: Option<i16>,
    ) -> Result<Self, InvalidEdtf> {
        let local = seconds.saturating_add(i64::from(offset_minutes.unwrap_or(0)) * 60);
        let (days, second_of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400) as u32);
        let (hour, minute, second) = (
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        Self::new(
            civil_from_days(days),
            (hour as u8, minute as u8, second as u8),
            offset_minutes,
        )
    }

    /// What was expected instead, if the time or the offset cannot be.
    pub(super) fn find_fault(&self) -> Option<&'static str> {
        if self.hour > 23 {
            Some("an hour from 00 to 23")
        } else if self.minute > 59 {
            Some("a minute from 00 to 59")
        } else if self.second > 60 {
            Some("a second from 00 to 59")
        } else if self
            .offset_minutes
            .is_some_and(|it| it <= -DAY_MINUTES || it >= DAY_MINUTES)
        {
            Some("an offset from -23:59 to +23:59")
        } else if self.second == 60 && !self.can_be_leap_second() {
            Some("a second from 00 to 59 (60 only in the last minute of a day in UTC)")
        } else {
            None
        }
    }

    fn can_be_leap_second(&self) -> bool {
        match self.offset_minutes {
            Some(offset) => {
                let minute_of_day = i16::from(self.hour) * 60 + i16::from(self.minute);
                (minute_of_day - offset).rem_euclid(DAY_MINUTES) == DAY_MINUTES - 1
            }
            None => self.minute % 15 == 14,
        }
    }

    /// The year, month and day on the clock that told it.
    #[must_use]
    pub const fn date(&self) -> (i64, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// The hour, minute and second on the clock that told it.
    #[must_use]
    pub const fn time(&self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// How many minutes that clock was ahead of UTC, where it is known.
    #[must_use]
    pub const fn offset_minutes(&self) -> Option<i16> {
        self.offset_minutes
    }

    /// In seconds since 1970, UTC or as if it were.
    pub(super) fn instant(&self) -> i128 {
        let minutes = i128::from(self.hour) * 60 + i128::from(self.minute)
            - i128::from(self.offset_minutes.unwrap_or(0));
        days_from_civil(self.year, self.month, self.day) * DAY_S
            + minutes * 60
            + i128::from(self.second.min(59))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        let year = year_text(*year);
        write!(
            f,
            "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match self.offset_minutes {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}
