//! Text to date. Every refusal says where, what would have been right, and how to write what was
//! probably meant.

use super::{
    Bound, Shape,
    civil::month_days,
    date::{
        Date, Detail, LAST_FOUR_DIGIT_YEAR, LAST_YEAR, Qualifier, Season, check_day, year_text,
    },
    error::InvalidEdtf,
    moment::Moment,
};

type Parsed<T> = Result<T, InvalidEdtf>;

pub(super) fn parse_edtf(text: &str) -> Parsed<Shape> {
    let whole = Part {
        text,
        from: 0,
        until: text.len(),
    };
    if text.is_empty() {
        return Err(whole
            .expected("a date")
            .with_hint("such as 1974, 1974-05-01, 194X or 1942~"));
    }
    refuse_sets(whole)?;
    check_characters(whole)?;
    refuse_exponents(whole)?;
    if text.contains('/') {
        return parse_interval(whole);
    }
    match text.find('T') {
        Some(at) => parse_moment(whole.slice(0, at), whole.rest(at + 1)).map(Shape::Moment),
        None => parse_date(whole).map(Shape::Date),
    }
}

/// A piece of the text that knows where it stands.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    from: usize,
    until: usize,
}

impl<'a> Part<'a> {
    fn as_str(self) -> &'a str {
        &self.text[self.from..self.until]
    }

    fn bytes(self) -> &'a [u8] {
        self.as_str().as_bytes()
    }

    /// From `from` to `until`, both counted within this part.
    fn slice(self, from: usize, until: usize) -> Self {
        Self {
            text: self.text,
            from: self.from + from,
            until: self.from + until,
        }
    }

    fn rest(self, from: usize) -> Self {
        Self {
            from: self.from + from,
            ..self
        }
    }

    fn expected(self, what: impl Into<std::borrow::Cow<'static, str>>) -> InvalidEdtf {
        InvalidEdtf::new(self.text, self.from, what)
    }

    /// Exactly two digits.
    fn two_digits(self) -> Option<u8> {
        match self.bytes() {
            [tens @ b'0'..=b'9', units @ b'0'..=b'9'] => Some((tens - b'0') * 10 + units - b'0'),
            _ => None,
        }
    }
}

