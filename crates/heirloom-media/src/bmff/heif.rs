//! HEIF and AVIF pictures: items, where they lie, and what is said of them. See ISO/IEC 23008-12.

use super::{Atom, CONTENT_LIMIT, children, first, list};
use crate::{
    bytes::{be16, be32, index, rest, slice, u8_at},
    exif::{self, Role},
    notes::Notes,
    source::Source,
    xmp,
};

/// The most items that are looked at.
const ITEM_LIMIT: usize = 4_096;

/// The most items that are read: a picture has one or two packets.
const PACKET_LIMIT: usize = 16;

/// An item and where its bytes lie.
#[derive(Debug, Clone, Default)]
struct Item {
    id: u32,
    kind: [u8; 4],
    content_type: String,
    /// Within the file, or within the `idat` box.
    is_within_box: bool,
    extents: Vec<(u64, u64)>,
}

/// Reads the picture's description and the packets about it.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    let top = list(source, 0, end);
    if top.iter().any(|atom| atom.is_cut) {
        out.problem("The picture's file is cut off.");
    }
    for atom in &top {
        match &atom.kind {
            b"meta" => meta(source, atom, out),
            b"moov" => super::movie::moov(source, atom, out),
            b"uuid" => super::movie::uuid(source, atom, out),
            _ => {}
        }
    }
    if first(&top, b"meta").is_none() && first(&top, b"moov").is_none() {
        out.problem("The picture's file does not say what is in it.");
    }
}

/// Reads a full box `meta` that describes items.
fn meta(source: &mut Source<'_>, meta: &Atom, out: &mut Notes) {
    // Version and flags come before the boxes.
    let boxes = list(source, meta.at.saturating_add(4), meta.end);
    let mut items = first(&boxes, b"iinf")
        .map(|iinf| infos(source, &iinf))
        .unwrap_or_default();
    if let Some(iloc) = first(&boxes, b"iloc") {
        locations(&iloc.content(source), &mut items);
    }
    let idat = first(&boxes, b"idat");
    let primary = first(&boxes, b"pitm").and_then(|pitm| {
        let content = pitm.content(source);
        match u8_at(&content, 0)? {
            0 => be16(&content, 4).map(u32::from),
            _ => be32(&content, 4),
        }
    });
    if let Some(iprp) = first(&boxes, b"iprp") {
        properties(source, &iprp, primary, out);
    }
    let mut has_exif = false;
    let mut packets = 0;
    for item in &items {
        let is_packet = item.kind == *b"mime"
            && matches!(
                item.content_type.as_str(),
                "application/rdf+xml" | "text/xml"
            );
        if item.kind != *b"Exif" && !is_packet {
            continue;
        }
        // Of several EXIF blocks the first is the main picture's; others are of its other eye.
        if has_exif && !is_packet {
            continue;
        }
        packets += 1;
        if packets > PACKET_LIMIT {
            break;
        }
        let content = content(source, item, idat.as_ref());
        if is_packet {
            xmp::read_embedded(&content, out);
        } else {
            has_exif = exif_item(&content, out);
        }
    }
}

/// Reads an EXIF block; says whether it was one. A length before it says how much lies between, and
/// some writers forget it.
fn exif_item(content: &[u8], out: &mut Notes) -> bool {
    let stated = be32(content, 0).map_or(4, |skip| index(u64::from(skip)).saturating_add(4));
    let block = [stated, 4, 0, 6, 10]
        .into_iter()
        .map(|at| rest(content, at))
        .find(|block| block.starts_with(b"II*\0") || block.starts_with(b"MM\0*"));
    match block {
        Some(block) => exif::read(&mut { block }, Role::BlockInRotated, out),
        None if content.is_empty() => {
            out.problem("The EXIF of the picture lies behind the end of the file.");
            false
        }
        None => {
            out.problem("The EXIF block does not begin as one.");
            false
        }
    }
}

