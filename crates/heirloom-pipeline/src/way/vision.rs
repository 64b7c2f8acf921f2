//! Services that are shown a picture: how they are asked, what their answers have in common, and the asking itself.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::{Kind, Service, ServiceError, ServiceSettings, insist};

/// A kind of service that is shown pictures: what it is asked of one, and what its answers mean.
pub(crate) trait Provider: fmt::Debug + Send + Sync {
    /// What is made of an answer.
    type Seen;

    /// What it is called in the configuration.
    fn kind(&self) -> Kind;

    /// A request that asks for all that is to be known of a picture, which is a JPEG.
    fn ask(&self, client: &Client, service: &ServiceSettings, picture: &Bytes) -> RequestBuilder;

    /// What an answer with a good status says.
    ///
    /// # Errors
    /// Why it makes no sense.
    fn read(&self, answer: &Json) -> Result<Self::Seen, String>;
}

/// How OpenAI is spoken with (<https://platform.openai.com/docs/api-reference/chat/create>), and the many who speak as it does.
pub(crate) const OPENAI: Kind = Kind {
    word: "openai",
    model: "gpt-4o",
};

/// How Google Cloud Vision is (<https://cloud.google.com/vision/docs/reference/rest/v1/images/annotate>).
pub(crate) const GOOGLE: Kind = Kind {
    word: "google-vision",
    model: "builtin/stable",
};

/// Shows a picture to a service of one of these kinds.
pub(crate) async fn show<Seen>(
    service: &Service,
    providers: &[&dyn Provider<Seen = Seen>],
    picture: &Bytes,
    cancelled: &CancellationToken,
) -> Result<Seen, ServiceError> {
    let settings = service.settings();
    let who = service.name();
    if picture.len() as u64 > settings.max_bytes {
        let why = format!(
            "a picture has {} bytes, and it takes {}",
            picture.len(),
            settings.max_bytes
        );
        return Err(ServiceError::Refused { who, why });
    }
    let mut providers = providers.iter();
    let provider = providers.find(|provider| provider.kind().word == settings.kind);
    // It was compared when it was configured.
    let provider = provider.ok_or(ServiceError::Cancelled)?;
    let request = |client: &_| provider.ask(client, settings, picture);
    let answer = insist(service, request, cancelled).await?;
    provider.read(&answer).map_err(|why| {
        service.fail();
        ServiceError::Rubbish { who, why }
    })
}

/// A chat in which something is asked of a picture; `body` has what else is said of the answer.
pub(crate) fn chat(
    client: &Client,
    service: &ServiceSettings,
    (asked, picture): (&str, &Bytes),
    mut body: Json,
) -> RequestBuilder {
    let picture = BASE64_STANDARD.encode(picture);
    body["model"] = service.model.as_str().into();
    body["temperature"] = 0.into();
    body["messages"] = json!([{
        "role": "user",
        "content": [
            { "type": "text", "text": asked },
            { "type": "image_url", "image_url": { "url": format!("data:image/jpeg;base64,{picture}") } },
        ],
    }]);
    let request = post(client, service, "chat/completions", &body);
    match &service.key {
        Some(key) => request.bearer_auth(key.text()),
        None => request,
    }
}

/// What was answered in a chat, and whether the end of it is missing.
pub(crate) fn message(answer: &Json) -> Result<(&str, bool), String> {
    let choice = &answer["choices"][0];
    let said = &choice["message"]["content"];
    // Who writes nothing at all may say so with null.
    let text = match said {
        Json::Null if choice["finish_reason"] == "stop" => "",
        said => said
            .as_str()
            .ok_or("there is no message in it: does its model look at pictures?")?,
    };
    Ok((text, choice["finish_reason"] == "length"))
}

/// Asks Google for one feature of a picture.
pub(crate) fn annotate(
    client: &Client,
    service: &ServiceSettings,
    picture: &Bytes,
    feature: Json,
) -> RequestBuilder {
    let mut request = json!({
        "image": { "content": BASE64_STANDARD.encode(picture) },
        "features": [feature],
    });
    request["features"][0]["model"] = service.model.as_str().into();
    if !service.languages.is_empty() {
        request["imageContext"] = json!({ "languageHints": service.languages });
    }
    let body = json!({ "requests": [request] });
    let request = post(client, service, "images:annotate", &body);
    match &service.key {
        Some(key) => request.header("x-goog-api-key", key.text()),
        None => request,
    }
}

/// What Google says of the picture.
pub(crate) fn annotation(answer: &Json) -> Result<&Json, String> {
    let response = answer.pointer("/responses/0");
    let response = response.ok_or("there is no response in it")?;
    match &response["error"] {
        Json::Null => Ok(response),
        error => Err(error["message"].as_str().unwrap_or_default().to_owned()),
    }
}

/// A request to a path below the service's address.
fn post(client: &Client, service: &ServiceSettings, path: &str, body: &Json) -> RequestBuilder {
    let address = service.address.trim_end_matches('/');
    client.post(format!("{address}/{path}")).json(body)
}
