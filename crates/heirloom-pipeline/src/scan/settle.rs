//! Matching the files of one folder with each other: sidecars with what they describe, and stacks.
//!
//! It works from the catalogue and may be repeated at any time: what is already as it should be is
//! left untouched. Of a folder of a million files only those names are held that may belong together.

mod sidecars;
mod stacks;

use std::{
    collections::{BTreeSet, HashMap, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use heirloom_blobs::BlobStore;
use heirloom_core::{AssetId, ContentHash, FolderId, RunId, SidecarId, path};
use heirloom_db::{
    Db,
    archive::Archive,
    folder::{KnownAs, Neighbour, NeighbourRole},
};
use heirloom_media::property;
use tokio_util::sync::CancellationToken;

use super::{ScanError, report::Reporter, work::FolderRef};
use crate::{original::Root, tool::METADATA};

/// How many files are asked for at once.
const PAGE: usize = 1000;

/// What is needed to settle folders of one archive.
pub(super) struct Settling<'a, 'o> {
    pub(super) db: &'a Db,
    pub(super) blobs: &'a Arc<dyn BlobStore>,
    pub(super) archive: &'a Archive,
    pub(super) run: RunId,
    pub(super) root: &'a Arc<Root>,
    pub(super) reporter: &'a Reporter<'o>,
    pub(super) stop: &'a CancellationToken,
}

/// The files of a folder that may belong together, in the order of their names.
#[derive(Default)]
struct Together {
    originals: Vec<Original>,
    sidecars: Vec<Beside>,
}

struct Original {
    name: String,
    asset: AssetId,
    /// Whether it may be in a stack.
    may_stack: bool,
}

struct Beside {
    name: String,
    id: SidecarId,
    content_hash: ContentHash,
}

impl Settling<'_, '_> {
    /// Settles a folder; `false` when that has to be done again, because a sidecar could not be read
    /// or because the scan was told to stop.
    pub(super) async fn settle(&self, folder: &FolderRef) -> Result<bool, ScanError> {
        let Some(together) = self.gather(folder.id).await? else {
            return Ok(false);
        };
        let is_complete = self.match_sidecars(folder, &together).await?;
        self.match_stacks(folder.id, &together).await?;
        Ok(is_complete)
    }

    /// Finds what may belong together; nothing when it was told to stop.
    async fn gather(&self, folder: FolderId) -> Result<Option<Together>, ScanError> {
        let mut names = Names::default();
        let mut after = String::new();
        loop {
            let page = self.db.list_known_files(folder, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.name.clone_into(&mut after);
            for file in page {
                match file.what {
                    KnownAs::Location(..) => names.count(&file.name),
                    KnownAs::Sidecar(_) => names.has_sidecars = true,
                }
            }
            if self.stop.is_cancelled() {
                return Ok(None);
            }
        }
        let words = [property::LIVE_PHOTO_ID, property::BURST_ID];
        names.telling = self
            .db
            .list_assets_telling(folder, METADATA.name, words)
            .await?;
        let mut together = Together::default();
        if !names.has_any() {
            return Ok(Some(together));
        }
        after.clear();
        loop {
            let page = self.db.list_neighbours(folder, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.name.clone_into(&mut after);
            for neighbour in page {
                names.keep(neighbour, &mut together);
            }
            if self.stop.is_cancelled() {
                return Ok(None);
            }
        }
        Ok(Some(together))
    }
}

/// What the names of a folder tell before any of them is held.
#[derive(Default)]
struct Names {
    has_sidecars: bool,
    has_bursts: bool,
    has_twins: bool,
    /// The hash of each stem, and whether several files have it. Two stems of one hash cost a
    /// second look, nothing else.
    stems: HashMap<u64, bool>,
    /// Assets that say of themselves what they belong to.
    telling: BTreeSet<AssetId>,
}

impl Names {
    fn count(&mut self, name: &str) {
        let stem = stem(name);
        self.has_bursts |= is_burst(&stem);
        let is_twin = self
            .stems
            .entry(hash_of(&stem))
            .and_modify(|is_twin| *is_twin = true)
            .or_insert(false);
        self.has_twins |= *is_twin;
    }

    fn has_any(&self) -> bool {
        self.has_sidecars || self.has_bursts || self.has_twins || !self.telling.is_empty()
    }

    fn keep(&self, neighbour: Neighbour, together: &mut Together) {
        let Neighbour {
            name,
            content_hash,
            role,
        } = neighbour;
        match role {
            NeighbourRole::Asset(asset, ..) => {
                let stem = stem(&name);
                let may_stack = self.telling.contains(&asset)
                    || is_burst(&stem)
                    || self.stems.get(&hash_of(&stem)) == Some(&true);
                if may_stack || self.has_sidecars {
                    together.originals.push(Original {
                        name,
                        asset,
                        may_stack,
                    });
                }
            }
            NeighbourRole::Sidecar(id, _) => together.sidecars.push(Beside {
                name,
                id,
                content_hash,
            }),
        }
    }
}

/// What the files of a stack have in common, in one spelling: the name without its extension.
fn stem(name: &str) -> String {
    path::alike(name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

fn is_burst(stem: &str) -> bool {
    stem.contains("burst")
}

fn hash_of(stem: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    stem.hash(&mut hasher);
    hasher.finish()
}
