//! What is kept on IPFS: publishing a collection, how that stands, letting go of it, and its key.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{Actor, CollectionId, permission::Action};
use heirloom_pipeline::ipfs::{IpfsError, load_publication_key};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::{Body, IdPath},
    library::Library,
    problem::Problem,
    run::load_run,
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_publications))
        .routes(routes!(get_publication))
        .routes(routes!(unpin_publication))
        .routes(routes!(get_publication_key))
        .routes(routes!(create_publication_import))
}

/// What looks at each original of a collection first, or asks others.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_publication))
        .routes(routes!(check_publication))
}

/// All that is kept on IPFS, and whether anything can be.
#[utoipa::path(get, path = "/api/v1/publications", tag = "publication", responses(
    (status = 200, description = "How it stands", body = wire::Publications),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_publications(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Publications>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let db = library.db();
    let settings = library.transfers().ipfs();
    let is_configured = settings.node.is_some();
    let mut items = Vec::new();
    for known in db.list_publications(&actor, library.family().id).await? {
        let collection = db.get_collection(&actor, known.collection_id).await?;
        let pins = db.list_pins(collection.id).await?;
        let named = (collection.id, collection.name);
        items.push(wire::Publication::new(
            named,
            is_configured,
            Some(&known),
            pins,
        ));
    }
    Ok(Json(wire::Publications {
        is_configured,
        has_service: settings.service.is_some(),
        layout: settings.layout.as_str().to_owned(),
        items,
    }))
}

/// What is kept of a collection on IPFS, as it was known last.
#[utoipa::path(get, path = "/api/v1/collections/{id}/publication", tag = "publication", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), responses(
    (status = 200, description = "How it stands", body = wire::Publication),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_publication(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
) -> Result<Json<wire::Publication>, Problem> {
    Ok(Json(describe(&library, &actor, id).await?))
}

/// Publishes a collection on IPFS for good, or writes it to a CAR archive. Originals are sealed unless somebody consents to
/// the opposite; deleted ones are never published. The run says how far it is. Doing it again goes on where it was left, and
/// publishes what the collection is by now.
#[utoipa::path(post, path = "/api/v1/collections/{id}/publication", tag = "publication", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), request_body = wire::NewPublication, responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = 409, description = "It is not consented to, or nothing can be published", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_publication(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    Body(new): Body<wire::NewPublication>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let run = library.transfers().publish(&actor, id, &new).await?;
    let run = load_run(&library, &actor, run).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Asks those who keep a publication to let go. What others copied stays where it is, for ever.
#[utoipa::path(post, path = "/api/v1/collections/{id}/publication/unpin", tag = "publication", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn unpin_publication(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    let run = library.transfers().unpin(&actor, id).await?;
    let run = load_run(&library, &actor, run).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Asks those who keep a publication how far they are. Who cannot be asked stays as he was, with why.
#[utoipa::path(post, path = "/api/v1/collections/{id}/publication/check", tag = "publication", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), responses(
    (status = 200, description = "How it stands", body = wire::Publication),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn check_publication(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
) -> Result<Json<wire::Publication>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let db = library.db();
    let collection = db.get_collection(&actor, id).await?;
    if let Some(known) = db.find_publication(collection.id).await? {
        library.transfers().check_pins(&actor, &known).await?;
    }
    Ok(Json(describe(&library, &actor, id).await?))
}

/// The key that opens what was published sealed of a collection, without this library. Whoever has it reads all of it.
#[utoipa::path(get, path = "/api/v1/collections/{id}/publication/key", tag = "publication", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), responses(
    (status = 200, description = "The key", body = wire::PublicationKey),
    (status = 404, description = "Nothing of it was ever sealed", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_publication_key(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
) -> Result<Json<wire::PublicationKey>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let collection = library.db().get_collection(&actor, id).await?;
    let ctx = library.context(actor);
    let key = match ctx.db.find_publication(id).await? {
        Some(known) => load_publication_key(&ctx, &known).await?,
        None => None,
    };
    let key = key.ok_or(IpfsError::NotPublished(collection.name))?;
    Ok(Json(wire::PublicationKey {
        key: key.text().to_string(),
        recipient: key.recipient().map_err(Problem::internal)?,
    }))
}

/// Begins to import the originals that a CAR archive has, sealed or not. Each block is compared with its name first.
#[utoipa::path(post, path = "/api/v1/publication-imports", tag = "publication", request_body = wire::NewPublicationImport, responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_publication_import(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewPublicationImport>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    let run = library.transfers().import_archive(&actor, &new).await?;
    let run = load_run(&library, &actor, run).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

async fn describe(
    library: &Library,
    actor: &Actor,
    id: CollectionId,
) -> Result<wire::Publication, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let db = library.db();
    let collection = db.get_collection(actor, id).await?;
    let known = db.find_publication(id).await?;
    let pins = db.list_pins(id).await?;
    let is_configured = library.transfers().ipfs().node.is_some();
    let named = (collection.id, collection.name);
    Ok(wire::Publication::new(
        named,
        is_configured,
        known.as_ref(),
        pins,
    ))
}
