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
    pictures::{Beholder, Seen, SeenTag, look_at_film, look_by},
    understand::UnderstandError,
    way::Way,
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
    /// Who looked at it: `local`, a model on this machine; else a service by its name.
    pub method: String,
    /// The model.
    pub model: String,
    /// The tags that it gave, the likeliest first. What holds of them is told by claims.
    pub tags: Vec<SeenTag>,
    /// What the picture looks like, by a model on this machine; nothing where none is here.
    pub imprint: Imprint,
    /// What is wrong with the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Shown {
    /// As somebody saw it.
    #[must_use]
    pub fn by(beholder: &Beholder, seen: Seen) -> Self {
        Self {
            method: beholder.method().to_owned(),
            model: beholder.model(),
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
        let before = task.find_model(TAGS).await?;
        let ways = task.tagging().no_worse_than(before.as_deref());
        if let Some(before) = &before
            && !tells_more(ways, before, |way| {
                task.is_there(way, Ability::ImageFeatures)
            })
        {
            let why =
                format!("{before} has looked at it already, and nobody is there who is as good.");
            return Err(Failure::Unwanted(why));
        }
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        if task.asset.kind == MediaKind::Video {
            return look_at_frames(task, ways, &cancelled).await;
        }
        let mut input = task.open().await?;
        let skipped =
            |way: &Way, why: &UnderstandError| task.say(&format!("{}: {why}", way.name()));
        let file = (&mut input, task.asset.name.as_str());
        let beholder = |way: &Way| task.beholder(way);
        let (beholder, seen) = look_by(ways, beholder, file, &cancelled, skipped).await?;
        Ok(vec![product(&beholder, seen)])
    }
    .boxed()
}

/// Whether one of those who are here may tell more than what has this key. A service with nobody beside it would not, where
/// a model that is gone by now said what the picture looks like.
fn tells_more(ways: &[Way], before: &str, is_there: impl Fn(&Way) -> bool) -> bool {
    match ways.iter().find(|way| is_there(way)) {
        Some(Way::Service(service)) if !is_there(&Way::Local) => {
            !before.starts_with(&(service.key() + "+"))
        }
        first => first.is_some(),
    }
}

async fn look_at_frames(
    task: &Task<'_>,
    ways: &[Way],
    cancelled: &CancellationToken,
) -> Result<Vec<Product>, Failure> {
    let Some(local) = ways.iter().find(|way| matches!(way, Way::Local)) else {
        let why = "Films are looked at on this machine alone, which does not look here.";
        return Err(Failure::Unwanted(why.to_owned()));
    };
    let film = task.open().await?;
    let beholder = task.beholder(local)?;
    let seen = look_at_film(&beholder, &task.ffmpeg(), &film, cancelled, |_, _| {}).await?;
    Ok(vec![product(&beholder, seen)])
}

fn product(beholder: &Beholder, seen: Seen) -> Product {
    let claims = claims_of(&seen.tags, &beholder.model());
    let shown = Shown::by(beholder, seen);
    let mut product = Product::new(TAGS, Content::Json(json!(shown)));
    product.model = Some(beholder.key());
    product.claims = claims;
    product
}
