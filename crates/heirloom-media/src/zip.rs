//! The few parts of a ZIP archive that say what an office file or book is about.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::{
    bytes::{index, le16, le32, rest, slice},
    notes::Notes,
    source::Source,
    text,
};

/// The most of a list of entries that is read.
const LIST_LIMIT: usize = 4 * 1024 * 1024;

/// The most that one entry may unpack to.
const CONTENT_LIMIT: usize = 4 * 1024 * 1024;

/// An entry: its name and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its path within the archive, never used as a path outside.
    pub(crate) name: String,
    method: u16,
    packed_len: u32,
    at: u32,
}

/// The entries that the list at the end of the archive names.
pub(crate) fn entries(source: &mut Source<'_>) -> Vec<Entry> {
    let tail_at = source.len().saturating_sub(66_000);
    let tail = source.copy(tail_at, 66_000);
    let Some(end) = tail
        .windows(4)
        .rposition(|mark| mark == b"PK\x05\x06")
        .map(|at| rest(&tail, at))
    else {
        return Vec::new();
    };
    let (Some(len), Some(at)) = (le32(end, 12), le32(end, 16)) else {
        return Vec::new();
    };
    let list = source.copy(u64::from(at), index(u64::from(len)).min(LIST_LIMIT));
    let mut entries = Vec::new();
    let mut at = 0_usize;
    while let Some(entry) = entry(&list, &mut at) {
        entries.push(entry);
    }
    entries
}

fn entry(list: &[u8], at: &mut usize) -> Option<Entry> {
    let head = slice(list, *at, 46).filter(|head| head.starts_with(b"PK\x01\x02"))?;
    let name_len = usize::from(le16(head, 28)?);
    let name = slice(list, at.checked_add(46)?, name_len)?;
    let others = usize::from(le16(head, 30)?) + usize::from(le16(head, 32)?);
    let entry = Entry {
        name: text::decode_all(name),
        method: le16(head, 10)?,
        packed_len: le32(head, 20)?,
        at: le32(head, 42)?,
    };
    *at = at.checked_add(46 + name_len + others)?;
    Some(entry)
}

impl Entry {
    /// What the entry holds, unpacked; nothing where it is damaged or too long.
    pub(crate) fn content(&self, source: &mut Source<'_>, out: &mut Notes) -> Option<Vec<u8>> {
        let head = source.copy(u64::from(self.at), 30);
        if !head.starts_with(b"PK\x03\x04") {
            return None;
        }
        let skip = 30 + u64::from(le16(&head, 26)?) + u64::from(le16(&head, 28)?);
        let at = u64::from(self.at).saturating_add(skip);
        let packed = source.copy(at, index(u64::from(self.packed_len)).min(CONTENT_LIMIT));
        match self.method {
            0 => Some(packed),
            8 => out.inflate_bare(&packed, CONTENT_LIMIT),
            _ => None,
        }
    }

    /// The same for what is longer than a description: up to `limit` bytes, and whether that is all of it.
    pub(crate) fn unpack(&self, source: &mut Source<'_>, limit: usize) -> Option<(Vec<u8>, bool)> {
        let head = source.copy(u64::from(self.at), 30);
        if !head.starts_with(b"PK\x03\x04") {
            return None;
        }
        let skip = 30 + u64::from(le16(&head, 26)?) + u64::from(le16(&head, 28)?);
        let at = u64::from(self.at).saturating_add(skip);
        let packed_len = index(u64::from(self.packed_len));
        let packed = source.copy(at, packed_len.min(limit));
        let is_whole = packed.len() == packed_len;
        match self.method {
            0 => Some((packed, is_whole)),
            8 => match decompress_to_vec_with_limit(&packed, limit) {
                Ok(plain) => Some((plain, is_whole)),
                // What came out before the damage or the limit.
                Err(error) => Some((error.output, false)).filter(|(plain, _)| !plain.is_empty()),
            },
            _ => None,
        }
    }
}
