//! AVI films.

use super::{CHUNK_LIMIT, Chunk, count, info, next, picture_name, sound_name};
use crate::{
    bytes::{Endian, le16, le32, slice},
    exif::{self, Role},
    notes::Notes,
    source::Source,
    text, xmp,
};

/// Reads headers and texts; the film itself is passed over.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    walk(source, 12, end, 0, out);
    if out.facts.width.is_none() {
        out.problem("The AVI has no readable header.");
    }
}

fn walk(source: &mut Source<'_>, from: u64, end: u64, depth: usize, out: &mut Notes) {
    let mut at = from;
    let mut stream = [0; 4];
    for _ in 0..CHUNK_LIMIT {
        let Some(chunk) = next(source, &mut at, end, Endian::Little) else {
            break;
        };
        match &chunk.name {
            b"LIST" => match &chunk.list_kind(source) {
                b"hdrl" | b"strl" | b"odml" if depth < 4 => {
                    let inner_end = chunk.at.saturating_add(chunk.len);
                    walk(
                        source,
                        chunk.at.saturating_add(4),
                        inner_end,
                        depth + 1,
                        out,
                    );
                }
                b"INFO" => info(source, chunk, "avi", out),
                b"exif" => exif_list(source, chunk, out),
                _ => {}
            },
            b"avih" => main_header(&chunk.content(source), out),
            b"strh" => {
                let content = chunk.content(source);
                stream = slice(&content, 0, 4)
                    .and_then(|s| s.try_into().ok())
                    .unwrap_or_default();
                if &stream == b"vids" {
                    video(&content, out);
                }
            }
            b"strf" => format(&stream, &chunk.content(source), out),
            b"strd" => {
                // Some cameras put a whole EXIF block here, without its head.
                let content = chunk.content(source);
                if let Some(block) = content.strip_prefix(b"AVIF") {
                    exif::read(
                        &mut { block.get(4..).unwrap_or_default() },
                        Role::Block,
                        out,
                    );
                }
            }
            b"IDIT" => {
                let words = text::decode(&chunk.content(source));
                out.date(super::spoken_date(&words), "avi:IDIT", 0.85);
            }
            b"_PMX" => xmp::read_embedded(&chunk.content(source), out),
            _ => {}
        }
    }
}

fn main_header(content: &[u8], out: &mut Notes) {
    out.facts.width = count(content, 32);
    out.facts.height = count(content, 36);
    if let (Some(frame_us), Some(frames)) = (count(content, 0), count(content, 16)) {
        out.facts.frame_rate = Some(1e6 / f64::from(frame_us));
        out.facts.duration_ms = Some(u64::from(frames).saturating_mul(u64::from(frame_us)) / 1000);
    }
}

fn video(content: &[u8], out: &mut Notes) {
    out.facts.video_codec = slice(content, 4, 4).and_then(picture_name);
    // Units per second as a fraction, and how many there are: longer films state more here.
    if let (Some(scale), Some(rate), Some(frames)) =
        (count(content, 20), count(content, 24), count(content, 32))
    {
        let per_second = f64::from(rate) / f64::from(scale);
        out.facts.frame_rate = Some(per_second);
        out.facts.duration_ms = super::duration_ms(u64::from(frames), per_second);
    }
}

fn format(stream: &[u8; 4], content: &[u8], out: &mut Notes) {
    match stream {
        b"vids" if out.facts.video_codec.is_none() => {
            out.facts.video_codec = slice(content, 16, 4).and_then(picture_name);
        }
        b"auds" if out.facts.audio_codec.is_none() => {
            out.facts.audio_codec = le16(content, 0).and_then(sound_name).map(str::to_owned);
            out.facts.channels = le16(content, 2).map(u32::from);
            out.facts.sample_rate_hz = le32(content, 4);
        }
        _ => {}
    }
}

/// The EXIF list: make, model and comments as texts.
fn exif_list(source: &mut Source<'_>, list: Chunk, out: &mut Notes) {
    use heirloom_core::claim::ClaimKind;
    let mut at = list.at.saturating_add(4);
    let end = list.at.saturating_add(list.len);
    for _ in 0..50 {
        let Some(chunk) = next(source, &mut at, end, Endian::Little) else {
            break;
        };
        let words = text::decode(&chunk.content(source));
        match &chunk.name {
            b"ecor" => out.text(ClaimKind::CameraMake, &words, "avi:ecor", 0.85),
            b"emdl" => out.text(ClaimKind::CameraModel, &words, "avi:emdl", 0.85),
            _ => {}
        }
    }
}
