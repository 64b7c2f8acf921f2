//! The tool `meaning`: what a picture shows, in a space that texts lie in too, and in words of the vocabulary.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::meaning::Meaning;
pub use heirloom_db::meaning::MEANING;
use heirloom_models::Ability;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ResourceClass, Tool, View, tags::claims_of};
use crate::{
    pictures::SeenTag,
    work::{Content, Failure, Product, Task},
};

/// Says what a picture shows. Input: the original's bytes.
pub const INTERPRETER: Tool = Tool {
    name: "meaning",
    version: 1,
    outputs: &[MEANING],
    view: View::Picture,
    class: ResourceClass::Model,
    is_deterministic: false,
    parameters: &[],
    ability: Some(Ability::ImageText),
};

/// What a picture shows, with how that is known: the content of an artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Who says so: `local`, a model on this machine.
    pub method: String,
    /// The model.
    pub model: String,
    /// As a direction.
    pub meaning: Meaning,
    /// In words of the vocabulary, the likeliest first. What holds of them is told by claims.
    pub tags: Vec<SeenTag>,
    /// What is wrong with the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

pub(crate) fn tell_meaning<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let mut input = task.open().await?;
        let interpreter = task.interpreter()?;
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let seen = interpreter.see(&mut input, &task.asset.name, &cancelled);
        let seen = seen.await?;
        let claims = claims_of(&seen.tags, interpreter.model());
        let told = Told {
            method: "local".to_owned(),
            model: interpreter.model().to_owned(),
            meaning: seen.meaning,
            tags: seen.tags,
            problems: seen.problems,
        };
        let mut product = Product::new(MEANING, Content::Json(json!(told)));
        product.model = Some(interpreter.key().to_owned());
        product.claims = claims;
        Ok(vec![product])
    }
    .boxed()
}
