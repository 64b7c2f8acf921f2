//! What of a collection is published, and what never is.

use heirloom_core::{AssetId, CollectionId};
use heirloom_db::{
    asset::{Asset, AssetState},
    collection::Collection,
    family::Family,
};

use super::IpfsError;
use crate::{Context, export::list_members};

/// What of a collection can be published.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) collection: Collection,
    /// In the order of ids.
    pub(super) assets: Vec<AssetId>,
    /// Members that are never published.
    pub(super) left_out: u64,
}

/// How many assets are fetched at once.
pub(super) const AT_ONCE: usize = 200;

/// Gathers what of a collection is to be published.
///
/// # Errors
/// `Private` when some of it is not for the whole family and that was not consented to; `Empty`, `Deleted`, `Db`.
pub(super) async fn gather(
    ctx: &Context,
    family: &Family,
    collection: CollectionId,
    includes_private: bool,
) -> Result<Gathered, IpfsError> {
    let collection = ctx.db.get_collection(&ctx.actor, collection).await?;
    if collection.deleted_at_ms.is_some() {
        return Err(IpfsError::Deleted(collection.name));
    }
    let members = list_members(ctx, &collection).await?;
    let (mut assets, mut private, mut left_out) = (Vec::new(), Vec::new(), 0);
    if collection.audience_id != family.audience_id {
        private.push(collection.name.clone());
    }
    for ids in members.chunks(AT_ONCE) {
        let mut found = ctx.db.find_assets(&ctx.actor, ids).await?;
        found.sort_unstable_by_key(|asset| asset.id);
        left_out += (ids.len() - found.len()) as u64;
        for asset in found {
            if !is_publishable(&asset) {
                left_out += 1;
            } else if is_private(&asset, family) && !includes_private {
                private.push(asset.name);
            } else {
                assets.push(asset.id);
            }
        }
    }
    match private.first() {
        Some(first) if !includes_private => Err(IpfsError::Private {
            count: private.len(),
            first: first.clone(),
        }),
        _ if assets.is_empty() => Err(IpfsError::Empty(collection.name)),
        _ => Ok(Gathered {
            collection,
            assets,
            left_out,
        }),
    }
}

/// Whether it may ever be published: what was deleted or replaced may not.
pub(super) fn is_publishable(asset: &Asset) -> bool {
    asset.deleted_at_ms.is_none() && asset.state != AssetState::Replaced
}

/// Whether not everybody in the family may see it.
pub(super) fn is_private(asset: &Asset, family: &Family) -> bool {
    asset.audience_id != family.audience_id
}
