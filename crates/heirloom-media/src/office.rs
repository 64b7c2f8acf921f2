//! Office files and books: Word, Excel, PowerPoint, OpenDocument, EPUB, and the old binary Word.

mod compound;

use heirloom_core::claim::ClaimKind;

use crate::{
    exif,
    moment::Moment,
    notes::Notes,
    property,
    source::Source,
    xml::{self, Element},
    zip,
};

pub(crate) use compound::{is_word, read as read_compound};

/// The most descriptions that are read of one file.
const DESCRIPTION_LIMIT: usize = 4;

/// Reads the description of a file that is a ZIP archive of parts.
pub(crate) fn read_parts(source: &mut Source<'_>, out: &mut Notes) {
    let entries = zip::entries(source);
    let mut is_described = false;
    let is_description = |name: &str| {
        matches!(name, "docProps/core.xml" | "docProps/app.xml" | "meta.xml")
            || name.ends_with(".opf")
    };
    for entry in entries
        .iter()
        .filter(|entry| is_description(&entry.name))
        .take(DESCRIPTION_LIMIT)
    {
        let Some(content) = entry.content(source, out) else {
            out.problem("The description of the document cannot be unpacked.");
            continue;
        };
        is_described = true;
        let document = xml::parse(&xml::decode(&content));
        if let Some(problem) = document.problem {
            out.problem(format!(
                "The description of the document is damaged. {problem}"
            ));
        }
        describe(&document.root, out);
    }
    if entries.is_empty() {
        out.problem("The document's parts cannot be listed; it is cut off or damaged.");
    } else if !is_described {
        out.property("described", "false");
    }
}

/// The same few words in all formats, told by their local names.
fn describe(root: &Element, out: &mut Notes) {
    root.visit(&mut |element| {
        let words = element.text.as_str();
        let source = format!("document:{}", element.local_name());
        match element.local_name() {
            "title" => out.text(ClaimKind::Title, words, &source, 0.75),
            "creator" | "initial-creator" => exif::author(words, &source, out),
            "description" | "subject" if element.children.is_empty() => {
                out.text(ClaimKind::Caption, words, &source, 0.6);
            }
            "keywords" | "keyword" => {
                for word in words.split([',', ';']) {
                    out.text(ClaimKind::Tag, word, &source, 0.7);
                }
            }
            "created" | "creation-date" => out.date(Moment::read(words), &source, 0.6),
            // Of a book, when it appeared; of an office file, when it was saved last.
            "date" => out.date(Moment::read(words), &source, 0.3),
            "modified" => out.date(Moment::read(words), &source, 0.2),
            "Pages" | "Slides" => pages(words, out),
            "document-statistic" => {
                pages(
                    element.attribute("meta:page-count").unwrap_or_default(),
                    out,
                );
            }
            "Application" | "generator" => out.property(property::SOFTWARE, words),
            _ => {}
        }
    });
}

fn pages(words: &str, out: &mut Notes) {
    if let Ok(count) = words.trim().parse::<u32>()
        && (1..1_000_000).contains(&count)
    {
        out.facts.page_count = Some(count);
    }
}
