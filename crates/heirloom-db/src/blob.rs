//! Which blobs the catalogue refers to, and which it has let go of.

use std::collections::HashSet;

use heirloom_core::{Actor, AssetId, ContentHash, permission::Action};

use crate::{
    Db, DbError, Tx, artifact, clock,
    sql::statements,
    value::{Value, args},
};

statements! {
    LIST_KNOWN = "SELECT content_hash FROM blob WHERE content_hash IN ({list})";
    LIST = "SELECT content_hash, size_bytes FROM blob WHERE content_hash > $1 ORDER BY content_hash LIMIT $2";
    LIST_MAKINGS = "SELECT subject_id, tool, inputs FROM artifact
        WHERE blob_hash = $1 AND subject_kind = 'asset' AND is_deterministic = TRUE ORDER BY id";
    ADD = "INSERT INTO blob (content_hash, size_bytes, created_at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (content_hash) DO NOTHING";
    DELETE_UNUSED = "DELETE FROM blob WHERE content_hash = $1
        AND NOT EXISTS (SELECT 1 FROM artifact WHERE blob_hash = $1)
        AND NOT EXISTS (SELECT 1 FROM original_blob WHERE content_hash = $1)
        AND NOT EXISTS (SELECT 1 FROM sidecar_origin WHERE content_hash = $1)
        AND NOT EXISTS (SELECT 1 FROM publication WHERE key_hash = $1)";
    NOTE_UNNEEDED = "INSERT INTO unneeded_blob (content_hash, noted_at_ms) VALUES ($1, $2)
        ON CONFLICT (content_hash) DO UPDATE SET noted_at_ms = excluded.noted_at_ms";
    LIST_UNNEEDED = "SELECT content_hash, noted_at_ms FROM unneeded_blob
        WHERE content_hash > $1 ORDER BY content_hash LIMIT $2";
    FORGET_UNNEEDED = "DELETE FROM unneeded_blob WHERE content_hash = $1 AND noted_at_ms = $2";
}

/// How the bytes of a blob came about, and so may come about once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// The asset that it says something about.
    pub asset: AssetId,
    /// The tool that made it.
    pub tool: String,
    /// Hashes of what it was made from.
    pub inputs: Vec<ContentHash>,
}

/// A blob that the last row let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unneeded {
    /// Which.
    pub hash: ContentHash,
    noted_at_ms: i64,
}

impl Db {
    /// Which of these blobs the catalogue refers to.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_referenced_blobs(
        &self,
        hashes: &[ContentHash],
    ) -> Result<HashSet<ContentHash>, DbError> {
        let list = hashes.iter().map(|hash| Value::from(*hash)).collect();
        let rows = self.fetch_list(LIST_KNOWN, args![], list).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The blobs that the catalogue refers to with their sizes in bytes, by hash, after `after`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_blobs(
        &self,
        actor: &Actor,
        after: Option<ContentHash>,
        limit: usize,
    ) -> Result<Vec<(ContentHash, u64)>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self.fetch(LIST, page(after, limit)).await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, u64::try_from(row.get::<i64>(1)?).unwrap_or(0))))
            .collect()
    }

    /// How a blob can be made again: each artifact that it is the payload of, by tools that make the
    /// same of the same.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_makings(
        &self,
        actor: &Actor,
        hash: ContentHash,
    ) -> Result<Vec<Making>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self.fetch(LIST_MAKINGS, args![hash]).await?;
        rows.iter()
            .map(|row| {
                Ok(Making {
                    asset: row.get(0)?,
                    tool: row.get(1)?,
                    inputs: artifact::read_inputs(&row.get::<String>(2)?)?,
                })
            })
            .collect()
    }

    /// The blobs that the catalogue let go of and whose bytes may still be there, by hash, after
    /// `after`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_unneeded_blobs(
        &self,
        after: Option<ContentHash>,
        limit: usize,
    ) -> Result<Vec<Unneeded>, DbError> {
        let rows = self.fetch(LIST_UNNEEDED, page(after, limit)).await?;
        rows.iter()
            .map(|row| {
                Ok(Unneeded {
                    hash: row.get(0)?,
                    noted_at_ms: row.get(1)?,
                })
            })
            .collect()
    }

    /// Notes that nothing is left to do about blobs that had been let go of. One that was let go of
    /// once more since it was listed stays noted.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn forget_unneeded_blobs(&self, blobs: &[Unneeded]) -> Result<(), DbError> {
        if blobs.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for blob in blobs {
            tx.execute(FORGET_UNNEEDED, args![blob.hash, blob.noted_at_ms])
                .await?;
        }
        tx.commit().await
    }
}

/// Notes that there is a blob, for a row that is about to refer to it. Its bytes are stored already.
pub(crate) async fn add(
    tx: &mut Tx,
    hash: ContentHash,
    size_bytes: i64,
    now_ms: i64,
) -> Result<(), DbError> {
    tx.execute(ADD, args![hash, size_bytes, now_ms]).await?;
    Ok(())
}

/// Lets go of a blob that no artifact, no original and no key is any more, and notes in the same transaction
/// that its bytes are to be removed. `false` when something else still is that blob.
pub(crate) async fn let_go(tx: &mut Tx, hash: ContentHash) -> Result<bool, DbError> {
    if tx.execute(DELETE_UNUSED, args![hash]).await? == 0 {
        return Ok(false);
    }
    note_unneeded(tx, hash).await?;
    Ok(true)
}

/// Notes that the bytes of a blob are to be removed unless somebody refers to it by then.
pub(crate) async fn note_unneeded(tx: &mut Tx, hash: ContentHash) -> Result<(), DbError> {
    tx.execute(NOTE_UNNEEDED, args![hash, clock::now_ms()])
        .await?;
    Ok(())
}

fn page(after: Option<ContentHash>, limit: usize) -> Vec<Value> {
    let after = after.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
    args![after, i64::try_from(limit).unwrap_or(i64::MAX)]
}
