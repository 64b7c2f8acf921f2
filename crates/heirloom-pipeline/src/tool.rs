//! Tools: versioned functions from what is at hand to what follows from it.
//!
//! A tool takes bytes or words and gives a [`Made`]; it knows no database, no folder and no run, so
//! that a scan and an engine run the same tools. A tool that panics has found a problem with the file
//! and does not end what it is part of. Changing what a tool makes means raising its version.

mod document;
pub mod faces;
mod file_name;
pub mod film;
pub mod meaning;
mod metadata;
pub mod pages;
pub mod parameter;
pub mod place;
pub mod playback;
pub mod reading;
pub mod rendition;
pub(crate) mod reread;
mod sidecar;
pub mod tags;
pub mod text;
pub mod transcript;
pub mod waveform;

use std::{
    io::{self, Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use heirloom_blobs::{BlobError, BlobStore};
use heirloom_core::{ContentHash, MediaKind};
use heirloom_db::{
    artifact::{Derived, METADATA as METADATA_KIND, NewArtifact, Part, Payload},
    asset::Measures,
    claim::NewClaim,
    workpiece::Workpiece,
};
use heirloom_media::{Facts, FileType, Finding, Metadata};
use heirloom_models::Ability;
use serde_json::{Map, Value as Json, json};

pub use file_name::read_file_name;
pub use metadata::read_metadata;
pub use parameter::Parameter;
pub use sidecar::{SIDECAR_BYTES, read_sidecar, sidecar_kind, sidecar_word};

/// A tool, as a value that can be listed and named in artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// What it is called in artifacts.
    pub name: &'static str,
    /// Rises whenever the same inputs give something else.
    pub version: i64,
    /// The kinds of artifact that it makes. The first is made of whatever it has worked on, so that
    /// it is known to have done so.
    pub outputs: &'static [&'static str],
    /// What it works on.
    pub view: View,
    /// What it needs most.
    pub class: ResourceClass,
    /// Whether the same inputs give the same again.
    pub is_deterministic: bool,
    /// What it can be asked for.
    pub parameters: &'static [Parameter],
    /// What it needs a model for, if it needs one.
    pub ability: Option<Ability>,
}

/// What a tool asks to be shown of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Its bytes, whatever they are.
    Bytes,
    /// The name of one of its files.
    Name,
    /// A sidecar of it.
    Sidecar,
    /// A picture.
    Picture,
    /// What is seen: a picture, or the frames of a film that are worth looking at.
    Frames,
    /// A film.
    Film,
    /// Sound: a recording's or a film's.
    Sound,
    /// A document's text.
    Document,
    /// The pages of a document that has some, or of a picture that may have several.
    Pages,
    /// What may have writing on it: a picture, the pages of a document, or the frames of a film.
    Writing,
    /// Where it is believed to be made.
    Position,
}

impl Tool {
    /// What it is asked for of an asset: what its run asks for, and the language that people say is spoken in it.
    pub(crate) fn asked_of(&self, asset: &Workpiece, asked: &Json) -> Json {
        let mut asked = asked.clone();
        let is_heard = self.ability == Some(Ability::Speech);
        if let Some(language) = asset.language.as_ref().filter(|_| is_heard) {
            asked["language"] = Json::from(language.as_str());
        }
        asked
    }
}

impl View {
    /// The word for it in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Name => "name",
            Self::Sidecar => "sidecar",
            Self::Picture => "picture",
            Self::Frames => "frames",
            Self::Film => "film",
            Self::Sound => "sound",
            Self::Document => "document",
            Self::Pages => "pages",
            Self::Writing => "writing",
            Self::Position => "position",
        }
    }

    /// The hash of what is shown of an asset, which a tool makes everything of; `None` where only the tool
    /// knows what that is.
    #[must_use]
    pub fn input_of(self, asset: &Workpiece) -> Option<ContentHash> {
        match self {
            Self::Name | Self::Sidecar => None,
            Self::Position => asset.position.map(heirloom_db::place::input_of),
            _ => Some(asset.content_hash),
        }
    }

    /// Whether an asset can be shown so.
    #[must_use]
    pub fn is_offered_by(self, asset: &Workpiece) -> bool {
        match self {
            Self::Bytes | Self::Name | Self::Sidecar => true,
            Self::Picture => matches!(asset.kind, MediaKind::Image),
            Self::Frames => matches!(asset.kind, MediaKind::Image | MediaKind::Video),
            Self::Film => matches!(asset.kind, MediaKind::Video),
            Self::Sound => matches!(asset.kind, MediaKind::Audio | MediaKind::Video),
            Self::Document => matches!(asset.kind, MediaKind::Document),
            Self::Writing => {
                matches!(asset.kind, MediaKind::Image | MediaKind::Video)
                    || asset.media_type == "application/pdf"
            }
            Self::Position => asset.position.is_some(),
            Self::Pages => matches!(asset.media_type.as_str(), "application/pdf" | "image/tiff"),
        }
    }
}

