//! How services that read are spoken with. A further kind of service is one more of [`PROVIDERS`].

mod google;
mod openai;

use std::fmt;

use bytes::Bytes;
use heirloom_core::reading::{Corners, Word};
use reqwest::{Client, RequestBuilder};
use serde_json::Value as Json;

use crate::way::{Kind, ServiceSettings};

use google::Google;
use openai::OpenAi;

/// A kind of service: how it is asked, and what its answers mean.
pub trait Provider: fmt::Debug + Send + Sync {
    /// What it is called in the configuration.
    fn kind(&self) -> Kind;

    /// A request that asks for all that stands on a page.
    fn ask(
        &self,
        client: &Client,
        service: &ServiceSettings,
        question: &Question,
    ) -> RequestBuilder;

    /// What an answer with a good status says.
    ///
    /// # Errors
    /// Why it makes no sense.
    fn read(&self, answer: &Json) -> Result<Seen, String>;
}

/// The picture of a page.
#[derive(Debug, Clone)]
pub struct Question {
    /// As JPEG.
    pub picture: Bytes,
    /// The languages that may stand there, by their codes; none for any.
    pub languages: Vec<String>,
}

/// What stands on a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// Its paragraphs in the order in which they are read, each with its lines.
    pub blocks: Vec<Vec<SeenLine>>,
    /// What is missing of it.
    pub problem: Option<String>,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeenLine {
    /// What stands in it.
    pub text: String,
    /// How sure the service is, from 0 to 1.
    pub confidence: f32,
    /// Where it is, where the service says so.
    pub corners: Option<Corners>,
    /// Its words, where they are known one by one.
    pub words: Vec<Word>,
}

/// How OpenAI is spoken with.
pub(super) const OPENAI: Kind = Kind {
    word: "openai",
    model: "gpt-4o",
};

/// How Google Cloud Vision is.
pub(super) const GOOGLE: Kind = Kind {
    word: "google-vision",
    model: "builtin/stable",
};

/// Every kind of service.
pub static PROVIDERS: [&'static dyn Provider; 2] = [&OpenAi, &Google];

/// A request to a path below the service's address.
fn post(client: &Client, service: &ServiceSettings, path: &str, body: &Json) -> RequestBuilder {
    let address = service.address.trim_end_matches('/');
    client.post(format!("{address}/{path}")).json(body)
}
