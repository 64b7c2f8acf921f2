//! What `ipfs` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Ipfs {
    /// Publish a collection for good: sealed, unless told otherwise
    ///
    /// What is published can be asked to be let go of, but whoever copied it keeps it. Each original is sealed in the
    /// format of age with a key of the collection, which stays here. Doing it again goes on where it was left, and
    /// publishes what the collection is by now. Deleted originals are never published.
    Publish {
        /// The collection: its name or its id
        collection: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Say what is published, and ask those who keep it how far they are
    Status {
        /// Only this collection: its name or its id
        collection: Option<String>,
    },
    /// Ask those who keep a collection to let go; what others copied stays where it is, for ever
    Unpin {
        /// The collection: its name or its id
        collection: String,
    },
    /// Show the key that opens what was published sealed of a collection, without this library
    Key {
        /// The collection: its name or its id
        collection: String,
    },
    /// Write a collection to a CAR archive, as it would be published, and send nothing to anybody
    Export {
        /// The collection: its name or its id
        collection: String,
        /// The archive, which is not there yet
        #[arg(value_name = "FILE.car")]
        file: PathBuf,
        #[command(flatten)]
        consent: Consent,
    },
    /// Bring in the originals that a CAR archive has; each block is compared with its name
    Import {
        /// The archive
        #[arg(value_name = "FILE.car")]
        file: PathBuf,
        /// The file with its key; without one the keys of this library are tried
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Make nothing of what comes: no small pictures, nothing to play
        #[arg(long)]
        no_process: bool,
    },
    /// Open a CAR archive into a folder, or one sealed file into another; needs the key alone, and no library
    Open {
        /// The archive, or the sealed file
        file: PathBuf,
        /// The folder, or the file; doing it again goes on where it was left
        to: PathBuf,
        /// The file with the key; not needed for what was published plain
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Say what a file is called on IPFS; nothing is sent to anybody
    Cid {
        /// The file
        file: PathBuf,
    },
}

/// What somebody consents to.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Consent {
    /// Publish the originals as they are, with the places and names that are in them
    #[arg(long)]
    pub(crate) plain: bool,
    /// Consent to that: what is plain is visible to everybody for ever
    #[arg(long, requires = "plain")]
    pub(crate) visible_to_everybody_for_ever: bool,
    /// Also what not everybody in the family may see, which is refused otherwise
    #[arg(long)]
    pub(crate) include_private: bool,
}
