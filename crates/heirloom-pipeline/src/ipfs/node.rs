//! A node, asked by its RPC (<https://docs.ipfs.tech/reference/kubo/rpc/>).

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use heirloom_ipfs::Cid;
use reqwest::{
    Body, RequestBuilder, StatusCode,
    multipart::{Form, Part},
};
use serde_json::Value as Json;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    IpfsError, NodeLogin,
    ask::{Asker, Failed, message_of, shortened, silent, unreachable, words_of},
};

const WHO: &str = "the IPFS node";
/// How much is sent at once, and how many of these wait.
const PIECE_BYTES: usize = 256 * 1024;
const WAITING: usize = 4;

/// What writes an archive of blocks, on a thread of its own.
pub(super) type Writing = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// A node.
#[derive(Debug)]
pub(super) struct Node<'a> {
    asker: &'a Asker,
    address: String,
}

impl<'a> Node<'a> {
    pub(super) fn new(asker: &'a Asker) -> Result<Self, IpfsError> {
        let address = asker.settings.node.as_deref();
        let address = address.ok_or(IpfsError::NotConfigured)?;
        Ok(Self {
            asker,
            address: format!("{}/api/v0", address.trim_end_matches('/')),
        })
    }

    /// The same request from somebody whom the node knows.
    fn known(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.asker.settings.node_login {
            None => request,
            Some(NodeLogin::Basic(name, password)) => {
                request.basic_auth(name, Some(password.text()))
            }
            Some(NodeLogin::Bearer(token)) => request.bearer_auth(token.text()),
        }
    }

    /// Whether it answers, and as what.
    pub(super) async fn version(&self) -> Result<String, IpfsError> {
        let said = self.rpc("version", &[]).await?;
        let said = said.map_err(|why| IpfsError::Refused { who: WHO, why })?;
        let version = said.get("Version").and_then(Json::as_str);
        Ok(shortened(version.unwrap_or_default()))
    }

    /// Sends an archive of blocks, and has its root kept with all that is below it. `writing` is asked anew for each
    /// attempt.
    pub(super) async fn import(
        &self,
        root: &Cid,
        writing: impl Fn() -> Result<Writing, IpfsError>,
    ) -> Result<(), IpfsError> {
        let said = self
            .asker
            .insist(|| {
                let write = writing().map_err(Failed::For);
                async move { self.send_archive(write?).await }
            })
            .await?;
        let rubbish = |why: String| IpfsError::Rubbish { who: WHO, why };
        let text = String::from_utf8(said).map_err(|_| rubbish("it is no text".to_owned()))?;
        for line in text.lines() {
            let line: Json =
                serde_json::from_str(line).map_err(|error| rubbish(error.to_string()))?;
            let Some(told) = line.get("Root") else {
                continue;
            };
            if told["Cid"]["/"].as_str() != Some(&root.to_string()) {
                continue;
            }
            return match told["PinErrorMsg"].as_str() {
                None | Some("") => Ok(()),
                Some(why) => Err(IpfsError::Refused {
                    who: WHO,
                    why: shortened(why),
                }),
            };
        }
        Err(rubbish("it does not say what it keeps".to_owned()))
    }

