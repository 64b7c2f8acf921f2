//! The value of `date:`.

use std::fmt;

use crate::edtf::{Edtf, InvalidEdtf, Shape};

/// What stands for "no date".
pub(super) const NONE: &str = "none";

const EXAMPLES: &str = "write it as date:1974, date:1974-05-01, date:194X or date:1974..1980";

/// From one second to another, both included, or open at one end. In seconds since 1970 (UTC),
/// within the years -9999 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateRange {
    from: Option<i64>,
    until: Option<i64>,
}

/// Why a text is not a range of dates: what was expected, and what to write instead.
pub(super) struct InvalidDate {
    pub(super) expected: String,
    pub(super) hint: Option<String>,
}

impl DateRange {
    /// The range, unless it is open at both ends, ends before it begins or leaves the years in which
    /// moments can be written.
    #[must_use]
    pub fn new(from: Option<i64>, until: Option<i64>) -> Option<Self> {
        let can_be_written = |end: Option<i64>| end.is_none_or(|at| moment(at).is_some());
        let is_forward = from.zip(until).is_none_or(|(from, until)| from <= until);
        let has_end = from.is_some() || until.is_some();
        let is_valid = can_be_written(from) && can_be_written(until) && is_forward && has_end;
        is_valid.then_some(Self { from, until })
    }

    /// The first second, if there is one.
    #[must_use]
    pub const fn from(&self) -> Option<i64> {
        self.from
    }

    /// The last second, if there is one.
    #[must_use]
    pub const fn until(&self) -> Option<i64> {
        self.until
    }
}

pub(super) fn parse_range(text: &str) -> Result<DateRange, InvalidDate> {
    let text = with_two_dots(text);
    let ends = if text.contains('/') {
        None
    } else {
        text.split_once("..")
    };
    let (from, until) = match ends {
        None => parse_date(&text)?.interval(),
        Some((from, until)) if from.trim().is_empty() && until.trim().is_empty() => {
            return Err(InvalidDate {
                expected: "a date before or after the ..".to_owned(),
                hint: Some("date:1974.. is from 1974 on, date:..1980 until 1980".to_owned()),
            });
        }
        Some((from, until)) => {
            let end = |text: &str| match text.trim() {
                "" => Ok(None),
                text => parse_date(text).map(Some),
            };
            let (from, until) = (end(from)?, end(until)?);
            (
                from.and_then(|it| it.interval().0),
                until.and_then(|it| it.interval().1),
            )
        }
    };
    DateRange::new(from, until).ok_or_else(|| match (ends, from.zip(until)) {
        (Some((first, last)), Some((from, until))) if from > until => InvalidDate {
            expected: format!("an end that is not before {first}"),
            hint: Some(format!("the other way round it is date:{last}..{first}")),
        },
        _ => InvalidDate {
            expected: "years from -9999 to 9999".to_owned(),
            hint: None,
        },
    })
}

fn parse_date(text: &str) -> Result<Edtf, InvalidDate> {
    as_edtf_writes(text)
        .parse()
        .map_err(|error: InvalidEdtf| InvalidDate {
            expected: match text.contains(|c: char| c.is_ascii_digit()) {
                true => error.expected().to_owned(),
                // Where there is no digit there is no date that one character is wrong in.
                false => "a date".to_owned(),
            },
            hint: Some(error.hint().unwrap_or(EXAMPLES).to_owned()),
        })
}

/// What is clear enough that nobody should have to write it again: a range with dashes, or with
/// dots that a keyboard has put together.
fn with_two_dots(text: &str) -> String {
    text.trim()
        .replace("...", "..")
        .replace(['…', '–', '—'], "..")
}

/// And small letters, and "1950s".
fn as_edtf_writes(text: &str) -> String {
    let decade = text
        .strip_suffix('s')
        .and_then(|year| year.strip_suffix('0'));
    match decade {
        Some(years) if years.len() == 3 && years.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{years}X")
        }
        _ => text
            .replace('x', "X")
            .replace('y', "Y")
            .replace('t', "T")
            .replace('z', "Z"),
    }
}

impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (
            self.from.and_then(find_dates),
            self.until.and_then(find_dates),
        );
        // The coarsest way to write both ends exactly: years if they are whole, and so on.
        for precision in 0..4 {
            let from = from.map(|dates| dates[precision]);
            let until = until.map(|dates| dates[precision]);
            let is_exact = from.is_none_or(|date| date.interval().0 == self.from)
                && until.is_none_or(|date| date.interval().1 == self.until);
            if !is_exact {
                continue;
            }
            if let (Some(from), true) = (from, from == until) {
                return from.fmt(f);
            }
            let text = |date: Option<Edtf>| date.map(|it| it.to_string()).unwrap_or_default();
            return write!(f, "{}..{}", text(from), text(until));
        }
        Ok(())
    }
}

/// The year, month, day and second in which `at` is, unless that cannot be written.
fn find_dates(at: i64) -> Option<[Edtf; 4]> {
    let second = moment(at)?;
    let Shape::Moment(parts) = second.shape() else {
        return None;
    };
    let (year, month, day) = parts.date();
    let year_date = Edtf::from_year(year).ok()?;
    let month_date = Edtf::from_month(year, month).ok()?;
    Some([
        year_date,
        month_date,
        Edtf::from_day(year, month, day).ok()?,
        second,
    ])
}

fn moment(at: i64) -> Option<Edtf> {
    Edtf::from_unix_seconds(at, Some(0)).ok()
}
