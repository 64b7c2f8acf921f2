//! Artifacts: what was derived, its bytes, and how it came about.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use heirloom_core::ArtifactId;
use heirloom_db::artifact::{Artifact, Part};
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::{IdPath, Query, parse_id},
    library::Library,
    media::{Media, stem},
    problem::{Code, Problem},
    wire,
};

/// How much is read from the store at once.
const CHUNK_BYTES: usize = 128 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(get_artifact))
        .routes(routes!(get_content))
        .routes(routes!(get_lineage))
        .routes(routes!(get_rendition))
}

/// One artifact.
#[utoipa::path(get, path = "/api/v1/artifacts/{id}", tag = "artifact", params(("id" = String, Path, description = "The artifact", format = "uuid")), responses(
    (status = 200, description = "The artifact", body = wire::Artifact),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_artifact(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ArtifactId>,
) -> Result<Json<wire::Artifact>, Problem> {
    let (artifact, _) = library.db().get_artifact(&actor, id).await?;
    Ok(Json(artifact.into()))
}

/// The content of an artifact: its bytes, all or a range of them, or its JSON.
#[utoipa::path(get, path = "/api/v1/artifacts/{id}/content", tag = "artifact", params(
    ("id" = String, Path, description = "The artifact", format = "uuid"),
    ("range" = Option<String>, Header, description = "One range of bytes"),
    ("if-none-match" = Option<String>, Header, description = "The hash in quotation marks, if the bytes are at hand"),
), responses(
    (status = 200, description = "The bytes; their BLAKE3 is the ETag", body = Vec<u8>, content_type = "*/*"),
    (status = 206, description = "The range", body = Vec<u8>, content_type = "*/*"),
    (status = 307, description = "Where the bytes are for a few minutes, if the store is configured to say so"),
    (status = 304, description = "The bytes at hand are the same"),
    (status = 416, description = "The range is not within the bytes", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_content(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ArtifactId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (artifact, asset) = library.db().get_artifact(&actor, id).await?;
    send(&library, &artifact, &asset.name, &headers).await
}

/// Which part of an asset.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhichPart {
    /// The page, from 1; the whole asset without it.
    page: Option<u32>,
}

/// The newest rendition of an asset, by its kind: `grid`, `screen`, `full`, `proxy`.
#[utoipa::path(get, path = "/api/v1/assets/{id}/renditions/{kind}", tag = "artifact", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    ("kind" = String, Path, description = "The kind of artifact"),
    WhichPart,
    ("range" = Option<String>, Header, description = "One range of bytes"),
    ("if-none-match" = Option<String>, Header, description = "The hash in quotation marks, if the bytes are at hand"),
), responses(
    (status = 200, description = "The bytes; their BLAKE3 is the ETag", body = Vec<u8>, content_type = "*/*"),
    (status = 206, description = "The range", body = Vec<u8>, content_type = "*/*"),
    (status = 307, description = "Where the bytes are for a few minutes, if the store is configured to say so"),
    (status = 304, description = "The bytes at hand are the same"),
    (status = 404, description = "There is no such asset, or no such rendition of it yet", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 416, description = "The range is not within the bytes", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_rendition(
    State(library): State<Library>,
    Asker(actor): Asker,
    Path((id, kind)): Path<(String, String)>,
    Query(which): Query<WhichPart>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asset = library.db().get_asset(&actor, parse_id(&id)?).await?;
    let part = which.page.map_or(Part::Whole, Part::Page);
    let found = library.db().find_artifact(&asset, &kind, part).await?;
    let artifact = found.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            format!("there is no {kind:?} of the asset {id}"),
        )
        .hint("It may not have been made yet: see the runs.")
    })?;
    send(&library, &artifact, &asset.name, &headers).await
}

async fn send(
    library: &Library,
    artifact: &Artifact,
    name: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let Some(hash) = artifact.blob_hash else {
        let text = artifact
            .payload
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        let media = Media {
            media_type: "application/json",
            name: &format!("{}.json", artifact.kind),
            tag: Some(heirloom_blobs::hash_of(text.as_bytes())),
        };
        if let Some(res) = media.not_modified(headers) {
            return Ok(res);
        }
        let size = text.len() as u64;
        let part = async |range: std::ops::Range<u64>| {
            let range = usize::try_from(range.start)
                .ok()
                .zip(usize::try_from(range.end).ok());
            let bytes = range.and_then(|(from, to)| text.as_bytes().get(from..to));
            Ok(Body::from(bytes.unwrap_or_default().to_vec()))
        };
        return media.respond(headers, size, part).await;
    };
    let said = artifact
        .payload
        .as_ref()
        .and_then(|says| says["media_type"].as_str());
    let media_type = said.unwrap_or("application/json");
    let media = Media {
        media_type,
        name: &file_name(name, &artifact.kind, media_type),
        tag: Some(hash),
    };
    if let Some(res) = media.not_modified(headers) {
        return Ok(res);
    }
    if let Some(res) = media.redirect(library, headers, hash).await? {
        return Ok(res);
    }
    let size = library.blobs().size_bytes(hash).await?;
    let open = async |range: std::ops::Range<u64>| {
        let reader = library.blobs().get_range(hash, range).await?;
        Ok(Body::from_stream(ReaderStream::with_capacity(
            reader,
            CHUNK_BYTES,
        )))
    };
    media.respond(headers, size, open).await
}

/// What a derived file is called when it is saved: after its original.
fn file_name(original: &str, kind: &str, media_type: &str) -> String {
    let stem = stem(original);
    let ending = match media_type {
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        "image/png" => "png",
        "video/mp4" => "mp4",
        "audio/mp4" => "m4a",
        "application/json" => "json",
        "text/plain" => "txt",
        _ => "bin",
    };
    format!("{stem}-{kind}.{ending}")
}

/// How an artifact came about, and what came of it.
#[utoipa::path(get, path = "/api/v1/artifacts/{id}/lineage", tag = "artifact", params(("id" = String, Path, description = "The artifact", format = "uuid")), responses(
    (status = 200, description = "Its lineage", body = wire::Lineage),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_lineage(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<ArtifactId>,
) -> Result<Json<wire::Lineage>, Problem> {
    let ctx = library.context(actor);
    Ok(Json(
        heirloom_pipeline::lineage::trace(&ctx, id).await?.into(),
    ))
}
