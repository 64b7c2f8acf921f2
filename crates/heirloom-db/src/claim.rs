//! Claims as they are stored, and what follows from them for the asset they are about.

mod batch;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heirloom_core::{
    Actor, ArtifactId, AssetId, ClaimBatchId, ClaimId, FamilyId, Subject, SubjectKind,
    claim::{Author, Claim, ClaimKind, ClaimValue, Statement, resolve},
    map::Position,
    permission::Action,
};
use serde_json::json;
use uuid::Uuid;

pub use batch::{BatchPage, ClaimBatch};
pub(crate) use batch::{STATEMENTS as BATCH_STATEMENTS, add_batch, list_batches};

use crate::{
    Db, DbError, Tx,
    asset::{self, Asset},
    audit, clock,
    once::{self, Once},
    place,
    row::Row,
    sql::statements,
    timeline,
    value::{Value, args},
};

/// A statement on its way into the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewClaim {
    /// What is stated.
    pub statement: Statement,
    /// Whether it is denied.
    pub is_negation: bool,
    /// Where its author has it from.
    pub source: String,
    /// How sure they are, 0 to 1.
    pub confidence: f32,
}

statements! {
    LIST_OF_SUBJECTS = "SELECT subject_id, id, subject_kind, subject_part, kind, value, is_negation,
          author_kind, author_id, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE subject_id IN ({list}) ORDER BY subject_id, id";
    LIST_SPEAKERS = "SELECT subject_id, id, subject_kind, subject_part, kind, value, is_negation,
          author_kind, author_id, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE subject_id IN ({list}) AND kind = 'speaker' AND undone_at_ms IS NULL
        ORDER BY subject_id, id";
    LIST_RATINGS = "SELECT subject_id, id, subject_kind, subject_part, kind, value, is_negation,
          author_kind, author_id, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE subject_id IN ({list}) AND kind = 'rating' AND undone_at_ms IS NULL";
    LIST_ABOUT_FACES = "SELECT subject_id, id, subject_kind, subject_part, kind, value, is_negation,
          author_kind, author_id, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE family_id = $1 AND subject_kind = 'face' AND undone_at_ms IS NULL";
    LIST_ABOUT_FACES_OF = "SELECT subject_id, id, subject_kind, subject_part, kind, value, is_negation,
          author_kind, author_id, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE subject_id IN ({list}) AND subject_kind = 'face' AND undone_at_ms IS NULL";
    LIST_TEXTS = "SELECT subject_id, id, subject_kind, subject_part, kind, value, is_negation,
          author_kind, author_id, source, confidence, made_at_ms, undone_at_ms
        FROM claim WHERE subject_id IN ({list}) AND undone_at_ms IS NULL
          AND kind NOT IN ('date', 'position', 'rating', 'orientation', 'group', 'same')";
    ADD = "INSERT INTO claim (subject_id, id, subject_kind, subject_part, family_id, kind, value,
          is_negation, author_kind, author_id, source, confidence, made_at_ms, undone_at_ms, carried_from_id,
          batch_id)
        VALUES {rows}";
    FIND_UNDONE = "SELECT undone_at_ms IS NOT NULL, author_kind FROM claim WHERE subject_id = $1 AND id = $2";
    SET_UNDONE = "UPDATE claim SET undone_at_ms = $3 WHERE subject_id = $1 AND id = $2";
    DELETE_OF_ARTIFACT = "DELETE FROM claim WHERE subject_id = $1 AND author_kind = 'artifact' AND author_id = $2";
    LIST_OF_ARTIFACT = "SELECT kind, value, is_negation, source, confidence FROM claim
        WHERE subject_id = $1 AND author_kind = 'artifact' AND author_id = $2";
    // What people said about the old asset holds for the one that replaces it.
    CARRY = "SELECT COALESCE(carried_from_id, id), subject_part, kind, value, is_negation, author_kind,
          author_id, source, confidence, made_at_ms, batch_id, subject_kind FROM claim
        WHERE subject_id = $1 AND author_kind <> 'artifact' AND undone_at_ms IS NULL ORDER BY id";
    LIST_CARRIED = "SELECT COALESCE(carried_from_id, id) FROM claim
        WHERE subject_id = $1 AND author_kind <> 'artifact'";
    // What says when the picture was taken, not when the file was written or what it is called.
    LIST_TIMES_TAKEN = "SELECT subject_id, value FROM claim
        WHERE subject_id IN ({list}) AND kind = 'date' AND author_kind = 'artifact' AND NOT is_negation
          AND confidence >= 0.6";
}

