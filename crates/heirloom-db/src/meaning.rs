//! What pictures show, and which of them show what some words say.
//!
//! A copy of what was seen in them, kept beside it by `keep` alone and gone with it. All pictures that somebody may see
//! are compared with the words, as they are with one another ([`crate::imprint`]).

use heirloom_core::{
    Actor, ArtifactId, AssetId, AudienceId, FamilyId,
    meaning::{Meaning, is_shown},
    permission::Action,
};
use serde_json::Value as Json;

use crate::{Db, DbError, Tx, imprint::Alike, sql::statements, value::args};

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
        let nearness = |_, numbers| {
            let picture = Meaning {
                model: model.clone(),
                numbers,
            };
            is_shown(words, nothing, &picture)
        };
        self.compare(LIST, (family, audiences), model, nearness)
            .await
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
