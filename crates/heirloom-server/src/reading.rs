//! What stands in pictures and on the pages of documents.

use axum::{Json, extract::State};
use futures_util::TryStreamExt as _;
use heirloom_core::AssetId;
use heirloom_db::artifact::Part;
use heirloom_pipeline::tool::reading::{READING, Read};
use tokio_util::io::ReaderStream;
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

/// What stands in a picture or on the pages of a document, line by line and word by word, with its places.
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
    let found = library.db().find_artifact(&asset, READING, Part::Whole);
    let artifact = found.await?.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("nobody has read the asset {id}")).hint(
            "Begin a run of `understand`, once the model for reading is here: see the models.",
        )
    })?;
    let read = match artifact.blob_hash {
        None => serde_json::from_value(artifact.payload.unwrap_or_default()),
        Some(hash) => {
            let reader = library.blobs().get(hash).await?;
            let blocks: Vec<_> = ReaderStream::new(reader)
                .try_collect()
                .await
                .map_err(|error| Problem::new(Code::Unavailable, error.to_string()))?;
            serde_json::from_slice(&blocks.concat())
        }
    };
    let read: Read = read.map_err(|error| {
        Problem::new(
            Code::Internal,
            format!("what was read is unreadable: {error}"),
        )
    })?;
    Ok(Json(wire::Reading::of(artifact.id, read)))
}
