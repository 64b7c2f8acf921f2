//! What a confined hand can do.

use std::{fs::File, io};

use heirloom_core::unit::FailureCode;
use serde_json::json;

use crate::{
    confinement::{Answer, Failure, JobHeader, Jobs},
    faces::{self, FaceLooker},
    meaning::{self, Grasp},
    pictures::{self, Onlooker},
    reading::{self, PageReader},
    searchable,
    speech::{self, Hearer},
    texts::{self, Reader},
    tool::{pages, rendition, text},
};

/// Does jobs: `{"job": NAME, …}`. They run in confinement; see [`confinement`](crate::confinement).
///
/// - `render` draws a picture of the given `name`.
/// - `pages` draws the pages `from` to `until` of a document of the given `name`, and `text` reads them.
/// - `voice` finds where somebody speaks in samples, `voices` takes voiceprints of stretches of them, and `hear` writes
///   down what is said in some. `overhear` does so quickly while it goes on.
/// - `read` reads what stands in a picture, or on pages of a document, from `from` on.
/// - `faces` finds the faces of a picture.
/// - `look` looks at a picture: which tags it gets, and what it looks like.
/// - `see` says what a picture shows in a space that texts lie in too, and `mean` what a text means in it.
/// - `compare` says what texts mean, so that they can be compared.
/// - `sheet` packs a page for a document that can be searched.
/// - `length` reads the input to its end and answers `{"size_bytes": N}`: whether a disk gives all of it.
///
/// A job fails when there is none of that name, or the file does not let it be done.
pub fn jobs() -> impl Jobs {
    let mut kept = Kept::default();
    move |header: &JobHeader, input: File, answer: &mut Answer<'_>| {
        work(&mut kept, header, input, answer)
    }
}

/// What stays loaded from job to job.
#[derive(Default)]
struct Kept {
    hearer: Hearer,
    reader: PageReader,
    looker: FaceLooker,
    onlooker: Onlooker,
    grasp: Grasp,
    texts: Reader,
}

fn work(
    kept: &mut Kept,
    header: &JobHeader,
    input: File,
    answer: &mut Answer<'_>,
) -> Result<(), Failure> {
    match header["job"].as_str() {
        Some("length") => {
            let mut input = input;
            let size_bytes = io::copy(&mut input, &mut io::sink())?;
            answer.give(&json!({ "size_bytes": size_bytes }), &[])?;
            Ok(())
        }
        Some(rendition::JOB) => rendition::draw(header, input, answer),
        Some(pages::JOB) => pages::draw(header, input, answer),
        Some(text::JOB) => text::read(header, input, answer),
        Some(speech::VOICE) => kept.hearer.voice(header, &input, answer),
        Some(speech::VOICES) => kept.hearer.voices(header, &input, answer),
        Some(speech::HEAR) => kept.hearer.hear(header, &input, answer),
        Some(speech::OVERHEAR) => kept.hearer.overhear(header, &input, answer),
        Some(faces::FIND) => kept.looker.find(header, input, answer),
        Some(searchable::JOB) => searchable::pack(header, input, answer),
        Some(reading::READ) => kept.reader.read(header, input, answer),
        Some(pictures::LOOK) => kept.onlooker.look(header, input, answer),
        Some(meaning::SEE) => kept.grasp.see(header, input, answer),
        Some(texts::COMPARE) => kept.texts.compare(header, answer),
        Some(meaning::MEAN) => kept.grasp.mean(header, answer),
        _ => {
            let reason = format!("there is no such job: {header}");
            Err(Failure::new(FailureCode::Other, reason))
        }
    }
}
