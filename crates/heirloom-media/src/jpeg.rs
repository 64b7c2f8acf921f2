//! JPEG files: the segments before the picture, and nothing after them.

use crate::{
    bytes::{be16, be32, find, index, rest, u8_at},
    exif::{self, Role},
    flir, iptc,
    notes::Notes,
    psd, raw,
    source::Source,
    xmp,
};

/// How much is read at once: in most pictures all segments of interest lie within.
const FIRST_READ: usize = 64 * 1024;

/// The most segments that are walked.
const SEGMENT_LIMIT: usize = 2_000;

/// The most bytes of an extended XMP packet that are put together.
const EXTENDED_LIMIT: usize = 8 * 1024 * 1024;

/// The most bytes of a thermal camera's records that are put together.
const THERMAL_LIMIT: usize = 4 * 1024 * 1024;

const XMP_MARK: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_MARK: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";

/// Parts of one block that is spread over several segments.
#[derive(Default)]
struct Parts {
    exif: Vec<u8>,
    resources: Vec<u8>,
    extended: Vec<(u32, Vec<u8>)>,
    thermal: Vec<u8>,
}

/// Reads the segments from `at` on, where the first marker is expected.
pub(crate) fn read(source: &mut Source<'_>, at: u64, out: &mut Notes) {
    source.prefetch(at, FIRST_READ);
    let mut at = at;
    let mut parts = Parts::default();
    for _ in 0..SEGMENT_LIMIT {
        let Some(marker) = next_marker(source, &mut at, out) else {
            out.problem("The JPEG ends before its picture begins.");
            break;
        };
        match marker {
            // Restart, start and padding markers stand alone.
            0xD0..=0xD8 | 0x01 => continue,
            0xD9 | 0xDA => break,
            _ => {}
        }
        let head = source.copy(at, 2);
        let Some(len) = be16(&head, 0).filter(|len| *len >= 2) else {
            out.problem("A segment of the JPEG has no length.");
            break;
        };
        let body_at = at.saturating_add(2);
        at = at.saturating_add(u64::from(len));
        let body_len = usize::from(len) - 2;
        let is_size = matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
        if is_size || (0xE0..=0xED).contains(&marker) || marker == 0xFE {
            let body = source.copy(body_at, body_len);
            if body.len() < body_len {
                out.problem("The JPEG is cut off within its header.");
            }
            segment(marker, is_size, body, &mut parts, out);
        }
    }
    parts.finish(out);
}

/// Finds the next marker and moves past it; rubbish before it is passed over.
fn next_marker(source: &mut Source<'_>, at: &mut u64, out: &mut Notes) -> Option<u8> {
    for _ in 0..SEGMENT_LIMIT {
        let ahead = source.read(*at, 4096);
        let skipped = ahead.iter().position(|byte| *byte == 0xFF)?;
        let fill = rest(ahead, skipped)
            .iter()
            .take_while(|byte| **byte == 0xFF)
            .count();
        let marker = u8_at(ahead, skipped.saturating_add(fill))?;
        if skipped > 0 {
            out.problem("There are stray bytes between the segments of the JPEG.");
        }
        *at = at.saturating_add((skipped + fill + 1) as u64);
        if marker != 0 {
            return Some(marker);
        }
    }
    None
}

fn segment(marker: u8, is_size: bool, body: Vec<u8>, parts: &mut Parts, out: &mut Notes) {
    if is_size {
        if out.facts.width.is_none() {
            out.facts.height = be16(&body, 1).map(u32::from).filter(|height| *height > 0);
            out.facts.width = be16(&body, 3).map(u32::from).filter(|width| *width > 0);
        }
        return;
    }
    match marker {
        0xE1 if body.starts_with(b"Exif\0") || body.starts_with(b"EXIF\0") => {
            let block = rest(&body, 6);
            // A block that goes on in the next segment has no beginning of its own there.
            let is_continued = !parts.exif.is_empty() && !is_tiff(block);
            if parts.exif.is_empty() || is_continued {
                parts.exif.extend_from_slice(block);
            }
        }
        0xE1 if body.starts_with(XMP_MARK) => {
            xmp::read_embedded(rest(&body, XMP_MARK.len()), out);
        }
        0xE1 if body.starts_with(EXTENDED_MARK) => {
            // Digest of the whole, length of the whole, offset of this part.
            let after = rest(&body, EXTENDED_MARK.len() + 32);
            let held: usize = parts.extended.iter().map(|(_, part)| part.len()).sum();
            if let Some(offset) = be32(after, 4)
                && held.saturating_add(after.len()) <= EXTENDED_LIMIT
            {
                parts.extended.push((offset, rest(after, 8).to_vec()));
            }
        }
        0xE1 if body.starts_with(b"FLIR\0") && parts.thermal.len() < THERMAL_LIMIT => {
            parts.thermal.extend_from_slice(rest(&body, 8));
        }
        0xE1 if find(
            body.get(..64.min(body.len())).unwrap_or_default(),
            b"<x:xmpmeta",
        )
        .is_some()
            || body.starts_with(b"<?xpacket") =>
        {
            let start = find(&body, b"<").unwrap_or(0);
            xmp::read_embedded(rest(&body, start), out);
        }
        0xE0 if rest(&body, 6).starts_with(b"HEAPJPGM") => {
            raw::read_heap(&mut body.as_slice(), out);
        }
        0xED if body.starts_with(b"Photoshop 3.0\0") => {
            parts.resources.extend_from_slice(rest(&body, 14));
        }
        0xED if body.starts_with(b"Adobe_Photoshop2.5:") => {
            parts.resources.extend_from_slice(rest(&body, 27));
        }
        0xED if body.first() == Some(&0x1C) => iptc::read(&body, out),
        0xFE => out.property("comment", crate::text::decode(&body)),
        _ => {}
    }
}

fn is_tiff(block: &[u8]) -> bool {
    block.starts_with(b"II*\0") || block.starts_with(b"MM\0*")
}

impl Parts {
    fn finish(mut self, out: &mut Notes) {
        if !self.exif.is_empty() {
            exif::read(&mut self.exif.as_slice(), Role::Block, out);
        }
        if !self.resources.is_empty() {
            psd::read_resources(&self.resources, out);
        }
        self.extended.sort_by_key(|(offset, _)| *offset);
        let mut packet = Vec::new();
        for (offset, part) in self.extended {
            // A part that is missing leaves the rest without a place.
            if index(u64::from(offset)) == packet.len() {
                packet.extend_from_slice(&part);
            }
        }
        if !packet.is_empty() {
            xmp::read_embedded(&packet, out);
        }
        if !self.thermal.is_empty() {
            flir::read(&self.thermal, out);
        }
    }
}
