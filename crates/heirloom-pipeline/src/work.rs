//! What a tool is given to work on an asset, and what it gives back.
//!
//! A tool knows no unit, no run and no database row: it opens the original it is given, and gives
//! what it made of it or why it could not. It is dropped when its run is cancelled, and whatever it
//! started has to end with it.

use std::{
    fs::File,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use heirloom_core::{ContentHash, face::Face, unit::FailureCode};
use heirloom_db::{
    artifact::Part, asset::Measures, claim::NewClaim, text::Text, workpiece::Workpiece,
};
use heirloom_models::Ability;
use serde_json::Value as Json;

use crate::{
    Context, Ffmpeg,
    confinement::{ConfinementError, JobHeader, JobLimits},
    faces::FaceFinder,
    log::Log,
    meaning::Interpreter,
    open::{OpenError, open_original},
    pictures::Beholder,
    reading::Eyes,
    speech::{Ears, SoFar},
    tool::Parameter,
    understand::UnderstandError,
    way::{Way, Ways},
    workshop::Workshop,
};

/// The function of a tool.
pub type Work = for<'a> fn(&'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>>;

/// One asset that a tool is to work on.
#[derive(Debug)]
pub struct Task<'a> {
    /// The asset.
    pub asset: &'a Workpiece,
    ctx: &'a Context,
    workshop: &'a Workshop,
    /// What its tool was asked for.
    asked: &'a Json,
    log: Log,
    measures: Mutex<Option<Measures>>,
}

/// What a tool notes beside what it makes.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// What it said, the end of it.
    pub(crate) log: Option<String>,
    /// What it measured of the original.
    pub(crate) measures: Option<Measures>,
}

/// Something that a tool made.
#[derive(Debug)]
pub struct Product {
    /// The kind of artifact: one of the tool's outputs.
    pub kind: &'static str,
    /// What of the asset it shows.
    pub part: Part,
    /// What it is.
    pub content: Content,
    /// What it states.
    pub claims: Vec<NewClaim>,
    /// Hashes of what it was made from; none for the original's bytes.
    pub inputs: Option<Vec<ContentHash>>,
    /// What it was made with, by its key, where that is not the model that its tool uses at present.
    pub model: Option<String>,
}

/// The content of a product.
#[derive(Debug)]
pub enum Content {
    /// A JSON object.
    Json(Json),
    /// Bytes, and what is said of them as a JSON object: their `media_type` at least.
    Bytes(Json, Bytes),
    /// The same, in a file that has no name any more.
    File(Json, File),
    /// A JSON object with what stands in an asset or is said in it, and its words alone, by which the asset is found.
    Text {
        /// The object.
        json: Json,
        /// The words.
        text: Text,
    },
    /// A JSON object with the faces that are in an asset, and these by themselves.
    Faces {
        /// The object.
        json: Json,
        /// The faces.
        faces: Vec<Face>,
    },
}

/// Why a tool made nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is nothing for it in this asset.
    #[error("{0}")]
    NothingToDo(String),
    /// It is not wanted any more, as things are now.
    #[error("{0}")]
    Unwanted(String),
    /// The same work would fail again.
    #[error("{1}")]
    Permanent(FailureCode, String),
    /// What it needs is not there; another run may find it.
    #[error("{1}")]
    Unavailable(FailureCode, String),
    /// The disk is full; it goes on when there is space.
    #[error("{0}")]
    NoSpace(String),
    /// It may work in a moment.
    #[error("{0}")]
    Temporary(String),
    /// The process that it ran in died of it.
    #[error("{1}")]
    Crashed(FailureCode, String),
}

impl Failure {
    /// The same with its reason as a sentence: a person reads it by itself.
    #[must_use]
    pub fn as_sentence(self) -> Self {
        match self {
            Self::NothingToDo(reason) => Self::NothingToDo(sentence(&reason)),
            Self::Unwanted(reason) => Self::Unwanted(sentence(&reason)),
            Self::Permanent(code, reason) => Self::Permanent(code, sentence(&reason)),
            Self::Unavailable(code, reason) => Self::Unavailable(code, sentence(&reason)),
            Self::NoSpace(reason) => Self::NoSpace(sentence(&reason)),
            Self::Temporary(reason) => Self::Temporary(sentence(&reason)),
            // What is said of it comes before it, with how often.
            crashed @ Self::Crashed(..) => crashed,
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let code = match &error {
            OpenError::Gone { .. } => FailureCode::Gone,
            OpenError::Changed { .. } => FailureCode::Changed,
            OpenError::Unreadable { .. } => FailureCode::Other,
            OpenError::Archived { .. } => FailureCode::Archived,
            OpenError::Damaged { .. } => FailureCode::Damaged,
            OpenError::Db(_) => return Self::Temporary(error.to_string()),
        };
        Self::Unavailable(code, error.to_string())
    }
}

/// Words that begin with a capital letter and end with a full stop.
pub(crate) fn sentence(reason: &str) -> String {
    let reason = reason.trim();
    let mut letters = reason.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

impl Content {
    /// What was found to be wrong with the original, of which there is something all the same.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &str> {
        let (Self::Json(json)
        | Self::Bytes(json, _)
        | Self::File(json, _)
        | Self::Text { json, .. }
        | Self::Faces { json, .. }) = self;
        let problems = json["problems"].as_array().into_iter().flatten();
        problems.filter_map(Json::as_str)
    }
}

impl Product {
    /// Something about the whole of an asset that states nothing.
    #[must_use]
    pub const fn new(kind: &'static str, content: Content) -> Self {
        Self {
            kind,
            part: Part::Whole,
            content,
            claims: Vec::new(),
            inputs: None,
            model: None,
        }
    }
}

impl<'a> Task<'a> {
    pub(crate) fn new(
        ctx: &'a Context,
        workshop: &'a Workshop,
        asset: &'a Workpiece,
        asked: &'a Json,
    ) -> Self {
        Self {
            asset,
            ctx,
            workshop,
            asked,
            log: Log::default(),
            measures: Mutex::default(),
        }
    }

