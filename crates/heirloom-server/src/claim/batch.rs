//! One statement about many assets, made and taken back at once.

use std::collections::HashSet;

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{
    Actor, AssetId, ClaimBatchId, SubjectKind,
    claim::{ClaimKind, Statement},
};
use heirloom_db::claim::NewClaim;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{check_confidence, follow, once};
use crate::{
    actor::Asker,
    collection::check_number,
    extract::{Body, IdPath, IdempotencyKey},
    library::Library,
    problem::{Code, Problem},
    wire,
};

/// What writes thousands of search documents takes as long as it takes.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(make_claims))
        .routes(routes!(undo_claims))
        .routes(routes!(redo_claims))
}

/// Says the same about many assets at once, up to 5,000: about all of them or about none. Each has a claim of
/// its own, and all can be taken back at once.
#[utoipa::path(post, path = "/api/v1/claims", tag = "claim", params(
    ("idempotency-key" = Option<String>, Header, description = "The same key says the same once"),
), request_body = wire::NewClaimBatch, responses(
    (status = 201, description = "What was said, and about how many", body = wire::ClaimBatch),
    (status = 404, description = "One of the assets is not there", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "The value does not fit, or the key was used for something else", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn make_claims(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<wire::NewClaimBatch>,
) -> Result<(StatusCode, Json<wire::ClaimBatch>), Problem> {
    check_number(&new.assets)?;
    check_confidence(new.confidence)?;
    let once = key.map(|key| once(&actor, &key, &("claims", &new)));
    let statement = Statement::from_json(new.kind, &new.value)?;
    if new.kind.subject_kind() != SubjectKind::Asset {
        let what = format!("{} is claimed of a piece of one original", new.kind);
        return Err(Problem::new(Code::InvalidClaim, what).hint("Say it of each of them."));
    }
    let assets = match new.only_unplaced {
        true => unplaced(&library, &actor, &new).await?,
        false => new.assets,
    };
    let claim = NewClaim {
        statement,
        is_negation: new.is_negation,
        source: new.source,
        confidence: new.confidence,
    };
    let (db, family) = (library.db(), library.family().id);
    let batch = db
        .make_claims_once(&actor, family, &assets, claim, once.as_ref())
        .await?;
    follow(&library, batch.statement.kind(), &batch.assets).await;
    Ok((StatusCode::CREATED, Json(wire::ClaimBatch::from(&batch))))
}

/// Those of which no position is known.
async fn unplaced(
    library: &Library,
    actor: &Actor,
    new: &wire::NewClaimBatch,
) -> Result<Vec<AssetId>, Problem> {
    if new.kind != ClaimKind::Position {
        let what = "`only_unplaced` is for claims of a position";
        return Err(Problem::new(Code::InvalidRequest, what).hint("Leave it out."));
    }
    let found = library.db().find_assets(actor, &new.assets).await?;
    let placed: HashSet<AssetId> = found
        .iter()
        .filter(|asset| asset.position.is_some())
        .map(|asset| asset.id)
        .collect();
    let mut left = new.assets.clone();
    left.retain(|asset| !placed.contains(asset));
    match left.is_empty() {
        true => Err(Problem::new(
            Code::Refused,
            "a position is known of each of these already",
        )
        .hint("To correct it, leave `only_unplaced` out.")),
        false => Ok(left),
    }
}

/// Takes back at once what was said about many assets at once, as far as it still holds.
#[utoipa::path(post, path = "/api/v1/claims/{id}/undo", tag = "claim", params(
    ("id" = String, Path, description = "What was said at once", format = "uuid"),
), responses(
    (status = 200, description = "What was said, and of how many it is taken back", body = wire::ClaimBatch),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn undo_claims(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ClaimBatchId>,
) -> Result<Json<wire::ClaimBatch>, Problem> {
    set_undone(&library, &actor, id, true).await
}

/// Holds again to what was taken back at once.
#[utoipa::path(post, path = "/api/v1/claims/{id}/redo", tag = "claim", params(
    ("id" = String, Path, description = "What was said at once", format = "uuid"),
), responses(
    (status = 200, description = "What was said, and of how many it is taken back", body = wire::ClaimBatch),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn redo_claims(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ClaimBatchId>,
) -> Result<Json<wire::ClaimBatch>, Problem> {
    set_undone(&library, &actor, id, false).await
}

async fn set_undone(
    library: &Library,
    actor: &Actor,
    id: ClaimBatchId,
    is_undone: bool,
) -> Result<Json<wire::ClaimBatch>, Problem> {
    let (db, family) = (library.db(), library.family().id);
    let batch = db.undo_claims(actor, family, id, is_undone).await?;
    follow(library, batch.statement.kind(), &batch.assets).await;
    Ok(Json(wire::ClaimBatch::from(&batch)))
}
