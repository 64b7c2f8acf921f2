//! What watches the server: is it alive, is it ready, what are its figures.

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::get};
use heirloom_core::permission::Action;
use serde_json::json;

use crate::{actor::Asker, library::Library, problem::Problem};

/// Open to everybody: they say nothing but yes or no.
pub(crate) fn public_routes() -> Router<Library> {
    Router::new()
        .route("/healthz", get(is_alive))
        .route("/readyz", get(is_ready))
}

pub(crate) fn routes() -> Router<Library> {
    Router::new().route("/metrics", get(get_metrics))
}

async fn is_alive() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// Ready when the catalogue answers; its tables were brought up to date before anything listened.
async fn is_ready(State(library): State<Library>) -> Result<Json<serde_json::Value>, Problem> {
    library.db().ping().await?;
    Ok(Json(json!({ "status": "ok" })))
}

async fn get_metrics(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<impl IntoResponse, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let text = library.metrics().render()?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}
