//! Runs: what goes on in the background.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use heirloom_core::{Actor, ArchiveId, RunId};
use tokio_util::io::ReaderStream;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::Paging,
    cursor::List,
    extract::{Body as JsonBody, IdPath, Query},
    library::Library,
    problem::{Code, Problem},
    scans::report_path,
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_scan))
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
        .routes(routes!(cancel_run))
        .routes(routes!(get_report))
}

/// Begins to scan an archive. The run says how far it is.
#[utoipa::path(post, path = "/api/v1/archives/{id}/scans", tag = "run", params(("id" = String, Path, description = "The archive", format = "uuid")), request_body = wire::NewScan, responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = 409, description = "A scan of it is under way, or its folder is empty", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "Its folder cannot be read", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_scan(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(archive): IdPath<ArchiveId>,
    JsonBody(new): JsonBody<wire::NewScan>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    actor.require_operator(heirloom_core::permission::Action::ManageArchive)?;
    let id = library.scans().start(&actor, archive, new).await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// The runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "run", params(Paging), responses(
    (status = 200, description = "A page of runs", body = wire::Page<wire::Run>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_runs(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Run>>, Problem> {
    let before = paging
        .after
        .as_deref()
        .map(|text| List::RUNS.parse_cursor(text))
        .transpose()?;
    let before = before.map(|key| RunId::from_uuid(uuid::Uuid::from_bytes(key)));
    let (family, limit) = (library.family().id, paging.limit()?);
    let live = library.scans().progress();
    let page = library
        .db()
        .list_runs(&actor, family, before, limit)
        .await?;
    let mut items = Vec::new();
    for run in page.items {
        let run = library.scans().judge(run).await?;
        items.push(wire::Run::new(&run, live.get(&run.id)));
    }
    Ok(Json(wire::Page {
        items,
        next: page
            .next
            .map(|run| List::RUNS.render_cursor(run.as_bytes())),
    }))
}

/// One run, and how far it is.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid")), responses(
    (status = 200, description = "The run", body = wire::Run),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<Json<wire::Run>, Problem> {
    Ok(Json(load_run(&library, &actor, id).await?))
}

/// Tells a run to stop. It does within two seconds; what it has done by then stays.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid")), responses(
    (status = 202, description = "The run, which is stopping", body = wire::Run),
    (status = 409, description = "It has ended", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn cancel_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    let run = library.db().get_run(&actor, id).await?;
    library.scans().cancel(&actor, &run).await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// What a scan found, a JSON object on a line for each file: `{path, outcome, asset, reason}`. Only
/// for scans that were asked to keep it, and only for the last few of them.
#[utoipa::path(get, path = "/api/v1/runs/{id}/report", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid")), responses(
    (status = 200, description = "The lines", body = String, content_type = "application/jsonl"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_report(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<Response, Problem> {
    let run = library.db().get_run(&actor, id).await?;
    let path = report_path(&library.reports(), run.id);
    let file = tokio::fs::File::open(path).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Problem::new(
                Code::NotFound,
                format!("there is no report of the run {id}"),
            )
        } else {
            Problem::internal(error)
        }
    })?;
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024));
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], body).into_response())
}

/// The run with how far it is right now. The progress comes first: what is no longer under way then
/// has stored what it found.
async fn load_run(library: &Library, actor: &Actor, id: RunId) -> Result<wire::Run, Problem> {
    let live = library.scans().progress();
    let run = library.db().get_run(actor, id).await?;
    let run = library.scans().judge(run).await?;
    Ok(wire::Run::new(&run, live.get(&id)))
}
