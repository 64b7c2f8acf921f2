//! Exports and imports: a library that leaves, and one that comes.

use std::path::{Path, PathBuf};

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::permission::Action;
use heirloom_pipeline::import::look_at_import;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, extract::Body, library::Library, problem::Problem, run::load_run, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_export))
        .routes(routes!(create_import))
}

/// Refuses what cannot be imported, before there is a library that it could come into; `data_folder` is where that is
/// to be.
///
/// # Errors
/// Why it cannot.
pub fn check_importable(
    paths: &[PathBuf],
    from: Option<wire::ImportSource>,
    data_folder: &Path,
) -> Result<(), Problem> {
    look_at_import(paths, from.map(Into::into), data_folder)?;
    Ok(())
}

/// Begins to export everything of a family, or what is in a collection, to a folder of this machine. The run says how
/// far it is, and what could not be exported. Exporting to the same folder again goes on where it was left, and brings
/// what is there up to date.
#[utoipa::path(post, path = "/api/v1/exports", tag = "machine", request_body = wire::NewExport, responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = 422, description = "Nothing can be exported to this folder", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_export(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewExport>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let transfers = library.transfers();
    let id = transfers.export(&actor, &new).await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Begins to import from folders and archives of this machine: an export, which is compared with its manifest first,
/// or what Google Photos, Apple Photos, Immich and `PhotoPrism` hand out, or any folder. What is here already stays as it
/// is, so that the same imported twice is imported once.
#[utoipa::path(post, path = "/api/v1/imports", tag = "machine", request_body = wire::NewImport, responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = 422, description = "This cannot be imported", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_import(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewImport>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let id = library.transfers().import(&actor, &new).await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::CREATED, Json(run)))
}
