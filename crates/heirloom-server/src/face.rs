//! The faces that are in pictures and films.

use std::collections::HashMap;

use axum::{Json, extract::State};
use heirloom_core::{AssetId, FaceId, face::Whose};
use heirloom_db::artifact::Part;
use heirloom_pipeline::tool::faces::SEEN_FACES;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::IdPath,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(list_faces))
}

/// The faces of a picture, from the left; those of a film in the order in which they are first seen, each person once.
#[utoipa::path(get, path = "/api/v1/assets/{id}/faces", tag = "face", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "Those that were found", body = wire::Faces),
    (status = 404, description = "There is no such asset, or nobody has looked for faces in it yet", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_faces(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Faces>, Problem> {
    let asset = library.db().get_asset(&actor, id).await?;
    let found = library
        .db()
        .find_artifact(&asset, SEEN_FACES, Part::Whole)
        .await?;
    let artifact = found.ok_or_else(|| {
        let message = format!("nobody has looked for faces in the asset {id}");
        Problem::new(Code::NotFound, message)
            .hint("Begin a run of `understand`, once the model for faces is here: see the models.")
    })?;
    let faces = library.db().list_faces(&actor, id).await?;
    let portraits = library
        .db()
        .list_portraits_in(&actor, id)
        .await?
        .into_iter();
    let mut whose: HashMap<FaceId, Whose> = portraits.map(|face| (face.id, face.whose)).collect();
    let faces = faces.into_iter().map(|face| {
        let whose = whose.remove(&face.id);
        wire::Face::of(face, whose)
    });
    Ok(Json(wire::Faces {
        artifact_id: artifact.id,
        model: artifact.model,
        faces: faces.collect(),
    }))
}
