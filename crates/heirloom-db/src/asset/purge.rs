//! Removing everything that is known about an asset, for good.

use heirloom_core::{Actor, AssetId, ContentHash, permission::Action};

use crate::{
    Db, DbError, Engine, Tx, audit, blob, clock, duplicate, face, imprint, meaning, migrate,
    search::document, sidecar, sql::statements, unit, value::args, voice,
};

/// What a purge left for the caller to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// Blobs that no row refers to any more; they are noted as unneeded until their bytes are removed.
    pub blobs: Vec<ContentHash>,
}

statements! {
    LIST_BLOBS = "SELECT blob_hash FROM artifact WHERE subject_id = $1 AND blob_hash IS NOT NULL
        UNION SELECT content_hash FROM original_blob WHERE asset_id = $1
        UNION SELECT o.content_hash FROM asset_sidecar k JOIN sidecar_origin o ON o.sidecar_id = k.sidecar_id
          WHERE k.asset_id = $1";
    DELETE_CLAIMS = "DELETE FROM claim WHERE subject_id = $1";
    DELETE_TEXT = "DELETE FROM asset_text WHERE asset_id = $1";
    DELETE_ARTIFACTS = "DELETE FROM artifact WHERE subject_id = $1";
    LIST_STACKS = "SELECT stack_id FROM stack_member WHERE asset_id = $1";
    DELETE_STACK_MEMBERS = "DELETE FROM stack_member WHERE stack_id = $1";
    DELETE_STACK = "DELETE FROM stack WHERE id = $1";
    // The others of its stacks are matched again by the next scan.
    UNSETTLE = "UPDATE folder SET is_settled = FALSE
        WHERE id IN (SELECT folder_id FROM asset_location WHERE asset_id = $1)";
    DELETE_PAGES = "DELETE FROM document_page WHERE asset_id = $1";
    DELETE_MEMBERSHIPS = "DELETE FROM collection_member WHERE asset_id = $1";
    DELETE_ORIGINAL_BLOB = "DELETE FROM original_blob WHERE asset_id = $1";
    DELETE_UPLOADS = "DELETE FROM upload WHERE asset_id = $1";
    DELETE_ORIGINS = "DELETE FROM asset_origin WHERE asset_id = $1";
    DELETE_LOCATIONS = "DELETE FROM asset_location WHERE asset_id = $1";
    DELETE_REPLACEMENTS = "DELETE FROM replacement WHERE asset_id = $1 OR replaced_asset_id = $1";
    FORGET_REPLACED = "UPDATE asset SET replaces_asset_id = NULL WHERE replaces_asset_id = $1";
    REMEMBER = "INSERT INTO purged_content (family_id, content_hash, purged_at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (family_id, content_hash) DO NOTHING";
    DELETE = "DELETE FROM asset WHERE id = $1";
    GET_KEY = "SELECT timeline_key FROM asset WHERE id = $1 /*pg FOR UPDATE */";
    COUNT_CHANGES = "/*lite SELECT total_changes() *//*pg SELECT 0::BIGINT */";
    // https://sqlite.org/fts5.html#the_merge_command
    MERGE = "/*lite INSERT INTO search_index (search_index, rank) VALUES ('merge', $1) *//*pg SELECT $1::BIGINT */";
}

/// How many pages of the index one transaction of a sweep writes, so that others have their turn.
const MERGED_AT_ONCE: i64 = 500;

impl Db {
    /// Removes everything that is known about a deleted asset: rows, claims, what was derived, its
    /// words in the index, the sidecars that described it alone, and its bytes in the vault. Its files in
    /// folder archives are not touched, and a later scan passes their bytes over. Copies of the catalogue
    /// that were made before migrating know the asset too, and are deleted first.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`]; [`DbError::Refused`] unless it was deleted first.
    pub async fn purge_asset(&self, actor: &Actor, id: AssetId) -> Result<Purged, DbError> {
        let asset = self.get_asset(actor, id).await?;
        actor.require(Action::PurgeAsset, asset.family_id)?;
        if asset.deleted_at_ms.is_none() {
            return Err(DbError::Refused(format!(
                "{:?} was not deleted yet: delete it first",
                asset.name
            )));
        }
        migrate::delete_copies(self).await?;
        let mut tx = self.begin().await?;
        let blobs = tx.fetch(LIST_BLOBS, args![id]).await?;
        let stacks = tx.fetch(LIST_STACKS, args![id]).await?;
        // It may have been dated anew since it was read.
        let row = tx.fetch_optional(GET_KEY, args![id]).await?;
        let row = row.ok_or_else(|| DbError::not_found("asset", id))?;
        document::delete(&mut tx, &[row.get(0)?]).await?;
        tx.execute(UNSETTLE, args![id]).await?;
        for stack in stacks {
            let stack: heirloom_core::StackId = stack.get(0)?;
            tx.execute(DELETE_STACK_MEMBERS, args![stack]).await?;
            tx.execute(DELETE_STACK, args![stack]).await?;
        }
        let mut contents = sidecar::purge(&mut tx, id).await?;
        contents.push(asset.content_hash);
        voice::delete(&mut tx, id).await?;
        face::delete(&mut tx, id).await?;
        imprint::delete(&mut tx, id).await?;
        meaning::delete(&mut tx, id).await?;
        duplicate::delete(&mut tx, id).await?;
        tx.execute(DELETE_TEXT, args![id]).await?;
        tx.execute(DELETE_ARTIFACTS, args![id]).await?;
        unit::delete_of_asset(&mut tx, id).await?;
        for statement in [
            DELETE_CLAIMS,
            DELETE_PAGES,
            DELETE_MEMBERSHIPS,
            DELETE_ORIGINAL_BLOB,
            DELETE_UPLOADS,
            DELETE_ORIGINS,
            DELETE_LOCATIONS,
            DELETE_REPLACEMENTS,
            FORGET_REPLACED,
            DELETE,
        ] {
            tx.execute(statement, args![id]).await?;
        }
        let mut purged = Purged::default();
        for blob in blobs {
            let hash = blob.get(0)?;
            if blob::let_go(&mut tx, hash).await? {
                purged.blobs.push(hash);
            }
        }
        for content in contents {
            tx.execute(REMEMBER, args![asset.family_id, content, clock::now_ms()])
                .await?;
        }
        let details = serde_json::json!({ "asset": id });
        audit::add(&mut tx, asset.family_id, actor, "asset.purge", details).await?;
        tx.commit().await?;
        Ok(purged)
    }

    /// Makes sure that nothing of what was purged lies about in the files of the catalogue: merges
    /// the index, folds the write-ahead log in, gives free pages back.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn sweep_purged(&self) -> Result<(), DbError> {
        if self.engine() == Engine::Postgres {
            return self.execute_alone("VACUUM".to_owned()).await;
        }
        // Documents that were taken out are gone once the parts of the index they stood in are
        // written anew: a negative number begins with all there are.
        let mut pages = -MERGED_AT_ONCE;
        loop {
            let mut tx = self.begin().await?;
            let before = count_changes(&mut tx).await?;
            tx.execute(MERGE, args![pages]).await?;
            let after = count_changes(&mut tx).await?;
            tx.commit().await?;
            // The statement itself counts as one.
            if after - before < 2 {
                break;
            }
            pages = MERGED_AT_ONCE;
        }
        let script = "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);";
        self.execute_alone(script.to_owned()).await
    }
}

async fn count_changes(tx: &mut Tx) -> Result<i64, DbError> {
    let row = tx.fetch_optional(COUNT_CHANGES, args![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}
