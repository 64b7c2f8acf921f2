//! The timeline in buckets: how many assets each has, and which.
//!
//! For everything, or everything of some kinds, a table that triggers keep has the counts, and the index
//! of listings the order. What else a query asks for is counted in the search index.

use std::{collections::BTreeMap, fmt::Write as _, ops::RangeInclusive};

use heirloom_core::{
    Actor, AssetId, AudienceId, Bucket, FamilyId, MediaKind,
    permission::Action,
    query::{Matcher, Query},
};

use super::{Asset, AssetState, listing::ARMS};
use crate::{
    Db, DbError,
    sql::statements,
    timeline,
    value::{Value, args},
};

statements! {
    COUNT = "SELECT bucket, CAST(SUM(assets) AS BIGINT) FROM timeline_bucket
        WHERE kind IN ($1, $2, $3, $4, $5) AND audience_id IN ({list}) AND assets > 0 GROUP BY bucket";
    COUNT_BETWEEN = "SELECT COUNT(*) FROM asset a WHERE a.timeline_key BETWEEN $1 AND $2
        AND a.deleted_at_ms IS NULL AND a.state <> 'replaced' AND a.audience_id IN ({list})";
}

/// Which assets of a bucket, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketPart {
    /// How many to pass over.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
    /// Whether the older buckets follow where this one ends.
    pub runs_on: bool,
}

impl Asset {
    /// The bucket of the timeline that it is in.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        timeline::bucket_of_key(self.timeline_key)
    }
}

impl Db {
    /// How many of the assets that the actor may see and the query finds are in each bucket, the
    /// newest bucket first. Buckets without any are left out.
    ///
    /// # Errors
    /// As [`Db::search`].
    pub async fn count_buckets(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
    ) -> Result<Vec<(Bucket, i64)>, DbError> {
        let counts = match kinds_of(query) {
            Some(kinds) => self.count_kinds(actor, family, &kinds).await?,
            None => {
                let everywhere = i64::MIN..=i64::MAX;
                self.count_found(actor, family, query, &everywhere).await?
            }
        };
        Ok(counts.into_iter().rev().collect())
    }