/// How many values an `ADD` row has.
const COLUMNS: usize = 16;

impl Db {
    /// Every claim about an asset, undone ones included, the oldest first.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see the asset.
    pub async fn list_claims(&self, actor: &Actor, id: AssetId) -> Result<Vec<Claim>, DbError> {
        self.get_asset(actor, id).await?;
        let rows = self
            .fetch_list(LIST_OF_SUBJECTS, args![], args![id])
            .await?;
        rows.iter().map(read).collect()
    }

    /// The texts that are claimed about each of some assets that were fetched for whoever asks.
    pub(crate) async fn list_text_claims(
        &self,
        assets: &[AssetId],
    ) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
        let list = assets.iter().map(|id| Value::from(*id)).collect();
        group(&self.fetch_list(LIST_TEXTS, args![], list).await?)
    }

    /// Says something about an asset, or about a stretch of one.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::Refused`] where this is not said of such a thing.
    pub async fn make_claim(
        &self,
        actor: &Actor,
        subject: impl Into<Subject> + Send,
        claim: NewClaim,
    ) -> Result<Claim, DbError> {
        self.make_claim_once(actor, subject, claim, None).await
    }

    /// Says something about an asset, or about a stretch of one, unless it was said with the same key before: then
    /// that claim is given.
    ///
    /// # Errors
    /// As [`make_claim`](Self::make_claim), and [`DbError::KeyReused`].
    pub async fn make_claim_once(
        &self,
        actor: &Actor,
        subject: impl Into<Subject> + Send,
        claim: NewClaim,
        once: Option<&Once>,
    ) -> Result<Claim, DbError> {
        let subject = subject.into();
        let id = AssetId::from_uuid(subject.id);
        require_subject(claim.statement.kind(), subject.kind)?;
        let asset = self.get_asset(actor, id).await?;
        actor.require(Action::MakeClaim, asset.family_id)?;
        let author = author(actor).ok_or_else(|| DbError::not_found("asset", id))?;
        if let Some(made) = self.find_claim_once(actor, &asset, once).await? {
            return Ok(made);
        }
        let claim = Claim {
            id: clock::new_id(),
            subject,
            statement: claim.statement,
            is_negation: claim.is_negation,
            author,
            source: claim.source,
            confidence: claim.confidence,
            made_at_ms: clock::now_ms(),
            undone_at_ms: None,
        };
        let mut tx = self.begin().await?;
        let remembered = once::remember(&mut tx, asset.family_id, once, claim.id.uuid()).await;
        if let Err(error) = remembered {
            drop(tx);
            // Somebody was quicker with the same key.
            let made = self.find_claim_once(actor, &asset, once).await?;
            return made.filter(|_| error.is_duplicate()).ok_or(error);
        }
        add(
            &mut tx,
            asset.family_id,
            vec![(claim.clone(), Provenance::default())],
        )
        .await?;
        asset::refresh(&mut tx, &[id]).await?;
        let details = json!({ "asset": id, "claim": claim.id });
        audit::add(&mut tx, asset.family_id, actor, "claim.make", details).await?;
        tx.commit().await?;
        Ok(claim)
    }

    async fn find_claim_once(
        &self,
        actor: &Actor,
        asset: &Asset,
        once: Option<&Once>,
    ) -> Result<Option<Claim>, DbError> {
        let Some(once) = once else { return Ok(None) };
        let Some(made) = self.find_made_once(asset.family_id, once).await? else {
            return Ok(None);
        };
        let claims = self.list_claims(actor, asset.id).await?;
        Ok(claims.into_iter().find(|claim| claim.id.uuid() == made))
    }

    /// Takes a person's claim back, or (`is_undone` false) holds to it again. A machine's claim is
    /// denied by a claim of one's own instead.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::Refused`] for a machine's claim.
    pub async fn undo_claim(
        &self,
        actor: &Actor,
        id: AssetId,
        claim: ClaimId,
        is_undone: bool,
    ) -> Result<(), DbError> {
        let asset = self.get_asset(actor, id).await?;
        actor.require(Action::MakeClaim, asset.family_id)?;
        let mut tx = self.begin().await?;
        let row = tx
            .fetch_optional(FIND_UNDONE, args![id, claim])
            .await?
            .ok_or_else(|| DbError::not_found("claim", claim))?;
        if row.get::<String>(1)? == "artifact" {
            return Err(DbError::Refused(
                "what a machine found cannot be undone, only denied: say that it is not so"
                    .to_owned(),
            ));
        }
        if row.get::<bool>(0)? != is_undone {
            let at = is_undone.then(clock::now_ms);
            tx.execute(SET_UNDONE, args![id, claim, at]).await?;
            asset::refresh(&mut tx, &[id]).await?;
            let action = if is_undone {
                "claim.undo"
            } else {
                "claim.redo"
            };
            let details = json!({ "asset": id, "claim": claim });
            audit::add(&mut tx, asset.family_id, actor, action, details).await?;
        }
        tx.commit().await
    }
}

