//! Collections: albums that people put together, and searches that are asked anew each time.
//!
//! A static collection has members in an order. A dynamic one has a query, and what that finds is in it.
//! A frozen one stays as it is: of a dynamic one that is what it found at that time, and its query stays
//! beside it to say where it came from.
//!
//! Who may not see a collection does not learn that there is one. Who may see it sees of what is in it what
//! they may see anyway, and it is counted for them alone.

mod member;

use heirloom_core::{
    Actor, AssetId, AudienceId, CollectionId, FamilyId, permission::Action, query::Query,
};
use serde_json::json;

pub(crate) use member::{GAP, STATEMENTS as MEMBER_STATEMENTS};
pub use member::{MemberCursor, MemberPage, Summary};

use crate::{
    Db, DbError, Tx, audit, clock,
    once::{self, Once},
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// A collection as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Whose it is.
    pub family_id: FamilyId,
    /// Who may see that it is there.
    pub audience_id: AudienceId,
    /// What it is called.
    pub name: String,
    /// What it is about, in somebody's words.
    pub description: String,
    /// The query of a dynamic one, or of one that was dynamic until it was frozen.
    pub query: Option<String>,
    /// Since when it stays as it is.
    pub frozen_at_ms: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it, or what is in it, was changed last.
    pub updated_at_ms: i64,
    /// When it was deleted.
    pub deleted_at_ms: Option<i64>,
    /// Rises with every change.
    pub version: i64,
}

/// A collection on its way into the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCollection {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// What it asks, if it is to be dynamic.
    pub query: Option<Query>,
    /// Who is to see it.
    pub audience_id: AudienceId,
    /// What is in it from the beginning, in this order; nothing for a dynamic one.
    pub assets: Vec<AssetId>,
}

/// What is to be another of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionPatch {
    /// What it is called.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// What a dynamic one asks.
    pub query: Option<Query>,
}

/// Some collections, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionPage {
    /// The collections.
    pub items: Vec<Collection>,
    /// The one after which the next page begins, unless this was the last.
    pub next: Option<CollectionId>,
}

/// What is found is kept in one transaction when a search is frozen, and others wait meanwhile.
const MOST_FROZEN: usize = 20_000;

