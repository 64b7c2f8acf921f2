//! What one reads of an OpenDocument text, spreadsheet or presentation.
//!
//! OpenDocument 1.3, part 3: paragraphs in order, tables as rows, slides one after the other, and notes at the
//! end. Comments, what was deleted while changes were tracked, and styles are not read.

use super::{
    DocumentError,
    lines::Lines,
    part::{Go, Parts, Token},
};

const CONTENT: &str = "content.xml";
/// The most that a repeated space or cell counts.
const REPEATS: usize = 100;

pub(super) fn read(parts: &mut Parts<'_>, lines: &mut Lines) -> Result<(), DocumentError> {
    let mut reader = Reader::default();
    let read = parts.read(CONTENT, |token| {
        reader.take(&token, lines);
        if lines.is_full() { Go::Stop } else { Go::On }
    });
    if let Some(aside) = reader.aside.take() {
        lines.take_up(aside);
    }
    lines.end_block();
    for (number, note) in (1..).zip(&reader.notes) {
        lines.words(&format!("[{number}] {note}"));
        lines.end_block();
    }
    // An encrypted one has its parts in a form that is no XML.
    if parts.is_encrypted() {
        return Err(DocumentError::Locked);
    }
    read
}

#[derive(Default)]
struct Reader {
    is_body: bool,
    /// How many elements are open of which nothing is read.
    hidden: usize,
    /// How many paragraphs and headings are open.
    paragraphs: usize,
    /// What a note stands in, while the note is read.
    aside: Option<Lines>,
    notes: Vec<String>,
}

impl Reader {
    fn take(&mut self, token: &Token<'_>, lines: &mut Lines) {
        match token {
            Token::Start("body", _) => self.is_body = true,
            Token::End("body") => self.is_body = false,
            _ if !self.is_body => {}
            Token::Start("annotation" | "tracked-changes" | "note-citation" | "forms", _) => {
                self.hidden += 1;
            }
            Token::End("annotation" | "tracked-changes" | "note-citation" | "forms") => {
                self.hidden = self.hidden.saturating_sub(1);
            }
            _ if self.hidden > 0 => {}
            Token::Words(words) if self.paragraphs > 0 => lines.flowing_words(words),
            Token::Start("p" | "h", _) => self.paragraphs += 1,
            Token::End("p" | "h") => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                lines.break_line();
            }
            Token::Start("s", attributes) => {
                let count = attributes.get("c").and_then(|count| count.parse().ok());
                lines.words(&" ".repeat(count.unwrap_or(1).min(REPEATS)));
            }
            Token::Start("tab", _) => lines.tab(),
            Token::Start("line-break", _) => lines.break_line(),
            Token::Start("table-cell", _) => lines.open_cell(),
            Token::End("table-cell") => lines.close_cell(),
            Token::End("table-row") => lines.end_row(),
            Token::Start("note-body", _) if self.aside.is_none() => {
                lines.words(&format!("[{}]", self.notes.len() + 1));
                self.aside = Some(lines.set_aside());
            }
            Token::End("note-body") => {
                if let Some(aside) = self.aside.take() {
                    self.notes.push(lines.take_up(aside));
                }
            }
            Token::Start("frame" | "page" | "text-box", _) if self.paragraphs == 0 => {
                lines.end_block();
            }
            _ => {}
        }
    }
}
