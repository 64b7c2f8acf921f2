//! Who does what models do, over HTTP: services elsewhere among them. The operator's alone.

use axum::{Json, extract::State};
use heirloom_core::permission::Action;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, library::Library, problem::Problem, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(get_transcription))
        .routes(routes!(get_reading_services))
        .routes(routes!(get_tagging_services))
}

/// Who writes down what is said, in which order, and which services elsewhere are sent the sound for that.
#[utoipa::path(get, path = "/api/v1/transcription", tag = "machine", responses(
    (status = 200, description = "Who does", body = wire::Services),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_transcription(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Services>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    Ok(Json(wire::Services::of(library.engine().transcription())))
}

/// Who reads what is written, in which order, and which services elsewhere are sent pictures of pages for that.
#[utoipa::path(get, path = "/api/v1/reading", tag = "machine", responses(
    (status = 200, description = "Who does", body = wire::Services),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_reading_services(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Services>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    Ok(Json(wire::Services::of(library.engine().reading())))
}

/// Who says what pictures show, in which order, and which services elsewhere are sent pictures for that.
#[utoipa::path(get, path = "/api/v1/tagging", tag = "machine", responses(
    (status = 200, description = "Who does", body = wire::Services),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_tagging_services(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Services>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    Ok(Json(wire::Services::of(library.engine().tagging())))
}
