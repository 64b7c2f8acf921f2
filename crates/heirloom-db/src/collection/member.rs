//! What is in a collection, in its order.
//!
//! Members have positions with gaps between them, so that one is moved by giving it a position between
//! two others. Where there is no gap left, all of them are given new positions first.

use std::collections::{HashMap, HashSet};

use heirloom_core::{
    Actor, AssetId, AudienceId, CollectionId, audience::Sight, permission::Action, query::Query,
};
use serde_json::json;

use super::{Collection, touch, unexplained};
use crate::{
    Db, DbError, Tx,
    artifact::Look,
    asset::{self, Asset},
    audit, clock,
    search::Cursor,
    sql::statements,
    value::{Value, args},
};

/// A collection with what there is to say of what is in it, for one actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The collection.
    pub collection: Collection,
    /// How many assets are in it.
    pub count: usize,
    /// Whether there are more: what a search finds is not counted to its end.
    pub has_more: bool,
    /// The first of them of which a small picture is drawn, or the first if that is of none.
    pub cover: Option<Asset>,
}

/// Some of what is in a collection, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// The assets, in the order of the collection, or of the search.
    pub items: Vec<Asset>,
    /// Where to go on, unless this was the last page.
    pub next: Option<MemberCursor>,
}

/// The place after which a page begins. Its bytes are for whoever asks to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberCursor([u8; 24]);

/// Between two members that were added one after the other.
pub(crate) const GAP: i64 = 1 << 16;
/// How far it is counted what a search finds.
const MOST_COUNTED: usize = 200;
/// How many are looked at in one go for one that can be shown.
const FEW: usize = 8;

statements! {
    LAST = "SELECT MAX(position) FROM collection_member WHERE collection_id = $1";
    ADD = "INSERT INTO collection_member (collection_id, asset_id, position, added_at_ms) VALUES {rows}";
    LIST_HELD = "SELECT asset_id FROM collection_member WHERE collection_id = $1 AND asset_id IN ({list})";
    REMOVE = "DELETE FROM collection_member WHERE collection_id = $1 AND asset_id IN ({list})";
    FIND = "SELECT position FROM collection_member WHERE collection_id = $1 AND asset_id = $2";
    FIND_BEFORE = "SELECT position FROM collection_member
        WHERE collection_id = $1 AND (position, asset_id) < ($2, $3) AND asset_id <> $4
        ORDER BY position DESC, asset_id DESC LIMIT 1";
    FIND_LAST = "SELECT MAX(position) FROM collection_member WHERE collection_id = $1 AND asset_id <> $2";
    MOVE = "UPDATE collection_member SET position = $3 WHERE collection_id = $1 AND asset_id = $2";
    RENUMBER = "UPDATE collection_member SET position = n.place
        FROM (SELECT asset_id, ROW_NUMBER() OVER (ORDER BY position, asset_id) * 65536 AS place
          FROM collection_member WHERE collection_id = $1) AS n
        WHERE collection_member.collection_id = $2 AND collection_member.asset_id = n.asset_id";
    // What took the place of another has its membership too, but where nothing changes any more.
    COUNT = "SELECT m.collection_id, a.audience_id, COUNT(*) FROM collection_member m
        JOIN asset a ON a.id = m.asset_id JOIN collection c ON c.id = m.collection_id
        WHERE m.collection_id IN ({list}) AND a.deleted_at_ms IS NULL
          AND (a.state <> 'replaced' OR c.frozen_at_ms IS NOT NULL)
        GROUP BY m.collection_id, a.audience_id";
    PAGE = "SELECT m.position, m.asset_id FROM collection_member m
        JOIN asset a ON a.id = m.asset_id JOIN collection c ON c.id = m.collection_id
        WHERE m.collection_id = $1 AND (m.position, m.asset_id) > ($2, $3) AND a.deleted_at_ms IS NULL
          AND (a.state <> 'replaced' OR c.frozen_at_ms IS NOT NULL) AND a.audience_id IN ({list})
        ORDER BY m.position, m.asset_id LIMIT $4";
}

impl Collection {
    pub(super) fn parse_query(&self) -> Result<Query, DbError> {
        let text = self.query.as_deref().unwrap_or_default();
        text.parse()
            .map_err(|error| DbError::unreadable("a saved search", error))
    }
}

