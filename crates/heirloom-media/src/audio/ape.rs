//! APE tags, behind the sound.

use super::{Said, say};
use crate::{
    bytes::{index, le32, rest, slice},
    notes::Notes,
    source::Source,
    text,
};

/// The longest tag that is read.
const TAG_LIMIT: u64 = 4 * 1024 * 1024;

/// Reads a tag that ends at `end`; gives where it begins.
pub(super) fn read_back(source: &mut Source<'_>, end: u64, out: &mut Notes) -> u64 {
    let footer = source.copy(end.saturating_sub(32), 32);
    if !footer.starts_with(b"APETAGEX") {
        return end;
    }
    let (Some(size), Some(count), Some(flags)) =
        (le32(&footer, 12), le32(&footer, 16), le32(&footer, 20))
    else {
        return end;
    };
    let size = u64::from(size);
    if size > TAG_LIMIT || size > end {
        out.problem("The APE tag is longer than the file.");
        return end;
    }
    let start = end.saturating_sub(size);
    let items = source.copy(start, index(size.saturating_sub(32)));
    let mut at = 0_usize;
    for _ in 0..count.min(1_000) {
        let (Some(len), Some(flags)) = (le32(&items, at), le32(&items, at.saturating_add(4)))
        else {
            break;
        };
        let key = rest(&items, at.saturating_add(8));
        let Some(key_len) = key.iter().take(256).position(|byte| *byte == 0) else {
            break;
        };
        let name = text::decode_all(key.get(..key_len).unwrap_or_default());
        let value_at = at.saturating_add(9).saturating_add(key_len);
        let Some(value) = slice(&items, value_at, index(u64::from(len))) else {
            break;
        };
        // Binary values are covers.
        if flags & 6 == 0
            && let Some(said) = said(&name)
        {
            let words = text::decode_all(value).replace('\0', "; ");
            say(said, &words, &format!("ape:{name}"), 1.0, out);
        }
        at = value_at.saturating_add(index(u64::from(len)));
    }
    // A tag may have a header, too.
    if flags & 0x8000_0000 != 0 {
        start.saturating_sub(32)
    } else {
        start
    }
}

fn said(name: &str) -> Option<Said> {
    Some(match name.to_ascii_lowercase().as_str() {
        "title" => Said::Title,
        "artist" => Said::Artist,
        "album" => Said::Album,
        "year" | "record date" => Said::Date,
        "comment" => Said::Comment,
        "genre" => Said::Genre,
        "copyright" => Said::Copyright,
        "record location" => Said::Place,
        _ => return None,
    })
}
