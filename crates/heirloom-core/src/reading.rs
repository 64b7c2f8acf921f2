//! What stands in a picture, on the pages of a document or in a film, as a machine read it: lines in the order in which they
//! are read, words with their places.
//!
//! Places are shares of the width and height of the page as it is shown, however it lies there, so they hold for every
//! rendition of it.

mod correct;
mod frames;
mod order;
mod second;

use serde::{Deserialize, Serialize};

use crate::{
    ClaimId, Segment, Strip,
    text::{Span, spread},
};

pub use order::Lie;

/// What stands in a picture, document or film.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Its pages in their order.
    pub pages: Vec<Page>,
}

/// A page, the whole of a picture, or what comes into sight at once in a film.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Page {
    /// Which page, from 1; `None` of a picture that is a single sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Of a film: from when to when it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Segment>,
    /// Whether its text is that of the document itself, which is kept; else it was read in the picture of the page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_layer: bool,
    /// By how many degrees it has to be turned with the clock so that it can be read: 0, 90, 180 or 270.
    #[serde(default)]
    pub turn: u16,
    /// By how many degrees its lines then fall to the right.
    #[serde(default)]
    pub lean: f32,
    /// Where the page is in the picture, if a camera saw it with what is around it. Places are shares of the picture all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Corners>,
    /// Paragraphs and whatever else stands by itself, in the order in which they are read.
    pub blocks: Vec<Block>,
}

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Block {
    /// From the top.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Line {
    /// What stands in it.
    pub text: String,
    /// Where it is; `None` in a document's own text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corners: Option<Corners>,
    /// What a correction of it is said of, where nobody knows its place.
    #[serde(skip)]
    pub margin: Option<Strip>,
    /// How sure it is, from 0 to 1: the mean of its words.
    pub confidence: f32,
    /// Its words, where they were read one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
    /// The claim that it is from, where a person corrected what was read, or wrote down what was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_id: Option<ClaimId>,
    /// What was read there before a person corrected it; `None` where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
}

/// A word, with the marks around it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Word {
    /// How it is written.
    pub text: String,
    /// Where it is.
    pub corners: Corners,
    /// How likely it is, from 0 to 1.
    pub probability: f32,
    /// What a second reader reads there instead; empty where it sees nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// A quadrilateral on a page, in shares of its width and height. Its corners follow one another as whoever reads it sees
/// them: top left, top right, bottom right, bottom left.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "RawCorners")]
pub struct Corners(pub [[f32; 2]; 4]);

/// Where a line was is kept as the rectangle around it in older catalogues.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawCorners {
    Corners([[f32; 2]; 4]),
    Rectangle([f32; 4]),
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spot {
    /// The page, from 1; `None` of a picture that is a single sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Where on it; `None` in a document's own text.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub corners: Option<Corners>,
    /// Of a film: when it begins to stand there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
}

impl Spot {
    /// What tells the sheet that it is on from others.
    #[must_use]
    pub const fn sheet(&self) -> (Option<u32>, Option<u64>) {
        (self.page, self.at_ms)
    }
}

impl From<RawCorners> for Corners {
    fn from(raw: RawCorners) -> Self {
        match raw {
            RawCorners::Corners(corners) => Self(corners),
            RawCorners::Rectangle(rectangle) => Self::of_rectangle(rectangle),
        }
    }
}

impl Corners {
    /// Of an upright rectangle: left, top, width and height.
    #[must_use]
    pub const fn of_rectangle([left, top, width, height]: [f32; 4]) -> Self {
        let (right, bottom) = (left + width, top + height);
        Self([[left, top], [right, top], [right, bottom], [left, bottom]])
    }

    /// The point in its middle.
    #[must_use]
    pub fn middle(&self) -> [f32; 2] {
        [0, 1].map(|axis| self.0.iter().map(|corner| corner[axis]).sum::<f32>() / 4.0)
    }

    /// What lies in it from one share of its length to another.
    #[must_use]
    pub fn stretch(&self, from: f32, until: f32) -> Self {
        let Self([top_left, top_right, bottom_right, bottom_left]) = *self;
        let between = |[a, b]: [[f32; 2]; 2], share: f32| {
            [0, 1].map(|axis| ((a[axis] + (b[axis] - a[axis]) * share) * 1e4).round() / 1e4)
        };
        let (top, bottom) = ([top_left, top_right], [bottom_left, bottom_right]);
        Self([
            between(top, from),
            between(top, until),
            between(bottom, until),
            between(bottom, from),
        ])
    }

    /// The upright rectangle around it: left, top, width and height.
    #[must_use]
    pub fn rectangle(&self) -> [f32; 4] {
        let edge = |axis: usize, pick: fn(f32, f32) -> f32| {
            let values = self.0.iter().map(|corner| corner[axis]);
            values.reduce(pick).unwrap_or_default()
        };
        let (left, top) = (edge(0, f32::min), edge(1, f32::min));
        [left, top, edge(0, f32::max) - left, edge(1, f32::max) - top]
    }
}