    /// What it works in.
    pub(crate) const fn context(&self) -> &Context {
        self.ctx
    }

    /// What its tool is asked for.
    #[must_use]
    pub fn parameter(&self, parameter: &Parameter) -> i64 {
        parameter.read(self.asked)
    }

    /// Has a job done in confinement over one file; notes what a decoder said that failed on it.
    ///
    /// # Errors
    /// [`ConfinementError`] tells how it ended otherwise.
    pub async fn work(
        &self,
        job: JobHeader,
        input: File,
        limits: JobLimits,
    ) -> Result<Vec<(JobHeader, Bytes)>, ConfinementError> {
        let done = self.workshop.work(job, input, limits).await;
        if let Err(ConfinementError::Failed {
            detail: Some(detail),
            ..
        }) = &done
        {
            self.say(detail);
        }
        done
    }

    /// Opens the original for reading.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when it is away, changed or damaged.
    pub async fn open(&self) -> Result<File, Failure> {
        Ok(open_original(self.ctx, self.asset, false).await?.file)
    }

    /// What films and recordings are worked on with; what it says is noted.
    #[must_use]
    pub fn ffmpeg(&self) -> Ffmpeg {
        self.workshop.ffmpeg().heard_by(self.log.clone())
    }

    /// Who hears films and recordings.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn ears(&self) -> Result<Ears, UnderstandError> {
        self.workshop.ears()
    }

    /// Shows whoever looks what was heard of it since the last time.
    pub(crate) fn hear(&self, heard: &SoFar<'_>) {
        self.workshop.hearings().add(self.asset.id, heard);
    }

    /// Takes back what was shown: it is heard anew.
    pub(crate) fn hear_anew(&self) {
        self.workshop.hearings().restart(self.asset.id);
    }

    /// Who reads pictures in this way.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn eyes(&self, way: &Way) -> Result<Eyes, UnderstandError> {
        self.workshop.eyes(way)
    }

    /// Who may read what is written.
    #[must_use]
    pub const fn reading(&self) -> &Ways {
        self.workshop.reading()
    }

    /// Who finds faces.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn face_finder(&self) -> Result<FaceFinder, UnderstandError> {
        self.workshop.face_finder()
    }

    /// Who looks at pictures in this way.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn beholder(&self, way: &Way) -> Result<Beholder, UnderstandError> {
        self.workshop.beholder(way)
    }

    /// Who may say what pictures show.
    #[must_use]
    pub const fn tagging(&self) -> &Ways {
        self.workshop.tagging()
    }

    /// Who says what pictures show.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when a model is missing.
    pub fn interpreter(&self) -> Result<Interpreter, UnderstandError> {
        self.workshop.interpreter()
    }

    /// Who may write down what is said.
    #[must_use]
    pub const fn transcription(&self) -> &Ways {
        self.workshop.transcription()
    }

    /// Whether somebody who may do it has what is needed for it.
    pub(crate) fn is_there(&self, way: &Way, ability: Ability) -> bool {
        self.workshop.is_there(way, ability)
    }

    /// What its asset has of a kind already was made with, by its key.
    ///
    /// # Errors
    /// [`Failure::Temporary`] when the catalogue does not say.
    pub(crate) async fn find_model(&self, kind: &str) -> Result<Option<String>, Failure> {
        let Context { db, actor, .. } = self.ctx;
        let found = async {
            let asset = db.get_asset(actor, self.asset.id).await?;
            db.find_artifact(&asset, kind, Part::Whole).await
        };
        let found = found
            .await
            .map_err(|error| Failure::Temporary(error.to_string()))?;
        Ok(found.map(|artifact| artifact.model))
    }

    /// Notes something for whoever looks at the unit; of too much, the end is kept.
    pub fn say(&self, line: &str) {
        self.log.say(line);
    }

    /// Notes what was measured of the original.
    pub(crate) fn measure(&self, measures: Measures) {
        *self.measures() = Some(measures);
    }

    pub(crate) fn into_noted(self) -> Noted {
        Noted {
            log: self.log.take(),
            measures: self.measures().take(),
        }
    }

    fn measures(&self) -> MutexGuard<'_, Option<Measures>> {
        self.measures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