/// Refuses to say of an asset what is said of a piece of one, and the other way round.
fn require_subject(kind: ClaimKind, subject: SubjectKind) -> Result<(), DbError> {
    if kind.subject_kind() == subject {
        return Ok(());
    }
    let of = match kind.subject_kind() {
        SubjectKind::Segment => "a stretch of a recording",
        SubjectKind::Page => "a strip of a page",
        SubjectKind::Face => "a face in a picture",
        _ => "a whole original",
    };
    Err(DbError::Refused(format!("{kind} is said of {of}")))
}

/// As whom somebody says something; nobody where nobody knows who it is.
pub(crate) fn author(actor: &Actor) -> Option<Author> {
    match actor {
        Actor::Operator => Some(Author::Operator),
        Actor::Member { account_id, .. } => Some(Author::Account(*account_id)),
        Actor::Stranger => None,
    }
}

/// Where a claim comes from, beside its author.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Provenance {
    /// The claim about another asset that it was carried from.
    pub(crate) carried_from: Option<ClaimId>,
    /// What it was said about together with others.
    pub(crate) batch: Option<ClaimBatchId>,
}

/// Stores claims, each with where it comes from.
pub(crate) async fn add(
    tx: &mut Tx,
    family: FamilyId,
    claims: Vec<(Claim, Provenance)>,
) -> Result<(), DbError> {
    let rows = claims
        .into_iter()
        .map(|(claim, provenance)| values(family, claim, provenance));
    tx.execute_rows(ADD, COLUMNS, rows.collect()).await?;
    Ok(())
}

/// The values of an `ADD` row.
fn values(family: FamilyId, claim: Claim, provenance: Provenance) -> Vec<Value> {
    let (author_kind, author_id) = match claim.author {
        Author::Operator => ("operator", None),
        Author::Account(id) => ("account", Some(id.uuid())),
        Author::Artifact(id) => ("artifact", Some(id.uuid())),
    };
    args![
        claim.subject.id,
        claim.id,
        claim.subject.kind.as_str(),
        claim.subject.part,
        family,
        claim.statement.kind().as_str(),
        claim.statement.value().to_json().to_string(),
        claim.is_negation,
        author_kind,
        author_id,
        claim.source,
        f64::from(claim.confidence),
        claim.made_at_ms,
        claim.undone_at_ms,
        provenance.carried_from,
        provenance.batch,
    ]
}

/// The claims about each of these assets.
pub(crate) async fn list_of_assets(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    let list = assets.iter().map(|id| Value::from(*id)).collect();
    group(&tx.fetch_list(LIST_OF_SUBJECTS, args![], list).await?)
}

/// The same outside of a transaction.
pub(crate) async fn list_all(
    db: &Db,
    assets: &[AssetId],
) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    let list = assets.iter().map(|id| Value::from(*id)).collect();
    group(&db.fetch_list(LIST_OF_SUBJECTS, args![], list).await?)
}

