//! PNG files: chunks with text, XMP, EXIF and time, before and after the picture.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{be16, be32, index, rest, u8_at},
    exif::{self, Role},
    iptc,
    moment::{Moment, Reading},
    notes::Notes,
    property, psd,
    source::Source,
    text, xmp,
};

/// The most chunks that are walked.
const CHUNK_LIMIT: usize = 100_000;

/// The longest chunk whose content is read, and the most that its text may unpack to.
const CONTENT_LIMIT: usize = 4 * 1024 * 1024;

/// Reads the chunks.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let mut at = 8_u64;
    let mut is_ended = false;
    for _ in 0..CHUNK_LIMIT {
        let head = source.read(at, 8);
        let (Some(len), Some(name)) = (be32(head, 0), head.get(4..8)) else {
            break;
        };
        let name =
            [name.first(), name.get(1), name.get(2), name.get(3)].map(|b| b.copied().unwrap_or(0));
        let body_at = at.saturating_add(8);
        let len = index(u64::from(len));
        if &name == b"IEND" {
            is_ended = true;
            break;
        }
        if is_interesting(&name) && len <= CONTENT_LIMIT {
            let body = source.copy(body_at, len);
            chunk(&name, &body, out);
        }
        // Four bytes of checksum follow the content.
        at = body_at.saturating_add(len as u64).saturating_add(4);
    }
    if !is_ended {
        out.problem("The PNG is cut off.");
    }
}

fn is_interesting(name: &[u8; 4]) -> bool {
    matches!(
        name,
        b"IHDR" | b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" | b"tIME" | b"acTL" | b"fcTL"
    )
}

fn chunk(name: &[u8; 4], body: &[u8], out: &mut Notes) {
    match name {
        b"IHDR" => {
            out.facts.width = be32(body, 0).filter(|width| *width > 0);
            out.facts.height = be32(body, 4).filter(|height| *height > 0);
        }
        b"acTL" => out.facts.frame_count = be32(body, 0),
        b"fcTL" => frame(body, out),
        b"eXIf" => {
            let block = body.strip_prefix(b"Exif\0\0").unwrap_or(body);
            exif::read(&mut { block }, Role::Block, out);
        }
        b"tIME" => {
            if let (Some(year), [_, _, month, day, hour, minute, second, ..]) =
                (be16(body, 0), body)
                && let Some(moment) =
                    Moment::day(year, *month, *day).and_then(|day| day.at(*hour, *minute, *second))
            {
                let reading = Reading::Moment(moment.with_offset(Some(0)));
                out.date(reading, "png:tIME", 0.2);
            }
        }
        _ => {
            let Some((key, value)) = keyed(name, body, out) else {
                out.problem("A text of the PNG cannot be read.");
                return;
            };
            keyed_text(&key, &value, out);
        }
    }
}

/// How long a frame of an animation is shown: a fraction of a second.
fn frame(body: &[u8], out: &mut Notes) {
    if let (Some(top), Some(bottom)) = (be16(body, 20), be16(body, 22)) {
        let bottom = if bottom == 0 { 100 } else { u64::from(bottom) };
        let ms = u64::from(top).saturating_mul(1000) / bottom;
        out.facts.duration_ms = Some(out.facts.duration_ms.unwrap_or(0).saturating_add(ms));
    }
}

/// Keyword and content of a text chunk.
fn keyed(name: &[u8; 4], body: &[u8], out: &mut Notes) -> Option<(String, Vec<u8>)> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let key = text::decode(body.get(..end)?);
    let after = rest(body, end.saturating_add(1));
    let value = match name {
        b"tEXt" => after.to_vec(),
        b"zTXt" => out.inflate(rest(after, 1), CONTENT_LIMIT)?,
        _ => {
            // Whether it is packed, how, its language, and its keyword in that language.
            let is_packed = u8_at(after, 0)? == 1;
            let mut parts = rest(after, 2).splitn(3, |byte| *byte == 0);
            let content = parts.nth(2)?;
            if is_packed {
                out.inflate(content, CONTENT_LIMIT)?
            } else {
                content.to_vec()
            }
        }
    };
    Some((key, value))
}