macro_rules! columns {
    () => {
        "c.id, c.family_id, c.audience_id, c.name, c.description, c.query, c.frozen_at_ms, c.created_at_ms, \
         c.updated_at_ms, c.deleted_at_ms, c.version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM collection c WHERE c.id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM collection c
        WHERE c.family_id = $1 AND c.id < $2 AND (c.deleted_at_ms IS NOT NULL) = $3
          AND c.audience_id IN ({list}) ORDER BY c.id DESC LIMIT $4");
    LIST_EVERY = concat!("SELECT ", columns!(), " FROM collection c
        WHERE c.family_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3");
    LIST_OF_ASSET = concat!("SELECT ", columns!(), " FROM collection_member m
        JOIN collection c ON c.id = m.collection_id
        WHERE m.asset_id = $1 AND c.deleted_at_ms IS NULL AND c.audience_id IN ({list})
        ORDER BY c.id DESC LIMIT $2");
    ADD = "INSERT INTO collection (id, family_id, audience_id, name, description, query, created_at_ms,
          updated_at_ms, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)";
    UPDATE = "UPDATE collection SET name = $3, description = $4, query = $5, updated_at_ms = $6,
          version = version + 1
        WHERE id = $1 AND version = $2";
    SET_DELETED = "UPDATE collection SET deleted_at_ms = $3, updated_at_ms = $4, version = version + 1
        WHERE id = $1 AND version = $2";
    FREEZE = "UPDATE collection SET frozen_at_ms = $3, updated_at_ms = $4, version = version + 1
        WHERE id = $1 AND version = $2";
    // Who is first here changes what is in it first: the others wait.
    TOUCH = "UPDATE collection SET updated_at_ms = $2, version = version + 1
        WHERE id = $1 AND query IS NULL AND frozen_at_ms IS NULL AND deleted_at_ms IS NULL";
}

impl Collection {
    /// Whether it asks its query anew each time.
    #[must_use]
    pub const fn is_dynamic(&self) -> bool {
        self.query.is_some() && self.frozen_at_ms.is_none()
    }

    /// Why nothing in it can be changed by hand, if nothing can.
    fn refusal(&self) -> Option<DbError> {
        let name = &self.name;
        let why = if self.deleted_at_ms.is_some() {
            format!("{name:?} was deleted: bring it back first")
        } else if self.frozen_at_ms.is_some() {
            format!("{name:?} is frozen: it stays as it is")
        } else if self.is_dynamic() {
            format!("{name:?} is a saved search: what it finds is in it, and nothing else can be")
        } else {
            return None;
        };
        Some(DbError::Refused(why))
    }
}

impl Db {
    /// The collections that the actor may see, or (`is_deleted`) those that were deleted, the newest
    /// first, from after `after`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_collections(
        &self,
        actor: &Actor,
        family: FamilyId,
        is_deleted: bool,
        after: Option<CollectionId>,
        limit: usize,
    ) -> Result<CollectionPage, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let list = audiences.into_iter().map(Value::from).collect();
        let after = after.map_or_else(|| vec![0xff; 16], |id| id.as_bytes().to_vec());
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let fixed = args![family, after, is_deleted, most];
        let mut items: Vec<Collection> = Vec::new();
        for row in self.fetch_list(LIST, fixed, list).await? {
            items.push(read(&row)?);
        }
        items.sort_unstable_by_key(|item| std::cmp::Reverse(item.id));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|item| item.id);
        Ok(CollectionPage { items, next })
    }

    /// The collections in which an asset has a place, as far as the actor may see them, the newest
    /// first, at most so many. Whether a saved search finds it is not looked up.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see the asset.
    pub async fn list_collections_of(
        &self,
        actor: &Actor,
        id: AssetId,
        most: usize,
    ) -> Result<Vec<Collection>, DbError> {
        let family = self.get_asset(actor, id).await?.family_id;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let list = audiences.into_iter().map(Value::from).collect();
        let fixed = args![id, i64::try_from(most).unwrap_or(i64::MAX)];
        let mut items: Vec<Collection> = Vec::new();
        for row in self.fetch_list(LIST_OF_ASSET, fixed, list).await? {
            items.push(read(&row)?);
        }
        items.sort_unstable_by_key(|item| std::cmp::Reverse(item.id));
        items.truncate(most);
        Ok(items)
    }

    /// One collection, also one that was deleted.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see it.
    pub async fn get_collection(
        &self,
        actor: &Actor,
        id: CollectionId,
    ) -> Result<Collection, DbError> {
        let row = self.fetch_optional(GET, args![id]).await?;
        let collection = row.as_ref().map(read).transpose()?;
        collection
            .filter(|it| {
                actor.require(Action::ViewAsset, it.family_id).is_ok()
                    && actor.sight(it.family_id).includes(it.audience_id)
            })
            .ok_or_else(|| DbError::not_found("collection", id))
    }

    /// Makes a collection, unless one was made with the same key before: then that one is given.
    ///
    /// # Errors
    /// [`DbError::Denied`]; [`DbError::NotFound`] for an audience, an asset or what a query names, where
    /// the actor may not see it; [`DbError::Refused`] when the name is taken or the query cannot be
    /// asked; [`DbError::KeyReused`].
    pub async fn create_collection_once(
        &self,
        actor: &Actor,
        family: FamilyId,
        new: NewCollection,
        once: Option<&Once>,
    ) -> Result<Collection, DbError> {
        actor.require(Action::EditCollection, family)?;
        if !actor.sight(family).includes(new.audience_id) {
            return Err(DbError::not_found("audience", new.audience_id));
        }
        if let Some(made) = self.find_collection_once(actor, family, once).await? {
            return Ok(made);
        }
        if let Some(query) = &new.query {
            self.check_saved(actor, family, query).await?;
            if !new.assets.is_empty() {
                return Err(DbError::Refused(
                    "a saved search has in it what it finds, and nothing else".to_owned(),
                ));
            }
        }
        let members = self.require_assets(actor, family, &new.assets).await?;
        let (id, now_ms): (CollectionId, i64) = (clock::new_id(), clock::now_ms());
        let mut tx = self.begin().await?;
        let remembered = once::remember(&mut tx, family, once, id.uuid()).await;
        if let Err(error) = remembered {
            drop(tx);
            // Somebody was quicker with the same key.
            let made = self.find_collection_once(actor, family, once).await?;
            return made.filter(|_| error.is_duplicate()).ok_or(error);
        }
        let query = new.query.as_ref().map(ToString::to_string);
        let values = args![
            id,
            family,
            new.audience_id,
            &new.name,
            &new.description,
            query,
            now_ms,
            now_ms
        ];
        tx.execute(ADD, values)
            .await
            .map_err(|error| name_taken(error, &new.name))?;
        if !members.is_empty() {
            member::add(&mut tx, id, &new.assets, now_ms).await?;
        }
        let details = json!({ "collection": id, "name": new.name, "assets": members.len() });
        audit::add(&mut tx, family, actor, "collection.create", details).await?;
        tx.commit().await?;
        self.get_collection(actor, id).await
    }

    /// Calls a collection something else, says something else about it, or has a dynamic one ask
    /// something else.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::VersionConflict`];
    /// [`DbError::Refused`] when the name is taken, for a query that cannot be asked, and for a query of
    /// what is not dynamic.
    pub async fn update_collection(
        &self,
        actor: &Actor,
        id: CollectionId,
        version: Option<i64>,
        patch: CollectionPatch,
    ) -> Result<Collection, DbError> {
        let collection = self.get_collection(actor, id).await?;
        actor.require(Action::EditCollection, collection.family_id)?;
        if collection.deleted_at_ms.is_some() {
            return Err(collection.refusal().unwrap_or_else(unexplained));
        }
        if let Some(query) = &patch.query {
            if !collection.is_dynamic() {
                return Err(DbError::Refused(format!(
                    "{:?} is no saved search, so it asks nothing",
                    collection.name
                )));
            }
            self.check_saved(actor, collection.family_id, query).await?;
        }
        let query = patch.query.map(|query| query.to_string());
        let changed = Collection {
            name: patch.name.unwrap_or_else(|| collection.name.clone()),
            description: patch
                .description
                .unwrap_or_else(|| collection.description.clone()),
            query: query.or_else(|| collection.query.clone()),
            ..collection.clone()
        };
        let expected = version.unwrap_or(collection.version);
        if changed == collection && expected == collection.version {
            return Ok(collection);
        }
        let mut tx = self.begin().await?;
        let values = args![
            id,
            expected,
            &changed.name,
            &changed.description,
            changed.query,
            clock::now_ms()
        ];
        let updated = tx
            .execute(UPDATE, values)
            .await
            .map_err(|error| name_taken(error, &changed.name))?;
        if updated == 0 {
            drop(tx);
            return Err(self.conflict(actor, id).await?);
        }
        let details = json!({
            "collection": id, "name": changed.name, "was": collection.name,
        });
        let family = collection.family_id;
        audit::add(&mut tx, family, actor, "collection.update", details).await?;
        tx.commit().await?;
        self.get_collection(actor, id).await
    }

    /// Hides a collection, or (`is_deleted` false) brings it back. What is in it stays as it is.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::VersionConflict`];
    /// [`DbError::Refused`] when its name was taken meanwhile.
    pub async fn delete_collection(
        &self,
        actor: &Actor,
        id: CollectionId,
        version: Option<i64>,
        is_deleted: bool,
    ) -> Result<Collection, DbError> {
        let collection = self.get_collection(actor, id).await?;
        actor.require(Action::EditCollection, collection.family_id)?;
        let expected = version.unwrap_or(collection.version);
        if expected == collection.version && collection.deleted_at_ms.is_some() == is_deleted {
            return Ok(collection);
        }
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        let deleted_at_ms = is_deleted.then_some(now_ms);
        let changed = tx
            .execute(SET_DELETED, args![id, expected, deleted_at_ms, now_ms])
            .await
            .map_err(|error| name_taken(error, &collection.name))?;
        if changed == 0 {
            drop(tx);
            return Err(self.conflict(actor, id).await?);
        }
        let action = match is_deleted {
            true => "collection.delete",
            false => "collection.restore",
        };
        let details = json!({ "collection": id, "name": collection.name });
        audit::add(&mut tx, collection.family_id, actor, action, details).await?;
        tx.commit().await?;
        self.get_collection(actor, id).await
    }

    /// Makes a collection stay as it is, for good. A dynamic one has in it from then on what it finds now,
    /// for whoever freezes it, in that order.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::VersionConflict`];
    /// [`DbError::Refused`] for one that is frozen or deleted, and for a search that finds too much.
    pub async fn freeze_collection(
        &self,
        actor: &Actor,
        id: CollectionId,
        version: Option<i64>,
    ) -> Result<Collection, DbError> {
        let collection = self.get_collection(actor, id).await?;
        let family = collection.family_id;
        actor.require(Action::EditCollection, family)?;
        if !collection.is_dynamic()
            && let Some(refusal) = collection.refusal()
        {
            return Err(refusal);
        }
        let mut found = Vec::new();
        if collection.is_dynamic() {
            let query = collection.parse_query()?;
            let assets = self.find(actor, family, &query, MOST_FROZEN + 1).await?;
            if assets.len() > MOST_FROZEN {
                return Err(DbError::Refused(format!(
                    "{:?} finds more than {MOST_FROZEN}, which is more than can be frozen at once: \
                     narrow it down",
                    collection.name
                )));
            }
            found.extend(assets.into_iter().map(|asset| asset.id));
        }
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        let expected = version.unwrap_or(collection.version);
        let frozen = tx.execute(FREEZE, args![id, expected, now_ms, now_ms]);
        if frozen.await? == 0 {
            drop(tx);
            return Err(self.conflict(actor, id).await?);
        }
        if !found.is_empty() {
            member::add(&mut tx, id, &found, now_ms).await?;
        }
        let details = json!({
            "collection": id, "query": collection.query, "found": found.len(),
        });
        audit::add(&mut tx, family, actor, "collection.freeze", details).await?;
        tx.commit().await?;
        self.get_collection(actor, id).await
    }

    async fn find_collection_once(
        &self,
        actor: &Actor,
        family: FamilyId,
        once: Option<&Once>,
    ) -> Result<Option<Collection>, DbError> {
        let Some(once) = once else { return Ok(None) };
        match self.find_made_once(family, once).await? {
            Some(made) => Ok(Some(self.get_collection(actor, made.into()).await?)),
            None => Ok(None),
        }
    }

    /// What to say when a change met another version than it expected.
    async fn conflict(&self, actor: &Actor, id: CollectionId) -> Result<DbError, DbError> {
        Ok(DbError::VersionConflict {
            what: "collection",
            current: self.get_collection(actor, id).await?.version,
        })
    }
}