/// After this every byte is a character, and slices can be cut anywhere.
fn check_characters(whole: Part<'_>) -> Parsed<()> {
    let text = whole.as_str();
    let mut before = ' ';
    let mut is_used = |(_, c): &(usize, char)| {
        // E and S stand after digits at level 2, which is refused by name; elsewhere in words.
        let is_exponent = matches!(c, 'E' | 'S') && before.is_ascii_digit();
        before = *c;
        c.is_ascii_digit() || "-+:./?~%TXYZ".contains(*c) || is_exponent
    };
    let Some((at, odd)) = text.char_indices().find(|it| !is_used(it)) else {
        return Ok(());
    };
    let error = whole
        .rest(at)
        .expected("only digits and - : + . / ? ~ % T X Y Z");
    Err(match odd {
        'x' | 'y' | 't' | 'z' => error.with_hint(format!("write a capital {}", odd.to_uppercase())),
        'u' => error.with_hint("write X for a digit that is not known: 194X"),
        's' if at == 4 && at + 1 == text.len() && text.as_bytes()[3] == b'0' => {
            error.with_hint(format!("for the decade write {}X", &text[..3]))
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => error.with_hint("write - between the parts"),
        ' ' if text[at..].contains(':') => error.with_hint("write T between date and time"),
        ',' => error.with_hint("write an interval: 1942/1945"),
        _ if at == 0 && text.contains(|c: char| c.is_ascii_digit()) => {
            error.with_hint("about 1942 is written 1942~, and somewhen in the forties 194X")
        }
        _ => error,
    })
}

fn refuse_sets(whole: Part<'_>) -> Parsed<()> {
    match whole.bytes().iter().position(|b| b"[]{}".contains(b)) {
        None => Ok(()),
        Some(at) => Err(whole
            .rest(at)
            .expected("one date or interval, because sets of dates are EDTF level 2")
            .with_hint("an interval says it more coarsely: 1942/1945")),
    }
}

/// A year such as `Y-17E7` or `1950S2`.
fn refuse_exponents(whole: Part<'_>) -> Parsed<()> {
    match whole.bytes().iter().position(|b| b"ES".contains(b)) {
        None => Ok(()),
        Some(at) => Err(whole
            .rest(at)
            .expected("digits, because exponents and significant digits are EDTF level 2")),
    }
}

fn parse_interval(whole: Part<'_>) -> Parsed<Shape> {
    let slash = whole.as_str().find('/').unwrap_or(whole.until);
    let until_part = whole.rest(slash + 1);
    if let Some(second) = until_part.as_str().find('/') {
        return Err(until_part
            .rest(second)
            .expected("the end, because an interval has one /"));
    }
    let from = parse_bound(whole.slice(0, slash))?;
    let until = parse_bound(until_part)?;
    match (from, until) {
        (Bound::Date(first), Bound::Date(last)) if first.earliest() > last.latest() => {
            Err(until_part
                .expected(format!("an end that is not before {first}"))
                .with_hint(format!("the other way round it is {last}/{first}")))
        }
        (Bound::Date(_), _) | (_, Bound::Date(_)) => Ok(Shape::Interval(from, until)),
        _ => Err(whole.expected("an interval with a date at one end at least")),
    }
}

fn parse_bound(part: Part<'_>) -> Parsed<Bound> {
    match part.as_str() {
        "" => return Ok(Bound::Unknown),
        ".." => return Ok(Bound::Open),
        text => {
            if let Some(at) = text.find('T') {
                return Err(part
                    .rest(at)
                    .expected("a date without a time, because intervals are of dates")
                    .with_hint(format!("write {}", &text[..at])));
            }
        }
    }
    let date = parse_date(part)?;
    if date.has_unspecified_digits() {
        return Err(part
            .expected("an end without X, because unspecified digits in intervals are EDTF level 2")
            .with_hint("write the year or month alone: 1942-05/1945"));
    }
    Ok(Bound::Date(date))
}

fn parse_date(part: Part<'_>) -> Parsed<Date> {
    let (part, qualifier) = parse_qualifier(part)?;
    if let Some(dots) = part.as_str().find('.') {
        return Err(refuse_dots(part, dots));
    }
    if part.as_str().starts_with('Y') {
        let year = parse_long_year(part.rest(1))?;
        return Ok(Date {
            year,
            detail: Detail::Year,
            qualifier,
        });
    }
    let is_negative = part.as_str().starts_with('-');
    let unsigned = part.rest(usize::from(is_negative));
    let mut pieces = Pieces(Some(unsigned));
    let (Some(year_part), month_part, day_part) = (pieces.next(), pieces.next(), pieces.next())
    else {
        return Err(part.expected("a year of four digits"));
    };
    if let Some(more) = pieces.next() {
        return Err(more
            .rest(0)
            .expected("the end, because a date has a year, month and day"));
    }
    let (digits, detail) = parse_year(year_part, is_negative)?;
    let year = if is_negative { -digits } else { digits };
    let Some(month_part) = month_part else {
        return Ok(Date {
            year,
            detail,
            qualifier,
        });
    };
    if detail != Detail::Year {
        return Err(month_part.expected(
            "no month, because months of years with unspecified digits are EDTF level 2",
        ));
    }
    let detail = parse_month_and_day(year, year_part, month_part, day_part)?;
    Ok(Date {
        year,
        detail,
        qualifier,
    })
}

/// What stands between hyphens, one after the other.
struct Pieces<'a>(Option<Part<'a>>);

impl<'a> Iterator for Pieces<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let part = self.0?;
        let hyphen = part.as_str().find('-');
        self.0 = hyphen.map(|at| part.rest(at + 1));
        Some(hyphen.map_or(part, |at| part.slice(0, at)))
    }
}

