//! TIFF directories: the structure of EXIF, of TIFF pictures, of most camera RAW and maker notes.
//!
//! Lenient, as the pictures are: an entry that points nowhere is passed over and what can be read
//! is read. See TIFF 6.0, section 2; BigTIFF has the same shape with wider fields.

use std::collections::HashSet;

use crate::{
    bytes::{Endian, index, u16_at, u32_at, u64_at},
    source::Source,
    text,
};

/// Bytes that are read by offset: a block in memory or a part of a file.
pub(crate) trait Bytes {
    /// Up to `len` bytes from `offset`.
    fn block(&mut self, offset: u64, len: usize) -> &[u8];
    /// How many bytes there are.
    fn size(&self) -> u64;
}

impl Bytes for &[u8] {
    fn block(&mut self, offset: u64, len: usize) -> &[u8] {
        let rest = crate::bytes::rest(self, index(offset));
        rest.get(..len.min(rest.len())).unwrap_or_default()
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }
}

/// A part of a file from an offset on.
pub(crate) struct Within<'s, 'a> {
    /// The file.
    pub(crate) source: &'s mut Source<'a>,
    /// Where offset 0 lies in it.
    pub(crate) from: u64,
}

impl Bytes for Within<'_, '_> {
    fn block(&mut self, offset: u64, len: usize) -> &[u8] {
        self.source.read(self.from.saturating_add(offset), len)
    }

    fn size(&self) -> u64 {
        self.source.len().saturating_sub(self.from)
    }
}

/// How the numbers of a directory are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Order of bytes.
    pub(crate) endian: Endian,
    /// Whether fields are those of BigTIFF.
    pub(crate) is_big: bool,
    /// What offsets are counted from.
    pub(crate) base: u64,
}

/// The head of a TIFF structure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    /// How to read on.
    pub(crate) layout: Layout,
    /// Where the first directory is.
    pub(crate) first: u64,
    /// 42, 43 for BigTIFF, or what makers of RAW put there instead.
    pub(crate) magic: u16,
}

/// Reads the head, whatever its magic number.
pub(crate) fn header(bytes: &mut dyn Bytes) -> Option<Header> {
    let head = bytes.block(0, 16);
    let endian = match head.get(..2)? {
        b"II" => Endian::Little,
        b"MM" => Endian::Big,
        _ => return None,
    };
    let magic = u16_at(head, 2, endian)?;
    let is_big = magic == 43;
    let first = if is_big {
        u64_at(head, 8, endian)?
    } else {
        u64::from(u32_at(head, 4, endian)?)
    };
    Some(Header {
        layout: Layout {
            endian,
            is_big,
            base: 0,
        },
        first,
        magic,
    })
}

/// A directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Its entries in stored order.
    pub(crate) entries: Vec<Entry>,
    /// Where the next directory is; 0 for none.
    pub(crate) next: u64,
    /// Whether the directory is shorter than it says, or has entries that make no sense.
    pub(crate) is_damaged: bool,
}

/// A tag, and where its value is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// What it is.
    pub(crate) tag: u16,
    /// The type of its numbers, as TIFF counts them.
    pub(crate) format: u16,
    /// Where its value begins, base included.
    pub(crate) at: u64,
    /// How long it is, in bytes.
    pub(crate) len: u64,
}

/// The most entries read of one directory; the fullest maker notes have some hundreds.
const ENTRY_LIMIT: u16 = 2_000;

/// The longest value that is read unless the reader asks for more.
const VALUE_LIMIT: usize = 64 * 1024;

/// The most directories that are followed from one to the next.
const PAGE_LIMIT: usize = 10_000;

