//! Google Cloud Vision (<https://cloud.google.com/vision/docs/reference/rest/v1/images/annotate>), which knows where each word is.

use bytes::Bytes;
use heirloom_core::reading::{Corners, Word};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Seen, SeenLine};
use crate::way::{
    Kind, ServiceSettings,
    vision::{GOOGLE, Provider, annotate, annotation},
};

#[derive(Debug)]
pub(super) struct Google;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Response {
    full_text_annotation: FullText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FullText {
    pages: Vec<Page>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    width: f32,
    height: f32,
    blocks: Vec<Block>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    paragraphs: Vec<Paragraph>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Paragraph {
    words: Vec<SaidWord>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SaidWord {
    bounding_box: Polygon,
    symbols: Vec<Symbol>,
    confidence: f32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Polygon {
    vertices: Vec<Vertex>,
}

/// What is 0 is left out.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct Vertex {
    x: f32,
    y: f32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Symbol {
    text: String,
    property: Property,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Property {
    detected_break: Break,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Break {
    #[serde(rename = "type")]
    kind: String,
}

impl Provider for Google {
    type Seen = Seen;

    fn kind(&self) -> Kind {
        GOOGLE
    }

    fn ask(&self, client: &Client, service: &ServiceSettings, picture: &Bytes) -> RequestBuilder {
        let feature = json!({ "type": "DOCUMENT_TEXT_DETECTION" });
        annotate(client, service, picture, feature)
    }

    fn read(&self, answer: &Json) -> Result<Seen, String> {
        let response = Response::deserialize(annotation(answer)?);
        let response = response.map_err(|error| error.to_string())?;
        let pages = response.full_text_annotation.pages;
        let blocks = pages.iter().flat_map(|page| {
            let paragraphs = page.blocks.iter().flat_map(|block| &block.paragraphs);
            paragraphs.map(|paragraph| lines_of(page, paragraph))
        });
        Ok(Seen {
            blocks: blocks.filter(|lines| !lines.is_empty()).collect(),
            problem: None,
        })
    }
}

fn lines_of(page: &Page, paragraph: &Paragraph) -> Vec<SeenLine> {
    let (mut lines, mut words, mut text) = (Vec::new(), Vec::<Word>::new(), String::new());
    // A mark is a word of its own: it stands with the word that it follows.
    let mut goes_on = false;
    for said in &paragraph.words {
        let corners = corners_of(page, &said.bounding_box);
        let letters: String = said
            .symbols
            .iter()
            .map(|symbol| symbol.text.as_str())
            .collect();
        let end = said.symbols.last();
        let end = end.map_or("", |symbol| symbol.property.detected_break.kind.as_str());
        text.push_str(&letters);
        match words.last_mut().filter(|_| goes_on) {
            Some(word) => {
                word.text.push_str(&letters);
                word.probability = word.probability.min(said.confidence);
                word.corners = joined(&word.corners, &corners);
            }
            None => words.push(Word {
                text: letters,
                corners,
                probability: said.confidence.clamp(0.0, 1.0),
                otherwise: None,
            }),
        }
        goes_on = end.is_empty() || end == "UNKNOWN";
        match end {
            "LINE_BREAK" | "EOL_SURE_SPACE" => end_line(&mut lines, &mut words, &mut text),
            // A word that is divided: the mark at the end of the line is not one of the letters.
            "HYPHEN" => {
                text.push('-');
                if let Some(word) = words.last_mut() {
                    word.text.push('-');
                }
                end_line(&mut lines, &mut words, &mut text);
            }
            "SPACE" | "SURE_SPACE" => text.push(' '),
            _ => {}
        }
    }
    end_line(&mut lines, &mut words, &mut text);
    lines
}

fn end_line(lines: &mut Vec<SeenLine>, words: &mut Vec<Word>, text: &mut String) {
    let (words, text) = (std::mem::take(words), std::mem::take(text));
    let around = words.iter().map(|word| word.corners);
    let corners = around.reduce(|line, word| joined(&line, &word));
    if text.trim().is_empty() {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "a line has few words")]
    let mean = words.iter().map(|word| word.probability).sum::<f32>() / words.len().max(1) as f32;
    lines.push(SeenLine {
        text: text.trim().to_owned(),
        confidence: mean,
        corners,
        words,
    });
}

/// As shares of the page; its vertices follow one another as whoever reads the word sees them, from the top left.
fn corners_of(page: &Page, polygon: &Polygon) -> Corners {
    let share = |at: f32, all: f32| {
        if all > 0.0 {
            (at / all).clamp(0.0, 1.0)
        } else {
            0.0
        }
    };
    let corner = |at: usize| {
        let vertex = polygon.vertices.get(at).copied().unwrap_or_default();
        [share(vertex.x, page.width), share(vertex.y, page.height)]
    };
    Corners([corner(0), corner(1), corner(2), corner(3)])
}

/// From where the first begins to where the second ends.
const fn joined(first: &Corners, last: &Corners) -> Corners {
    Corners([first.0[0], last.0[1], last.0[2], first.0[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(letters: &str, left: f32, end: &str) -> Json {
        let last = letters.chars().count() - 1;
        let symbols = letters.chars().enumerate().map(|(at, letter)| {
            let end = if at == last && !end.is_empty() {
                json!({ "detectedBreak": { "type": end } })
            } else {
                json!({})
            };
            json!({ "text": letter.to_string(), "property": end })
        });
        let vertices = json!([{ "x": left, "y": 10 }, { "x": left + 20.0, "y": 10 }, { "x": left + 20.0, "y": 30 }, { "x": left, "y": 30 }]);
        json!({ "symbols": symbols.collect::<Vec<_>>(), "boundingBox": { "vertices": vertices }, "confidence": 0.9 })
    }

    #[test]
    fn words_and_their_marks_become_lines_with_places() {
        let words = [
            word("Liebe", 10.0, "SPACE"),
            word("Anna", 40.0, ""),
            word(",", 60.0, "LINE_BREAK"),
            word("Groß", 10.0, "HYPHEN"),
            word("vater", 10.0, "EOL_SURE_SPACE"),
        ];
        let page = json!({ "width": 100, "height": 200, "blocks": [{ "paragraphs": [{ "words": words }] }] });
        let answer = json!({ "responses": [{ "fullTextAnnotation": { "pages": [page] } }] });
        let seen = Google.read(&answer).unwrap();
        let texts: Vec<&str> = seen.blocks[0]
            .iter()
            .map(|line| line.text.as_str())
            .collect();
        assert_eq!(texts, ["Liebe Anna,", "Groß-", "vater"]);
        let line = &seen.blocks[0][0];
        assert_eq!(line.words.len(), 2);
        assert_eq!(line.words[1].text, "Anna,");
        let rectangle = line.corners.unwrap().rectangle();
        for (found, right) in rectangle.iter().zip([0.1, 0.05, 0.7, 0.1]) {
            assert!((found - right).abs() < 1e-5, "{rectangle:?}");
        }
        assert!((line.confidence - 0.9).abs() < 1e-5);
    }

    #[test]
    fn an_empty_page_an_error_and_nonsense_are_told_apart() {
        assert!(
            Google
                .read(&json!({ "responses": [{}] }))
                .unwrap()
                .blocks
                .is_empty()
        );
        let error =
            json!({ "responses": [{ "error": { "code": 3, "message": "Bad image data." } }] });
        assert_eq!(Google.read(&error).unwrap_err(), "Bad image data.");
        Google.read(&json!({})).unwrap_err();
        Google.read(&json!({ "responses": "none" })).unwrap_err();
    }
}
