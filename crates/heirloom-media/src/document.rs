//! Documents as they are read: their text, and their pages as pictures.
//!
//! [`read_text`] gives the words of a document in the order in which one reads them, and nothing of how
//! they are set; [`Pages`] draws the pages of what has some. As [`picture`](crate::picture), all of it is a
//! function of bytes and called in a confined process: the bytes are hostile, and the libraries are not ours.

mod error;
mod html;
mod lines;
mod open_document;
mod pages;
mod part;
mod pdf;
mod plain;
mod rtf;
mod setting;
mod word;

use std::{
    io::Cursor,
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
};

pub use error::DocumentError;
pub use pages::Pages;

use crate::{
    file_type::{self as types, FileType},
    finding::Problem,
    source::Source,
};
use lines::Lines;

/// How much of a document is read; the rest is left out, and that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimits {
    /// The most bytes of text of one page, in UTF-8.
    pub page_bytes: usize,
    /// The most bytes of text altogether, in UTF-8: a shelf of books.
    pub bytes: usize,
    /// The most bytes that a part of an office file may unpack to.
    pub part_bytes: usize,
}

impl Default for TextLimits {
    fn default() -> Self {
        Self {
            page_bytes: 1024 * 1024,
            bytes: 16 * 1024 * 1024,
            part_bytes: 64 * 1024 * 1024,
        }
    }
}

/// What stands in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// How many pages it has; 1 where it flows.
    pub count: u32,
    /// The language that the document says it is in, as BCP 47 writes it: `de`, `en-GB`.
    pub language: Option<String>,
    /// Those of its pages that were asked for; one without a number where it has none.
    pub pages: Vec<PageText>,
    /// What is wrong with it, and what was left out.
    pub problems: Vec<Problem>,
}

/// What stands on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// Which page, from 1; none in a document that flows, or is a single sheet.
    pub page: Option<u32>,
    /// Lines that end in `\n`; cells of a table with tabs between them.
    pub text: String,
}

impl Text {
    /// One text without pages.
    fn flowing(text: String) -> Self {
        Self {
            count: 1,
            pages: vec![PageText { page: None, text }],
            ..Self::default()
        }
    }

    /// The same in so many bytes.
    fn within(mut self, limits: &TextLimits) -> Self {
        let mut left = limits.bytes;
        let mut is_cut = false;
        for page in &mut self.pages {
            let most = match page.page {
                Some(_) => left.min(limits.page_bytes),
                None => left,
            };
            is_cut |= cut(&mut page.text, most);
            left = left.saturating_sub(page.text.len());
        }
        if is_cut {
            self.problem("The document has more text than is kept; the rest was left out.");
        }
        self
    }

    fn problem(&mut self, what: impl Into<String>) {
        let problem = Problem { what: what.into() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// Cuts a text between characters; whether there was anything to cut.
fn cut(text: &mut String, most: usize) -> bool {
    let is_long = text.len() > most;
    if is_long {
        text.truncate(text.floor_char_boundary(most));
    }
    is_long
}

/// The text of a document; of one with pages, that of these, counted from 1.
///
/// # Errors
/// [`DocumentError`] where none can be read. What is damaged is read as far as it goes, and
/// [`Text::problems`] says so.
pub fn read_text(
    bytes: Vec<u8>,
    file_type: FileType,
    pages: RangeInclusive<u32>,
    limits: &TextLimits,
) -> Result<Text, DocumentError> {
    let read = || match file_type {
        types::TXT | types::MARKDOWN | types::CSV => Ok(Text::flowing(plain::read(&bytes))),
        types::HTML => Ok(html::read(&bytes, limits)),
        types::RTF => Ok(rtf::read(&bytes, limits)),
        types::DOCX => of_parts(&bytes, limits, word::read),
        types::ODT | types::ODS | types::ODP => of_parts(&bytes, limits, open_document::read),
        types::PDF => pdf::read(bytes, pages),
        _ => Err(DocumentError::NotRead {
            name: file_type.name,
        }),
    };
    guarded(read).map(|text| text.within(limits))
}

/// Reads an office file of XML parts in a ZIP archive.
fn of_parts(
    bytes: &[u8],
    limits: &TextLimits,
    read: fn(&mut part::Parts<'_>, &mut Lines) -> Result<(), DocumentError>,
) -> Result<Text, DocumentError> {
    let mut cursor = Cursor::new(bytes);
    let source = Source::new(&mut cursor).map_err(DocumentError::damaged)?;
    let mut parts = part::Parts::new(source, limits.part_bytes);
    let mut lines = Lines::new(limits.bytes);
    read(&mut parts, &mut lines)?;
    let mut text = lines.finish();
    if let Some(problem) = parts.problem() {
        text.problem(problem);
    }
    Ok(text)
}

/// What a page of a document says itself, without a look at its picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layer {
    /// Its text.
    pub text: String,
    /// Whether a picture takes most of the page, as in a scan.
    pub is_pictured: bool,
}

/// What a library does wrong is an answer about the document.
fn guarded<T>(work: impl FnOnce() -> Result<T, DocumentError>) -> Result<T, DocumentError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DocumentError::damaged("its reader gave up")))
}
