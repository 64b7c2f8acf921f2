//! The original itself: its bytes, as they are.

use std::ops::Range;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heirloom_core::{Actor, AssetId};
use heirloom_db::asset::Asset;
use heirloom_pipeline::Original;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;

use super::range::{Wanted, parse_range};
use crate::{
    actor::Asker,
    extract::{IdPath, Query},
    library::Library,
    problem::{Code, Problem},
    wire,
};

/// What browsers show without running any of it. Everything else is for saving.
const SHOWN_INLINE: [&str; 24] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "image/heic",
    "image/heif",
    "image/tiff",
    "image/jp2",
    "image/jxl",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "video/3gpp",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/opus",
    "audio/flac",
    "audio/aac",
    "audio/wav",
    "audio/webm",
];

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
    (status = 304, description = "The bytes at hand are the same"),
    (status = 409, description = "The file at its place is another now, or is damaged", body = wire::ProblemDocument, content_type = "application/problem+json"),
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
    open_original(&library, &actor, id, which.damaged, &headers).await
}

/// Which bytes will do.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichBytes {
    /// Whether damaged bytes will do, where there are no others. They come without an ETag.
    #[serde(default)]
    damaged: bool,
}

/// Answers with an original.
pub(crate) async fn open_original(
    library: &Library,
    actor: &Actor,
    id: AssetId,
    may_be_damaged: bool,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let asset = library.db().get_asset(actor, id).await?;
    let tag = format!("\"{}\"", asset.content_hash);
    if has_tag(headers, &header::IF_NONE_MATCH, &tag) {
        let mut res = StatusCode::NOT_MODIFIED.into_response();
        add_headers(res.headers_mut(), &asset, Some(&tag));
        return Ok(res);
    }
    let ctx = library.context(actor.clone());
    let original = heirloom_pipeline::open_original(&ctx, &asset, may_be_damaged).await?;
    // Damaged bytes are not those that the tag names.
    let tag = (!original.is_damaged).then_some(tag.as_str());
    let size = original.size_bytes;
    // A range of something else than what the client has begun with is of no use to it.
    let is_same = !headers.contains_key(header::IF_RANGE)
        || tag.is_some_and(|tag| has_tag(headers, &header::IF_RANGE, tag));
    let wanted = headers
        .get(header::RANGE)
        .filter(|_| is_same)
        .and_then(|value| value.to_str().ok())
        .map_or(Wanted::Whole, |value| parse_range(value, size));
    let (status, range) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => return Ok(out_of_range(size)),
    };
    let length = range.end - range.start;
    let mut res = send(original, &range).await?.into_response();
    *res.status_mut() = status;
    let res_headers = res.headers_mut();
    add_headers(res_headers, &asset, tag);
    res_headers.insert(header::CONTENT_LENGTH, length.into());
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        insert(res_headers, header::CONTENT_RANGE, &part);
    }
    Ok(res)
}

/// Whether a browser shows bytes of this type without running any of them.
pub(crate) fn is_shown_inline(media_type: &str) -> bool {
    SHOWN_INLINE.contains(&media_type)
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

fn out_of_range(size: u64) -> Response {
    let problem = Problem::new(
        Code::InvalidRange,
        format!("the range is not within the {size} bytes"),
    );
    let mut res = problem.into_response();
    insert(
        res.headers_mut(),
        header::CONTENT_RANGE,
        &format!("bytes */{size}"),
    );
    res
}

fn add_headers(headers: &mut HeaderMap, asset: &Asset, tag: Option<&str>) {
    let is_inline = is_shown_inline(&asset.media_type);
    if let Some(tag) = tag {
        insert(headers, header::ETAG, tag);
    }
    insert(headers, header::ACCEPT_RANGES, "bytes");
    insert(headers, header::CACHE_CONTROL, "private, no-cache");
    insert(headers, header::CONTENT_TYPE, &asset.media_type);
    let disposition = if is_inline { "inline" } else { "attachment" };
    let disposition = format!("{disposition}; {}", file_name(&asset.name));
    insert(headers, header::CONTENT_DISPOSITION, &disposition);
    // Whatever it turns out to be, it runs nothing and reaches nothing.
    let policy =
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox";
    insert(headers, header::CONTENT_SECURITY_POLICY, policy);
}

/// The name to save it under (RFC 8187).
fn file_name(name: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    format!("filename*=UTF-8''{}", utf8_percent_encode(name, KEPT))
}

fn has_tag(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        let mut tags = text.split(',').map(str::trim);
        tags.any(|given| given == tag || given == "*")
    })
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
