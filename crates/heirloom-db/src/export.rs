//! Everything that is known of a family's assets and collections, page by page, as it leaves the library and as
//! it comes into another one.
//!
//! An asset that was brought along says where it was before: its place in this vault is nothing that anybody
//! gave it, so what leaves again is what came.

use std::collections::{BTreeMap, HashMap};

use heirloom_core::{
    Actor, AssetId, AudienceId, ClaimBatchId, ClaimId, CollectionId, ContentHash, FamilyId,
    LocationId, SidecarId, StackId, audience::AudienceKind, claim::Claim, path, permission::Action,
};

use crate::{
    Db, DbError,
    artifact::{self, Artifact},
    asset::{self, Asset, columns},
    claim,
    collection::{self, Collection},
    row::Row,
    sql::statements,
    stack::StackKind,
    value::{Value, args},
};

/// An asset with everything that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The asset.
    pub asset: Asset,
    /// Where it is and was, the oldest place first.
    pub places: Vec<Place>,
    /// The sidecars that describe it.
    pub sidecars: Vec<WholeSidecar>,
    /// What tools read of it, without what can be drawn again.
    pub artifacts: Vec<Artifact>,
    /// All that was ever said of it, the oldest first.
    pub claims: Vec<WholeClaim>,
}

/// A place of an asset, in the words of the library that it is or was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: LocationId,
    /// The archive's name.
    pub archive: String,
    /// Whether that is a vault.
    pub is_vault: bool,
    /// Path text below the archive's root.
    pub path: String,
    /// How long the file is.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When it was found there.
    pub found_at_ms: i64,
    /// When its bytes were found to be others.
    pub damaged_at_ms: Option<i64>,
    /// When it was found gone.
    pub gone_at_ms: Option<i64>,
}

/// A sidecar, in the words of the library that it is or was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeSidecar {
    /// Its id.
    pub id: SidecarId,
    /// The archive's name.
    pub archive: String,
    /// Whether that is a vault.
    pub is_vault: bool,
    /// Path text below the archive's root.
    pub path: String,
    /// What it is written in.
    pub kind: String,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// How long it is.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When it was found.
    pub found_at_ms: i64,
    /// The folder that its archive is, as path text; `None` where its bytes are a blob.
    pub root: Option<String>,
}

/// A claim with how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeClaim {
    /// The claim.
    pub claim: Claim,
    /// The claim as it was first made, about an asset that was replaced.
    pub carried_from: Option<ClaimId>,
    /// The statements that it was made with.
    pub batch: Option<ClaimBatchId>,
}

/// An audience as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Its id.
    pub id: AudienceId,
    /// The whole family, or some of it.
    pub kind: AudienceKind,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created_at_ms: i64,
}

/// A stack with what it has in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeStack {
    /// Its id.
    pub id: StackId,
    /// What ties it together.
    pub kind: StackKind,
    /// What its files have in common.
    pub name: String,
    /// Its assets, the cover first.
    pub members: Vec<AssetId>,
}

