//! Dates as cameras, programs and people write them, turned into EDTF.

use heirloom_core::Edtf;

/// A date, with a time of day where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// 1 to 9999.
    pub(crate) year: u16,
    /// 1 to 12.
    pub(crate) month: Option<u8>,
    /// 1 to 31, fitting the month.
    pub(crate) day: Option<u8>,
    /// Hour, minute, second.
    pub(crate) time: Option<(u8, u8, u8)>,
    /// Minutes east of UTC.
    pub(crate) offset_minutes: Option<i16>,
}

/// What stands where a date is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A date.
    Moment(Moment),
    /// Nothing: blanks or zeros, as a camera writes whose clock was never set.
    Blank,
    /// Something that is no date.
    Unreadable,
}

impl Reading {
    /// The date, if there is one.
    pub(crate) const fn moment(self) -> Option<Moment> {
        match self {
            Self::Moment(moment) => Some(moment),
            Self::Blank | Self::Unreadable => None,
        }
    }
}

impl Moment {
    /// A day without time, if the calendar has it.
    pub(crate) fn day(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        exists.then_some(Self {
            year,
            month: Some(month),
            day: Some(day),
            time: None,
            offset_minutes: None,
        })
    }

    /// The same day at a time, if the day has it. A leap second counts as the one before it.
    pub(crate) fn at(mut self, hour: u8, minute: u8, second: u8) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 60 || self.day.is_none() {
            return None;
        }
        self.time = Some((hour, minute, second.min(59)));
        Some(self)
    }

    /// The same time, said to be so many minutes east of UTC. Without a time of day, or with an
    /// offset that no place on Earth has, nothing changes.
    pub(crate) fn with_offset(mut self, minutes: Option<i16>) -> Self {
        if let Some(minutes) = minutes.filter(|m| m.unsigned_abs() <= 14 * 60)
            && self.time.is_some()
        {
            self.offset_minutes = Some(minutes);
        }
        self
    }

    /// Seconds since 1970 as UTC; `None` outside the years 1 to 9999.
    pub(crate) fn from_unix(seconds: i64) -> Option<Self> {
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        // Days to civil date after Howard Hinnant, "chrono-compatible low-level date algorithms".
        let shifted = days.checked_add(719_468)?;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let part = |number: i64| u8::try_from(number).ok();
        Self::day(u16::try_from(year).ok()?, part(month)?, part(day)?)?
            .at(part(rest / 3600)?, part(rest / 60 % 60)?, part(rest % 60)?)
            .map(|moment| moment.with_offset(Some(0)))
    }

    /// Reads a date in any of the forms that metadata has: `2005:03:18 22:15:08`,
    /// `2005-03-18T22:15:08.12+01:00`, `2005-03`, `1952:  :     :  :  `, `20050318`.
    pub(crate) fn read(text: &str) -> Reading {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if !text.chars().any(|c| c.is_ascii_digit() && c != '0') {
            let is_blank = text.chars().all(|c| c == '0' || !c.is_alphanumeric());
            return if is_blank || text.starts_with("0000") {
                Reading::Blank
            } else {
                Reading::Unreadable
            };
        }
        Scan { rest: text }
            .date_time()
            .map_or(Reading::Unreadable, Reading::Moment)
    }

    /// As EDTF; seconds are the finest that it knows.
    pub(crate) fn edtf(self) -> Option<Edtf> {
        let year = i64::from(self.year);
        let edtf = match (self.month, self.day, self.time) {
            (None, ..) => Edtf::from_year(year),
            (Some(month), None, _) => Edtf::from_month(year, month),
            (Some(month), Some(day), None) => Edtf::from_day(year, month, day),
            (Some(month), Some(day), Some(time)) => {
                Edtf::from_moment((year, month, day), time, self.offset_minutes)
            }
        };
        edtf.ok()
    }

    /// Whether this is the very first second of a year: what programs write who know the year alone,
    /// and what clocks show that were never set.
    pub(crate) fn is_first_of_year(self) -> bool {
        (self.month, self.day, self.time) == (Some(1), Some(1), Some((0, 0, 0)))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.year)?;
        let Some(month) = self.month else {
            return Ok(());
        };
        write!(f, "-{month:02}")?;
        let Some(day) = self.day else { return Ok(()) };
        write!(f, "-{day:02}")?;
        let Some((hour, minute, second)) = self.time else {
            return Ok(());
        };
        write!(f, "T{hour:02}:{minute:02}:{second:02}")?;
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

/// Reads an offset such as `+01:00`, `-0330`, `+2` or `Z`.
pub(crate) fn read_offset(text: &str) -> Option<i16> {
    let mut scan = Scan {
        rest: text.trim_matches(|c: char| c.is_whitespace() || c == '\0'),
    };
    scan.offset()
}

