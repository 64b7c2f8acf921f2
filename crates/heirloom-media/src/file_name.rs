//! Dates in file names: a weak word, but often the only one that is left.

use crate::{
    moment::{Moment, Reading},
    notes::Notes,
};

/// How far a name is believed that has a date with time, a day, or less.
const TIMED: f32 = 0.35;
const DAY: f32 = 0.3;
const VAGUE: f32 = 0.2;

/// The years that a file can be from: the first photograph, and a bound for digits that mean other
/// things.
const YEARS: std::ops::RangeInclusive<u16> = 1826..=2099;

/// The longest name that is quoted as a source.
const SOURCE_LIMIT: usize = 200;

/// States the date that a file name has, if it has one.
pub(crate) fn read(name: &str, out: &mut Notes) {
    let Some(moment) = date_in(name) else { return };
    let confidence = match (moment.time, moment.day) {
        (Some(_), _) => TIMED,
        (None, Some(_)) => DAY,
        (None, None) => VAGUE,
    };
    let name: String = name.chars().take(SOURCE_LIMIT).collect();
    out.date(Reading::Moment(moment), &format!("name:{name}"), confidence);
}

/// The date in a file name, as exact as it is written; nothing where digits are no date.
fn date_in(name: &str) -> Option<Moment> {
    let stem = name
        .rsplit_once('.')
        .filter(|(stem, _)| !stem.is_empty())
        .map_or(name, |(stem, _)| stem);
    let runs = digit_runs(stem);
    // The first that is a date counts; each begins with a run of digits.
    (0..runs.len())
        .find_map(|at| {
            let from = runs.get(at..)?;
            compact(stem, from)
                .or_else(|| divided(stem, from))
                .or_else(|| german(stem, from))
        })
        .or_else(|| epoch(stem, &runs))
        .or_else(|| vague(stem, &runs))
}

/// A row of digits, and where it lies.
#[derive(Debug, Clone, Copy)]
struct Run<'n> {
    digits: &'n str,
    start: usize,
    end: usize,
}

impl Run<'_> {
    fn number<T: std::str::FromStr>(&self, from: usize, len: usize) -> Option<T> {
        self.digits.get(from..from.checked_add(len)?)?.parse().ok()
    }

    fn whole<T: std::str::FromStr>(&self) -> Option<T> {
        self.digits.parse().ok()
    }

    const fn len(&self) -> usize {
        self.digits.len()
    }
}

/// The most rows of digits that are looked at in one name.
const RUN_LIMIT: usize = 24;

fn digit_runs(stem: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, character) in stem.char_indices().chain([(stem.len(), ' ')]) {
        match (start, character.is_ascii_digit()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                if let Some(digits) = stem.get(from..at).filter(|_| runs.len() < RUN_LIMIT) {
                    runs.push(Run {
                        digits,
                        start: from,
                        end: at,
                    });
                }
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// What stands between two runs.
fn between<'n>(stem: &'n str, first: &Run<'_>, second: &Run<'_>) -> &'n str {
    stem.get(first.end..second.start).unwrap_or_default()
}

fn day(year: u16, month: u8, day: u8) -> Option<Moment> {
    YEARS
        .contains(&year)
        .then(|| Moment::day(year, month, day))?
}

