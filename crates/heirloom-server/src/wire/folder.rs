//! Folders of the machine on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The folders in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Folders {
    /// The folder by its one true path, as path text.
    pub path: String,
    /// The folder that it is in; null of the root.
    pub parent: Option<String>,
    /// What is in it, by name.
    pub folders: Vec<Folder>,
    /// Whether there are more than the thousand that are named.
    pub is_cut: bool,
}

/// A folder of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    /// What it is called, as path text.
    pub name: String,
    /// Where it is, as path text.
    pub path: String,
}
