//! `heirloom store …`

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Show where blobs are kept, how much each place has, and what is still to be moved
    Status,
    /// Bring all blobs to where they are kept; everything can be used meanwhile
    ///
    /// A server does it by itself, slowly. Ctrl-C stops it, and nothing is lost: the next goes on.
    Move {
        /// Say what there is to move, and move nothing
        #[arg(long)]
        dry_run: bool,
        /// Move at most so much each second, such as "8 MB" [as much as can be]
        #[arg(long, value_name = "SIZE", conflicts_with = "dry_run")]
        rate: Option<String>,
    },
    /// Stop what is moving blobs
    Cancel,
}