fn keyed_text(key: &str, value: &[u8], out: &mut Notes) {
    if let Some(profile) = key.strip_prefix("Raw profile type ") {
        let Some(bytes) = raw_profile(value) else {
            return;
        };
        match profile.trim() {
            "exif" | "APP1" | "app1" => {
                if let Some(block) = bytes.strip_prefix(b"Exif\0\0") {
                    exif::read(&mut { block }, Role::Block, out);
                } else if let Some(packet) = bytes.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                    xmp::read_embedded(packet, out);
                } else if bytes.starts_with(b"II") || bytes.starts_with(b"MM") {
                    exif::read(&mut bytes.as_slice(), Role::Block, out);
                }
            }
            "iptc" | "8bim" => {
                if bytes.first() == Some(&0x1C) {
                    iptc::read(&bytes, out);
                } else {
                    psd::read_resources(&bytes, out);
                }
            }
            "xmp" => xmp::read_embedded(&bytes, out),
            _ => {}
        }
        return;
    }
    let words = text::decode_all(value);
    match key {
        "XML:com.adobe.xmp" => xmp::read_embedded(value, out),
        "Title" => out.text(ClaimKind::Title, &words, "png:Title", 0.75),
        "Description" | "Comment" => {
            out.text(ClaimKind::Caption, &words, &format!("png:{key}"), 0.7)
        }
        "Author" | "Artist" => exif::author(&words, &format!("png:{key}"), out),
        "Copyright" => out.property(property::COPYRIGHT, &words),
        "Software" => out.property(property::SOFTWARE, &words),
        "Source" => out.property("source_device", &words),
        "Creation Time" | "create-date" | "date:create" => {
            // Free text by the standard; what cannot be read is no fault of the file.
            let confidence = if key == "Creation Time" { 0.6 } else { 0.2 };
            if let Reading::Moment(moment) = written_date(&words) {
                out.date(Reading::Moment(moment), &format!("png:{key}"), confidence);
            }
        }
        _ => {}
    }
}

/// A date as in metadata, or as in a mail: `Tue, 3 Feb 2017 11:45:02 +0100`.
fn written_date(words: &str) -> Reading {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let reading = Moment::read(words);
    if !matches!(reading, Reading::Unreadable) {
        return reading;
    }
    let mut parts = words
        .split([' ', ','])
        .filter(|part| !part.is_empty())
        .peekable();
    if parts
        .peek()
        .is_some_and(|part| part.starts_with(|c: char| c.is_alphabetic()))
    {
        parts.next();
    }
    let (Some(day), Some(month), Some(year)) = (parts.next(), parts.next(), parts.next()) else {
        return Reading::Unreadable;
    };
    let month = month.to_ascii_lowercase();
    let Some(number) = MONTHS.iter().position(|name| month.starts_with(name)) else {
        return Reading::Unreadable;
    };
    let rest: Vec<&str> = parts.collect();
    Moment::read(&format!(
        "{year}-{:02}-{day:0>2} {}",
        number + 1,
        rest.join(" ")
    ))
}

/// ImageMagick's form: a name and a length on lines of their own, then hexadecimal digits.
fn raw_profile(value: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(value).ok()?;
    let mut lines = text.trim_start().lines();
    lines.next()?;
    lines.next()?.trim().parse::<u32>().ok()?;
    let digits: Vec<u8> = lines
        .flat_map(str::bytes)
        .filter_map(|byte| char::from(byte).to_digit(16)?.try_into().ok())
        .collect();
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |sum: u8, digit| sum << 4 | digit))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_time_is_read_as_metadata_or_mail_writes_it() {
        let cases = [
            (
                "Tue, 3 Feb 2017 11:45:02 +0100",
                "2017-02-03T11:45:02+01:00",
            ),
            ("3 February 2017", "2017-02-03"),
            ("2017:02:03 11:45:02", "2017-02-03T11:45:02"),
        ];
        for (text, edtf) in cases {
            assert_eq!(written_date(text).moment().unwrap().to_string(), edtf);
        }
        assert_eq!(written_date("one fine day"), Reading::Unreadable);
    }
}
