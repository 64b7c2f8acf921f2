//! Models over HTTP. The operator's alone.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::Body,
    library::Library,
    models::Which,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_models))
        .routes(routes!(create_pull))
        .routes(routes!(cancel_pulls))
        .routes(routes!(delete_model))
}

/// What reads whole files.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_model))
        .routes(routes!(check_model))
}

/// The models that abilities need: which there are, where they come from, and whether they are here.
#[utoipa::path(get, path = "/api/v1/models", tag = "machine", responses(
    (status = 200, description = "How each stands", body = wire::Models),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_models(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Models>, Problem> {
    Ok(Json(library.models().list(&actor)?))
}

/// Begins to fetch what is missing of models, one after the other, in the background. The list says how far they are.
#[utoipa::path(post, path = "/api/v1/models/pulls", tag = "machine", request_body = wire::NewPull, responses(
    (status = 201, description = "How each stands", body = wire::Models),
    (status = 404, description = "No model is called that; nothing has begun", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_pull(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewPull>,
) -> Result<(StatusCode, Json<wire::Models>), Problem> {
    let which = match (new.ids.as_slice(), new.default, new.all) {
        ([], true, false) => Which::Default,
        ([], false, true) => Which::All,
        (ids @ [_, ..], false, false) => Which::Named(ids),
        _ => {
            let why = "one of these says what to pull: ids, default, all";
            return Err(Problem::new(Code::InvalidRequest, why)
                .hint("`GET /api/v1/models` names all there are."));
        }
    };
    library.models().pull(&actor, which).await?;
    Ok((StatusCode::CREATED, Json(library.models().list(&actor)?)))
}

/// Stops what is fetched. What came is kept, and the next pull goes on with it.
#[utoipa::path(post, path = "/api/v1/models/pulls/cancel", tag = "machine", responses(
    (status = 200, description = "How each stands", body = wire::Models),
    (status = 409, description = "Nothing is under way", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn cancel_pulls(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Models>, Problem> {
    library.models().cancel(&actor)?;
    Ok(Json(library.models().list(&actor)?))
}

/// Takes files that somebody has, as a model of their own or as files of one that is known, and begins to bring them in.
/// Files of the machine that serves are read for their hashes first.
#[utoipa::path(post, path = "/api/v1/models", tag = "machine", request_body = wire::NewModel, responses(
    (status = 201, description = "The model, which is being pulled", body = wire::Model),
    (status = 422, description = "A file is not what it should be", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_model(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewModel>,
) -> Result<(StatusCode, Json<wire::Model>), Problem> {
    let model = library.models().add(&actor, new).await?;
    Ok((StatusCode::CREATED, Json(model)))
}

/// Reads every byte of a model. What is damaged is used by nobody until it was pulled again.
#[utoipa::path(post, path = "/api/v1/models/{id}/check", tag = "machine", params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "What was found", body = wire::ModelCheck),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn check_model(
    State(library): State<Library>,
    Asker(actor): Asker,
    Path(id): Path<String>,
) -> Result<Json<wire::ModelCheck>, Problem> {
    Ok(Json(library.models().check(&actor, &id).await?))
}

/// Removes the files of a model, and says what nobody does without it. One that somebody added is forgotten.
#[utoipa::path(delete, path = "/api/v1/models/{id}", tag = "machine", params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "What that means", body = wire::ModelRemoved),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn delete_model(
    State(library): State<Library>,
    Asker(actor): Asker,
    Path(id): Path<String>,
) -> Result<Json<wire::ModelRemoved>, Problem> {
    Ok(Json(library.models().remove(&actor, &id).await?))
}
