//! What stands around assets that came from another library: audiences, stacks, collections, and which asset
//! took the place of which.

use std::collections::HashSet;

use heirloom_core::{
    Actor, AssetId, AudienceId, CollectionId, FamilyId, StackId, audience::AudienceKind,
    permission::Action,
};
use serde_json::json;

use super::folder::get_or_create_folder;
use crate::{
    Db, DbError, Tx,
    archive::Archive,
    asset, audit, clock,
    collection::{Collection, GAP},
    export::Audience,
    sql::statements,
    stack::StackKind,
    value::{Value, args},
};

/// A collection as it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeCollection {
    /// The collection. Its family is not looked at; its audience is one of here.
    pub collection: Collection,
    /// What was put into it, in its order, each with when that was. Assets that are not here are left out.
    pub members: Vec<(AssetId, i64)>,
}

/// A stack as it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStack {
    /// Its id there.
    pub id: StackId,
    /// What ties it together.
    pub kind: StackKind,
    /// What its files have in common.
    pub name: String,
    /// Its assets here, the cover first.
    pub members: Vec<AssetId>,
}

statements! {
    FIND_AUDIENCE = "SELECT family_id FROM audience WHERE id = $1";
    ADD_AUDIENCE = "INSERT INTO audience (id, family_id, kind, name, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
    FIND_COLLECTION = "SELECT family_id FROM collection WHERE id = $1";
    IS_NAMED = "SELECT 1 FROM collection WHERE audience_id = $1 AND name = $2 AND deleted_at_ms IS NULL";
    ADD_COLLECTION = "INSERT INTO collection (id, family_id, audience_id, name, description, query, frozen_at_ms,
          created_at_ms, updated_at_ms, deleted_at_ms, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)";
    ADD_MEMBERS = "INSERT INTO collection_member (collection_id, asset_id, position, added_at_ms) VALUES {rows}";
    LIST_THERE = "SELECT id FROM asset WHERE family_id = $1 AND id IN ({list})";
    FIND_STACK = "SELECT family_id FROM stack WHERE id = $1";
    LIST_STACKED = "SELECT m.asset_id FROM stack_member m JOIN stack s ON s.id = m.stack_id
        WHERE s.kind = $1 AND m.asset_id IN ({list})";
    FIND_FOLDER_OF = "SELECT folder_id FROM asset_location WHERE asset_id = $1 ORDER BY gone_at_ms IS NOT NULL, id LIMIT 1";
    IS_STACK_NAMED = "SELECT 1 FROM stack WHERE folder_id = $1 AND kind = $2 AND name = $3";
    ADD_STACK = "INSERT INTO stack (id, family_id, folder_id, kind, name, cover_asset_id) VALUES ($1, $2, $3, $4, $5, $6)";
    ADD_STACK_MEMBERS = "INSERT INTO stack_member (stack_id, asset_id, position) VALUES {rows}";
    SET_REPLACES = "UPDATE asset SET replaces_asset_id = $2
        WHERE id = $1 AND replaces_asset_id IS NULL AND EXISTS (SELECT 1 FROM asset o WHERE o.id = $3)";
}

