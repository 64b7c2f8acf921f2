//! RIFF files: WebP pictures, AVI films and WAV recordings.

mod avi;
mod wav;
mod webp;

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{Endian, be64, index, le32, le64, slice},
    exif,
    moment::{Moment, Reading},
    notes::Notes,
    property,
    source::Source,
    text,
};

pub(crate) use avi::read as read_avi;
pub(crate) use wav::{read as read_wav, read_aiff};
pub(crate) use webp::read as read_webp;

/// The most chunks that are walked in one file.
const CHUNK_LIMIT: usize = 50_000;

/// The longest chunk whose content is read.
const CONTENT_LIMIT: usize = 8 * 1024 * 1024;

/// A chunk: its name and where its content lies.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    name: [u8; 4],
    at: u64,
    len: u64,
}

impl Chunk {
    fn content(self, source: &mut Source<'_>) -> Vec<u8> {
        source.copy(self.at, index(self.len).min(CONTENT_LIMIT))
    }

    /// The kind of a list, which stands before the chunks in it.
    fn list_kind(self, source: &mut Source<'_>) -> [u8; 4] {
        source.read(self.at, 4).try_into().unwrap_or_default()
    }
}

/// The chunk at `at`, before `end`; `at` moves behind it.
fn next(source: &mut Source<'_>, at: &mut u64, end: u64, endian: Endian) -> Option<Chunk> {
    let end = end.min(source.len());
    if at.saturating_add(8) > end {
        return None;
    }
    let head = source.read(*at, 8);
    let name: [u8; 4] = slice(head, 0, 4)?.try_into().ok()?;
    let len = u64::from(crate::bytes::u32_at(head, 4, endian)?);
    let chunk = Chunk {
        name,
        at: at.saturating_add(8),
        len,
    };
    // Chunks are padded to an even length.
    *at = chunk.at.saturating_add(len).saturating_add(len % 2);
    Some(chunk)
}

/// Texts of an INFO list.
fn info(source: &mut Source<'_>, list: Chunk, origin: &str, out: &mut Notes) {
    let mut at = list.at.saturating_add(4);
    let end = list.at.saturating_add(list.len);
    for _ in 0..200 {
        let Some(chunk) = next(source, &mut at, end, Endian::Little) else {
            break;
        };
        let content = chunk.content(source);
        let name = String::from_utf8_lossy(&chunk.name).into_owned();
        info_text(&name, &text::decode(&content), origin, out);
    }
}

fn info_text(name: &str, words: &str, origin: &str, out: &mut Notes) {
    let from = format!("{origin}:{name}");
    match name {
        "INAM" => out.text(ClaimKind::Title, words, &from, 0.8),
        "ICMT" | "ISBJ" => out.text(ClaimKind::Caption, words, &from, 0.7),
        "IART" => exif::author(words, &from, out),
        "IKEY" => {
            for word in words.split([';', ',']) {
                out.text(ClaimKind::Tag, word, &from, 0.7);
            }
        }
        "ICRD" | "IDIT" => out.date(spoken_date(words), &from, 0.75),
        "ICOP" => out.property(property::COPYRIGHT, words),
        "ISFT" => out.property(property::SOFTWARE, words),
        _ => {}
    }
}

/// A date as cameras write it into AVI: as everywhere else, or `Mon Mar 10 15:04:43 2003`.
fn spoken_date(words: &str) -> Reading {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let reading = Moment::read(words);
    if !matches!(reading, Reading::Unreadable) {
        return reading;
    }
    let parts: Vec<&str> = words
        .split(|c: char| c.is_whitespace() || c == '\0')
        .filter(|part| !part.is_empty())
        .collect();
    if let [_, month, day, time, year, ..] = *parts
        && let Some(number) = MONTHS
            .iter()
            .position(|name| month.to_ascii_lowercase().starts_with(name))
    {
        return Moment::read(&format!("{year}-{:02}-{day:0>2} {time}", number + 1));
    }
    Reading::Unreadable
}

/// Sizes of a file above 4 GiB, which its chunks cannot state: of the sound alone.
fn long_data_len(content: &[u8]) -> Option<u64> {
    le64(content, 8)
}

