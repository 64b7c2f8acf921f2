//! ID3 tags, before the sound (2.2 to 2.4) and behind it (1). See id3.org.

use heirloom_core::claim::ClaimValue;

use super::{Said, say};
use crate::{
    bytes::{Endian, be16, be32, index, rest, slice, u8_at},
    notes::Notes,
    source::Source,
    text,
    tiff::{Bytes, Within},
};

/// The most frames that are walked.
const FRAME_LIMIT: usize = 2_000;

/// The longest text that is read.
const TEXT_LIMIT: usize = 256 * 1024;

/// The longest tag that is unpacked as a whole.
const TAG_LIMIT: usize = 4 * 1024 * 1024;

/// Reads the tags at the beginning of a file; gives where the sound begins.
pub(crate) fn read_front(source: &mut Source<'_>, out: &mut Notes) -> u64 {
    let mut from = 0;
    // Some files have several.
    for _ in 0..4 {
        let len = read_tag(&mut Within { source, from }, out);
        if len == 0 {
            break;
        }
        from = from.saturating_add(len);
    }
    from
}

/// Reads the tag in a block, as WAV and AIFF have it.
pub(crate) fn read_block(block: &[u8], out: &mut Notes) {
    let mut block = block;
    read_tag(&mut block, out);
}

/// Reads the tag at the end; gives where it begins.
pub(super) fn read_back(source: &mut Source<'_>, end: u64, out: &mut Notes) -> u64 {
    let at = end.saturating_sub(128);
    let tag = source.copy(at, 128);
    if tag.len() < 128 || !tag.starts_with(b"TAG") {
        return end;
    }
    let words = |at, len| text::decode(slice(&tag, at, len).unwrap_or_default());
    for (said, at, len) in [
        (Said::Title, 3, 30),
        (Said::Artist, 33, 30),
        (Said::Album, 63, 30),
        (Said::Comment, 97, 28),
    ] {
        // Thirty bytes cut most texts short: what another tag says in full is not said again.
        let words = words(at, len);
        let is_said = out.findings.iter().any(|finding| {
            matches!(finding.statement.value(), ClaimValue::Text(text) if text.starts_with(words.trim()))
        });
        if !is_said {
            say(said, &words, "id3v1", 0.6, out);
        }
    }
    let year = words(93, 4);
    if year.trim().len() == 4 && year.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        say(Said::Date, &year, "id3v1:Year", 0.8, out);
    }
    at
}

/// Reads a tag from the beginning of `bytes`; gives its length, 0 where there is none.
fn read_tag(bytes: &mut dyn Bytes, out: &mut Notes) -> u64 {
    let head = bytes.block(0, 10).to_vec();
    if !head.starts_with(b"ID3") {
        return 0;
    }
    let (Some(version), Some(flags), Some(size)) = (
        u8_at(&head, 3),
        u8_at(&head, 5),
        be32(&head, 6).map(synchsafe),
    ) else {
        return 0;
    };
    let has_footer = version == 4 && flags & 0x10 != 0;
    let total = u64::from(size) + 10 + if has_footer { 10 } else { 0 };
    if !(2..=4).contains(&version) {
        out.problem("The ID3 tag is of an unknown version.");
        return total;
    }
    let mut tag = Tag {
        version,
        years: Vec::new(),
    };
    if flags & 0x80 != 0 && version < 4 {
        let packed = bytes
            .block(10, index(u64::from(size)).min(TAG_LIMIT))
            .to_vec();
        let unpacked = resynchronise(&packed);
        let start = tag.extended_len(&unpacked, flags);
        tag.frames(&mut unpacked.as_slice(), start, unpacked.len() as u64, out);
    } else {
        let start = tag
            .extended_len(bytes.block(10, 14), flags)
            .saturating_add(10);
        tag.frames(bytes, start, u64::from(size) + 10, out);
    }
    tag.state_year(out);
    total
}

/// Seven bits per byte.
fn synchsafe(size: u32) -> u32 {
    let [a, b, c, d] = size.to_be_bytes().map(|byte| u32::from(byte & 0x7F));
    a << 21 | b << 14 | c << 7 | d
}

/// Takes out the zeros that keep players from mistaking a tag for sound.
fn resynchronise(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(packed.len());
    let mut previous = 0;
    for byte in packed {
        if !(previous == 0xFF && *byte == 0) {
            bytes.push(*byte);
        }
        previous = *byte;
    }
    bytes
}

struct Tag {
    version: u8,
    years: Vec<(String, String)>,
}

impl Tag {
    fn extended_len(&self, body: &[u8], flags: u8) -> u64 {
        if flags & 0x40 == 0 {
            return 0;
        }
        match self.version {
            3 => be32(body, 0).map_or(0, |len| u64::from(len) + 4),
            4 => be32(body, 0).map_or(0, |len| u64::from(synchsafe(len))),
            _ => 0,
        }
    }

