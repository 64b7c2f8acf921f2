//! `heirloom collection …`, and which originals a command is about.

use clap::{Args, Subcommand};
use heirloom_core::AssetId;

use super::Paging;

/// Which originals: named one by one, or found.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Which
    #[arg(value_name = "ASSET", required_unless_present = "search")]
    pub(crate) assets: Vec<AssetId>,
    /// Those that a search finds, up to 5,000
    #[arg(
        long,
        value_name = "QUERY",
        conflicts_with = "assets",
        allow_hyphen_values = true
    )]
    pub(crate) search: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Collection {
    /// List collections, newest first
    List {
        /// Those that were deleted
        #[arg(long)]
        deleted: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one, and what is in it
    Show {
        /// Which, by its name or its id
        collection: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Make one: an album with these originals in it, or with --query a saved search
    Create {
        /// What it is called
        name: String,
        /// What is in it from the beginning
        #[arg(value_name = "ASSET", conflicts_with = "query")]
        assets: Vec<AssetId>,
        /// What it is about
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// What it asks, each time that it is looked into
        #[arg(long, allow_hyphen_values = true)]
        query: Option<String>,
        /// Asking again with the same key makes it once
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Call one something else
    Rename {
        /// Which, by its name or its id
        collection: String,
        /// Its new name
        name: String,
    },
    /// Put originals at the end of an album, all of them or none
    Add {
        /// Which, by its name or its id
        collection: String,
        #[command(flatten)]
        which: Which,
    },
    /// Take originals out of an album; they stay in the catalogue
    Remove {
        /// Which, by its name or its id
        collection: String,
        #[command(flatten)]
        which: Which,
    },
    /// Move an original within an album
    Move {
        /// Which, by its name or its id
        collection: String,
        /// What is moved
        asset: AssetId,
        /// What it is to stand right before [the end]
        #[arg(long, value_name = "ASSET")]
        before: Option<AssetId>,
    },
    /// Have one stay as it is, for good; a saved search with what it finds now
    Freeze {
        /// Which, by its name or its id
        collection: String,
    },
    /// Hide one; what is in it is not touched
    Delete {
        /// Which, by its name or its id
        collection: String,
    },
    /// Bring a hidden one back
    Restore {
        /// Which, by its name or its id
        collection: String,
    },
}
