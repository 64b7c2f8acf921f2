//! Plain text, and what is written in it.

use crate::{
    bytes::find,
    file_type::{self as types, FileType},
    xml,
};

/// What a text is, if the beginning of a file is text.
pub(super) fn sniff(head: &[u8], extension: &str) -> Option<FileType> {
    // Packets may have any byte in their head, and say what they are before it.
    if head.starts_with(b"<?xpacket ") || head.starts_with(b"<x:xmpmeta") {
        return Some(types::XMP);
    }
    if !is_text(head) {
        return None;
    }
    let text = xml::decode(head);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let lower: String = text
        .chars()
        .take(2_000)
        .collect::<String>()
        .to_ascii_lowercase();
    if lower.starts_with('<')
        && let Some(marked) = marked_up(&lower)
    {
        return Some(marked);
    }
    if (text.starts_with('{') || text.starts_with('[')) && matches!(extension, "json" | "") {
        return Some(types::JSON);
    }
    Some(match extension {
        "txt" | "text" | "asc" | "me" | "" => types::TXT,
        "md" | "markdown" | "mdown" => types::MARKDOWN,
        "csv" | "tsv" => types::CSV,
        "htm" | "html" | "xhtml" => types::HTML,
        "json" => types::JSON,
        "xml" => types::XML,
        "xmp" => types::XMP,
        _ => return None,
    })
}

/// What is written in angle brackets.
fn marked_up(lower: &str) -> Option<FileType> {
    let has = |mark: &str| find(lower.as_bytes(), mark.as_bytes()).is_some();
    Some(
        if has("<x:xmpmeta")
            || has("<rdf:rdf") && !has("<svg")
            || has("<x:xapmeta")
            || lower.starts_with("<?xpacket")
        {
            types::XMP
        } else if has("<!doctype plist") || has("<plist") {
            types::PLIST
        } else if has("<svg") {
            types::SVG
        } else if has("<!doctype html")
            || has("<html")
            || has("<head")
            || has("<body")
            || has("<script")
        {
            types::HTML
        } else if lower.starts_with("<?xml") || has("<!doctype") {
            types::XML
        } else {
            return None;
        },
    )
}

/// Whether bytes are text: no control characters but those of lines and pages.
fn is_text(head: &[u8]) -> bool {
    if matches!(head, [0xFF, 0xFE, _, _, ..] | [0xFE, 0xFF, _, _, ..]) {
        // UTF-16 with a mark: letters of the common scripts, not numbers of a table.
        let text = xml::decode(head);
        return !text.chars().any(is_strange) && text.chars().count() > 1;
    }
    !head
        .iter()
        .any(|byte| is_strange(char::from(*byte)) && *byte < 0x80)
}

fn is_strange(character: char) -> bool {
    (character < ' ' && !matches!(character, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}'))
        || character == '\u{7f}'
}