/// Splits the mark off the end.
fn parse_qualifier(part: Part<'_>) -> Parsed<(Part<'_>, Qualifier)> {
    let marks = part.bytes().iter().enumerate();
    let Some((at, qualifier)) = marks
        .filter_map(|(at, &b)| Qualifier::from_byte(b).map(|it| (at, it)))
        .next()
    else {
        return Ok((part, Qualifier::Sure));
    };
    let after = part.rest(at + 1);
    match after.bytes() {
        [] => Ok((part.slice(0, at), qualifier)),
        [next, ..] if Qualifier::from_byte(*next).is_some() => Err(after
            .expected("one mark at most")
            .with_hint("% stands for ? and ~ together")),
        _ => Err(part
            .rest(at)
            .expected("the mark ?, ~ or % only at the end, because marked parts are EDTF level 2")
            .with_hint(format!("the mark at the end is for the whole date: {}", {
                let text = part.as_str();
                let bare: String = text.chars().filter(|c| !"?~%".contains(*c)).collect();
                format!("{bare}{}", &text[at..=at])
            }))),
    }
}

fn refuse_dots(part: Part<'_>, at: usize) -> InvalidEdtf {
    let error = part.rest(at).expected("- between year, month and day");
    let numbers: Vec<&str> = part.as_str().split('.').collect();
    let read = |text: &str| text.parse::<i64>().ok();
    if part.as_str().contains("..") {
        return part
            .rest(at)
            .expected("/ between the ends of an interval")
            .with_hint(
                "an interval is written 1942/1945; .. stands for an end that is open: 1942/..",
            );
    }
    match numbers.as_slice() {
        [day, month, year] if year.len() == 4 => match (read(year), read(month), read(day)) {
            (Some(year), Some(month), Some(day)) => {
                error.with_hint(format!("write {year:04}-{month:02}-{day:02}"))
            }
            _ => error,
        },
        _ => error,
    }
}

fn parse_long_year(part: Part<'_>) -> Parsed<i64> {
    let is_negative = part.as_str().starts_with('-');
    let digits = part.rest(usize::from(is_negative));
    let text = digits.as_str();
    if let Some(at) = text.bytes().position(|b| !b.is_ascii_digit()) {
        return Err(digits.rest(at).expected("only digits after Y"));
    }
    let year = text.parse::<i64>().ok().filter(|year| *year <= LAST_YEAR);
    match year {
        // "00123456" has five digits that count, but would not be printed as it was written.
        Some(year) if year > LAST_FOUR_DIGIT_YEAR && !text.starts_with('0') => {
            Ok(if is_negative { -year } else { year })
        }
        Some(year) if !text.starts_with('0') || year <= LAST_FOUR_DIGIT_YEAR => {
            let plain = year_text(if is_negative { -year } else { year });
            Err(digits
                .expected("more than four digits after Y")
                .with_hint(format!("write {plain}")))
        }
        Some(_) => Err(digits.expected("no leading zero after Y")),
        None => Err(digits.expected("5 to 18 digits after Y")),
    }
}

