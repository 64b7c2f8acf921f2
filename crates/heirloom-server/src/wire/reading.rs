//! What stands in a picture, on the pages of a document or in a film.

use heirloom_core::{ArtifactId, ClaimId, reading};
use heirloom_pipeline::tool::reading::Read;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Segment;

/// What stands in a picture, on the pages of a document or in a film, as people corrected it. Places are shares of the width and
/// height of a page as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// The artifact that it is; null where only people wrote down what stands there.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub artifact_id: Option<ArtifactId>,
    /// Who read it: `local`, a model on this machine; `layer` where the document says all of it itself; `people` where only
    /// people did.
    pub method: String,
    /// The model.
    pub model: String,
    /// Who read it a second time, such as `tesseract`, where that was of use: where they read otherwise, a word is less sure.
    pub second: Option<String>,
    /// How sure it is of all of it, from 0 to 1.
    pub confidence: f64,
    /// What is wrong with it, or was left out.
    pub problems: Vec<String>,
    /// All of it as plain text: lines as they stand there, an empty line between paragraphs and between pages.
    pub text: String,
    /// Its pages in their order.
    pub pages: Vec<ReadPage>,
}

/// A page, the whole of a picture, or what comes into sight at once in a film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadPage {
    /// Which page, from 1; null of a picture that is a single sheet, and of a film.
    pub page: Option<u32>,
    /// From when to when it stands there; null of what is no film.
    pub at: Option<Segment>,
    /// Whether its text is that of the document itself, which is kept.
    pub is_layer: bool,
    /// By how many degrees it has to be turned with the clock so that it can be read: 0, 90, 180 or 270.
    pub turn: u16,
    /// By how many degrees its lines then fall to the right.
    pub lean: f32,
    /// The corners of the page in the picture, where a camera saw it with what is around it: top left, top right, bottom right and
    /// bottom left. The page alone, straight and in one light, is its rendition `flat`.
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub outline: Option<[[f32; 2]; 4]>,
    /// Paragraphs and whatever else stands by itself, in the order in which they are read.
    pub blocks: Vec<ReadBlock>,
}

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadBlock {
    /// From the top.
    pub lines: Vec<ReadLine>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadLine {
    /// What stands in it.
    pub text: String,
    /// Its corners, each to the right and down, from the top left of the line with the clock; null in a document's own
    /// text.
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub corners: Option<[[f32; 2]; 4]>,
    /// What a correction of it is said of where it has no corners: a mark at the edge of the page.
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub margin: Option<[[f32; 2]; 4]>,
    /// How sure it is, from 0 to 1.
    pub confidence: f32,
    /// Its words, where they were read one by one.
    pub words: Vec<ReadWord>,
    /// The claim that it is from, where a person corrected what was read, or wrote down what was not.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub correction_id: Option<ClaimId>,
    /// What a machine read there, where a person corrected it; null where nothing was read.
    pub instead_of: Option<String>,
}

/// A word with the marks around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadWord {
    /// How it is written.
    pub text: String,
    /// Its corners, as those of a line.
    #[schema(value_type = Vec<Vec<f32>>)]
    pub corners: [[f32; 2]; 4],
    /// How likely it is, from 0 to 1.
    pub probability: f32,
    /// What a second reader reads there instead, empty where it sees nothing; null where it reads the same, or there is none.
    pub otherwise: Option<String>,
}

impl Reading {
    pub(crate) fn of(artifact_id: Option<ArtifactId>, read: Read) -> Self {
        Self {
            artifact_id,
            method: read.method,
            model: read.model,
            second: read.second,
            confidence: read.confidence,
            problems: read.problems,
            text: read.reading.to_text(),
            pages: read.reading.pages.into_iter().map(ReadPage::from).collect(),
        }
    }
}

impl From<reading::Page> for ReadPage {
    fn from(page: reading::Page) -> Self {
        let block = |block: reading::Block| ReadBlock {
            lines: block.lines.into_iter().map(ReadLine::from).collect(),
        };
        Self {
            page: page.page,
            at: page.at.map(Segment::from),
            is_layer: page.is_layer,
            turn: page.turn,
            lean: page.lean,
            outline: page.outline.map(|outline| outline.0),
            blocks: page.blocks.into_iter().map(block).collect(),
        }
    }
}

impl From<reading::Line> for ReadLine {
    fn from(line: reading::Line) -> Self {
        let word = |word: reading::Word| ReadWord {
            text: word.text,
            corners: word.corners.0,
            probability: word.probability,
            otherwise: word.otherwise,
        };
        Self {
            text: line.text,
            corners: line.corners.map(|corners| corners.0),
            margin: line.margin.map(|strip| strip.corners().0),
            confidence: line.confidence,
            words: line.words.into_iter().map(word).collect(),
            correction_id: line.correction_id,
            instead_of: line.instead_of,
        }
    }
}
