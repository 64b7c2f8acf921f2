//! The pages of a SQLite file, looked at beside SQLite: which of them are not as they were written.
//!
//! SQLite itself refuses such a page when it reads one, but never reads those that are free, and stops at the first.
//! The checksum is that of SQLite's `cksumvfs` (<https://www.sqlite.org/cksumvfs.html>), the last eight bytes of a page.

use std::{fmt, fs::File, io, os::unix::fs::FileExt as _, path::Path};

/// How long the header of a file is (<https://www.sqlite.org/fileformat.html>).
pub(crate) const HEADER_BYTES: usize = 100;
/// How long a checksum is.
const CHECKSUM_BYTES: usize = 8;
/// The application that a file is of: one whose pages have checksums.
pub(crate) const MARK: u32 = u32::from_be_bytes(*b"kept");

/// What every file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// How many bytes are read at once: a whole number of the largest pages.
const READ_BYTES: usize = 1 << 20;
/// More than this many damaged pages are not named.
const TOLD: usize = 100;
/// A page that is being written meanwhile is whole when it is read once more.
const ATTEMPTS: usize = 3;

/// What the header of a file says of its pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    /// How many bytes a page has.
    page_bytes: usize,
    /// How many bytes at the end of each are kept free, for a checksum or otherwise.
    pub(crate) reserved_bytes: u8,
    /// Whether it was given checksums, whatever else it says.
    pub(crate) is_marked: bool,
}

/// What is wrong with the pages of a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct DamagedPages {
    /// How many are not as they were written.
    pub(crate) count: u64,
    /// The first of them, counted from one.
    pub(crate) first: Vec<u64>,
}

impl fmt::Display for DamagedPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages: Vec<String> = self.first.iter().take(5).map(u64::to_string).collect();
        let others = match self.count - pages.len() as u64 {
            0 => String::new(),
            others => format!(" and {others} others"),
        };
        let (noun, verb) = match self.count {
            1 => ("page", "is"),
            _ => ("pages", "are"),
        };
        let pages = pages.join(", ");
        write!(f, "{noun} {pages}{others} {verb} not as written")
    }
}

impl Header {
    /// Nothing where it is not the beginning of a SQLite file.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let at = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let page_bytes = match u16::from_be_bytes([at(16), at(17)]) {
            1 => 65_536,
            bytes => usize::from(bytes),
        };
        bytes.starts_with(MAGIC).then_some(Self {
            page_bytes,
            reserved_bytes: at(20),
            is_marked: [at(68), at(69), at(70), at(71)] == MARK.to_be_bytes(),
        })
    }

    pub(crate) const fn has_checksums(self) -> bool {
        self.reserved_bytes == 8
    }
}

/// Reads every page of a file with `read`, which is given a buffer and where to begin and gives fewer bytes at the end
/// only. A file without checksums has none that is known to be damaged.
///
/// # Errors
/// What the disk says.
pub(crate) fn find_damaged(
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<DamagedPages> {
    let mut damaged = DamagedPages::default();
    let mut buffer = vec![0; READ_BYTES];
    let length = read(&mut buffer[..HEADER_BYTES], 0)?;
    let header = Header::read(&buffer[..length]);
    let Some(header) = header.filter(|header| header.is_marked || header.has_checksums()) else {
        return Ok(damaged);
    };
    let page_bytes = header.page_bytes;
    if !page_bytes.is_power_of_two() || page_bytes < 512 || !header.has_checksums() {
        return Ok(DamagedPages {
            count: 1,
            first: vec![1],
        });
    }
    let mut offset = 0;
    loop {
        let length = read(&mut buffer, offset)?;
        for (at, page) in (offset..)
            .step_by(page_bytes)
            .zip(buffer[..length].chunks_exact(page_bytes))
        {
            if !is_whole(page) && !is_whole_by_now(&mut read, at, page_bytes)? {
                damaged.count += 1;
                if damaged.first.len() < TOLD {
                    damaged.first.push(at / page_bytes as u64 + 1);
                }
            }
        }
        if length < buffer.len() {
            return Ok(damaged);
        }
        offset += length as u64;
    }
}

fn is_whole_by_now(
    read: &mut impl FnMut(&mut [u8], u64) -> io::Result<usize>,
    at: u64,
    page_bytes: usize,
) -> io::Result<bool> {
    let mut page = vec![0; page_bytes];
    for _ in 0..ATTEMPTS {
        let length = read(&mut page, at)?;
        if length < page_bytes || is_whole(&page) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_whole(page: &[u8]) -> bool {
    page.ends_with(&checksum_of(page))
}

/// The checksum of a page: of all of it but its last eight bytes.
fn checksum_of(page: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let (content, _) = page.split_at(page.len() - CHECKSUM_BYTES);
    let (mut one, mut two) = (0_u32, 0_u32);
    let (words, _) = content.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    for [first, second] in pairs {
        one = one
            .wrapping_add(u32::from_le_bytes(*first))
            .wrapping_add(two);
        two = two
            .wrapping_add(u32::from_le_bytes(*second))
            .wrapping_add(one);
    }
    let mut checksum = [0; CHECKSUM_BYTES];
    let (first, second) = checksum.split_at_mut(CHECKSUM_BYTES / 2);
    first.copy_from_slice(&one.to_le_bytes());
    second.copy_from_slice(&two.to_le_bytes());
    checksum
}

/// Gives the pages of a file that SQLite just made the checksums that they lack, and has all of it on the disk. SQLite
/// says in the first page that there are checksums; what its cache does not take it writes before that, without one.
///
/// # Errors
/// What the disk says.
pub(crate) fn complete(path: &Path) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut head = [0; HEADER_BYTES];
    let length = file.read_at(&mut head, 0)?;
    let header = Header::read(&head[..length]).filter(|header| header.has_checksums());
    if let Some(Header { page_bytes, .. }) = header {
        let mut buffer = vec![0; READ_BYTES];
        let mut offset = 0;
        loop {
            let length = read_full(&file, &mut buffer, offset)?;
            for (at, page) in (offset..)
                .step_by(page_bytes)
                .zip(buffer[..length].chunks_exact(page_bytes))
            {
                if !is_whole(page) {
                    let end = at + (page_bytes - CHECKSUM_BYTES) as u64;
                    file.write_all_at(&checksum_of(page), end)?;
                }
            }
            if length < buffer.len() {
                break;
            }
            offset += length as u64;
        }
    }
    file.sync_all()
}

/// Reads until the buffer is full or the file ends.
pub(crate) fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], offset + length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}
