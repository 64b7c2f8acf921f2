//! JPEG 2000 pictures. See ISO/IEC 15444-1 and -2.

use super::{BOX_LIMIT, DEPTH_LIMIT, next};
use crate::{
    bytes::{be16, be32, rest},
    exif::{self, Role},
    iptc,
    notes::Notes,
    source::Source,
    xmp,
};

const XMP: &[u8] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
const IPTC: &[u8] = b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";
const EXIF: &[u8] = b"JpgTiffExif->JP2";

/// Reads the boxes before the picture.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    walk(source, 0, end, 0, out);
    if out.facts.width.is_none() {
        out.problem("The JPEG 2000 picture has no readable header.");
    }
}

fn walk(source: &mut Source<'_>, from: u64, end: u64, depth: usize, out: &mut Notes) {
    let mut at = from;
    for _ in 0..BOX_LIMIT {
        let Some(atom) = next(source, &mut at, end) else {
            break;
        };
        if atom.is_cut {
            out.problem("The JPEG 2000 picture is cut off.");
        }
        match &atom.kind {
            b"jp2h" if depth < DEPTH_LIMIT => walk(source, atom.at, atom.end, depth + 1, out),
            b"ihdr" => {
                let content = source.copy(atom.at, 14);
                out.facts.height = be32(&content, 0).filter(|height| *height > 0);
                out.facts.width = be32(&content, 4).filter(|width| *width > 0);
            }
            b"jp2c" if out.facts.width.is_none() => codestream(source, atom.at, out),
            b"xml " => xmp::read_embedded(&atom.content(source), out),
            b"uuid" => {
                let content = atom.content(source);
                let packet = rest(&content, 16);
                if content.starts_with(XMP) {
                    xmp::read_embedded(packet, out);
                } else if content.starts_with(IPTC) {
                    iptc::read(packet, out);
                } else if content.starts_with(EXIF) {
                    let packet = packet.strip_prefix(b"Exif\0\0").unwrap_or(packet);
                    exif::read(&mut { packet }, Role::Block, out);
                }
            }
            _ => {}
        }
    }
}

/// Reads a picture without boxes.
pub(crate) fn read_codestream(source: &mut Source<'_>, out: &mut Notes) {
    codestream(source, 0, out);
    if out.facts.width.is_none() {
        out.problem("The JPEG 2000 picture has no readable header.");
    }
}

/// The size segment: far corner of the grid less the near one.
fn codestream(source: &mut Source<'_>, at: u64, out: &mut Notes) {
    let head = source.copy(at, 24);
    if be16(&head, 2) != Some(0xFF51) {
        return;
    }
    let side = |far, near| Some(be32(&head, far)?.saturating_sub(be32(&head, near)?));
    out.facts.width = side(8, 16).filter(|width| *width > 0);
    out.facts.height = side(12, 20).filter(|height| *height > 0);
}