/// Begins a change of what is in a collection; others that change it wait. Gives `false` where nothing
/// in it can be changed by hand.
async fn touch(tx: &mut Tx, id: CollectionId, now_ms: i64) -> Result<bool, DbError> {
    Ok(tx.execute(TOUCH, args![id, now_ms]).await? > 0)
}

fn unexplained() -> DbError {
    DbError::Refused("this collection cannot be changed".to_owned())
}

fn name_taken(error: DbError, name: &str) -> DbError {
    if error.is_duplicate() {
        DbError::Refused(format!("there is already a collection called {name:?}"))
    } else {
        error
    }
}

/// The collections of a family, deleted ones included, in the order of their ids from after `after`.
pub(crate) async fn list_every(
    db: &Db,
    family: FamilyId,
    after: Option<CollectionId>,
    limit: usize,
) -> Result<Vec<Collection>, DbError> {
    let after = after.map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = db.fetch(LIST_EVERY, args![family, after, most]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Collection, DbError> {
    Ok(Collection {
        id: row.get(0)?,
        family_id: row.get(1)?,
        audience_id: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        query: row.get(5)?,
        frozen_at_ms: row.get(6)?,
        created_at_ms: row.get(7)?,
        updated_at_ms: row.get(8)?,
        deleted_at_ms: row.get(9)?,
        version: row.get(10)?,
    })
}
