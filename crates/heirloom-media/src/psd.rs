//! Photoshop documents, and the resource blocks that JPEG and TIFF borrow from them.

use crate::{
    bytes::{be16, be32, index, rest, slice, u8_at},
    exif::{self, Role},
    iptc,
    notes::Notes,
    source::Source,
    xmp,
};

/// The most resources that are walked.
const RESOURCE_LIMIT: usize = 2_000;

/// The most bytes of resources that are read.
const BLOCK_LIMIT: usize = 8 * 1024 * 1024;

const IPTC: u16 = 0x0404;
const EXIF: u16 = 0x0422;
const EXIF_CONTINUED: u16 = 0x0423;
const XMP: u16 = 0x0424;

/// Reads a Photoshop document's head and resources.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 30);
    out.facts.height = be32(&head, 14).filter(|height| *height > 0);
    out.facts.width = be32(&head, 18).filter(|width| *width > 0);
    let Some(colours) = be32(&head, 26) else {
        out.problem("The Photoshop file is cut off within its header.");
        return;
    };
    let at = 30_u64.saturating_add(u64::from(colours));
    let Some(len) = be32(&source.copy(at, 4), 0) else {
        out.problem("The Photoshop file is cut off within its header.");
        return;
    };
    let block = source.copy(at.saturating_add(4), index(u64::from(len)).min(BLOCK_LIMIT));
    read_resources(&block, out);
}

/// Reads a block of resources.
pub(crate) fn read_resources(bytes: &[u8], out: &mut Notes) {
    let mut at = 0_usize;
    let mut records = Vec::new();
    for _ in 0..RESOURCE_LIMIT {
        // Whose resource it is; other programs than Photoshop have marks of their own.
        let Some(mark) = slice(bytes, at, 4) else {
            break;
        };
        if !matches!(mark, b"8BIM" | b"PHUT" | b"DCSR" | b"AgHg" | b"MeSa") {
            break;
        }
        let (Some(id), Some(name_len)) = (
            be16(bytes, at.saturating_add(4)),
            u8_at(bytes, at.saturating_add(6)),
        ) else {
            break;
        };
        // The name with its length is padded to an even number, and so is the content.
        let name = (usize::from(name_len) + 2) & !1;
        let len_at = at.saturating_add(6).saturating_add(name);
        let Some(len) = be32(bytes, len_at) else {
            break;
        };
        let start = len_at.saturating_add(4);
        let len = index(u64::from(len));
        let Some(content) = slice(bytes, start, len) else {
            out.problem("A Photoshop resource is cut off.");
            break;
        };
        if mark == b"8BIM" {
            match id {
                // Several blocks are read as one: some writers add instead of replacing.
                IPTC => records.extend_from_slice(content),
                EXIF | EXIF_CONTINUED => {
                    exif::read(&mut { content }, Role::Block, out);
                }
                XMP => xmp::read_embedded(content, out),
                _ => {}
            }
        }
        at = start.saturating_add(len).saturating_add(len % 2);
    }
    let records = rest(&records, 0);
    if !records.is_empty() {
        iptc::read(records, out);
    }
}
