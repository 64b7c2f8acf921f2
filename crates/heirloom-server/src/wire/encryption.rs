//! Whether the blobs are encrypted, on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the blobs of the library are encrypted, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Encryption {
    /// Whether what is stored is sealed.
    pub is_on: bool,
    /// Whether every blob was sealed with the newest key, but for those that are damaged.
    pub is_complete: bool,
    /// Whether the rest is being sealed right now.
    pub is_sealing: bool,
    /// Blobs that this pass has looked at.
    pub blobs: u64,
    /// How many of them were damaged and are as they were.
    pub failed: u64,
    /// Why the sealing of the rest stopped, for people; it goes on after the next start.
    pub problem: Option<String>,
    /// The keys that seal blobs, the newest first. They are wrapped by the master key.
    pub keys: Vec<EncryptionKey>,
    /// The file that has them, wrapped; without it and the master key nothing opens the blobs.
    pub key_file: String,
    /// What the master key is: `key` or `passphrase`.
    pub master: Option<String>,
    /// Where this process has the master key from, for people.
    pub master_from: Option<String>,
    /// Whether the master key lies in the data folder, beside what it opens.
    pub is_master_beside: bool,
    /// Whether a master key was made just now, where none was.
    pub is_new_master: bool,
}

/// A key that seals blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EncryptionKey {
    /// Its name.
    pub id: String,
    /// When it was made.
    pub made_at_ms: i64,
}

/// The master key that is to open the keys from now on.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewMaster {
    /// What it is: `key` or `passphrase`.
    pub kind: MasterKind,
    /// The letters of the key, or the words of the passphrase.
    pub text: String,
}

/// What a master key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MasterKind {
    /// 52 random letters.
    Key,
    /// Words that somebody remembers.
    Passphrase,
}

impl std::fmt::Debug for NewMaster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewMaster({:?}, …)", self.kind)
    }
}
