//! Cutting a text into words.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::fold::{Folded, FoldedChar};

/// The characters of a token that count; of a longer word the first ones stand for all.
pub const MAX_TOKEN_CHARS: usize = 64;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The folded word: letters and digits only, at least one, at most [`MAX_TOKEN_CHARS`].
    pub text: String,
    /// Its bytes in the original text, accents included.
    pub range: Range<usize>,
}

/// The words of a text, in order.
///
/// A word is a run of letters and digits: `IMG_2041` is two words, `2b` is one. An apostrophe ends a
/// word, because `Anna's` must be found by `anna` and `l'été` by `été`; `don't` is then `don` and
/// `t`, which a query that spells it so finds as well. In scripts that put no space between words
/// (Chinese, Japanese, Thai, Lao, Khmer, Burmese) each character is a word, and a query of several
/// finds them in a row. Signs and emoji are no words.
#[must_use]
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens {
        folded: Folded::new(text),
        held: None,
    }
}

/// Iterator over the words of a text; see [`tokens`].
pub struct Tokens<'a> {
    folded: Folded<'a>,
    /// The character that began the next word while this one was read.
    held: Option<FoldedChar>,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let first = self
            .held
            .take()
            .or_else(|| self.folded.find(|it| it.char.is_alphanumeric()))?;
        let mut text = String::from(first.char);
        let mut chars = 1;
        let mut range = first.from..first.until;
        for next in self.folded.by_ref() {
            if !next.char.is_alphanumeric() {
                break;
            }
            // A vowel sign belongs to what it stands on, whatever that is.
            let is_word_of_its_own = stands_alone(first.char) || stands_alone(next.char);
            if is_word_of_its_own && !is_combining_mark(next.char) {
                self.held = Some(next);
                break;
            }
            if chars < MAX_TOKEN_CHARS {
                text.push(next.char);
                chars += 1;
            }
            range.end = next.until;
        }
        Some(Token { text, range })
    }
}

/// Whether a letter belongs to a script that puts no space between words.
const fn stands_alone(c: char) -> bool {
    matches!(c,
        // Han
        '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303B}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}'
        // Hiragana, Katakana
        | '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{1AFF0}'..='\u{1B16F}'
        // Thai, Lao
        | '\u{E01}'..='\u{EFF}'
        // Burmese, Khmer
        | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
}