fn infos(source: &mut Source<'_>, iinf: &Atom) -> Vec<Item> {
    let version = u8_at(source.read(iinf.at, 1), 0).unwrap_or(0);
    let from = if version == 0 { 6 } else { 8 };
    let mut items = Vec::new();
    for infe in list(source, iinf.at.saturating_add(from), iinf.end)
        .into_iter()
        .take(ITEM_LIMIT)
    {
        if infe.kind != *b"infe" {
            continue;
        }
        let content = source.copy(infe.at, index(infe.len()).min(1024));
        if let Some(item) = info(&content) {
            items.push(item);
        }
    }
    items
}

fn info(content: &[u8]) -> Option<Item> {
    let version = u8_at(content, 0)?;
    let (id, at) = match version {
        2 => (u32::from(be16(content, 4)?), 8),
        3 => (be32(content, 4)?, 10),
        _ => return None,
    };
    let kind = slice(content, at, 4)?.try_into().ok()?;
    // The item's name, then the type of its content.
    let mut words = rest(content, at + 4).split(|byte| *byte == 0);
    let content_type = words
        .nth(1)
        .map(crate::text::decode_all)
        .unwrap_or_default();
    Some(Item {
        id,
        kind,
        content_type,
        ..Item::default()
    })
}

/// Reads where the items lie.
fn locations(content: &[u8], items: &mut [Item]) -> Option<()> {
    let version = u8_at(content, 0)?;
    let widths = be16(content, 4)?;
    let width = |shift: u16| usize::from(widths >> shift & 15);
    let (offset_width, length_width, base_width) = (width(12), width(8), width(4));
    let index_width = if version > 0 { width(0) } else { 0 };
    let mut cursor = Cursor { content, at: 6 };
    let id_width = if version < 2 { 2 } else { 4 };
    let count = cursor.number(id_width)?;
    for _ in 0..count.min(ITEM_LIMIT as u64) {
        let id = cursor.number(id_width)?;
        let method = if version > 0 {
            cursor.number(2)? & 15
        } else {
            0
        };
        cursor.number(2)?;
        let base = cursor.number(base_width)?;
        let extents = cursor.number(2)?;
        let mut places = Vec::new();
        for _ in 0..extents.min(256) {
            cursor.number(index_width)?;
            let offset = base.saturating_add(cursor.number(offset_width)?);
            places.push((offset, cursor.number(length_width)?));
        }
        if let Some(item) = items.iter_mut().find(|item| u64::from(item.id) == id) {
            item.extents = places;
            item.is_within_box = method == 1;
        }
    }
    Some(())
}

struct Cursor<'c> {
    content: &'c [u8],
    at: usize,
}

impl Cursor<'_> {
    /// A number of so many bytes; of none it is 0.
    fn number(&mut self, width: usize) -> Option<u64> {
        let bytes = slice(self.content, self.at, width)?;
        self.at = self.at.checked_add(width)?;
        Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    }
}

/// The bytes of an item, put together from its extents.
fn content(source: &mut Source<'_>, item: &Item, idat: Option<&Atom>) -> Vec<u8> {
    let mut content = Vec::new();
    let base = match (item.is_within_box, idat) {
        (true, Some(idat)) => idat.at,
        (true, None) => return content,
        (false, _) => 0,
    };
    for (offset, len) in &item.extents {
        let left = CONTENT_LIMIT.saturating_sub(content.len());
        // A length of zero is the rest of the file.
        let len = if *len == 0 { source.len() } else { *len };
        content.extend_from_slice(source.read(base.saturating_add(*offset), index(len).min(left)));
    }
    content
}