/// `20170203_114502`, `20170203-114502123`, `20170203114502`, `20170203`.
fn compact(stem: &str, runs: &[Run<'_>]) -> Option<Moment> {
    let first = runs.first()?;
    if !matches!(first.len(), 8 | 12 | 14 | 17) {
        return None;
    }
    let moment = day(
        first.number(0, 4)?,
        first.number(4, 2)?,
        first.number(6, 2)?,
    )?;
    if first.len() > 8 {
        // The whole run is a date or it is none.
        let second = if first.len() == 12 {
            0
        } else {
            first.number(12, 2)?
        };
        return moment.at(first.number(8, 2)?, first.number(10, 2)?, second);
    }
    let time = runs.get(1).filter(|time| {
        matches!(
            between(stem, first, time),
            "_" | "-" | " " | "T" | "." | "--"
        ) && matches!(time.len(), 6 | 9)
    });
    let timed =
        time.and_then(|time| moment.at(time.number(0, 2)?, time.number(2, 2)?, time.number(4, 2)?));
    let Some(timed) = timed else {
        return Some(moment);
    };
    // Pixel telephones name pictures by the time in Greenwich.
    let is_utc = stem.starts_with("PXL_")
        || time
            .and_then(|time| stem.get(time.end..))
            .is_some_and(|rest| rest == "Z");
    Some(if is_utc {
        timed.with_offset(Some(0))
    } else {
        timed
    })
}

/// `2004-08-15 14.22.33`, `2015-01-01 at 12.30.45`, `2020-01-02-030405`, `2004-08-15`, `2004_08`.
fn divided(stem: &str, runs: &[Run<'_>]) -> Option<Moment> {
    let [year, month, day_run, rest @ ..] = runs else {
        return None;
    };
    let divider = between(stem, year, month);
    if year.len() != 4
        || month.len() != 2
        || day_run.len() != 2
        || !matches!(divider, "-" | "_" | "." | " ")
        || between(stem, month, day_run) != divider
    {
        return None;
    }
    let moment = day(year.whole()?, month.whole()?, day_run.whole()?)?;
    let Some(first) = rest.first() else {
        return Some(moment);
    };
    let joint = between(stem, day_run, first);
    if !matches!(joint, " " | "-" | "_" | "T" | " at " | "." | ", " | "--") {
        return Some(moment);
    }
    if matches!(first.len(), 6 | 9) {
        let time = moment.at(
            first.number(0, 2)?,
            first.number(2, 2)?,
            first.number(4, 2)?,
        );
        return Some(time.unwrap_or(moment));
    }
    let timed = match rest {
        [hour, minute, second, ..] if hour.len() <= 2 && minute.len() == 2 && second.len() == 2 => {
            let divider = between(stem, hour, minute);
            let is_time = matches!(divider, "." | "-" | "_" | ":" | " " | "\u{2236}")
                && between(stem, minute, second) == divider;
            let hour = is_time
                .then(|| twelve(stem, second, hour.whole()?))
                .flatten();
            hour.and_then(|hour| moment.at(hour, minute.whole()?, second.whole()?))
        }
        _ => None,
    };
    Some(timed.unwrap_or(moment))
}

/// An hour, afternoon if `PM` follows the seconds.
fn twelve(stem: &str, second: &Run<'_>, hour: u8) -> Option<u8> {
    let after = stem
        .get(second.end..)?
        .trim_start_matches([' ', '\u{202f}', '\u{a0}'])
        .to_ascii_uppercase();
    match hour {
        12 if after.starts_with("AM") => Some(0),
        1..=11 if after.starts_with("PM") => Some(hour + 12),
        _ => Some(hour),
    }
}

/// `12.08.1974`, `1.2.2004`: day, month and year with full stops.
fn german(stem: &str, runs: &[Run<'_>]) -> Option<Moment> {
    let [day_run, month, year, ..] = runs else {
        return None;
    };
    let is_date = year.len() == 4
        && day_run.len() <= 2
        && month.len() <= 2
        && between(stem, day_run, month) == "."
        && between(stem, month, year) == ".";
    // A version number has a letter in front, a longer row of numbers a full stop.
    let before = stem
        .get(..day_run.start)
        .and_then(|before| before.chars().next_back());
    if !is_date || before.is_some_and(|c| c.is_alphanumeric() || c == '.') {
        return None;
    }
    day(year.whole()?, month.whole()?, day_run.whole()?)
}

/// Milliseconds since 1970 as programs name what they receive: `FB_IMG_1548962473123`, `mmexport…`.
fn epoch(stem: &str, runs: &[Run<'_>]) -> Option<Moment> {
    let [run] = runs else { return None };
    if run.len() != 13 || run.end != stem.len() {
        return None;
    }
    let seconds = run.whole::<i64>()? / 1000;
    Moment::from_unix(seconds).filter(|moment| (2000..=2060).contains(&moment.year))
}

/// A month or year at the very beginning: `1974-08 Sylt`, `1974 Sommer`.
fn vague(stem: &str, runs: &[Run<'_>]) -> Option<Moment> {
    let year_run = runs
        .first()
        .filter(|run| run.start == 0 && run.len() == 4)?;
    let year: u16 = year_run.whole().filter(|year| YEARS.contains(year))?;
    let moment = Moment {
        year,
        month: None,
        day: None,
        time: None,
        offset_minutes: None,
    };
    if let Some(month_run) = runs.get(1)
        && month_run.len() == 2
        && matches!(between(stem, year_run, month_run), "-" | "_")
    {
        let after = stem
            .get(month_run.end..)
            .and_then(|rest| rest.chars().next());
        let month = month_run.whole().filter(|month| (1..=12).contains(month))?;
        return (!after.is_some_and(|c| matches!(c, '-' | '.') || c.is_alphanumeric())).then_some(
            Moment {
                month: Some(month),
                ..moment
            },
        );
    }
    let mut after = stem.get(year_run.end..)?.chars();
    let is_worded = after.next() == Some(' ') && after.next().is_some_and(char::is_alphabetic);
    is_worded.then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_a_name_is_read_as_exact_as_it_is_written() {
        let cases = [
            ("IMG_20170203_114502.jpg", "2017-02-03T11:45:02"),
            ("IMG_20170203_114502_1.jpg", "2017-02-03T11:45:02"),
            ("IMG20170203114502.jpg", "2017-02-03T11:45:02"),
            ("PXL_20231006_063000139.jpg", "2023-10-06T06:30:00Z"),
            ("PXL_20231006_063000139.MP.jpg", "2023-10-06T06:30:00Z"),
            ("VID_20170203_114502.mp4", "2017-02-03T11:45:02"),
            ("VID-20170203-WA0012.mp4", "2017-02-03"),
            ("IMG-20150101-WA0001.jpg", "2015-01-01"),
            ("2004-08-15 14.22.33.jpg", "2004-08-15T14:22:33"),
            ("2004-08-15 14.22.33-1.jpg", "2004-08-15T14:22:33"),
            (
                "Screenshot_20200102-030405_Chrome.png",
                "2020-01-02T03:04:05",
            ),
            (
                "Screenshot_2020-01-02-03-04-05-123_com.app.png",
                "2020-01-02T03:04:05",
            ),
            (
                "Screen Shot 2014-08-15 at 2.22.33 PM.png",
                "2014-08-15T14:22:33",
            ),
            (
                "Screenshot 2014-08-15 at 12.22.33 AM.png",
                "2014-08-15T00:22:33",
            ),
            (
                "WhatsApp Image 2015-01-01 at 12.30.45.jpeg",
                "2015-01-01T12:30:45",
            ),
            ("signal-2020-01-02-030405.jpg", "2020-01-02T03:04:05"),
            ("signal-2020-01-02-03-04-05-123.jpg", "2020-01-02T03:04:05"),
            ("20140815T142233Z.jpg", "2014-08-15T14:22:33Z"),
            ("FB_IMG_1548962473123.jpg", "2019-01-31T19:21:13Z"),
            ("1548962473123.jpg", "2019-01-31T19:21:13Z"),
            ("Brief 12.08.1974.pdf", "1974-08-12"),
            ("Oma 1.2.1954 Kiel.tif", "1954-02-01"),
            ("1974-08 Sylt.jpg", "1974-08"),
            ("1974 Sommer.jpg", "1974"),
            ("1974-08-12 Sylt 3.jpg", "1974-08-12"),
            ("19520712.tif", "1952-07-12"),
            ("Scan 2004_08_15.pdf", "2004-08-15"),
        ];
        for (name, edtf) in cases {
            let moment = date_in(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(moment.to_string(), edtf, "{name}");
        }
    }

    #[test]
    fn digits_that_are_no_date_are_none() {
        let names = [
            "DSC_1974.jpg",
            "IMG_2004.jpg",
            "P1020304.jpg",
            "DSCF20041.jpg",
            "20171332_120000.jpg",
            "99999999.jpg",
            "12345678901234.jpg",
            "1234567890123456789.jpg",
            "1974.jpg",
            "1974-1980 Album.pdf",
            "v1.2.2004.zip",
            "192.168.1.2004.txt",
            "1080p 60.mp4",
            "2004-13-01.jpg",
            "00000000.jpg",
            "20040230.jpg",
            "letter.txt",
            "",
            ".jpg",
            "1984.txt",
            "IMG_1548962473123_2.jpg",
            "9999999999999.jpg",
        ];
        for name in names {
            assert_eq!(date_in(name), None, "{name}");
        }
    }
}
