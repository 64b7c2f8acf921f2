//! Whose faces are in pictures: who machines gather, and what people say of them.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{Actor, FaceId, text};
use heirloom_db::{DbError, person::Seen};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{Paging, parse_limit},
    cursor::List,
    extract::{Body, IdPath, Query},
    library::Library,
    problem::Problem,
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

/// A face of somebody who has no name is listed alone only where it is seen so well.
const CLEAR: f32 = heirloom_core::face::CLEAR;

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Listing {
    /// Those who are left out, and no others.
    #[serde(default)]
    aside: bool,
    /// How many people, 1 to 500; 50 if it is not said.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// Which faces of somebody.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those that are left out, and no others.
    #[serde(default)]
    aside: bool,
}

/// Those whose faces are in pictures: who has a name first, in the order of the alphabet, then whose faces are most.
#[utoipa::path(get, path = "/api/v1/people", tag = "face", params(Listing), responses(
    (status = 200, description = "A page of them", body = wire::Page<wire::Person>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_people(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(listing): Query<Listing>,
) -> Result<Json<wire::Page<wire::Person>>, Problem> {
    let limit = parse_limit(listing.limit)?;
    let list = List::people(listing.aside);
    let after = listing.after.as_deref().map(|text| list.parse_text(text));
    let after = after.transpose()?;
    let seen = seen(&library, &actor, listing.aside).await?;
    let is_shown = |one: &&Seen| {
        let is_clear = one.faces.iter().any(|face| face.quality >= CLEAR);
        one.name.is_some() || listing.aside || is_clear
    };
    let is_later = |one: &&Seen| after.as_ref().is_none_or(|after| place_of(one) > *after);
    let mut people = seen.iter().filter(is_shown).filter(is_later);
    let page: Vec<&Seen> = people.by_ref().take(limit).collect();
    let last = people.next().and(page.last());
    Ok(Json(wire::Page {
        next: last.map(|one| list.render_cursor(place_of(one).as_bytes())),
        items: page.into_iter().filter_map(wire::Person::of).collect(),
    }))
}

/// The faces of somebody, those first that people say are theirs and that are seen best.
#[utoipa::path(get, path = "/api/v1/people/{id}/faces", tag = "face", params(
    ("id" = String, Path, description = "The group that their faces are in", format = "uuid"), Which,
), responses(
    (status = 200, description = "All of them", body = wire::Page<wire::Portrait>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_person_faces(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<FaceId>,
    Query(which): Query<Which>,
) -> Result<Json<wire::Page<wire::Portrait>>, Problem> {
    let person = find(&library, &actor, id, which.aside).await?;
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
    let (of, saying) = (new.of()?, new.saying()?);
    let (db, family) = (library.db(), library.family().id);
    let said = db.say_of_faces(&actor, family, of, &saying).await?;
    Ok((StatusCode::CREATED, Json(said.into())))
}

/// What was said of faces, the last first.
#[utoipa::path(get, path = "/api/v1/people/said", tag = "face", params(Paging), responses(
    (status = 200, description = "A page of it", body = wire::Page<wire::Said>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_said(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Said>>, Problem> {
    let (before, limit) = (paging.after_id(List::SAID)?, paging.limit()?);
    let (db, family) = (library.db(), library.family().id);
    let page = db.list_said_of_faces(&actor, family, before, limit).await?;
    Ok(Json(wire::Page {
        items: page.items.into_iter().map(wire::Said::from).collect(),
        next: page.next.map(|id| List::SAID.render_cursor(id.as_bytes())),
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

/// Where somebody stands among all: a text that comes after that of whoever is listed before.
fn place_of(one: &Seen) -> String {
    match &one.name {
        Some(name) => format!("1 {}", text::fold(name)),
        None => format!("2 {:016x} {}", u64::MAX - one.faces.len() as u64, one.group),
    }
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
    let found = seen.find(|one| one.group == id);
    found.ok_or_else(|| DbError::not_found("group of faces", id).into())
}
