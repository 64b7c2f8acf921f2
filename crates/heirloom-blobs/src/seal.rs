//! The sealed form of a blob: its bytes encrypted so that any part of them can be read by itself.
//!
//! A header names the data key and has a random salt. From both comes a key that this one file has alone (HKDF-SHA256),
//! and with it segments of 64 KiB are sealed one by one (AES-256-GCM). The nonce of a segment is its number and whether
//! it is the last, so none can be swapped, left out or brought from another file: the STREAM construction (Hoang,
//! Reyhanitabar, Rogaway and Vizár 2015). The header ends with a tag over hash and length of the plain bytes, so a file
//! does not open under another blob's name, and not when something was cut off. How it lies on the disk is written down
//! in `docs/formats.md`.

mod file;
mod key_file;
mod keys;
mod whole;

use std::{io, ops::Range};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
};
use bytes::{Buf as _, BytesMut};
use heirloom_core::ContentHash;

pub(crate) use self::file::BlobFile;
pub use self::{
    key_file::{KEY_LETTERS, KeyError, KeyFile, MasterKey},
    keys::{DataKey, KeyId, Sealing},
    whole::{open_sealed, seal_bytes},
};
use crate::BlobError;

/// What the names of sealed blobs end with.
pub(crate) const SUFFIX: &str = ".sealed";
/// The plain bytes of each segment but the last.
pub(crate) const SEGMENT_BYTES: u64 = 64 * 1024;
/// What stands before the first segment.
pub(crate) const HEADER_BYTES: u64 = 72;

const MAGIC: [u8; 8] = *b"sealed 1";
const TAG_BYTES: u64 = 16;
const SALT_BYTES: usize = 32;
/// What the key of a file is for; it is part of how the key is made.
const PURPOSE: &[u8] = b"blob sealed 1";

/// In which form the bytes of a blob are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Form {
    Plain,
    Sealed,
}

impl Form {
    /// What the name of a blob in this form is.
    pub(crate) fn name(self, hash: ContentHash) -> String {
        match self {
            Self::Plain => hash.to_string(),
            Self::Sealed => format!("{hash}{SUFFIX}"),
        }
    }

    /// The blob that is named like this, digit by digit: capitals would be another name.
    pub(crate) fn parse(name: &str) -> Option<(ContentHash, Self)> {
        let (digits, form) = match name.strip_suffix(SUFFIX) {
            Some(digits) => (digits, Self::Sealed),
            None => (name, Self::Plain),
        };
        let hash: ContentHash = digits.parse().ok()?;
        (hash.to_string() == digits).then_some((hash, form))
    }

    /// How long the plain bytes are whose stored ones are this long; of what was cut off, what is left of it.
    pub(crate) const fn plain_bytes(self, stored_bytes: u64) -> u64 {
        match self {
            Self::Plain => stored_bytes,
            Self::Sealed => {
                let body = stored_bytes.saturating_sub(HEADER_BYTES);
                let segments = body.div_ceil(SEGMENT_BYTES + TAG_BYTES);
                body.saturating_sub(segments * TAG_BYTES)
            }
        }
    }
}

/// How long the sealed form of this many bytes is.
pub(crate) const fn sealed_bytes(plain_bytes: u64) -> u64 {
    HEADER_BYTES + plain_bytes + segments_of(plain_bytes) * TAG_BYTES
}

/// Even nothing has a segment, which says that it is nothing.
const fn segments_of(plain_bytes: u64) -> u64 {
    match plain_bytes {
        0 => 1,
        plain_bytes => plain_bytes.div_ceil(SEGMENT_BYTES),
    }
}

/// Seals the bytes of one blob from the first to the last.
pub(crate) struct Sealer {
    id: KeyId,
    salt: [u8; SALT_BYTES],
    key: LessSafeKey,
    /// What has come and is not sealed yet: the last segment is sealed otherwise than those before it.
    held: Vec<u8>,
    sealed_segments: u64,
    plain_bytes: u64,
}

impl Sealer {
    pub(crate) fn begin(data_key: &DataKey) -> io::Result<Self> {
        let mut salt = [0; SALT_BYTES];
        aws_lc_rs::rand::fill(&mut salt).map_err(no_luck)?;
        Self::with_salt(data_key, salt)
    }

