//! Claims: made, taken back, held to again.

pub(crate) mod batch;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use heirloom_core::{
    Actor, Area, AssetId, ClaimId, Glimpse, MediaKind, Segment, Strip, Subject, SubjectKind,
    claim::{ClaimKind, Statement},
    reading::Corners,
};
use heirloom_db::{artifact::Part, asset::Asset, claim::NewClaim, once::Once};
use heirloom_pipeline::{place::name_positions, tool::pages::PAGES};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::{Body, IdPath, IdempotencyKey, parse_id},
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(make_claim))
        .routes(routes!(undo_claim))
        .routes(routes!(redo_claim))
}

/// Says something about an asset, about what is said in a stretch of it, or about what is written on its pages. Nothing is overwritten: what is believed
/// follows from all claims.
#[utoipa::path(post, path = "/api/v1/assets/{id}/claims", tag = "claim", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    ("idempotency-key" = Option<String>, Header, description = "The same key makes the same claim once"),
), request_body = wire::NewClaim, responses(
    (status = 201, description = "The claim", body = wire::Claim),
    (status = 422, description = "The value does not fit, or the key was used for something else", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn make_claim(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<wire::NewClaim>,
) -> Result<(StatusCode, Json<wire::Claim>), Problem> {
    check_confidence(new.confidence)?;
    let subject = subject_of(&library, &actor, id, &new).await?;
    let once = key.map(|key| once(&actor, &key, &("claim", id, &new)));
    let claim = NewClaim {
        statement: Statement::from_json(new.kind, &new.value)?,
        is_negation: new.is_negation,
        source: new.source,
        confidence: new.confidence,
    };
    let claim = library
        .db()
        .make_claim_once(&actor, subject, claim, once.as_ref())
        .await?;
    follow(&library, claim.statement.kind(), &[id]).await;
    Ok((StatusCode::CREATED, Json(wire::Claim::from(&claim))))
}

/// Players say that they are so much farther than a recording is long.
const PLAYED_MS: u64 = 1_000;

/// What a claim is about: an asset, a stretch of one that is heard, or a strip of a page.
async fn subject_of(
    library: &Library,
    actor: &Actor,
    id: AssetId,
    new: &wire::NewClaim,
) -> Result<Subject, Problem> {
    let refuse = |what: String| Problem::new(Code::InvalidClaim, what);
    let kind = new.kind;
    if let SubjectKind::Face = kind.subject_kind() {
        let missing = || {
            let refused = refuse(format!("{kind} is claimed of a face in a picture"));
            refused.hint("Say where it is: `area` with left, top, width and height as shares.")
        };
        let shares = new.area.clone().and_then(|it| it.try_into().ok());
        let area = Area::new(shares.ok_or_else(missing)?);
        let area = area.map_err(|error| refuse(error.to_string()).hint("It lies in the picture."));
        let (at_ms, area) = (new.at_ms, area?);
        return Ok(Subject::face(id, Glimpse { at_ms, area }));
    }
    match (kind.subject_kind(), new.at, new.on) {
        (SubjectKind::Segment, Some(at), None) => {
            let segment = Segment::new(at.start_ms, at.end_ms)
                .map_err(|error| refuse(error.to_string()).hint("It ends after it begins."))?;
            let asset = library.db().get_asset(actor, id).await?;
            if !matches!(asset.kind, MediaKind::Video | MediaKind::Audio) {
                let refused = refuse("nothing is said in this original".to_owned());
                return Err(refused.hint("It is neither a film nor a recording."));
            }
            let Some(length) = asset.duration_ms.and_then(|ms| u64::try_from(ms).ok()) else {
                return Ok(Subject::segment(id, segment));
            };
            if at.start_ms >= length || at.end_ms > length + PLAYED_MS {
                let refused = refuse(format!("the recording is over after {length} ms"));
                return Err(refused.hint("Say where in it, in milliseconds from its beginning."));
            }
            Ok(Subject::segment(id, segment))
        }
        (SubjectKind::Segment, ..) => Err(refuse(format!(
            "{kind} is claimed of a stretch of a recording"
        ))
        .hint("Say which, and nothing else: `at` with `start_ms` and `end_ms`.")),
        (SubjectKind::Page, None, Some(on)) => {
            let strip = Strip::new(on.page, Corners(on.corners)).map_err(|error| {
                refuse(error.to_string())
                    .hint("They follow one another around it, two shares from 0 to 1 each.")
            })?;
            let asset = library.db().get_asset(actor, id).await?;
            match count_pages(library, &asset).await? {
                Some(0) => Err(refuse("nothing can be read in this original".to_owned())
                    .hint("It is neither a picture nor a document with pages.")),
                Some(count) if strip.page() > count => {
                    Err(refuse(format!("there is no page {}", strip.page()))
                        .hint(format!("Its last page is {count}.")))
                }
                _ => Ok(Subject::strip(id, strip)),
            }
        }
        (SubjectKind::Page, ..) => Err(refuse(format!("{kind} is claimed of a strip of a page"))
            .hint("Say which, and nothing else: `on` with `page` and `corners`.")),
        (_, None, None) => Ok(Subject::asset(id)),
        _ => Err(refuse(format!("{kind} is claimed of a whole original"))
            .hint("Leave `at` and `on` out.")),
    }
}

/// How many pages an original has; `None` where nobody has counted them yet.
async fn count_pages(library: &Library, asset: &Asset) -> Result<Option<u32>, Problem> {
    let counted = library
        .db()
        .find_artifact(asset, PAGES, Part::Whole)
        .await?;
    let count = counted.and_then(|pages| pages.payload?["count"].as_u64());
    if let Some(count) = count {
        return Ok(u32::try_from(count).ok());
    }
    Ok(match (asset.kind, asset.media_type.as_str()) {
        (MediaKind::Image, "image/tiff") | (MediaKind::Document, "application/pdf") => None,
        (MediaKind::Image, _) => Some(1),
        _ => Some(0),
    })
}

fn check_confidence(confidence: f32) -> Result<(), Problem> {
    if (0.0..=1.0).contains(&confidence) {
        return Ok(());
    }
    let problem = Problem::new(
        Code::InvalidClaim,
        "how sure a claim is lies between 0 and 1",
    );
    Err(problem.hint("0 is a guess, 1 is certain; without a number it is 1."))
}

/// The key with what it is for.
pub(crate) fn once(actor: &Actor, key: &str, request: &impl serde::Serialize) -> Once {
    let asker = match actor {
        Actor::Operator => "operator".to_owned(),
        Actor::Member { account_id, .. } => account_id.to_string(),
        Actor::Stranger => String::new(),
    };
    let request = serde_json::to_vec(request).unwrap_or_default();
    Once::new(&asker, key, &request)
}

/// Has done what follows from what people say of some assets now: positions get names, and what is spoken in another
/// language is heard again. Should that fail, what they say stands all the same, and the next run does it.
async fn follow(library: &Library, kind: ClaimKind, assets: &[AssetId]) {
    let followed = match kind {
        ClaimKind::Position => {
            let ctx = library.context(Actor::Operator);
            let named = name_positions(&ctx, assets).await;
            named.map_err(|error| error.to_string())
        }
        ClaimKind::Language => {
            let again = library.engine().hear_again(library.family().id, assets);
            again.await.map_err(|error| error.to_string())
        }
        _ => Ok(()),
    };
    if let Err(error) = followed {
        tracing::warn!(%error, %kind, count = assets.len(), "what follows from a claim waits for the next run");
    }
}

/// Takes a person's claim back.
#[utoipa::path(post, path = "/api/v1/assets/{id}/claims/{claim_id}/undo", tag = "claim", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    ("claim_id" = String, Path, description = "The claim", format = "uuid"),
), responses(
    (status = 200, description = "The claim, taken back", body = wire::Claim),
    (status = 409, description = "A machine's claim can only be denied", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn undo_claim(
    State(library): State<Library>,
    Asker(actor): Asker,
    Path((id, claim_id)): Path<(String, String)>,
) -> Result<Json<wire::Claim>, Problem> {
    set_undone(&library, &actor, &id, &claim_id, true).await
}

/// Holds to a claim again that was taken back.
#[utoipa::path(post, path = "/api/v1/assets/{id}/claims/{claim_id}/redo", tag = "claim", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    ("claim_id" = String, Path, description = "The claim", format = "uuid"),
), responses(
    (status = 200, description = "The claim", body = wire::Claim),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn redo_claim(
    State(library): State<Library>,
    Asker(actor): Asker,
    Path((id, claim_id)): Path<(String, String)>,
) -> Result<Json<wire::Claim>, Problem> {
    set_undone(&library, &actor, &id, &claim_id, false).await
}

async fn set_undone(
    library: &Library,
    actor: &Actor,
    id: &str,
    claim_id: &str,
    is_undone: bool,
) -> Result<Json<wire::Claim>, Problem> {
    let (id, claim_id): (AssetId, ClaimId) = (parse_id(id)?, parse_id(claim_id)?);
    let db = library.db();
    db.undo_claim(actor, id, claim_id, is_undone).await?;
    let claims = db.list_claims(actor, id).await?;
    let claim = claims.iter().find(|claim| claim.id == claim_id);
    let claim = claim.ok_or_else(|| heirloom_db::DbError::not_found("claim", claim_id))?;
    follow(library, claim.statement.kind(), &[id]).await;
    Ok(Json(wire::Claim::from(claim)))
}
