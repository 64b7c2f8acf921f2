//! The way to a running server: the socket in its data folder.

use std::{
    fs::File,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
};

use heirloom_server::{Body, Code, Problem};
use http::{HeaderValue, Request, Response, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// A socket that a server may listen at.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
    /// Through a handle of the folder the address stays within its 107 bytes, however deep that is.
    folder: Option<File>,
}

impl Socket {
    pub(crate) fn new(data_folder: &Path) -> Self {
        Self {
            path: data_folder.join("socket"),
            folder: File::open(data_folder).ok(),
        }
    }

    /// Whether anybody listens.
    pub(crate) async fn is_answered(&self) -> bool {
        self.connect().await.is_ok()
    }

    /// Carries a request there and the answer back.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, Problem> {
        request
            .headers_mut()
            .insert(header::HOST, HeaderValue::from_static("localhost"));
        let stream = self.connect().await.map_err(|error| self.gone(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.gone(&error))?;
        // The connection has to be driven while the answer is read, so it goes along with the body.
        let mut driving = tokio::task::JoinSet::new();
        driving.spawn(connection);
        let res = sender
            .send_request(request)
            .await
            .map_err(|error| self.gone(&error))?;
        Ok(res.map(|body| {
            Body::new(Driven {
                body,
                _driving: driving,
            })
        }))
    }

    async fn connect(&self) -> std::io::Result<UnixStream> {
        match &self.folder {
            Some(folder) => {
                let short = format!("/proc/self/fd/{}/socket", folder.as_raw_fd());
                UnixStream::connect(short).await
            }
            None => UnixStream::connect(&self.path).await,
        }
    }

    fn gone(&self, error: &dyn std::fmt::Display) -> Problem {
        Problem::new(
            Code::Unavailable,
            format!(
                "the server at {} does not answer: {error}",
                self.path.display()
            ),
        )
        .hint("Was it stopped? Try again; without it the command works by itself.")
    }
}

/// The body of an answer with the task that brings it.
struct Driven {
    body: hyper::body::Incoming,
    _driving: tokio::task::JoinSet<hyper::Result<()>>,
}

impl hyper::body::Body for Driven {
    type Data = bytes::Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
