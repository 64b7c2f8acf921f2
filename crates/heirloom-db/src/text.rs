//! What stands in assets and what is said in them, as far as they are found by it.
//!
//! A copy of the newest text that a tool read, kept beside the artifact by `keep` alone and gone with it. The
//! index is made of it, and the reason of a find is shown from it.

use std::collections::{BTreeSet, HashMap};

use heirloom_core::{ArtifactId, AssetId};
use serde_json::json;

use crate::{
    Db, DbError, Tx, asset,
    sql::statements,
    timeline,
    value::{Value, args},
};

/// What stands in an asset, or is said in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Its words.
    pub words: String,
    /// When each word of what is said, as spaces part them, begins, in milliseconds; empty for what is read.
    pub times: Vec<u64>,
}

/// The most bytes of text by which an asset is found: as much as a document of the index holds.
const WORDS_BYTES: usize = 512 * 1024;

statements! {
    KEEP = "INSERT INTO asset_text (asset_id, artifact_id, words, times) VALUES ($1, $2, $3, $4)
        ON CONFLICT (asset_id) DO UPDATE SET artifact_id = excluded.artifact_id, words = excluded.words,
          times = excluded.times";
    LIST = "SELECT asset_id, words, times IS NOT NULL FROM asset_text WHERE asset_id IN ({list})";
    FIND = "SELECT words, times FROM asset_text WHERE asset_id = $1";
}

impl Db {
    /// What stands in an asset, or is said in it, that was fetched for whoever asks.
    pub(crate) async fn find_text(&self, asset: AssetId) -> Result<Option<Text>, DbError> {
        let Some(row) = self.fetch_optional(FIND, args![asset]).await? else {
            return Ok(None);
        };
        let times: Option<String> = row.get(1)?;
        let times = times.as_deref().map(serde_json::from_str).transpose();
        Ok(Some(Text {
            words: row.get(0)?,
            times: times
                .map_err(|error| DbError::unreadable("when something is said", error))?
                .unwrap_or_default(),
        }))
    }
}

/// Keeps the beginning of what artifacts read in assets, in the place of what was read before, and has the
/// assets found by it.
pub(crate) async fn keep(
    tx: &mut Tx,
    texts: Vec<(AssetId, ArtifactId, Text)>,
) -> Result<(), DbError> {
    if texts.is_empty() {
        return Ok(());
    }
    let mut assets = BTreeSet::new();
    for (asset, artifact, Text { words, times }) in texts {
        let words = words.get(..words.floor_char_boundary(WORDS_BYTES));
        // PostgreSQL keeps no NUL.
        let words = words.unwrap_or_default().replace('\0', " ");
        let times = (!times.is_empty()).then(|| json!(times).to_string());
        tx.execute(KEEP, args![asset, artifact, words, times])
            .await?;
        assets.insert(asset);
    }
    timeline::lock(tx).await?;
    asset::refresh(tx, &assets.into_iter().collect::<Vec<_>>()).await
}

/// What stands in these assets or is said in them, and which of both it is.
pub(crate) async fn list(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<HashMap<AssetId, (String, bool)>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = tx.fetch_list(LIST, args![], list).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .collect()
}
