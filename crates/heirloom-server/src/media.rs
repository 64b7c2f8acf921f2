//! Bytes of media on the wire: whole or a range of them, with what a browser may do with them.

use std::{ops::Range, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heirloom_blobs::SignedRead;
use heirloom_core::ContentHash;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    library::Library,
    problem::{Code, Problem},
    range::{Wanted, parse_range},
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

/// How long an address in a bucket is good for.
const SIGNED_FOR: Duration = Duration::from_secs(300);

/// What a file is called without its ending: what is made of it is saved under that.
pub(crate) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// What is said of bytes that are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Media<'a> {
    /// Their media type (MIME), from the bytes.
    pub(crate) media_type: &'a str,
    /// What they are called when they are saved.
    pub(crate) name: &'a str,
    /// Their hash, which is their ETag; `None` for bytes that are not what they should be.
    pub(crate) tag: Option<ContentHash>,
}

impl Media<'_> {
    /// The answer to somebody who has these bytes already.
    pub(crate) fn not_modified(&self, headers: &HeaderMap) -> Option<Response> {
        let tag = self.etag()?;
        has_tag(headers, &header::IF_NONE_MATCH, &tag).then(|| {
            let mut res = StatusCode::NOT_MODIFIED.into_response();
            self.add_headers(res.headers_mut());
            res
        })
    }

    /// Sends whoever asks to the bucket that has these bytes, if that is configured: with an address that is good for
    /// a few minutes and says about the bytes what is said here. Whoever asks may have them: that was looked at before.
    pub(crate) async fn redirect(
        &self,
        library: &Library,
        headers: &HeaderMap,
        hash: ContentHash,
    ) -> Result<Option<Response>, Problem> {
        // What a script fetches would have to be allowed by the bucket, too.
        let is_fetched = headers
            .get("sec-fetch-dest")
            .is_some_and(|to| to == "empty");
        if library.redirect_origins().is_none() || is_fetched {
            return Ok(None);
        }
        let read = SignedRead {
            duration: SIGNED_FOR,
            media_type: self.media_type,
            disposition: &self.disposition(),
        };
        let address = match library.blobs().sign_read(hash, read).await {
            Ok(Some(address)) => address,
            Ok(None) => return Ok(None),
            // There may be a copy here.
            Err(error) => {
                tracing::debug!(%hash, "nobody is sent to the bucket: {error}");
                return Ok(None);
            }
        };
        let mut res = StatusCode::TEMPORARY_REDIRECT.into_response();
        let res_headers = res.headers_mut();
        insert(res_headers, header::LOCATION, &address);
        insert(res_headers, header::CACHE_CONTROL, "private, no-store");
        insert(res_headers, header::REFERRER_POLICY, "no-referrer");
        Ok(Some(res))
    }

    /// The answer with the bytes that are wanted of `size_bytes`, which `open` brings.
    pub(crate) async fn respond(
        &self,
        headers: &HeaderMap,
        size_bytes: u64,
        open: impl AsyncFnOnce(Range<u64>) -> Result<Body, Problem>,
    ) -> Result<Response, Problem> {
        // A range of something else than what the client has begun with is of no use to it.
        let is_same = !headers.contains_key(header::IF_RANGE)
            || self
                .etag()
                .is_some_and(|tag| has_tag(headers, &header::IF_RANGE, &tag));
        let wanted = headers
            .get(header::RANGE)
            .filter(|_| is_same)
            .and_then(|value| value.to_str().ok())
            .map_or(Wanted::Whole, |value| parse_range(value, size_bytes));
        let (status, range) = match wanted {
            Wanted::Whole => (StatusCode::OK, 0..size_bytes),
            Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            Wanted::Nothing => return Ok(out_of_range(size_bytes)),
        };
        let mut res = open(range.clone()).await?.into_response();
        *res.status_mut() = status;
        let res_headers = res.headers_mut();
        self.add_headers(res_headers);
        res_headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
        if status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1);
            insert(res_headers, header::CONTENT_RANGE, &part);
        }
        Ok(res)
    }

    /// The answer with all of the bytes, of which nobody knows yet how many they are.
    pub(crate) fn respond_whole(&self, body: Body) -> Response {
        let mut res = body.into_response();
        self.add_headers(res.headers_mut());
        res.headers_mut().remove(header::ACCEPT_RANGES);
        res
    }

    fn etag(&self) -> Option<String> {
        self.tag.map(|tag| format!("\"{tag}\""))
    }

    fn disposition(&self) -> String {
        let is_inline = is_shown_inline(self.media_type);
        let disposition = if is_inline { "inline" } else { "attachment" };
        format!("{disposition}; {}", file_name(self.name))
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        if let Some(tag) = self.etag() {
            insert(headers, header::ETAG, &tag);
        }
        insert(headers, header::ACCEPT_RANGES, "bytes");
        insert(headers, header::CACHE_CONTROL, "private, no-cache");
        insert(headers, header::CONTENT_TYPE, self.media_type);
        insert(headers, header::CONTENT_DISPOSITION, &self.disposition());
        // Whatever it turns out to be, it runs nothing and reaches nothing.
        let policy = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox";
        insert(headers, header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Whether a browser shows bytes of this type without running any of them.
pub(crate) fn is_shown_inline(media_type: &str) -> bool {
    SHOWN_INLINE.contains(&media_type)
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

/// The name to save it under (RFC 8187).
fn file_name(name: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    format!("filename*=UTF-8''{}", utf8_percent_encode(name, KEPT))
}

pub(crate) fn has_tag(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
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
