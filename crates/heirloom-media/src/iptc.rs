//! IPTC-IIM records, as Photoshop and agencies store them. After IIM 4.2.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{be16, index, slice, u8_at},
    moment::{Moment, Reading},
    notes::Notes,
    property, text, xmp,
};

/// The most records that are read.
const RECORD_LIMIT: usize = 5_000;

/// Reads a block of records.
pub(crate) fn read(bytes: &[u8], out: &mut Notes) {
    if !out.allow_packet(bytes.len()) {
        return;
    }
    let mut is_utf8 = false;
    let mut parts: [String; 4] = Default::default();
    let mut created = (String::new(), String::new());
    let mut digitized = (String::new(), String::new());
    for (record, number, value) in records(bytes).into_iter().take(RECORD_LIMIT) {
        if (record, number) == (1, 90) {
            is_utf8 = value == b"\x1b%G";
            continue;
        }
        if record != 2 {
            continue;
        }
        // Text that is UTF-8 without saying so is far more common than Latin-1 that looks like it.
        let words = if is_utf8 {
            String::from_utf8_lossy(value).into_owned()
        } else {
            text::decode_all(value)
        };
        match number {
            5 => out.text(ClaimKind::Title, &words, "iptc:ObjectName", 0.75),
            25 => out.text(ClaimKind::Tag, &words, "iptc:Keywords", 0.8),
            55 => created.0 = words,
            60 => created.1 = words,
            62 => digitized.0 = words,
            63 => digitized.1 = words,
            80 => out.text(ClaimKind::Author, &words, "iptc:By-line", 0.75),
            90 => parts[1] = words,
            92 => parts[0] = words,
            95 => parts[2] = words,
            101 => parts[3] = words,
            105 => out.text(ClaimKind::Title, &words, "iptc:Headline", 0.6),
            116 => out.property(property::COPYRIGHT, &words),
            120 => out.text(ClaimKind::Caption, &words, "iptc:Caption-Abstract", 0.8),
            _ => {}
        }
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    xmp::state_place(&parts, "iptc:City", 0.7, out);
    for ((date, time), source, confidence) in [
        (created, "iptc:DateCreated", 0.78),
        (digitized, "iptc:DigitalCreationDate", 0.6),
    ] {
        let reading = date_time(&date, &time);
        let has_offset = reading
            .moment()
            .is_some_and(|moment| moment.offset_minutes.is_some());
        out.date(
            reading,
            source,
            if has_offset {
                confidence + 0.05
            } else {
                confidence
            },
        );
    }
}

/// The records of a block; what does not begin as one ends the reading.
fn records(bytes: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut records = Vec::new();
    let mut at = 0_usize;
    while u8_at(bytes, at) == Some(0x1C) && records.len() < RECORD_LIMIT {
        let (Some(record), Some(number), Some(len)) = (
            u8_at(bytes, at.saturating_add(1)),
            u8_at(bytes, at.saturating_add(2)),
            be16(bytes, at.saturating_add(3)),
        ) else {
            break;
        };
        let mut start = at.saturating_add(5);
        let mut len = usize::from(len);
        // A long record states first how many bytes its length has.
        if len & 0x8000 != 0 {
            let width = (len & 0x7FFF).min(8);
            let Some(digits) = slice(bytes, start, width) else {
                break;
            };
            len = index(
                digits
                    .iter()
                    .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)),
            );
            start = start.saturating_add(width);
        }
        let Some(value) = slice(bytes, start, len) else {
            break;
        };
        records.push((record, number, value));
        at = start.saturating_add(len);
    }
    records
}

/// `20080523` with `155459+0200`; unknown months and days are zeros.
fn date_time(date: &str, time: &str) -> Reading {
    let date = date.trim();
    if time.trim().is_empty() {
        return Moment::read(date);
    }
    match Moment::read(&format!("{date}T{}", time.trim())) {
        Reading::Unreadable => Moment::read(date),
        reading => reading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u8, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[0x1C, 2, number], &len[..], value].concat()
    }

    fn findings(bytes: &[u8]) -> Vec<String> {
        let mut out = Notes::default();
        read(bytes, &mut out);
        out.findings
            .iter()
            .map(|f| format!("{}={}", f.source, f.statement.value().to_json()))
            .collect()
    }

    #[test]
    fn texts_are_read_in_the_character_set_that_they_are_in() {
        let said = [
            vec![0x1C, 1, 90, 0, 3],
            b"\x1b%G".to_vec(),
            record(25, "Küche".as_bytes()),
        ]
        .concat();
        let unsaid = record(25, "Küche".as_bytes());
        let latin = record(25, b"K\xfcche");
        for bytes in [said, unsaid, latin] {
            assert_eq!(findings(&bytes), [r#"iptc:Keywords="Küche""#]);
        }
    }

    #[test]
    fn date_and_time_are_one_date_as_exact_as_they_are() {
        let cases = [
            ("20080523", "155459+0200", "2008-05-23T15:54:59+02:00"),
            ("20080523", "", "2008-05-23"),
            ("19520000", "", "1952"),
            ("19520700", "", "1952-07"),
        ];
        for (date, time, edtf) in cases {
            let bytes = [record(55, date.as_bytes()), record(60, time.as_bytes())].concat();
            assert_eq!(findings(&bytes), [format!("iptc:DateCreated={edtf:?}")]);
        }
    }
}
