//! Where blobs are kept, over HTTP. The operator's alone.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::permission::Action;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::Body,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(get_store))
        .routes(routes!(create_move))
        .routes(routes!(cancel_move))
}

pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(survey_store))
}

/// The places that have blobs, what is kept in which, and what was moved of late.
#[utoipa::path(get, path = "/api/v1/store", tag = "machine", responses(
    (status = 200, description = "How it stands", body = wire::Store),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_store(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Store>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let config = library.store_config();
    let places = library.store().places.iter().cloned();
    let moves = library.moves().list(&actor).await?;
    Ok(Json(wire::Store {
        places: places.map(wire::StorePlace::from).collect(),
        rules: config.rules.iter().map(ToString::to_string).collect(),
        move_rate: config.move_rate,
        moves: moves.into_iter().map(wire::StoreMove::from).collect(),
    }))
}

/// Counts what each place has, and what of it is kept elsewhere. Looks at every blob there is.
#[utoipa::path(get, path = "/api/v1/store/survey", tag = "machine", responses(
    (status = 200, description = "What is where", body = wire::StoreSurvey),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn survey_store(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::StoreSurvey>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let store = library.store();
    let ctx = library.context(actor);
    let kept = store.survey(&ctx).await?;
    let recalls = list_recalls(&library).await?;
    let name = |at: usize| store.places[at].name.clone();
    let places = kept.iter().enumerate().map(|(at, kept)| wire::PlaceHas {
        name: name(at),
        blobs: kept.blobs,
        bytes: kept.bytes,
    });
    let to_move = kept.iter().enumerate().flat_map(|(from, kept)| {
        let to = kept.to.iter().enumerate().filter(|(_, to)| to.0 > 0);
        to.map(move |(to, (blobs, bytes))| (from, to, *blobs, *bytes))
    });
    Ok(Json(wire::StoreSurvey {
        places: places.collect(),
        to_move: to_move
            .map(|(from, to, blobs, bytes)| wire::ToMove {
                from: name(from),
                to: name(to),
                blobs,
                bytes,
            })
            .collect(),
        recalls,
    }))
}

/// What was asked for in an archive, each with the original that it is.
async fn list_recalls(library: &Library) -> Result<Vec<wire::StoreRecall>, Problem> {
    let mut recalls = library.blobs().list_recalls().await?;
    recalls.sort_by_key(|recall| recall.asked_at_ms);
    let hashes: Vec<_> = recalls.iter().map(|recall| recall.hash).collect();
    let originals = library.db().list_kept_originals(&hashes).await?;
    let told = recalls.into_iter().map(|recall| {
        let original = originals
            .iter()
            .find(|original| original.content_hash == recall.hash);
        wire::StoreRecall {
            blob: recall.hash.to_string(),
            name: original.map(|original| original.name.clone()),
            asset: original.map(|original| original.asset.to_string()),
            asked_at_ms: recall.asked_at_ms,
            is_there: recall.is_there,
        }
    });
    Ok(told.collect())
}

/// Begins to bring everything to where it is kept, in the background. While it goes on everything can be used.
#[utoipa::path(post, path = "/api/v1/store/moves", tag = "machine", request_body = wire::NewStoreMove, responses(
    (status = 201, description = "What has begun", body = wire::StoreMove),
    (status = 409, description = "It is under way", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_move(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewStoreMove>,
) -> Result<(StatusCode, Json<wire::StoreMove>), Problem> {
    let begun = library.moves().start(&actor, new.rate).await?;
    Ok((StatusCode::CREATED, Json(begun.into())))
}

/// Stops what is under way. Each blob is where it was or where it should be; while Heirloom serves it begins anew after a day.
#[utoipa::path(post, path = "/api/v1/store/moves/cancel", tag = "machine", responses(
    (status = 200, description = "How far it is", body = wire::StoreMove),
    (status = 409, description = "Nothing is under way", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn cancel_move(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::StoreMove>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    library.moves().cancel()?;
    let now = library.moves().list(&actor).await?.into_iter().next();
    let now = now.ok_or_else(|| Problem::new(Code::NotFound, "no blobs were ever moved"))?;
    Ok(Json(now.into()))
}
