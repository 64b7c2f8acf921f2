//! Camera RAW that is not simply TIFF: Canon CRW, Fujifilm RAF, Minolta MRW, Panasonic RW2, Sigma X3F.
//!
//! After the public descriptions by exiftool and dcraw.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{Endian, be32, index, le16, le32, slice},
    exif::{self, Role},
    jpeg,
    moment::{Moment, Reading},
    notes::Notes,
    property,
    source::Source,
    text,
    tiff::{self, Bytes, Within},
};

/// The most heaps that are followed, one within the other or not.
const HEAP_LIMIT: usize = 32;

/// Reads RAW that is built as TIFF: CR2, NEF, ARW, DNG, ORF, PEF, SRW, RW2 and others.
pub(crate) fn read_tiff(source: &mut Source<'_>, out: &mut Notes) {
    const EMBEDDED_JPEG: u16 = 0x002E;
    let mut bytes = Within { source, from: 0 };
    exif::read(&mut bytes, Role::File { is_raw: true }, out);
    // Panasonic keeps the EXIF in a whole JPEG.
    let embedded = tiff::header(&mut bytes)
        .filter(|header| header.magic == 0x55)
        .and_then(|header| {
            tiff::directory(&mut bytes, header.layout, header.first)?.entry(EMBEDDED_JPEG)
        });
    if let Some(embedded) = embedded {
        read_embedded_jpeg(source, embedded.at, out);
    }
}

/// Reads the JPEG within a RAW file; its size is not the picture's.
fn read_embedded_jpeg(source: &mut Source<'_>, at: u64, out: &mut Notes) {
    let mut inner = Notes::default();
    jpeg::read(source, at, &mut inner);
    if out.facts.width.is_some() {
        (inner.facts.width, inner.facts.height) = (None, None);
    }
    out.absorb(inner);
}

/// Reads a Fujifilm RAW.
pub(crate) fn read_raf(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 108);
    match be32(&head, 84) {
        Some(at) if at > 0 => read_embedded_jpeg(source, u64::from(at), out),
        _ => out.problem("The RAW is cut off within its header."),
    }
}

/// Reads a Minolta RAW: blocks of which one is a TIFF structure.
pub(crate) fn read_mrw(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 8);
    let endian = if head.starts_with(b"\0MRI") {
        Endian::Little
    } else {
        Endian::Big
    };
    let end = crate::bytes::u32_at(&head, 4, endian).map_or(0, |len| u64::from(len) + 8);
    let mut at = 8_u64;
    for _ in 0..50 {
        let head = source.copy(at, 8);
        let Some(len) = crate::bytes::u32_at(&head, 4, endian).filter(|_| at < end) else {
            break;
        };
        let body_at = at.saturating_add(8);
        match head.get(..4) {
            Some(b"\0TTW") => {
                let block = source.copy(body_at, index(u64::from(len)));
                exif::read(&mut block.as_slice(), Role::Block, out);
            }
            Some(b"\0PRD") => {
                let block = source.copy(body_at, 24);
                let side = |at| crate::bytes::u16_at(&block, at, endian).map(u32::from);
                (out.facts.height, out.facts.width) = (side(12), side(14));
            }
            _ => {}
        }
        at = body_at.saturating_add(u64::from(len));
    }
}

/// Reads a Sigma RAW: sections listed at its end, one of them with named texts.
pub(crate) fn read_x3f(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 40);
    out.facts.width = le32(&head, 28).filter(|width| *width > 0);
    out.facts.height = le32(&head, 32).filter(|height| *height > 0);
    out.facts.orientation = match le32(&head, 36) {
        Some(90) => Some(6),
        Some(180) => Some(3),
        Some(270) => Some(8),
        _ => Some(1),
    };
    let list_at = le32(&source.copy(source.len().saturating_sub(4), 4), 0).map_or(0, u64::from);
    let list = source.copy(list_at, 12 + 12 * 200);
    if !list.starts_with(b"SECd") {
        out.problem("The RAW has no list of its sections.");
        return;
    }
    for number in 0..index(u64::from(le32(&list, 8).unwrap_or(0).min(200))) {
        let at = 12 + number * 12;
        let (Some(offset), Some(len), Some(kind)) = (
            le32(&list, at),
            le32(&list, at + 4),
            slice(&list, at + 8, 4),
        ) else {
            break;
        };
        if kind == b"PROP" {
            let section = source.copy(u64::from(offset), index(u64::from(len)).min(256 * 1024));
            sigma_texts(&section, out);
        } else if kind == b"IMA2" {
            let jpeg_at = u64::from(offset).saturating_add(28);
            if source.read(jpeg_at, 3) == [0xFF, 0xD8, 0xFF] {
                read_embedded_jpeg(source, jpeg_at.saturating_add(2), out);
            }
        }
    }
}

