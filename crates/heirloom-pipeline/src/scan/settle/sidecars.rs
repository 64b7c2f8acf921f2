//! Linking a folder's sidecars with what they describe, and reading those that are new.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::Arc,
};

use heirloom_core::{AssetId, ContentHash, SidecarId, path};
use heirloom_db::{DbError, artifact::Derived, sidecar::SidecarMatch};
use heirloom_media::{SidecarKind, match_sidecars};

use super::{Beside, Settling, Together};
use crate::{
    scan::{ScanError, examine::reason, report::Outcome, walk::blocking, work::FolderRef},
    tool::{SIDECAR, SIDECAR_BYTES, read_sidecar},
};

/// How many assets get their sidecars in one transaction.
const AT_ONCE: usize = 100;

/// A sidecar of a folder with what the names say of it.
struct Matched<'t> {
    beside: &'t Beside,
    kind: SidecarKind,
}

impl Settling<'_, '_> {
    /// `false` when a sidecar could not be read, or it was told to stop.
    pub(super) async fn match_sidecars(
        &self,
        folder: &FolderRef,
        together: &Together,
    ) -> Result<bool, ScanError> {
        let wanted = matches(together);
        let mut linked: BTreeMap<AssetId, BTreeSet<SidecarId>> = BTreeMap::new();
        for (asset, sidecar) in self.db.list_sidecar_links(folder.id).await? {
            linked.entry(asset).or_default().insert(sidecar);
        }
        let assets: BTreeSet<AssetId> = wanted.keys().chain(linked.keys()).copied().collect();
        let assets: Vec<AssetId> = assets.into_iter().collect();
        let mut is_complete = true;
        for assets in assets.chunks(AT_ONCE) {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let read = self
                .db
                .list_tool_inputs(assets, SIDECAR.name, SIDECAR.version)
                .await?;
            let mut changes = Vec::new();
            for asset in assets {
                let matched = wanted.get(asset).map_or(&[][..], Vec::as_slice);
                let sidecars: BTreeSet<SidecarId> =
                    matched.iter().map(|matched| matched.beside.id).collect();
                let unread: Vec<&Matched<'_>> = matched
                    .iter()
                    .filter(|matched| !read.contains(&(*asset, matched.beside.content_hash)))
                    .collect();
                if unread.is_empty() && linked.get(asset).unwrap_or(&BTreeSet::new()) == &sidecars {
                    continue;
                }
                let mut derived = Vec::with_capacity(unread.len());
                for matched in unread {
                    match self.read(folder, matched).await? {
                        Some(made) => derived.push(made),
                        None => is_complete = false,
                    }
                }
                changes.push(SidecarMatch {
                    asset: *asset,
                    sidecars,
                    derived,
                });
            }
            if !changes.is_empty() {
                let tool = (SIDECAR.name, SIDECAR.version);
                let family = self.archive.family_id;
                let stored = self
                    .db
                    .store_sidecar_matches(family, self.run, folder.id, tool, changes)
                    .await;
                match stored {
                    Err(error @ DbError::Sql(_)) => {
                        let reason = format!("its sidecars: {error}");
                        let path = folder.path.clone();
                        self.reporter
                            .file(path, Outcome::Failed, None, Some(reason));
                        is_complete = false;
                    }
                    stored => stored?,
                }
            }
        }
        Ok(is_complete)
    }

    /// Reads a sidecar; `None`, and that is said, when it is not what was catalogued any more.
    async fn read(
        &self,
        folder: &FolderRef,
        matched: &Matched<'_>,
    ) -> Result<Option<Derived>, ScanError> {
        let (root, path, name) = (
            Arc::clone(self.root),
            folder.path.clone(),
            matched.beside.name.clone(),
        );
        let expected = matched.beside.content_hash;
        let read = blocking(move || {
            let (file, stat) = root.open_folder(&path)?.open_file(&name)?;
            if stat.size_bytes > SIDECAR_BYTES {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            file.take(SIDECAR_BYTES).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
        .await;
        let failure = match read {
            Ok(bytes)
                if bytes
                    .as_deref()
                    .is_none_or(|bytes| is_same(bytes, expected)) =>
            {
                let made = read_sidecar(bytes.as_deref(), expected, matched.kind);
                return Ok(Some(made.store(self.blobs).await?));
            }
            Ok(_) => "it changed after it was catalogued".to_owned(),
            Err(error) => reason(&error),
        };
        let path = path::join(&folder.path, &matched.beside.name);
        self.reporter
            .file(path, Outcome::Failed, None, Some(failure));
        Ok(None)
    }
}

/// Which sidecars are about which assets.
fn matches(together: &Together) -> BTreeMap<AssetId, Vec<Matched<'_>>> {
    let mut wanted: BTreeMap<AssetId, Vec<Matched<'_>>> = BTreeMap::new();
    if together.sidecars.is_empty() {
        return wanted;
    }
    let originals = together
        .originals
        .iter()
        .map(|original| original.name.as_str());
    let sidecars = together.sidecars.iter().map(|beside| beside.name.as_str());
    let names: Vec<&str> = originals.chain(sidecars).collect();
    let first_sidecar = together.originals.len();
    for found in match_sidecars(&names) {
        let Some(place) = found.sidecar.checked_sub(first_sidecar) else {
            continue;
        };
        let Some(beside) = together.sidecars.get(place) else {
            continue;
        };
        let assets: BTreeSet<AssetId> = found
            .media
            .iter()
            .filter_map(|place| together.originals.get(*place))
            .map(|original| original.asset)
            .collect();
        for asset in assets {
            let kind = found.kind;
            wanted
                .entry(asset)
                .or_default()
                .push(Matched { beside, kind });
        }
    }
    wanted
}

fn is_same(bytes: &[u8], expected: ContentHash) -> bool {
    heirloom_blobs::hash_of(bytes) == expected
}
