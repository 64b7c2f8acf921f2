//! The audit chain: what was done to a family's things, by whom, in an order that cannot be changed
//! unseen.
//!
//! Each entry's hash covers the one before it. What was done is kept beside the chain and enters it
//! as a salted hash: erasing the values leaves the chain whole, and says nothing of what they were.

use heirloom_core::{Actor, AuditId, ContentHash, FamilyId, permission::Action};
use serde_json::{Value as Json, json};

use crate::{Db, DbError, Tx, clock, sql::statements, value::args};

statements! {
    // One after the other: two that begin at once would both follow the same entry.
    LOCK = "SELECT id FROM family WHERE id = $1 /*pg FOR NO KEY UPDATE */";
    LAST = "SELECT position, entry_hash FROM audit WHERE family_id = $1 ORDER BY position DESC LIMIT 1";
    ADD = "INSERT INTO audit (id, family_id, position, at_ms, action, values_hash, entry_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    ADD_VALUE = "INSERT INTO audit_value (audit_id, salt, content) VALUES ($1, $2, $3)";
    LIST = "SELECT a.position, a.at_ms, a.action, a.values_hash, a.entry_hash, v.salt, v.content
        FROM audit a LEFT JOIN audit_value v ON v.audit_id = a.id
        WHERE a.family_id = $1 AND a.position > $2 ORDER BY a.position LIMIT $3";
}

/// The first place at which a family's chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenAt(pub i64);

/// Appends an entry within the transaction of what it tells about, as the last thing in it: until the
/// transaction ends, others that have something to tell wait.
pub(crate) async fn add(
    tx: &mut Tx,
    family: FamilyId,
    actor: &Actor,
    action: &str,
    details: Json,
) -> Result<(), DbError> {
    let actor = match actor {
        Actor::Operator => json!("operator"),
        Actor::Member { account_id, .. } => json!(account_id),
        Actor::Stranger => json!("stranger"),
    };
    let content = json!({ "actor": actor, "details": details }).to_string();
    let id: AuditId = clock::new_id();
    // 122 random bits, of which an id is made anyway.
    let salt = uuid::Uuid::new_v4().as_bytes().to_vec();
    tx.fetch(LOCK, args![family]).await?;
    let (position, previous) = match tx.fetch_optional(LAST, args![family]).await? {
        Some(row) => (row.get::<i64>(0)? + 1, row.get::<ContentHash>(1)?),
        None => (1, ContentHash::from_bytes([0; 32])),
    };
    let at_ms = clock::now_ms();
    let values_hash = hash_values(&salt, &content);
    let entry_hash = hash_entry(previous, position, at_ms, action, values_hash);
    tx.execute(
        ADD,
        args![id, family, position, at_ms, action, values_hash, entry_hash],
    )
    .await?;
    tx.execute(ADD_VALUE, args![id, salt, content]).await?;
    Ok(())
}

impl Db {
    /// Follows a family's chain from its beginning; gives how many entries hold, or where it breaks.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn check_audit(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Result<i64, BrokenAt>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut previous = ContentHash::from_bytes([0; 32]);
        let mut last = 0;
        loop {
            let rows = self.fetch(LIST, args![family, last, 1000_i64]).await?;
            if rows.is_empty() {
                return Ok(Ok(last));
            }
            for row in rows {
                let position: i64 = row.get(0)?;
                let action: String = row.get(2)?;
                let values_hash: ContentHash = row.get(3)?;
                let entry_hash: ContentHash = row.get(4)?;
                let salt: Option<Vec<u8>> = row.get(5)?;
                let content: Option<String> = row.get(6)?;
                let expected = hash_entry(previous, position, row.get(1)?, &action, values_hash);
                let values_hold = salt
                    .zip(content)
                    .is_none_or(|(salt, content)| hash_values(&salt, &content) == values_hash);
                if position != last + 1 || expected != entry_hash || !values_hold {
                    return Ok(Err(BrokenAt(position)));
                }
                previous = entry_hash;
                last = position;
            }
        }
    }
}

fn hash_values(salt: &[u8], content: &str) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt).update(content.as_bytes());
    ContentHash::from_bytes(*hasher.finalize().as_bytes())
}

fn hash_entry(
    previous: ContentHash,
    position: i64,
    at_ms: i64,
    action: &str,
    values_hash: ContentHash,
) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(previous.as_bytes())
        .update(&position.to_le_bytes())
        .update(&at_ms.to_le_bytes())
        .update(action.as_bytes())
        .update(values_hash.as_bytes());
    ContentHash::from_bytes(*hasher.finalize().as_bytes())
}
