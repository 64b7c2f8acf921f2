//! What pictures look like, and which of them are alike.
//!
//! A copy of what was seen in them, kept beside it by `keep` alone and gone with it. All pictures that somebody may see
//! are compared, part by part: there is no index of them, so nothing is missed, and no more than a part is in memory.

use heirloom_core::{
    Actor, ArtifactId, AssetId, AudienceId, FamilyId, imprint::Imprint, permission::Action,
};
use serde_json::Value as Json;

use crate::{
    Db, DbError, Tx,
    asset::Asset,
    sql::{Sql, statements},
    value::{Value, args},
};

/// What was seen in a picture: the kind of artifact that says what it looks like.
pub const TAGS: &str = "tags";

/// From this likeness on pictures are alike. How it was measured is in decision 0026.
const ALIKE: f32 = 0.45;
/// The most that are told to be alike.
const MOST: usize = 5_000;
/// So many are compared at once.
const PART: i64 = 2_048;

/// The timeline key of a picture that is alike or near, and how much so.
pub(crate) type Alike = (i64, f32);

statements! {
    ADD = "INSERT INTO asset_imprint (asset_id, artifact_id, model, numbers) VALUES ($1, $2, $3, $4)";
    DELETE = "DELETE FROM asset_imprint WHERE asset_id = $1";
    FIND = "SELECT model, numbers FROM asset_imprint WHERE asset_id = $1";
    LIST_OTHERS = "SELECT l.asset_id, l.numbers, a.timeline_key FROM asset_imprint l /*lite CROSS */ JOIN asset a ON a.id = l.asset_id
        WHERE l.asset_id > $1 AND l.model = $2 AND a.family_id = $3 AND a.deleted_at_ms IS NULL
          AND a.state <> 'replaced' AND a.audience_id IN ({list})
        ORDER BY l.asset_id LIMIT $4";
}

/// Another picture that looks the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// The picture.
    pub asset: Asset,
    /// How alike they are, at most 1.
    pub likeness: f32,
}

impl Db {
    /// The pictures that look most like an asset, of those that the actor may see, the most alike first. None where no model
    /// has looked at it.
    ///
    /// # Errors
    /// [`DbError::Denied`], [`DbError::NotFound`], and what the engine says.
    pub async fn list_similar(
        &self,
        actor: &Actor,
        id: AssetId,
        limit: usize,
    ) -> Result<Vec<Similar>, DbError> {
        let family = self.get_asset(actor, id).await?.family_id;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let alike = self.list_alike(actor, family, id, &audiences).await?;
        let mut alike = alike.unwrap_or_default();
        alike.truncate(limit);
        let keys: Vec<i64> = alike.iter().map(|(key, _)| *key).collect();
        let assets = self.list_assets_by_key(&keys).await?;
        let similar = assets.into_iter().filter_map(|asset| {
            // Between two statements somebody may have taken it away from whoever asks.
            let is_seen = audiences.contains(&asset.audience_id) && asset.deleted_at_ms.is_none();
            let mut alike = alike.iter();
            let (_, likeness) = alike.find(|(key, _)| *key == asset.timeline_key)?;
            is_seen.then_some(Similar {
                likeness: *likeness,
                asset,
            })
        });
        Ok(similar.collect())
    }

    /// The timeline keys of the pictures of these audiences that look like an asset, the most alike first, with how alike;
    /// `None` where no model has looked at it. The asset has to be one that the actor may see.
    pub(crate) async fn list_alike(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: AssetId,
        audiences: &[AudienceId],
    ) -> Result<Option<Vec<Alike>>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let Some(row) = self.fetch_optional(FIND, args![id]).await? else {
            return Ok(None);
        };
        let own = Imprint {
            model: row.get(0)?,
            numbers: row.get(1)?,
        };
        let likeness = |other: AssetId, numbers| {
            let likeness = own.likeness(&Imprint {
                model: own.model.clone(),
                numbers,
            });
            (likeness >= ALIKE && other != id).then_some(likeness)
        };
        let alike = self.compare(LIST_OTHERS, (family, audiences), &own.model, likeness);
        Ok(Some(alike.await?))
    }

    /// Compares all pictures of these audiences that a model saw, part by part: the timeline keys of those that are alike or
    /// near, the most so first, with how much. `list` gives the asset, its numbers and its timeline key, in the order of
    /// assets, after `$1`, of the model `$2` and the family `$3`, at most `$4`.
    pub(crate) async fn compare(
        &self,
        list: Sql,
        (family, audiences): (FamilyId, &[AudienceId]),
        model: &str,
        nearness: impl Fn(AssetId, Vec<u8>) -> Option<f32>,
    ) -> Result<Vec<Alike>, DbError> {
        let mut near: Vec<Alike> = Vec::new();
        let mut after = AssetId::from_uuid(uuid::Uuid::nil());
        loop {
            let of = audiences.iter().copied().map(Value::from).collect();
            let rows = self.fetch_list(list, args![after, model, family, PART], of);
            let rows = rows.await?;
            let is_last = rows.len() < usize::try_from(PART).unwrap_or(usize::MAX);
            for row in &rows {
                after = row.get(0)?;
                if let Some(nearness) = nearness(after, row.get(1)?) {
                    near.push((row.get(2)?, nearness));
                }
            }
            if near.len() > 2 * MOST || is_last {
                // The key decides between equals, so that each page is of the same order.
                near.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
                near.truncate(MOST);
            }
            if is_last {
                return Ok(near);
            }
        }
    }
}

/// Keeps what a picture looks like, if that is what an artifact says, in the place of what was known before. Where a service named
/// what it shows and no model was here, it says nothing.
pub(crate) async fn keep(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
    (kind, payload): (&str, Option<&Json>),
) -> Result<(), DbError> {
    let imprint = payload
        .filter(|_| kind == TAGS)
        .map(|json| &json["imprint"]);
    let Some(Ok(imprint)) = imprint.map(serde::Deserialize::deserialize) else {
        return Ok(());
    };
    let Imprint { model, numbers } = imprint;
    delete(tx, asset).await?;
    if numbers.is_empty() {
        return Ok(());
    }
    tx.execute(ADD, args![asset, artifact, model, numbers])
        .await?;
    Ok(())
}

/// Forgets what a picture looks like.
pub(crate) async fn delete(tx: &mut Tx, asset: AssetId) -> Result<(), DbError> {
    tx.execute(DELETE, args![asset]).await?;
    Ok(())
}