/// Bytes per number of a TIFF type; `None` for a type that does not exist.
const fn width(format: u16) -> Option<u64> {
    match format {
        1 | 2 | 6 | 7 | 129 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

/// Reads the directory at `offset`; `None` where there is not even a beginning of one.
pub(crate) fn directory(bytes: &mut dyn Bytes, layout: Layout, offset: u64) -> Option<Directory> {
    let Layout {
        endian,
        is_big,
        base,
    } = layout;
    let at = base.checked_add(offset)?;
    let (head, entry_len, inline) = if is_big { (8, 20, 8) } else { (2, 12, 4) };
    let count = {
        let block = bytes.block(at, head);
        if is_big {
            u64_at(block, 0, endian)?
        } else {
            u64::from(u16_at(block, 0, endian)?)
        }
    };
    let mut found = Directory::default();
    let wanted = count.min(u64::from(ENTRY_LIMIT));
    let body_at = at.checked_add(head as u64)?;
    let size = bytes.size();
    let body = bytes.block(
        body_at,
        index(wanted)
            .saturating_mul(entry_len)
            .saturating_add(inline),
    );
    let mut senseless = 0;
    for number in 0..index(wanted) {
        let start = number.saturating_mul(entry_len);
        let Some(raw) = crate::bytes::slice(body, start, entry_len) else {
            found.is_damaged = true;
            return (!found.entries.is_empty()).then_some(found);
        };
        let (tag, format) = (u16_at(raw, 0, endian)?, u16_at(raw, 2, endian)?);
        let (count, field) = if is_big {
            (u64_at(raw, 4, endian)?, u64_at(raw, 12, endian)?)
        } else {
            (
                u64::from(u32_at(raw, 4, endian)?),
                u64::from(u32_at(raw, 8, endian)?),
            )
        };
        let Some(len) = width(format).and_then(|width| width.checked_mul(count)) else {
            senseless += 1;
            // Garbage from the first entry on is not a directory.
            if senseless > 10 || (number == 0 && format != 0) {
                found.is_damaged = true;
                break;
            }
            continue;
        };
        let own = body_at.saturating_add((start + entry_len - inline) as u64);
        let at = if len <= inline as u64 {
            own
        } else {
            base.saturating_add(field)
        };
        // What begins within is read as far as it goes, for files are cut; what claims to be longer
        // than all there is was never true.
        if at >= size || len > size {
            found.is_damaged = true;
            continue;
        }
        found.entries.push(Entry {
            tag,
            format,
            at,
            len,
        });
    }
    if count == wanted {
        let after = index(count).saturating_mul(entry_len);
        found.next = if is_big {
            u64_at(body, after, endian).unwrap_or(0)
        } else {
            u32_at(body, after, endian).map_or(0, u64::from)
        };
    } else {
        found.is_damaged = true;
    }
    Some(found)
}

/// Which directories of the chain that begins with `first` are pages, and no thumbnails; counted from 0.
/// The first always is one.
pub(crate) fn page_directories(
    bytes: &mut dyn Bytes,
    layout: Layout,
    first: &Directory,
) -> Vec<usize> {
    const NEW_SUBFILE_TYPE: u16 = 254;
    const WIDTH: u16 = 256;
    let mut pages = vec![0];
    let mut next = first.next;
    let mut visited = HashSet::new();
    while next != 0 && visited.len() < PAGE_LIMIT && visited.insert(next) {
        let Some(directory) = directory(bytes, layout, next) else {
            break;
        };
        let kind = directory
            .value(bytes, layout, NEW_SUBFILE_TYPE)
            .and_then(|value| value.unsigned(0))
            .unwrap_or(0);
        if kind & 1 == 0 && directory.entry(WIDTH).is_some() {
            pages.push(visited.len());
        }
        next = directory.next;
    }
    pages
}

/// The directory of a page of a TIFF file, both counted from 0.
pub(crate) fn page_directory(mut bytes: &[u8], page: u32) -> Option<usize> {
    if page == 0 {
        return Some(0);
    }
    let header = header(&mut bytes)?;
    let first = directory(&mut bytes, header.layout, header.first)?;
    let pages = page_directories(&mut bytes, header.layout, &first);
    pages.get(index(u64::from(page))).copied()
}

impl Directory {
    /// The first entry of a tag.
    pub(crate) fn entry(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.tag == tag).copied()
    }

    /// The value of a tag.
    pub(crate) fn value(&self, bytes: &mut dyn Bytes, layout: Layout, tag: u16) -> Option<Value> {
        Some(self.entry(tag)?.value(bytes, layout))
    }
}

impl Entry {
    /// Its value, cut off where it is longer than any value of interest.
    pub(crate) fn value(self, bytes: &mut dyn Bytes, layout: Layout) -> Value {
        self.value_up_to(bytes, layout, VALUE_LIMIT)
    }

    /// Its value, up to so many bytes.
    pub(crate) fn value_up_to(self, bytes: &mut dyn Bytes, layout: Layout, limit: usize) -> Value {
        let bytes = bytes.block(self.at, index(self.len).min(limit)).to_vec();
        Value {
            bytes,
            format: self.format,
            endian: layout.endian,
        }
    }
}

/// A value: raw bytes that know what they mean.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    /// As stored.
    pub(crate) bytes: Vec<u8>,
    format: u16,
    endian: Endian,
}