/// Who is said to speak in each of these assets, where anybody says so.
pub(crate) async fn list_speakers(
    db: &Db,
    assets: Vec<Value>,
) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    group(&db.fetch_list(LIST_SPEAKERS, args![], assets).await?)
}

/// How each of these assets is rated, where anybody rates it.
pub(crate) async fn list_ratings(
    db: &Db,
    assets: Vec<Value>,
) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    group(&db.fetch_list(LIST_RATINGS, args![], assets).await?)
}

/// What is said of faces, by the pictures that they are in.
pub(crate) async fn list_about_faces(
    db: &Db,
    family: FamilyId,
) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    group(&db.fetch(LIST_ABOUT_FACES, args![family]).await?)
}

/// What is said of the faces of these assets.
pub(crate) async fn list_about_faces_of(
    db: &Db,
    assets: Vec<Value>,
) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    group(&db.fetch_list(LIST_ABOUT_FACES_OF, args![], assets).await?)
}

fn group(rows: &[Row]) -> Result<HashMap<AssetId, Vec<Claim>>, DbError> {
    let mut claims: HashMap<AssetId, Vec<Claim>> = HashMap::new();
    for row in rows {
        let claim = read(row)?;
        claims
            .entry(AssetId::from_uuid(claim.subject.id))
            .or_default()
            .push(claim);
    }
    Ok(claims)
}

/// Takes away what an artifact claimed about an asset.
pub(crate) async fn delete_of_artifact(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
) -> Result<(), DbError> {
    tx.execute(DELETE_OF_ARTIFACT, args![asset, artifact])
        .await?;
    Ok(())
}

/// Whether these are just what an artifact claims about an asset, in whatever order.
pub(crate) async fn are_all_of_artifact(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
    claims: &[NewClaim],
) -> Result<bool, DbError> {
    let rows = tx.fetch(LIST_OF_ARTIFACT, args![asset, artifact]).await?;
    let mut before = Vec::with_capacity(rows.len());
    for row in &rows {
        before.push(NewClaim {
            statement: read_statement(row, 0)?,
            is_negation: row.get(2)?,
            source: row.get(3)?,
            confidence: read_confidence(row, 4)?,
        });
    }
    for claim in claims {
        let Some(at) = before.iter().position(|known| known == claim) else {
            return Ok(false);
        };
        before.swap_remove(at);
    }
    Ok(before.is_empty())
}

/// Makes what people said about `old` hold for `new` as well, each of it once.
pub(crate) async fn carry(
    tx: &mut Tx,
    family: FamilyId,
    old: AssetId,
    new: AssetId,
) -> Result<(), DbError> {
    let mut has: BTreeSet<ClaimId> = BTreeSet::new();
    for row in tx.fetch(LIST_CARRIED, args![new]).await? {
        has.insert(row.get(0)?);
    }
    let mut carried = Vec::new();
    for row in tx.fetch(CARRY, args![old]).await? {
        let from: ClaimId = row.get(0)?;
        if !has.insert(from) {
            continue;
        }
        let claim = Claim {
            id: clock::new_id(),
            subject: Subject {
                kind: row.word(11, "a subject kind", SubjectKind::from_word)?,
                id: new.uuid(),
                part: row.get(1)?,
            },
            statement: read_statement(&row, 2)?,
            is_negation: row.get(4)?,
            author: read_author(&row, 5)?,
            source: row.get(7)?,
            confidence: read_confidence(&row, 8)?,
            made_at_ms: row.get(9)?,
            undone_at_ms: None,
        };
        let provenance = Provenance {
            carried_from: Some(from),
            batch: row.get(10)?,
        };
        carried.push((claim, provenance));
    }
    add(tx, family, carried).await
}

