//! What one reads of a Word document (Office Open XML).
//!
//! ECMA-376, part 1, section 17: paragraphs in order, tables as rows, and notes at the end. What was deleted
//! while changes were tracked, and how fields are computed, is not read.

use std::collections::BTreeMap;

use super::{
    DocumentError,
    html::is_language,
    lines::Lines,
    part::{Go, Parts, Token},
};

const DOCUMENT: &str = "word/document.xml";
const STYLES: &str = "word/styles.xml";
/// Notes, and what refers to one.
const NOTES: [(&str, &str); 2] = [
    ("word/footnotes.xml", "footnoteReference"),
    ("word/endnotes.xml", "endnoteReference"),
];

pub(super) fn read(parts: &mut Parts<'_>, lines: &mut Lines) -> Result<(), DocumentError> {
    // Notes are numbered in the order in which they are referred to.
    let mut order: Vec<(usize, String)> = Vec::new();
    body(parts, DOCUMENT, lines, &mut |which, id| {
        order.push((which, id.to_owned()));
        order.len()
    })?;
    if lines.language.is_none() && parts.has(STYLES) {
        // What is set where no paragraph says otherwise. A document without it is as good.
        let _ = parts.read(STYLES, |token| match token {
            Token::Start("lang", attributes) => {
                let said = attributes.get("val").filter(|said| is_language(said));
                lines.language = said.map(str::to_owned);
                Go::Stop
            }
            _ => Go::On,
        });
    }
    for (which, (part, _)) in NOTES.iter().enumerate() {
        if !parts.has(part) || !order.iter().any(|(of, _)| *of == which) {
            continue;
        }
        let notes = notes(parts, part, lines)?;
        lines.end_block();
        for (number, (_, id)) in (1..).zip(&order).filter(|(_, (of, _))| *of == which) {
            if let Some(note) = notes.get(id) {
                lines.words(&format!("[{number}] {note}"));
                lines.end_block();
            }
        }
    }
    Ok(())
}

/// The text of each note by its id.
fn notes(
    parts: &mut Parts<'_>,
    part: &str,
    lines: &mut Lines,
) -> Result<BTreeMap<String, String>, DocumentError> {
    let mut notes = BTreeMap::new();
    let mut open: Option<(String, Lines)> = None;
    let mut reader = Reader::default();
    parts.read(part, |token| {
        match &token {
            Token::Start("footnote" | "endnote", attributes) => {
                let id = attributes.get("id").unwrap_or_default().to_owned();
                open = Some((id, lines.set_aside()));
            }
            Token::End("footnote" | "endnote") => {
                if let Some((id, aside)) = open.take() {
                    notes.insert(id, lines.take_up(aside));
                }
            }
            _ if open.is_some() => reader.take(&token, lines, &mut |_, _| 0),
            _ => {}
        }
        Go::On
    })?;
    if let Some((_, aside)) = open {
        lines.take_up(aside);
    }
    Ok(notes)
}

fn body(
    parts: &mut Parts<'_>,
    part: &str,
    lines: &mut Lines,
    refer: &mut dyn FnMut(usize, &str) -> usize,
) -> Result<(), DocumentError> {
    let mut reader = Reader::default();
    parts.read(part, |token| {
        reader.take(&token, lines, refer);
        if lines.is_full() { Go::Stop } else { Go::On }
    })
}

#[derive(Default)]
struct Reader {
    /// Whether words are words of the document.
    is_text: bool,
    /// How many elements are open whose content stands elsewhere a second time.
    doubled: usize,
}

impl Reader {
    fn take(
        &mut self,
        token: &Token<'_>,
        lines: &mut Lines,
        refer: &mut dyn FnMut(usize, &str) -> usize,
    ) {
        match token {
            // The same once more, for programs that do not know the first form.
            Token::Start("Fallback", _) => self.doubled += 1,
            Token::End("Fallback") => self.doubled = self.doubled.saturating_sub(1),
            _ if self.doubled > 0 => {}
            Token::Start("t", _) => self.is_text = true,
            Token::End("t") => self.is_text = false,
            Token::Words(words) if self.is_text => lines.words(words),
            Token::Start("tab", attributes) if attributes.get("val").is_none() => lines.tab(),
            Token::Start("br" | "cr", _) => lines.break_line(),
            Token::Start("noBreakHyphen", _) => lines.words("\u{2011}"),
            Token::Start("lang", attributes) if lines.language.is_none() => {
                let said = attributes.get("val").filter(|said| is_language(said));
                lines.language = said.map(str::to_owned);
            }
            Token::Start(name, attributes) => {
                if let Some(which) = NOTES.iter().position(|(_, reference)| reference == name) {
                    let number = refer(which, attributes.get("id").unwrap_or_default());
                    lines.words(&format!("[{number}]"));
                } else if *name == "tc" {
                    lines.open_cell();
                } else if *name == "txbxContent" {
                    lines.end_block();
                }
            }
            // A paragraph without words is an empty line.
            Token::End("p") => lines.break_line(),
            Token::End("tc") => lines.close_cell(),
            Token::End("tr") => lines.end_row(),
            _ => {}
        }
    }
}
