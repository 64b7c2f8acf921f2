//! Runs: what goes on in the background.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use heirloom_core::{
    Actor, ArchiveId, RunId, UnitId, permission::Action, run::RunEvent, unit::UnitState,
};
use heirloom_db::{
    DbError,
    plan::{Parameters, Scope},
    run::Run,
    unit::WhichUnits,
};
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{Paging, parse_limit},
    cursor::List,
    extract::{Body as JsonBody, IdPath, Query},
    library::Library,
    problem::{Code, Problem},
    scans::report_path,
    transfers::Transfers,
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_scan))
        .routes(routes!(create_run))
        .routes(routes!(forecast_run))
        .routes(routes!(list_pipelines))
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
        .routes(routes!(pause_run))
        .routes(routes!(resume_run))
        .routes(routes!(cancel_run))
        .routes(routes!(retry_run))
        .routes(routes!(list_units))
        .routes(routes!(get_unit))
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
    actor.require_operator(Action::ManageArchive)?;
    let id = library.scans().start(&actor, archive, new).await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Begins a run of a pipeline over assets. What is there already is not made again.
#[utoipa::path(post, path = "/api/v1/runs", tag = "run", request_body = wire::NewRun, responses(
    (status = 201, description = "The run", body = wire::Run),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    JsonBody(new): JsonBody<wire::NewRun>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    let parameters = read_parameters(&library, &actor, &new).await?;
    let family = library.family().id;
    let engine = library.engine();
    let id = engine
        .start(&actor, family, &new.pipeline, &parameters)
        .await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// What such a run would find to do: what is there, what is stale, what is missing. Nothing is begun.
#[utoipa::path(post, path = "/api/v1/runs/forecast", tag = "run", request_body = wire::NewRun, responses(
    (status = 200, description = "What there is to do at each step", body = wire::Forecast),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn forecast_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    JsonBody(new): JsonBody<wire::NewRun>,
) -> Result<Json<wire::Forecast>, Problem> {
    let parameters = read_parameters(&library, &actor, &new).await?;
    let family = library.family().id;
    let steps = library
        .engine()
        .foresee(&actor, family, &new.pipeline, &parameters)
        .await?;
    let steps = steps.into_iter();
    let steps = steps.map(|(step, foreseen)| wire::StepForecast::new(step, foreseen));
    Ok(Json(wire::Forecast {
        steps: steps.collect(),
    }))
}

