//! Assets that took another's place, settled once a scan has been everywhere.
//!
//! New bytes at a path mean that the file was edited, or that it was moved away and another came in
//! its place. Which of the two it was shows only when the scan has seen every folder. Until then the
//! pair is noted here, what it says of the outcome does not depend on the order of the folders, and a
//! scan that is killed or cancelled leaves it to the next.
//!
//! What is nowhere any more was replaced. What is still somewhere was copied before (a backup, or the
//! original that an editor put beside its work) or moved away (and the file at its old path is
//! another): the time at which either was taken tells, and where it does not, whether the old one was
//! seen at both places by the last whole scan. In doubt nobody sees more than before.

use std::collections::{BTreeMap, BTreeSet};

use heirloom_core::{ArchiveId, AssetId};

use crate::{
    Db, DbError, Tx,
    archive::Archive,
    asset::{self, AssetState},
    claim,
    sql::statements,
    timeline,
    value::{Value, args},
};

statements! {
    NOTE = "INSERT INTO replacement (asset_id, replaced_asset_id, archive_id) VALUES ($1, $2, $3)
        ON CONFLICT (asset_id, replaced_asset_id) DO NOTHING";
    NOTE_LAST = "INSERT INTO replacement (asset_id, replaced_asset_id, archive_id)
        SELECT a.id, a.replaces_asset_id, $1 FROM asset a
        WHERE a.state = 'present' AND a.replaces_asset_id IN ({list})
        ON CONFLICT (asset_id, replaced_asset_id) DO NOTHING";
    LIST = "SELECT asset_id, replaced_asset_id FROM replacement WHERE archive_id = $1
        ORDER BY asset_id, replaced_asset_id LIMIT $2";
    DELETE = "DELETE FROM replacement WHERE asset_id = $1 AND replaced_asset_id = $2";
    LIST_FOUND = "SELECT asset_id, MIN(found_at_ms) FROM asset_location
        WHERE gone_at_ms IS NULL AND asset_id IN ({list}) GROUP BY asset_id";
    IS_BEFORE = "WITH RECURSIVE before (id) AS (
          SELECT replaces_asset_id FROM asset WHERE id = $2 AND replaces_asset_id IS NOT NULL
          UNION SELECT a.replaces_asset_id FROM asset a JOIN before b ON b.id = a.id
          WHERE a.replaces_asset_id IS NOT NULL)
        SELECT 1 FROM before WHERE id = $1";
    SET_REPLACED = "UPDATE asset SET state = $2, version = version + 1 WHERE id = $1";
    SET_REPLACES = "UPDATE asset SET replaces_asset_id = $2 WHERE id = $1 AND replaces_asset_id IS NULL";
    TAKE_OUT = "UPDATE asset SET replaces_asset_id = (SELECT replaces_asset_id FROM asset WHERE id = $1)
        WHERE replaces_asset_id = $1";
    CLEAR_REPLACES = "UPDATE asset SET replaces_asset_id = NULL WHERE id = $1";
    CARRY_MEMBERSHIPS = "INSERT INTO collection_member (collection_id, asset_id, position, added_at_ms)
        SELECT m.collection_id, $2, m.position, m.added_at_ms FROM collection_member m
        JOIN collection c ON c.id = m.collection_id AND c.frozen_at_ms IS NULL
        WHERE m.asset_id = $1 ON CONFLICT (collection_id, asset_id) DO NOTHING";
    CARRY_DELETION = "UPDATE asset SET deleted_at_ms = (SELECT deleted_at_ms FROM asset WHERE id = $2)
        WHERE id = $1 AND deleted_at_ms IS NULL";
    HIDE = "UPDATE asset SET audience_id = (SELECT audience_id FROM asset WHERE id = $2) WHERE id = $1";
    // Who may see it becomes fewer, never more.
    CARRY_AUDIENCE = "UPDATE asset SET audience_id = (SELECT audience_id FROM asset WHERE id = $2)
        WHERE id = $1 AND audience_id = (SELECT audience_id FROM family WHERE id = family_id)";
    GIVE_AUDIENCE_BACK = "UPDATE asset SET audience_id = $3 WHERE id = $1 AND replaces_asset_id IS NULL
        AND audience_id = (SELECT audience_id FROM asset WHERE id = $2)
        AND NOT EXISTS (SELECT 1 FROM replacement WHERE asset_id = $1)";
}

/// How many pairs one transaction settles.
const AT_ONCE: i64 = 100;

/// Notes that a new asset is where another was. Whoever may not see the other does not see this one
/// either, from the first moment on.
pub(crate) async fn note_new(
    tx: &mut Tx,
    archive: ArchiveId,
    asset: AssetId,
    replaced: AssetId,
) -> Result<(), DbError> {
    tx.execute(NOTE, args![asset, replaced, archive]).await?;
    tx.execute(HIDE, args![asset, replaced]).await?;
    Ok(())
}

