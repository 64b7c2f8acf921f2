//! Full-text search: what is indexed of an asset, and how a query finds it.
//!
//! One index per engine holds the same folded words of each asset, with words for what else is known
//! of it and a word that says who may see it. So a whole query, permission included, is a condition on
//! words and a part of the timeline; nothing is sorted out after a limit.
//!
//! What is *called* so comes first: assets with each of the words in a title or in the name of a
//! person, a place or a tag. Then come those where a caption, a file name or anything else has them.
//! Both are newest first, so no page depends on how many there are, and both engines give the same
//! order. What looks like a picture comes in the order of how alike it is.

mod alike;
mod bucket;
mod coverage;
mod cursor;
pub(crate) mod document;
mod expression;
mod few;
mod hit;
mod plan;
mod saved;
mod span;
mod suggest;
mod walk;

use heirloom_core::{Actor, FamilyId, permission::Action, query::Query};

use crate::{Db, DbError, asset::Asset, sql::statements};

pub(crate) use alike::STATEMENTS as ALIKE_STATEMENTS;
pub(crate) use bucket::STATEMENTS as BUCKET_STATEMENTS;
pub use coverage::Coverage;
pub(crate) use coverage::STATEMENTS as COVERAGE_STATEMENTS;
pub use cursor::Cursor;
pub(crate) use document::{Document, Scope};
pub(crate) use few::STATEMENTS as FEW_STATEMENTS;
pub use hit::{Field, Hit, Match};
use plan::Plan;
pub(crate) use saved::STATEMENTS as SAVED_STATEMENTS;
pub(crate) use suggest::STATEMENTS as SUGGEST_STATEMENTS;
pub use suggest::Suggestion;
pub(crate) use walk::STATEMENTS as WALK_STATEMENTS;

/// Some of what a query finds, and where the next page begins.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    /// What was found: first what is called so, then the rest, both newest first and undated last.
    pub items: Vec<Hit>,
    /// Where to go on, unless this was the last page.
    pub next: Option<Cursor>,
}

statements! {
    ADD = "INSERT INTO search_index (/*lite rowid *//*pg timeline_key */, words)
        SELECT column1, column2 /*pg ::tsvector */ FROM (VALUES {rows}) AS v";
    DELETE = "DELETE FROM search_index WHERE /*lite rowid *//*pg timeline_key */ IN ({list})";
    CLEAR = "/*lite INSERT INTO search_index (search_index) VALUES ('delete-all') *//*pg DELETE FROM search_index */";
    LIST_ASSETS = "SELECT id FROM asset WHERE id > $1 ORDER BY id LIMIT $2";
}

impl Db {
    /// What a query finds among the assets that the actor may see, from after `after`, which must
    /// come from the same query. Deleted and replaced assets are found only where the query asks for
    /// them.
    ///
    /// # Errors
    /// [`DbError::Denied`]; [`DbError::NotFound`] for an archive or a collection that the query
    /// names; [`DbError::Refused`] for what cannot be searched; what the engine says.
    pub async fn search(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<SearchPage, DbError> {
        actor.require(Action::Search, family)?;
        let plan = Plan::of(self, actor, family, query).await?;
        let (assets, next) = self.find_part(&plan, after, limit.max(1)).await?;
        Ok(SearchPage {
            items: self.explain(actor, &plan.phrases, assets).await?,
            next,
        })
    }

    /// The same without why, for what is saved.
    pub(crate) async fn find_page(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Asset>, Option<Cursor>), DbError> {
        actor.require(Action::Search, family)?;
        let plan = Plan::of(self, actor, family, query).await?;
        self.find_part(&plan, after, limit).await
    }

    /// The first `most` assets that a query finds.
    pub(crate) async fn find(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
        most: usize,
    ) -> Result<Vec<Asset>, DbError> {
        let found = self.find_page(actor, family, query, None, most).await?;
        Ok(found.0)
    }

    /// Refuses a query that nobody could ask again later.
    pub(crate) async fn check_saved(
        &self,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
    ) -> Result<(), DbError> {
        if query.terms.is_empty() {
            return Err(DbError::Refused(
                "a search that asks for nothing would find everything: say what to look for"
                    .to_owned(),
            ));
        }
        Plan::of(self, actor, family, query).await.map(drop)
    }

    async fn find_part(
        &self,
        plan: &Plan,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Asset>, Option<Cursor>), DbError> {
        let after = after.unwrap_or_default();
        let mut found = match &plan.alike {
            Some(alike) => {
                let mut found = self.find_alike(plan, alike).await?;
                found.retain(|(cursor, _)| after.is_before(cursor));
                found
            }
            None => match self.find_few(plan, after, limit + 1).await? {
                Some(found) => found,
                None => self.find_many(plan, after, limit + 1).await?,
            },
        };
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().map(|(cursor, _)| *cursor);
        let assets = found.into_iter().map(|(_, asset)| asset);
        Ok((assets.collect(), next.filter(|_| has_more)))
    }

    /// The first `limit` assets after `after` that the query finds, however many there are.
    async fn find_many(
        &self,
        plan: &Plan,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Cursor, Asset)>, DbError> {
        let mut found = Vec::new();
        for (tier, wanted) in (0_u8..).zip(plan.tiers()).skip(after.tier.into()) {
            let before = if tier == after.tier {
                after.key
            } else {
                i64::MAX
            };
            let missing = limit - found.len();
            if missing == 0 {
                break;
            }
            for asset in self.walk(plan, &wanted, before, missing).await? {
                let key = asset.timeline_key;
                found.push((Cursor { tier, key }, asset));
            }
        }
        Ok(found)
    }

    /// Makes the whole index anew from the catalogue. A search meanwhile finds what is in it so far.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn rebuild_search(&self, actor: &Actor) -> Result<(), DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        tx.execute(CLEAR, Vec::new()).await?;
        tx.commit().await?;
        let mut after = vec![0; 16];
        loop {
            let rows = self
                .fetch(LIST_ASSETS, crate::value::args![after, 256_i64])
                .await?;
            let ids: Vec<heirloom_core::AssetId> = rows
                .iter()
                .map(|row| row.get(0))
                .collect::<Result<_, _>>()?;
            let Some(last) = ids.last() else {
                return Ok(());
            };
            after = last.as_bytes().to_vec();
            let mut tx = self.begin().await?;
            crate::asset::refresh(&mut tx, &ids).await?;
            tx.commit().await?;
        }
    }
}
