//! Checks bytes that pass by against the name of their blob.

use heirloom_core::ContentHash;

use crate::BlobError;

/// The check of one blob that is read once from its start to its end.
pub(crate) struct Verification {
    hash: ContentHash,
    hasher: blake3::Hasher,
    remaining_bytes: u64,
}

impl Verification {
    /// A check of a blob that has `size_bytes` bytes.
    pub(crate) fn new(hash: ContentHash, size_bytes: u64) -> Self {
        Self {
            hash,
            hasher: blake3::Hasher::new(),
            remaining_bytes: size_bytes,
        }
    }

    /// Takes the next bytes before they are handed out. The last ones pass only when the whole is
    /// right, so that nobody mistakes a damaged blob for a complete one.
    ///
    /// # Errors
    /// `Corrupt`.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let corrupt = || BlobError::Corrupt { hash: self.hash };
        self.remaining_bytes = self
            .remaining_bytes
            .checked_sub(bytes.len() as u64)
            .ok_or_else(corrupt)?;
        self.hasher.update(bytes);
        if self.remaining_bytes == 0 && self.hasher.finalize() != *self.hash.as_bytes() {
            return Err(corrupt());
        }
        Ok(())
    }
}
