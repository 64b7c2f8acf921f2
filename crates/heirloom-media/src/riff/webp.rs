//! WebP pictures.

use super::{CHUNK_LIMIT, next};
use crate::{
    bytes::{Endian, le16, le32, slice, u8_at},
    exif::{self, Role},
    notes::Notes,
    source::Source,
    xmp,
};

/// Reads the chunks.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let mut at = 12;
    let mut frames = 0_u32;
    let mut duration_ms = 0_u64;
    let end = source.len();
    for _ in 0..CHUNK_LIMIT {
        let Some(chunk) = next(source, &mut at, end, Endian::Little) else {
            break;
        };
        if chunk.at.saturating_add(chunk.len) > end {
            out.problem("The WebP is cut off.");
        }
        let size = match &chunk.name {
            b"VP8X" => {
                let head = source.copy(chunk.at, 10);
                three(&head, 4)
                    .zip(three(&head, 7))
                    .map(|(w, h)| (w + 1, h + 1))
            }
            b"VP8 " => lossy(&source.copy(chunk.at, 10)),
            b"VP8L" => lossless(&source.copy(chunk.at, 5)),
            b"ANMF" => {
                frames = frames.saturating_add(1);
                let head = source.copy(chunk.at, 16);
                duration_ms = duration_ms.saturating_add(three(&head, 12).unwrap_or(0).into());
                None
            }
            b"EXIF" => {
                let content = chunk.content(source);
                let block = content.strip_prefix(b"Exif\0\0").unwrap_or(&content);
                exif::read(&mut { block }, Role::Block, out);
                None
            }
            b"XMP " | b"XMP\0" => {
                xmp::read_embedded(&chunk.content(source), out);
                None
            }
            _ => None,
        };
        if let Some((width, height)) = size
            && out.facts.width.is_none()
        {
            out.facts.width = Some(width);
            out.facts.height = Some(height);
        }
    }
    if frames > 0 {
        out.facts.frame_count = Some(frames);
        out.facts.duration_ms = Some(duration_ms);
    }
}

fn three(bytes: &[u8], at: usize) -> Option<u32> {
    let [low, middle, high] = *slice(bytes, at, 3)? else {
        return None;
    };
    Some(u32::from_le_bytes([low, middle, high, 0]))
}

fn lossy(head: &[u8]) -> Option<(u32, u32)> {
    (slice(head, 3, 3)? == [0x9D, 0x01, 0x2A]).then_some(())?;
    Some((
        u32::from(le16(head, 6)? & 0x3FFF),
        u32::from(le16(head, 8)? & 0x3FFF),
    ))
}

fn lossless(head: &[u8]) -> Option<(u32, u32)> {
    (u8_at(head, 0)? == 0x2F).then_some(())?;
    let bits = le32(head, 1)?;
    Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
}