impl MemberCursor {
    fn placed(position: i64, asset: AssetId) -> Self {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&position.to_be_bytes());
        bytes[8..].copy_from_slice(asset.as_bytes());
        Self(bytes)
    }

    fn found(cursor: Cursor) -> Self {
        let mut bytes = [0; 24];
        bytes[..9].copy_from_slice(&cursor.to_bytes());
        Self(bytes)
    }

    fn as_placed(self) -> (i64, Vec<u8>) {
        let (position, asset) = self.0.split_at(8);
        let position = position.try_into().map_or(i64::MIN, i64::from_be_bytes);
        (position, asset.to_vec())
    }

    fn as_found(self) -> Cursor {
        let mut bytes = [0; 9];
        bytes.copy_from_slice(&self.0[..9]);
        Cursor::from_bytes(bytes)
    }

    /// The place as bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 24] {
        self.0
    }

    /// The place that [`to_bytes`](Self::to_bytes) gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }
}

impl Db {
    /// What is in a collection that was fetched for this actor, as far as they may see it.
    ///
    /// # Errors
    /// What a search refuses, and what the engine says.
    pub async fn list_members(
        &self,
        actor: &Actor,
        collection: &Collection,
        after: Option<MemberCursor>,
        limit: usize,
    ) -> Result<MemberPage, DbError> {
        let family = collection.family_id;
        actor.require(Action::ViewAsset, family)?;
        if collection.is_dynamic() {
            let (query, after) = (collection.parse_query()?, after.map(MemberCursor::as_found));
            let (items, next) = self
                .find_page(actor, family, &query, after, limit.max(1))
                .await?;
            let next = next.map(MemberCursor::found);
            return Ok(MemberPage { items, next });
        }
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let list = audiences.into_iter().map(Value::from).collect();
        let (position, asset) = after.map_or((i64::MIN, vec![0; 16]), MemberCursor::as_placed);
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut placed: Vec<(i64, AssetId)> = Vec::new();
        let fixed = args![collection.id, position, asset, most];
        for row in self.fetch_list(PAGE, fixed, list).await? {
            placed.push((row.get(0)?, row.get(1)?));
        }
        placed.sort_unstable();
        let has_more = placed.len() > limit;
        placed.truncate(limit);
        let last = placed.last().filter(|_| has_more);
        let next = last.map(|(position, asset)| MemberCursor::placed(*position, *asset));
        let ids: Vec<AssetId> = placed.into_iter().map(|(_, asset)| asset).collect();
        let assets = self.find_assets(actor, &ids).await?.into_iter();
        let mut assets: HashMap<AssetId, Asset> = assets.map(|asset| (asset.id, asset)).collect();
        let items = ids.iter().filter_map(|id| assets.remove(id)).collect();
        Ok(MemberPage { items, next })
    }

