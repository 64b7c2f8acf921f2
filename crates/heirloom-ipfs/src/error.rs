//! What can be wrong with an archive of blocks, and with what is sealed.

use std::io;

use cid::Cid;

/// Why an archive of blocks cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CarError {
    /// It does not begin as one.
    #[error("this is no CAR archive: {0}")]
    NotACar(&'static str),
    /// It is of a version that is not read here.
    #[error("this CAR archive has version {0}, and only version 1 is read")]
    Version(u64),
    /// A block has other bytes than its name says.
    #[error("block {cid} at byte {at} is damaged: its bytes have another hash")]
    Damaged {
        /// Which.
        cid: Cid,
        /// Where it begins.
        at: u64,
    },
    /// The name of a block cannot be read.
    #[error("the block at byte {at} has no name that can be read")]
    NoName {
        /// Where it begins.
        at: u64,
    },
    /// It ends in the middle.
    #[error("the archive is cut off: what begins at byte {at} is not whole")]
    CutOff {
        /// Where what is not whole begins.
        at: u64,
    },
    /// A block is longer than any may be.
    #[error("what begins at byte {at} says that it is {bytes} bytes long, and {most} are the most")]
    TooLong {
        /// Where it begins.
        at: u64,
        /// How long it says that it is.
        bytes: u64,
        /// How long it may be.
        most: u64,
    },
    /// A block is named by a hash that is not computed here.
    #[error("block {cid} is named by a hash other than SHA-256")]
    OtherHash {
        /// Which.
        cid: Cid,
    },
    /// A block that is linked to is not there.
    #[error("block {cid} is not in the archive")]
    Missing {
        /// Which.
        cid: Cid,
    },
    /// A block is no part of a file or a folder.
    #[error("block {cid} is no part of a file or a folder: {why}")]
    NotAFile {
        /// Which.
        cid: Cid,
        /// What is the matter.
        why: &'static str,
    },
    /// A name that would lead elsewhere.
    #[error("block {cid} names something {name:?}, which no file may be called")]
    BadName {
        /// Which.
        cid: Cid,
        /// The name.
        name: String,
    },
    /// What is in it becomes far more than the archive has bytes.
    #[error("what is in the archive becomes more than {0} bytes, far more than it has itself")]
    TooMuch(u64),
    /// The disk or the system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why something sealed cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It does not begin as something sealed does.
    #[error("this is not sealed in the age format, or it is damaged at its beginning")]
    NotSealed,
    /// It was sealed for another key.
    #[error("this key does not open it: it was sealed for another")]
    WrongKey,
    /// It was changed or cut off.
    #[error("it is damaged or cut off after {after_bytes} bytes")]
    Damaged {
        /// How much of what was sealed is sound before that.
        after_bytes: u64,
    },
    /// The disk or the system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
