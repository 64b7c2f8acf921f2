//! Keeping a collection on IPFS, where somebody chose that: which originals, in which form, who is asked to keep them,
//! and how all of it is opened again.
//!
//! Originals are sealed unless somebody consented to the opposite. Names are computed here before anything is sent, and
//! what a node says is compared with them. Everything that was given away is noted, so that whatever is interrupted
//! goes on. What deleted originals were is never published.

mod ask;
mod error;
mod gather;
mod index;
mod key;
mod node;
mod open;
mod pinning;
mod pins;
mod publish;
mod settings;
mod tree;

use heirloom_core::CollectionId;
use serde::Serialize;

pub use error::IpfsError;
pub use heirloom_ipfs::{Cid, Layout, PublicationKey, open_sealed};
pub use key::load_publication_key;
pub use open::{OpenReport, describe_archive, name_file, open_archive, open_file};
pub use pins::{check_node, check_pins, unpin};
pub use publish::{Checked, check_publish, publish};
pub use settings::{IpfsSettings, NodeLogin, PinningService, Token};

use crate::export::Problem;

/// What a run that publishes is called.
pub const PUBLISH: &str = "publish";
/// What a run that lets go is called.
pub const UNPIN: &str = "unpin";

/// What somebody asks to be published, with what was consented to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which collection.
    pub collection_id: CollectionId,
    /// Whether anybody is to be able to read it.
    pub is_plain: bool,
    /// Whether somebody consented to that: it is visible to everybody for ever.
    pub has_consent: bool,
    /// Whether what is not for the whole family is meant as well.
    pub includes_private: bool,
    /// Where it goes.
    pub target: Target,
}

/// Where something goes that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the node, and from there to a pinning service if one is configured.
    Node,
    /// Into an archive of blocks on this machine, which is not there yet.
    File(std::path::PathBuf),
}

/// What was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PublishReport {
    /// Its name.
    pub root_cid: String,
    /// The archive, where it went into one.
    pub path: Option<String>,
    /// Whether anybody can read it.
    pub is_plain: bool,
    /// Originals in it.
    pub files: u64,
    /// Of these: those that were sent now.
    pub sent: u64,
    /// Bytes of all blocks.
    pub bytes: u64,
    /// Members that are never published: deleted ones, and those that another took the place of.
    pub left_out: u64,
    /// How much is not as it should be.
    pub problem_count: u64,
    /// The first of it.
    pub problems: Vec<Problem>,
}

impl PublishReport {
    /// How many problems are told one by one.
    const TOLD: usize = 1000;

    fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < Self::TOLD {
            self.problems.push(problem);
        }
    }
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, IpfsError> + Send + 'static,
) -> Result<T, IpfsError> {
    tokio::task::spawn_blocking(act)
        .await
        .map_err(|_| IpfsError::Cancelled)?
}
