//! Archives: the folders in which originals are.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{ArchiveId, permission::Action};
use heirloom_pipeline::archive::{check_root, get_or_create_archive};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::{Body, IdPath},
    folder::parse_folder,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_archives, create_archive))
        .routes(routes!(get_archive, update_archive))
}

/// Every archive, the oldest first.
#[utoipa::path(get, path = "/api/v1/archives", tag = "archive", responses(
    (status = 200, description = "The archives; always on one page", body = wire::Page<wire::Archive>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_archives(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Page<wire::Archive>>, Problem> {
    let archives = library
        .db()
        .list_archives(&actor, library.family().id)
        .await?;
    Ok(Json(wire::Page {
        items: archives.into_iter().map(wire::Archive::from).collect(),
        next: None,
    }))
}

/// One archive.
#[utoipa::path(get, path = "/api/v1/archives/{id}", tag = "archive", params(("id" = String, Path, description = "The archive", format = "uuid")), responses(
    (status = 200, description = "The archive", body = wire::Archive),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_archive(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ArchiveId>,
) -> Result<Json<wire::Archive>, Problem> {
    let archive = library.db().get_archive(&actor, id).await?;
    Ok(Json(archive.into()))
}

/// Makes a folder of this machine an archive. Naming the folder of an archive that there is gives
/// that archive, under the given name, so that asking twice makes one.
#[utoipa::path(post, path = "/api/v1/archives", tag = "archive", request_body = wire::NewArchive, responses(
    (status = 201, description = "The new archive", body = wire::Archive),
    (status = 200, description = "The archive that was there", body = wire::Archive),
    (status = 422, description = "The folder cannot be an archive", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_archive(
    State(library): State<Library>,
    Asker(actor): Asker,
    Body(new): Body<wire::NewArchive>,
) -> Result<(StatusCode, Json<wire::Archive>), Problem> {
    // Before the disk is looked at: whether a folder exists is not for everybody.
    actor.require_operator(Action::ManageArchive)?;
    let name = new.name.as_deref().map(parse_name).transpose()?;
    let folder = parse_folder(&new.path)?;
    let family = library.family();
    let archives = library.db().list_archives(&actor, family.id).await?;
    let data_folder = library.folder().to_owned();
    let checking =
        tokio::task::spawn_blocking(move || check_root(&folder, &data_folder, &archives));
    let root = checking.await.map_err(Problem::internal)??;
    let status = match root.archive() {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    };
    let ctx = library.context(actor);
    let archive = get_or_create_archive(&ctx, family, &root, name).await?;
    Ok((status, Json(archive.into())))
}

/// Gives an archive another name.
#[utoipa::path(patch, path = "/api/v1/archives/{id}", tag = "archive", params(("id" = String, Path, description = "The archive", format = "uuid")), request_body = wire::ArchivePatch, responses(
    (status = 200, description = "The archive", body = wire::Archive),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn update_archive(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ArchiveId>,
    Body(patch): Body<wire::ArchivePatch>,
) -> Result<Json<wire::Archive>, Problem> {
    let name = parse_name(&patch.name)?;
    let db = library.db();
    db.get_archive(&actor, id).await?;
    db.rename_archive(&actor, id, name).await?;
    Ok(Json(db.get_archive(&actor, id).await?.into()))
}

fn parse_name(name: &str) -> Result<&str, Problem> {
    let name = name.trim();
    let is_name = (1..=200).contains(&name.chars().count()) && !name.contains(char::is_control);
    if is_name {
        Ok(name)
    } else {
        Err(Problem::new(
            Code::InvalidArchive,
            "an archive's name is 1 to 200 characters on one line",
        ))
    }
}
