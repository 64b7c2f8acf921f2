//! Who writes down what is said, over HTTP. The operator's alone.

use axum::{Json, extract::State};
use heirloom_core::permission::Action;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, library::Library, problem::Problem, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_transcription))
}

/// Who writes down what is said, in which order, and which services elsewhere are sent the sound for that.
#[utoipa::path(get, path = "/api/v1/transcription", tag = "machine", responses(
    (status = 200, description = "Who does", body = wire::Transcription),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_transcription(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Transcription>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    Ok(Json(wire::Transcription::of(
        library.engine().transcription(),
    )))
}
