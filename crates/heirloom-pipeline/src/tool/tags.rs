//! The tool `tags`: what a picture or film shows, in words of the vocabulary, and what it looks like.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{
    MediaKind,
    claim::{ClaimKind, ClaimValue, Statement},
    imprint::Imprint,
};
use heirloom_db::claim::NewClaim;
pub use heirloom_db::imprint::TAGS;
use heirloom_models::Ability;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ResourceClass, Tool, View};
use crate::{
    pictures::{Seen, SeenTag, look, look_at_film},
    work::{Content, Failure, Product, Task},
};

/// Looks at a picture or film. Input: the original's bytes.
pub const BEHOLDER: Tool = Tool {
    name: "tags",
    version: 1,
    outputs: &[TAGS],
    view: View::Frames,
    class: ResourceClass::Model,
    is_deterministic: false,
    parameters: &[],
    ability: Some(Ability::ImageFeatures),
};

/// Where a claim has it from, before the model.
const SOURCE: &str = "seen:";

/// What a picture shows, with how that is known: the content of an artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Who looked at it: `local`, a model on this machine.
    pub method: String,
    /// The model.
    pub model: String,
    /// The tags that it gave, the likeliest first. What holds of them is told by claims.
    pub tags: Vec<SeenTag>,
    /// What the picture looks like.
    pub imprint: Imprint,
    /// What is wrong with the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Shown {
    /// Of a model on this machine.
    #[must_use]
    pub fn locally(model: &str, seen: Seen) -> Self {
        Self {
            method: "local".to_owned(),
            model: model.to_owned(),
            tags: seen.tags,
            imprint: seen.imprint,
            problems: seen.problems,
        }
    }
}

/// The model that a tag is from, where a model gave it.
#[must_use]
pub fn model_of(source: &str) -> Option<&str> {
    source.strip_prefix(SOURCE)
}

/// What a model of that name states that gave these tags.
pub(super) fn claims_of(tags: &[SeenTag], model: &str) -> Vec<NewClaim> {
    let claims = tags.iter().filter_map(|seen| {
        let value = ClaimValue::Text(seen.tag.clone());
        Some(NewClaim {
            statement: Statement::new(ClaimKind::Tag, value).ok()?,
            is_negation: false,
            source: format!("{SOURCE}{model}"),
            confidence: seen.confidence,
        })
    });
    claims.collect()
}

pub(crate) fn tag_picture<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let mut input = task.open().await?;
        let beholder = task.beholder()?;
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let seen = match task.asset.kind {
            MediaKind::Video => {
                let ffmpeg = task.ffmpeg();
                look_at_film(&beholder, &ffmpeg, &input, &cancelled, |_, _| {}).await?
            }
            _ => look(&beholder, &mut input, &task.asset.name, &cancelled).await?,
        };
        let claims = claims_of(&seen.tags, beholder.model());
        let shown = Shown::locally(beholder.model(), seen);
        let mut product = Product::new(TAGS, Content::Json(json!(shown)));
        product.model = Some(beholder.key().to_owned());
        product.claims = claims;
        Ok(vec![product])
    }
    .boxed()
}
