//! Google Cloud Vision, which knows many thousand labels: those that are nouns of the vocabulary are taken.

use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{SeenTag, believed};
use crate::way::{
    Kind, ServiceSettings,
    vision::{GOOGLE, Provider, annotate, annotation},
};

#[derive(Debug)]
pub(super) struct Google;

/// More labels than a picture has nouns: most are no words of the vocabulary.
const LABELS: u32 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Response {
    label_annotations: Vec<Label>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Label {
    description: String,
    score: f32,
}

impl Provider for Google {
    type Seen = Vec<SeenTag>;

    fn kind(&self) -> Kind {
        GOOGLE
    }

    fn ask(&self, client: &Client, service: &ServiceSettings, picture: &Bytes) -> RequestBuilder {
        let feature = json!({ "type": "LABEL_DETECTION", "maxResults": LABELS });
        annotate(client, service, picture, feature)
    }

    fn read(&self, answer: &Json) -> Result<Vec<SeenTag>, String> {
        let response = Response::deserialize(annotation(answer)?);
        let response = response.map_err(|error| error.to_string())?;
        let labels = response.label_annotations.iter();
        Ok(believed(
            labels.map(|label| (label.description.as_str(), label.score)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(description: &str, score: f64) -> Json {
        json!({ "mid": "/m/0bt9lr", "description": description, "score": score, "topicality": score })
    }

    #[test]
    fn labels_that_are_nouns_are_tags() {
        let labels = [
            label("Dog breed", 0.97),
            label("Dog", 0.96),
            label("Carnivore", 0.9),
            label("Boot", 0.8),
            label("Beach", 0.71),
            label("Cat", 0.3),
        ];
        let answer = json!({ "responses": [{ "labelAnnotations": labels }] });
        let tags = Google.read(&answer).unwrap();
        let tags: Vec<_> = tags
            .iter()
            .map(|tag| (tag.tag.as_str(), tag.confidence))
            .collect();
        assert_eq!(tags, [("dog", 0.96), ("beach", 0.71)]);
    }

    #[test]
    fn nothing_an_error_and_nonsense_are_told_apart() {
        assert_eq!(Google.read(&json!({ "responses": [{}] })), Ok(Vec::new()));
        let error =
            json!({ "responses": [{ "error": { "code": 3, "message": "Bad image data." } }] });
        assert_eq!(Google.read(&error).unwrap_err(), "Bad image data.");
        Google.read(&json!({})).unwrap_err();
        Google.read(&json!({ "responses": "none" })).unwrap_err();
        let nonsense = json!({ "responses": [{ "labelAnnotations": "a dog" }] });
        Google.read(&nonsense).unwrap_err();
    }
}
