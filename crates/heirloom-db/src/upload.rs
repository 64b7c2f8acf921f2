//! Files on their way into the vault: what is known of each until it is an original, and for a while
//! after that.
//!
//! An upload is somebody's own: nobody else sees it, and what nobody may see is not there.

use std::collections::HashSet;

use heirloom_core::{
    AccountId, Actor, AssetId, ContentHash, FamilyId, RunId, UploadId, permission::Action,
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    Db, DbError, Tx, clock,
    once::{self, Once},
    row::Row,
    sql::statements,
    value::{Value, args},
    vault::Outcome,
};

/// A file that is about to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// What it is called, as path text.
    pub name: String,
    /// How long it is.
    pub size_bytes: i64,
    /// What its bytes are promised to be.
    pub content_hash: Option<ContentHash>,
    /// When its sender's file was modified, in milliseconds since 1970.
    pub modified_at_ms: Option<i64>,
    /// Whether it is to be processed once it is added; what its addition says, if it is part of one.
    pub process: bool,
    /// The addition that it is a part of; none for one of its own.
    pub run: Option<RunId>,
    /// When it is forgotten if nothing more comes.
    pub expires_at_ms: i64,
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq)]
pub enum UploadState {
    /// Bytes are missing, or they are all there and not added yet.
    Receiving,
    /// It was added.
    Done {
        /// What was done with it.
        outcome: Outcome,
        /// The asset that it is.
        asset: AssetId,
    },
    /// It was refused when it was complete; its bytes are gone.
    Refused {
        /// Why: a document with a code and one sentence.
        problem: Json,
    },
}

/// A file on its way into the vault.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Whose it is; `None` for the operator.
    pub account_id: Option<AccountId>,
    /// The family that it is for.
    pub family_id: FamilyId,
    /// The addition that it is a part of.
    pub run: Option<RunId>,
    /// What it is called, as path text.
    pub name: String,
    /// How long it is.
    pub size_bytes: i64,
    /// How many bytes are on the disk for certain.
    pub received_bytes: i64,
    /// What its bytes are promised to be.
    pub content_hash: Option<ContentHash>,
    /// When its sender's file was modified, in milliseconds since 1970.
    pub modified_at_ms: Option<i64>,
    /// Whether it is to be processed once it is added.
    pub process: bool,
    /// How far it is.
    pub state: UploadState,
    /// When it began.
    pub created_at_ms: i64,
    /// When it is forgotten.
    pub expires_at_ms: i64,
}

macro_rules! columns {
    () => {
        "id, account_id, family_id, run_id, name, size_bytes, received_bytes, content_hash, \
         modified_at_ms, process, state, outcome, asset_id, problem, created_at_ms, expires_at_ms"
    };
}

