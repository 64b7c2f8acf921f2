//! The forms in which bytes lie on IPFS: blocks named by their hash, files and folders made of blocks, archives of
//! blocks, and the sealed form of what is not for everybody.
//!
//! Everything here is a pure function of bytes that come and go in streams; nothing asks a node. What is made is what
//! `ipfs add --cid-version=1 --raw-leaves` of Kubo makes: `UnixFS` files with raw leaves of one length in balanced
//! trees, and plain folders. Sources: the specifications of CID, dag-pb, `UnixFS` and CARv1 at
//! <https://specs.ipfs.tech> and <https://ipld.io/specs>, and that of age at <https://age-encryption.org/v1>.

mod block;
mod build;
mod car;
mod error;
mod node;
mod sealed;
mod unpack;

pub use block::Block;
pub use build::{FOLDER_BYTES, FileBuilder, Layout, Made, add_file, add_folder};
pub use car::{BLOCK_BYTES, CarFile, CarWriter, read_car, set_car_root};
pub use cid::Cid;
pub use error::{CarError, SealError};
pub use sealed::{PublicationKey, Sealed, open_sealed};
pub use unpack::{Entry, Unpack};

/// The node that these bytes are, for whoever throws bytes at it: how many links it has, `None` for what is none.
#[doc(hidden)]
#[must_use]
pub fn count_links(bytes: &[u8]) -> Option<usize> {
    node::decode(bytes).ok().map(|node| node.links.len())
}
