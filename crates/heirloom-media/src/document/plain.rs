//! Plain text, whatever character set it is written in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

use super::lines;

/// How much of a text is looked at to guess its character set.
const GUESSED_FROM: usize = 1024 * 1024;

/// The text as it is, with one kind of line end and without control characters.
pub(super) fn read(bytes: &[u8]) -> String {
    lines::tidy(&decode(bytes, None))
}

/// Bytes as text: by their byte order mark; by what the text says of itself; UTF-8 if they are; else by
/// the letters that are likely.
pub(super) fn decode(bytes: &[u8], said: Option<&'static Encoding>) -> String {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        let body = bytes.get(mark_bytes..).unwrap_or_default();
        return encoding.decode_without_bom_handling(body).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    // What calls itself UTF-8 and is not, but for a character or two, is damaged and still UTF-8.
    let encoding = said
        .filter(|encoding| *encoding != UTF_8)
        .or_else(|| is_nearly_utf8(bytes).then_some(UTF_8))
        .unwrap_or_else(|| guess(bytes));
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let looked_at = bytes.get(..GUESSED_FROM).unwrap_or(bytes);
    detector.feed(looked_at, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Whether nearly all characters beyond ASCII are those of UTF-8: a file that was cut, or that a bit
/// turned over in.
fn is_nearly_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sound > broken.saturating_mul(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_whatever_character_set_it_is_written() {
        let utf16 = |big: bool| -> Vec<u8> {
            let units = "\u{feff}Grüße aus Łódź".encode_utf16();
            units
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        let cases: [(Vec<u8>, &str); 8] = [
            ("Grüße aus Łódź".into(), "Grüße aus Łódź"),
            ("\u{feff}Grüße".into(), "Grüße"),
            (utf16(true), "Grüße aus Łódź"),
            (utf16(false), "Grüße aus Łódź"),
            (
                b"Liebe Gro\xdfmutter, sch\xf6ne Gr\xfc\xdfe aus M\xfcnchen".to_vec(),
                "Liebe Großmutter, schöne Grüße aus München",
            ),
            (
                b"\x93Ch\xe8re maman,\x94 it cost 5 \x80 and d\xe9j\xe0 vu".to_vec(),
                "“Chère maman,” it cost 5 € and déjà vu",
            ),
            (
                "Дорогая бабушка, как ты поживаешь?"
                    .chars()
                    .map(|c| match u32::from(c) {
                        // Windows-1251.
                        code @ 0x410..=0x44f => (code - 0x410 + 0xc0) as u8,
                        code => code as u8,
                    })
                    .collect(),
                "Дорогая бабушка, как ты поживаешь?",
            ),
            (
                [
                    "Schöne Grüße aus Köln, fünf Äpfel für Jörg".as_bytes(),
                    b"\xff!",
                ]
                .concat(),
                "Schöne Grüße aus Köln, fünf Äpfel für Jörg\u{fffd}!",
            ),
        ];
        for (bytes, text) in cases {
            assert_eq!(decode(&bytes, None), text);
        }
    }
}