impl Db {
    /// The audience here that is one of another library: that library's whole family is this one's, and one of
    /// named members is made as it was unless it is here.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn import_audience(
        &self,
        actor: &Actor,
        family: FamilyId,
        audience: &Audience,
    ) -> Result<AudienceId, DbError> {
        actor.require(Action::ManageAudience, family)?;
        let own = self.list_audiences_of(actor, family).await?;
        if audience.kind == AudienceKind::Family {
            let whole = own.iter().find(|own| own.kind == AudienceKind::Family);
            return whole
                .map(|own| own.id)
                .ok_or_else(|| DbError::not_found("audience", audience.id));
        }
        if own.iter().any(|own| own.id == audience.id) {
            return Ok(audience.id);
        }
        let mut tx = self.begin().await?;
        let row = tx.fetch_optional(FIND_AUDIENCE, args![audience.id]).await?;
        let id = match row {
            None => audience.id,
            Some(row) => own_id(row.get(0)?, family, audience.id.uuid()).into(),
        };
        if own.iter().any(|own| own.id == id) {
            return Ok(id);
        }
        let kind = audience.kind.as_str();
        let values = args![id, family, kind, &audience.name, audience.created_at_ms];
        tx.execute(ADD_AUDIENCE, values).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Brings a collection in with what is in it, all of it or nothing. One that is here stays as it is: then
    /// nothing is done, and `false` given. Where its name is taken it has a number behind it.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn import_collection(
        &self,
        actor: &Actor,
        family: FamilyId,
        whole: &WholeCollection,
    ) -> Result<bool, DbError> {
        actor.require(Action::EditCollection, family)?;
        let collection = &whole.collection;
        let mut tx = self.begin().await?;
        let mut id = collection.id;
        if let Some(row) = tx.fetch_optional(FIND_COLLECTION, args![id]).await? {
            let other: FamilyId = row.get(0)?;
            if other == family {
                return Ok(false);
            }
            id = CollectionId::from_uuid(own_id(other, family, id.uuid()));
            if tx
                .fetch_optional(FIND_COLLECTION, args![id])
                .await?
                .is_some()
            {
                return Ok(false);
            }
        }
        let name = free_name(&mut tx, collection).await?;
        let values = args![
            id,
            family,
            collection.audience_id,
            &name,
            &collection.description,
            collection.query.clone(),
            collection.frozen_at_ms,
            collection.created_at_ms,
            collection.updated_at_ms,
            collection.deleted_at_ms,
        ];
        tx.execute(ADD_COLLECTION, values).await?;
        let list = whole.members.iter().map(|(id, _)| Value::from(*id));
        let mut there: HashSet<AssetId> = HashSet::new();
        for row in tx
            .fetch_list(LIST_THERE, args![family], list.collect())
            .await?
        {
            there.insert(row.get(0)?);
        }
        let mut members = Vec::new();
        let mut position = 0_i64;
        let mut rows = Vec::new();
        for (asset, added_at_ms) in &whole.members {
            if there.remove(asset) {
                position += GAP;
                rows.push(args![id, *asset, position, *added_at_ms]);
                members.push(*asset);
            }
        }
        let members = asset::in_order(members);
        asset::lock(&mut tx, &members).await?;
        tx.execute_rows(ADD_MEMBERS, 4, rows).await?;
        asset::refresh_many(&mut tx, &members).await?;
        let details = json!({ "collection": id, "name": name, "assets": members.len() });
        audit::add(&mut tx, family, actor, "collection.import", details).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Brings stacks in, unless they, or others of the same assets, are here. Gives how many are new.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn import_stacks(
        &self,
        actor: &Actor,
        vault: &Archive,
        stacks: &[NewStack],
    ) -> Result<u64, DbError> {
        actor.require_operator(Action::ManageArchive)?;
        let family = vault.family_id;
        let mut tx = self.begin().await?;
        let mut new = 0;
        for stack in stacks {
            let Some(cover) = stack.members.first().copied() else {
                continue;
            };
            let kind = stack.kind.as_str();
            let list: Vec<Value> = stack.members.iter().map(|id| Value::from(*id)).collect();
            let stacked = tx.fetch_list(LIST_STACKED, args![kind], list).await?;
            if !stacked.is_empty() {
                continue;
            }
            let known = tx.fetch_optional(FIND_STACK, args![stack.id]).await?;
            let id = known.map_or(stack.id, |_| clock::new_id());
            let folder = match tx.fetch_optional(FIND_FOLDER_OF, args![cover]).await? {
                Some(row) => row.get(0)?,
                None => get_or_create_folder(&mut tx, vault.id, "", clock::now_ms()).await?,
            };
            let mut name = stack.name.clone();
            let mut number = 1;
            while tx
                .fetch_optional(IS_STACK_NAMED, args![folder, kind, &name])
                .await?
                .is_some()
            {
                number += 1;
                name = format!("{} ({number})", stack.name);
            }
            tx.execute(ADD_STACK, args![id, family, folder, kind, name, cover])
                .await?;
            let members = stack.members.iter().enumerate().map(|(position, asset)| {
                args![id, *asset, i64::try_from(position).unwrap_or(i64::MAX)]
            });
            tx.execute_rows(ADD_STACK_MEMBERS, 3, members.collect())
                .await?;
            new += 1;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Says of assets which others they took the place of, where nothing is known of that yet.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn import_replacements(
        &self,
        actor: &Actor,
        pairs: &[(AssetId, AssetId)],
    ) -> Result<(), DbError> {
        actor.require_operator(Action::ManageArchive)?;
        let mut tx = self.begin().await?;
        for (asset, replaced) in pairs {
            tx.execute(SET_REPLACES, args![*asset, *replaced, *replaced])
                .await?;
        }
        tx.commit().await
    }
}

/// An id of this family's own for something whose id another family of this catalogue has: always the same one.
fn own_id(other: FamilyId, family: FamilyId, id: uuid::Uuid) -> uuid::Uuid {
    if other == family {
        return id;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(family.as_bytes());
    hasher.update(id.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What a collection can be called here.
async fn free_name(tx: &mut Tx, collection: &Collection) -> Result<String, DbError> {
    let mut name = collection.name.clone();
    let mut number = 1;
    while collection.deleted_at_ms.is_none()
        && tx
            .fetch_optional(IS_NAMED, args![collection.audience_id, &name])
            .await?
            .is_some()
    {
        number += 1;
        name = format!("{} ({number})", collection.name);
    }
    Ok(name)
}
