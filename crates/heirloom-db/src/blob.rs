//! Which blobs the catalogue refers to.

use std::collections::HashSet;

use heirloom_core::{Actor, ContentHash, permission::Action};

use crate::{
    Db, DbError,
    sql::statements,
    value::{Value, args},
};

statements! {
    LIST_KNOWN = "SELECT content_hash FROM blob WHERE content_hash IN ({list})";
    LIST = "SELECT content_hash, size_bytes FROM blob WHERE content_hash > $1 ORDER BY content_hash LIMIT $2";
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
        let after = after.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST, args![after, limit]).await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, u64::try_from(row.get::<i64>(1)?).unwrap_or(0))))
            .collect()
    }
}
