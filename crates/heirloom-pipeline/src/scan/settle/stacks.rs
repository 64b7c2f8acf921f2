//! Finding the stacks of a folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heirloom_core::{AssetId, ContentHash, FolderId};
use heirloom_db::{
    artifact::Payload,
    stack::{NewStack, StackKind},
};
use heirloom_media::{FileType, Member, find_stacks, property};
use serde_json::Value as Json;

use super::{Settling, Together};
use crate::{scan::ScanError, tool::METADATA};

/// How many assets are asked for at once.
const PAGE: usize = 256;

/// What an original says that matters here.
struct Told {
    file_type: FileType,
    properties: BTreeMap<String, String>,
}

impl Settling<'_, '_> {
    pub(super) async fn match_stacks(
        &self,
        folder: FolderId,
        together: &Together,
    ) -> Result<(), ScanError> {
        let originals = together
            .originals
            .iter()
            .filter(|original| original.may_stack);
        let named: Vec<(&str, AssetId)> = originals
            .map(|original| (original.name.as_str(), original.asset))
            .collect();
        let assets: BTreeSet<AssetId> = named.iter().map(|(_, asset)| *asset).collect();
        let told = self.list_told(&Vec::from_iter(assets)).await?;
        let (names, members): (Vec<(&str, AssetId)>, Vec<Member<'_>>) = named
            .into_iter()
            .filter_map(|(name, asset)| {
                let told = told.get(&asset)?;
                let member = Member {
                    name,
                    file_type: told.file_type,
                    properties: &told.properties,
                };
                Some(((name, asset), member))
            })
            .unzip();
        let stacks = new_stacks(&names, &members);
        self.db
            .store_stacks(self.archive.family_id, folder, &stacks)
            .await?;
        Ok(())
    }

    async fn list_told(&self, assets: &[AssetId]) -> Result<HashMap<AssetId, Told>, ScanError> {
        let mut told = HashMap::new();
        for assets in assets.chunks(PAGE) {
            for (asset, payload) in self.db.list_payloads(assets, METADATA.name).await? {
                let payload = match payload {
                    Payload::Json(payload) => payload,
                    // No reader of metadata makes one.
                    Payload::Text { .. } | Payload::Faces { .. } => continue,
                    Payload::Blob(hash, _) | Payload::Media(_, hash, _) => {
                        match self.read_blob(hash).await {
                            Some(payload) => payload,
                            None => continue,
                        }
                    }
                };
                if let Some(read) = read_told(&payload) {
                    told.insert(asset, read);
                }
            }
        }
        Ok(told)
    }

    /// The JSON in a blob. One that cannot be read is found by a check of the store; here it only
    /// means that nothing is known.
    async fn read_blob(&self, hash: ContentHash) -> Option<Json> {
        let read = async { self.blobs.get(hash).await?.bytes().await };
        match read.await {
            Ok(bytes) => serde_json::from_slice(&bytes).ok(),
            Err(error) => {
                tracing::warn!(%hash, %error, "a blob could not be read");
                None
            }
        }
    }
}

fn read_told(payload: &Json) -> Option<Told> {
    let file_type = FileType::by_name(payload.get("type")?.as_str()?)?;
    let wanted = [
        property::LIVE_PHOTO_ID,
        property::BURST_ID,
        property::BURST_COVER,
    ];
    let properties = wanted
        .into_iter()
        .filter_map(|name| {
            let value = payload.get("properties")?.get(name)?.as_str()?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    Some(Told {
        file_type,
        properties,
    })
}

/// The stacks of assets. Copies within a folder are one asset, and the same assets are one stack.
fn new_stacks(names: &[(&str, AssetId)], members: &[Member<'_>]) -> Vec<NewStack> {
    let mut stacks = Vec::new();
    let mut seen = BTreeSet::new();
    for found in find_stacks(members) {
        let Some((name, cover)) = names.get(found.cover) else {
            continue;
        };
        let mut assets = vec![*cover];
        for (_, asset) in found.members.iter().filter_map(|place| names.get(*place)) {
            if !assets.contains(asset) {
                assets.push(*asset);
            }
        }
        let kind = match found.kind {
            heirloom_media::StackKind::LivePhoto => StackKind::LivePhoto,
            heirloom_media::StackKind::RawAndPicture => StackKind::RawJpeg,
            heirloom_media::StackKind::Burst => StackKind::Burst,
            heirloom_media::StackKind::Edited => StackKind::Edited,
        };
        let all: BTreeSet<AssetId> = assets.iter().copied().collect();
        if all.len() > 1 && seen.insert((kind, all)) {
            stacks.push(NewStack {
                kind,
                name: (*name).to_owned(),
                members: assets,
            });
        }
    }
    stacks
}
