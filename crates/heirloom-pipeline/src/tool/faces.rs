//! The tool `faces`: the faces that are in a picture or film.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{
    MediaKind,
    face::{Face, Faces},
};
use heirloom_models::Ability;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::{ResourceClass, Tool, View};
use crate::{
    faces::{Found, find_in_film},
    work::{Content, Failure, Product, Task},
};

/// The faces that are in a picture or film.
pub const SEEN_FACES: &str = "faces";

/// Finds faces, with what tells each from others. Input: the original's bytes.
pub const FACES: Tool = Tool {
    name: "faces",
    version: 2,
    outputs: &[SEEN_FACES],
    view: View::Frames,
    class: ResourceClass::Model,
    is_deterministic: false,
    parameters: &[],
    ability: Some(Ability::Faces),
};

/// The faces of a picture or film, with how they are known: the content of an artifact, and what `heirloom faces` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The model.
    pub model: String,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What was found.
    #[serde(flatten)]
    pub faces: Faces,
}

impl Seen {
    /// What a model found.
    #[must_use]
    pub fn by(model: &str, found: Found) -> Self {
        Self {
            model: model.to_owned(),
            problems: found.problems,
            faces: found.faces,
        }
    }
}

pub(crate) fn find_faces<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let mut input = task.open().await?;
        let finder = task.face_finder()?;
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let name = &task.asset.name;
        let found = match task.asset.kind {
            MediaKind::Video => {
                let ffmpeg = task.ffmpeg();
                find_in_film(&finder, &ffmpeg, &input, &cancelled, |_, _| {}).await?
            }
            _ => finder.find(&mut input, name, &cancelled).await?,
        };
        let seen = Seen::by(finder.model(), found);
        let json = json!(seen);
        let faces = seen.faces.faces;
        let mut product = Product::new(SEEN_FACES, Content::Faces { json, faces });
        product.model = Some(finder.key().to_owned());
        Ok(vec![product])
    }
    .boxed()
}

/// The faces of an artifact of that kind; `None` of anything else.
pub(crate) fn faces_of(kind: &str, json: Json) -> Option<Vec<Face>> {
    let seen = (kind == SEEN_FACES).then(|| serde_json::from_value::<Seen>(json).ok());
    seen.flatten().map(|seen| seen.faces.faces)
}
