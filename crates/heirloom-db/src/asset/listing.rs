//! Pages of assets, newest first.

use std::{collections::HashMap, fmt::Write as _};

use heirloom_core::{Actor, AssetId, AudienceId, FamilyId, permission::Action};

use super::{Asset, LIST_BY_KEY, LIST_PLACES, Place, columns, read, read_places};
use crate::{
    Db, DbError,
    search::Scope,
    value::{Value, args},
};

/// Some assets, newest first, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetPage {
    /// The assets.
    pub items: Vec<Asset>,
    /// The timeline key to go on from, unless this was the last page.
    pub next: Option<i64>,
}

/// How many audiences one statement has arms for (SQLite takes 500 at the most).
pub(super) const ARMS: usize = 100;

impl Db {
    /// The assets that the actor may see, newest first, undated last, from below the timeline key
    /// `after`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_assets(
        &self,
        actor: &Actor,
        family: FamilyId,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AssetPage, DbError> {
        self.list_assets_in(actor, family, Scope::Shown, after, limit)
            .await
    }

    /// The page before: the assets right above the timeline key `before`, newest first. `next` is
    /// then the key above which still newer ones are.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_newer_assets(
        &self,
        actor: &Actor,
        family: FamilyId,
        before: i64,
        limit: usize,
    ) -> Result<AssetPage, DbError> {
        let newer = Side::Above(before);
        let mut page = self
            .list_page(actor, family, Scope::Shown, newer, limit)
            .await?;
        page.items.reverse();
        Ok(page)
    }

    /// The assets of one scope.
    pub(crate) async fn list_assets_in(
        &self,
        actor: &Actor,
        family: FamilyId,
        scope: Scope,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AssetPage, DbError> {
        let older = Side::Below(after.unwrap_or(i64::MAX));
        self.list_page(actor, family, scope, older, limit).await
    }

    /// The assets next to a key, from there on.
    async fn list_page(
        &self,
        actor: &Actor,
        family: FamilyId,
        scope: Scope,
        side: Side,
        limit: usize,
    ) -> Result<AssetPage, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let mut items = Vec::new();
        for audiences in audiences.chunks(ARMS) {
            let (text, args) = page_query(audiences, scope, side, limit + 1);
            for row in self.fetch_text(text.into(), args).await? {
                items.push(read(&row)?);
            }
        }
        items.sort_by_key(|asset: &Asset| asset.timeline_key);
        if matches!(side, Side::Below(_)) {
            items.reverse();
        }
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| has_more)
            .map(|asset| asset.timeline_key);
        Ok(AssetPage { items, next })
    }

    /// The assets with these timeline keys, in their order. Who may see them is the caller's to know.
    pub(crate) async fn list_assets_by_key(&self, keys: &[i64]) -> Result<Vec<Asset>, DbError> {
        let list = keys.iter().map(|key| Value::from(*key)).collect();
        let mut assets: HashMap<i64, Asset> = HashMap::new();
        for row in self.fetch_list(LIST_BY_KEY, args![], list).await? {
            let asset = read(&row)?;
            assets.insert(asset.timeline_key, asset);
        }
        Ok(keys.iter().filter_map(|key| assets.remove(key)).collect())
    }

    /// Where each of these assets is and was.
    pub(crate) async fn list_places_of(
        &self,
        assets: &[AssetId],
    ) -> Result<HashMap<AssetId, Vec<Place>>, DbError> {
        let list = assets.iter().map(|id| Value::from(*id)).collect();
        read_places(&self.fetch_list(LIST_PLACES, args![], list).await?)
    }
}

/// Which way a page reaches from a timeline key.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// To older assets.
    Below(i64),
    /// To newer ones.
    Above(i64),
}

/// One arm per audience, each with its own limit: with a single limit around all, PostgreSQL sorts
/// everything that anybody may see.
fn page_query(
    audiences: &[AudienceId],
    scope: Scope,
    side: Side,
    limit: usize,
) -> (String, Vec<Value>) {
    let scope = match scope {
        Scope::Shown => "a.deleted_at_ms IS NULL AND a.state <> 'replaced'",
        Scope::Replaced => "a.deleted_at_ms IS NULL AND a.state = 'replaced'",
        Scope::Deleted => "a.deleted_at_ms IS NOT NULL",
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (key, is, order) = match side {
        Side::Below(key) => (key, "<", "DESC"),
        Side::Above(key) => (key, ">", "ASC"),
    };
    let mut args = args![key, limit];
    let mut text = String::from("SELECT * FROM (");
    for (at, audience) in audiences.iter().enumerate() {
        let union = if at == 0 { "" } else { " UNION ALL " };
        let _ = write!(
            text,
            "{union}SELECT * FROM (SELECT {} FROM asset a WHERE a.audience_id = ${} AND {scope} \
             AND a.timeline_key {is} $1 ORDER BY a.timeline_key {order} LIMIT $2) AS arm{at}",
            columns!(),
            at + 3,
        );
        args.push(Value::from(*audience));
    }
    let _ = write!(text, ") AS page ORDER BY timeline_key {order} LIMIT $2");
    (text, args)
}