statements! {
    LIST = concat!("SELECT ", columns!(), " FROM asset a
        WHERE /*lite + */a.family_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3");
    SUM = "SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM asset
        WHERE family_id = $1 AND state = 'present'";
    // What an import placed in the vault is left out: it says where it was before.
    LIST_PLACES = "SELECT l.asset_id, l.id, r.name, r.kind, f.path, l.name, l.size_bytes, l.modified_at_ns,
          l.found_at_ms, l.damaged_at_ms, l.gone_at_ms
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        WHERE l.asset_id IN ({list}) AND NOT EXISTS
          (SELECT 1 FROM asset_origin o WHERE o.asset_id = l.asset_id AND o.location_id = l.id)";
    LIST_ORIGINS = "SELECT asset_id, id, archive, archive_kind, path, size_bytes, modified_at_ns, found_at_ms,
          damaged_at_ms, gone_at_ms
        FROM asset_origin WHERE asset_id IN ({list})";
    LIST_SIDECARS = "SELECT k.asset_id, s.id, r.name, r.kind, r.root, f.path, s.name, s.kind, s.content_hash,
          s.size_bytes, s.modified_at_ns, s.found_at_ms, o.archive, o.archive_kind, o.path
        FROM asset_sidecar k JOIN sidecar s ON s.id = k.sidecar_id JOIN folder f ON f.id = s.folder_id
        JOIN archive r ON r.id = f.archive_id LEFT JOIN sidecar_origin o ON o.sidecar_id = s.id
        WHERE s.gone_at_ms IS NULL AND k.asset_id IN ({list})";
    LIST_HOW = "SELECT subject_id, id, carried_from_id, batch_id FROM claim
        WHERE (carried_from_id IS NOT NULL OR batch_id IS NOT NULL) AND subject_id IN ({list})";
    LIST_AUDIENCES = "SELECT id, kind, name, created_at_ms FROM audience WHERE family_id = $1 ORDER BY id";
    LIST_STACKS = "SELECT id, kind, name FROM stack WHERE family_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    LIST_STACK_MEMBERS = "SELECT stack_id, asset_id FROM stack_member
        WHERE stack_id IN ({list}) ORDER BY stack_id, position, asset_id";
    LIST_MEMBERS = "SELECT m.asset_id, m.added_at_ms, m.position FROM collection_member m
        WHERE m.collection_id = $1 AND (m.position, m.asset_id) > ($2, $3)
        ORDER BY m.position, m.asset_id LIMIT $4";
}

impl Db {
    /// The assets of a family that the actor may see, hidden and replaced ones included, in the order of their
    /// ids from after `after`, at most `limit`. The id to go on from is the second; `None` at the end.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_every_asset(
        &self,
        actor: &Actor,
        family: FamilyId,
        after: Option<AssetId>,
        limit: usize,
    ) -> Result<(Vec<Asset>, Option<AssetId>), DbError> {
        actor.require(Action::ViewAsset, family)?;
        let sight = actor.sight(family);
        let after = after.map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut assets = Vec::new();
        for row in self.fetch(LIST, args![family, after, most]).await? {
            assets.push(asset::read(&row)?);
        }
        let next = assets
            .last()
            .filter(|_| assets.len() == limit)
            .map(|it| it.id);
        assets.retain(|asset| sight.includes(asset.audience_id));
        Ok((assets, next))
    }

    /// How many originals of a family are at a place, and how many bytes they are.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn sum_originals(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<(u64, u64), DbError> {
        actor.require(Action::ViewAsset, family)?;
        let row = self.fetch_optional(SUM, args![family]).await?;
        row.map_or(Ok((0, 0)), |row| {
            Ok((
                row.get::<i64>(0)?.unsigned_abs(),
                row.get::<i64>(1)?.unsigned_abs(),
            ))
        })
    }

    /// Everything that is known of some assets that were fetched for whoever asks, in their order.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn load_whole(&self, assets: Vec<Asset>) -> Result<Vec<Whole>, DbError> {
        let list: Vec<Value> = assets.iter().map(|asset| Value::from(asset.id)).collect();
        let ids: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
        let mut places = self.list_whole_places(&list).await?;
        let mut sidecars: HashMap<AssetId, Vec<WholeSidecar>> = HashMap::new();
        for row in self
            .fetch_list(LIST_SIDECARS, args![], list.clone())
            .await?
        {
            sidecars
                .entry(row.get(0)?)
                .or_default()
                .push(read_sidecar(&row)?);
        }
        let mut artifacts = self.list_read_artifacts(&ids).await?;
        let mut claims = self.list_whole_claims(&ids).await?;
        let whole = assets.into_iter().map(|asset| {
            let id = asset.id;
            let mut sidecars = sidecars.remove(&id).unwrap_or_default();
            sidecars.sort_by_key(|sidecar| sidecar.id);
            sidecars.dedup_by_key(|sidecar| sidecar.id);
            Whole {
                places: places.remove(&id).unwrap_or_default(),
                sidecars,
                artifacts: artifacts.remove(&id).unwrap_or_default(),
                claims: claims.remove(&id).unwrap_or_default(),
                asset,
            }
        });
        Ok(whole.collect())
    }

    async fn list_whole_places(
        &self,
        list: &[Value],
    ) -> Result<HashMap<AssetId, Vec<Place>>, DbError> {
        let mut places: HashMap<AssetId, BTreeMap<LocationId, Place>> = HashMap::new();
        let mut add = |asset, place: Place| {
            let places: &mut BTreeMap<_, _> = places.entry(asset).or_default();
            places.insert(place.id, place);
        };
        for row in self.fetch_list(LIST_PLACES, args![], list.to_vec()).await? {
            let (folder, name): (String, String) = (row.get(4)?, row.get(5)?);
            let place = Place {
                id: row.get(1)?,
                archive: row.get(2)?,
                is_vault: is_vault(&row, 3)?,
                path: path::join(&folder, &name),
                size_bytes: row.get(6)?,
                modified_at_ns: row.get(7)?,
                found_at_ms: row.get(8)?,
                damaged_at_ms: row.get(9)?,
                gone_at_ms: row.get(10)?,
            };
            add(row.get(0)?, place);
        }
        for row in self
            .fetch_list(LIST_ORIGINS, args![], list.to_vec())
            .await?
        {
            let place = Place {
                id: row.get(1)?,
                archive: row.get(2)?,
                is_vault: is_vault(&row, 3)?,
                path: row.get(4)?,
                size_bytes: row.get(5)?,
                modified_at_ns: row.get(6)?,
                found_at_ms: row.get(7)?,
                damaged_at_ms: row.get(8)?,
                gone_at_ms: row.get(9)?,
            };
            add(row.get(0)?, place);
        }
        let places = places.into_iter();
        Ok(places
            .map(|(asset, places)| (asset, places.into_values().collect()))
            .collect())
    }

    async fn list_read_artifacts(
        &self,
        assets: &[AssetId],
    ) -> Result<HashMap<AssetId, Vec<Artifact>>, DbError> {
        let mut artifacts: HashMap<AssetId, Vec<Artifact>> = HashMap::new();
        for artifact in artifact::list_read(self, assets).await? {
            artifacts
                .entry(artifact.asset_id)
                .or_default()
                .push(artifact);
        }
        for artifacts in artifacts.values_mut() {
            artifacts.sort_by_key(|artifact| artifact.id);
            artifacts.dedup_by_key(|artifact| artifact.id);
        }
        Ok(artifacts)
    }

    async fn list_whole_claims(
        &self,
        assets: &[AssetId],
    ) -> Result<HashMap<AssetId, Vec<WholeClaim>>, DbError> {
        let list: Vec<Value> = assets.iter().map(|id| Value::from(*id)).collect();
        let mut how: HashMap<(AssetId, ClaimId), (Option<ClaimId>, Option<ClaimBatchId>)> =
            HashMap::new();
        for row in self.fetch_list(LIST_HOW, args![], list).await? {
            how.insert((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?));
        }
        let mut whole = HashMap::new();
        for (asset, claims) in claim::list_all(self, assets).await? {
            let mut claims: Vec<WholeClaim> = claims
                .into_iter()
                .map(|claim| {
                    let how = how.get(&(asset, claim.id)).copied();
                    let (carried_from, batch) = how.unwrap_or_default();
                    WholeClaim {
                        claim,
                        carried_from,
                        batch,
                    }
                })
                .collect();
            claims.sort_by_key(|claim| claim.claim.id);
            claims.dedup_by_key(|claim| claim.claim.id);
            whole.insert(asset, claims);
        }
        Ok(whole)
    }

    /// The audiences of a family that the actor belongs to.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_audiences_of(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Vec<Audience>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let sight = actor.sight(family);
        let mut audiences = Vec::new();
        for row in self.fetch(LIST_AUDIENCES, args![family]).await? {
            audiences.push(Audience {
                id: row.get(0)?,
                kind: row.word(1, "an audience kind", kind_of)?,
                name: row.get(2)?,
                created_at_ms: row.get(3)?,
            });
        }
        audiences.retain(|audience| sight.includes(audience.id));
        Ok(audiences)
    }

    /// The stacks of a family in the order of their ids, from after `after`. Which of their assets somebody may
    /// see is the caller's to know.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_every_stack(
        &self,
        family: FamilyId,
        after: Option<StackId>,
        limit: usize,
    ) -> Result<Vec<WholeStack>, DbError> {
        let after = after.map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut stacks = Vec::new();
        for row in self.fetch(LIST_STACKS, args![family, after, most]).await? {
            stacks.push(WholeStack {
                id: row.get(0)?,
                kind: row.word(1, "a stack kind", StackKind::from_word)?,
                name: row.get(2)?,
                members: Vec::new(),
            });
        }
        let list = stacks.iter().map(|stack| Value::from(stack.id)).collect();
        let mut members: HashMap<StackId, Vec<AssetId>> = HashMap::new();
        for row in self.fetch_list(LIST_STACK_MEMBERS, args![], list).await? {
            let members: &mut Vec<AssetId> = members.entry(row.get(0)?).or_default();
            let asset = row.get(1)?;
            if !members.contains(&asset) {
                members.push(asset);
            }
        }
        for stack in &mut stacks {
            stack.members = members.remove(&stack.id).unwrap_or_default();
        }
        Ok(stacks)
    }

    /// What was put into a collection that was fetched for whoever asks, in its order, from after `after`: each
    /// asset with when it was put in and its position. Which of them somebody may see is the caller's to know.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_every_member(
        &self,
        collection: CollectionId,
        after: Option<(i64, AssetId)>,
        limit: usize,
    ) -> Result<Vec<(AssetId, i64, i64)>, DbError> {
        let (position, asset) = after.map_or_else(
            || (i64::MIN, vec![0; 16]),
            |(position, asset)| (position, asset.as_bytes().to_vec()),
        );
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST_MEMBERS, args![collection, position, asset, most]);
        let rows = rows.await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .collect()
    }

    /// The collections of a family that the actor may see, deleted ones included, in the order of their ids from
    /// after `after`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_every_collection(
        &self,
        actor: &Actor,
        family: FamilyId,
        after: Option<CollectionId>,
        limit: usize,
    ) -> Result<(Vec<Collection>, Option<CollectionId>), DbError> {
        actor.require(Action::ViewAsset, family)?;
        let sight = actor.sight(family);
        let mut items = collection::list_every(self, family, after, limit).await?;
        let next = items
            .last()
            .filter(|_| items.len() == limit)
            .map(|it| it.id);
        items.retain(|item| sight.includes(item.audience_id));
        Ok((items, next))
    }
}