impl Line {
    /// Of words that follow one another; `None` of no words.
    #[must_use]
    pub fn of_words(words: Vec<Word>, corners: Corners) -> Option<Self> {
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let text = texts.join(" ");
        let is_empty = words.iter().all(|word| word.text.is_empty());
        (!is_empty).then(|| Self {
            text,
            corners: Some(corners),
            confidence: Word::mean(&words),
            words,
            ..Self::default()
        })
    }

    /// Of a text of which only the whole line is known to be there: its words share that by their letters.
    #[must_use]
    pub fn of_text(text: &str, corners: Option<Corners>) -> Self {
        let words = corners.map_or_else(Vec::new, |corners| {
            let words: Vec<&str> = text.split_whitespace().collect();
            place_words(&[], &words, corners, 1.0)
        });
        Self {
            text: text.to_owned(),
            corners,
            confidence: 1.0,
            words,
            ..Self::default()
        }
    }
}

impl Word {
    /// How likely words are, each as much as it is long.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a line has far fewer than 2^23 letters"
    )]
    fn mean(words: &[Self]) -> f32 {
        let (mut all, mut sum) = (0.0, 0.0);
        for word in words {
            let length = word.text.chars().count() as f32;
            all += length;
            sum += word.probability * length;
        }
        if all > 0.0 { sum / all } else { 0.0 }
    }
}

/// The parts of a line that a place in it is counted in.
const PARTS: f32 = 1e6;

/// Words of a line where those are that were known there, so far as they are the same, and in between.
fn place_words(known: &[Word], words: &[&str], corners: Corners, probability: f32) -> Vec<Word> {
    let known: Vec<_> = known
        .iter()
        .map(|word| (word.text.as_str(), span_in(corners, &word.corners)))
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a million parts"
    )]
    let (whole, share) = (PARTS as u64, |part: u64| part as f32 / PARTS);
    let spans = spread(&known, words, (0, whole));
    let placed = words.iter().zip(spans);
    placed
        .map(|(word, (from, until))| Word {
            text: (*word).to_owned(),
            corners: corners.stretch(share(from), share(until)),
            probability,
            otherwise: None,
        })
        .collect()
}

/// From where to where something is in a line, in parts of its length.
fn span_in(Corners(line): Corners, Corners(word): &Corners) -> Span {
    let middle = |[a, b]: [[f32; 2]; 2]| [0, 1].map(|axis| f32::midpoint(a[axis], b[axis]));
    let (start, end) = (middle([line[0], line[3]]), middle([line[1], line[2]]));
    let along = [end[0] - start[0], end[1] - start[1]];
    let length = along[0].mul_add(along[0], along[1] * along[1]);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to a million"
    )]
    let part = |point: [f32; 2]| {
        let dot = (point[0] - start[0]).mul_add(along[0], (point[1] - start[1]) * along[1]);
        ((dot / length.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0) * PARTS) as u64
    };
    let (from, until) = (middle([word[0], word[3]]), middle([word[1], word[2]]));
    (part(from), part(until))
}

impl Page {
    /// The same page with each place where that is otherwise: in the picture of which it is a part.
    #[must_use]
    pub fn moved(mut self, to: impl Fn([f32; 2]) -> [f32; 2]) -> Self {
        let moved = |Corners(corners): Corners| {
            let share = |at: f32| (at.clamp(0.0, 1.0) * 1e4).round() / 1e4;
            Corners(corners.map(|corner| to(corner).map(share)))
        };
        for line in self.blocks.iter_mut().flat_map(|block| &mut block.lines) {
            line.corners = line.corners.map(moved);
            for word in &mut line.words {
                word.corners = moved(word.corners);
            }
        }
        self
    }

    /// A page whose text the document has itself: a paragraph ends with an empty line.
    #[must_use]
    pub fn of_layer(page: Option<u32>, text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let blocks = lines.split(|line| line.trim().is_empty());
        let line = |text: &&str| Line {
            text: (*text).to_owned(),
            confidence: 1.0,
            ..Line::default()
        };
        Self {
            page,
            is_layer: true,
            blocks: blocks
                .filter(|lines| !lines.is_empty())
                .map(|lines| Block {
                    lines: lines.iter().map(line).collect(),
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Its lines in the order in which they are read.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.blocks.iter().flat_map(|block| &block.lines)
    }

    /// Its text: lines as they stand there, with an empty line after each paragraph but the last.
    #[must_use]
    pub fn to_text(&self) -> String {
        let block = |block: &Block| {
            let lines = block.lines.iter();
            lines.map(|line| format!("{}\n", line.text)).collect()
        };
        let blocks: Vec<String> = self.blocks.iter().map(block).collect();
        blocks.join("\n")
    }
}

impl Reading {
    /// All of its text, with an empty line between paragraphs and between pages.
    #[must_use]
    pub fn to_text(&self) -> String {
        let pages: Vec<String> = self.pages.iter().map(Page::to_text).collect();
        pages.join("\n")
    }

    /// Whether nothing stands in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.iter().all(|page| page.lines().next().is_none())
    }

    /// How sure it is of all of it: the mean of its lines, each as much as it is long; 0 where nothing stands there.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "lines have far fewer than 2^52 letters"
    )]
    pub fn confidence(&self) -> f64 {
        let (mut all, mut sure) = (0.0, 0.0);
        for (line, _) in self.lines() {
            let length = line.text.chars().count() as f64;
            all += length;
            sure += length * f64::from(line.confidence);
        }
        if all > 0.0 { sure / all } else { 0.0 }
    }

