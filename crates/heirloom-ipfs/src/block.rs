//! A block: bytes and the name that their hash gives them.

use aws_lc_rs::digest::{SHA256, digest};
use cid::{Cid, multihash::Multihash};

/// The multicodec of bytes that are nothing but bytes.
pub(super) const RAW: u64 = 0x55;
/// The multicodec of nodes with links.
pub(super) const DAG_PB: u64 = 0x70;
/// The multihash code of SHA-256.
pub(super) const SHA2_256: u64 = 0x12;

/// Bytes and their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The name.
    pub cid: Cid,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Block {
    /// A leaf.
    #[must_use]
    pub fn raw(bytes: Vec<u8>) -> Self {
        Self::named(RAW, bytes)
    }

    /// A node.
    pub(super) fn node(bytes: Vec<u8>) -> Self {
        Self::named(DAG_PB, bytes)
    }

    fn named(codec: u64, bytes: Vec<u8>) -> Self {
        let cid = Cid::new_v1(codec, hash(&bytes));
        Self { cid, bytes }
    }
}

#[expect(clippy::expect_used, reason = "32 bytes fit into 64")]
fn hash(bytes: &[u8]) -> Multihash<64> {
    Multihash::wrap(SHA2_256, digest(&SHA256, bytes).as_ref()).expect("a digest fits")
}

/// Whether these are the bytes that the name is of; `None` for a name by a hash that is not computed here.
pub(super) fn is_named(cid: &Cid, bytes: &[u8]) -> Option<bool> {
    (cid.hash().code() == SHA2_256).then(|| cid.hash().digest() == digest(&SHA256, bytes).as_ref())
}
