//! The sealed form of bytes that are in memory, for whoever looks at it apart from a store.

use std::io;

use heirloom_core::ContentHash;

use super::{DataKey, HEADER_BYTES, Opener, Opening, Sealing, seal};
use crate::{BlobError, hash_of};

/// The sealed form of these bytes, and the name of the blob.
///
/// # Errors
/// When the system gives no random bytes.
pub fn seal_bytes(key: &DataKey, bytes: &[u8]) -> io::Result<(ContentHash, Vec<u8>)> {
    let hash = hash_of(bytes);
    Ok((hash, seal(key, hash, bytes)?))
}

/// The plain bytes of a sealed blob, which comes in pieces of this length.
///
/// # Errors
/// `Corrupt`; `NoKey` when it was sealed with a key that is not here.
pub fn open_sealed(
    sealing: &Sealing,
    hash: ContentHash,
    sealed: &[u8],
    piece_bytes: usize,
) -> Result<Vec<u8>, BlobError> {
    let (header, body) = sealed.split_at(sealed.len().min(HEADER_BYTES as usize));
    let opener = Opener::new(sealing, hash, header, sealed.len() as u64)?;
    let whole = 0..opener.plain_bytes();
    let mut opening = Opening::new(opener, whole);
    let mut plain = Vec::new();
    for piece in body.chunks(piece_bytes.max(1)) {
        plain.extend(opening.push(piece)?);
    }
    plain.extend(opening.finish()?);
    Ok(plain)
}
