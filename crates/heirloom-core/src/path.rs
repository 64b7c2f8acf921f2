//! Paths as text, without loss.
//!
//! A file system's names are bytes. Path text is the same bytes as UTF-8, with what is not UTF-8
//! written `\xHH` and a backslash written `\\`: it can be stored, shown and turned back into the very
//! name. Folders are separated by `/`.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

/// Writes a name or path as path text.
#[must_use]
pub fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for part in chunk.valid().split_inclusive('\\') {
            text.push_str(part);
            if part.ends_with('\\') {
                text.push('\\');
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The bytes that a path text stands for; `None` for a text that [`to_text`] does not write.
#[must_use]
pub fn to_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            bytes.push(b'\\');
            rest = after;
        } else {
            let digits = escape.strip_prefix('x')?.get(..2)?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
            rest = &escape[3..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

/// The path text of `name` in the folder at `folder`, which is empty for the root.
#[must_use]
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// What names have in common that people and many file systems take for one: `IMG_1` and `img_1`,
/// `Müller` composed and, as a Mac once wrote it, decomposed. Lower case, NFC.
#[must_use]
pub fn alike(name: &str) -> String {
    if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        name.nfc()
            .collect::<String>()
            .to_lowercase()
            .nfc()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_alike_that_differ_in_case_or_composition() {
        let cases = [
            ("IMG_1.JPG", "img_1.jpg", true),
            ("Müller", "Mu\u{308}ller", true),
            ("ÄRGER", "a\u{308}rger", true),
            ("Müller", "Muller", false),
            ("M\\xfcller", "Müller", false),
        ];
        for (one, other, expected) in cases {
            assert_eq!(alike(one) == alike(other), expected, "{one} {other}");
        }
    }

    #[test]
    fn names_that_are_not_utf8_are_written_readably() {
        let cases: [(&[u8], &str); 4] = [
            (b"Oma.jpg", "Oma.jpg"),
            ("Größe 日本.jpg".as_bytes(), "Größe 日本.jpg"),
            (b"M\xfcller.jpg", "M\\xfcller.jpg"),
            (b"a\\b", "a\\\\b"),
        ];
        for (bytes, text) in cases {
            assert_eq!(to_text(bytes), text);
            assert_eq!(to_bytes(text).as_deref(), Some(bytes));
        }
        for text in ["\\", "\\x", "\\x4", "\\xzz", "\\é", "\\x+1"] {
            assert_eq!(to_bytes(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(to_bytes(&to_text(&bytes)), Some(bytes));
        }
    }
}