fn sigma_texts(section: &[u8], out: &mut Notes) {
    let Some(count) = le32(section, 8).filter(|_| section.starts_with(b"SECp")) else {
        return;
    };
    let count = index(u64::from(count.min(1_000)));
    let words_at = 24_usize.saturating_add(count.saturating_mul(8));
    let words = |at: usize| {
        let unit = le32(section, at).map_or(usize::MAX, |unit| index(u64::from(unit)));
        let at = unit
            .checked_mul(2)
            .and_then(|skip| skip.checked_add(words_at));
        let rest = at
            .map(|at| crate::bytes::rest(section, at))
            .unwrap_or_default();
        text::decode_utf16(rest, Endian::Little)
    };
    for number in 0..count {
        let at = 24 + number * 8;
        let value = words(at + 4);
        match words(at).as_str() {
            "CAMMANUF" => out.text(ClaimKind::CameraMake, &value, "x3f:CAMMANUF", 0.9),
            "CAMMODEL" => out.text(ClaimKind::CameraModel, &value, "x3f:CAMMODEL", 0.9),
            "TIME" => {
                // The camera's clock, which knows no zone, counted from 1970.
                let moment = value
                    .trim()
                    .parse()
                    .ok()
                    .and_then(Moment::from_unix)
                    .map(|moment| Moment {
                        offset_minutes: None,
                        ..moment
                    });
                if let Some(moment) = moment {
                    out.date(Reading::Moment(moment), "x3f:TIME", 0.9);
                }
            }
            "ISO" => out.property(property::ISO, value),
            "APERTURE" => out.property(property::F_NUMBER, value),
            _ => {}
        }
    }
}

/// Reads a Canon CRW: heaps within heaps, each with its list at the end.
pub(crate) fn read_crw(source: &mut Source<'_>, out: &mut Notes) {
    read_heap(&mut Within { source, from: 0 }, out);
}

/// Reads the same structure in a block, as the first PowerShots put it into their JPEGs.
pub(crate) fn read_heap(bytes: &mut dyn Bytes, out: &mut Notes) {
    let start = le32(bytes.block(0, 6), 2).map_or(26, u64::from);
    let end = bytes.size();
    let mut heaps_left = HEAP_LIMIT;
    heap(bytes, start, end, &mut heaps_left, out);
}

fn heap(bytes: &mut dyn Bytes, start: u64, end: u64, heaps_left: &mut usize, out: &mut Notes) {
    let Some(left) = heaps_left.checked_sub(1) else {
        return;
    };
    *heaps_left = left;
    let end = end.min(bytes.size());
    let Some(offset) = end
        .checked_sub(4)
        .and_then(|at| le32(bytes.block(at, 4), 0))
    else {
        return;
    };
    let list_at = start.saturating_add(u64::from(offset));
    let list = bytes.block(list_at, 2 + 10 * 500).to_vec();
    for number in 0..usize::from(le16(&list, 0).unwrap_or(0)).min(500) {
        let at = 2 + number * 10;
        let (Some(tag), Some(len), Some(offset)) =
            (le16(&list, at), le32(&list, at + 2), le32(&list, at + 6))
        else {
            break;
        };
        let content_at = start.saturating_add(u64::from(offset));
        let is_heap = matches!(tag & 0x3800, 0x2800 | 0x3000) && tag & 0xC000 == 0;
        if is_heap {
            heap(
                bytes,
                content_at,
                content_at.saturating_add(u64::from(len)),
                heaps_left,
                out,
            );
            continue;
        }
        if tag & 0xC000 != 0 || !matches!(tag, 0x080A | 0x180E | 0x1810 | 0x0810 | 0x0805) {
            continue;
        }
        let content = bytes
            .block(content_at, index(u64::from(len)).min(4096))
            .to_vec();
        canon(tag, &content, out);
    }
}

fn canon(tag: u16, content: &[u8], out: &mut Notes) {
    match tag {
        0x080A => {
            // Six bytes for the make, which is always the same, and then the model.
            let (make, model) = content.split_at_checked(6).unwrap_or((content, &[]));
            out.text(ClaimKind::CameraMake, &text::decode(make), "crw:Make", 0.9);
            out.text(
                ClaimKind::CameraModel,
                &text::decode(model),
                "crw:Model",
                0.9,
            );
        }
        0x180E => {
            // The camera's clock, counted from 1970.
            if let Some(moment) = le32(content, 0)
                .filter(|seconds| *seconds > 0)
                .and_then(|seconds| Moment::from_unix(i64::from(seconds)))
            {
                let moment = Moment {
                    offset_minutes: None,
                    ..moment
                };
                out.date(Reading::Moment(moment), "crw:DateTimeOriginal", 0.9);
            }
        }
        0x1810 => {
            out.facts.width = le32(content, 0).filter(|width| *width > 0);
            out.facts.height = le32(content, 4).filter(|height| *height > 0);
            out.facts.orientation = match le32(content, 12).map(u32::cast_signed) {
                Some(90) => Some(6),
                Some(180) => Some(3),
                Some(270 | -90) => Some(8),
                _ => Some(1),
            };
        }
        0x0810 => out.property("camera_owner", text::decode(content)),
        _ => out.text(
            ClaimKind::Caption,
            &text::decode(content),
            "crw:Comment",
            0.6,
        ),
    }
}

/// Reads the size of a BMP or ICO picture.
pub(crate) fn read_bitmap(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 32);
    if head.starts_with(b"BM") {
        // The oldest form has sides of two bytes; a negative height means top to bottom.
        let is_old = le32(&head, 14) == Some(12);
        let (width, height) = if is_old {
            (
                le16(&head, 18).map(u32::from),
                le16(&head, 20).map(u32::from),
            )
        } else {
            (
                le32(&head, 18),
                le32(&head, 22).map(|side| side.cast_signed().unsigned_abs()),
            )
        };
        (out.facts.width, out.facts.height) = (width, height);
    } else {
        // Zero stands for 256.
        let side = |at: usize| {
            head.get(at)
                .map(|side| if *side == 0 { 256 } else { u32::from(*side) })
        };
        (out.facts.width, out.facts.height) = (side(6), side(7));
    }
}
