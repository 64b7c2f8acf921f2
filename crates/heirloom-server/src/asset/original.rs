//! The original itself: its bytes, as they are.

use std::ops::Range;

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use heirloom_blobs::Availability;
use heirloom_core::{Actor, AssetId};
use heirloom_db::asset::Asset;
use heirloom_pipeline::Original;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;

use crate::{
    actor::Asker,
    extract::{IdPath, Query},
    library::Library,
    media::Media,
    problem::{Code, Problem},
    wire,
};

/// How much is read from the disk at once.
const CHUNK_BYTES: usize = 128 * 1024;

/// The bytes of an original, all or a range of them, as they are in its archive.
#[utoipa::path(get, path = "/api/v1/assets/{id}/original", tag = "asset", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    WhichBytes,
    ("range" = Option<String>, Header, description = "One range of bytes"),
    ("if-none-match" = Option<String>, Header, description = "The hash in quotation marks, if the bytes are at hand"),
), responses(
    (status = 200, description = "The bytes; their BLAKE3 is the ETag", body = Vec<u8>, content_type = "*/*"),
    (status = 206, description = "The range", body = Vec<u8>, content_type = "*/*"),
    (status = 307, description = "Where the bytes are for a few minutes, if the store is configured to say so"),
    (status = 304, description = "The bytes at hand are the same"),
    (status = 409, description = "The file at its place is another now, is damaged, or is being fetched from an archive", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 410, description = "It is at none of its places", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 416, description = "The range is not within the bytes", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
pub(crate) async fn get_original(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    Query(which): Query<WhichBytes>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    open_original(&library, &actor, id, which, &headers).await
}

/// Which bytes will do.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichBytes {
    /// Whether damaged bytes will do, where there are no others. They come without an ETag.
    #[param(default = false)]
    damaged: bool,
    /// Whether one that lies in an archive is asked for, which costs something and takes hours.
    #[param(default = true)]
    bring_back: bool,
}

impl Default for WhichBytes {
    fn default() -> Self {
        Self {
            damaged: false,
            bring_back: true,
        }
    }
}

/// Answers with an original.
pub(crate) async fn open_original(
    library: &Library,
    actor: &Actor,
    id: AssetId,
    which: WhichBytes,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let asset = library.db().get_asset(actor, id).await?;
    match answer(library, actor, &asset, which.damaged, headers).await {
        Err(problem) if which.bring_back && problem.code() == Code::OriginalArchived => {
            Err(bring_back(library, &asset).await)
        }
        answer => answer,
    }
}

/// Asks for an original in an archive, and says so.
async fn bring_back(library: &Library, asset: &Asset) -> Problem {
    let asked_at_ms = match library.blobs().bring_back(asset.content_hash).await {
        Ok(Availability::Coming { asked_at_ms }) => asked_at_ms,
        Ok(Availability::Here) => {
            let came = "the original came from the archive just now: ask again";
            return Problem::new(Code::Unavailable, came);
        }
        Err(error) => return error.into(),
    };
    let message = format!(
        "the original of {:?} is being fetched from the archive, which may take hours",
        asset.name
    );
    Problem::new(Code::OriginalArchived, message)
        .hint("Come back later: it is there for a week then. `heirloom store status` says what is on its way.")
        .with("asked_at_ms", asked_at_ms)
}

async fn answer(
    library: &Library,
    actor: &Actor,
    asset: &Asset,
    may_be_damaged: bool,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let media = Media {
        media_type: &asset.media_type,
        name: &asset.name,
        tag: Some(asset.content_hash),
    };
    if let Some(res) = media.not_modified(headers) {
        return Ok(res);
    }
    let ctx = library.context(actor.clone());
    if library.redirect_origins().is_some()
        && heirloom_pipeline::is_in_vault(&ctx, &asset.into()).await?
        && let Some(res) = media.redirect(library, headers, asset.content_hash).await?
    {
        return Ok(res);
    }
    // A sealed blob as a file would be opened whole for each part of a film that is watched.
    if library.encryption().is_on() && heirloom_pipeline::is_in_vault(&ctx, &asset.into()).await? {
        let (hash, size) = (asset.content_hash, asset.size_bytes.unsigned_abs());
        if matches!(library.blobs().size_bytes(hash).await, Ok(stored) if stored == size) {
            let open = async |range| {
                let reader = library.blobs().get_range(hash, range).await?;
                Ok(Body::from_stream(reader))
            };
            return media.respond(headers, size, open).await;
        }
    }
    let original = heirloom_pipeline::open_original(&ctx, &asset.into(), may_be_damaged).await?;
    let media = Media {
        // Damaged bytes are not those that the tag names.
        tag: media.tag.filter(|_| !original.is_damaged),
        ..media
    };
    let size = original.size_bytes;
    media
        .respond(headers, size, async |range| send(original, &range).await)
        .await
}

async fn send(original: Original, range: &Range<u64>) -> Result<Body, Problem> {
    let mut file = tokio::fs::File::from_std(original.file);
    file.seek(std::io::SeekFrom::Start(range.start))
        .await
        .map_err(Problem::internal)?;
    let part = file.take(range.end - range.start);
    Ok(Body::from_stream(ReaderStream::with_capacity(
        part,
        CHUNK_BYTES,
    )))
}
