//! One statement about many assets, made and taken back at once: a box of scans is from about 1953.
//!
//! Each asset has a claim of its own, so what is believed of it follows as always, and one of them can be
//! taken back alone. The batch is what they have in common, and nothing else is kept of it.

use heirloom_core::{
    Actor, AssetId, ClaimBatchId, FamilyId, Subject, SubjectKind,
    claim::{Author, Claim, ClaimKind, Statement},
    permission::Action,
};
use serde_json::json;

use super::{NewClaim, Provenance, add, author, read_confidence, read_statement, require_subject};
use crate::{
    Db, DbError, Tx, asset, audit, clock,
    once::{self, Once},
    sql::{Sql, statements},
    timeline,
    value::{Value, args},
};

/// A statement about many assets, as far as whoever asks may see them.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimBatch {
    /// Its id.
    pub id: ClaimBatchId,
    /// What is stated.
    pub statement: Statement,
    /// Whether it is denied.
    pub is_negation: bool,
    /// Where its author has it from.
    pub source: String,
    /// How sure they are, 0 to 1.
    pub confidence: f32,
    /// When it was made.
    pub made_at_ms: i64,
    /// About which assets it is.
    pub assets: Vec<AssetId>,
    /// Of how many of them it was taken back.
    pub undone_count: usize,
}

/// A page of what was said at once, the last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPage<T> {
    /// What was said.
    pub items: Vec<T>,
    /// From where to go on, unless this was the last page.
    pub next: Option<ClaimBatchId>,
}

statements! {
    LIST = "SELECT subject_id, kind, value, is_negation, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE batch_id = $1 AND family_id = $2 ORDER BY subject_id";
    UNDO = "UPDATE claim SET undone_at_ms = $2
        WHERE batch_id = $1 AND undone_at_ms IS NULL AND subject_id IN ({list})";
    REDO = "UPDATE claim SET undone_at_ms = NULL
        WHERE batch_id = $1 AND undone_at_ms = $2 AND subject_id IN ({list})";
}

/// What is stored of a batch, and about which assets it is.
struct Stored {
    batch: ClaimBatch,
    /// Each asset with when it was taken back of it.
    assets: Vec<(AssetId, Option<i64>)>,
}

impl Db {
    /// Says the same about each of these assets, or about none of them; unless it was said with the same
    /// key before: then what was made is given.
    ///
    /// # Errors
    /// [`DbError::NotFound`] for an asset that is not there or that the actor may not see,
    /// [`DbError::Denied`], [`DbError::KeyReused`], [`DbError::Refused`] without any asset.
    pub async fn make_claims_once(
        &self,
        actor: &Actor,
        family: FamilyId,
        assets: &[AssetId],
        claim: NewClaim,
        once: Option<&Once>,
    ) -> Result<ClaimBatch, DbError> {
        actor.require(Action::MakeClaim, family)?;
        require_subject(claim.statement.kind(), SubjectKind::Asset)?;
        let assets = self.require_assets(actor, family, assets).await?;
        let first = assets
            .first()
            .ok_or_else(|| DbError::Refused("this would be about nothing".to_owned()))?;
        let author = author(actor).ok_or_else(|| DbError::not_found("asset", first))?;
        if let Some(made) = self.find_batch_once(actor, family, once).await? {
            return Ok(made);
        }
        let id: ClaimBatchId = clock::new_id();
        let mut tx = self.begin().await?;
        let remembered = once::remember(&mut tx, family, once, id.uuid()).await;
        if let Err(error) = remembered {
            drop(tx);
            // Somebody was quicker with the same key.
            let made = self.find_batch_once(actor, family, once).await?;
            return made.filter(|_| error.is_duplicate()).ok_or(error);
        }
        lock_timeline(&mut tx, claim.statement.kind()).await?;
        let said = assets
            .iter()
            .map(|asset| (Subject::asset(*asset), claim.clone()));
        let made_at_ms = add_batch(&mut tx, family, author, id, said.collect()).await?;
        let details = json!({
            "batch": id, "kind": claim.statement.kind().as_str(), "assets": assets.len(),
        });
        audit::add(&mut tx, family, actor, "claim.make_batch", details).await?;
        tx.commit().await?;
        Ok(ClaimBatch {
            id,
            statement: claim.statement,
            is_negation: claim.is_negation,
            source: claim.source,
            confidence: claim.confidence,
            made_at_ms,
            assets,
            undone_count: 0,
        })
    }

    /// Takes all of a batch back that still holds, or (`is_undone` false) holds again to what was taken
    /// back of it last. What the actor may not see of it stays as it is.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may see nothing of it; [`DbError::Denied`].
    pub async fn undo_claims(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: ClaimBatchId,
        is_undone: bool,
    ) -> Result<ClaimBatch, DbError> {
        let found = self.find_batch(actor, family, id).await?;
        let Stored { batch, assets } = found.ok_or_else(|| no_batch(id))?;
        actor.require(Action::MakeClaim, family)?;
        let last = assets.iter().filter_map(|(_, undone)| *undone).max();
        let wanted = |undone: Option<i64>| match is_undone {
            true => undone.is_none(),
            false => undone.is_some() && undone == last,
        };
        let changed = assets.iter().filter(|(_, undone)| wanted(*undone));
        let changed = asset::in_order(changed.map(|(asset, _)| *asset).collect());
        if changed.is_empty() {
            return Ok(batch);
        }
        let mut tx = self.begin().await?;
        lock_timeline(&mut tx, batch.statement.kind()).await?;
        asset::lock(&mut tx, &changed).await?;
        let list = changed.iter().map(|asset| Value::from(*asset)).collect();
        let (statement, at, action) = match is_undone {
            true => (UNDO, clock::now_ms(), "claim.undo_batch"),
            false => (REDO, last.unwrap_or_default(), "claim.redo_batch"),
        };
        tx.execute_list(statement, args![id, at], list).await?;
        asset::refresh_many(&mut tx, &changed).await?;
        let details = json!({ "batch": id, "assets": changed.len() });
        audit::add(&mut tx, family, actor, action, details).await?;
        tx.commit().await?;
        let found = self.find_batch(actor, family, id).await?;
        found.map(|stored| stored.batch).ok_or_else(|| no_batch(id))
    }

