//! Pages of assets, newest first.

use std::fmt::Write as _;

use heirloom_core::{Actor, AudienceId, FamilyId, permission::Action};

use super::{Asset, columns, read};
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
const ARMS: usize = 100;

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

    /// The assets of one scope.
    pub(crate) async fn list_assets_in(
        &self,
        actor: &Actor,
        family: FamilyId,
        scope: Scope,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AssetPage, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let mut items = Vec::new();
        for audiences in audiences.chunks(ARMS) {
            let (text, args) = page_query(audiences, scope, after, limit + 1);
            for row in self.fetch_text(text.into(), args).await? {
                items.push(read(&row)?);
            }
        }
        items.sort_by_key(|asset: &Asset| std::cmp::Reverse(asset.timeline_key));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| has_more)
            .map(|asset| asset.timeline_key);
        Ok(AssetPage { items, next })
    }
}

/// One arm per audience, each with its own limit: with a single limit around all, PostgreSQL sorts
/// everything that anybody may see.
fn page_query(
    audiences: &[AudienceId],
    scope: Scope,
    after: Option<i64>,
    limit: usize,
) -> (String, Vec<Value>) {
    let scope = match scope {
        Scope::Shown => "a.deleted_at_ms IS NULL AND a.state <> 'replaced'",
        Scope::Replaced => "a.deleted_at_ms IS NULL AND a.state = 'replaced'",
        Scope::Deleted => "a.deleted_at_ms IS NOT NULL",
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut args = args![after.unwrap_or(i64::MAX), limit];
    let mut text = String::from("SELECT * FROM (");
    for (at, audience) in audiences.iter().enumerate() {
        let union = if at == 0 { "" } else { " UNION ALL " };
        let _ = write!(
            text,
            "{union}SELECT * FROM (SELECT {} FROM asset a WHERE a.audience_id = ${} AND {scope} \
             AND a.timeline_key < $1 ORDER BY a.timeline_key DESC LIMIT $2) AS arm{at}",
            columns!(),
            at + 3,
        );
        args.push(Value::from(*audience));
    }
    text.push_str(") AS page ORDER BY timeline_key DESC LIMIT $2");
    (text, args)
}
