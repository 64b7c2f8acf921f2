//! Assets that took another's place, settled once a scan has been everywhere.
//!
//! New bytes at a path mean that the file was edited, or that it was moved away and another came in
//! its place. Which of the two it was shows only when the scan has seen every folder. Until then the
//! pair is noted here, what it says of the outcome does not depend on the order of the folders, and a
//! scan that is killed or cancelled leaves it to the next.

use std::collections::BTreeSet;

use heirloom_core::{ArchiveId, AssetId};

use crate::{
    Db, DbError, Tx,
    archive::Archive,
    asset::{self, AssetState},
    claim,
    record::list_live,
    sql::statements,
    timeline,
    value::args,
};

statements! {
    NOTE = "INSERT INTO replacement (asset_id, replaced_asset_id, archive_id) VALUES ($1, $2, $3)
        ON CONFLICT (asset_id, replaced_asset_id) DO NOTHING";
    LIST = "SELECT asset_id, replaced_asset_id FROM replacement WHERE archive_id = $1
        ORDER BY asset_id, replaced_asset_id LIMIT $2";
    DELETE = "DELETE FROM replacement WHERE asset_id = $1 AND replaced_asset_id = $2";
    SET_REPLACED = "UPDATE asset SET state = $2, version = version + 1 WHERE id = $1";
    SET_REPLACES = "UPDATE asset SET replaces_asset_id = $2 WHERE id = $1 AND replaces_asset_id IS NULL";
    CARRY_MEMBERSHIPS = "INSERT INTO collection_member (collection_id, asset_id, position, added_at_ms)
        SELECT m.collection_id, $2, m.position, m.added_at_ms FROM collection_member m
        JOIN collection c ON c.id = m.collection_id AND c.frozen_at_ms IS NULL
        WHERE m.asset_id = $1 ON CONFLICT (collection_id, asset_id) DO NOTHING";
    CARRY_AUDIENCE = "UPDATE asset SET audience_id = (SELECT audience_id FROM asset WHERE id = $2)
        WHERE id = $1";
    GIVE_AUDIENCE_BACK = "UPDATE asset SET audience_id = $3 WHERE id = $1 AND replaces_asset_id IS NULL
        AND audience_id = (SELECT audience_id FROM asset WHERE id = $2)
        AND NOT EXISTS (SELECT 1 FROM replacement WHERE asset_id = $1)";
}

/// How many pairs one transaction settles.
const AT_ONCE: i64 = 100;

/// Notes that a new asset is where another was. Whoever may not see the other does not see this one
/// either, from the first moment on.
pub(crate) async fn note(
    tx: &mut Tx,
    archive: ArchiveId,
    asset: AssetId,
    replaced: AssetId,
) -> Result<(), DbError> {
    tx.execute(NOTE, args![asset, replaced, archive]).await?;
    tx.execute(CARRY_AUDIENCE, args![asset, replaced]).await?;
    Ok(())
}

impl Db {
    /// Decides what became of assets whose places hold newer bytes, once a scan has been everywhere:
    /// what is nowhere else was replaced, and what people said about it is carried over; what turned
    /// up elsewhere was moved, and the file at its old path is simply another. Gives how many were
    /// replaced.
    ///
    /// # Errors
    /// What the engine says; what was settled before stays so.
    pub async fn settle_replacements(&self, archive: &Archive) -> Result<usize, DbError> {
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
            let old = pairs.iter().map(|(_, old)| *old).collect();
            let live = list_live(&mut tx, &old).await?;
            for (new, old) in &pairs {
                tx.execute(DELETE, args![*new, *old]).await?;
                if live.contains(old) {
                    let audience = archive.audience_id;
                    tx.execute(GIVE_AUDIENCE_BACK, args![*new, *old, audience])
                        .await?;
                } else {
                    replace(&mut tx, archive, *new, *old).await?;
                    replaced += 1;
                }
            }
            let stale: BTreeSet<AssetId> =
                pairs.iter().flat_map(|(new, old)| [*new, *old]).collect();
            asset::refresh(&mut tx, &Vec::from_iter(stale)).await?;
            tx.commit().await?;
        }
    }
}

async fn replace(
    tx: &mut Tx,
    archive: &Archive,
    new: AssetId,
    old: AssetId,
) -> Result<(), DbError> {
    let state = AssetState::Replaced.as_str();
    tx.execute(SET_REPLACED, args![old, state]).await?;
    tx.execute(SET_REPLACES, args![new, old]).await?;
    tx.execute(CARRY_AUDIENCE, args![new, old]).await?;
    tx.execute(CARRY_MEMBERSHIPS, args![old, new]).await?;
    claim::carry(tx, archive.family_id, old, new).await
}
