//! Connections that are open, each a task that is waited for.

use std::{pin::pin, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming as HyperBody, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpStream, UnixStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long the head of a request may take to arrive. A browser keeps a connection open longer than
/// that between requests, and opens another when it finds it closed.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// A connection that was accepted.
pub(super) enum Incoming {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The open connections.
pub(super) struct Connections {
    tasks: JoinSet<()>,
    /// Cancelled when none is to begin another request.
    stopping: CancellationToken,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Answers what comes over a connection.
    pub(super) fn add(&mut self, incoming: Incoming, router: &Router) {
        match incoming {
            Incoming::Tcp(stream) => {
                // Answers are small and people wait for them.
                let _ = stream.set_nodelay(true);
                self.serve(TokioIo::new(stream), router);
            }
            Incoming::Unix(stream) => self.serve(TokioIo::new(stream), router),
        }
    }

    /// Forgets connections that have ended; never comes back while there are none.
    pub(super) async fn reap(&mut self) {
        match self.tasks.join_next().await {
            Some(_) => while self.tasks.try_join_next().is_some() {},
            None => std::future::pending().await,
        }
    }

    /// Lets requests that are under way end, and no longer than `grace`.
    pub(super) async fn finish(mut self, grace: Duration) {
        self.stopping.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::warn!("requests that took too long were cut off");
        }
        self.tasks.shutdown().await;
    }

    fn serve<S>(&mut self, stream: TokioIo<S>, router: &Router)
    where
        TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let service = router
            .clone()
            .map_request(|req: hyper::Request<HyperBody>| req.map(Body::new));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .serve_connection(stream, TowerToHyperService::new(service))
            .with_upgrades();
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            // Clients go away in the middle of things; that is theirs to do.
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
}
