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
    speech::Asked,
    transcription::{Outcome, Recording, hear},
    understand::UnderstandError,
    way::{METADATA, Way},
    work::{Content, Failure, Product, Task},
};

/// What is said in a film or recording.
pub const TRANSCRIPT: &str = "transcript";

/// Hears a film or recording. Input: the original's bytes.
pub const HEARER: Tool = Tool {
    name: "transcript",
    version: 3,
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
    /// Who heard it: `local`, a model on this machine; a service by its name; `people` where only people did; `metadata`
    /// where nobody did.
    pub method: String,
    /// The model.
    pub model: String,
    /// How sure it is of all of it, from 0 to 1.
    pub confidence: f64,
    /// The words that stand out in it, the most telling first.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What is known of the sound, where nobody heard it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basics: Option<Basics>,
    /// What is said.
    #[serde(flatten)]
    pub transcript: Transcript,
}

/// What is known of a recording that nobody heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basics {
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u64>,
    /// How its sound is coded.
    pub codec: String,
    /// Why nobody heard it.
    pub why: Option<String>,
}

impl Heard {
    /// Whether nobody heard it: nothing is known of what is said, which is not the same as that nothing is said.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.method == METADATA
    }

    /// Where no machine heard it: what people write down themselves.
    #[must_use]
    pub fn by_people(transcript: Transcript) -> Self {
        Self {
            method: "people".to_owned(),
            ..Self::locally("", transcript)
        }
    }

    /// Of a model on this machine.
    #[must_use]
    pub fn locally(model: &str, transcript: Transcript) -> Self {
        Self {
            method: "local".to_owned(),
            model: model.to_owned(),
            confidence: transcript.confidence(),
            keywords: keywords_of(&transcript),
            basics: None,
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
        let before = task.find_model(TRANSCRIPT).await?;
        let ways = task.transcription().no_worse_than(before.as_deref());
        if let Some(before) = &before
            && !ways.iter().any(|way| task.is_there(way, Ability::Speech))
        {
            let why = format!("{before} has heard it already, and nobody is there who is as good.");
            return Err(Failure::Unwanted(why));
        }
        let input = task.open().await?;
        let asked = Asked {
            language: task.asset.language.clone(),
            ..Asked::default()
        };
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let recording = Recording {
            input: &input,
            ffmpeg: &task.ffmpeg(),
            ears: &|| task.ears(),
            asked: &asked,
            cancelled: &cancelled,
        };
        let skipped = |way: &Way, why: &UnderstandError| {
            task.hear_anew();
            task.say(&format!("{}: {why}", way.name()));
        };
        let heard = hear(ways, &recording, |so_far| task.hear(&so_far), skipped).await;
        let Outcome { heard, key, note } = heard.map_err(|error| match error.into() {
            Failure::Permanent(FailureCode::Empty, why) => Failure::NothingToDo(why),
            failure => failure,
        })?;
        if let Some(note) = note {
            task.say(&note);
        }
        let text = Text::spoken(&heard.transcript);
        let mut product = Product::new(
            TRANSCRIPT,
            Content::Text {
                json: json!(heard),
                text,
            },
        );
        product.model = Some(key);
        Ok(vec![product])
    }
    .boxed()
}
