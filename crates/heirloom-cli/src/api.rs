//! The API, wherever it answers: in a running server, or within this process.

mod socket;

use bytes::Bytes;
use heirloom_core::Actor;
use heirloom_server::{
    Body, Code, Door, Library, LibraryConfig, Problem, ProblemDocument, Router, router,
    serve_socket,
};
use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::config::Config;
use socket::Socket;

/// Where requests go. Commands do not know which it is.
#[derive(Debug)]
pub(crate) struct Api {
    carrier: Carrier,
}

#[derive(Debug)]
enum Carrier {
    /// To the server that holds the data folder.
    Server(Socket),
    /// To this process, which holds it itself.
    Here { library: Library, router: Router },
}

impl Api {
    /// Finds a running server, else opens the data folder; with `is_creating` it is made if it is not
    /// there.
    ///
    /// # Errors
    /// Why the data folder cannot be opened; nothing was changed then.
    pub(crate) async fn connect(config: &Config, is_creating: bool) -> Result<Self, Problem> {
        let socket = Socket::new(&config.data.value);
        if socket.is_answered().await {
            return Ok(Self {
                carrier: Carrier::Server(socket),
            });
        }
        let library = Library::open(&LibraryConfig {
            folder: config.data.value.clone(),
            database: config.database.value.clone(),
            is_creating,
            confined_program: None,
            uploads: config.upload_limits(),
            store: config.store(),
            ipfs: config.ipfs.settings(),
            models: config.models(),
        })
        .await?;
        let router = router(library.clone(), Door::Known(Actor::Operator));
        Ok(Self {
            carrier: Carrier::Here { library, router },
        })
    }

    /// Finds a running server, and opens nothing.
    ///
    /// # Errors
    /// `unavailable` where none answers.
    pub(crate) async fn connect_to_server(config: &Config) -> Result<Self, Problem> {
        let folder = &config.data.value;
        let socket = Socket::new(folder);
        if socket.is_answered().await {
            return Ok(Self {
                carrier: Carrier::Server(socket),
            });
        }
        Err(Problem::new(
            Code::Unavailable,
            format!("no server answers for {}", folder.display()),
        )
        .hint("Start one with `heirloom serve`, as the user who owns that folder."))
    }

    /// Whether somebody else goes on with what is begun when this process ends.
    pub(crate) const fn is_served(&self) -> bool {
        matches!(self.carrier, Carrier::Server(_))
    }

    /// Does something while other commands are answered at the socket, if it is this process that holds
    /// the data folder.
    pub(crate) async fn answering<T>(&self, doing: impl Future<Output = T>) -> T {
        let Carrier::Here { library, .. } = &self.carrier else {
            return doing.await;
        };
        let stop = CancellationToken::new();
        let answering = async {
            if let Err(problem) = serve_socket(library, &stop).await {
                tracing::warn!("other commands are not answered meanwhile: {problem}");
            }
        };
        let doing = async {
            let done = doing.await;
            stop.cancel();
            done
        };
        tokio::join!(doing, answering).0
    }

    /// Goes on with runs that were left, if this process holds the data folder.
    ///
    /// # Errors
    /// What the catalogue says.
    pub(crate) async fn go_on(&self) -> Result<(), Problem> {
        match &self.carrier {
            Carrier::Here { library, .. } => library.resume_runs().await,
            Carrier::Server(_) => Ok(()),
        }
    }

    /// Lets the data folder go, if this process holds it.
    pub(crate) async fn close(self) {
        if let Carrier::Here { library, .. } = self.carrier {
            library.close().await;
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Problem> {
        self.ask(Method::POST, path, &[], Some(render(body)?)).await
    }

    /// Asks with a method, headers and a body of one's own.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Bytes>,
    ) -> Result<T, Problem> {
        let res = self.send(method, path, headers, body).await?;
        let bytes = collect(res).await?;
        serde_json::from_slice(&bytes).map_err(|error| strange(path, &error))
    }

    /// Gets a text.
    pub(crate) async fn text(&self, path: &str) -> Result<String, Problem> {
        let res = self.send(Method::GET, path, &[], None).await?;
        let bytes = collect(res).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Asks for something that is no JSON document.
    ///
    /// # Errors
    /// What the API refused.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Bytes>,
    ) -> Result<Response<Body>, Problem> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Body::from(body.unwrap_or_default());
        self.carry(request.body(body)).await
    }

    /// Carries a request of one's own there, with a body that may be long.
    ///
    /// # Errors
    /// What the API refused.
    pub(crate) async fn carry(
        &self,
        request: Result<Request<Body>, http::Error>,
    ) -> Result<Response<Body>, Problem> {
        let request = request.map_err(|error| {
            Problem::new(
                Code::InvalidRequest,
                format!("that cannot be asked: {error}"),
            )
        })?;
        let res = match &self.carrier {
            Carrier::Server(socket) => socket.send(request).await?,
            Carrier::Here { router, .. } => match router.clone().oneshot(request).await {
                Ok(res) => res,
                Err(never) => match never {},
            },
        };
        if res.status().is_success() {
            return Ok(res);
        }
        let status = res.status();
        let bytes = collect(res).await?;
        Err(match serde_json::from_slice::<ProblemDocument>(&bytes) {
            Ok(document) => document.into(),
            Err(_) => Problem::new(Code::Internal, format!("the server answered {status}"))
                .hint("Is the running server of another version? Stop it and start it again."),
        })
    }
}

/// A body.
pub(crate) fn render(body: &impl Serialize) -> Result<Bytes, Problem> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

async fn collect(res: Response<Body>) -> Result<Bytes, Problem> {
    let collected = res.into_body().collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            Problem::new(Code::Unavailable, format!("the answer broke off: {error}"))
                .hint("Was the server stopped? Try again.")
        })
}

fn strange(path: &str, error: &serde_json::Error) -> Problem {
    Problem::new(
        Code::Internal,
        format!("the answer to {path} cannot be read: {error}"),
    )
    .hint("Is the running server of another version? Stop it and start it again.")
}
