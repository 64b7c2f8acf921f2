//! Tags of assets: what people, files and machines call what is in them.

use axum::{Json, extract::State};
use heirloom_core::AssetId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, extract::IdPath, library::Library, problem::Problem, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(list_tags))
}

/// The tags of an asset, whoever gave them, and those that somebody says are not so. They are claims: to confirm one make a
/// claim that says the same, to deny one a claim that denies it.
#[utoipa::path(get, path = "/api/v1/assets/{id}/tags", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "What people say first, then what is surest; what is denied at the end", body = wire::Page<wire::Tag>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_tags(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Page<wire::Tag>>, Problem> {
    let claims = library.db().list_claims(&actor, id).await?;
    Ok(Json(wire::Page {
        items: wire::Tag::list(&claims),
        next: None,
    }))
}