/// When each of these assets was taken, to the second, as far as its bytes say so: each time that
/// they state, as the clock on the wall showed it.
pub(crate) async fn list_times_taken(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<BTreeMap<AssetId, BTreeSet<String>>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let mut times: BTreeMap<AssetId, BTreeSet<String>> = BTreeMap::new();
    for row in tx.fetch_list(LIST_TIMES_TAKEN, args![], list).await? {
        let (asset, date): (AssetId, String) = (row.get(0)?, row.get(1)?);
        // `"2019-07-14T15:00:00+02:00"`: without the quotation mark and the offset.
        if let Some(time) = date.get(1..20).filter(|time| time.contains('T')) {
            times.entry(asset).or_default().insert(time.to_owned());
        }
    }
    Ok(times)
}

/// What an asset's row keeps beside the claims, for listings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Believed {
    pub(crate) date: Option<String>,
    pub(crate) date_from_s: Option<i64>,
    pub(crate) date_until_s: Option<i64>,
    pub(crate) title: Option<String>,
    pub(crate) position: Option<Position>,
    pub(crate) place: Option<BelievedPlace>,
    pub(crate) language: Option<String>,
}

/// What a place is believed to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BelievedPlace {
    pub(crate) words: String,
    /// What says so, unless it is a person.
    pub(crate) artifact: Option<ArtifactId>,
}

impl Believed {
    pub(crate) fn of(claims: &[Claim]) -> Self {
        let best = |kind| {
            resolve(kind, claims)
                .believed
                .first()
                .map(|claim| claim.statement.value().clone())
        };
        let mut believed = Self::default();
        if let Some(ClaimValue::Date(date)) = best(ClaimKind::Date) {
            (believed.date_from_s, believed.date_until_s) = date.interval();
            believed.date = Some(date.to_string());
        }
        if let Some(ClaimValue::Text(title)) = best(ClaimKind::Title) {
            believed.title = Some(title);
        }
        if let Some(ClaimValue::Text(language)) = best(ClaimKind::Language) {
            believed.language = Some(language);
        }
        believed.position = place::position_of(claims);
        let place = resolve(ClaimKind::Place, claims).believed;
        believed.place = place
            .first()
            .and_then(|claim| match claim.statement.value() {
                ClaimValue::Text(words) => Some(BelievedPlace {
                    words: words.clone(),
                    artifact: match claim.author {
                        Author::Artifact(artifact) => Some(artifact),
                        Author::Operator | Author::Account(_) => None,
                    },
                }),
                _ => None,
            });
        believed
    }

    /// The key at which the asset stands in the timeline, if it is dated.
    pub(crate) fn timeline_key(&self) -> Option<i64> {
        timeline::dated_key((self.date_from_s, self.date_until_s))
    }
}

fn read(row: &Row) -> Result<Claim, DbError> {
    Ok(Claim {
        subject: Subject {
            id: row.get::<Uuid>(0)?,
            kind: row.word(2, "a subject kind", SubjectKind::from_word)?,
            part: row.get(3)?,
        },
        id: row.get(1)?,
        statement: read_statement(row, 4)?,
        is_negation: row.get(6)?,
        author: read_author(row, 7)?,
        source: row.get(9)?,
        confidence: read_confidence(row, 10)?,
        made_at_ms: row.get(11)?,
        undone_at_ms: row.get(12)?,
    })
}

pub(crate) fn read_statement(row: &Row, column: usize) -> Result<Statement, DbError> {
    let kind = row.word(column, "a claim kind", ClaimKind::from_word)?;
    let value: String = row.get(column + 1)?;
    serde_json::from_str(&value)
        .map_err(|error| DbError::unreadable("a claim", error))
        .and_then(|json| {
            Statement::from_json(kind, &json).map_err(|error| DbError::unreadable("a claim", error))
        })
}

fn read_author(row: &Row, column: usize) -> Result<Author, DbError> {
    let kind: String = row.get(column)?;
    let id: Option<Uuid> = row.get(column + 1)?;
    match (kind.as_str(), id) {
        ("operator", _) => Ok(Author::Operator),
        ("account", Some(id)) => Ok(Author::Account(id.into())),
        ("artifact", Some(id)) => Ok(Author::Artifact(id.into())),
        _ => Err(DbError::unreadable("a claim's author", kind)),
    }
}

fn read_confidence(row: &Row, column: usize) -> Result<f32, DbError> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "was a f32 when it was stored"
    )]
    Ok(row.get::<f64>(column)? as f32)
}
