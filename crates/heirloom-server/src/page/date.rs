//! Dates as people say them: "about 1950", "summer 1963", "1942 to 1945".

use heirloom_core::{
    Edtf,
    edtf::{Bound, Date, Precision, Qualifier, Season, Shape},
};

use crate::words::{Language, Word};

/// The date in the reader's words.
pub(crate) fn in_words(language: Language, date: &Edtf) -> String {
    match date.shape() {
        Shape::Date(date) => qualified(language, &date),
        Shape::Moment(moment) => {
            let ((year, month, day), (hour, minute, _)) = (moment.date(), moment.time());
            let date = day_in_words(language, year, month, day);
            let time = format!("{hour}:{minute:02}");
            language.fill(Word::At, &[("date", &date), ("time", &time)])
        }
        Shape::Interval(from, until) => interval(language, from, until),
    }
}

/// A day, given as milliseconds since 1970, as it is in UTC.
pub(crate) fn day_of_ms(language: Language, at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(
        |_| String::new(),
        |at| {
            let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
            let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
            day_in_words(language, date.year().into(), month, day)
        },
    )
}

fn qualified(language: Language, date: &Date) -> String {
    let plain = plain(language, date);
    let word = match date.qualifier() {
        Qualifier::Sure => return plain,
        Qualifier::Approximate => Word::About,
        Qualifier::Uncertain => Word::Perhaps,
        Qualifier::UncertainAndApproximate => Word::PerhapsAbout,
    };
    language.fill(word, &[("date", &plain)])
}

fn plain(language: Language, date: &Date) -> String {
    if let (Some(month), Some(day)) = (date.month(), date.day()) {
        return day_in_words(language, date.year(), month, day);
    }
    let year = year_in_words(language, date.year());
    if let Some(month) = date.month() {
        let month = language.say(month_word(month));
        return language.fill(Word::Month, &[("month", month), ("year", &year)]);
    }
    if let Some(season) = date.season() {
        let (season, word) = match season {
            Season::Spring => (Word::Spring, Word::Season),
            Season::Summer => (Word::Summer, Word::Season),
            Season::Autumn => (Word::Autumn, Word::Season),
            // It begins in December and belongs mostly to the year after.
            Season::Winter => (Word::Winter, Word::WinterSeason),
        };
        let next = year_in_words(language, date.year() + 1);
        let gaps = [
            ("season", language.say(season)),
            ("year", year.as_str()),
            ("next", next.as_str()),
        ];
        return language.fill(word, &gaps);
    }
    match date.precision() {
        Precision::Century => language.fill(Word::Century, &[("year", &year)]),
        Precision::Decade => language.fill(Word::Decade, &[("year", &year)]),
        _ => year,
    }
}

fn interval(language: Language, from: Bound, until: Bound) -> String {
    let word = |date: &Date| qualified(language, date);
    match (&from, &until) {
        (Bound::Date(from), Bound::Date(until)) => {
            let gaps = [("from", word(from)), ("until", word(until))];
            language.fill(
                Word::Range,
                &gaps.each_ref().map(|(gap, it)| (*gap, it.as_str())),
            )
        }
        (Bound::Date(from), Bound::Open) => language.fill(Word::OrLater, &[("date", &word(from))]),
        (Bound::Open, Bound::Date(until)) => {
            language.fill(Word::OrEarlier, &[("date", &word(until))])
        }
        (Bound::Date(from), _) => language.fill(Word::Since, &[("date", &word(from))]),
        (_, Bound::Date(until)) => language.fill(Word::Until, &[("date", &word(until))]),
        // No date has two ends that nobody knows.
        _ => language.say(Word::Undated).to_owned(),
    }
}

fn day_in_words(language: Language, year: i64, month: u8, day: u8) -> String {
    let gaps = [
        ("day", day.to_string()),
        ("month", language.say(month_word(month)).to_owned()),
        ("year", year_in_words(language, year)),
    ];
    language.fill(
        Word::Day,
        &gaps.each_ref().map(|(gap, it)| (*gap, it.as_str())),
    )
}

/// The calendar has a year 0, people have none: it is 1 BC.
fn year_in_words(language: Language, year: i64) -> String {
    if year > 0 {
        language.fill(Word::Year, &[("year", &year.to_string())])
    } else {
        let before = (1 - i128::from(year)).to_string();
        language.fill(Word::YearBc, &[("year", &before)])
    }
}

const fn month_word(month: u8) -> Word {
    match month {
        1 => Word::January,
        2 => Word::February,
        3 => Word::March,
        4 => Word::April,
        5 => Word::May,
        6 => Word::June,
        7 => Word::July,
        8 => Word::August,
        9 => Word::September,
        10 => Word::October,
        11 => Word::November,
        _ => Word::December,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::*;

    #[test]
    fn dates_read_as_people_say_them() {
        let cases = [
            ("1950", "1950", "1950"),
            ("1950~", "about 1950", "um 1950"),
            ("1950?", "perhaps 1950", "vielleicht 1950"),
            ("1950%", "perhaps about 1950", "vielleicht um 1950"),
            ("195X", "the 1950s", "1950er Jahre"),
            ("19XX", "the 1900s (century)", "1900er Jahre (Jahrhundert)"),
            ("1950-XX", "1950", "1950"),
            ("1942-05", "May 1942", "Mai 1942"),
            ("1942-05-XX", "May 1942", "Mai 1942"),
            ("1942-05-01", "1 May 1942", "1. Mai 1942"),
            ("1942-05-01~", "about 1 May 1942", "um 1. Mai 1942"),
            ("1963-22", "summer 1963", "Sommer 1963"),
            ("1963-24", "winter 1963/1964", "Winter 1963/1964"),
            (
                "2003-05-01T07:05:59+02:00",
                "1 May 2003, 7:05",
                "1. Mai 2003, 7:05 Uhr",
            ),
            ("1942/1945", "1942 to 1945", "1942 bis 1945"),
            (
                "1942~/1945-05-08",
                "about 1942 to 8 May 1945",
                "um 1942 bis 8. Mai 1945",
            ),
            ("1942/..", "1942 or later", "1942 oder später"),
            ("../1942", "1942 or earlier", "1942 oder früher"),
            (
                "1942/",
                "from 1942 on, until nobody knows when",
                "ab 1942, das Ende ist unbekannt",
            ),
            (
                "/1942",
                "until 1942, since nobody knows when",
                "bis 1942, der Anfang ist unbekannt",
            ),
            ("0000", "1 BC", "1 v. Chr."),
            ("-0043", "44 BC", "44 v. Chr."),
        ];
        let mut german = HeaderMap::new();
        german.insert(header::ACCEPT_LANGUAGE, "de".parse().unwrap());
        let (english, german) = (Language::of(&HeaderMap::new()), Language::of(&german));
        for (edtf, in_english, in_german) in cases {
            let date: Edtf = edtf.parse().unwrap();
            assert_eq!(in_words(english, &date), in_english, "{edtf}");
            assert_eq!(in_words(german, &date), in_german, "{edtf}");
        }
        assert_eq!(day_of_ms(english, 0), "1 January 1970");
    }
}
