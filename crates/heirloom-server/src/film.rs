//! What films show at a moment.

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use heirloom_core::{AssetId, MediaKind};
use heirloom_pipeline::open_original;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::{IdPath, Query},
    library::Library,
    media::{Media, stem},
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_still))
}

/// Which moment.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Moment {
    /// In milliseconds from the film's beginning.
    at_ms: u64,
}

/// The picture that a film shows at a moment, such as that at which a face is seen best. It is made while it is fetched.
#[utoipa::path(get, path = "/api/v1/assets/{id}/still", tag = "asset", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    Moment,
    ("if-none-match" = Option<String>, Header, description = "The ETag in quotation marks, if the picture is at hand"),
), responses(
    (status = 200, description = "The picture, at most 1280 pixels wide and high", body = Vec<u8>, content_type = "image/jpeg"),
    (status = 304, description = "The picture at hand is the same"),
    (status = 404, description = "There is no such asset, or no picture in it at that moment", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "It is no film", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_still(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    Query(Moment { at_ms }): Query<Moment>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asset = library.db().get_asset(&actor, id).await?;
    if asset.kind != MediaKind::Video {
        let what = format!("{:?} is no film", asset.name);
        return Err(Problem::new(Code::Refused, what)
            .hint("What a picture looks like is told by its renditions."));
    }
    let of = format!("still {at_ms} {}", asset.content_hash);
    let media = Media {
        media_type: "image/jpeg",
        name: &format!("{}-{at_ms}.jpg", stem(&asset.name)),
        tag: Some(heirloom_blobs::hash_of(of.as_bytes())),
    };
    if let Some(res) = media.not_modified(&headers) {
        return Ok(res);
    }
    let film = open_original(&library.context(actor), &(&asset).into(), false).await?;
    let still = library.engine().workshop().still(film.file, at_ms).await;
    let jpeg = still.map_err(|error| match error.is_about_the_file() {
        true => {
            let message = format!("there is no picture of {:?} at {at_ms} ms", asset.name);
            Problem::new(Code::NotFound, message).hint("It may be shorter, or damaged there.")
        }
        false => Problem::new(Code::Unavailable, error.to_string())
            .hint("FFmpeg makes it: `heirloom doctor` says whether it is here."),
    })?;
    let size = jpeg.len() as u64;
    let part = async |range: std::ops::Range<u64>| {
        let range = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let bytes = range.and_then(|(from, until)| jpeg.get(from..until));
        Ok(Body::from(bytes.unwrap_or_default().to_vec()))
    };
    media.respond(&headers, size, part).await
}