    fn with_salt(data_key: &DataKey, salt: [u8; SALT_BYTES]) -> io::Result<Self> {
        Ok(Self {
            id: data_key.id(),
            salt,
            key: derive(data_key, &salt).map_err(no_luck)?,
            held: Vec::new(),
            sealed_segments: 0,
            plain_bytes: 0,
        })
    }

    /// The name of the key that it is sealed with.
    pub(crate) const fn key(&self) -> KeyId {
        self.id
    }

    /// Takes the next bytes, and appends to `sealed` what can be stored of them by now.
    pub(crate) fn push(&mut self, mut bytes: &[u8], sealed: &mut Vec<u8>) -> io::Result<()> {
        const SEGMENT: usize = SEGMENT_BYTES as usize;
        self.plain_bytes += bytes.len() as u64;
        while self.held.len() + bytes.len() > SEGMENT {
            let (now, rest) = bytes.split_at(SEGMENT - self.held.len());
            let held = std::mem::take(&mut self.held);
            self.seal(&[&held, now], false, sealed)?;
            bytes = rest;
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends the end to `sealed`, and gives the header, which belongs before everything else.
    pub(crate) fn finish(
        &mut self,
        hash: ContentHash,
        sealed: &mut Vec<u8>,
    ) -> io::Result<[u8; HEADER_BYTES as usize]> {
        let held = std::mem::take(&mut self.held);
        self.seal(&[&held], true, sealed)?;
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(self.id.as_bytes());
        header.extend_from_slice(&self.salt);
        let name = Aad::from(name(hash, self.plain_bytes));
        let tag = self
            .key
            .seal_in_place_separate_tag(name_nonce(), name, &mut []);
        header.extend_from_slice(tag.map_err(no_luck)?.as_ref());
        header.try_into().map_err(|_| no_luck(Unspecified))
    }

    fn seal(&mut self, parts: &[&[u8]], is_last: bool, sealed: &mut Vec<u8>) -> io::Result<()> {
        let begin = sealed.len();
        parts.iter().for_each(|part| sealed.extend_from_slice(part));
        let nonce = segment_nonce(self.sealed_segments, is_last);
        let segment = &mut sealed[begin..];
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::empty(), segment);
        sealed.extend_from_slice(tag.map_err(no_luck)?.as_ref());
        self.sealed_segments += 1;
        Ok(())
    }
}

/// Seals bytes that are in memory.
pub(crate) fn seal(data_key: &DataKey, hash: ContentHash, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::with_capacity(sealed_bytes(bytes.len() as u64) as usize);
    sealed.resize(HEADER_BYTES as usize, 0);
    let mut sealer = Sealer::begin(data_key)?;
    sealer.push(bytes, &mut sealed)?;
    let header = sealer.finish(hash, &mut sealed)?;
    sealed[..header.len()].copy_from_slice(&header);
    Ok(sealed)
}

/// Opens segments of one blob.
pub(crate) struct Opener {
    hash: ContentHash,
    key: LessSafeKey,
    is_current: bool,
    plain_bytes: u64,
}

impl Opener {
    /// Reads the header of a file of `stored_bytes` bytes that has the name of this blob.
    ///
    /// # Errors
    /// `Corrupt`; `NoKey` when it was sealed with a key that is not here.
    pub(crate) fn new(
        sealing: &Sealing,
        hash: ContentHash,
        header: &[u8],
        stored_bytes: u64,
    ) -> Result<Self, BlobError> {
        let corrupt = || BlobError::Corrupt { hash };
        let plain_bytes = Form::Sealed.plain_bytes(stored_bytes);
        if sealed_bytes(plain_bytes) != stored_bytes || header.len() as u64 != HEADER_BYTES {
            return Err(corrupt());
        }
        let (magic, rest) = header.split_at(MAGIC.len());
        let (id, rest) = rest.split_at(KeyId::BYTES);
        let (salt, tag) = rest.split_at(SALT_BYTES);
        let id = KeyId::from_slice(id).ok_or_else(corrupt)?;
        let open = |data_key: &DataKey| {
            let key = derive(data_key, salt).ok()?;
            let name = Aad::from(name(hash, plain_bytes));
            let mut tag = tag.to_vec();
            let opened = key.open_in_place(name_nonce(), name, &mut tag);
            opened.is_ok().then_some(key)
        };
        let Some(data_key) = sealing.find(id) else {
            // Flipped bits in the name of a key do not make it a key that is missing.
            let is_known = sealing.any(|data_key| open(data_key).is_some());
            return Err(if is_known || magic != MAGIC {
                corrupt()
            } else {
                BlobError::NoKey { hash, key: id }
            });
        };
        let key = open(&data_key).filter(|_| magic == MAGIC);
        Ok(Self {
            hash,
            key: key.ok_or_else(corrupt)?,
            is_current: sealing.current().is_some_and(|key| key.id() == id),
            plain_bytes,
        })
    }

