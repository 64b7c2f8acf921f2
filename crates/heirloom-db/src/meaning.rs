//! What pictures show, and which of them show what some words say.
//!
//! A copy of what was seen in them, kept beside it by `keep` alone and gone with it. All pictures that somebody may see
//! are compared with the words, part by part: there is no index of them, so nothing is missed, and no more than a part is
//! in memory.

use heirloom_core::{
    Actor, ArtifactId, AssetId, AudienceId, FamilyId,
    meaning::{Meaning, is_shown},
    permission::Action,
};
use serde_json::Value as Json;

use crate::{
    Db, DbError, Tx,
    imprint::{Alike, PART, by_likeness},
    sql::statements,
    value::{Value, args},
};

/// What a picture shows, in a space that texts lie in too: the kind of artifact.
pub const MEANING: &str = "meaning";

statements! {
    ADD = "INSERT INTO asset_meaning (asset_id, artifact_id, model, numbers) VALUES ($1, $2, $3, $4)";
    DELETE = "DELETE FROM asset_meaning WHERE asset_id = $1";
    LIST = "SELECT m.asset_id, m.numbers, a.timeline_key FROM asset_meaning m /*lite CROSS */ JOIN asset a ON a.id = m.asset_id
        WHERE m.asset_id > $1 AND m.model = $2 AND a.family_id = $3 AND a.deleted_at_ms IS NULL
          AND a.state <> 'replaced' AND a.audience_id IN ({list})
        ORDER BY m.asset_id LIMIT $4";
}

impl Db {
    /// The timeline keys of the pictures of these audiences that show what words mean, the nearest first, with how near.
    pub(crate) async fn list_showing(
        &self,
        actor: &Actor,
        family: FamilyId,
        (words, nothing): (&Meaning, &Meaning),
        audiences: &[AudienceId],
    ) -> Result<Vec<Alike>, DbError> {
        actor.require(Action::Search, family)?;
        let model = &words.model;
        let mut showing = Vec::new();
        let mut after = AssetId::from_uuid(uuid::Uuid::nil());
        loop {
            let list = audiences.iter().copied().map(Value::from).collect();
            let rows = self
                .fetch_list(LIST, args![after, model, family, PART], list)
                .await?;
            let is_last = rows.len() < usize::try_from(PART).unwrap_or(usize::MAX);
            for row in &rows {
                after = row.get(0)?;
                let picture = Meaning {
                    model: model.clone(),
                    numbers: row.get(1)?,
                };
                if let Some(nearness) = is_shown(words, nothing, &picture) {
                    showing.push((row.get::<i64>(2)?, nearness));
                }
            }
            by_likeness(&mut showing, is_last);
            if is_last {
                return Ok(showing);
            }
        }
    }
}

/// Keeps what a picture shows, if that is what an artifact says, in the place of what was known before.
pub(crate) async fn keep(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
    (kind, payload): (&str, Option<&Json>),
) -> Result<(), DbError> {
    let meaning = payload
        .filter(|_| kind == MEANING)
        .map(|json| &json["meaning"]);
    let Some(Ok(meaning)) = meaning.map(serde::Deserialize::deserialize) else {
        return Ok(());
    };
    let Meaning { model, numbers } = meaning;
    delete(tx, asset).await?;
    tx.execute(ADD, args![asset, artifact, model, numbers])
        .await?;
    Ok(())
}

/// Forgets what a picture shows.
pub(crate) async fn delete(tx: &mut Tx, asset: AssetId) -> Result<(), DbError> {
    tx.execute(DELETE, args![asset]).await?;
    Ok(())
}
