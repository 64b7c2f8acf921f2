//! A pinning service, asked by the Pinning Service API 1.0 (<https://ipfs.github.io/pinning-services-api-spec/>).

use heirloom_db::publication::PinStatus;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    IpfsError,
    ask::{Asker, shortened, words_of},
};

const WHO: &str = "the pinning service";
/// How many requests are asked for at once, and how many pages at most.
const PAGE: usize = 100;
const PAGES: usize = 100;

/// A service.
#[derive(Debug)]
pub(super) struct Service<'a> {
    asker: &'a Asker,
    address: String,
    token: String,
}

/// How far it is with something.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Standing {
    #[serde(rename = "requestid")]
    pub(super) id: String,
    status: String,
    pin: Asked,
    #[serde(default)]
    created: String,
    /// Where it fetches from: whoever has the blocks should call on these.
    #[serde(default)]
    pub(super) delegates: Vec<String>,
    #[serde(default)]
    info: Json,
}

#[derive(Debug, Clone, Deserialize)]
struct Asked {
    cid: String,
}

impl Standing {
    pub(super) fn status(&self) -> Result<PinStatus, IpfsError> {
        PinStatus::from_word(&self.status).ok_or_else(|| {
            rubbish(format!(
                "a status {:?} is not known",
                shortened(&self.status)
            ))
        })
    }

    /// What it says of a failure.
    pub(super) fn why(&self) -> String {
        let details = self.info.get("status_details").and_then(Json::as_str);
        details.map_or_else(|| "it could not fetch it".to_owned(), shortened)
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    count: usize,
    results: Vec<Standing>,
}

impl<'a> Service<'a> {
    /// `None` where none is configured.
    pub(super) fn new(asker: &'a Asker) -> Option<Self> {
        let service = asker.settings.service.as_ref()?;
        Some(Self {
            asker,
            address: format!("{}/pins", service.endpoint.trim_end_matches('/')),
            token: service.token.text().to_owned(),
        })
    }

    /// Asks it to keep something that `origins` have.
    pub(super) async fn keep(
        &self,
        cid: &str,
        name: &str,
        origins: &[String],
    ) -> Result<Standing, IpfsError> {
        // The specification takes no more than twenty.
        let origins = &origins[..origins.len().min(20)];
        let pin = json!({ "cid": cid, "name": name, "origins": origins });
        let asked = self
            .ask(&|| self.request(Method::POST, "").json(&pin))
            .await?;
        read(asked)
    }

    /// A request for this that it has and that did not fail: one that was made before its answer was heard.
    pub(super) async fn find(&self, cid: &str) -> Result<Option<Standing>, IpfsError> {
        let mut before: Option<String> = None;
        let limit = PAGE.to_string();
        for _ in 0..PAGES {
            let asked = self
                .ask(&|| {
                    let mut query = vec![
                        ("cid", cid),
                        ("status", "queued,pinning,pinned"),
                        ("limit", &limit),
                    ];
                    if let Some(before) = &before {
                        query.push(("before", before));
                    }
                    self.request(Method::GET, "").query(&query)
                })
                .await?;
            let page: Page = read(asked)?;
            let is_last = page.count <= page.results.len() || page.results.is_empty();
            before = page.results.last().map(|last| last.created.clone());
            // A service that does not look at what it is asked for gives everything.
            let is_it = |it: &Standing| {
                it.pin.cid == cid && it.status().is_ok_and(|status| status != PinStatus::Failed)
            };
            if let Some(found) = page.results.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            if is_last {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// How far it is with a request; `None` when it does not know it any more.
    pub(super) async fn look(&self, id: &str) -> Result<Option<Standing>, IpfsError> {
        let path = path_of(id)?;
        match self.ask(&|| self.request(Method::GET, &path)).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            asked => read(asked).map(Some),
        }
    }

    /// Has it let go; what it does not know any more is no error.
    pub(super) async fn let_go(&self, id: &str) -> Result<(), IpfsError> {
        let path = path_of(id)?;
        match self.ask(&|| self.request(Method::DELETE, &path)).await? {
            (StatusCode::NOT_FOUND, _) => Ok(()),
            (status, _) if status.is_success() => Ok(()),
            (status, body) => Err(IpfsError::Refused {
                who: WHO,
                why: words_of(status, &body),
            }),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let address = format!("{}{path}", self.address);
        self.asker
            .client
            .request(method, address)
            .bearer_auth(&self.token)
    }

    async fn ask(
        &self,
        request: &(dyn Fn() -> RequestBuilder + Sync),
    ) -> Result<(StatusCode, Vec<u8>), IpfsError> {
        self.asker.insist(|| self.asker.send(WHO, request())).await
    }
}

fn read<T: for<'de> Deserialize<'de>>(
    (status, body): (StatusCode, Vec<u8>),
) -> Result<T, IpfsError> {
    if !status.is_success() {
        return Err(IpfsError::Refused {
            who: WHO,
            why: words_of(status, &body),
        });
    }
    serde_json::from_slice(&body).map_err(|error| rubbish(error.to_string()))
}

/// The path of a request; what a service calls it must not lead elsewhere.
fn path_of(id: &str) -> Result<String, IpfsError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_~:".contains(letter);
    match id.len() {
        1..=200 if id.chars().all(is_plain) => Ok(format!("/{id}")),
        _ => Err(rubbish("what it calls the request is no name".to_owned())),
    }
}

const fn rubbish(why: String) -> IpfsError {
    IpfsError::Rubbish { who: WHO, why }
}
