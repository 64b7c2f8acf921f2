//! The tool `transcript`: what is said in a film or recording.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{
    transcript::{Passage, Transcript},
    unit::FailureCode,
};
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
            transcript,
        }
    }
}

/// The words by which a recording is found: a line for each passage, with when each word begins.
#[must_use]
pub fn text_of(transcript: &Transcript) -> Text {
    let passages = transcript.passages.iter();
    Text {
        words: transcript.to_text(),
        times: passages.flat_map(Passage::word_starts_ms).collect(),
    }
}

pub(crate) fn write_down<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let input = task.open().await?;
        let ears = task.ears()?;
        if let Some(why) = ears.without_voices() {
            task.say(&format!("who speaks is not told: {why}"));
        }
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let heard = transcribe(
            &task.ffmpeg(),
            &ears,
            &input,
            &Asked::default(),
            &cancelled,
            |_| {},
        )
        .await;
        let transcript = heard.map_err(|error| match error.into() {
            Failure::Permanent(FailureCode::Empty, why) => Failure::NothingToDo(why),
            failure => failure,
        })?;
        let text = text_of(&transcript);
        let json = json!(Heard::locally(ears.model(), transcript));
        Ok(vec![Product::new(TRANSCRIPT, Content::Text { json, text })])
    }
    .boxed()
}