    async fn count_kinds(
        &self,
        actor: &Actor,
        family: FamilyId,
        kinds: &[MediaKind],
    ) -> Result<BTreeMap<Bucket, i64>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let mut counts = BTreeMap::new();
        let Some(first) = kinds.first() else {
            return Ok(counts);
        };
        // As many as the statement takes; a kind may be named twice.
        let kinds = kinds.iter().chain(std::iter::repeat(first));
        let kinds = kinds.take(MediaKind::ALL.len());
        let args = kinds.map(|kind| Value::from(kind.as_str())).collect();
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let list = audiences.into_iter().map(Value::from).collect();
        for row in self.fetch_list(COUNT, args, list).await? {
            let bucket = Bucket::from_number(row.get(0)?);
            *counts.entry(bucket).or_default() += row.get::<i64>(1)?;
        }
        Ok(counts)
    }

    /// The assets of a bucket that the actor may see and the query finds, newest first, and of those that
    /// follow if the part runs on.
    ///
    /// # Errors
    /// As [`Db::search`].
    pub async fn list_bucket(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        bucket: Bucket,
        part: BucketPart,
    ) -> Result<Vec<Asset>, DbError> {
        let (first, last) = timeline::keys_of_bucket(bucket).into_inner();
        let keys = if part.runs_on { i64::MIN } else { first }..=last;
        let page = (part.offset, part.limit);
        let keys = if query.terms.is_empty() {
            self.list_keys_between(actor, family, keys, page).await?
        } else {
            self.list_found(actor, family, query, &keys, page).await?
        };
        let mut assets = self.list_assets_by_key(&keys).await?;
        // Between two statements somebody may have hidden one.
        let sight = actor.sight(family);
        assets.retain(|asset| sight.includes(asset.audience_id));
        if query.terms.is_empty() {
            assets.retain(is_shown);
        }
        Ok(assets)
    }

    async fn list_keys_between(
        &self,
        actor: &Actor,
        family: FamilyId,
        keys: RangeInclusive<i64>,
        (offset, limit): (i64, i64),
    ) -> Result<Vec<i64>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let most = offset.saturating_add(limit);
        let mut found: Vec<i64> = Vec::new();
        let is_one = audiences.len() <= ARMS;
        for audiences in audiences.chunks(ARMS) {
            let skipped = if is_one { offset } else { 0 };
            let (text, args) = keys_query(audiences, &keys, most, skipped);
            for row in self.fetch_text(text.into(), args).await? {
                found.push(row.get(0)?);
            }
        }
        Ok(match is_one {
            true => found,
            false => timeline::page_of(found, (offset, limit)),
        })
    }

    /// The bucket that an asset is in and how many of it come before, among what the query finds;
    /// `None` when it does not find that asset.
    ///
    /// # Errors
    /// As [`Db::search`], and [`DbError::NotFound`] for an asset that the actor may not see.
    pub async fn find_in_timeline(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        asset: AssetId,
    ) -> Result<Option<(Bucket, i64)>, DbError> {
        let asset = self.get_asset(actor, asset).await?;
        let key = asset.timeline_key;
        let bucket = timeline::bucket_of_key(key);
        let newer = key.saturating_add(1)..=*timeline::keys_of_bucket(bucket).end();
        if !query.terms.is_empty() {
            let itself = self.count_found(actor, family, query, &(key..=key)).await?;
            if itself.is_empty() {
                return Ok(None);
            }
            let before = self.count_found(actor, family, query, &newer).await?;
            return Ok(Some((bucket, before.values().sum())));
        }
        if asset.family_id != family || !is_shown(&asset) {
            return Ok(None);
        }
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let list = audiences.into_iter().map(Value::from).collect();
        let args = args![*newer.start(), *newer.end()];
        let mut before = 0;
        for row in self.fetch_list(COUNT_BETWEEN, args, list).await? {
            before += row.get::<i64>(0)?;
        }
        Ok(Some((bucket, before)))
    }
}

const fn is_shown(asset: &Asset) -> bool {
    asset.deleted_at_ms.is_none() && !matches!(asset.state, AssetState::Replaced)
}

/// The kinds that a query finds, if it asks for nothing but kinds.
fn kinds_of(query: &Query) -> Option<Vec<MediaKind>> {
    let mut found = MediaKind::ALL.to_vec();
    for term in &query.terms {
        let Matcher::Kind(kinds) = &term.matcher else {
            return None;
        };
        found.retain(|kind| kinds.contains(kind) != term.is_negated);
    }
    Some(found)
}

/// One arm per audience, as in listings; from the index alone, so that skipping costs little.
fn keys_query(
    audiences: &[AudienceId],
    keys: &RangeInclusive<i64>,
    most: i64,
    skipped: i64,
) -> (String, Vec<Value>) {
    let mut args = args![*keys.start(), *keys.end(), most, most - skipped, skipped];
    let mut text = String::from("SELECT timeline_key FROM (");
    for (at, audience) in audiences.iter().enumerate() {
        let union = if at == 0 { "" } else { " UNION ALL " };
        let _ = write!(
            text,
            "{union}SELECT * FROM (SELECT a.timeline_key FROM asset a WHERE a.audience_id = ${} \
             AND a.deleted_at_ms IS NULL AND a.state <> 'replaced' AND a.timeline_key BETWEEN $1 AND $2 \
             ORDER BY a.timeline_key DESC LIMIT $3) AS arm{at}",
            at + 6,
        );
        args.push(Value::from(*audience));
    }
    text.push_str(") AS page ORDER BY timeline_key DESC LIMIT $4 OFFSET $5");
    (text, args)
}