    fn frames(&mut self, bytes: &mut dyn Bytes, from: u64, end: u64, out: &mut Notes) {
        let mut at = from;
        let (name_len, head_len) = if self.version == 2 { (3, 6) } else { (4, 10) };
        let end = end.min(bytes.size());
        for _ in 0..FRAME_LIMIT {
            if at.saturating_add(head_len) > end {
                break;
            }
            let head = bytes.block(at, index(head_len)).to_vec();
            let name = head.get(..name_len).unwrap_or_default();
            if !name
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            {
                break;
            }
            let len = match self.version {
                2 => head
                    .get(3..6)
                    .map_or(0, |b| b.iter().fold(0, |sum, b| sum << 8 | u32::from(*b))),
                3 => be32(&head, 4).unwrap_or(0),
                // Some writers of 2.4 forget that it has seven bits per byte.
                _ => be32(&head, 4).map_or(0, |len| {
                    if len & 0x8080_8080 == 0 {
                        synchsafe(len)
                    } else {
                        len
                    }
                }),
            };
            let flags = be16(&head, 8).unwrap_or(0);
            let body_at = at.saturating_add(head_len);
            at = body_at.saturating_add(u64::from(len));
            let is_packed = match self.version {
                3 => flags & 0x00C0 != 0,
                4 => flags & 0x000C != 0,
                _ => false,
            };
            let Some(frame) = frame(name).filter(|_| !is_packed) else {
                continue;
            };
            let body = bytes
                .block(body_at, index(u64::from(len)).min(TEXT_LIMIT))
                .to_vec();
            let skip = if self.version == 4 && flags & 1 != 0 {
                4
            } else {
                0
            };
            let body = rest(&body, skip);
            let body = if self.version == 4 && flags & 2 != 0 {
                resynchronise(body)
            } else {
                body.to_vec()
            };
            self.frame(&String::from_utf8_lossy(name), frame, &body, out);
        }
    }

    fn frame(&mut self, name: &str, frame: Frame, body: &[u8], out: &mut Notes) {
        let (encoding, body) = body.split_first().unwrap_or((&0, &[]));
        let source = format!("id3:{name}");
        match frame {
            Frame::Text(said) => say(said, &decode(*encoding, body), &source, 1.0, out),
            Frame::Year => self.years.push((name.to_owned(), decode(*encoding, body))),
            Frame::Described(said) => {
                // Language, a description, and then the words.
                let body = rest(body, 3);
                let (description, words) = split(*encoding, body);
                if !description.starts_with("iTun") {
                    say(said, &words, &source, 1.0, out);
                }
            }
        }
    }

    /// Dates that are spread over several frames: `TYER` 2004, `TDAT` ddmm, `TIME` hhmm.
    fn state_year(&self, out: &mut Notes) {
        let get = |names: [&str; 2]| {
            self.years
                .iter()
                .find(|(name, _)| names.contains(&name.as_str()))
                .map(|(_, words)| words.trim())
        };
        let Some(year) = get(["TYER", "TYE"]) else {
            return;
        };
        let mut date = year.to_owned();
        if let Some((day, month)) = get(["TDAT", "TDA"]).and_then(|date| date.split_at_checked(2)) {
            date = format!("{year}-{month}-{day}");
            if let Some((hour, minute)) =
                get(["TIME", "TIM"]).and_then(|time| time.split_at_checked(2))
            {
                date = format!("{date}T{hour}:{minute}");
            }
        }
        say(Said::Date, &date, "id3:TYER", 1.0, out);
    }
}

#[derive(Clone, Copy)]
enum Frame {
    Text(Said),
    Described(Said),
    Year,
}

fn frame(name: &[u8]) -> Option<Frame> {
    Some(match name {
        b"TIT2" | b"TT2" => Frame::Text(Said::Title),
        b"TPE1" | b"TP1" => Frame::Text(Said::Artist),
        b"TALB" | b"TAL" => Frame::Text(Said::Album),
        b"TDRC" => Frame::Text(Said::Date),
        b"TCON" | b"TCO" => Frame::Text(Said::Genre),
        b"TCOP" | b"TCR" => Frame::Text(Said::Copyright),
        b"TSSE" | b"TSS" | b"TENC" | b"TEN" => Frame::Text(Said::Software),
        b"COMM" | b"COM" => Frame::Described(Said::Comment),
        b"USLT" | b"ULT" => Frame::Described(Said::Lyrics),
        b"TYER" | b"TYE" | b"TDAT" | b"TDA" | b"TIME" | b"TIM" => Frame::Year,
        _ => return None,
    })
}

/// A text in one of ID3's four encodings; several texts are divided by semicolons.
fn decode(encoding: u8, body: &[u8]) -> String {
    match encoding {
        1 | 2 => {
            let (text, after) = split_wide(body);
            let first = text::decode_utf16(text, order(encoding));
            let more = text::decode_utf16(after, order(encoding));
            if more.trim().is_empty() {
                first
            } else {
                format!("{first}; {more}")
            }
        }
        _ => {
            let end = body
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            text::decode_all(body.get(..end).unwrap_or_default()).replace('\0', "; ")
        }
    }
}

fn order(encoding: u8) -> Endian {
    if encoding == 2 {
        Endian::Big
    } else {
        Endian::Little
    }
}

/// Description and words.
fn split(encoding: u8, body: &[u8]) -> (String, String) {
    if matches!(encoding, 1 | 2) {
        let (description, words) = split_wide(body);
        (
            text::decode_utf16(description, order(encoding)),
            text::decode_utf16(words, order(encoding)),
        )
    } else {
        let end = body
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(body.len());
        let words = rest(body, end.saturating_add(1));
        (
            text::decode_all(body.get(..end).unwrap_or_default()),
            text::decode(words),
        )
    }
}

fn split_wide(body: &[u8]) -> (&[u8], &[u8]) {
    let units = body.chunks_exact(2).position(|unit| unit == [0, 0]);
    let end = units.map_or(body.len(), |unit| unit.saturating_mul(2));
    (
        body.get(..end).unwrap_or_default(),
        rest(body, end.saturating_add(2)),
    )
}
