//! What is kept on IPFS: the publication of a collection, the originals that a node was given for it, and who was asked
//! to keep it.
//!
//! What somebody consented to enters the audit chain. Nothing of a publication is forgotten with the asset or the
//! collection that it was of: what was published was published.

use heirloom_core::{Actor, AssetId, CollectionId, ContentHash, FamilyId, permission::Action};
use serde_json::json;

use crate::{
    Db, DbError, audit, blob, clock,
    collection::Collection,
    row::Row,
    sql::statements,
    value::{Value, args},
};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// The word in the API and the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What a word stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// How far a publication is.
    PublicationState {
        /// It was written to an archive, and never published.
        Exported = "exported",
        /// It is under way, or was when its process died.
        Publishing = "publishing",
        /// All of it was given away.
        Published = "published",
        /// It could not be finished.
        Failed = "failed",
        /// Those who keep it are being asked to let go.
        Unpinning = "unpinning",
        /// They were asked, and said yes.
        Unpinned = "unpinned",
    }
}

words! {
    /// Who keeps something.
    PinPlace {
        /// The own node.
        Node = "node",
        /// A pinning service.
        Service = "service",
    }
}

words! {
    /// How far somebody is with keeping something.
    PinStatus {
        /// It was asked for.
        Queued = "queued",
        /// It is being fetched.
        Pinning = "pinning",
        /// It is kept.
        Pinned = "pinned",
        /// It could not be had.
        Failed = "failed",
    }
}

/// The publication of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Of which collection.
    pub collection_id: CollectionId,
    /// How far it is.
    pub state: PublicationState,
    /// Whether anybody can read it.
    pub is_plain: bool,
    /// Whether it has in it what the whole family may not see.
    pub includes_private: bool,
    /// How files are cut.
    pub layout: String,
    /// The blob that has its key.
    pub key_hash: Option<ContentHash>,
    /// Who chose this.
    pub consented_by: String,
    /// When.
    pub consented_at_ms: i64,
    /// The folder that was published last.
    pub root_cid: Option<String>,
    /// Originals in it.
    pub files: i64,
    /// How many bytes they are there.
    pub bytes: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was published last.
    pub published_at_ms: Option<i64>,
    /// When those who kept it were asked to let go.
    pub unpinned_at_ms: Option<i64>,
}

/// What somebody consents to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// That anybody can read it.
    pub is_plain: bool,
    /// That it has in it what the whole family may not see.
    pub includes_private: bool,
    /// How files are cut.
    pub layout: String,
    /// The blob that has its key, and how long it is; taken unless there is one already.
    pub key: Option<(ContentHash, i64)>,
}

/// Somebody who was asked to keep a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Who.
    pub place: PinPlace,
    /// Which folder.
    pub cid: String,
    /// What a service calls it.
    pub request_id: Option<String>,
    /// How far that is.
    pub status: PinStatus,
    /// Why it failed, or why it is not known how far it is.
    pub error: Option<String>,
    /// When that was so.
    pub changed_at_ms: i64,
}

/// An original that a node was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its name there.
    pub cid: String,
    /// Which original it is.
    pub asset_id: AssetId,
    /// How long it is there.
    pub size_bytes: i64,
}

