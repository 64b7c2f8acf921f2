//! What the reading of everything has found that looks for damage.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, library::Library, problem::Problem, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_scrub))
}

/// How many damaged originals are named.
const NAMED: usize = 1_000;

/// How far everything has been read again, and which originals are damaged.
#[utoipa::path(get, path = "/api/v1/scrub", tag = "machine", responses(
    (status = 200, description = "What was read and found", body = wire::Scrub),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_scrub(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Scrub>, Problem> {
    let (db, family) = (library.db(), library.family().id);
    let passes = db.list_scrub_passes(&actor).await?;
    let damaged = db.list_damaged_places(&actor, family, NAMED).await?;
    Ok(Json(wire::Scrub {
        passes: passes.into_iter().map(wire::ScrubPass::from).collect(),
        damaged: damaged.into_iter().map(wire::DamagedPlace::from).collect(),
    }))
}
