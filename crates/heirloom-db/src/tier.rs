//! What is known of blobs that says where they are kept, and what was done to bring them there.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr as _,
};

use heirloom_core::{Actor, ContentHash, MediaKind, permission::Action, tier::Facts};

use crate::{
    Db, DbError, clock,
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveState {
    /// It is under way.
    Running,
    /// Everything was looked at.
    Done,
    /// A place as a whole could not be used.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl MoveState {
    const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The word in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One walk through all places, which brings blobs to where they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreMove {
    /// When it began.
    pub began_at_ms: i64,
    /// How far it is.
    pub state: MoveState,
    /// Blobs that it moved.
    pub blobs: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Blobs that were in use just then.
    pub waiting: i64,
    /// What stays where it is, each with its place and why; the first of them.
    pub problems: serde_json::Value,
    /// Why it failed.
    pub error: Option<String>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

statements! {
    LIST_FACTS = "SELECT b.content_hash, b.size_bytes, b.created_at_ms,
          (SELECT COUNT(*) FROM sidecar_origin s WHERE s.content_hash = b.content_hash),
          (SELECT MIN(a.kind) FROM original_blob o JOIN asset a ON a.id = o.asset_id
            WHERE o.content_hash = b.content_hash)
        FROM blob b WHERE b.content_hash IN ({list})";
    LIST_ORIGINALS_OF_ALBUM = "SELECT DISTINCT o.content_hash FROM original_blob o
        JOIN collection_member m ON m.asset_id = o.asset_id JOIN collection c ON c.id = m.collection_id
        WHERE c.name = $1 AND c.deleted_at_ms IS NULL AND o.content_hash IN ({list})";
    LIST_DERIVED_OF_ALBUM = "SELECT DISTINCT t.blob_hash FROM artifact t
        JOIN collection_member m ON m.asset_id = t.subject_id JOIN collection c ON c.id = m.collection_id
        WHERE c.name = $1 AND c.deleted_at_ms IS NULL AND t.subject_kind = 'asset' AND t.blob_hash IN ({list})";
    LAST = concat!("SELECT ", columns!(), " FROM store_move ORDER BY began_at_ms DESC LIMIT $1");
    SAVE = "INSERT INTO store_move (began_at_ms, state, blobs, bytes, waiting, problems, error, ended_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (began_at_ms) DO UPDATE SET state = excluded.state, blobs = excluded.blobs,
          bytes = excluded.bytes, waiting = excluded.waiting, problems = excluded.problems,
          error = excluded.error, ended_at_ms = excluded.ended_at_ms";
    FORGET = "DELETE FROM store_move WHERE began_at_ms < $1";
}

/// The columns of a [`StoreMove`], in the order in which [`read`] takes them.
macro_rules! columns {
    () => {
        "began_at_ms, state, blobs, bytes, waiting, problems, error, ended_at_ms"
    };
}
use columns;

/// How many moves are remembered.
const KEPT: i64 = 24;

impl StoreMove {
    /// One that begins now, later than the one before.
    #[must_use]
    pub fn begin(last: Option<&Self>) -> Self {
        Self {
            began_at_ms: last
                .map_or(0, |last| last.began_at_ms + 1)
                .max(clock::now_ms()),
            state: MoveState::Running,
            blobs: 0,
            bytes: 0,
            waiting: 0,
            problems: serde_json::Value::Array(Vec::new()),
            error: None,
            ended_at_ms: None,
        }
    }
}

impl Db {
    /// What the catalogue knows of these blobs; nothing of those that it does not refer to.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn find_blob_facts(
        &self,
        actor: &Actor,
        hashes: &[ContentHash],
    ) -> Result<HashMap<ContentHash, Facts>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self.fetch_list(LIST_FACTS, args![], listed(hashes)).await?;
        rows.iter()
            .map(|row| {
                let kind: Option<String> = row.get(4)?;
                let kind = kind.and_then(|word| MediaKind::from_str(&word).ok());
                let facts = Facts {
                    is_original: kind.is_some() || row.get::<i64>(3)? != 0,
                    kind,
                    size_bytes: u64::try_from(row.get::<i64>(1)?).unwrap_or(0),
                    added_at_ms: row.get(2)?,
                };
                Ok((row.get(0)?, facts))
            })
            .collect()
    }

    /// Which of these blobs are originals in an album of this name, or were made of one of its assets.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn find_blobs_of_album(
        &self,
        actor: &Actor,
        name: &str,
        hashes: &[ContentHash],
    ) -> Result<HashSet<ContentHash>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut found = HashSet::new();
        for asked in [LIST_ORIGINALS_OF_ALBUM, LIST_DERIVED_OF_ALBUM] {
            for row in self.fetch_list(asked, args![name], listed(hashes)).await? {
                found.insert(row.get(0)?);
            }
        }
        Ok(found)
    }

    /// What was done of late to bring blobs to their places, the last first.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_store_moves(&self, actor: &Actor) -> Result<Vec<StoreMove>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self.fetch(LAST, args![KEPT]).await?;
        rows.iter().map(read).collect()
    }

    /// Stores how far a move is; a new one takes the place of the oldest.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn save_store_move(&self, now: &StoreMove) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(
            SAVE,
            args![
                now.began_at_ms,
                now.state.as_str(),
                now.blobs,
                now.bytes,
                now.waiting,
                now.problems.to_string(),
                now.error.clone(),
                now.ended_at_ms,
            ],
        )
        .await?;
        let kept = tx.fetch(LAST, args![KEPT]).await?;
        if let Some(oldest) = kept.last() {
            tx.execute(FORGET, args![oldest.get::<i64>(0)?]).await?;
        }
        tx.commit().await
    }
}

fn listed(hashes: &[ContentHash]) -> Vec<Value> {
    hashes.iter().map(|hash| Value::from(*hash)).collect()
}

fn read(row: &Row) -> Result<StoreMove, DbError> {
    let state: String = row.get(1)?;
    let found = MoveState::ALL.into_iter().find(|it| it.as_str() == state);
    let problems: String = row.get(5)?;
    Ok(StoreMove {
        began_at_ms: row.get(0)?,
        state: found.ok_or_else(|| DbError::unreadable("how far a move is", &state))?,
        blobs: row.get(2)?,
        bytes: row.get(3)?,
        waiting: row.get(4)?,
        problems: serde_json::from_str(&problems)
            .map_err(|_| DbError::unreadable("what stays where it is", &problems))?,
        error: row.get(6)?,
        ended_at_ms: row.get(7)?,
    })
}
