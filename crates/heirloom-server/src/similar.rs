//! What looks like a picture.

use axum::{Json, extract::State};
use heirloom_core::AssetId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker, asset::describe_assets, extract::IdPath, library::Library, problem::Problem, wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(list_similar))
}

/// How many are told.
const SHOWN: usize = 24;

/// The pictures that look most like one, of those that one may see: at most 24. None where nobody has looked at it. All
/// that do are found by searching for `like:` and its id.
#[utoipa::path(get, path = "/api/v1/assets/{id}/similar", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "The most alike first", body = wire::Page<wire::Similar>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_similar(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Page<wire::Similar>>, Problem> {
    let similar = library.db().list_similar(&actor, id, SHOWN).await?;
    let assets: Vec<_> = similar.iter().map(|it| it.asset.clone()).collect();
    let assets = describe_assets(&library, &actor, &assets).await?;
    let items = assets.into_iter().zip(&similar);
    let items = items.map(|(asset, similar)| wire::Similar {
        asset,
        likeness: similar.likeness,
    });
    Ok(Json(wire::Page {
        items: items.collect(),
        next: None,
    }))
}
