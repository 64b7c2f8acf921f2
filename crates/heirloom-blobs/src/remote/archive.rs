//! Objects in an archive class of S3, which are read hours after somebody asked for them.
//!
//! The library that speaks S3 knows no request for that, so these two are made and signed here.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header::CONTENT_TYPE};
use opendal::raw::percent_encode_path;
use reqsign_aws_v4::{Credential, RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, Signer};
use reqwest::{Client, Response};

use super::{ANSWER, RETRIES, Remote, RemoteError, S3Keys, S3Location, S3Settings};

/// Storage classes whose objects have to be asked for.
const ARCHIVE_CLASSES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];
/// For how many days an object can be read once it is there.
const DAYS: u32 = 7;
/// How much of what a server says against something is looked at.
const ANSWER_BYTES: usize = 64 * 1024;

/// Whether an object can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// At once.
    Ready,
    /// It lies in the archive, and nobody has asked for it.
    Archived,
    /// It lies in the archive, and is on its way.
    Coming,
}

/// Who asks a server of S3 for what its library does not.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    client: Client,
    signer: Signer<Credential>,
    /// The address that the name of an object is put behind.
    base: String,
    /// Where the names begin within the bucket.
    prefix: String,
}

/// Whether what is written with this storage class has to be asked for.
#[must_use]
pub fn is_archive_class(class: &str) -> bool {
    ARCHIVE_CLASSES.contains(&class)
}

impl Asker {
    pub(super) fn new(location: &S3Location, settings: &S3Settings, keys: &S3Keys) -> Self {
        let origin = location.origin(settings);
        let base = match settings.is_path_style {
            true => format!("{}/{}", origin.trim_end_matches('/'), location.bucket),
            false => origin,
        };
        let credentials =
            StaticCredentialProvider::new(&keys.access_key_id, &keys.secret_access_key);
        Self {
            client: Client::new(),
            signer: Signer::new(
                Context::new(),
                credentials,
                RequestSigner::new("s3", &settings.region),
            ),
            base,
            prefix: location.prefix.clone(),
        }
    }

    /// One try.
    async fn send(
        &self,
        method: &Method,
        object: &str,
        body: Option<&Bytes>,
    ) -> Result<Response, String> {
        let path = percent_encode_path(&format!("{}{object}", self.prefix));
        let query = if body.is_some() { "?restore" } else { "" };
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}/{path}{query}", self.base))
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        let request = match body {
            Some(_) => request.header(CONTENT_TYPE, "application/xml"),
            None => request,
        };
        let request = request.body(()).map_err(|error| error.to_string())?;
        let (mut parts, ()) = request.into_parts();
        let signed = self.signer.sign(&mut parts, None).await;
        signed.map_err(|error| error.to_string())?;
        let mut request = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .timeout(ANSWER);
        if let Some(body) = body {
            request = request.body(body.clone());
        }
        let sent = request.send().await;
        sent.map_err(|error| error.without_url().to_string())
    }
}

impl Remote {
    /// Whether an object can be read; `None` when there is none.
    pub(crate) async fn readiness(&self, object: &str) -> Result<Option<Readiness>, RemoteError> {
        let Some(response) = self.ask(Method::HEAD, object, None).await? else {
            return Ok(Some(Readiness::Ready));
        };
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let header = |name: &str| response.headers().get(name)?.to_str().ok();
                let is_archived = header("x-amz-storage-class").is_some_and(is_archive_class);
                Ok(Some(match header("x-amz-restore") {
                    _ if !is_archived => Readiness::Ready,
                    Some(restore) if restore.contains("ongoing-request=\"true\"") => {
                        Readiness::Coming
                    }
                    Some(_) => Readiness::Ready,
                    None => Readiness::Archived,
                }))
            }
            status => Err(self.answered(status, "")),
        }
    }

    /// Asks for an object in the archive. It can be read some hours later, and then for a week.
    pub(crate) async fn bring_back(&self, object: &str) -> Result<(), RemoteError> {
        let wish = format!(
            "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>{DAYS}</Days>\
             <GlacierJobParameters><Tier>Standard</Tier></GlacierJobParameters></RestoreRequest>"
        );
        let Some(mut response) = self.ask(Method::POST, object, Some(wish.into())).await? else {
            return Ok(());
        };
        let status = response.status();
        let mut said = Vec::new();
        while said.len() < ANSWER_BYTES
            && let Ok(Some(piece)) = response.chunk().await
        {
            said.extend_from_slice(&piece);
        }
        let said = String::from_utf8_lossy(&said);
        match status {
            status if status.is_success() => Ok(()),
            // Somebody did a moment ago.
            StatusCode::CONFLICT if said.contains("RestoreAlreadyInProgress") => Ok(()),
            // It is not in the archive any more.
            _ if said.contains("InvalidObjectState") => Ok(()),
            status => Err(self.answered(status, &said)),
        }
    }

    /// Asks until there is an answer, as often as anything else is tried; `None` where nothing is ever archived.
    async fn ask(
        &self,
        method: Method,
        object: &str,
        body: Option<Bytes>,
    ) -> Result<Option<Response>, RemoteError> {
        let Some(asker) = &self.asker else {
            return Ok(None);
        };
        let mut pause = Duration::from_millis(200);
        for attempt in 0.. {
            let why = match asker.send(&method, object, body.as_ref()).await {
                Ok(response) if !response.status().is_server_error() => return Ok(Some(response)),
                Ok(response) => format!("it answered with status {}", response.status().as_u16()),
                Err(why) => why,
            };
            if attempt == RETRIES {
                let place = self.place.clone();
                return Err(RemoteError::Unreachable { place, why });
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(None)
    }

    /// What an answer means that is none of those that are looked for.
    fn answered(&self, status: StatusCode, said: &str) -> RemoteError {
        let message = said
            .split_once("<Message>")
            .and_then(|(_, rest)| rest.split_once("</Message>"))
            .map(|(message, _)| message.trim_end_matches('.').to_owned());
        let why = message.unwrap_or_else(|| format!("it answered with status {}", status.as_u16()));
        let place = self.place.clone();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RemoteError::Refused { place, why },
            _ => RemoteError::Failed { place, why },
        }
    }
}