    /// These assets [in order](asset::in_order), all of which have to be there and the actor's to see.
    pub(crate) async fn require_assets(
        &self,
        actor: &Actor,
        family: FamilyId,
        assets: &[AssetId],
    ) -> Result<Vec<AssetId>, DbError> {
        let wanted = asset::in_order(assets.to_vec());
        let seen = self.find_assets(actor, &wanted).await?;
        let seen: Vec<AssetId> = seen
            .into_iter()
            .filter(|asset| asset.family_id == family)
            .map(|asset| asset.id)
            .collect();
        match wanted.iter().find(|id| seen.binary_search(id).is_err()) {
            Some(missing) => Err(DbError::not_found("asset", missing)),
            None => Ok(wanted),
        }
    }

    async fn find_batch_once(
        &self,
        actor: &Actor,
        family: FamilyId,
        once: Option<&Once>,
    ) -> Result<Option<ClaimBatch>, DbError> {
        let Some(once) = once else { return Ok(None) };
        let Some(made) = self.find_made_once(family, once).await? else {
            return Ok(None);
        };
        let found = self.find_batch(actor, family, made.into()).await?;
        Ok(found.map(|stored| stored.batch))
    }

    /// A batch, as far as the actor may see what it is about.
    async fn find_batch(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: ClaimBatchId,
    ) -> Result<Option<Stored>, DbError> {
        let rows = self.fetch(LIST, args![id, family]).await?;
        let mut assets: Vec<(AssetId, Option<i64>)> = Vec::with_capacity(rows.len());
        for row in &rows {
            assets.push((row.get(0)?, row.get(7)?));
        }
        // Of faces, several things are said at once.
        assets.dedup_by_key(|(asset, _)| *asset);
        let ids: Vec<AssetId> = assets.iter().map(|(asset, _)| *asset).collect();
        let seen = self.find_assets(actor, &ids).await?;
        assets.retain(|(id, _)| seen.binary_search_by_key(id, |asset| asset.id).is_ok());
        let (Some(row), false) = (rows.first(), assets.is_empty()) else {
            return Ok(None);
        };
        let batch = ClaimBatch {
            id,
            statement: read_statement(row, 1)?,
            is_negation: row.get(3)?,
            source: row.get(4)?,
            confidence: read_confidence(row, 5)?,
            made_at_ms: row.get(6)?,
            assets: assets.iter().map(|(id, _)| *id).collect(),
            undone_count: assets.iter().filter(|(_, at)| at.is_some()).count(),
        };
        Ok(Some(Stored { batch, assets }))
    }
}

/// Says all of this at once, as one batch; when that was.
pub(crate) async fn add_batch(
    tx: &mut Tx,
    family: FamilyId,
    author: Author,
    id: ClaimBatchId,
    said: Vec<(Subject, NewClaim)>,
) -> Result<i64, DbError> {
    let made_at_ms = clock::now_ms();
    let about = said
        .iter()
        .map(|(subject, _)| AssetId::from_uuid(subject.id));
    let assets = asset::in_order(about.collect());
    let claims = said.into_iter().map(|(subject, claim)| {
        let claim = Claim {
            id: clock::new_id(),
            subject,
            statement: claim.statement,
            is_negation: claim.is_negation,
            author,
            source: claim.source,
            confidence: claim.confidence,
            made_at_ms,
            undone_at_ms: None,
        };
        let provenance = Provenance {
            batch: Some(id),
            ..Provenance::default()
        };
        (claim, provenance)
    });
    add(tx, family, claims.collect()).await?;
    asset::refresh_many(tx, &assets).await?;
    Ok(made_at_ms)
}

/// A page of batches of which the actor may see something. The statement takes the family, the batch before which they were
/// made, how many, and the audiences.
pub(crate) async fn list_batches(
    db: &Db,
    actor: &Actor,
    family: FamilyId,
    statement: Sql,
    (before, limit): (Option<ClaimBatchId>, usize),
) -> Result<BatchPage<ClaimBatchId>, DbError> {
    actor.require(Action::ViewAsset, family)?;
    let audiences = db.list_audiences(family, &actor.sight(family)).await?;
    let audiences = audiences.into_iter().map(Value::from).collect();
    let before = before.map_or_else(|| vec![0xff; 16], |id| id.as_bytes().to_vec());
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let arguments = args![family, before, wanted];
    let rows = db.fetch_list(statement, arguments, audiences).await?;
    let items = rows.iter().map(|row| row.get(0));
    let mut items: Vec<ClaimBatchId> = items.collect::<Result<_, _>>()?;
    // A long list of audiences is asked about in parts.
    items.sort_unstable_by(|a, b| b.cmp(a));
    items.dedup();
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().copied().filter(|_| has_more);
    Ok(BatchPage { items, next })
}

/// Dates give assets other places in the timeline: this is held before any asset is.
async fn lock_timeline(tx: &mut Tx, kind: ClaimKind) -> Result<(), DbError> {
    if kind == ClaimKind::Date {
        timeline::lock(tx).await?;
    }
    Ok(())
}

fn no_batch(id: ClaimBatchId) -> DbError {
    DbError::not_found("claim batch", id)
}
