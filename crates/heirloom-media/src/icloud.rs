//! What Apple writes down of the pictures that somebody asks it for: one table for many of them.
//!
//! A picture gets the head of the table and its own line, as they stand there, as a sidecar of its own.

use crate::{
    moment::{Moment, Reading},
    notes::Notes,
    property,
};

/// The most lines of one table; Apple writes a thousand.
const LINE_LIMIT: usize = 100_000;

/// The longest line, and the most fields of one.
const RECORD_BYTES: usize = 32 * 1024;
const FIELD_LIMIT: usize = 64;

const HEAD: &str = "imgName";
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What a table says of one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The picture's name, in the folder of the table.
    pub name: String,
    /// The head and the line that is about it, as a table.
    pub excerpt: Vec<u8>,
}

/// Takes a table of details apart; `None` for another kind of table.
#[must_use]
pub fn split_details(bytes: &[u8]) -> Option<Vec<Details>> {
    let mut records = Records::of(bytes);
    let head = records.next()?;
    let place = head.position(HEAD)?;
    if head.fields.len() < 3 {
        return None;
    }
    let details = records.take(LINE_LIMIT).filter_map(|record| {
        let name = record.get(place).trim().to_owned();
        let mut excerpt = head.written.to_vec();
        excerpt.extend(record.written);
        (!name.is_empty()).then_some(Details { name, excerpt })
    });
    Some(details.collect())
}

/// The names in a table that is an album: its first column, without the head.
#[must_use]
pub fn read_names(bytes: &[u8]) -> Vec<String> {
    let records = Records::of(bytes).skip(1).take(LINE_LIMIT);
    let names = records.map(|record| record.get(0).trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// A line of a table.
struct Record<'b> {
    fields: Vec<String>,
    /// As it stands there.
    written: &'b [u8],
}

impl Record<'_> {
    fn get(&self, place: usize) -> &str {
        self.fields.get(place).map_or("", String::as_str)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.trim() == name)
    }
}

/// The lines of a table, one after another; nothing is wrong with one that has more fields than its head.
struct Records<'b> {
    reader: csv_core::Reader,
    bytes: &'b [u8],
}

impl<'b> Records<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        let reader = csv_core::Reader::new();
        Self { reader, bytes }
    }
}

impl<'b> Iterator for Records<'b> {
    type Item = Record<'b>;

    fn next(&mut self) -> Option<Record<'b>> {
        let mut output = vec![0; RECORD_BYTES];
        let mut ends = [0; FIELD_LIMIT];
        let (mut read, mut written, mut ended) = (0_usize, 0_usize, 0_usize);
        loop {
            let input = self.bytes.get(read..)?;
            let (result, nin, nout, nend) =
                self.reader
                    .read_record(input, output.get_mut(written..)?, ends.get_mut(ended..)?);
            read = read.checked_add(nin)?;
            written = written.checked_add(nout)?;
            ended = ended.checked_add(nend)?;
            match result {
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record => break,
                // No line of such a table is so long: what follows is none.
                csv_core::ReadRecordResult::OutputFull
                | csv_core::ReadRecordResult::OutputEndsFull
                | csv_core::ReadRecordResult::End => return None,
            }
        }
        let (line, rest) = self.bytes.split_at_checked(read)?;
        self.bytes = rest;
        let mut from = 0;
        let fields = ends.get(..ended)?.iter().map(|end| {
            let field = output.get(from..*end).unwrap_or_default();
            from = *end;
            String::from_utf8_lossy(field).into_owned()
        });
        let fields = fields.collect();
        Some(Record {
            fields,
            written: line,
        })
    }
}

/// Reads what a table says of one picture.
pub(crate) fn read(bytes: &[u8], out: &mut Notes) {
    let mut records = Records::of(bytes);
    let (Some(head), Some(record)) = (records.next(), records.next()) else {
        out.problem("The table beside the picture is broken.");
        return;
    };
    let place = |name: &str| head.position(name);
    let field = |name: &str| place(name).map_or("", |at| record.get(at));
    for (name, kept) in [
        ("favorite", property::FAVORITE),
        ("hidden", property::PRIVATE),
        ("deleted", property::DELETED),
    ] {
        if matches!(field(name).trim().to_lowercase().as_str(), "yes" | "true") {
            out.property(kept, "true");
        }
    }
    // A date that was written without quotes has a comma of its own.
    let is_split = record.fields.len() > head.fields.len();
    let date = place("originalCreationDate").map(|at| match is_split {
        true => format!("{},{}", record.get(at), record.get(at.saturating_add(1))),
        false => record.get(at).to_owned(),
    });
    if let Some(date) = date.filter(|date| !date.trim().is_empty()) {
        let reading = read_date(&date).map_or(Reading::Unreadable, Reading::Moment);
        out.date(reading, "icloud:originalCreationDate", 0.8);
    }
}

/// `Friday December 14,2012 2:39 AM GMT`.
fn read_date(text: &str) -> Option<Moment> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    let [_, month, day, year, clock, rest @ ..] = words.as_slice() else {
        return None;
    };
    let month = MONTHS
        .iter()
        .position(|name| *name == month.to_lowercase())?;
    let month = u8::try_from(month).ok()?.checked_add(1)?;
    let (hour, minute) = clock.split_once(':')?;
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let half = rest.first().map(|word| word.to_uppercase());
    let hour = match (half.as_deref(), hour) {
        (Some("AM"), 12) => 0,
        (Some("PM"), 1..=11) => hour.checked_add(12)?,
        _ => hour,
    };
    let moment = Moment::day(year.parse().ok()?, month, day.parse().ok()?)?.at(hour, minute, 0)?;
    Some(moment.with_offset(rest.contains(&"GMT").then_some(0)))
}
