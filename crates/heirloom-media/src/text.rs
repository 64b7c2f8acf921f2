//! Words out of bytes whose character set is unknown or lied about.

use crate::bytes::{Endian, u16_at};

/// Windows-1252 where it differs from Latin-1: 0x80 to 0x9F.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
    '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Text up to the first NUL: UTF-8 if it is, else Windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    decode_all(bytes.get(..end).unwrap_or_default())
}

/// Text with whatever NULs it has: UTF-8 if it is, else Windows-1252.
pub(crate) fn decode_all(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // A text cut in the middle of its last character is still UTF-8.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default())
                .into_owned()
        }
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    }
}

fn windows_1252(byte: u8) -> char {
    match byte
        .checked_sub(0x80)
        .and_then(|high| WINDOWS_1252.get(usize::from(high)))
    {
        Some(character) => *character,
        None => char::from(byte),
    }
}

/// UTF-16 up to the first NUL; a byte order mark outranks `endian`.
pub(crate) fn decode_utf16(bytes: &[u8], endian: Endian) -> String {
    let (bytes, endian) = match bytes {
        [0xFE, 0xFF, rest @ ..] => (rest, Endian::Big),
        [0xFF, 0xFE, rest @ ..] => (rest, Endian::Little),
        _ => (bytes, endian),
    };
    let units = (0..bytes.len() / 2)
        .filter_map(|unit| u16_at(bytes, unit.saturating_mul(2), endian))
        .take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or('\u{FFFD}'))
        .collect()
}

/// A text as it may be claimed: no control characters but line ends, trimmed, at most `limit` bytes.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let mut cleaned = String::new();
    let mut previous = '\0';
    for character in text.trim().chars() {
        let is_pair = previous == '\r' && character == '\n';
        previous = character;
        let character = match character {
            '\r' => '\n',
            '\n' | '\t' => character,
            _ if character.is_control() || character == '\u{FEFF}' => continue,
            _ => character,
        };
        if is_pair {
            continue;
        }
        if cleaned.len().saturating_add(character.len_utf8()) > limit {
            break;
        }
        cleaned.push(character);
    }
    cleaned.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_when_it_can_be_and_windows_1252_otherwise() {
        let cases: [(&[u8], &str); 5] = [
            ("Grüße".as_bytes(), "Grüße"),
            (b"Gr\xfc\xdfe", "Grüße"),
            (b"it\x92s \x80 5", "it’s € 5"),
            (b"before\0after", "before"),
            (b"cut \xc3", "cut "),
        ];
        for (bytes, text) in cases {
            assert_eq!(decode(bytes), text);
        }
    }

    #[test]
    fn a_claimed_text_has_no_control_characters_and_one_kind_of_line_end() {
        let cases = [
            ("  a\u{7}b\r\nc\rd\n\ne \0 ", "ab\nc\nd\n\ne"),
            ("\u{FEFF}x", "x"),
            (" \n ", ""),
        ];
        for (text, cleaned) in cases {
            assert_eq!(clean(text, 100), cleaned, "{text:?}");
        }
        assert_eq!(clean("aüü", 4), "aü");
    }
}
