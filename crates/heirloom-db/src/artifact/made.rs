//! What is there already, so that it is not made again.

use std::collections::{BTreeSet, HashMap, HashSet};

use heirloom_core::{AssetId, ContentHash};

use crate::{
    DbError, Tx,
    sql::statements,
    value::{Value, args},
};

statements! {
    LIST_KEYS = "SELECT artifact_key FROM artifact WHERE subject_id IN ({list})";
    LIST_KEYS_AND_TOOLS = "SELECT artifact_key, subject_id, tool, tool_version, model_id FROM artifact
        WHERE subject_id IN ({list})";
}

/// The keys of all that was derived from these assets.
pub(crate) async fn list_keys(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<HashSet<ContentHash>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = tx.fetch_list(LIST_KEYS, args![], list).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// What was derived from some assets.
#[derive(Debug, Default)]
pub(crate) struct AllMade {
    /// The keys of all of it.
    pub(crate) keys: HashSet<ContentHash>,
    /// In which versions, and with which models, tools made something of which.
    pub(crate) versions: HashMap<(AssetId, String), BTreeSet<(i64, String)>>,
}

pub(crate) async fn list_made(tx: &mut Tx, assets: &[AssetId]) -> Result<AllMade, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let mut made = AllMade::default();
    for row in tx.fetch_list(LIST_KEYS_AND_TOOLS, args![], list).await? {
        made.keys.insert(row.get(0)?);
        let tool = (row.get(1)?, row.get(2)?);
        let version = (row.get(3)?, row.get(4)?);
        made.versions.entry(tool).or_default().insert(version);
    }
    Ok(made)
}
