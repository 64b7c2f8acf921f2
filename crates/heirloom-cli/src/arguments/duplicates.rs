//! `heirloom duplicates …`

use clap::{Subcommand, ValueEnum};
use heirloom_core::{AssetId, ClaimBatchId, duplicate::Likeness};

use super::Paging;

/// Why pictures are in one group.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Why {
    /// One original at several places
    Copies,
    /// The very same picture in other bytes
    Exact,
    /// They show the same
    Near,
    /// Taken in quick succession
    Burst,
}

impl From<Why> for Likeness {
    fn from(why: Why) -> Self {
        match why {
            Why::Copies => Self::Copies,
            Why::Exact => Self::Exact,
            Why::Near => Self::Near,
            Why::Burst => Self::Burst,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Duplicates {
    /// List groups of pictures of which one is enough, with the one that is suggested and why
    List {
        /// Those that are together for this alone
        #[arg(long, value_enum)]
        why: Option<Why>,
        /// Those of which all but one were rejected
        #[arg(long)]
        decided: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Keep one of a group: the others are rated as rejected, and nothing is deleted
    Keep {
        /// The group
        group: AssetId,
        /// The picture [the one that is suggested]
        picture: Option<AssetId>,
    },
    /// Say that pictures of a group are not the same as its others
    Part {
        /// The group
        group: AssetId,
        /// Which; without any, none of it is the same as another
        pictures: Vec<AssetId>,
    },
    /// List what was decided, the last first
    Decisions {
        #[command(flatten)]
        paging: Paging,
    },
    /// Take back what was decided: the last, or that of an id
    Undo {
        /// Which
        id: Option<ClaimBatchId>,
    },
    /// Hold again to what was taken back
    Redo {
        /// Which
        id: ClaimBatchId,
    },
}
