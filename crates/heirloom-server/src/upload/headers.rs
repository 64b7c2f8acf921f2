//! The headers of tus 1.0 (<https://tus.io/protocols/resumable-upload>).

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use heirloom_core::{ContentHash, RunId, path};
use heirloom_db::upload::Upload;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};

use crate::{
    problem::{Code, Problem},
    uploads::Checksum,
};

pub(super) const VERSION: &str = "1.0.0";
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";

pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const TUS_CHECKSUM_ALGORITHM: HeaderName =
    HeaderName::from_static("tus-checksum-algorithm");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
pub(super) const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// The type of the bytes that are sent.
pub(super) const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// A file without a name is called so.
const UNNAMED: &str = "unnamed";
/// File systems take 255 bytes; whoever has more means something else.
const NAME_BYTES: usize = 1024;

/// A request that speaks the version of tus that is spoken here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tus;

impl<S: Send + Sync> FromRequestParts<S> for Tus {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let spoken = parts.headers.get(TUS_RESUMABLE);
        if spoken.is_some_and(|version| version == VERSION) {
            return Ok(Self);
        }
        Err(Problem::new(
            Code::TusVersion,
            format!("tus {VERSION} is spoken here, and the request does not say that it is"),
        )
        .hint(format!("Send Tus-Resumable: {VERSION} with each request.")))
    }
}

/// Says in every answer which version is spoken.
pub(super) async fn say_version(req: Request, next: Next) -> Response {
    let mut res = next.run(req).await;
    let version = HeaderValue::from_static(VERSION);
    if res.status() == StatusCode::PRECONDITION_FAILED {
        res.headers_mut().insert(TUS_VERSION, version.clone());
    }
    res.headers_mut().insert(TUS_RESUMABLE, version);
    res
}

/// What somebody says of a file that they are about to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) content_hash: Option<ContentHash>,
    pub(super) modified_at_ms: Option<i64>,
    pub(super) process: bool,
    pub(super) addition: Option<RunId>,
}

impl Announced {
    /// # Errors
    /// What is missing or cannot be read.
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        for (name, what) in [
            (
                "upload-defer-length",
                "The length of a file has to be known before it is sent.",
            ),
            (
                "upload-concat",
                "Send a file in one upload; its parts may come one after the other.",
            ),
        ] {
            if headers.contains_key(name) {
                return Err(invalid(format!("{name} is not understood here")).hint(what));
            }
        }
        let size_bytes =
            number(headers, &UPLOAD_LENGTH)?.ok_or_else(|| invalid("Upload-Length is missing"))?;
        let mut announced = Self {
            name: UNNAMED.to_owned(),
            size_bytes,
            content_hash: None,
            modified_at_ms: None,
            process: true,
            addition: None,
        };
        for (key, value) in metadata(headers)? {
            announced.take(&key, &value)?;
        }
        Ok(announced)
    }

    /// Takes one entry of the metadata. What is not known here is some other server's.
    fn take(&mut self, key: &str, value: &[u8]) -> Result<(), Problem> {
        let text = || std::str::from_utf8(value).unwrap_or_default();
        let wrong = |expected: &str| invalid(format!("{key} in Upload-Metadata is not {expected}"));
        match key {
            "filename" => self.name = file_name(value)?,
            "blake3" => {
                let hash = text().parse().map_err(|_| wrong("64 hexadecimal digits"))?;
                self.content_hash = Some(hash);
            }
            "modified_at_ms" => {
                let ms = text().parse();
                self.modified_at_ms = Some(ms.map_err(|_| wrong("a number of milliseconds"))?);
            }
            "process" => {
                self.process = text().parse().map_err(|_| wrong("true or false"))?;
            }
            "addition" => {
                self.addition = Some(text().parse().map_err(|_| wrong("the id of an addition"))?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The name of a file, as path text. Some clients send the folders that it was in as well.
fn file_name(given: &[u8]) -> Result<String, Problem> {
    let name = given
        .rsplit(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    let is_name = !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
    if is_name && name.len() <= NAME_BYTES {
        Ok(path::to_text(name))
    } else {
        Err(invalid("filename in Upload-Metadata is no name of a file"))
    }
}

/// The entries of `Upload-Metadata`: keys with Base64 values, separated by commas.
fn metadata(headers: &HeaderMap) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let Some(value) = headers.get(UPLOAD_METADATA) else {
        return Ok(Vec::new());
    };
    let unreadable = || {
        invalid("Upload-Metadata cannot be read")
            .hint("It is keys with Base64 values, separated by commas: filename T21hLmpwZw==")
    };
    let text = value.to_str().map_err(|_| unreadable())?;
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = BASE64_STANDARD
            .decode(value.trim())
            .map_err(|_| unreadable())?;
        if entries.iter().any(|(known, _)| known == key) {
            return Err(invalid(format!("{key} is in Upload-Metadata twice")));
        }
        entries.push((key.to_owned(), value));
    }
    Ok(entries)
}

/// The checksum of what is sent, if it comes with one.
///
/// # Errors
/// An algorithm that is not known, and what cannot be read.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    let Some(value) = headers.get(UPLOAD_CHECKSUM) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let (algorithm, digest) = text.split_once(' ').unwrap_or((text, ""));
    let digest = BASE64_STANDARD.decode(digest.trim()).unwrap_or_default();
    let checksum = Checksum::new(algorithm, digest);
    checksum.map(Some).ok_or_else(|| {
        invalid("Upload-Checksum cannot be read").hint(format!(
            "It is an algorithm and a Base64 digest; known are {}.",
            Checksum::ALGORITHMS.join(", ")
        ))
    })
}

/// Where what is sent begins.
///
/// # Errors
/// When that is not said.
pub(super) fn offset(headers: &HeaderMap) -> Result<u64, Problem> {
    number(headers, &UPLOAD_OFFSET)?.ok_or_else(|| invalid("Upload-Offset is missing"))
}

/// Refuses bytes that are not sent as tus sends them.
///
/// # Errors
/// `unsupported_type`.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == OFFSET_STREAM)
    {
        return Ok(());
    }
    Err(Problem::new(
        Code::UnsupportedType,
        format!("the bytes of a file are sent as {OFFSET_STREAM}"),
    ))
}

/// How long the body says that it is.
pub(super) fn body_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Whether a request brings bytes along.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) || body_length(headers).unwrap_or(0) > 0
}

/// The method that a client means that cannot send it.
///
/// # Errors
/// A method that is not known.
pub(super) fn overriding(headers: &HeaderMap) -> Result<Option<Method>, Problem> {
    let Some(value) = headers.get(METHOD_OVERRIDE) else {
        return Ok(None);
    };
    let method = Method::from_bytes(value.as_bytes());
    method
        .map(Some)
        .map_err(|_| invalid("X-HTTP-Method-Override is no method"))
}

/// Says how far an upload is, and until when it is kept.
pub(super) fn describe(headers: &mut HeaderMap, upload: &Upload) {
    let expires = Timestamp::from_millisecond(upload.expires_at_ms).ok();
    let expires =
        expires.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
    if let Some(value) = expires.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(UPLOAD_EXPIRES, value);
    }
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(upload.received_bytes));
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    // A database counts to a little less.
    let number = text
        .parse()
        .ok()
        .filter(|number| i64::try_from(*number).is_ok());
    let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
    let number = number.filter(|_| is_plain);
    number
        .map(Some)
        .ok_or_else(|| invalid(format!("{name} is no number of bytes")))
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidRequest, message)
}
