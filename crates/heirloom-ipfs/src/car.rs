//! CAR archives, version 1: a header that names roots, and blocks one behind the other.
//!
//! What is written has one root, in a header of fixed length, so that the root can be put in when it is known. What is
//! read is compared block by block with its names before anybody sees it.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read, Seek as _, Write},
    os::unix::fs::FileExt as _,
};

use cid::Cid;

use super::{
    CarError,
    block::{Block, is_named},
    node::put_varint,
};

/// How long a block may be that is read. Nodes do not exchange longer ones than 2 MiB.
pub const BLOCK_BYTES: u64 = 4 << 20;

/// How long a header may be, and the name of a block.
const HEADER_BYTES: u64 = 64 * 1024;
const NAME_BYTES: u64 = 128;
const ROOTS: u64 = 1000;

/// Writes an archive.
#[derive(Debug)]
pub struct CarWriter<W> {
    out: W,
}

impl<W: Write> CarWriter<W> {
    /// Begins one with this root.
    ///
    /// # Errors
    /// What the writer says.
    pub fn begin(mut out: W, root: &Cid) -> io::Result<Self> {
        out.write_all(&header(root))?;
        Ok(Self { out })
    }

    /// Adds a block.
    ///
    /// # Errors
    /// What the writer says.
    pub fn put(&mut self, block: &Block) -> io::Result<()> {
        let name = block.cid.to_bytes();
        let mut before = Vec::with_capacity(name.len() + 10);
        put_varint((name.len() + block.bytes.len()) as u64, &mut before);
        before.extend_from_slice(&name);
        self.out.write_all(&before)?;
        self.out.write_all(&block.bytes)
    }

    /// The writer.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
}

/// Puts another root into the header of an archive that was written, which is as long as the first was.
///
/// # Errors
/// What the disk says.
pub fn set_car_root(archive: &File, root: &Cid) -> io::Result<()> {
    archive.write_all_at(&header(root), 0)
}

/// The header for one root: in dag-cbor, `{"roots": [root], "version": 1}`.
fn header(root: &Cid) -> Vec<u8> {
    let root = root.to_bytes();
    let mut cbor = b"\xa2\x65roots\x81\xd8\x2a\x58".to_vec();
    cbor.push((root.len() + 1) as u8);
    cbor.push(0);
    cbor.extend_from_slice(&root);
    cbor.extend_from_slice(b"\x67version\x01");
    let mut header = Vec::new();
    put_varint(cbor.len() as u64, &mut header);
    header.extend_from_slice(&cbor);
    header
}

/// Reads an archive from its beginning to its end. Each block is compared with its name before it is given on, with the
/// byte at which its bytes begin. Gives the roots.
///
/// # Errors
/// [`CarError`], which names the block that is damaged; and what `each` says.
pub fn read_car(
    mut archive: impl Read,
    mut each: impl FnMut(Block, u64) -> Result<(), CarError>,
) -> Result<Vec<Cid>, CarError> {
    let mut at = 0;
    let length = read_varint(&mut archive, &mut at)?.ok_or(CarError::NotACar("it is empty"))?;
    if length == 0 || length > HEADER_BYTES {
        return Err(CarError::NotACar("it does not begin with a header"));
    }
    let bytes = read_exactly(&mut archive, length, &mut at)?;
    let roots = decode_header(&bytes)?;
    loop {
        let begin = at;
        let Some(length) = read_varint(&mut archive, &mut at)? else {
            return Ok(roots);
        };
        if length > BLOCK_BYTES + NAME_BYTES {
            return Err(CarError::TooLong {
                at: begin,
                bytes: length,
                most: BLOCK_BYTES,
            });
        }
        let section_at = at;
        let mut section =
            read_exactly(&mut archive, length, &mut at).map_err(|error| match error {
                CarError::CutOff { .. } => CarError::CutOff { at: begin },
                error => error,
            })?;
        let mut rest = section.as_slice();
        let cid = Cid::read_bytes(&mut rest).map_err(|_| CarError::NoName { at: begin })?;
        let name_length = section.len() - rest.len();
        let bytes = section.split_off(name_length);
        match is_named(&cid, &bytes) {
            Some(true) => {}
            Some(false) => return Err(CarError::Damaged { cid, at: begin }),
            None => return Err(CarError::OtherHash { cid }),
        }
        each(Block { cid, bytes }, section_at + name_length as u64)?;
    }
}

/// A number that may be the end instead.
fn read_varint(archive: &mut impl Read, at: &mut u64) -> Result<Option<u64>, CarError> {
    let begin = *at;
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let mut byte = [0];
        if let Err(error) = archive.read_exact(&mut byte) {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof if shift == 0 => Ok(None),
                io::ErrorKind::UnexpectedEof => Err(CarError::CutOff { at: begin }),
                _ => Err(error.into()),
            };
        }
        *at += 1;
        number |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(Some(number));
        }
    }
    Err(CarError::TooLong {
        at: begin,
        bytes: u64::MAX,
        most: BLOCK_BYTES,
    })
}