impl Value {
    /// As text up to the first NUL, whatever the type says.
    pub(crate) fn text(&self) -> String {
        text::decode(&self.bytes)
    }

    /// As UTF-16 text, as Windows stores it.
    pub(crate) fn utf16(&self) -> String {
        text::decode_utf16(&self.bytes, Endian::Little)
    }

    /// One of its numbers as a whole number.
    pub(crate) fn unsigned(&self, number: usize) -> Option<u64> {
        let bytes = &self.bytes;
        match self.format {
            1 | 6 | 7 => bytes.get(number).copied().map(u64::from),
            3 | 8 => u16_at(bytes, number.checked_mul(2)?, self.endian).map(u64::from),
            4 | 9 | 13 => u32_at(bytes, number.checked_mul(4)?, self.endian).map(u64::from),
            16 | 18 => u64_at(bytes, number.checked_mul(8)?, self.endian),
            2 => self.text().split_whitespace().nth(number)?.parse().ok(),
            _ => None,
        }
    }

    /// One of its numbers as a signed whole number.
    #[expect(
        clippy::cast_possible_wrap,
        reason = "the stored bits are those of a signed number"
    )]
    pub(crate) fn signed(&self, number: usize) -> Option<i64> {
        let bits = self.unsigned(number)?;
        Some(match self.format {
            6 => i64::from(bits as u8 as i8),
            8 => i64::from(bits as u16 as i16),
            9 => i64::from(bits as u32 as i32),
            _ => i64::try_from(bits).ok()?,
        })
    }

    /// One of its numbers, fractions divided; nothing for a fraction of nothing.
    pub(crate) fn number(&self, number: usize) -> Option<f64> {
        let (bytes, endian) = (&self.bytes, self.endian);
        let at = number.checked_mul(8)?;
        let value = match self.format {
            5 => fraction(
                f64::from(u32_at(bytes, at, endian)?),
                f64::from(u32_at(bytes, at.checked_add(4)?, endian)?),
            )?,
            10 => fraction(
                f64::from(u32_at(bytes, at, endian)?.cast_signed()),
                f64::from(u32_at(bytes, at.checked_add(4)?, endian)?.cast_signed()),
            )?,
            11 => f64::from(f32::from_bits(u32_at(
                bytes,
                number.checked_mul(4)?,
                endian,
            )?)),
            12 => f64::from_bits(u64_at(bytes, at, endian)?),
            #[expect(clippy::cast_precision_loss, reason = "measures, far below 2^52")]
            _ => self.signed(number)? as f64,
        };
        value.is_finite().then_some(value)
    }
}

fn fraction(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator != 0.0).then(|| numerator / denominator)
}
