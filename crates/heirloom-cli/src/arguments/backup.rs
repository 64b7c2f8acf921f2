//! `heirloom backup …` and `heirloom restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A repository, and what opens it.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The repository: a folder, best on another disk
    #[arg(value_name = "REPO")]
    pub(crate) repository: String,
    /// The file that has its key [HEIRLOOM_BACKUP_KEY_FILE, else backup.key in the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Back everything up, encrypted: the catalogue, all blobs, and the originals in folder archives
    ///
    /// Only what is new is stored. The first backup makes the repository, and the key backup.key in the data
    /// folder: print it and keep it elsewhere, for without it nothing can be restored.
    To {
        #[command(flatten)]
        target: Target,
        /// Leave out the originals in folder archives, because something else backs those folders up
        #[arg(long)]
        without_folders: bool,
    },
    /// List the snapshots in a repository, the oldest first
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Check whether a repository is whole
    Check {
        #[command(flatten)]
        target: Target,
        /// Read every byte, which alone finds flipped bits
        #[arg(long)]
        read_data: bool,
    },
    /// Let go of old snapshots, and of what only they had
    ///
    /// What is not needed any more is marked, and freed by the first prune after a day.
    Prune {
        #[command(flatten)]
        target: Target,
        /// Keep the last snapshot of each of so many days
        #[arg(long, value_name = "N", default_value_t = 7)]
        keep_daily: u32,
        /// The same of weeks
        #[arg(long, value_name = "N", default_value_t = 5)]
        keep_weekly: u32,
        /// The same of months
        #[arg(long, value_name = "N", default_value_t = 12)]
        keep_monthly: u32,
        /// The same of years
        #[arg(long, value_name = "N", default_value_t = 75)]
        keep_yearly: u32,
    },
    /// Prove that the newest snapshot can be restored: restore it beside the library, check and compare it
    Prove {
        #[command(flatten)]
        target: Target,
    },
    /// Have the server back up regularly, capture what changes in between, and prove that it can be restored
    Schedule {
        /// The repository: a folder, best on another disk
        #[arg(
            value_name = "REPO",
            required_unless_present = "off",
            conflicts_with = "off"
        )]
        repository: Option<String>,
        /// The file that has its key [HEIRLOOM_BACKUP_KEY_FILE, else backup.key in the data folder]
        #[arg(long, value_name = "FILE", conflicts_with = "off")]
        key_file: Option<PathBuf>,
        /// Leave out the originals in folder archives, because something else backs those folders up
        #[arg(long, conflicts_with = "off")]
        without_folders: bool,
        /// How often, in hours
        #[arg(long, value_name = "N", default_value_t = 24)]
        every_hours: u32,
        /// How often it is proved that it can be restored, in days
        #[arg(long, value_name = "N", default_value_t = 7)]
        proof_days: u32,
        /// Back up nothing regularly any more
        #[arg(long)]
        off: bool,
    },
    /// Show how the regular backups stand, and what was done with repositories, the newest first
    Show {
        #[command(flatten)]
        paging: super::Paging,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The data folder to make: empty, or not there yet
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// As it was at a time such as 2026-03-01 or 2026-03-01T12:00:00Z, or the snapshot of this id [the newest]
    #[arg(long, value_name = "TIME|SNAPSHOT")]
    pub(crate) at: Option<String>,
}
