//! Compound files (OLE 2), as Word, Excel and PowerPoint wrote them until 2007.
//!
//! A file system in a file: sectors chained by a table, small streams within one large.
//! See [MS-CFB] and [MS-OLEPS].

use heirloom_core::claim::ClaimKind;

use crate::{
    asf::windows_date,
    bytes::{Endian, index, le16, le32, le64, rest, slice},
    exif,
    moment::Reading,
    notes::Notes,
    property,
    source::Source,
    text,
};

/// The most sectors of one stream that are read.
const CHAIN_LIMIT: usize = 8_192;

/// Streams shorter than this lie in the small sectors.
const SMALL: u64 = 4_096;

struct Compound {
    sector_len: u64,
    /// Sectors that hold the table of chains.
    tables: Vec<u32>,
    directory: Vec<u8>,
    small_table: Vec<u8>,
    small: Vec<u8>,
}

/// Whether a compound file holds a Word document.
pub(crate) fn is_word(source: &mut Source<'_>) -> bool {
    Compound::open(source).is_some_and(|compound| compound.entry("WordDocument").is_some())
}

/// Reads the summary of a compound file.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let summary = Compound::open(source).and_then(|compound| {
        let (start, len) = compound.entry("\u{5}SummaryInformation")?;
        compound.stream(source, start, len)
    });
    match summary {
        Some(summary) => {
            properties(&summary, out);
        }
        None => out.problem("The document has no readable summary."),
    }
}

impl Compound {
    fn open(source: &mut Source<'_>) -> Option<Self> {
        let head = source.copy(0, 512);
        if !head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
            return None;
        }
        let sector_len = match le16(&head, 30)? {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let tables = (0..109)
            .filter_map(|n| le32(&head, 76 + n * 4))
            .filter(|s| *s < 0xFFFF_FFF0)
            .collect();
        let mut compound = Self {
            sector_len,
            tables,
            directory: Vec::new(),
            small_table: Vec::new(),
            small: Vec::new(),
        };
        compound.directory = compound.chain(source, le32(&head, 48)?, 1_024)?;
        compound.small_table = compound
            .chain(source, le32(&head, 60)?, 1_024)
            .unwrap_or_default();
        // The first entry is the root, whose stream holds the small ones.
        let root = compound.directory.get(..128)?;
        let start = le32(root, 116)?;
        compound.small = compound.chain(source, start, 2_048).unwrap_or_default();
        Some(compound)
    }

    /// The sectors of a chain, one after the other.
    fn chain(&self, source: &mut Source<'_>, start: u32, limit: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut sector = start;
        let per_table = u32::try_from(self.sector_len / 4).ok()?;
        for _ in 0..limit.min(CHAIN_LIMIT) {
            if sector >= 0xFFFF_FFF0 {
                break;
            }
            let at = (u64::from(sector) + 1) * self.sector_len;
            let block = source.read(at, index(self.sector_len));
            if block.is_empty() {
                break;
            }
            bytes.extend_from_slice(block);
            let table = *self.tables.get(index(u64::from(sector / per_table)))?;
            let entry_at =
                (u64::from(table) + 1) * self.sector_len + u64::from(sector % per_table) * 4;
            sector = le32(source.read(entry_at, 4), 0)?;
        }
        Some(bytes)
    }

    /// Beginning and length of a stream by its name.
    fn entry(&self, name: &str) -> Option<(u32, u64)> {
        self.directory.chunks_exact(128).find_map(|entry| {
            let len = usize::from(le16(entry, 64)?).checked_sub(2)?;
            let own = text::decode_utf16(slice(entry, 0, len.min(64))?, Endian::Little);
            (own == name).then(|| Some((le32(entry, 116)?, u64::from(le32(entry, 120)?))))?
        })
    }

    fn stream(&self, source: &mut Source<'_>, start: u32, len: u64) -> Option<Vec<u8>> {
        if len >= SMALL {
            return self.chain(source, start, 512);
        }
        let mut bytes = Vec::new();
        let mut sector = start;
        for _ in 0..=SMALL / 64 {
            if sector >= 0xFFFF_FFF0 {
                break;
            }
            bytes.extend_from_slice(slice(&self.small, index(u64::from(sector) * 64), 64)?);
            sector = le32(&self.small_table, index(u64::from(sector) * 4))?;
        }
        Some(bytes)
    }
}

/// A set of properties: numbers with typed values.
fn properties(summary: &[u8], out: &mut Notes) -> Option<()> {
    let section_at = index(u64::from(le32(summary, 44)?));
    let section = rest(summary, section_at);
    for number in 0..le32(section, 4)?.min(100) {
        let entry = 8 + index(u64::from(number)) * 8;
        let (id, at) = (
            le32(section, entry)?,
            index(u64::from(le32(section, entry + 4)?)),
        );
        let (Some(kind), value) = (le32(section, at), rest(section, at.saturating_add(4))) else {
            continue;
        };
        let len = || index(u64::from(le32(value, 0).unwrap_or(0)));
        let words = match kind & 0xFFFF {
            30 => slice(value, 4, len()).map(text::decode),
            31 => slice(value, 4, len().saturating_mul(2))
                .map(|b| text::decode_utf16(b, Endian::Little)),
            _ => None,
        };
        let words = words.unwrap_or_default();
        match id {
            2 => out.text(ClaimKind::Title, &words, "ole:Title", 0.7),
            3 | 6 => out.text(ClaimKind::Caption, &words, "ole:Comments", 0.5),
            4 => exif::author(&words, "ole:Author", out),
            5 => {
                for word in words.split([',', ';']) {
                    out.text(ClaimKind::Tag, word, "ole:Keywords", 0.6);
                }
            }
            12 | 13 if kind & 0xFFFF == 64 => {
                if let Some(moment) = le64(value, 0).and_then(windows_date) {
                    let (source, confidence) = if id == 12 {
                        ("ole:CreateDate", 0.6)
                    } else {
                        ("ole:ModifyDate", 0.2)
                    };
                    out.date(Reading::Moment(moment), source, confidence);
                }
            }
            14 => {
                out.facts.page_count =
                    le32(value, 0).filter(|pages| (1..1_000_000).contains(pages));
            }
            18 => out.property(property::SOFTWARE, words),
            _ => {}
        }
    }
    Some(())
}