    /// Its lines in the order in which they are read, each with where it is.
    pub fn lines(&self) -> impl Iterator<Item = (&Line, Spot)> {
        let pages = self.pages.iter();
        pages.flat_map(|page| {
            page.lines().map(|line| {
                let spot = Spot {
                    page: page.page,
                    corners: line.corners,
                    at_ms: page.at.map(Segment::start_ms),
                };
                (line, spot)
            })
        })
    }

    /// Its words as they are looked for, a line for each line, with where that is. A word that is divided at the end of a
    /// line is whole in the line that it begins in.
    #[must_use]
    pub fn to_words(&self) -> Vec<(String, Spot)> {
        let mut words: Vec<(String, Spot)> = Vec::new();
        let mut divided_on = None;
        for (line, spot) in self.lines() {
            let mut text = line.text.trim();
            let is_divided = divided_on == Some(spot.sheet());
            if let Some((before, _)) = words.last_mut().filter(|_| is_divided) {
                let (rest, after) = text.split_once(' ').unwrap_or((text, ""));
                if rest.starts_with(char::is_lowercase) {
                    before.pop();
                    before.push_str(rest);
                    text = after;
                }
            }
            divided_on = is_divided_at_end(text).then_some(spot.sheet());
            if !text.is_empty() {
                words.push((text.to_owned(), spot));
            }
        }
        words
    }
}

/// Whether the last word of a line goes on in the next one.
fn is_divided_at_end(text: &str) -> bool {
    let mut letters = text.chars().rev();
    let is_hyphen = matches!(letters.next(), Some('-' | '\u{ad}' | '‐' | '⸗' | '¬'));
    is_hyphen && letters.next().is_some_and(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(texts: &[&str]) -> Page {
        let line = |text: &&str| Line {
            text: (*text).to_owned(),
            confidence: 0.5,
            ..Line::default()
        };
        Page {
            blocks: vec![Block {
                lines: texts.iter().map(line).collect(),
            }],
            ..Page::default()
        }
    }

    fn words(texts: &[&str]) -> Vec<String> {
        let reading = Reading {
            pages: vec![page(texts)],
        };
        let words = reading.to_words().into_iter();
        words.map(|(text, _)| text).collect()
    }

    #[test]
    fn a_divided_word_is_whole_where_it_begins() {
        assert_eq!(
            words(&["It was dan-", "gerous to stay.", "We left"]),
            ["It was dangerous", "to stay.", "We left"]
        );
        assert_eq!(words(&["unter-", "wegs"]), ["unterwegs"]);
        // A dash, and what is not divided.
        assert_eq!(words(&["He came -", "and went"]), ["He came -", "and went"]);
        assert_eq!(words(&["Baden-", "Baden"]), ["Baden-", "Baden"]);
    }

    #[test]
    fn a_documents_own_text_has_its_paragraphs() {
        let page = Page::of_layer(Some(2), "Dear Anna,\n\nit rains.\nStill.\n\n\n");
        assert_eq!(
            (page.page, page.is_layer, page.blocks.len()),
            (Some(2), true, 2)
        );
        assert_eq!(page.to_text(), "Dear Anna,\n\nit rains.\nStill.\n");
    }

    #[test]
    fn nothing_read_is_nothing_to_be_sure_of() {
        let reading = Reading {
            pages: vec![Page::default(), Page::of_layer(None, "\n \n")],
        };
        assert!(reading.is_empty());
        assert_eq!(reading.confidence(), 0.0);
        assert_eq!(reading.to_words(), []);
    }

    #[test]
    fn a_line_is_as_sure_as_its_letters() {
        let word = |text: &str, probability| Word {
            text: text.to_owned(),
            probability,
            ..Word::default()
        };
        let words = vec![word("Oma", 0.5), word("schreibt.", 0.9)];
        let line = Line::of_words(words, Corners::default()).unwrap();
        assert_eq!(line.text, "Oma schreibt.");
        assert!((line.confidence - 0.8).abs() < 1e-6);
        assert_eq!(Line::of_words(Vec::new(), Corners::default()), None);
    }
}
