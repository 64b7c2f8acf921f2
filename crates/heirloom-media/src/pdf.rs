//! PDF: title, author, dates and number of pages; of the pages themselves nothing is read.
//!
//! After ISO 32000-1, 7.5. Objects are fetched one by one, so that a large file costs no more
//! memory than a small one.

mod object;
mod stream;
mod table;

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::Endian,
    exif,
    moment::{Moment, Reading},
    notes::Notes,
    property,
    source::Source,
    text, xmp,
};
use object::Object;
use table::Table;

/// The information that is looked at.
const KNOWN: [&str; 8] = [
    "Title",
    "Author",
    "Subject",
    "Keywords",
    "Creator",
    "Producer",
    "CreationDate",
    "ModDate",
];

/// The most pages that are believed.
const PAGE_LIMIT: f64 = 1_000_000.0;

/// Reads the document's information.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let Some(mut table) = Table::load(source, out) else {
        out.problem("The PDF has no readable table of its objects.");
        return;
    };
    let is_encrypted = table.trailer("Encrypt").is_some();
    if is_encrypted {
        out.problem("The PDF is encrypted; its texts are not read.");
    }
    let root = table
        .trailer("Root")
        .cloned()
        .map(|root| table.resolve(source, root, out));
    if let Some(Object::Dictionary(root)) = &root {
        let pages = object::get(root, "Pages")
            .cloned()
            .map(|pages| table.resolve(source, pages, out));
        if let Some(Object::Dictionary(pages)) = &pages {
            let count = object::get(pages, "Count")
                .cloned()
                .map(|count| table.resolve(source, count, out));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked"
            )]
            if let Some(Object::Number(count)) = count
                && (1.0..=PAGE_LIMIT).contains(&count)
            {
                out.facts.page_count = Some(count as u32);
            }
        }
        if !is_encrypted
            && let Some(metadata) = object::get(root, "Metadata").cloned()
            && let Some(packet) = table.stream(source, &metadata, out)
        {
            xmp::read_embedded(&packet, out);
        }
    } else {
        out.problem("The PDF has no readable beginning.");
    }
    if out.facts.page_count.is_none() {
        out.problem("The PDF does not say how many pages it has.");
    }
    let info = table
        .trailer("Info")
        .cloned()
        .map(|info| table.resolve(source, info, out));
    if let Some(Object::Dictionary(info)) = info
        && !is_encrypted
    {
        let known = info
            .into_iter()
            .filter(|(name, _)| KNOWN.contains(&name.as_str()))
            .take(KNOWN.len());
        for (name, value) in known {
            if let Object::Text(bytes) = table.resolve(source, value, out) {
                information(&name, &decode(&bytes), out);
            }
        }
    }
}

fn information(name: &str, words: &str, out: &mut Notes) {
    let source = format!("pdf:{name}");
    match name {
        "Title" => out.text(ClaimKind::Title, words, &source, 0.7),
        "Author" => exif::author(words, &source, out),
        "Subject" => out.text(ClaimKind::Caption, words, &source, 0.6),
        "Keywords" => {
            for word in words.split([',', ';']) {
                out.text(ClaimKind::Tag, word, &source, 0.6);
            }
        }
        "Creator" => out.property(property::SOFTWARE, words),
        "Producer" => out.property("producer", words),
        "CreationDate" => out.date(date(words), &source, 0.6),
        "ModDate" => out.date(date(words), &source, 0.2),
        _ => {}
    }
}

/// `D:20040621233753+01'00'`.
fn date(words: &str) -> Reading {
    let words = words.trim();
    Moment::read(&words.strip_prefix("D:").unwrap_or(words).replace('\'', ""))
}

/// A text string: UTF-16 or UTF-8 with a mark, else nearly Latin-1.
fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => text::decode_utf16(bytes, Endian::Big),
        [0xEF, 0xBB, 0xBF, rest @ ..] => text::decode_all(rest),
        _ => text::decode_all(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_far_as_it_is_written() {
        let cases = [
            ("D:20040621233753+01'00'", "2004-06-21T23:37:53+01:00"),
            ("D:20040621233753Z00'00'", "2004-06-21T23:37:53Z"),
            ("D:20040621233753", "2004-06-21T23:37:53"),
            ("20040621", "2004-06-21"),
            ("D:2004", "2004"),
        ];
        for (words, edtf) in cases {
            assert_eq!(date(words).moment().unwrap().to_string(), edtf);
        }
    }
}