    async fn send_archive(&self, write: Writing) -> Result<Vec<u8>, Failed> {
        let (pieces, mut coming) = mpsc::channel::<io::Result<Bytes>>(WAITING);
        let sent = Arc::new(AtomicU64::new(0));
        // A node may answer before it has taken everything, and then take nothing more.
        let over = CancellationToken::new().drop_guard();
        let mut pipe = Pipe {
            pieces,
            held: Vec::new(),
            over: over.token().clone(),
            runtime: Handle::current(),
        };
        let writer = tokio::task::spawn_blocking(move || {
            let written = write(&mut pipe).and_then(|()| pipe.flush());
            if written.is_err() {
                // What was sent so far must not be taken for all.
                let _ = pipe.send(Err(io::ErrorKind::Other.into()));
            }
            written
        });
        let counting = Arc::clone(&sent);
        let stream = futures_util::stream::poll_fn(move |context| {
            let polled = coming.poll_recv(context);
            if polled.is_ready() {
                counting.fetch_add(1, Ordering::Relaxed);
            }
            polled
        });
        let part = Part::stream(Body::wrap_stream(stream)).file_name("blocks.car");
        let request = self
            .asker
            .client
            .post(format!("{}/dag/import", self.address));
        let request = self
            .known(request)
            .query(&[("pin-roots", "true"), ("stats", "true")])
            .multipart(Form::new().part("file", part));
        // It may take as long as it takes, while anything moves.
        let sending = async {
            let response = request.send().await;
            response.map_err(|error| unreachable(WHO, &error))
        };
        let response = tokio::select! {
            response = sending => response,
            failed = self.stand_still(&sent) => Err(failed),
        };
        let judged = match response {
            Ok(response) => self.asker.judge(WHO, response).await,
            Err(failed) => Err(failed),
        };
        drop(over);
        match writer.await {
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(Failed::For(IpfsError::Io {
                    path: "what was to be published".into(),
                    source: error,
                }));
            }
            _ => {}
        }
        let (status, body) = judged?;
        match status {
            StatusCode::OK => Ok(body),
            status => Err(Failed::For(IpfsError::Refused {
                who: WHO,
                why: words_of(status, &body),
            })),
        }
    }

    /// Comes back when nothing was taken for too long.
    async fn stand_still(&self, sent: &AtomicU64) -> Failed {
        let mut before = sent.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(self.asker.settings.patience).await;
            let now = sent.load(Ordering::Relaxed);
            if now == before {
                return silent(WHO);
            }
            before = now;
        }
    }

    /// Whether it keeps this with all that is below it.
    pub(super) async fn is_kept(&self, cid: &str) -> Result<bool, IpfsError> {
        let arguments = [("arg", cid), ("type", "recursive")];
        match self.rpc("pin/ls", &arguments).await? {
            Ok(said) => match said.get("Keys").and_then(Json::as_object) {
                Some(keys) => Ok(keys.contains_key(cid)),
                None => Err(IpfsError::Rubbish {
                    who: WHO,
                    why: "it does not say what it keeps".to_owned(),
                }),
            },
            Err(message) if message.contains("not pinned") => Ok(false),
            Err(why) => Err(IpfsError::Refused { who: WHO, why }),
        }
    }

    /// Has it let go of something; what it does not keep is no error.
    pub(super) async fn let_go(&self, cid: &str) -> Result<(), IpfsError> {
        match self.rpc("pin/rm", &[("arg", cid)]).await? {
            Ok(_) => Ok(()),
            Err(message) if message.contains("not pinned") => Ok(()),
            Err(why) => Err(IpfsError::Refused { who: WHO, why }),
        }
    }

    /// Where others reach it.
    pub(super) async fn addresses(&self) -> Result<Vec<String>, IpfsError> {
        let said = self.rpc("id", &[]).await?;
        let said = said.map_err(|why| IpfsError::Refused { who: WHO, why })?;
        let addresses = said.get("Addresses").and_then(Json::as_array);
        let texts = addresses.into_iter().flatten().filter_map(Json::as_str);
        Ok(texts.map(str::to_owned).collect())
    }

    /// Has it call on somebody who is about to fetch from it; that it cannot is no error.
    pub(super) async fn call_on(&self, address: &str) -> Result<(), IpfsError> {
        match self.rpc("swarm/connect", &[("arg", address)]).await {
            Err(IpfsError::Cancelled) => Err(IpfsError::Cancelled),
            _ => Ok(()),
        }
    }

    /// What it says, or the message with which it refuses.
    async fn rpc(
        &self,
        command: &str,
        arguments: &[(&str, &str)],
    ) -> Result<Result<Json, String>, IpfsError> {
        let address = format!("{}/{command}", self.address);
        let (status, body) = self
            .asker
            .insist(|| {
                let request = self.asker.client.post(&address).query(arguments);
                let request = self.known(request);
                self.asker.send(WHO, request)
            })
            .await?;
        if status != StatusCode::OK {
            return Ok(Err(
                message_of(&body).unwrap_or_else(|| words_of(status, &body))
            ));
        }
        let said = serde_json::from_slice(&body).map_err(|error| IpfsError::Rubbish {
            who: WHO,
            why: error.to_string(),
        })?;
        Ok(Ok(said))
    }
}

/// Hands on what is written, in pieces.
struct Pipe {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    held: Vec<u8>,
    /// Cancelled when nobody takes any more.
    over: CancellationToken,
    runtime: Handle,
}

impl Pipe {
    fn send(&self, piece: io::Result<Bytes>) -> io::Result<()> {
        let taken = self.runtime.block_on(async {
            tokio::select! {
                sent = self.pieces.send(piece) => sent.is_ok(),
                () = self.over.cancelled() => false,
            }
        });
        match taken {
            true => Ok(()),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.held);
        match piece.is_empty() {
            true => Ok(()),
            false => self.send(Ok(piece.into())),
        }
    }
}