    /// Collections that were fetched for this actor, each with how much is in it for them.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn summarise_collections(
        &self,
        actor: &Actor,
        collections: Vec<Collection>,
    ) -> Result<Vec<Summary>, DbError> {
        let counts = self.count_members(actor, &collections).await?;
        let mut summaries = Vec::with_capacity(collections.len());
        for collection in collections {
            let mut summary = Summary {
                count: counts.get(&collection.id).copied().unwrap_or_default(),
                has_more: false,
                cover: None,
                collection,
            };
            let collection = &summary.collection;
            if collection.is_dynamic() {
                let family = collection.family_id;
                let query = collection.parse_query()?;
                let found = self.find(actor, family, &query, MOST_COUNTED + 1).await;
                // What it names may be gone or hidden by now: then there is nothing in it.
                let mut found = match found {
                    Err(DbError::NotFound { .. } | DbError::Refused(_)) => Vec::new(),
                    found => found?,
                };
                summary.has_more = found.len() > MOST_COUNTED;
                found.truncate(MOST_COUNTED);
                summary.count = found.len();
                let drawn = self.find_drawn(&found).await?;
                summary.cover = drawn.or_else(|| found.into_iter().next());
            } else if summary.count > 0 {
                summary.cover = self.find_cover(actor, collection).await?;
            }
            if self.names_what_is_hidden(actor, collection).await? {
                summary.collection.query = Some(String::new());
            }
            summaries.push(summary);
        }
        Ok(summaries)
    }

    /// Whether what a collection asks, or asked, names an archive or a collection that the actor may not know of.
    async fn names_what_is_hidden(
        &self,
        actor: &Actor,
        collection: &Collection,
    ) -> Result<bool, DbError> {
        let family = collection.family_id;
        if collection.query.is_none() || matches!(actor.sight(family), Sight::Everything) {
            return Ok(false);
        }
        let query = collection.parse_query()?;
        match self.check_saved(actor, family, &query).await {
            Err(DbError::NotFound { .. }) => Ok(true),
            Ok(()) | Err(DbError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is to be seen of a collection with members: the first of which a small picture is drawn, or the first.
    async fn find_cover(
        &self,
        actor: &Actor,
        collection: &Collection,
    ) -> Result<Option<Asset>, DbError> {
        let (mut first, mut after) = (None, None);
        for _ in 0..MOST_COUNTED / FEW {
            let page = self.list_members(actor, collection, after, FEW).await?;
            if let Some(drawn) = self.find_drawn(&page.items).await? {
                return Ok(Some(drawn));
            }
            first = first.or_else(|| page.items.into_iter().next());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(first)
    }

    /// The first of these assets of which a small picture is drawn.
    async fn find_drawn(&self, assets: &[Asset]) -> Result<Option<Asset>, DbError> {
        for few in assets.chunks(FEW) {
            let ids: Vec<AssetId> = few.iter().map(|asset| asset.id).collect();
            let looks = self.list_looks(&ids).await?;
            let is_drawn = |id: &AssetId| looks.get(id).is_some_and(Look::is_drawn);
            if let Some(drawn) = few.iter().find(|asset| is_drawn(&asset.id)) {
                return Ok(Some(drawn.clone()));
            }
        }
        Ok(None)
    }

    /// How many assets the actor may see in each of these collections; nothing of dynamic ones.
    async fn count_members(
        &self,
        actor: &Actor,
        collections: &[Collection],
    ) -> Result<HashMap<CollectionId, usize>, DbError> {
        let family = collections.first().map(|collection| collection.family_id);
        let Some(sight) = family.map(|family| actor.sight(family)) else {
            return Ok(HashMap::new());
        };
        let held = collections.iter().filter(|it| !it.is_dynamic());
        let list = held.map(|collection| Value::from(collection.id)).collect();
        let mut counts: HashMap<CollectionId, usize> = HashMap::new();
        for row in self.fetch_list(COUNT, args![], list).await? {
            let audience: AudienceId = row.get(1)?;
            if sight.includes(audience) {
                let count: i64 = row.get(2)?;
                *counts.entry(row.get(0)?).or_default() += usize::try_from(count).unwrap_or(0);
            }
        }
        Ok(counts)
    }

    /// Puts assets at the end of a collection, in this order, all of them or none. What is in it already
    /// stays where it is. Gives the collection and how many were added.
    ///
    /// # Errors
    /// [`DbError::NotFound`] for the collection or an asset, [`DbError::Denied`];
    /// [`DbError::Refused`] where nothing can be added by hand.
    pub async fn add_members(
        &self,
        actor: &Actor,
        id: CollectionId,
        assets: &[AssetId],
    ) -> Result<(Collection, usize), DbError> {
        let collection = self.get_editable(actor, id).await?;
        let family = collection.family_id;
        self.require_assets(actor, family, assets).await?;
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        if !touch(&mut tx, id, now_ms).await? {
            drop(tx);
            return Err(self.explain_refusal(actor, id).await?);
        }
        let added = add(&mut tx, id, assets, now_ms).await?;
        if added == 0 {
            return Ok((collection, 0));
        }
        let details = json!({ "collection": id, "assets": added });
        audit::add(&mut tx, family, actor, "collection.add", details).await?;
        tx.commit().await?;
        Ok((self.get_collection(actor, id).await?, added))
    }

    /// Takes assets out of a collection; they stay in the catalogue. What is not in it, or not the actor's
    /// to see, is passed over. Gives the collection and how many were taken out.
    ///
    /// # Errors
    /// [`DbError::NotFound`] for the collection, [`DbError::Denied`]; [`DbError::Refused`] where nothing
    /// can be taken out by hand.
    pub async fn remove_members(
        &self,
        actor: &Actor,
        id: CollectionId,
        assets: &[AssetId],
    ) -> Result<(Collection, usize), DbError> {
        let collection = self.get_editable(actor, id).await?;
        let family = collection.family_id;
        let seen = self.find_assets(actor, assets).await?;
        let seen = seen.into_iter().map(|asset| asset.id).collect();
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        if !touch(&mut tx, id, now_ms).await? {
            drop(tx);
            return Err(self.explain_refusal(actor, id).await?);
        }
        let held = asset::in_order(list_held(&mut tx, id, seen).await?.into_iter().collect());
        if held.is_empty() {
            return Ok((collection, 0));
        }
        asset::lock(&mut tx, &held).await?;
        let list = held.iter().map(|asset| Value::from(*asset)).collect();
        tx.execute_list(REMOVE, args![id], list).await?;
        asset::refresh_many(&mut tx, &held).await?;
        let details = json!({ "collection": id, "assets": held.len() });
        audit::add(&mut tx, family, actor, "collection.remove", details).await?;
        tx.commit().await?;
        Ok((self.get_collection(actor, id).await?, held.len()))
    }

    /// Moves what is in a collection to right before another that is in it, or to the end.
    ///
    /// # Errors
    /// [`DbError::NotFound`] for the collection or an asset that is not in it, [`DbError::Denied`];
    /// [`DbError::Refused`] where nothing can be moved by hand.
    pub async fn move_member(
        &self,
        actor: &Actor,
        id: CollectionId,
        member: AssetId,
        before: Option<AssetId>,
    ) -> Result<Collection, DbError> {
        let collection = self.get_editable(actor, id).await?;
        let family = collection.family_id;
        for asset in std::iter::once(member).chain(before) {
            self.require_assets(actor, family, &[asset]).await?;
        }
        let mut tx = self.begin().await?;
        if !touch(&mut tx, id, clock::now_ms()).await? {
            drop(tx);
            return Err(self.explain_refusal(actor, id).await?);
        }
        find(&mut tx, id, member).await?;
        if before == Some(member) {
            return Ok(collection);
        }
        let place = match find_gap(&mut tx, id, member, before).await? {
            Some(place) => place,
            None => {
                tx.execute(RENUMBER, args![id, id]).await?;
                let place = find_gap(&mut tx, id, member, before).await?;
                place.ok_or_else(unexplained)?
            }
        };
        tx.execute(MOVE, args![id, member, place]).await?;
        let details = json!({ "collection": id, "asset": member });
        audit::add(&mut tx, family, actor, "collection.move", details).await?;
        tx.commit().await?;
        self.get_collection(actor, id).await
    }

    /// A collection in which something can be changed by hand.
    async fn get_editable(&self, actor: &Actor, id: CollectionId) -> Result<Collection, DbError> {
        let collection = self.get_collection(actor, id).await?;
        actor.require(Action::EditCollection, collection.family_id)?;
        match collection.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(collection),
        }
    }

    /// Why a change came too late.
    async fn explain_refusal(&self, actor: &Actor, id: CollectionId) -> Result<DbError, DbError> {
        let collection = self.get_collection(actor, id).await?;
        Ok(collection.refusal().unwrap_or_else(unexplained))
    }
}

/// Puts assets at the end of a collection within the transaction that holds it, and into the index; gives
/// how many were not in it.
pub(super) async fn add(
    tx: &mut Tx,
    id: CollectionId,
    assets: &[AssetId],
    now_ms: i64,
) -> Result<usize, DbError> {
    let mut known = list_held(tx, id, assets.to_vec()).await?;
    let new: Vec<AssetId> = assets
        .iter()
        .copied()
        .filter(|it| known.insert(*it))
        .collect();
    if new.is_empty() {
        return Ok(0);
    }
    let held = asset::in_order(new.clone());
    asset::lock(tx, &held).await?;
    let row = tx.fetch_optional(LAST, args![id]).await?;
    let last: Option<i64> = row.map_or(Ok(None), |row| row.get(0))?;
    let mut position = last.unwrap_or(0);
    let rows = new.iter().map(|asset| {
        position += GAP;
        args![id, *asset, position, now_ms]
    });
    let rows = rows.collect();
    tx.execute_rows(ADD, 4, rows).await?;
    asset::refresh_many(tx, &held).await?;
    Ok(new.len())
}

/// Those of these assets that are in a collection.
async fn list_held(
    tx: &mut Tx,
    id: CollectionId,
    assets: Vec<AssetId>,
) -> Result<HashSet<AssetId>, DbError> {
    let list = assets.into_iter().map(Value::from).collect();
    let rows = tx.fetch_list(LIST_HELD, args![id], list).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The position of what is in a collection.
async fn find(tx: &mut Tx, id: CollectionId, member: AssetId) -> Result<i64, DbError> {
    let row = tx.fetch_optional(FIND, args![id, member]).await?;
    row.ok_or_else(|| DbError::not_found("asset in this collection", member))?
        .get(0)
}

/// A position right before `before`, or behind all others, if there is one left.
async fn find_gap(
    tx: &mut Tx,
    id: CollectionId,
    member: AssetId,
    before: Option<AssetId>,
) -> Result<Option<i64>, DbError> {
    let Some(next) = before else {
        let row = tx.fetch_optional(FIND_LAST, args![id, member]).await?;
        let last: Option<i64> = row.map_or(Ok(None), |row| row.get(0))?;
        return Ok(last.unwrap_or(0).checked_add(GAP));
    };
    let end = find(tx, id, next).await?;
    let row = tx.fetch_optional(FIND_BEFORE, args![id, end, next, member]);
    let Some(row) = row.await? else {
        return Ok(end.checked_sub(GAP));
    };
    let begin: i64 = row.get(0)?;
    let middle = begin + (end - begin) / 2;
    Ok((middle > begin).then_some(middle))
}