/// The digits of the year, with zeros for those that are not specified.
fn parse_year(part: Part<'_>, is_negative: bool) -> Parsed<(i64, Detail)> {
    let text = part.as_str();
    if text.len() != 4 {
        let error = part.expected("a year of four digits");
        let are_digits = text.bytes().all(|b| b.is_ascii_digit());
        return Err(match text.len() {
            2 if are_digits => error.with_hint(format!("write the century too: 19{text}")),
            8 if are_digits => {
                let (year, month, day) = (&text[..4], &text[4..6], &text[6..]);
                error.with_hint(format!("write {year}-{month}-{day}"))
            }
            5..=18 if are_digits => error.with_hint(format!(
                "years of more than four digits begin with Y: Y{text}"
            )),
            _ => error,
        });
    }
    let known = text.trim_end_matches('X');
    if let Some(at) = known.bytes().position(|b| !b.is_ascii_digit()) {
        let error = part.rest(at);
        return Err(if text.as_bytes()[at] == b'X' {
            error.expected("a digit, because X before a digit is EDTF level 2")
        } else {
            error.expected("a digit")
        });
    }
    let unspecified = text.len() - known.len();
    let detail = match unspecified {
        0 => Detail::Year,
        1 => Detail::Decade,
        2 => Detail::Century,
        _ => {
            return Err(part
                .rest(known.len())
                .expected("two X at most in a year, because more are EDTF level 2"));
        }
    };
    if is_negative && unspecified > 0 {
        return Err(part
            .rest(known.len())
            .expected("digits, because X in a year before 0 is EDTF level 2"));
    }
    let digits = text.bytes().fold(0, |year, b| {
        year * 10 + if b == b'X' { 0 } else { i64::from(b - b'0') }
    });
    if is_negative && digits == 0 {
        return Err(part
            .expected("a year other than 0 after -")
            .with_hint("write 0000"));
    }
    Ok((digits, detail))
}

fn parse_month_and_day(
    year: i64,
    year_part: Part<'_>,
    month_part: Part<'_>,
    day_part: Option<Part<'_>>,
) -> Parsed<Detail> {
    if month_part.as_str() == "XX" {
        return match day_part.map(|part| (part, part.as_str())) {
            None => Ok(Detail::AnyMonth),
            Some((_, "XX")) => Ok(Detail::AnyMonthAndDay),
            Some((part, _)) => Err(part
                .expected("XX, because a day without its month is EDTF level 2")
                .with_hint(format!("write {0}-XX-XX", year_part.as_str()))),
        };
    }
    let Some(number) = month_part.two_digits() else {
        return Err(refuse_month(year_part, month_part, day_part));
    };
    let season = Season::from_number(number);
    let (Some(day_part), None) = (day_part, season) else {
        return match (number, season, day_part) {
            (_, Some(_), Some(day)) => Err(day.expected("the end, because seasons have no days")),
            (_, Some(season), None) => Ok(Detail::Season(season)),
            (1..=12, ..) => Ok(Detail::Month(number)),
            _ => Err(refuse_number(year, number, month_part)),
        };
    };
    if !(1..=12).contains(&number) {
        return Err(month_part.expected("a month from 01 to 12"));
    }
    if day_part.as_str() == "XX" {
        return Ok(Detail::AnyDay(number));
    }
    let last = month_days(year, number);
    match day_part.two_digits() {
        Some(day) if check_day(year, number, day).is_ok() => Ok(Detail::Day(number, day)),
        Some(29) if number == 2 => Err(day_part.expected(format!(
            "a day from 01 to {last}, because {} is no leap year",
            year_text(year)
        ))),
        Some(_) => Err(day_part.expected(format!("a day from 01 to {last}"))),
        None if day_part.as_str().contains('X') => {
            Err(day_part.expected("two digits or XX, because X beside a digit is EDTF level 2"))
        }
        None => Err(day_part.expected("a day of two digits")),
    }
}

fn refuse_number(year: i64, number: u8, part: Part<'_>) -> InvalidEdtf {
    let error = part.expected(match number {
        25..=41 => "a season from 21 to 24, because others are EDTF level 2",
        _ => "a month from 01 to 12 or a season from 21 to 24",
    });
    let (century, year_of_century) = (year.div_euclid(100), year.rem_euclid(100));
    if year < 0 || i64::from(number) <= year_of_century {
        return error;
    }
    // "1974-80" is how people write some years.
    let first = year_text(year);
    error.with_hint(format!(
        "an interval is written {first}/{century:02}{number}"
    ))
}