/// Size and rotation of the primary picture.
fn properties(source: &mut Source<'_>, iprp: &Atom, primary: Option<u32>, out: &mut Notes) {
    let boxes = children(source, iprp);
    let Some(ipco) = first(&boxes, b"ipco") else {
        return;
    };
    let properties = children(source, &ipco);
    let mut own: Vec<Atom> = Vec::new();
    if let Some(primary) = primary {
        for ipma in boxes.iter().filter(|atom| atom.kind == *b"ipma") {
            let numbers = associations(&ipma.content(source), primary).unwrap_or_default();
            own.extend(
                numbers
                    .into_iter()
                    .filter_map(|number| properties.get(number.checked_sub(1)?)),
            );
        }
    }
    let mut turns = 0;
    let mut mirror = None;
    for atom in &own {
        let content = source.copy(atom.at, index(atom.len()).min(64));
        match &atom.kind {
            b"ispe" => {
                out.facts.width = be32(&content, 4).filter(|width| *width > 0);
                out.facts.height = be32(&content, 8).filter(|height| *height > 0);
            }
            b"irot" => turns = u8_at(&content, 0).unwrap_or(0) & 3,
            b"imir" => mirror = u8_at(&content, 0).map(|axis| axis & 1),
            b"hvcC" => out.facts.video_codec = Some("hevc".to_owned()),
            b"av1C" => out.facts.video_codec = Some("av1".to_owned()),
            b"avcC" => out.facts.video_codec = Some("h264".to_owned()),
            _ => {}
        }
    }
    out.facts.orientation = Some(orientation(turns, mirror));
    if out.facts.width.is_none() {
        // Without an association the largest picture is as good as any.
        let sizes = properties
            .iter()
            .filter(|atom| atom.kind == *b"ispe")
            .filter_map(|atom| {
                let content = source.copy(atom.at, 12);
                Some((be32(&content, 4)?, be32(&content, 8)?))
            });
        if let Some((width, height)) = sizes.max_by_key(|(w, h)| u64::from(*w) * u64::from(*h)) {
            out.facts.width = Some(width);
            out.facts.height = Some(height);
        }
    }
    if let Some(orientation) = out
        .facts
        .orientation
        .filter(|orientation| *orientation != 1)
    {
        let kind = heirloom_core::claim::ClaimKind::Orientation;
        out.number(kind, i64::from(orientation), "heif:irot", 0.95);
    }
}

/// EXIF's number for quarter turns against the clock, then a mirror (0: upside down, 1: left right).
pub(crate) const fn orientation(turns: u8, mirror: Option<u8>) -> u8 {
    match (turns, mirror) {
        (0, None) => 1,
        (1, None) => 8,
        (2, None) => 3,
        (_, None) => 6,
        (0, Some(0)) | (2, Some(1)) => 4,
        (0, Some(_)) | (2, Some(_)) => 2,
        (1, Some(0)) | (3, Some(1)) => 5,
        (_, Some(_)) => 7,
    }
}

/// The numbers of the properties of one item, counted from 1.
fn associations(content: &[u8], item: u32) -> Option<Vec<usize>> {
    let version = u8_at(content, 0)?;
    let is_wide = u8_at(content, 3)? & 1 != 0;
    let mut cursor = Cursor { content, at: 8 };
    for _ in 0..be32(content, 4)?.min(65_536) {
        let id = cursor.number(if version < 1 { 2 } else { 4 })?;
        let count = cursor.number(1)?;
        let mut numbers = Vec::new();
        for _ in 0..count {
            let number = if is_wide {
                cursor.number(2)? & 0x7FFF
            } else {
                cursor.number(1)? & 0x7F
            };
            numbers.push(index(number));
        }
        if id == u64::from(item) {
            return Some(numbers);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::orientation;

    #[test]
    fn turns_and_mirrors_are_one_of_the_eight_orientations() {
        // The eight are reached by four turns with and without one mirror.
        let mut seen: Vec<u8> = Vec::new();
        for turns in 0..4 {
            for mirror in [None, Some(1)] {
                seen.push(orientation(turns, mirror));
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(orientation(3, None), 6);
        // A quarter against the clock and then upside down is the mirror on the diagonal from the top left.
        assert_eq!(orientation(1, Some(0)), 5);
        assert_eq!(orientation(3, Some(1)), 5);
    }
}