statements! {
    ADD = "INSERT INTO upload (id, family_id, account_id, run_id, name, size_bytes, received_bytes,
          content_hash, modified_at_ms, process, state, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, 'receiving', $10, $11)";
    GET = concat!("SELECT ", columns!(), " FROM upload WHERE id = $1");
    LIST_BY_CONTENT = concat!("SELECT ", columns!(), " FROM upload
        WHERE family_id = $1 AND state = 'receiving' AND content_hash IN ({list})");
    DELETE_EXPIRED = "DELETE FROM upload WHERE expires_at_ms < $1";
    LIST_COMPLETE = concat!("SELECT ", columns!(), " FROM upload
        WHERE state = 'receiving' AND received_bytes = size_bytes ORDER BY id");
    LIST_EXISTING = "SELECT id FROM upload WHERE state = 'receiving' AND id IN ({list})";
    LOCK = "SELECT state, run_id, process FROM upload WHERE id = $1 /*pg FOR UPDATE */";
    FIND_RUN = "SELECT parameters FROM run WHERE id = $1 AND family_id = $2 AND pipeline = 'add' AND state = 'running'";
    STORE_RECEIVED = "UPDATE upload SET received_bytes = $2, expires_at_ms = $3
        WHERE id = $1 AND state = 'receiving'";
    FINISH = "UPDATE upload SET state = 'done', run_id = $2, outcome = $3, asset_id = $4 WHERE id = $1";
    REFUSE = "UPDATE upload SET state = 'refused', problem = $2 WHERE id = $1 AND state = 'receiving'";
    DELETE = "DELETE FROM upload WHERE id = $1";
}

impl Db {
    /// Notes that a file is about to be handed over; with `once`, the upload that was made with that
    /// key before.
    ///
    /// # Errors
    /// [`DbError::Denied`]; [`DbError::Refused`] when the addition has ended or there is none;
    /// [`DbError::KeyReused`].
    pub async fn create_upload(
        &self,
        actor: &Actor,
        family: FamilyId,
        new: NewUpload,
        once: Option<&Once>,
    ) -> Result<Upload, DbError> {
        actor.require(Action::AddAsset, family)?;
        if let Some(made) = self.find_upload_once(actor, family, once).await? {
            return Ok(made);
        }
        let id: UploadId = clock::new_id();
        let mut tx = self.begin().await?;
        let process = match new.run {
            Some(run) => find_process(&mut tx, family, run).await?,
            None => new.process,
        };
        tx.execute(
            ADD,
            args![
                id,
                family,
                account_of(actor),
                new.run,
                new.name,
                new.size_bytes,
                new.content_hash,
                new.modified_at_ms,
                process,
                clock::now_ms(),
                new.expires_at_ms,
            ],
        )
        .await?;
        match once::remember(&mut tx, family, once, id.uuid()).await {
            // Somebody asked the same at the same time.
            Err(error) if error.is_duplicate() => {
                drop(tx);
                let made = self.find_upload_once(actor, family, once).await?;
                made.ok_or(error)
            }
            remembered => {
                remembered?;
                tx.commit().await?;
                self.get_upload(actor, id).await
            }
        }
    }

    async fn find_upload_once(
        &self,
        actor: &Actor,
        family: FamilyId,
        once: Option<&Once>,
    ) -> Result<Option<Upload>, DbError> {
        let Some(once) = once else { return Ok(None) };
        let made: Option<Uuid> = self.find_made_once(family, once).await?;
        match made {
            Some(made) => Ok(Some(self.get_upload(actor, made.into()).await?)),
            None => Ok(None),
        }
    }

    /// One upload.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when it is somebody else's.
    pub async fn get_upload(&self, actor: &Actor, id: UploadId) -> Result<Upload, DbError> {
        let row = self.fetch_optional(GET, args![id]).await?;
        let upload = row.as_ref().map(read).transpose()?;
        upload
            .filter(|upload| is_own(actor, upload))
            .ok_or_else(|| DbError::not_found("upload", id))
    }

    /// The actor's uploads of these contents that are not complete.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_uploads_of(
        &self,
        actor: &Actor,
        family: FamilyId,
        hashes: &[ContentHash],
    ) -> Result<Vec<Upload>, DbError> {
        let list = hashes.iter().map(|hash| Value::from(*hash)).collect();
        let rows = self
            .fetch_list(LIST_BY_CONTENT, args![family], list)
            .await?;
        let mut uploads: Vec<Upload> = rows.iter().map(read).collect::<Result<_, _>>()?;
        uploads.retain(|upload| is_own(actor, upload));
        Ok(uploads)
    }

    /// Notes that so many bytes of an upload are on the disk, and when it is forgotten if nothing more
    /// comes.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it is gone or has ended.
    pub async fn store_received(
        &self,
        id: UploadId,
        received_bytes: i64,
        expires_at_ms: i64,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        let changed = tx
            .execute(STORE_RECEIVED, args![id, received_bytes, expires_at_ms])
            .await?;
        if changed == 0 {
            return Err(DbError::not_found("upload", id));
        }
        tx.commit().await
    }

    /// Ends an upload that cannot be added; why is a JSON document.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn refuse_upload(&self, id: UploadId, problem: &Json) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(REFUSE, args![id, problem.to_string()]).await?;
        tx.commit().await
    }

    /// Forgets an upload. That it is the actor's was checked by whoever fetched it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn delete_upload(&self, id: UploadId) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(DELETE, args![id]).await?;
        tx.commit().await
    }

    /// Forgets every upload whose time was over before `now_ms`; gives how many there were.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn delete_expired_uploads(&self, now_ms: i64) -> Result<u64, DbError> {
        let mut tx = self.begin().await?;
        let deleted = tx.execute(DELETE_EXPIRED, args![now_ms]).await?;
        tx.commit().await?;
        Ok(deleted)
    }

    /// Uploads whose bytes are all there and that are not added yet, the oldest first.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_complete_uploads(&self) -> Result<Vec<Upload>, DbError> {
        let rows = self.fetch(LIST_COMPLETE, args![]).await?;
        rows.iter().map(read).collect()
    }

    /// Which of these uploads still need their bytes in the data folder.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_receiving(&self, ids: &[UploadId]) -> Result<HashSet<UploadId>, DbError> {
        let list = ids.iter().map(|id| Value::from(*id)).collect();
        let rows = self.fetch_list(LIST_EXISTING, args![], list).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// What an upload that is about to be added says of its addition.
