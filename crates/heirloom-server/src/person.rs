//! Whose faces are in pictures: who machines gather, and what people say of them.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{Actor, FaceId};
use heirloom_db::person::{Portrait, Seen};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::{Body, IdPath, Query},
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_people))
        .routes(routes!(list_person_faces))
        .routes(routes!(list_said))
}

/// What writes thousands of search documents takes as long as it takes.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(say_of_faces))
        .routes(routes!(reset_faces))
}

/// How much of what was said is listed.
const SAID: i64 = 30;
/// A face of somebody who has no name is listed alone only where it is seen so well.
const CLEAR: f32 = heirloom_core::face::CLEAR;

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Listing {
    /// Those who are left out, and no others.
    #[serde(default)]
    aside: bool,
}

/// Those whose faces are in pictures: who has a name first, in the order of the alphabet, then whose faces are most.
#[utoipa::path(get, path = "/api/v1/people", tag = "face", params(Listing), responses(
    (status = 200, description = "All of them", body = wire::Page<wire::Person>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_people(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(listing): Query<Listing>,
) -> Result<Json<wire::Page<wire::Person>>, Problem> {
    let seen = seen(&library, &actor, listing.aside).await?;
    let is_shown = |one: &&Seen| {
        let is_clear = one.faces.iter().any(|face| face.quality >= CLEAR);
        one.name.is_some() || listing.aside || is_clear
    };
    let people = seen.iter().filter(is_shown);
    Ok(Json(wire::Page {
        items: people.filter_map(wire::Person::of).collect(),
        next: None,
    }))
}

/// The faces of somebody, those first that people say are theirs and that are seen best.
#[utoipa::path(get, path = "/api/v1/people/{id}/faces", tag = "face", params(
    ("id" = String, Path, description = "The group that their faces are in", format = "uuid"), Listing,
), responses(
    (status = 200, description = "All of them", body = wire::Page<wire::Portrait>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_person_faces(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<FaceId>,
    Query(listing): Query<Listing>,
) -> Result<Json<wire::Page<wire::Portrait>>, Problem> {
    let person = find(&library, &actor, id, listing.aside).await?;
    Ok(Json(wire::Page {
        items: person.faces.iter().map(wire::Portrait::from).collect(),
        next: None,
    }))
}

/// Says something of faces: whose they are or are not, that they belong together or apart, that they are left out. All
/// that is said at once is taken back at once, as other claims are (`/api/v1/claims/{id}/undo`).
#[utoipa::path(post, path = "/api/v1/people/said", tag = "face", request_body = wire::NewSaying, responses(
    (status = 201, description = "What was said", body = wire::Said),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn say_of_faces(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewSaying>,
) -> Result<(StatusCode, Json<wire::Said>), Problem> {
    let saying = new.saying()?;
    let faces = match new.of {
        None => new.faces,
        Some(of) => {
            let is_aside = new.what == wire::What::Back;
            let person = find(&library, &actor, of, is_aside).await?;
            // Who gives somebody another name says nothing of faces of which it is only asked whether they are theirs.
            let is_name = new.what == wire::What::Name;
            let is_meant =
                |face: &&Portrait| !is_name || face.whose.is_said || face.whose.name.is_none();
            let meant = person.faces.iter().filter(is_meant);
            meant.map(|face| face.id).collect()
        }
    };
    let (db, family) = (library.db(), library.family().id);
    let id = db.say_of_faces(&actor, family, &faces, &saying).await?;
    let said = db.list_said_of_faces(&actor, family, SAID).await?;
    let said = said.into_iter().find(|said| said.id == id);
    let said = said.ok_or_else(|| Problem::new(Code::Internal, "what was said is not there"))?;
    Ok((StatusCode::CREATED, Json(said.into())))
}

/// What was said of faces, the last first.
#[utoipa::path(get, path = "/api/v1/people/said", tag = "face", responses(
    (status = 200, description = "The last of it", body = wire::Page<wire::Said>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_said(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Page<wire::Said>>, Problem> {
    let (db, family) = (library.db(), library.family().id);
    let said = db.list_said_of_faces(&actor, family, SAID).await?;
    Ok(Json(wire::Page {
        items: said.into_iter().map(wire::Said::from).collect(),
        next: None,
    }))
}

/// Forgets the faces that machines found, so that the next run of `understand` looks for them anew. What people said of
/// faces stays, and holds for what is found where they said it.
#[utoipa::path(post, path = "/api/v1/people/reset", tag = "machine", responses(
    (status = 200, description = "In how many pictures", body = wire::FacesReset),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn reset_faces(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::FacesReset>, Problem> {
    let reset = library.db().reset_faces(&actor, library.family().id);
    let asset_count = reset.await? as u64;
    Ok(Json(wire::FacesReset { asset_count }))
}

async fn seen(library: &Library, actor: &Actor, are_aside: bool) -> Result<Vec<Seen>, Problem> {
    let (db, family) = (library.db(), library.family().id);
    Ok(db.list_seen(actor, family, are_aside).await?)
}

async fn find(
    library: &Library,
    actor: &Actor,
    id: FaceId,
    are_aside: bool,
) -> Result<Seen, Problem> {
    let mut seen = seen(library, actor, are_aside).await?.into_iter();
    seen.find(|one| one.group == id).ok_or_else(|| {
        Problem::new(Code::NotFound, format!("there is no group of faces {id}"))
            .hint("List people: what was said or found since then may have given it another id.")
    })
}
