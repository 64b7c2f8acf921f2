//! What `export` and `import` take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder: empty, not there yet, or an export of this library
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Only what is in this collection: its name or its id
    #[arg(long, value_name = "COLLECTION")]
    pub(crate) collection: Option<String>,
    /// All of this family: its name or its id
    #[arg(long, value_name = "FAMILY", conflicts_with = "collection")]
    pub(crate) family: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Folders, or archives as they were handed out; several that belong together, such as the parts of a Takeout
    #[arg(value_name = "DIR", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    /// Where it is from; guessed where it is not said
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) from: Option<Program>,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Make nothing of what comes: no small pictures, nothing to play
    #[arg(long)]
    pub(crate) no_process: bool,
}

/// Where something is imported from.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Program {
    /// What `heirloom export` wrote
    Export,
    /// What Google hands out of Google Photos
    Takeout,
    /// What Photos exports, and what Apple hands out of iCloud Photos
    Apple,
    /// The folder of Immich's uploads
    Immich,
    /// PhotoPrism's originals and storage
    Photoprism,
    /// Any folder
    Folder,
}
