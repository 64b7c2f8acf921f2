//! Sending one file by tus 1.0 (<https://tus.io/protocols/resumable-upload>).

use std::{io, os::unix::ffi::OsStrExt as _, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use heirloom_core::{AssetId, UploadId};
use heirloom_server::{
    Body, Code, Problem,
    wire::{Addition, Begun, Upload, UploadState},
};
use http::{Method, Request, Response, header, request::Builder};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::{InspectReader, ReaderStream};

use super::{Hashed, bar::Bar, look, unreadable};
use crate::api::Api;

/// A file that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// `added`, `known` or `returned`.
    pub(super) outcome: &'static str,
    pub(super) asset: Option<AssetId>,
}

const OFFSET_STREAM: &str = "application/offset+octet-stream";
/// A file of this size or less goes along with its announcement.
const SMALL_BYTES: u64 = 1024 * 1024;
/// What is read from the disk at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// How often it is tried to go on while nothing gets through, and how long is waited at first.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Sends a file, from where an earlier attempt has come to if there is one, and waits until it is added.
/// Where the connection breaks, it goes on from what the server has.
pub(super) async fn send(
    api: &Api,
    file: &Hashed,
    addition: Addition,
    begun: Option<Begun>,
    bar: &Bar,
) -> Result<Sent, Problem> {
    let mut sending = Sending {
        api,
        file,
        addition,
        bar,
        upload: None,
        reached: 0,
    };
    if let Some(begun) = begun {
        let earlier: Upload = api.get(&address(begun.id)).await?;
        // Whether it is to be processed was decided when it was begun.
        let is_alike = earlier.process == addition.process;
        sending.upload = is_alike.then_some(begun.id);
    }
    let (mut tries, mut pause) = (0, FIRST_PAUSE);
    loop {
        let reached = sending.reached;
        let problem = match sending.attempt().await {
            Ok(sent) => return Ok(sent),
            Err(problem) => problem,
        };
        if sending.reached > reached {
            (tries, pause) = (0, FIRST_PAUSE);
        }
        tries += 1;
        if tries == TRIES || !may_pass(&problem) {
            return Err(problem);
        }
        sending.check_unchanged()?;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

struct Sending<'a> {
    api: &'a Api,
    file: &'a Hashed,
    addition: Addition,
    bar: &'a Bar,
    /// Once it is announced.
    upload: Option<UploadId>,
    /// How far it was when that was last heard of.
    reached: u64,
}

impl Sending<'_> {
    /// Sends what is missing, as far as it gets.
    async fn attempt(&mut self) -> Result<Sent, Problem> {
        let size_bytes = self.file.size_bytes;
        let (id, offset) = match self.upload {
            Some(id) => (id, self.ask_offset(id).await?),
            None => self.announce().await?,
        };
        self.reached = self.reached.max(offset);
        if offset < size_bytes {
            self.send_rest(id, offset).await?;
        }
        let upload: Upload = self.api.get(&address(id)).await?;
        self.reached = self.reached.max(upload.received_bytes.unsigned_abs());
        match (upload.state, upload.problem) {
            (UploadState::Done, _) => Ok(Sent {
                outcome: match upload.outcome.as_deref() {
                    Some("added") => "added",
                    Some("returned") => "returned",
                    _ => "known",
                },
                asset: upload.asset_id,
            }),
            (UploadState::Refused, Some(problem)) => Err(problem.into()),
            _ => Err(
                Problem::new(Code::Unavailable, "the file did not come through")
                    .hint("Add it again: it goes on where it was."),
            ),
        }
    }

    /// Announces the file; a small one goes along. Asked twice, it is announced once.
    async fn announce(&mut self) -> Result<(UploadId, u64), Problem> {
        let file = self.file;
        let is_small = file.size_bytes <= SMALL_BYTES;
        self.bar.begin("sending", file.size_bytes, 0);
        let key = format!("{}-{}", self.addition.id, self.file.content_hash);
        let mut request = tus(Method::POST, "/api/v1/uploads")
            .header("idempotency-key", key)
            .header("upload-length", file.size_bytes)
            .header("upload-metadata", self.metadata());
        let mut body = Body::empty();
        if is_small {
            request = request.header(header::CONTENT_TYPE, OFFSET_STREAM);
            (request, body) = self.bytes(request, 0).await?;
        }
        let res = self.api.carry(request.body(body)).await?;
        let location = res.headers().get(header::LOCATION);
        let id = location
            .and_then(|location| location.to_str().ok()?.rsplit('/').next()?.parse().ok())
            .ok_or_else(|| strange("an upload was made that has no address"))?;
        self.upload = Some(id);
        Ok((id, offset_of(&res)?))
    }

    async fn ask_offset(&mut self, id: UploadId) -> Result<u64, Problem> {
        let request = tus(Method::HEAD, &address(id)).body(Body::empty());
        match self.api.carry(request).await {
            Ok(res) => offset_of(&res),
            Err(problem) => {
                // One that cannot be gone on with is begun anew.
                if problem.code() == Code::Internal {
                    self.upload = None;
                }
                Err(problem)
            }
        }
    }

    async fn send_rest(&self, id: UploadId, offset: u64) -> Result<(), Problem> {
        self.bar.begin("sending", self.file.size_bytes, offset);
        let request = tus(Method::PATCH, &address(id))
            .header("upload-offset", offset)
            .header(header::CONTENT_TYPE, OFFSET_STREAM);
        let (request, body) = self.bytes(request, offset).await?;
        self.api.carry(request.body(body)).await?;
        Ok(())
    }

    /// The bytes of the file from there on. No more than were hashed: it may be growing.
    async fn bytes(&self, request: Builder, offset: u64) -> Result<(Builder, Body), Problem> {
        let file = self.file;
        let opened = async {
            let mut opened = tokio::fs::File::open(&file.path).await?;
            opened.seek(io::SeekFrom::Start(offset)).await?;
            Ok(opened)
        };
        let opened = opened
            .await
            .map_err(|error| unreadable(&file.path, &error))?;
        let length = file.size_bytes - offset;
        let bar = self.bar.clone();
        let counted = InspectReader::new(opened.take(length), move |bytes| {
            bar.advance(bytes.len() as u64);
        });
        let body = Body::from_stream(ReaderStream::with_capacity(counted, CHUNK_BYTES));
        Ok((request.header(header::CONTENT_LENGTH, length), body))
    }

    fn metadata(&self) -> String {
        let file = self.file;
        let name = file.path.file_name().unwrap_or_default().as_bytes();
        let mut entries = vec![
            ("filename", name.to_vec()),
            ("blake3", file.content_hash.to_string().into_bytes()),
            ("addition", self.addition.id.to_string().into_bytes()),
        ];
        let modified = file.modified_at_ms.map(|ms| ms.to_string().into_bytes());
        entries.extend(modified.map(|ms| ("modified_at_ms", ms)));
        let entries = entries.iter();
        let encoded =
            entries.map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value)));
        encoded.collect::<Vec<_>>().join(",")
    }

    /// Refuses a file that is no longer what was hashed: it would only come to be refused later.
    fn check_unchanged(&self) -> Result<(), Problem> {
        if look(&self.file.path)?.len() == self.file.size_bytes {
            return Ok(());
        }
        Err(Problem::new(
            Code::InvalidUpload,
            format!("{} was changed while it was sent", self.file.path.display()),
        )
        .hint("Add it again when nobody writes to it any more."))
    }
}

fn tus(method: Method, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("tus-resumable", "1.0.0")
}

fn address(id: UploadId) -> String {
    format!("/api/v1/uploads/{id}")
}

fn offset_of(res: &Response<Body>) -> Result<u64, Problem> {
    let offset = res.headers().get("upload-offset");
    offset
        .and_then(|offset| offset.to_str().ok()?.parse().ok())
        .ok_or_else(|| strange("the server does not say how far an upload is"))
}

fn strange(message: &str) -> Problem {
    Problem::new(Code::Internal, message)
        .hint("Is the running server of another version? Stop it and start it again.")
}

/// Whether the same may succeed in a moment: the connection broke, or somebody was in the way.
const fn may_pass(problem: &Problem) -> bool {
    matches!(
        problem.code(),
        Code::Unavailable
            | Code::Busy
            | Code::TooSlow
            | Code::Stopping
            | Code::UploadBusy
            | Code::OffsetConflict
            | Code::UploadGone
            | Code::Internal
    )
}
