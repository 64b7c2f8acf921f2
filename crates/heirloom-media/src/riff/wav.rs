//! WAV and AIFF recordings.

use heirloom_core::claim::ClaimKind;

use super::{CHUNK_LIMIT, count, duration_ms, extended, info, long_data_len, next, sound_name};
use crate::{
    audio::id3,
    bytes::{Endian, be16, be32, le16, le32, slice},
    exif,
    moment::{Moment, Reading},
    notes::Notes,
    property,
    source::Source,
    text, xmp,
};

/// Reads a WAV file, long ones (RF64, BW64) included.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    let mut at = 12;
    let mut bytes_per_second = 0;
    let mut long_data = None;
    let mut data_len = None;
    for _ in 0..CHUNK_LIMIT {
        let Some(chunk) = next(source, &mut at, end, Endian::Little) else {
            break;
        };
        match &chunk.name {
            b"fmt " => {
                let content = chunk.content(source);
                out.facts.audio_codec = le16(&content, 0).and_then(sound_name).map(str::to_owned);
                out.facts.channels = le16(&content, 2).map(u32::from);
                out.facts.sample_rate_hz = le32(&content, 4).filter(|rate| *rate > 0);
                bytes_per_second = count(&content, 8).unwrap_or(0);
            }
            b"ds64" => long_data = long_data_len(&chunk.content(source)),
            b"data" => {
                let is_long = chunk.len >= u64::from(u32::MAX);
                let stated = if is_long {
                    long_data.unwrap_or(chunk.len)
                } else {
                    chunk.len
                };
                let held = end.saturating_sub(chunk.at);
                if stated > held && !is_long {
                    out.problem("The WAV is cut off.");
                }
                data_len = Some(stated.min(held));
                at = chunk.at.saturating_add(stated).saturating_add(stated % 2);
            }
            b"LIST" if &chunk.list_kind(source) == b"INFO" => info(source, chunk, "wav", out),
            b"bext" => broadcast(&chunk.content(source), out),
            b"id3 " | b"ID3 " => id3::read_block(&chunk.content(source), out),
            b"_PMX" => xmp::read_embedded(&chunk.content(source), out),
            _ => {}
        }
    }
    match data_len {
        Some(len) if bytes_per_second > 0 => {
            out.facts.duration_ms = duration_ms(len, f64::from(bytes_per_second));
        }
        _ => out.problem("The WAV has no readable sound."),
    }
}

/// The broadcast extension (EBU Tech 3285).
fn broadcast(content: &[u8], out: &mut Notes) {
    let words = |at, len| text::decode(slice(content, at, len).unwrap_or_default());
    out.text(
        ClaimKind::Caption,
        &words(0, 256),
        "wav:bext:Description",
        0.7,
    );
    out.property(property::SOFTWARE, words(256, 32));
    let (date, time) = (words(320, 10), words(330, 8));
    let reading = match Moment::read(&format!("{date} {time}")) {
        Reading::Unreadable => Moment::read(&date),
        reading => reading,
    };
    out.date(reading, "wav:bext:OriginationDate", 0.85);
}

/// Reads an AIFF file.
pub(crate) fn read_aiff(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    let mut at = 12;
    for _ in 0..CHUNK_LIMIT {
        let Some(chunk) = next(source, &mut at, end, Endian::Big) else {
            break;
        };
        match &chunk.name {
            b"COMM" => {
                let content = chunk.content(source);
                out.facts.audio_codec = Some("pcm".to_owned());
                out.facts.channels = be16(&content, 0).map(u32::from);
                if let (Some(frames), Some(rate)) = (be32(&content, 2), extended(&content, 8))
                    && (1.0..1e7).contains(&rate)
                {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "checked"
                    )]
                    let whole = rate.round() as u32;
                    out.facts.sample_rate_hz = Some(whole);
                    out.facts.duration_ms = duration_ms(u64::from(frames), rate);
                }
            }
            b"NAME" => {
                let words = text::decode(&chunk.content(source));
                out.text(ClaimKind::Title, &words, "aiff:NAME", 0.8);
            }
            b"AUTH" => exif::author(&text::decode(&chunk.content(source)), "aiff:AUTH", out),
            b"ANNO" => {
                let words = text::decode(&chunk.content(source));
                out.text(ClaimKind::Caption, &words, "aiff:ANNO", 0.7);
            }
            b"ID3 " => id3::read_block(&chunk.content(source), out),
            _ => {}
        }
    }
}