pub(crate) struct Waiting {
    pub(crate) run: Option<RunId>,
    pub(crate) process: bool,
}

/// Holds an upload for the transaction that adds it.
pub(crate) async fn lock_receiving(tx: &mut Tx, id: UploadId) -> Result<Waiting, DbError> {
    let row = tx
        .fetch_optional(LOCK, args![id])
        .await?
        .ok_or_else(|| DbError::not_found("upload", id))?;
    if row.get::<String>(0)? != "receiving" {
        return Err(DbError::Refused("this upload has ended".to_owned()));
    }
    Ok(Waiting {
        run: row.get(1)?,
        process: row.get(2)?,
    })
}

/// Notes what an upload has become.
pub(crate) async fn finish(
    tx: &mut Tx,
    id: UploadId,
    run: RunId,
    outcome: &str,
    asset: AssetId,
) -> Result<(), DbError> {
    tx.execute(FINISH, args![id, run, outcome, asset]).await?;
    Ok(())
}

/// Whether what is added by an addition is to be processed.
async fn find_process(tx: &mut Tx, family: FamilyId, run: RunId) -> Result<bool, DbError> {
    let row = tx.fetch_optional(FIND_RUN, args![run, family]).await?;
    let row = row.ok_or_else(|| {
        DbError::Refused(format!("there is no addition {run} that has not ended"))
    })?;
    let parameters: Json = serde_json::from_str(&row.get::<String>(0)?)
        .map_err(|error| DbError::unreadable("the parameters of a run", error))?;
    Ok(parameters["process"] != Json::Bool(false))
}

const fn account_of(actor: &Actor) -> Option<AccountId> {
    match actor {
        Actor::Member { account_id, .. } => Some(*account_id),
        Actor::Operator | Actor::Stranger => None,
    }
}

fn is_own(actor: &Actor, upload: &Upload) -> bool {
    actor.require(Action::AddAsset, upload.family_id).is_ok()
        && (*actor == Actor::Operator || account_of(actor) == upload.account_id)
}

fn read(row: &Row) -> Result<Upload, DbError> {
    let state = match row.get::<String>(10)?.as_str() {
        "done" => UploadState::Done {
            outcome: row.word(11, "an outcome", Outcome::from_word)?,
            asset: row.get(12)?,
        },
        "refused" => UploadState::Refused {
            problem: serde_json::from_str(&row.get::<String>(13)?)
                .map_err(|error| DbError::unreadable("why an upload was refused", error))?,
        },
        _ => UploadState::Receiving,
    };
    Ok(Upload {
        id: row.get(0)?,
        account_id: row.get(1)?,
        family_id: row.get(2)?,
        run: row.get(3)?,
        name: row.get(4)?,
        size_bytes: row.get(5)?,
        received_bytes: row.get(6)?,
        content_hash: row.get(7)?,
        modified_at_ms: row.get(8)?,
        process: row.get(9)?,
        state,
        created_at_ms: row.get(14)?,
        expires_at_ms: row.get(15)?,
    })
}