    pub(crate) const fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// Whether it was sealed with the key that is used now.
    pub(crate) const fn is_current(&self) -> bool {
        self.is_current
    }

    /// Where the segments lie that have these plain bytes, and the first plain byte of them.
    pub(crate) const fn segments(&self, plain: &Range<u64>) -> (Range<u64>, u64) {
        let first = plain.start / SEGMENT_BYTES;
        let last = segments_of(plain.end);
        let start = HEADER_BYTES + first * (SEGMENT_BYTES + TAG_BYTES);
        let end = HEADER_BYTES + last * (SEGMENT_BYTES + TAG_BYTES);
        let all = sealed_bytes(self.plain_bytes);
        (
            start..if end < all { end } else { all },
            first * SEGMENT_BYTES,
        )
    }

    /// Opens segments that lie one behind the other, the first of them beginning with the plain byte `at`.
    pub(crate) fn open(&self, at: u64, sealed: &mut [u8]) -> Result<Vec<u8>, BlobError> {
        let last = segments_of(self.plain_bytes) - 1;
        let mut plain = Vec::with_capacity(sealed.len());
        let segments = sealed.chunks_mut((SEGMENT_BYTES + TAG_BYTES) as usize);
        for (number, segment) in (at / SEGMENT_BYTES..).zip(segments) {
            let nonce = segment_nonce(number, number == last);
            let opened = self.key.open_in_place(nonce, Aad::empty(), segment);
            plain.extend_from_slice(opened.map_err(|_| BlobError::Corrupt { hash: self.hash })?);
        }
        Ok(plain)
    }
}

/// Opens the segments of a blob that come in pieces of any length.
pub(crate) struct Opening {
    opener: Opener,
    /// Where in the plain bytes the next segment begins.
    at: u64,
    /// What of it is wanted.
    wanted: Range<u64>,
    held: BytesMut,
}

impl Opening {
    /// What comes begins with the segment that has the first byte of `wanted`.
    pub(crate) fn new(opener: Opener, wanted: Range<u64>) -> Self {
        Self {
            at: opener.segments(&wanted).1,
            opener,
            wanted,
            held: BytesMut::new(),
        }
    }

    /// Takes the next piece, and gives what is plain by now.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, BlobError> {
        self.held.extend_from_slice(piece);
        let segment = (SEGMENT_BYTES + TAG_BYTES) as usize;
        self.take(self.held.len() / segment * segment)
    }

    /// What is left at the end.
    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, BlobError> {
        self.take(self.held.len())
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, BlobError> {
        let mut plain = self.opener.open(self.at, &mut self.held[..length])?;
        self.held.advance(length);
        let begin = self.at;
        self.at += plain.len() as u64;
        let within = |at: u64| at.clamp(begin, self.at) - begin;
        plain.truncate(within(self.wanted.end) as usize);
        plain.drain(..(within(self.wanted.start) as usize).min(plain.len()));
        Ok(plain)
    }
}

fn derive(data_key: &DataKey, salt: &[u8]) -> Result<LessSafeKey, Unspecified> {
    let secret = Salt::new(HKDF_SHA256, salt).extract(data_key.as_bytes());
    let key: UnboundKey = secret.expand(&[PURPOSE], &AES_256_GCM)?.into();
    Ok(LessSafeKey::new(key))
}

/// The number of the segment in eight bytes, the highest first, between three zeros and whether it is the last.
fn segment_nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = is_last.into();
    Nonce::assume_unique_for_key(nonce)
}

/// Whose bytes they are and how many, as the tag of the header covers it.
fn name(hash: ContentHash, plain_bytes: u64) -> [u8; 40] {
    let mut name = [0; 40];
    name[..32].copy_from_slice(hash.as_bytes());
    name[32..].copy_from_slice(&plain_bytes.to_be_bytes());
    name
}

/// One that no segment has.
fn name_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0xff; 12])
}

fn no_luck(_: Unspecified) -> io::Error {
    io::Error::other("the system's cryptography failed")
}

#[cfg(test)]
mod tests;
