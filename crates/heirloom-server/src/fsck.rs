//! Checking everything that is stored.

use axum::{Json, extract::State};
use heirloom_core::permission::Action;
use heirloom_pipeline::fsck::{FsckEvent, FsckOptions, fsck};
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{actor::Asker, extract::Body, library::Library, problem::Problem, wire};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(check_everything))
}

/// How many faults are told one by one: a store that lost everything has as many as blobs.
const TOLD: usize = 1_000;

/// Checks the catalogue, every blob, the search index, the audit chain and, if asked, the originals.
/// Answers when it is through, which takes as long as reading everything; going away stops it.
#[utoipa::path(post, path = "/api/v1/fsck", tag = "machine", request_body = wire::NewFsck, responses(
    (status = 200, description = "What was found", body = wire::FsckReport),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn check_everything(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewFsck>,
) -> Result<Json<wire::FsckReport>, Problem> {
    // Before anything is read: it may take hours.
    actor.require_operator(Action::OperateMachine)?;
    let options = FsckOptions {
        read_blobs: !new.quick,
        read_originals: new.originals,
        repair: new.repair,
        remove_unreferenced: new.remove_unreferenced,
    };
    let mut faults = Vec::new();
    let mut observe = |event: FsckEvent<'_>| {
        if let FsckEvent::Found(fault) = event
            && faults.len() < TOLD
        {
            faults.push(wire::Fault::from(fault));
        }
    };
    let ctx = library.context(actor);
    let family = library.family().id;
    // When whoever asked goes away this is dropped with everything that hangs on the token.
    let stop = CancellationToken::new();
    let _stopping = stop.clone().drop_guard();
    let report = fsck(&ctx, family, options, &stop, &mut observe).await?;
    Ok(Json(wire::FsckReport::new(&report, faults)))
}