/// The pipelines that runs can execute, with their tools.
#[utoipa::path(get, path = "/api/v1/pipelines", tag = "run", responses(
    (status = 200, description = "All of them", body = wire::Page<wire::Pipeline>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_pipelines(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Page<wire::Pipeline>>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let templates = library.engine().templates().iter();
    Ok(Json(wire::Page {
        items: templates.map(|known| wire::Pipeline::new(known)).collect(),
        next: None,
    }))
}

async fn read_parameters(
    library: &Library,
    actor: &Actor,
    new: &wire::NewRun,
) -> Result<Parameters, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let scope = match (new.archive_id, &new.asset_ids) {
        (None, None) => Scope::All,
        (None, Some(assets)) => Scope::Assets(assets.clone()),
        (Some(archive), None) => Scope::Archive(library.db().get_archive(actor, archive).await?.id),
        (Some(_), Some(_)) => {
            let both = "a run goes through an archive or through named assets, not both";
            return Err(Problem::new(Code::InvalidRequest, both)
                .hint("Leave `archive_id` or `asset_ids` out."));
        }
    };
    Ok(Parameters {
        process: false,
        scope,
        sample: new.sample,
        retry_failed: new.retry_failed,
        tools: library.engine().check(&new.pipeline, &new.parameters)?,
    })
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
    let before: Option<RunId> = paging.after_id(List::RUNS)?;
    let (family, limit) = (library.family().id, paging.limit()?);
    let live = library.progress();
    let page = library
        .db()
        .list_runs(&actor, family, before, limit)
        .await?;
    let mut items = Vec::new();
    for run in page.items {
        let run = library.scans().judge(run).await?;
        let steps = library.db().list_run_steps(run.id).await?;
        let waits_for = library.engine().why_waiting(run.id);
        let live = live.get(&run.id);
        items.push(wire::Run::new(&run, &steps, live, waits_for));
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
    if library.engine().has_pipeline(&run.pipeline) {
        library
            .engine()
            .tell(&actor, &run, RunEvent::Cancel)
            .await?;
    } else if Transfers::has_pipeline(&run.pipeline) {
        library.transfers().cancel(&actor, &run).await?;
    } else {
        library.scans().cancel(&actor, &run).await?;
    }
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// Has a run wait. What is being worked on is finished first.
#[utoipa::path(post, path = "/api/v1/runs/{id}/pause", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid")), responses(
    (status = 202, description = "The run, which is paused", body = wire::Run),
    (status = 409, description = "It has ended or is paused, or it is a scan", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn pause_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    tell(&library, &actor, id, RunEvent::Pause).await
}

/// Has a paused run go on.
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid")), responses(
    (status = 202, description = "The run, which goes on", body = wire::Run),
    (status = 409, description = "It is not paused", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn resume_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    tell(&library, &actor, id, RunEvent::Resume).await
}

async fn tell(
    library: &Library,
    actor: &Actor,
    id: RunId,
    event: RunEvent,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    let run = deriving_run(library, actor, id).await?;
    library.engine().tell(actor, &run, event).await?;
    let run = load_run(library, actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// Has what failed or was cancelled of a run that has ended tried once more.
#[utoipa::path(post, path = "/api/v1/runs/{id}/retry", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid")), responses(
    (status = 202, description = "The run, which goes on", body = wire::Run),
    (status = 409, description = "It has not ended, or it is a scan", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn retry_run(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<(StatusCode, Json<wire::Run>), Problem> {
    let run = deriving_run(&library, &actor, id).await?;
    library.engine().retry(&actor, &run).await?;
    let run = load_run(&library, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// A run that goes through assets.
async fn deriving_run(library: &Library, actor: &Actor, id: RunId) -> Result<Run, Problem> {
    let run = library.db().get_run(actor, id).await?;
    if library.engine().has_pipeline(&run.pipeline) {
        return Ok(run);
    }
    Err(Problem::new(
        Code::Refused,
        format!("a run of {} can only be cancelled", run.pipeline),
    )
    .hint("Cancel it, and do it again later: it goes on where it was."))
}

/// Which units of a run.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those in this state.
    #[param(schema_with = wire::schema::unit_state)]
    state: Option<UnitState>,
    /// Only those that made something again that came out otherwise than before.
    changed: Option<bool>,
    /// How many at most.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// The units of a run, in the order in which they were planned: what failed, and why.
#[utoipa::path(get, path = "/api/v1/runs/{id}/units", tag = "run", params(("id" = String, Path, description = "The run", format = "uuid"), Which), responses(
    (status = 200, description = "A page of units", body = wire::Page<wire::Unit>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_units(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
    Query(which): Query<Which>,
) -> Result<Json<wire::Page<wire::Unit>>, Problem> {
    let run = library.db().get_run(&actor, id).await?;
    let units = match (which.state, which.changed == Some(true)) {
        (None, false) => WhichUnits::All,
        (Some(state), false) => WhichUnits::In(state),
        (None, true) => WhichUnits::Changed,
        (Some(_), true) => {
            let both = "units are asked for by their state or because they changed, not both";
            return Err(Problem::new(Code::InvalidRequest, both).hint("Leave one of them out."));
        }
    };
    let question = format!("{} {units:?}", run.id);
    let list = List::units(&question);
    let after = which.after.as_deref();
    let after: Option<UnitId> = after.map(|text| list.parse_id(text)).transpose()?;
    let limit = parse_limit(which.limit)?;
    let page = library
        .db()
        .list_units(&actor, run.id, units, after, limit)
        .await?;
    Ok(Json(wire::Page {
        items: page.items.into_iter().map(Into::into).collect(),
        next: page.next.map(|unit| list.render_cursor(unit.as_bytes())),
    }))
}

/// One unit: what its tool said, and how long it took.
#[utoipa::path(get, path = "/api/v1/units/{id}", tag = "run", params(("id" = String, Path, description = "The unit", format = "uuid")), responses(
    (status = 200, description = "The unit", body = wire::Unit),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_unit(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<UnitId>,
) -> Result<Json<wire::Unit>, Problem> {
    Ok(Json(library.db().get_unit(&actor, id).await?.into()))
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
pub(crate) async fn load_run(
    library: &Library,
    actor: &Actor,
    id: RunId,
) -> Result<wire::Run, Problem> {
    let live = library.progress();
    let run = library.db().get_run(actor, id).await?;
    let run = library.scans().judge(run).await?;
    // After the run: whoever sees that it has ended sees all that came of it.
    let steps = library.db().list_run_steps(id).await?;
    let waits_for = library.engine().why_waiting(id);
    let mut shown = wire::Run::new(&run, &steps, live.get(&id), waits_for);
    for (asset, hearing) in library.engine().hearings().of_run(id) {
        let asset = match library.db().get_asset(actor, asset).await {
            // It was purged a moment ago.
            Err(DbError::NotFound { .. }) => continue,
            asset => asset?,
        };
        shown.hearing.push(wire::RunHearing {
            asset_id: asset.id,
            asset_name: asset.title.unwrap_or(asset.name),
            hearing: (&hearing).into(),
        });
    }
    Ok(shown)
}
