//! What is said in a film or recording.

use heirloom_core::{ArtifactId, ClaimId, transcript};
use heirloom_pipeline::{hearing, tool::transcript::Heard};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is said in a film or recording. Times are milliseconds from its beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transcript {
    /// The artifact that it is; null where it is not finished: what was heard so far is shown, and nothing of it is stored;
    /// and where only people wrote down what is said.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub artifact_id: Option<ArtifactId>,
    /// How far it has been heard, where that goes on: for the first time, or anew.
    pub hearing: Option<Hearing>,
    /// Who heard it: `local`, a model on this machine, or the name of a service; `people` where only people wrote it down;
    /// empty where it is not finished.
    pub method: String,
    /// The model; that of a service with its name before it, as `openai:whisper-1`.
    pub model: String,
    /// How sure it is of all of it, from 0 to 1.
    pub confidence: f64,
    /// The words that stand out in it, the most telling first.
    pub keywords: Vec<String>,
    /// The language that most of it is in, by its code of ISO 639; null where nobody speaks.
    pub language: Option<String>,
    /// In the order in which they are said.
    pub passages: Vec<Passage>,
    /// Who speaks, in the order in which they begin; empty where voices are not told apart.
    pub speakers: Vec<Speaker>,
}

/// How far a recording has been heard that is being heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hearing {
    /// Up to which millisecond.
    pub until_ms: u64,
    /// How long it is; null until that is known.
    pub duration_ms: Option<u64>,
}

/// Somebody who speaks in a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Speaker {
    /// What passages call them: 0 for who speaks first.
    pub label: u32,
    /// How long they speak.
    pub spoken_ms: u64,
}

/// A sentence, or what is said between two pauses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Passage {
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// What is said.
    pub text: String,
    /// Who says it: a number that means one voice within this recording, from 0 on; null where that is not known.
    pub speaker: Option<u32>,
    /// What people call who says it; null where nobody said who it is.
    pub speaker_name: Option<String>,
    /// The claim that says who it is: of the whole voice, or of this passage.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub speaker_claim_id: Option<ClaimId>,
    /// The claim that its words are from, where a person corrected what was heard.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub correction_id: Option<ClaimId>,
    /// How sure it is, from 0 to 1.
    pub confidence: f32,
    /// Its words, where they are known one by one.
    pub words: Vec<Word>,
}

/// A word with the space before it and the marks around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Word {
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// As it is written, with a space before it where there is one.
    pub text: String,
    /// How likely it is, from 0 to 1.
    pub probability: f32,
}

impl Transcript {
    pub(crate) fn of(
        artifact_id: Option<ArtifactId>,
        hearing: Option<&hearing::Hearing>,
        heard: Heard,
    ) -> Self {
        let passages = heard.transcript.passages.into_iter();
        let speakers = heard.transcript.speakers.into_iter();
        Self {
            artifact_id,
            hearing: hearing.map(Hearing::from),
            method: heard.method,
            model: heard.model,
            confidence: heard.confidence,
            keywords: heard.keywords,
            language: heard.transcript.language,
            passages: passages.map(Passage::from).collect(),
            speakers: speakers.map(Speaker::from).collect(),
        }
    }
}

impl From<&hearing::Hearing> for Hearing {
    fn from(hearing: &hearing::Hearing) -> Self {
        Self {
            until_ms: hearing.until_ms,
            duration_ms: hearing.duration_ms,
        }
    }
}

impl From<transcript::Speaker> for Speaker {
    fn from(speaker: transcript::Speaker) -> Self {
        Self {
            label: speaker.label,
            spoken_ms: speaker.spoken_ms,
        }
    }
}

impl From<transcript::Passage> for Passage {
    fn from(passage: transcript::Passage) -> Self {
        Self {
            start_ms: passage.start_ms,
            end_ms: passage.end_ms,
            text: passage.text,
            speaker: passage.speaker,
            speaker_name: passage.speaker_name,
            speaker_claim_id: passage.speaker_claim_id,
            correction_id: passage.correction_id,
            confidence: passage.confidence,
            words: passage.words.into_iter().map(Word::from).collect(),
        }
    }
}

impl From<transcript::Word> for Word {
    fn from(word: transcript::Word) -> Self {
        Self {
            start_ms: word.start_ms,
            end_ms: word.end_ms,
            text: word.text,
            probability: word.probability,
        }
    }
}
