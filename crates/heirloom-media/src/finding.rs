//! What is found in a file: facts of the container, statements with their source, and problems.

use std::collections::BTreeMap;

use heirloom_core::claim::{ClaimKind, Statement};
use serde::{Deserialize, Serialize};

/// Everything that one file says about itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Measures of the content, as the file states them.
    pub facts: Facts,
    /// Statements that can become claims, in the order in which they were found.
    pub findings: Vec<Finding>,
    /// Further values under stable names ([`property`](crate::property) has the ones that other
    /// parts rely on); values are plain text, numbers in decimal with a full stop.
    pub properties: BTreeMap<String, String>,
    /// What is wrong with the file. What could be read all the same is above.
    pub problems: Vec<Problem>,
}

/// Measures of the content, each as the file states it and absent where it does not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Stored width in pixels, before any turning.
    pub width: Option<u32>,
    /// Stored height in pixels, before any turning.
    pub height: Option<u32>,
    /// How what is stored has to be turned to be looked at, as EXIF numbers it (1 to 8). For
    /// pictures in HEIF containers and for films this is the container's own rotation, which
    /// decoders apply, and not the EXIF tag beside it, which they do not.
    pub orientation: Option<u8>,
    /// How long it plays, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// Frames of an animated picture.
    pub frame_count: Option<u32>,
    /// Pages, of documents and multi-page pictures.
    pub page_count: Option<u32>,
    /// Short name of the picture's codec, such as `h264`.
    pub video_codec: Option<String>,
    /// Short name of the sound's codec, such as `aac`.
    pub audio_codec: Option<String>,
    /// Samples of sound per second.
    pub sample_rate_hz: Option<u32>,
    /// Channels of sound.
    pub channels: Option<u32>,
}

/// One statement that the file makes, and where in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is stated; always valid as a claim.
    pub statement: Statement,
    /// Where: `exif:DateTimeOriginal`, `sidecar-xmp:dc:subject`, `name:IMG_20170203`.
    pub source: String,
    /// How far the statement may be trusted, 0 to 1, compared with others of its kind.
    pub confidence: f32,
}

/// Something that is wrong with a file, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One plain sentence.
    pub what: String,
}

impl Metadata {
    /// The findings of one kind.
    pub fn of_kind(&self, kind: ClaimKind) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.statement.kind() == kind)
    }

    /// Takes over what another reading found, such as that of a sidecar; facts and properties that
    /// are already known stay.
    pub fn absorb(&mut self, other: Self) {
        self.facts.absorb(other.facts);
        for finding in other.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        for (name, value) in other.properties {
            self.properties.entry(name).or_insert(value);
        }
        for problem in other.problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }
}

impl Facts {
    /// Takes over what is not known yet.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.width = self.width.or(other.width);
        self.height = self.height.or(other.height);
        self.orientation = self.orientation.or(other.orientation);
        self.duration_ms = self.duration_ms.or(other.duration_ms);
        self.frame_rate = self.frame_rate.or(other.frame_rate);
        self.frame_count = self.frame_count.or(other.frame_count);
        self.page_count = self.page_count.or(other.page_count);
        self.video_codec = self.video_codec.take().or(other.video_codec);
        self.audio_codec = self.audio_codec.take().or(other.audio_codec);
        self.sample_rate_hz = self.sample_rate_hz.or(other.sample_rate_hz);
        self.channels = self.channels.or(other.channels);
    }
}
