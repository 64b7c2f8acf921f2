//! The whole of what answers.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use heirloom_core::Actor;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    archive, artifact, asset, backup, claim, collection, description, doctor, duplicate, edge,
    encryption, event, extract, face, film, folder, fsck, guard,
    library::Library,
    live, model, observe, page, person, place,
    problem::{Code, Problem},
    publication, reading, run, scrub, search, searchable, similar, tag, tier, timeline, transcript,
    transfer, upload, voice, way, web,
};

/// How a request came in, and so who is asking.
#[derive(Debug, Clone)]
pub enum Door {
    /// Where only this one can come in: the socket, this process, a test.
    Known(Actor),
    /// The socket of a process that scans, and that ends with its scan.
    Passing,
    /// TCP on loopback at this port: the operator, unless another web site is behind it.
    Loopback {
        /// The port that requests must name.
        port: u16,
    },
}

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest body that is taken: a claim's longest text, and room around it.
const BODY_BYTES: usize = 512 * 1024;

/// Everything that answers, for requests that come in by `door`.
pub fn router(library: Library, door: Door) -> Router {
    let quick = Router::new()
        .merge(strict(api()))
        .merge(page::routes())
        .merge(page::public_routes())
        .merge(web::routes())
        .merge(observe::routes())
        .merge(observe::public_routes())
        .route("/api/v1/openapi.json", get(get_description))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ));
    let inner = Router::new()
        .merge(quick)
        .merge(strict(slow_api()))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(CatchPanicLayer::new());
    let guarded = match door {
        Door::Known(actor) => inner.layer(from_fn_with_state(actor, admit)),
        Door::Passing => inner
            .layer(from_fn(refuse_scans))
            .layer(from_fn_with_state(Actor::Operator, admit)),
        Door::Loopback { port } => inner.layer(from_fn_with_state(port, guard::admit_loopback)),
    };
    guarded
        .layer(from_fn_with_state(library.clone(), edge::finish))
        .with_state(library)
}

/// The routes of a part of the API, which refuse a parameter that the description does not know: who
/// misspells one means something by it.
fn strict(part: OpenApiRouter<Library>) -> Router<Library> {
    let (routes, description) = part.split_for_parts();
    let known = Arc::new(description::parameters(&description));
    routes.route_layer(from_fn_with_state(
        known,
        extract::refuse_unknown_parameters,
    ))
}

async fn admit(State(actor): State<Actor>, mut req: Request, next: Next) -> Response {
    req.extensions_mut().insert(actor.clone());
    let mut res = next.run(req).await;
    res.extensions_mut().insert(actor);
    res
}

/// A scan or a conversation that is begun here would be cut off in the middle.
async fn refuse_scans(req: Request, next: Next) -> Response {
    const BEGINNINGS: [&str; 14] = [
        "/scans",
        "/runs",
        "/resume",
        "/retry",
        "/exports",
        "/imports",
        "/publication",
        "/publication/unpin",
        "/publication-imports",
        "/backups",
        "/store/moves",
        "/models",
        "/models/pulls",
        "/encryption/keys",
    ];
    let path = req.uri().path();
    let is_begun = req.method() == Method::POST && BEGINNINGS.iter().any(|end| path.ends_with(end));
    if is_begun || path == live::PATH {
        return Problem::new(
            Code::Busy,
            "another command is at work in a process that ends with it",
        )
        .hint(
            "Wait until it has ended. To do several things at once, start `heirloom serve` first.",
        )
        .into_response();
    }
    next.run(req).await
}

/// The API, as it is described to others.
#[must_use]
pub fn openapi() -> OpenApi {
    description::describe(api().merge(slow_api()).into_openapi())
}

/// Every address with its method, and whether it is open to everybody. For the test that tries each
/// as a stranger.
#[doc(hidden)]
#[must_use]
pub fn addresses() -> Vec<(String, String, bool)> {
    let mut addresses = description::addresses(&openapi());
    for (path, is_public) in [
        ("/plain", false),
        ("/plain/assets/{id}", false),
        ("/plain/assets/{id}/original", false),
        ("/metrics", false),
        ("/style.css", true),
        ("/healthz", true),
        ("/readyz", true),
        ("/api/v1/openapi.json", true),
    ] {
        addresses.push(("GET".to_owned(), path.to_owned(), is_public));
    }
    // The app is the same for everybody; what it shows comes from the API.
    let pages = web::PAGES.map(|path| ("GET".to_owned(), path.to_owned(), true));
    addresses.extend(pages);
    addresses
}

fn api() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .merge(asset::routes())
        .merge(claim::routes())
        .merge(collection::routes())
        .merge(archive::routes())
        .merge(artifact::routes())
        .merge(reading::routes())
        .merge(face::routes())
        .merge(similar::routes())
        .merge(tag::routes())
        .merge(duplicate::routes())
        .merge(person::routes())
        .merge(transcript::routes())
        .merge(searchable::routes())
        .merge(voice::routes())
        .merge(run::routes())
        .merge(event::routes())
        .merge(search::routes())
        .merge(timeline::routes())
        .merge(transfer::routes())
        .merge(film::routes())
        .merge(folder::routes())
        .merge(place::routes())
        .merge(publication::routes())
        .merge(upload::routes())
        .merge(doctor::routes())
        .merge(encryption::routes())
        .merge(backup::routes())
        .merge(tier::routes())
        .merge(model::routes())
        .merge(way::routes())
        .merge(live::routes())
}

/// What takes as long as it takes: whoever asks waits, and stops it by going away.
fn slow_api() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .merge(asset::slow_routes())
        .merge(claim::batch::slow_routes())
        .merge(person::slow_routes())
        .merge(collection::slow_routes())
        .merge(upload::slow_routes())
        .merge(fsck::routes())
        .merge(scrub::routes())
        .merge(publication::slow_routes())
        .merge(tier::slow_routes())
        .merge(model::slow_routes())
}

async fn get_description() -> Json<OpenApi> {
    Json(openapi())
}
