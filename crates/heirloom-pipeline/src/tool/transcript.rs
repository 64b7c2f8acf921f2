//! The tool `transcript`: what is said in a film or recording.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{transcript::Transcript, unit::FailureCode};
use heirloom_db::text::Text;
use heirloom_models::Ability;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ResourceClass, Tool, View};
use crate::{
    speech::{Asked, transcribe},
    work::{Content, Failure, Product, Task},
};

/// What is said in a film or recording.
pub const TRANSCRIPT: &str = "transcript";

/// Hears a film or recording. Input: the original's bytes.
pub const HEARER: Tool = Tool {
    name: "transcript",
    version: 2,
    outputs: &[TRANSCRIPT],
    view: View::Sound,
    class: ResourceClass::Model,
    is_deterministic: false,
    parameters: &[],
    ability: Some(Ability::Speech),
};

/// What is said, with how that is known: the content of an artifact, and what `heirloom transcribe` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Who heard it: `local`, a model on this machine.
    pub method: String,
    /// The model.
    pub model: String,
    /// How sure it is of all of it, from 0 to 1.
    pub confidence: f64,
    /// The words that stand out in it, the most telling first.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What is said.
    #[serde(flatten)]
    pub transcript: Transcript,
}

impl Heard {
    /// Of a model on this machine.
    #[must_use]
    pub fn locally(model: &str, transcript: Transcript) -> Self {
        Self {
            method: "local".to_owned(),
            model: model.to_owned(),
            confidence: transcript.confidence(),
            keywords: keywords_of(&transcript),
            transcript,
        }
    }
}

/// The words that stand out in what is said; none in a language whose common words are not known.
#[must_use]
pub fn keywords_of(transcript: &Transcript) -> Vec<String> {
    let language = transcript.language.as_deref();
    let common = language.and_then(stop_words::lookup);
    common.map_or_else(Vec::new, |common| transcript.keywords(common))
}

pub(crate) fn write_down<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let input = task.open().await?;
        let ears = task.ears()?;
        if let Some(why) = ears.without_voices() {
            task.say(&format!("who speaks is not told: {why}"));
        }
        let asked = Asked {
            language: task.asset.language.clone(),
            ..Asked::default()
        };
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let heard = transcribe(&task.ffmpeg(), &ears, &input, &asked, &cancelled, |_| {}).await;
        let transcript = heard.map_err(|error| match error.into() {
            Failure::Permanent(FailureCode::Empty, why) => Failure::NothingToDo(why),
            failure => failure,
        })?;
        let text = Text::spoken(&transcript);
        let json = json!(Heard::locally(ears.model(), transcript));
        Ok(vec![Product::new(TRANSCRIPT, Content::Text { json, text })])
    }
    .boxed()
}