/// Notes that a known asset is where another was, if one of them is an edit of the other: an edit was
/// taken back, or brought to one more copy. Any other known file at that path was moved there.
pub(crate) async fn note_known(
    tx: &mut Tx,
    archive: ArchiveId,
    asset: AssetId,
    replaced: AssetId,
) -> Result<(), DbError> {
    if is_before(tx, asset, replaced).await? || is_before(tx, replaced, asset).await? {
        tx.execute(NOTE, args![asset, replaced, archive]).await?;
    }
    Ok(())
}

/// Notes of assets that are nowhere any more which ones had replaced them at some path.
pub(crate) async fn note_lost(
    tx: &mut Tx,
    archive: ArchiveId,
    lost: &[AssetId],
) -> Result<(), DbError> {
    let list = lost.iter().map(|asset| Value::from(*asset)).collect();
    tx.execute_list(NOTE_LAST, args![archive], list).await?;
    Ok(())
}

impl Db {
    /// Decides what became of assets whose places hold newer bytes, once a scan has been everywhere:
    /// whether these are an edit, so that what people said holds for them too. `last_scan_ms` is what
    /// [`Db::last_scan_ms`] said when the scan began. Gives how many assets were replaced.
    ///
    /// # Errors
    /// What the engine says; what was settled before stays so.
    pub async fn settle_replacements(
        &self,
        archive: &Archive,
        last_scan_ms: i64,
    ) -> Result<usize, DbError> {
        let mut replaced = 0;
        loop {
            let mut tx = self.begin().await?;
            timeline::lock(&mut tx).await?;
            let mut pairs: Vec<(AssetId, AssetId)> = Vec::new();
            for row in tx.fetch(LIST, args![archive.id, AT_ONCE]).await? {
                pairs.push((row.get(0)?, row.get(1)?));
            }
            if pairs.is_empty() {
                return Ok(replaced);
            }
            let both: BTreeSet<AssetId> =
                pairs.iter().flat_map(|(new, old)| [*new, *old]).collect();
            let both = Vec::from_iter(both);
            let found = list_found(&mut tx, &both).await?;
            let taken = claim::list_times_taken(&mut tx, &both).await?;
            for (new, old) in pairs {
                tx.execute(DELETE, args![new, old]).await?;
                let is_same_moment = match (taken.get(&new), taken.get(&old)) {
                    (Some(new), Some(old)) => Some(!new.is_disjoint(old)),
                    _ => None,
                };
                let is_edit = match found.get(&old) {
                    None => true,
                    Some(found_at_ms) => is_same_moment.unwrap_or(*found_at_ms <= last_scan_ms),
                };
                if is_edit {
                    take_over(&mut tx, archive, new, old).await?;
                } else if is_same_moment == Some(false) {
                    let audience = archive.audience_id;
                    tx.execute(GIVE_AUDIENCE_BACK, args![new, old, audience])
                        .await?;
                }
                if !found.contains_key(&old) {
                    let state = AssetState::Replaced.as_str();
                    tx.execute(SET_REPLACED, args![old, state]).await?;
                    replaced += 1;
                }
            }
            asset::refresh(&mut tx, &both).await?;
            tx.commit().await?;
        }
    }
}

/// Makes what people said and decided about `old` hold for `new`.
async fn take_over(
    tx: &mut Tx,
    archive: &Archive,
    new: AssetId,
    old: AssetId,
) -> Result<(), DbError> {
    if !is_before(tx, old, new).await? {
        if is_before(tx, new, old).await? {
            // An edit that was taken back: what it was made of is the newest now.
            tx.execute(TAKE_OUT, args![new]).await?;
            tx.execute(CLEAR_REPLACES, args![new]).await?;
        }
        tx.execute(SET_REPLACES, args![new, old]).await?;
        tx.execute(CARRY_AUDIENCE, args![new, old]).await?;
        tx.execute(CARRY_DELETION, args![new, old]).await?;
    }
    tx.execute(CARRY_MEMBERSHIPS, args![old, new]).await?;
    claim::carry(tx, archive.family_id, old, new).await
}

/// Whether `later` replaced `earlier`, or what replaced that.
async fn is_before(tx: &mut Tx, earlier: AssetId, later: AssetId) -> Result<bool, DbError> {
    let found = tx.fetch_optional(IS_BEFORE, args![earlier, later]).await?;
    Ok(found.is_some())
}

/// Since when each of these assets that is somewhere is known to be there.
async fn list_found(tx: &mut Tx, assets: &[AssetId]) -> Result<BTreeMap<AssetId, i64>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let rows = tx.fetch_list(LIST_FOUND, args![], list).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}
