//! How services are spoken with. A further kind of service is one more of [`PROVIDERS`].

use std::fmt;

use bytes::Bytes;
use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::Value as Json;

use super::answer;
use crate::way::{Kind, ServiceSettings};

/// A kind of service: how it is asked, and what its answers mean.
pub trait Provider: fmt::Debug + Send + Sync {
    /// What it is called in the configuration.
    fn kind(&self) -> Kind;

    /// The form of sound that it takes.
    fn sound(&self) -> Sound;

    /// A request that asks for all that is said in a piece.
    fn ask(&self, client: &Client, service: &ServiceSettings, question: Question)
    -> RequestBuilder;

    /// What an answer with a good status says.
    ///
    /// # Errors
    /// Why it makes no sense.
    fn read(&self, answer: &Json) -> Result<Said, String>;
}

/// A form of sound: always one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// Opus in Ogg: a quarter of a megabyte for each minute.
    Opus,
    /// Plain samples in WAV: two megabytes for each minute.
    Wav,
}

impl Sound {
    const fn file_name(self) -> &'static str {
        match self {
            Self::Opus => "piece.ogg",
            Self::Wav => "piece.wav",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Opus => "audio/ogg",
            Self::Wav => "audio/wav",
        }
    }
}

/// A piece of a recording.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its sound.
    pub sound: Bytes,
    /// The language that is spoken, by its code, where that is known.
    pub language: Option<String>,
}

/// What is said in a piece, in seconds from its beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// The language, by its code.
    pub language: Option<String>,
    /// In the order in which they are said.
    pub passages: Vec<SaidPassage>,
}

/// Some of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SaidPassage {
    /// When it begins and ends.
    pub seconds: (f64, f64),
    /// What is said, with its marks.
    pub text: String,
    /// How sure the service is, from 0 to 1.
    pub confidence: f32,
    /// Its words, where they are known one by one; their marks may be missing.
    pub words: Vec<SaidWord>,
}

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub struct SaidWord {
    /// When it begins and ends.
    pub seconds: (f64, f64),
    /// As it is written.
    pub text: String,
    /// How likely it is, where the service says so.
    pub probability: Option<f32>,
}

/// How OpenAI is spoken with.
pub(super) const OPENAI: Kind = Kind {
    word: "openai",
    model: "whisper-1",
};

/// How the server of whisper.cpp is; it has one model, whatever it is called.
pub(super) const WHISPER_CPP: Kind = Kind {
    word: "whisper.cpp",
    model: "whisper-1",
};

/// Every kind of service.
pub static PROVIDERS: [&'static dyn Provider; 2] = [&OpenAi, &WhisperCpp];

/// OpenAI (<https://platform.openai.com/docs/api-reference/audio/createTranscription>), and the many who speak as it does:
/// Groq, speaches, LocalAI.
#[derive(Debug)]
struct OpenAi;

/// The server of whisper.cpp, which takes WAV alone.
#[derive(Debug)]
struct WhisperCpp;

impl Provider for OpenAi {
    fn kind(&self) -> Kind {
        OPENAI
    }

    fn sound(&self) -> Sound {
        Sound::Opus
    }

    fn ask(
        &self,
        client: &Client,
        service: &ServiceSettings,
        question: Question,
    ) -> RequestBuilder {
        let form = form(self.sound(), question)
            .text("model", service.model.clone())
            .text("timestamp_granularities[]", "word")
            .text("timestamp_granularities[]", "segment");
        post(client, service, "audio/transcriptions", form)
    }

    fn read(&self, answer: &Json) -> Result<Said, String> {
        answer::read(answer)
    }
}

impl Provider for WhisperCpp {
    fn kind(&self) -> Kind {
        WHISPER_CPP
    }

    fn sound(&self) -> Sound {
        Sound::Wav
    }

    fn ask(
        &self,
        client: &Client,
        service: &ServiceSettings,
        question: Question,
    ) -> RequestBuilder {
        let question = Question {
            // It takes English for granted.
            language: Some(question.language.unwrap_or_else(|| "auto".to_owned())),
            ..question
        };
        post(client, service, "inference", form(self.sound(), question))
    }

    fn read(&self, answer: &Json) -> Result<Said, String> {
        answer::read(answer)
    }
}

/// What all of them are asked.
fn form(sound: Sound, question: Question) -> Form {
    let length = question.sound.len() as u64;
    let part = Part::stream_with_length(question.sound, length).file_name(sound.file_name());
    let part = match part.mime_str(sound.media_type()) {
        Ok(part) => part,
        // These are media types.
        Err(_) => Part::text(""),
    };
    let form = Form::new()
        .part("file", part)
        .text("response_format", "verbose_json")
        .text("temperature", "0");
    match question.language {
        Some(language) => form.text("language", language),
        None => form,
    }
}

fn post(client: &Client, service: &ServiceSettings, path: &str, form: Form) -> RequestBuilder {
    let address = service.address.trim_end_matches('/');
    let request = client.post(format!("{address}/{path}")).multipart(form);
    match &service.key {
        Some(key) => request.bearer_auth(key.text()),
        None => request,
    }
}
