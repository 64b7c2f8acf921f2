//! What stands in assets, as far as they are found by it.
//!
//! A copy of the newest text that a tool read, kept beside the artifact by [`keep`] alone and gone with it. The
//! index is made of it, and the reason of a find is shown from it.

use std::collections::{BTreeSet, HashMap};

use heirloom_core::{ArtifactId, AssetId};

use crate::{
    Db, DbError, Tx, asset,
    sql::statements,
    timeline,
    value::{Value, args},
};

/// The most bytes of text by which an asset is found: as much as a document of the index holds.
const WORDS_BYTES: usize = 512 * 1024;

statements! {
    KEEP = "INSERT INTO asset_text (asset_id, artifact_id, words) VALUES ($1, $2, $3)
        ON CONFLICT (asset_id) DO UPDATE SET artifact_id = excluded.artifact_id, words = excluded.words";
    LIST = "SELECT asset_id, words FROM asset_text WHERE asset_id IN ({list})";
    FIND = "SELECT words FROM asset_text WHERE asset_id = $1";
}

impl Db {
    /// What stands in an asset that was fetched for whoever asks.
    pub(crate) async fn find_text(&self, asset: AssetId) -> Result<Option<String>, DbError> {
        let row = self.fetch_optional(FIND, args![asset]).await?;
        row.map(|row| row.get(0)).transpose()
    }
}

/// Keeps the beginning of what artifacts read in assets, in the place of what was read before, and has the
/// assets found by it.
pub(crate) async fn keep(
    tx: &mut Tx,
    texts: Vec<(AssetId, ArtifactId, String)>,
) -> Result<(), DbError> {
    if texts.is_empty() {
        return Ok(());
    }
    let mut assets = BTreeSet::new();
    for (asset, artifact, words) in texts {
        let words = words.get(..words.floor_char_boundary(WORDS_BYTES));
        // PostgreSQL keeps no NUL.
        let words = words.unwrap_or_default().replace('\0', " ");
        tx.execute(KEEP, args![asset, artifact, words]).await?;
        assets.insert(asset);
    }
    timeline::lock(tx).await?;
    asset::refresh(tx, &assets.into_iter().collect::<Vec<_>>()).await
}

/// What stands in these assets.
pub(crate) async fn list(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<HashMap<AssetId, String>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = tx.fetch_list(LIST, args![], list).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}
