//! Making spellings that mean the same word the same.

use std::{collections::VecDeque, str::CharIndices};

use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_compatible, is_combining_mark,
};

/// The text as it is compared: compatibility decomposition (NFKD, Unicode annex 15), accents
/// stripped, lower case, letters that only look like letters with an accent opened (`ø` to `o`, `ß`
/// to `ss`, `æ` to `ae`), digits of all scripts as 0 to 9, and what belongs together in one
/// character (Hangul, voiced kana) put together again. Vowel signs, which make the word in Indic
/// scripts, stay. Folding what is folded changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    folded.extend(Folded::new(text).map(|it| it.char));
    folded
}

/// A character of the folded text, and the bytes of the original that it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoldedChar {
    pub(super) char: char,
    pub(super) from: usize,
    pub(super) until: usize,
}

/// The folded characters of a text, in order.
pub(super) struct Folded<'a> {
    source: CharIndices<'a>,
    /// What the last source character became, not yet composed.
    parts: VecDeque<FoldedChar>,
    /// The character that the next one may still be composed with.
    pending: Option<FoldedChar>,
}

impl<'a> Folded<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            source: text.char_indices(),
            parts: VecDeque::new(),
            pending: None,
        }
    }

    /// Folds one more source character into `parts`. False at the end of the text.
    fn read(&mut self) -> bool {
        let Some((from, source)) = self.source.next() else {
            return false;
        };
        let until = from + source.len_utf8();
        if source.is_ascii() {
            let char = source.to_ascii_lowercase();
            self.parts.push_back(FoldedChar { char, from, until });
            return true;
        }
        let before = self.parts.len();
        decompose_compatible(source, |part| {
            if is_stripped(part) {
                return;
            }
            for lower in part.to_lowercase() {
                let opened = open(lower);
                let mut push = |char| self.parts.push_back(FoldedChar { char, from, until });
                match opened {
                    Some(letters) => letters.chars().for_each(push),
                    None => push(as_ascii_digit(lower)),
                }
            }
        });
        if self.parts.len() == before {
            // What is stripped still belongs to the letter before it.
            if let Some(pending) = &mut self.pending {
                pending.until = until;
            }
        }
        true
    }
}

impl Iterator for Folded<'_> {
    type Item = FoldedChar;

    fn next(&mut self) -> Option<FoldedChar> {
        loop {
            let Some(next) = self.parts.pop_front() else {
                if self.read() {
                    continue;
                }
                return self.pending.take();
            };
            let Some(pending) = &mut self.pending else {
                if !is_kana_voicing(next.char) {
                    self.pending = Some(next);
                }
                continue;
            };
            // No two characters of ASCII are composed, and this is where the time goes.
            let composed = if next.char.is_ascii() {
                None
            } else {
                compose(pending.char, next.char)
            };
            match composed {
                Some(composed) => {
                    pending.char = composed;
                    pending.until = next.until;
                }
                None if is_kana_voicing(next.char) => pending.until = next.until,
                None => return self.pending.replace(next),
            }
        }
    }
}

/// The marks that make か into が and ハ into パ: other syllables, and not accents.
const fn is_kana_voicing(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309A}')
}

/// Whether a decomposed character is not part of the word: accents, points, tone marks, and what is
/// there for the typesetter only (soft hyphen, joiners, tatweel, fillers).
fn is_stripped(c: char) -> bool {
    if matches!(
        c,
        '\u{AD}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{640}' | '\u{115F}' | '\u{1160}'
    ) {
        return true;
    }
    if !is_combining_mark(c) || is_kana_voicing(c) {
        return false;
    }
    // Vowel signs are letters of class 0 or of a class that only their script has.
    let is_vowel_sign = c.is_alphabetic()
        && matches!(
            canonical_combining_class(c),
            0 | 84 | 91 | 103 | 118 | 129 | 130 | 132
        );
    !is_vowel_sign
}

/// Lower-case letters that Unicode does not decompose, but that people leave their strokes, hooks
/// and joins away from; and Arabic letters that keyboards disagree about.
const fn open(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' | 'ɵ' => "o",
        'đ' | 'ð' | 'ɖ' | 'ɗ' => "d",
        'ħ' => "h",
        'ł' | 'ƚ' | 'ⱡ' => "l",
        'ŋ' => "n",
        'ŧ' | 'ⱦ' => "t",
        'ı' | 'ɨ' => "i",
        'ȷ' | 'ɉ' => "j",
        'ĸ' | 'ƙ' => "k",
        'ƀ' | 'ɓ' => "b",
        'ȼ' => "c",
        'ɇ' => "e",
        'ƒ' => "f",
        'ǥ' => "g",
        'ɍ' => "r",
        'ʉ' => "u",
        'ɏ' | 'ƴ' => "y",
        'ƶ' => "z",
        'ⱥ' => "a",
        'ς' => "σ",
        '\u{649}' | '\u{6CC}' => "\u{64A}",
        '\u{6A9}' => "\u{643}",
        '\u{629}' | '\u{6BE}' | '\u{6C1}' => "\u{647}",
        _ => return None,
    })
}

/// The zeros of scripts whose digits are not decomposed to those of ASCII; nine more follow each.
const ZEROS: [u32; 34] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xAA50, 0xABF0,
];

fn as_ascii_digit(c: char) -> char {
    let code = u32::from(c);
    let script = ZEROS.partition_point(|zero| *zero <= code);
    match script.checked_sub(1).map(|before| code - ZEROS[before]) {
        Some(digit @ 0..=9) => char::from(b'0' + digit as u8),
        _ => c,
    }
}