macro_rules! columns {
    () => {
        "p.collection_id, p.state, p.is_plain, p.includes_private, p.layout, p.key_hash, p.consented_by, \
         p.consented_at_ms, p.root_cid, p.files, p.bytes, p.error, p.published_at_ms, p.unpinned_at_ms"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM publication p WHERE p.collection_id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM publication p JOIN collection c ON c.id = p.collection_id
        WHERE c.family_id = $1 ORDER BY p.collection_id");
    BEGIN = "INSERT INTO publication (collection_id, state, is_plain, includes_private, layout, key_hash, consented_by,
          consented_at_ms, files, bytes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)
        ON CONFLICT (collection_id) DO UPDATE SET state = excluded.state, is_plain = excluded.is_plain,
          includes_private = excluded.includes_private, layout = excluded.layout,
          key_hash = COALESCE(publication.key_hash, excluded.key_hash), consented_by = excluded.consented_by,
          consented_at_ms = excluded.consented_at_ms, error = NULL";
    KEEP_KEY = "INSERT INTO publication (collection_id, state, is_plain, includes_private, layout, key_hash,
          consented_by, consented_at_ms, files, bytes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)
        ON CONFLICT (collection_id) DO UPDATE SET key_hash = COALESCE(publication.key_hash, excluded.key_hash)";
    BRING = "INSERT INTO publication (collection_id, state, is_plain, includes_private, layout, consented_by,
          consented_at_ms, root_cid, files, bytes, error, published_at_ms, unpinned_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    SET_STATE = "UPDATE publication SET state = $2, error = $3 WHERE collection_id = $1";
    PUBLISHED = "UPDATE publication SET state = 'published', root_cid = $2, files = $3, bytes = $4, error = NULL,
          published_at_ms = $5, unpinned_at_ms = NULL
        WHERE collection_id = $1";
    UNPINNED = "UPDATE publication SET state = 'unpinned', error = NULL, unpinned_at_ms = $2 WHERE collection_id = $1";
    NOTE_SENT = "INSERT INTO published_file (collection_id, cid, asset_id, size_bytes, sent_at_ms)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (collection_id, cid) DO NOTHING";
    FIND_SENT = "SELECT cid FROM published_file WHERE collection_id = $1 AND cid = $2";
    FIND_SENT_ELSEWHERE = "SELECT cid FROM published_file WHERE cid = $1 AND collection_id <> $2 LIMIT 1";
    LIST_SENT = "SELECT cid, asset_id, size_bytes FROM published_file
        WHERE collection_id = $1 AND cid > $2 ORDER BY cid LIMIT $3";
    FORGET_SENT = "DELETE FROM published_file WHERE collection_id = $1 AND cid = $2";
    LIST_PINS = "SELECT place, cid, request_id, status, error, changed_at_ms FROM publication_pin
        WHERE collection_id = $1 ORDER BY place, changed_at_ms, cid";
    SAVE_PIN = "INSERT INTO publication_pin (collection_id, place, cid, request_id, status, error, changed_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (collection_id, place, cid) DO UPDATE SET request_id = excluded.request_id,
          status = excluded.status, error = excluded.error, changed_at_ms = excluded.changed_at_ms";
    FORGET_PIN = "DELETE FROM publication_pin WHERE collection_id = $1 AND place = $2 AND cid = $3";
}

