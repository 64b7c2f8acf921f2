//! The tool `reading`: what stands in a picture, on the pages of a document that are pictures, and in a film.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{MediaKind, claim::Claim, reading::Reading};
use heirloom_db::text::Text;
use heirloom_models::Ability;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ResourceClass, Tool, View};
use crate::{
    reading::{Eyes, Outcome, read_by, read_film},
    understand::UnderstandError,
    way::Way,
    work::{Content, Failure, Product, Task},
};

/// What stands in a picture, document or film.
pub const READING: &str = "reading";
/// A page alone, straight and in one light, where a camera saw it with what is around it.
pub const FLAT: &str = "flat";

/// Reads a picture, the pages of a document that have no text of their own, or the frames of a film. Input: the original's bytes.
pub const EYES: Tool = Tool {
    name: "reading",
    version: 2,
    outputs: &[READING, FLAT],
    view: View::Writing,
    class: ResourceClass::Model,
    is_deterministic: false,
    parameters: &[],
    ability: Some(Ability::Reading),
};

/// What stands there, with how that is known: the content of an artifact, and what `heirloom read` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Who read it: `local`, a model on this machine; `layer` where the document says all of it itself; `people` where only
    /// people did; else a service by its name.
    pub method: String,
    /// The model.
    pub model: String,
    /// Who read it a second time, where that was of use: where they read otherwise, a word is less sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// How sure it is of all of it, from 0 to 1.
    pub confidence: f64,
    /// What is wrong with it, or was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What was read.
    #[serde(flatten)]
    pub reading: Reading,
}

impl Read {
    /// As somebody read it.
    #[must_use]
    pub fn by(eyes: &Eyes, outcome: Outcome) -> Self {
        let method = if outcome.is_layer() {
            "layer"
        } else {
            eyes.method()
        };
        Self {
            method: method.to_owned(),
            model: eyes.model(),
            second: outcome.second,
            confidence: outcome.reading.confidence(),
            problems: outcome.problems,
            reading: outcome.reading,
        }
    }

    /// Where nobody read it: what people write down themselves.
    #[must_use]
    pub fn by_people() -> Self {
        Self {
            method: "people".to_owned(),
            model: String::new(),
            second: None,
            confidence: 0.0,
            problems: Vec::new(),
            reading: Reading::default(),
        }
    }

    /// Puts over it what people say of it.
    pub fn correct(&mut self, claims: &[Claim]) {
        self.reading = std::mem::take(&mut self.reading).corrected(claims);
        self.confidence = self.reading.confidence();
    }
}

pub(crate) fn read_writing<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let before = task.find_model(READING).await?;
        let ways = task.reading().no_worse_than(before.as_deref());
        if let Some(before) = &before
            && !ways.iter().any(|way| task.is_there(way, Ability::Reading))
        {
            let why = format!("{before} has read it already, and nobody is there who is as good.");
            return Err(Failure::Unwanted(why));
        }
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        if task.asset.kind == MediaKind::Video {
            return read_frames(task, ways, &cancelled).await;
        }
        let mut input = task.open().await?;
        let skipped =
            |way: &Way, why: &UnderstandError| task.say(&format!("{}: {why}", way.name()));
        let file = (&mut input, task.asset.name.as_str());
        let eyes = |way: &Way| task.eyes(way);
        let (eyes, mut outcome) = read_by(ways, eyes, file, &cancelled, |_| {}, skipped).await?;
        if outcome.is_layer() {
            let why = "Each of its pages has a text of its own, which is kept.";
            return Err(Failure::NothingToDo(why.to_owned()));
        }
        let flat = outcome.flat.take();
        let flat = flat.map(|(about, bytes)| Product {
            model: Some(eyes.key()),
            ..Product::new(FLAT, Content::Bytes(about, bytes))
        });
        let read = std::iter::once(product(&eyes, outcome));
        Ok(read.chain(flat).collect())
    }
    .boxed()
}

async fn read_frames(
    task: &Task<'_>,
    ways: &[Way],
    cancelled: &CancellationToken,
) -> Result<Vec<Product>, Failure> {
    let Some(local) = ways.iter().find(|way| matches!(way, Way::Local)) else {
        let why = "Films are read on this machine alone, which does not read here.";
        return Err(Failure::Unwanted(why.to_owned()));
    };
    let film = task.open().await?;
    let eyes = task.eyes(local)?;
    let outcome = read_film(&eyes, &task.ffmpeg(), &film, cancelled, |_, _| {}).await?;
    Ok(vec![product(&eyes, outcome)])
}

fn product(eyes: &Eyes, outcome: Outcome) -> Product {
    let read = Read::by(eyes, outcome);
    let text = Text::read(&read.reading);
    let json = json!(read);
    let content = match read.reading.is_empty() {
        true => Content::Json(json),
        false => Content::Text { json, text },
    };
    let mut product = Product::new(READING, content);
    product.model = Some(eyes.key());
    product
}