/// How many days a month has.
fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    fn date_time(&mut self) -> Option<Moment> {
        let year = u16::try_from(self.digits(4, 4)?)
            .ok()
            .filter(|year| *year > 0)?;
        let mut moment = Moment {
            year,
            month: None,
            day: None,
            time: None,
            offset_minutes: None,
        };
        let is_compact = self.rest.starts_with(|c: char| c.is_ascii_digit());
        if self.rest.is_empty() || (!is_compact && !self.skip_one([':', '-', '/', '.', ' ', '_'])) {
            return self.rest.is_empty().then_some(moment);
        }
        // An unknown month or day is blank or zero; what follows it is no use then.
        let Some(month) = self.two_digits().filter(|month| *month > 0) else {
            let has_word = self
                .rest
                .contains(|c: char| c.is_ascii_alphabetic() || ('1'..='9').contains(&c));
            return (!has_word).then_some(moment);
        };
        if month > 12 {
            return None;
        }
        moment.month = Some(month);
        if self.rest.is_empty() || (!is_compact && !self.skip_one([':', '-', '/', '.', ' ', '_'])) {
            return self.rest.is_empty().then_some(moment);
        }
        let Some(day) = self.two_digits().filter(|day| *day > 0) else {
            return Some(moment);
        };
        let mut moment = Moment::day(year, month, day)?;
        self.rest = self.rest.trim_start_matches(['T', 't', ' ', '_', ',', '/']);
        // Without a readable time the day still stands.
        if let Some(timed) = self.time().and_then(|(h, m, s)| moment.at(h, m, s)) {
            moment = timed;
            self.rest = self.rest.trim_start();
            moment = moment.with_offset(self.offset());
        }
        Some(moment)
    }

    fn time(&mut self) -> Option<(u8, u8, u8)> {
        self.rest = self.rest.trim_start();
        let hour = self.two_digits()?;
        self.skip_one([':', '.', '-']);
        let minute = self.two_digits()?;
        if !self.skip_one([':', '.']) && !self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Some((hour, minute, 0));
        }
        let second = self.two_digits().unwrap_or(0);
        if self.skip_one(['.', ',']) {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        Some((hour, minute, second))
    }

    fn offset(&mut self) -> Option<i16> {
        if self.rest.starts_with(['Z', 'z']) {
            return Some(0);
        }
        let sign: i16 = if self.skip_one(['+']) {
            1
        } else if self.skip_one(['-', '−']) {
            -1
        } else {
            return None;
        };
        let hours = i16::from(self.two_digits()?);
        self.skip_one([':']);
        let minutes = i16::from(self.two_digits().unwrap_or(0));
        (minutes < 60).then_some(sign * (hours * 60 + minutes))
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        digits.parse().ok()
    }

    /// One or two digits; a leading blank counts as a zero, as some cameras write it.
    fn two_digits(&mut self) -> Option<u8> {
        if let Some(after) = self.rest.strip_prefix(' ')
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            self.rest = after;
            return self
                .digits(1, 1)
                .and_then(|number| u8::try_from(number).ok());
        }
        self.digits(1, 2)
            .and_then(|number| u8::try_from(number).ok())
    }

    fn skip_one<const N: usize>(&mut self, any: [char; N]) -> bool {
        match self.rest.strip_prefix(any) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_however_cameras_and_programs_write_it() {
        let cases = [
            ("2005:03:18 22:15:08", "2005-03-18T22:15:08"),
            ("2005:03:18 22:15:08\0", "2005-03-18T22:15:08"),
            (
                "2005-03-18T22:15:08.1234+01:00",
                "2005-03-18T22:15:08+01:00",
            ),
            ("2004:06:21 2:37:53", "2004-06-21T02:37:53"),
            ("2004:06:21  2:37:53", "2004-06-21T02:37:53"),
            ("2009:09:09 20:27:09.60:04:00", "2009-09-09T20:27:09"),
            ("2020-04-24 17:44:15 ", "2020-04-24T17:44:15"),
            ("2022-01-10T15:15Z", "2022-01-10T15:15:00Z"),
            ("2022-01-10T15:15-03:30", "2022-01-10T15:15:00-03:30"),
            ("20040621T233753+0100", "2004-06-21T23:37:53+01:00"),
            ("20040621", "2004-06-21"),
            ("2004-06", "2004-06"),
            ("1952", "1952"),
            ("1952:  :     :  :  ", "1952"),
            ("1952:07:     :  :  ", "1952-07"),
            ("1952:07:00 00:00:00", "1952-07"),
            ("1952:00:00 00:00:00", "1952"),
            ("2016:12:31 23:59:60", "2016-12-31T23:59:59"),
            ("2008:02:29 25:00:00", "2008-02-29"),
            ("2022-01-10T15:15:00+99:00", "2022-01-10T15:15:00"),
        ];
        for (text, edtf) in cases {
            let moment = Moment::read(text)
                .moment()
                .unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!(moment.to_string(), edtf, "{text:?}");
            assert_eq!(moment.edtf().unwrap().to_string(), edtf, "{text:?}");
        }
    }

    #[test]
    fn blanks_and_zeros_are_no_date_and_other_things_are_unreadable() {
        for blank in [
            "",
            "    :  :     :  :  ",
            "0000:00:00 00:00:00",
            "0000-00-00",
            "\0\0",
        ] {
            assert_eq!(Moment::read(blank), Reading::Blank, "{blank:?}");
        }
        for bad in [
            "yesterday",
            "2007:02:29 10:00:00",
            "2007:13:01",
            "12",
            "20",
            "1a52:01:01",
            "2004 summer",
        ] {
            assert_eq!(Moment::read(bad), Reading::Unreadable, "{bad:?}");
        }
    }

    #[test]
    fn seconds_since_1970_are_the_day_that_they_are() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_565_000_000, "2019-08-05T10:13:20Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(Moment::from_unix(seconds).unwrap().to_string(), text);
        }
        assert_eq!(Moment::from_unix(i64::MAX), None);
        assert_eq!(Moment::from_unix(i64::MIN), None);
    }
}