/// What a tool needs most, and so how many of its kind work at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceClass {
    /// A processor: as many as there are.
    Cpu,
    /// The disk or the network: a few.
    Io,
    /// Much memory: one.
    Memory,
    /// A model that stays loaded: one.
    Model,
}

impl ResourceClass {
    /// The word for it in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Io => "io",
            Self::Memory => "memory",
            Self::Model => "model",
        }
    }
}

/// Reads what an original says of itself. Input: its bytes.
pub const METADATA: Tool = Tool::reading("metadata", 1, View::Bytes);
/// Reads what a sidecar says of an original. Input: the sidecar's bytes.
pub const SIDECAR: Tool = Tool::reading("sidecar", 3, View::Sidecar);
/// Reads the date in a file's name. Input: the name.
pub const FILE_NAME: Tool = Tool::reading(heirloom_db::artifact::FILE_NAME, 1, View::Name);

impl Tool {
    /// A tool that a scan runs on what it has open anyway.
    const fn reading(name: &'static str, version: i64, view: View) -> Self {
        Self {
            name,
            version,
            outputs: &[METADATA_KIND],
            view,
            class: ResourceClass::Io,
            is_deterministic: true,
            parameters: &[],
            ability: None,
        }
    }
}

/// What a tool made of its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The tool.
    pub tool: Tool,
    /// Hashes of what it was made from.
    pub inputs: Vec<ContentHash>,
    /// What came out, as a JSON object.
    pub payload: Json,
    /// What is stated.
    pub claims: Vec<NewClaim>,
    /// Measures of the content.
    pub facts: Facts,
}

/// The most bytes of JSON that lie in the database; more is a blob.
pub(crate) const INLINE_BYTES: usize = 8 * 1024;
/// The most bytes of text that one artifact may claim: a book of captions, and no flood.
const CLAIM_BYTES: usize = 128 * 1024;

impl Made {
    /// What is to be recorded. A large payload is put into the store first, so that no row ever
    /// refers to bytes that are not there.
    ///
    /// # Errors
    /// What the store says.
    pub async fn store(self, blobs: &Arc<dyn BlobStore>) -> Result<Derived, BlobError> {
        let text = self.payload.to_string();
        let payload = if text.len() > INLINE_BYTES {
            let put = blobs.put_bytes(Bytes::from(text)).await?;
            Payload::Blob(put.hash, put.size_bytes)
        } else {
            Payload::Json(self.payload)
        };
        Ok(Derived {
            artifact: NewArtifact {
                kind: self.tool.outputs[0],
                part: Part::Whole,
                tool: self.tool.name,
                tool_version: self.tool.version,
                model: String::new(),
                parameters: Json::Null,
                is_deterministic: self.tool.is_deterministic,
                inputs: self.inputs,
                payload,
            },
            claims: self.claims,
        })
    }

    fn of(tool: Tool, input: ContentHash, head: Json, read: Metadata) -> Self {
        let mut problems: Vec<String> = read.problems.into_iter().map(|found| found.what).collect();
        let claims = claims_of(read.findings, &mut problems);
        let mut payload = match head {
            Json::Object(head) => head,
            _ => Map::new(),
        };
        let facts = facts_of(&read.facts);
        for (name, value, is_empty) in [
            (
                "properties",
                json!(read.properties),
                read.properties.is_empty(),
            ),
            ("problems", json!(problems), problems.is_empty()),
        ] {
            if !is_empty {
                payload.insert(name.to_owned(), value);
            }
        }
        if !facts.is_empty() {
            payload.insert("facts".to_owned(), Json::Object(facts));
        }
        Self {
            tool,
            inputs: vec![input],
            payload: Json::Object(payload),
            claims,
            facts: read.facts,
        }
    }
}

/// What the tools make of an original that is met for the first time.
#[derive(Debug)]
pub struct Looked {
    /// What the bytes are.
    pub file_type: FileType,
    /// Measures of the content.
    pub facts: Facts,
    /// What each tool made.
    pub made: Vec<Made>,
}

impl Looked {
    /// What is kept with the asset.
    #[must_use]
    pub fn measures(&self) -> Measures {
        Measures {
            kind: self.file_type.kind,
            media_type: self.file_type.media_type,
            width: self.facts.width.map(i64::from),
            height: self.facts.height.map(i64::from),
            duration_ms: self.facts.duration_ms.and_then(|ms| i64::try_from(ms).ok()),
        }
    }
}

