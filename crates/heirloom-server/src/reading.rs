//! What stands in pictures, on the pages of documents and in films.

use axum::{Json, extract::State};
use heirloom_core::{Actor, AssetId, claim::Claim};
use heirloom_db::{
    artifact::{Artifact, Part},
    asset::Asset,
};
use heirloom_pipeline::{
    payload::read_payload,
    tool::reading::{READING, Read},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::IdPath,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_reading))
}

/// What stands in a picture, on the pages of a document or in a film, line by line and word by word, with its places and
/// times, as people corrected it. Where nobody has read it but people wrote down what stands there, that.
#[utoipa::path(get, path = "/api/v1/assets/{id}/reading", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "What stands there", body = wire::Reading),
    (status = 404, description = "There is no such asset, or nobody has read it yet", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_reading(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Reading>, Problem> {
    let asset = library.db().get_asset(&actor, id).await?;
    let claims = library.db().list_claims(&actor, id).await?;
    let (artifact, read) = find(&library, &actor, &asset, &claims).await?;
    let id = artifact.map(|artifact| artifact.id);
    Ok(Json(wire::Reading::of(id, read)))
}

/// What was read in an asset as these claims correct it, or what they say themselves where nobody read it.
pub(crate) async fn find(
    library: &Library,
    actor: &Actor,
    asset: &Asset,
    claims: &[Claim],
) -> Result<(Option<Artifact>, Read), Problem> {
    let found = library.db().find_artifact(asset, READING, Part::Whole);
    let artifact = found.await?;
    let mut read = match &artifact {
        Some(artifact) => read_payload(&library.context(actor.clone()), artifact).await?,
        None => Read::by_people(),
    };
    read.correct(claims);
    if artifact.is_none() && read.reading.is_empty() {
        let unread = format!("nobody has read the asset {}", asset.id);
        return Err(Problem::new(Code::NotFound, unread).hint(
            "Begin a run of `understand`, once the model for reading is here: see the models.",
        ));
    }
    Ok((artifact, read))
}
