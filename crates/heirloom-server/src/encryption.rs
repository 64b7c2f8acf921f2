//! Whether blobs are encrypted at rest: turning it on, new keys, another master key.

mod keys;

use axum::{Json, extract::State};
use heirloom_core::permission::Action;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::keys::MasterSource;
pub(crate) use self::keys::{Encryption, unlock};
use crate::{actor::Asker, extract::Body, library::Library, problem::Problem, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(get_encryption, turn_encryption_on))
        .routes(routes!(rotate_encryption_key))
        .routes(routes!(change_encryption_master))
}

/// Whether blobs are encrypted, with which keys, and whether all are by now.
#[utoipa::path(get, path = "/api/v1/encryption", tag = "machine", responses(
    (status = 200, description = "How it stands", body = wire::Encryption),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_encryption(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Encryption>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    Ok(Json(library.encryption().describe()?))
}

/// Seals whatever is stored from now on, and in the background what is there. Where it is on already, goes on with
/// that. Whoever loses the master key loses every blob.
#[utoipa::path(post, path = "/api/v1/encryption", tag = "machine", responses(
    (status = 200, description = "How it stands", body = wire::Encryption),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn turn_encryption_on(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Encryption>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let family = library.family().id.to_string();
    let is_new_master = library.encryption().turn_on(&family).await?;
    library.encryption().seal_rest();
    Ok(Json(wire::Encryption {
        is_new_master,
        ..library.encryption().describe()?
    }))
}

/// Makes a new key, which seals whatever is stored from now on, and in the background what is there.
#[utoipa::path(post, path = "/api/v1/encryption/keys", tag = "machine", responses(
    (status = 200, description = "How it stands", body = wire::Encryption),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn rotate_encryption_key(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Encryption>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    library.encryption().rotate().await?;
    library.encryption().seal_rest();
    Ok(Json(library.encryption().describe()?))
}

/// Wraps the keys anew, so that another master key opens them and the one before none of them.
#[utoipa::path(put, path = "/api/v1/encryption/master", tag = "machine", request_body = wire::NewMaster, responses(
    (status = 200, description = "How it stands", body = wire::Encryption),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn change_encryption_master(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewMaster>,
) -> Result<Json<wire::Encryption>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    library.encryption().change_master(new).await?;
    Ok(Json(library.encryption().describe()?))
}