fn kind_of(word: &str) -> Option<AudienceKind> {
    [AudienceKind::Family, AudienceKind::Members]
        .into_iter()
        .find(|kind| kind.as_str() == word)
}

fn is_vault(row: &Row, column: usize) -> Result<bool, DbError> {
    Ok(row.get::<String>(column)? == "vault")
}

fn read_sidecar(row: &Row) -> Result<WholeSidecar, DbError> {
    let (folder, name): (String, String) = (row.get(5)?, row.get(6)?);
    let mut sidecar = WholeSidecar {
        id: row.get(1)?,
        archive: row.get(2)?,
        is_vault: is_vault(row, 3)?,
        path: path::join(&folder, &name),
        kind: row.get(7)?,
        content_hash: row.get(8)?,
        size_bytes: row.get(9)?,
        modified_at_ns: row.get(10)?,
        found_at_ms: row.get(11)?,
        root: row.get(4)?,
    };
    if let Some(archive) = row.get::<Option<String>>(12)? {
        sidecar.archive = archive;
        sidecar.is_vault = row.get::<Option<String>>(13)?.as_deref() == Some("vault");
        sidecar.path = row.get::<Option<String>>(14)?.unwrap_or_default();
        sidecar.root = None;
    }
    Ok(sidecar)
}

impl WholeSidecar {
    /// The folder's path and the file's name, both path text.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.path.rsplit_once('/').unwrap_or(("", &self.path))
    }
}
