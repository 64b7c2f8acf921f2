//! Things that are made once, however often they are asked for.
//!
//! A client that did not hear the answer asks again with the same key. The key is stored with what
//! it made, in the same transaction, so that there is never one without the other.

use heirloom_core::{ContentHash, FamilyId};
use uuid::Uuid;

use crate::{Db, DbError, Tx, clock, sql::statements, value::args};

/// A key that a client made up, with what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Told apart by who asks: two clients may make up the same key.
    pub key_hash: ContentHash,
    /// What is asked for; the same key must not come with something else.
    pub request_hash: ContentHash,
}

/// How long a key is remembered: longer than any client goes on trying.
const KEPT_MS: i64 = 7 * 24 * 3600 * 1000;

statements! {
    FIND = "SELECT request_hash, made_id FROM once WHERE family_id = $1 AND key_hash = $2";
    ADD = "INSERT INTO once (family_id, key_hash, request_hash, made_id, made_at_ms)
        VALUES ($1, $2, $3, $4, $5)";
    FORGET = "DELETE FROM once WHERE made_at_ms < $1";
}

impl Once {
    /// The key `key` of `asker`, for a request with this content.
    #[must_use]
    pub fn new(asker: &str, key: &str, request: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(asker.as_bytes())
            .update(b"\0")
            .update(key.as_bytes());
        Self {
            key_hash: ContentHash::from_bytes(*hasher.finalize().as_bytes()),
            request_hash: ContentHash::from_bytes(*blake3::hash(request).as_bytes()),
        }
    }
}

impl Db {
    /// What was made with this key before.
    ///
    /// # Errors
    /// [`DbError::KeyReused`] when it was something else that was asked for then.
    pub async fn find_made_once(
        &self,
        family: FamilyId,
        once: &Once,
    ) -> Result<Option<Uuid>, DbError> {
        let Some(row) = self
            .fetch_optional(FIND, args![family, once.key_hash])
            .await?
        else {
            return Ok(None);
        };
        if row.get::<ContentHash>(0)? != once.request_hash {
            return Err(DbError::KeyReused);
        }
        row.get(1).map(Some)
    }
}

/// Remembers what is made with this key, within the transaction that makes it. A key that another
/// transaction took meanwhile is a duplicate.
pub(crate) async fn remember(
    tx: &mut Tx,
    family: FamilyId,
    once: Option<&Once>,
    made: Uuid,
) -> Result<(), DbError> {
    let Some(once) = once else { return Ok(()) };
    let now_ms = clock::now_ms();
    tx.execute(FORGET, args![now_ms - KEPT_MS]).await?;
    tx.execute(
        ADD,
        args![family, once.key_hash, once.request_hash, made, now_ms],
    )
    .await?;
    Ok(())
}
