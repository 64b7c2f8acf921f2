//! Windows Media films and recordings (ASF, WMV, WMA).

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{Endian, index, le16, le32, le64, rest, slice},
    exif,
    moment::{Moment, Reading},
    notes::Notes,
    property,
    riff::{picture_name, sound_name},
    source::Source,
    text,
};

/// Where each object is told by its first four bytes; within the header they do not collide.
const FILE_PROPERTIES: [u8; 4] = [0xA1, 0xDC, 0xAB, 0x8C];
const STREAM_PROPERTIES: [u8; 4] = [0x91, 0x07, 0xDC, 0xB7];
const CONTENT_DESCRIPTION: [u8; 4] = [0x33, 0x26, 0xB2, 0x75];
const EXTENDED_DESCRIPTION: [u8; 4] = [0x40, 0xA4, 0xD0, 0xD2];
const VIDEO_STREAM: [u8; 4] = [0xC0, 0xEF, 0x19, 0xBC];
const AUDIO_STREAM: [u8; 4] = [0x40, 0x9E, 0x69, 0xF8];

/// Hundreds of nanoseconds from 1601 to 1970.
const EPOCH_1601: u64 = 116_444_736_000_000_000;

/// Reads the objects of the header.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 30);
    let end = le64(&head, 16).unwrap_or(0).min(source.len());
    let mut at = 30_u64;
    for _ in 0..500 {
        let head = source.copy(at, 24);
        let (Some(kind), Some(len)) = (head.get(..4), le64(&head, 16)) else {
            break;
        };
        if len < 24 || at >= end {
            break;
        }
        let kind: [u8; 4] = kind.try_into().unwrap_or_default();
        if [
            FILE_PROPERTIES,
            STREAM_PROPERTIES,
            CONTENT_DESCRIPTION,
            EXTENDED_DESCRIPTION,
        ]
        .contains(&kind)
        {
            let body = source.copy(at.saturating_add(24), index(len - 24).min(1024 * 1024));
            match kind {
                FILE_PROPERTIES => file(&body, out),
                STREAM_PROPERTIES => stream(&body, out),
                CONTENT_DESCRIPTION => description(&body, out),
                _ => extended(&body, out),
            }
        }
        at = at.saturating_add(len);
    }
}

/// A date counted in hundreds of nanoseconds from 1601, as Windows does.
pub(crate) fn windows_date(ticks: u64) -> Option<Moment> {
    let since_1970 = ticks.checked_sub(EPOCH_1601)? / 10_000_000;
    Moment::from_unix(i64::try_from(since_1970).ok()?).filter(|moment| moment.year > 1970)
}

fn file(body: &[u8], out: &mut Notes) {
    if let Some(moment) = le64(body, 24).and_then(windows_date) {
        out.date(Reading::Moment(moment), "asf:CreationDate", 0.7);
    }
    // The lead-in counts as part of the duration and is not played.
    if let (Some(ticks), Some(lead_ms)) = (le64(body, 40), le64(body, 56)) {
        out.facts.duration_ms = Some((ticks / 10_000).saturating_sub(lead_ms));
    }
}

fn stream(body: &[u8], out: &mut Notes) {
    let specific = rest(body, 54);
    let kind: [u8; 4] = body
        .get(..4)
        .and_then(|kind| kind.try_into().ok())
        .unwrap_or_default();
    match kind {
        VIDEO_STREAM if out.facts.width.is_none() => {
            out.facts.width = le32(specific, 0).filter(|width| *width > 0);
            out.facts.height = le32(specific, 4).filter(|height| *height > 0);
            out.facts.video_codec = slice(specific, 27, 4).and_then(picture_name);
        }
        AUDIO_STREAM if out.facts.audio_codec.is_none() => {
            out.facts.audio_codec = le16(specific, 0).and_then(sound_name).map(str::to_owned);
            out.facts.channels = le16(specific, 2).map(u32::from);
            out.facts.sample_rate_hz = le32(specific, 4);
        }
        _ => {}
    }
}

/// Five texts: title, author, rights, description, rating.
fn description(body: &[u8], out: &mut Notes) {
    let mut at = 10_usize;
    for number in 0..4 {
        let len = usize::from(le16(body, number * 2).unwrap_or(0));
        let words = text::decode_utf16(slice(body, at, len).unwrap_or_default(), Endian::Little);
        at = at.saturating_add(len);
        match number {
            0 => out.text(ClaimKind::Title, &words, "asf:Title", 0.8),
            1 => exif::author(&words, "asf:Author", out),
            2 => out.property(property::COPYRIGHT, words),
            _ => out.text(ClaimKind::Caption, &words, "asf:Description", 0.7),
        }
    }
}

fn extended(body: &[u8], out: &mut Notes) {
    let mut at = 2_usize;
    for _ in 0..le16(body, 0).unwrap_or(0).min(500) {
        let mut part = || {
            let len = usize::from(le16(body, at)?);
            let bytes = slice(body, at.saturating_add(2), len)?;
            at = at.saturating_add(2).saturating_add(len);
            Some(bytes)
        };
        let Some(name) = part() else { break };
        let name = text::decode_utf16(name, Endian::Little);
        let Some(kind) = le16(body, at) else { break };
        at = at.saturating_add(2);
        let len = usize::from(le16(body, at).unwrap_or(0));
        let value = slice(body, at.saturating_add(2), len).unwrap_or_default();
        at = at.saturating_add(2).saturating_add(len);
        if kind != 0 {
            continue;
        }
        let words = text::decode_utf16(value, Endian::Little);
        match name.as_str() {
            "WM/EncodingTime" | "WM/Year" => {
                out.date(Moment::read(&words), &format!("asf:{name}"), 0.6);
            }
            "WM/AlbumTitle" => out.property("album", words),
            "WM/Genre" => out.property("genre", words),
            "WM/ToolName" => out.property(property::SOFTWARE, words),
            _ => {}
        }
    }
}