/// Runs every tool that reads an original, whichever way it came in. `name` is path text.
///
/// # Errors
/// Those of reading. Whatever is wrong with the content is a problem in what was made.
pub fn look_at(
    original: &mut (impl Read + Seek),
    content_hash: ContentHash,
    name: &str,
) -> io::Result<Looked> {
    let (file_type, made) = read_metadata(original, content_hash, name)?;
    Ok(Looked {
        file_type,
        facts: made.facts.clone(),
        made: [Some(made), read_file_name(name)]
            .into_iter()
            .flatten()
            .collect(),
    })
}

/// Runs a tool's function; a panic becomes a problem of the file.
fn guarded(read: impl FnOnce() -> Metadata) -> Metadata {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        problem("The tool that reads this kind of file failed on it; it is kept without its facts.")
    })
}

fn problem(what: impl Into<String>) -> Metadata {
    Metadata {
        problems: vec![heirloom_media::Problem { what: what.into() }],
        ..Metadata::default()
    }
}

/// What is known, without the long list of what is not.
fn facts_of(facts: &Facts) -> Map<String, Json> {
    match json!(facts) {
        Json::Object(facts) => facts
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => Map::new(),
    }
}

fn claims_of(findings: Vec<Finding>, problems: &mut Vec<String>) -> Vec<NewClaim> {
    let mut left = CLAIM_BYTES;
    let mut claims = Vec::with_capacity(findings.len());
    for finding in findings {
        let length = match finding.statement.value() {
            heirloom_core::claim::ClaimValue::Text(text) => text.len(),
            _ => 16,
        } + finding.source.len();
        let Some(rest) = left.checked_sub(length) else {
            problems
                .push("It says more than is kept of one file; the rest was left out.".to_owned());
            break;
        };
        left = rest;
        claims.push(NewClaim {
            statement: finding.statement,
            is_negation: false,
            source: finding.source,
            confidence: finding.confidence,
        });
    }
    claims
}

#[cfg(test)]
mod tests {
    use heirloom_core::claim::{ClaimKind, ClaimValue, Statement};

    use super::*;

    fn hash(byte: u8) -> ContentHash {
        ContentHash::from_bytes([byte; 32])
    }

    fn caption(words: &str) -> Finding {
        let value = ClaimValue::Text(words.to_owned());
        Finding {
            statement: Statement::new(ClaimKind::Caption, value).unwrap(),
            source: "xmp:dc:description".to_owned(),
            confidence: 0.9,
        }
    }

    #[test]
    fn a_tool_that_panics_has_found_a_problem() {
        let read = guarded(|| panic!("an invariant of a reader is broken"));
        let made = Made::of(METADATA, hash(1), json!({ "type": "JPEG" }), read);
        let problem = made.payload["problems"][0].as_str().unwrap();
        assert!(problem.contains("failed on it"), "{problem}");
        assert_eq!(made.payload["type"], "JPEG");
    }

    #[test]
    fn a_file_that_says_too_much_is_cut_short_and_that_is_said() {
        let read = Metadata {
            findings: (0..100)
                .map(|n| caption(&format!("{n}{}", "x".repeat(10_000))))
                .collect(),
            ..Metadata::default()
        };
        let made = Made::of(METADATA, hash(1), Json::Null, read);
        assert_eq!(made.claims.len(), 13);
        assert!(
            made.payload["problems"][0]
                .as_str()
                .unwrap()
                .contains("more than is kept")
        );
    }

    #[test]
    fn what_is_not_known_takes_no_room() {
        let read = Metadata {
            facts: Facts {
                width: Some(8),
                ..Facts::default()
            },
            ..Metadata::default()
        };
        let made = Made::of(METADATA, hash(1), json!({ "type": "JPEG" }), read);
        assert_eq!(
            made.payload,
            json!({ "type": "JPEG", "facts": { "width": 8 } })
        );
    }

    #[test]
    fn a_name_says_a_date_or_nothing() {
        let made = read_file_name("1944-03-12 Anna to Karl.tif").unwrap();
        assert_eq!(made.claims.len(), 1);
        assert_eq!(
            made.claims[0].statement.value().to_json(),
            json!("1944-03-12")
        );
        assert!(made.claims[0].confidence < 0.5);
        assert_eq!(
            made.payload,
            json!({ "name": "1944-03-12 Anna to Karl.tif" })
        );
        assert_eq!(read_file_name("IMG_4711.jpg"), None);
    }

    #[test]
    fn a_sidecar_that_is_too_long_is_kept_unread() {
        let kind = heirloom_media::SidecarKind::Xmp;
        let made = read_sidecar(None, hash(1), kind);
        assert_eq!(
            (made.claims.len(), &made.payload["kind"]),
            (0, &json!("xmp"))
        );
        assert!(
            made.payload["problems"][0]
                .as_str()
                .unwrap()
                .contains("16 MiB")
        );
    }
}
