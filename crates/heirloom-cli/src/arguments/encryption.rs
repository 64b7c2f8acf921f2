//! `heirloom encryption …`

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Encryption {
    /// Encrypt whatever is stored from now on, and what is there
    ///
    /// A master key opens it. It is in the file that `master_key_file` names in config.toml, which is made if it is not
    /// there; or it is a passphrase. Heirloom does not keep it: without it every blob is lost. What was interrupted
    /// goes on where it was.
    On,
    /// Say whether blobs are encrypted, with which keys, and whether all are by now
    Status,
    /// Make a new key, and encrypt everything anew with it
    Rotate,
    /// Let another master key open the keys, and the one before none of them
    ChangeMaster {
        /// The file that has the new one; it is made if it is not there
        #[arg(
            long,
            value_name = "FILE",
            required_unless_present = "to_passphrase_file"
        )]
        to_key_file: Option<PathBuf>,
        /// The file that has the new passphrase
        #[arg(long, value_name = "FILE", conflicts_with = "to_key_file")]
        to_passphrase_file: Option<PathBuf>,
    },
}
