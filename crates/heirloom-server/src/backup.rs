//! Backups over HTTP. The operator's alone.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{BackupId, permission::Action};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::Paging,
    extract::{Body, IdPath, Query},
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_backup))
        .routes(routes!(list_backups))
        .routes(routes!(get_backup))
        .routes(routes!(cancel_backup))
        .routes(routes!(get_schedule, set_schedule, remove_schedule))
}

/// What is backed up regularly, and how that stands.
#[utoipa::path(get, path = "/api/v1/backup-schedule", tag = "machine", responses(
    (status = 200, description = "How it stands", body = wire::BackupStanding),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_schedule(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::BackupStanding>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    Ok(Json(library.backups().standing().await?.into()))
}

/// Sets what is backed up regularly. The server begins within a minute.
#[utoipa::path(put, path = "/api/v1/backup-schedule", tag = "machine", request_body = wire::BackupSchedule, responses(
    (status = 200, description = "How it stands", body = wire::BackupStanding),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn set_schedule(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::BackupSchedule>,
) -> Result<Json<wire::BackupStanding>, Problem> {
    let is_new_key = library.backups().set_schedule(&actor, &new).await?;
    let standing = library.backups().standing().await?.into();
    Ok(Json(wire::BackupStanding {
        is_new_key,
        ..standing
    }))
}

/// Backs up nothing regularly any more. What was backed up stays.
#[utoipa::path(delete, path = "/api/v1/backup-schedule", tag = "machine", responses(
    (status = 200, description = "How it stands", body = wire::BackupStanding),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn remove_schedule(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::BackupStanding>, Problem> {
    let (db, family) = (library.db(), library.family().id);
    db.set_backup_schedule(&actor, family, None).await?;
    Ok(Json(library.backups().standing().await?.into()))
}

/// Begins to back up, check, prune or prove. One thing is done at a time; the answer says how to ask how far it is.
#[utoipa::path(post, path = "/api/v1/backups", tag = "machine", request_body = wire::NewBackup, responses(
    (status = 201, description = "What has begun", body = wire::Backup),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_backup(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewBackup>,
) -> Result<(StatusCode, Json<wire::Backup>), Problem> {
    let (id, key) = library.backups().start(&actor, &new, false).await?;
    let backup = library.db().get_backup(&actor, id).await?;
    let backup = wire::Backup {
        key_file: Some(key.file.display().to_string()),
        is_new_key: key.is_new,
        ..library.backups().describe(backup, Some(id))
    };
    Ok((StatusCode::CREATED, Json(backup)))
}

/// What is and was done with repositories of backups, the newest first.
#[utoipa::path(get, path = "/api/v1/backups", tag = "machine", params(Paging), responses(
    (status = 200, description = "A page", body = wire::Page<wire::Backup>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_backups(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Backup>>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let limit = paging.limit()?;
    let before = paging.after.as_deref().map(str::parse::<BackupId>);
    let before = before
        .transpose()
        .map_err(|_| Problem::new(Code::InvalidCursor, "no list gave this cursor"))?;
    let (db, family) = (library.db(), library.family().id);
    let underway = library.backups().underway();
    let page = db.list_backups(&actor, family, before, limit).await?;
    let describe = |backup| library.backups().describe(backup, underway);
    Ok(Json(wire::Page {
        items: page.items.into_iter().map(describe).collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}

/// How far something is, or what came of it.
#[utoipa::path(get, path = "/api/v1/backups/{id}", tag = "machine", params(("id" = String, Path, description = "Which", format = "uuid")), responses(
    (status = 200, description = "How it stands", body = wire::Backup),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_backup(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<BackupId>,
) -> Result<Json<wire::Backup>, Problem> {
    let underway = library.backups().underway();
    let backup = library.db().get_backup(&actor, id).await?;
    Ok(Json(library.backups().describe(backup, underway)))
}

/// Tells what is under way to stop. A backup that is stopped leaves no snapshot; what it stored is found again
/// by the next.
#[utoipa::path(post, path = "/api/v1/backups/{id}/cancel", tag = "machine", params(("id" = String, Path, description = "Which", format = "uuid")), responses(
    (status = 200, description = "How it stands", body = wire::Backup),
    (status = 409, description = "It has ended", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn cancel_backup(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<BackupId>,
) -> Result<Json<wire::Backup>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let underway = library.backups().underway();
    let backup = library.db().get_backup(&actor, id).await?;
    library.backups().cancel(id)?;
    Ok(Json(library.backups().describe(backup, underway)))
}
