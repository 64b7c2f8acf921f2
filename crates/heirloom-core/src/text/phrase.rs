//! Words that are looked for.

use std::ops::Range;

use super::tokens::{Token, tokens};

/// One or more folded words that are looked for next to each other, the last one perhaps only
/// begun.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phrase {
    tokens: Vec<String>,
    is_prefix: bool,
}

impl Phrase {
    /// The words of `text`, or nothing if there are none. With `is_prefix` the last word stands for
    /// all that begin with it.
    #[must_use]
    pub fn new(text: &str, is_prefix: bool) -> Option<Self> {
        let tokens: Vec<String> = tokens(text).map(|token| token.text).collect();
        (!tokens.is_empty()).then_some(Self { tokens, is_prefix })
    }

    /// The words, at least one, as [`tokens`] gives them.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Whether the last word is only the beginning of one.
    #[must_use]
    pub const fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    /// Whether the words of `text` have this phrase in them.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let words: Vec<Token> = tokens(text).collect();
        (0..words.len()).any(|at| self.match_at(&words, at).is_some())
    }

    /// The bytes that the phrase covers if it begins with word `at`.
    pub(super) fn match_at(&self, words: &[Token], at: usize) -> Option<Range<usize>> {
        let words = words.get(at..at + self.tokens.len())?;
        let last = self.tokens.len() - 1;
        let is_match = words
            .iter()
            .zip(&self.tokens)
            .enumerate()
            .all(|(n, (word, token))| {
                if n == last && self.is_prefix {
                    word.text.starts_with(token.as_str())
                } else {
                    word.text == *token
                }
            });
        is_match.then(|| words[0].range.start..words[last].range.end)
    }
}