/// An 80-bit number of SANE, as AIFF has its rate in.
fn extended(content: &[u8], at: usize) -> Option<f64> {
    let exponent = i32::from(crate::bytes::be16(content, at)? & 0x7FFF);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sample rate needs far fewer digits"
    )]
    let mantissa = be64(content, at.checked_add(2)?)? as f64;
    Some(mantissa * 2_f64.powi(exponent - 16_383 - 63))
}

/// Milliseconds of so many units of which `per_second` make a second.
pub(crate) fn duration_ms(units: u64, per_second: f64) -> Option<u64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are no exact science"
    )]
    let ms = units as f64 * 1000.0 / per_second;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    (ms.is_finite() && (0.0..1e15).contains(&ms)).then(|| ms.round() as u64)
}

/// The short name of a sound format as RIFF and ASF number it.
pub(crate) fn sound_name(format: u16) -> Option<&'static str> {
    Some(match format {
        0x0001 | 0x0003 | 0xFFFE => "pcm",
        0x0002 | 0x0011 => "adpcm",
        0x0006 => "alaw",
        0x0007 => "ulaw",
        0x0050 => "mp2",
        0x0055 => "mp3",
        0x00FF | 0x1600 | 0x706D => "aac",
        0x0160..=0x0163 => "wma",
        0x2000 => "ac3",
        0x2001 => "dts",
        0xF1AC => "flac",
        0x674F..=0x6771 => "vorbis",
        _ => return None,
    })
}

/// The short name of a picture codec by its four characters.
pub(crate) fn picture_name(code: &[u8]) -> Option<String> {
    let code = code.get(..4)?;
    let upper = String::from_utf8_lossy(code).trim().to_ascii_uppercase();
    let name = match upper.as_str() {
        "H264" | "X264" | "AVC1" | "AVC2" | "AVC3" | "DAVC" => "h264",
        "HEVC" | "HVC1" | "HEV1" | "H265" | "DVH1" | "DVHE" => "hevc",
        "AV01" => "av1",
        "VP80" | "VP08" => "vp8",
        "VP90" | "VP09" => "vp9",
        "MJPG" | "JPEG" | "MJPA" | "MJPB" | "DMB1" => "mjpeg",
        "XVID" | "DIVX" | "DX50" | "MP4V" | "FMP4" | "MP4S" => "mpeg4",
        "DVSD" | "DVHD" | "DVSL" | "DV25" | "DVC" | "DVCP" | "DV50" => "dv",
        "S263" | "H263" => "h263",
        "WMV1" | "WMV2" | "WMV3" => "wmv",
        "WVC1" => "vc1",
        "CVID" => "cinepak",
        "SVQ1" | "SVQ3" => "svq",
        "IV31" | "IV32" | "IV41" | "IV50" => "indeo",
        "MPG1" | "MPEG" | "PIM1" => "mpeg1",
        "MPG2" => "mpeg2",
        "APCN" | "APCH" | "APCS" | "APCO" | "AP4H" | "AP4X" => "prores",
        _ => {
            let is_name = upper.len() >= 3 && upper.chars().all(|c| c.is_ascii_alphanumeric());
            return is_name.then(|| upper.to_ascii_lowercase());
        }
    };
    Some(name.to_owned())
}

/// A count of four bytes that are not all zeros or ones.
fn count(content: &[u8], at: usize) -> Option<u32> {
    le32(content, at).filter(|count| *count > 0 && *count < u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_a_film_is_read_however_the_camera_spoke_it() {
        let cases = [
            ("Mon Mar 10 15:04:43 2003", "2003-03-10T15:04:43"),
            ("SUN JAN 02 00:44:00 2005\n\0", "2005-01-02T00:44:00"),
            ("2005/ 1/ 2/ 0:44", "2005-01-02T00:44:00"),
            ("2003-03-10", "2003-03-10"),
            ("2001", "2001"),
        ];
        for (words, edtf) in cases {
            assert_eq!(
                spoken_date(words).moment().unwrap().to_string(),
                edtf,
                "{words}"
            );
        }
        assert_eq!(spoken_date("some day"), Reading::Unreadable);
    }
}