impl Db {
    /// The publication of a collection that was fetched for whoever asks.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_publication(
        &self,
        collection: CollectionId,
    ) -> Result<Option<Publication>, DbError> {
        let row = self.fetch_optional(GET, args![collection]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Every publication of a family.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_publications(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Vec<Publication>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self.fetch(LIST, args![family]).await?;
        rows.iter().map(read).collect()
    }

    /// Notes what somebody consented to, and that it is begun with. A key that is there stays.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn begin_publication(
        &self,
        actor: &Actor,
        collection: &Collection,
        consent: &Consent,
    ) -> Result<Publication, DbError> {
        self.begin_with(actor, collection, consent, PublicationState::Publishing)
            .await
    }

    /// Notes the key of a collection that is written to an archive; a publication stays as it is.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn keep_publication_key(
        &self,
        actor: &Actor,
        collection: &Collection,
        consent: &Consent,
    ) -> Result<Publication, DbError> {
        self.begin_with(actor, collection, consent, PublicationState::Exported)
            .await
    }

    async fn begin_with(
        &self,
        actor: &Actor,
        collection: &Collection,
        consent: &Consent,
        state: PublicationState,
    ) -> Result<Publication, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let now_ms = clock::now_ms();
        let by = match actor {
            Actor::Operator => "operator".to_owned(),
            Actor::Member { account_id, .. } => account_id.to_string(),
            Actor::Stranger => "stranger".to_owned(),
        };
        let mut tx = self.begin().await?;
        if let Some((hash, bytes)) = consent.key {
            blob::add(&mut tx, hash, bytes, now_ms).await?;
        }
        let (statement, action) = match state {
            PublicationState::Exported => (KEEP_KEY, "publication.export"),
            _ => (BEGIN, "publication.consent"),
        };
        tx.execute(
            statement,
            args![
                collection.id,
                state.as_str(),
                consent.is_plain,
                consent.includes_private,
                &consent.layout,
                consent.key.map(|(hash, _)| hash),
                by,
                now_ms
            ],
        )
        .await?;
        if let Some((hash, _)) = consent.key {
            // Somebody may have been first with another key.
            blob::let_go(&mut tx, hash).await?;
        }
        let row = tx.fetch_optional(GET, args![collection.id]).await?;
        let publication = row.as_ref().map(read).transpose()?;
        let publication =
            publication.ok_or_else(|| DbError::not_found("publication", collection.id))?;
        let details = json!({
            "collection": collection.id, "name": collection.name, "is_plain": consent.is_plain,
            "includes_private": consent.includes_private,
        });
        audit::add(&mut tx, collection.family_id, actor, action, details).await?;
        tx.commit().await?;
        Ok(publication)
    }

    /// Takes in what was published of a collection elsewhere, without its key. `false` where something is known of it
    /// already, which stays.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn import_publication(
        &self,
        actor: &Actor,
        collection: &Collection,
        publication: &Publication,
        pins: &[Pin],
        sent: &[PublishedFile],
    ) -> Result<bool, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let id = collection.id;
        let mut tx = self.begin().await?;
        if tx.fetch_optional(GET, args![id]).await?.is_some() {
            return Ok(false);
        }
        let values = args![
            id,
            publication.state.as_str(),
            publication.is_plain,
            publication.includes_private,
            &publication.layout,
            &publication.consented_by,
            publication.consented_at_ms,
            publication.root_cid.clone(),
            publication.files,
            publication.bytes,
            publication.error.clone(),
            publication.published_at_ms,
            publication.unpinned_at_ms
        ];
        tx.execute(BRING, values).await?;
        for file in sent {
            let sent_at_ms = publication
                .published_at_ms
                .unwrap_or(publication.consented_at_ms);
            let values = args![id, &file.cid, file.asset_id, file.size_bytes, sent_at_ms];
            tx.execute(NOTE_SENT, values).await?;
        }
        for pin in pins {
            tx.execute(SAVE_PIN, pin_values(id, pin)).await?;
        }
        let details =
            json!({ "collection": id, "name": collection.name, "root": publication.root_cid });
        audit::add(
            &mut tx,
            collection.family_id,
            actor,
            "publication.import",
            details,
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Notes how far a publication is, and why it failed if it did.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn set_publication_state(
        &self,
        collection: CollectionId,
        state: PublicationState,
        error: Option<&str>,
    ) -> Result<(), DbError> {
        let error = error.map(str::to_owned);
        let mut tx = self.begin().await?;
        tx.execute(SET_STATE, args![collection, state.as_str(), error])
            .await?;
        tx.commit().await
    }

    /// Notes that all of a collection was published, in this folder.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn note_published(
        &self,
        actor: &Actor,
        collection: &Collection,
        root_cid: &str,
        files: i64,
        bytes: i64,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(
            PUBLISHED,
            args![collection.id, root_cid, files, bytes, clock::now_ms()],
        )
        .await?;
        let details = json!({ "collection": collection.id, "root": root_cid, "files": files });
        let family = collection.family_id;
        audit::add(&mut tx, family, actor, "publication.publish", details).await?;
        tx.commit().await
    }

    /// Notes that all who kept a publication were asked to let go.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn note_unpinned(
        &self,
        actor: &Actor,
        collection: &Collection,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(UNPINNED, args![collection.id, clock::now_ms()])
            .await?;
        let details = json!({ "collection": collection.id });
        let family = collection.family_id;
        audit::add(&mut tx, family, actor, "publication.unpin", details).await?;
        tx.commit().await
    }

    /// Whether a node was given this for a collection.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn is_sent(&self, collection: CollectionId, cid: &str) -> Result<bool, DbError> {
        let row = self
            .fetch_optional(FIND_SENT, args![collection, cid])
            .await?;
        Ok(row.is_some())
    }

    /// Whether a node was given this for another collection too.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn is_sent_elsewhere(
        &self,
        collection: CollectionId,
        cid: &str,
    ) -> Result<bool, DbError> {
        let row = self
            .fetch_optional(FIND_SENT_ELSEWHERE, args![cid, collection])
            .await?;
        Ok(row.is_some())
    }

    /// Notes that a node has this.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn note_sent(
        &self,
        collection: CollectionId,
        file: &PublishedFile,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(
            NOTE_SENT,
            args![
                collection,
                &file.cid,
                file.asset_id,
                file.size_bytes,
                clock::now_ms()
            ],
        )
        .await?;
        tx.commit().await
    }

    /// What a node was given for a collection, by its name there, from after `after`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_sent(
        &self,
        collection: CollectionId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<PublishedFile>, DbError> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .fetch(LIST_SENT, args![collection, after, most])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(PublishedFile {
                    cid: row.get(0)?,
                    asset_id: row.get(1)?,
                    size_bytes: row.get(2)?,
                })
            })
            .collect()
    }

    /// Forgets that a node was given this: it let go of it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn forget_sent(&self, collection: CollectionId, cid: &str) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(FORGET_SENT, args![collection, cid]).await?;
        tx.commit().await
    }

    /// Who was asked to keep folders of a collection.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_pins(&self, collection: CollectionId) -> Result<Vec<Pin>, DbError> {
        let rows = self.fetch(LIST_PINS, args![collection]).await?;
        rows.iter()
            .map(|row| {
                Ok(Pin {
                    place: row.word(0, "who keeps something", PinPlace::from_word)?,
                    cid: row.get(1)?,
                    request_id: row.get(2)?,
                    status: row.word(3, "how far somebody is", PinStatus::from_word)?,
                    error: row.get(4)?,
                    changed_at_ms: row.get(5)?,
                })
            })
            .collect()
    }

    /// Notes how far somebody is with keeping a folder.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn save_pin(&self, collection: CollectionId, pin: &Pin) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(SAVE_PIN, pin_values(collection, pin)).await?;
        tx.commit().await
    }

    /// Forgets who was asked to keep a folder: it is let go of.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn forget_pin(
        &self,
        collection: CollectionId,
        place: PinPlace,
        cid: &str,
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(FORGET_PIN, args![collection, place.as_str(), cid])
            .await?;
        tx.commit().await
    }
}

fn pin_values(collection: CollectionId, pin: &Pin) -> Vec<Value> {
    args![
        collection,
        pin.place.as_str(),
        &pin.cid,
        pin.request_id.clone(),
        pin.status.as_str(),
        pin.error.clone(),
        pin.changed_at_ms
    ]
}

fn read(row: &Row) -> Result<Publication, DbError> {
    Ok(Publication {
        collection_id: row.get(0)?,
        state: row.word(1, "how far a publication is", PublicationState::from_word)?,
        is_plain: row.get(2)?,
        includes_private: row.get(3)?,
        layout: row.get(4)?,
        key_hash: row.get(5)?,
        consented_by: row.get(6)?,
        consented_at_ms: row.get(7)?,
        root_cid: row.get(8)?,
        files: row.get(9)?,
        bytes: row.get(10)?,
        error: row.get(11)?,
        published_at_ms: row.get(12)?,
        unpinned_at_ms: row.get(13)?,
    })
}
