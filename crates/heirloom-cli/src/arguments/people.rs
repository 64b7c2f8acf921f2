//! `heirloom people …`

use clap::{Args, Subcommand};
use heirloom_core::{ClaimBatchId, FaceId};

use super::Paging;

/// Which faces: all of a group, or one by one.
#[derive(Debug, Args)]
pub(crate) struct WhichFaces {
    /// All faces of a group
    #[arg(long, value_name = "GROUP", required_unless_present = "faces")]
    pub(crate) group: Option<FaceId>,
    /// These faces
    #[arg(long = "face", value_name = "FACE", conflicts_with = "group")]
    pub(crate) faces: Vec<FaceId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// List those whose faces are in pictures, with the groups that their faces are in
    List {
        /// Those who are left out
        #[arg(long)]
        hidden: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// List the faces of somebody
    Faces {
        /// The group that they are in
        group: FaceId,
        /// Of those who are left out
        #[arg(long)]
        hidden: bool,
    },
    /// Say who faces show; two groups with one name are one person
    Name {
        /// Who it is
        name: String,
        #[command(flatten)]
        which: WhichFaces,
        /// It is not that person
        #[arg(long)]
        not: bool,
    },
    /// Say that groups are one person
    Merge {
        /// Which; the others become a part of the last
        #[arg(value_name = "GROUP", num_args = 2.., required = true)]
        groups: Vec<FaceId>,
    },
    /// Say that two groups are never one person
    Apart {
        /// The one
        group: FaceId,
        /// The other
        other: FaceId,
    },
    /// Say that some faces of a group are another person's
    Split {
        /// Which
        #[arg(long = "face", value_name = "FACE", required = true)]
        faces: Vec<FaceId>,
    },
    /// Leave faces out for good: somebody whom nobody knows, and who is like them
    Hide {
        #[command(flatten)]
        which: WhichFaces,
        /// They are no faces at all
        #[arg(long)]
        no_face: bool,
    },
    /// Show again what was left out
    Unhide {
        #[command(flatten)]
        which: WhichFaces,
    },
    /// List what was said of faces, the last first
    Said {
        #[command(flatten)]
        paging: Paging,
    },
    /// Take back what was said: the last, or that of an id
    Undo {
        /// Which
        id: Option<ClaimBatchId>,
    },
    /// Hold again to what was taken back
    Redo {
        /// Which
        id: ClaimBatchId,
    },
    /// Forget all faces that machines found, so that they are looked for anew; what people said of them stays
    Reset,
}