fn read_exactly(archive: &mut impl Read, length: u64, at: &mut u64) -> Result<Vec<u8>, CarError> {
    let mut bytes = Vec::new();
    // What is promised is not reserved before it is there.
    let taken = archive.take(length).read_to_end(&mut bytes)? as u64;
    if taken < length {
        return Err(CarError::CutOff { at: *at });
    }
    *at += length;
    Ok(bytes)
}

/// The roots that a header names.
fn decode_header(bytes: &[u8]) -> Result<Vec<Cid>, CarError> {
    let bad = || CarError::NotACar("its header cannot be read");
    let mut rest = bytes;
    let (mut roots, mut version) = (Vec::new(), None);
    let (5, pairs) = take_head(&mut rest).ok_or_else(bad)? else {
        return Err(bad());
    };
    for _ in 0..pairs.min(2) {
        let (3, length) = take_head(&mut rest).ok_or_else(bad)? else {
            return Err(bad());
        };
        match take(&mut rest, length).ok_or_else(bad)? {
            b"version" => {
                let (0, number) = take_head(&mut rest).ok_or_else(bad)? else {
                    return Err(bad());
                };
                version = Some(number);
            }
            b"roots" => {
                let (4, count) = take_head(&mut rest).ok_or_else(bad)? else {
                    return Err(bad());
                };
                if count > ROOTS {
                    return Err(CarError::NotACar("its header names too many roots"));
                }
                for _ in 0..count {
                    roots.push(take_link(&mut rest).ok_or_else(bad)?);
                }
            }
            _ => return Err(bad()),
        }
    }
    match version {
        Some(1) if rest.is_empty() && pairs == 2 => Ok(roots),
        Some(1) | None => Err(bad()),
        Some(version) => Err(CarError::Version(version)),
    }
}

/// A link in dag-cbor: tag 42 around bytes that begin with zero.
fn take_link(rest: &mut &[u8]) -> Option<Cid> {
    let (6, 42) = take_head(rest)? else {
        return None;
    };
    let (2, length) = take_head(rest)? else {
        return None;
    };
    let mut bytes = take(rest, length)?.strip_prefix(&[0])?;
    let cid = Cid::read_bytes(&mut bytes).ok()?;
    bytes.is_empty().then_some(cid)
}

/// The kind of the next item of CBOR, and its number or length.
fn take_head(rest: &mut &[u8]) -> Option<(u8, u64)> {
    let first = *take(rest, 1)?.first()?;
    let number = match first & 0x1f {
        small @ 0..24 => u64::from(small),
        wide @ 24..28 => {
            let bytes = take(rest, 1 << (wide - 24))?;
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        }
        _ => return None,
    };
    Some((first >> 5, number))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(taken)
}

/// An archive on the disk, of which every block was compared with its name. It holds where each lies: some 60 bytes for
/// a block.
#[derive(Debug)]
pub struct CarFile {
    file: File,
    roots: Vec<Cid>,
    blocks: HashMap<[u8; 32], (u64, u32)>,
    bytes: u64,
}

impl CarFile {
    /// Reads all of it, and compares all of it.
    ///
    /// # Errors
    /// [`CarError`], which names the block that is damaged.
    pub fn open(mut file: File) -> Result<Self, CarError> {
        file.rewind()?;
        let mut blocks = HashMap::new();
        let mut bytes = 0;
        let roots = read_car(BufReader::with_capacity(1 << 20, &file), |block, at| {
            let length = block.bytes.len() as u32;
            bytes += u64::from(length);
            if let Ok(digest) = block.cid.hash().digest().try_into() {
                blocks.insert(digest, (at, length));
            }
            Ok(())
        })?;
        Ok(Self {
            file,
            roots,
            blocks,
            bytes,
        })
    }

    /// What its header names.
    #[must_use]
    pub fn roots(&self) -> &[Cid] {
        &self.roots
    }

    /// How many blocks are in it, each counted once.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// How many bytes its blocks have.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of a block, compared with its name once more.
    ///
    /// # Errors
    /// `Missing`, `Damaged`, `Io`.
    pub fn block(&self, cid: &Cid) -> Result<Vec<u8>, CarError> {
        let digest: Result<[u8; 32], _> = cid.hash().digest().try_into();
        let found = digest.ok().and_then(|digest| self.blocks.get(&digest));
        let (at, length) = *found.ok_or(CarError::Missing { cid: *cid })?;
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, at)?;
        match is_named(cid, &bytes) {
            Some(true) => Ok(bytes),
            Some(false) => Err(CarError::Damaged { cid: *cid, at }),
            None => Err(CarError::OtherHash { cid: *cid }),
        }
    }
}