fn refuse_month(year: Part<'_>, month: Part<'_>, day: Option<Part<'_>>) -> InvalidEdtf {
    let error = month.expected("a month of two digits");
    let text = month.as_str();
    match (text.len(), day) {
        (2, _) if text.contains('X') => {
            month.expected("two digits or XX, because X beside a digit is EDTF level 2")
        }
        (4, None) if text.bytes().all(|b| b.is_ascii_digit() || b == b'X') => {
            error.with_hint(format!("an interval is written {}/{text}", year.as_str()))
        }
        (1, _) if text != "X" => {
            error.with_hint(format!("write a zero before it: {}-0{text}", year.as_str()))
        }
        (3, None) if text.bytes().all(|b| b.is_ascii_digit()) => {
            error.with_hint("days are counted within their month: 1974-05-01")
        }
        _ => error,
    }
}

fn parse_moment(date_part: Part<'_>, time_part: Part<'_>) -> Parsed<Moment> {
    let date = parse_date(date_part)?;
    let Detail::Day(month, day) = date.detail else {
        return Err(date_part
            .expected("a whole day before T")
            .with_hint(format!("write {date}")));
    };
    if date.qualifier != Qualifier::Sure {
        return Err(date_part
            .rest(date_part.bytes().len() - 1)
            .expected("no mark before T, because marked parts are EDTF level 2"));
    }
    let (time, zone) = parse_time(time_part)?;
    let offset_minutes = parse_zone(zone)?;
    Moment::new((date.year, month, day), time, offset_minutes).map_err(|fault| {
        // The parts are two digits each, so that what is wrong is in the time or in the offset.
        let part = if fault.expected().starts_with("an offset") {
            zone
        } else {
            time_part
        };
        let error = part.expected(fault.expected().to_owned());
        match time {
            (24, 0, 0) => error.with_hint("midnight is 00:00:00 of the next day"),
            _ => error,
        }
    })
}

/// `hh:mm:ss`, and what follows it.
fn parse_time(part: Part<'_>) -> Parsed<((u8, u8, u8), Part<'_>)> {
    let text = part.as_str();
    let field = |from: usize| {
        let is_apart = from == 0 || text.as_bytes().get(from - 1) == Some(&b':');
        let digits = (text.len() >= from + 2).then(|| part.slice(from, from + 2).two_digits());
        digits.flatten().filter(|_| is_apart)
    };
    let (Some(hour), Some(minute), Some(second)) = (field(0), field(3), field(6)) else {
        let error = part.expected("a time as hh:mm:ss");
        return Err(match (field(0), field(3), text.as_bytes().get(5)) {
            (Some(_), Some(_), None | Some(b'Z' | b'+' | b'-')) => {
                error.with_hint(format!("write the seconds too: {}:00", &text[..5]))
            }
            _ => error,
        });
    };
    Ok(((hour, minute, second), part.rest(8)))
}

fn parse_zone(part: Part<'_>) -> Parsed<Option<i16>> {
    let text = part.as_str();
    let sign = match text.as_bytes() {
        [] => return Ok(None),
        b"Z" => return Ok(Some(0)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        [b'.', ..] => {
            return Err(part
                .expected("the end or an offset")
                .with_hint("leave out the fraction of the second"));
        }
        [b'?' | b'~' | b'%', ..] => {
            return Err(part
                .expected("the end or an offset, because moments have no mark")
                .with_hint("mark the day instead: 1974-05-01~"));
        }
        _ => return Err(part.expected("the end, Z, or an offset such as +02:00")),
    };
    let digits = part.rest(1);
    let (hours, minutes) = match digits.bytes() {
        [_, _] => (digits.two_digits(), Some(0)),
        [_, _, b':', _, _] => (
            digits.slice(0, 2).two_digits(),
            digits.slice(3, 5).two_digits(),
        ),
        _ => (None, None),
    };
    let (Some(hours), Some(minutes @ 0..=59)) = (hours, minutes) else {
        return Err(part.expected("an offset as +hh:mm or +hh"));
    };
    let offset = i16::from(hours) * 60 + i16::from(minutes);
    if offset == 0 && sign < 0 {
        return Err(part
            .expected("an offset other than -00:00")
            .with_hint("write Z for UTC"));
    }
    Ok(Some(sign * offset))
}
