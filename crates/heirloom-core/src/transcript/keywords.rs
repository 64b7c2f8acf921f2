//! What a recording is about, in a few words of its own.

use std::collections::{HashMap, HashSet};

use super::Transcript;
use crate::text::fold;

/// The most that are named.
const MOST: usize = 10;
/// A shorter word says little.
const LETTERS: usize = 3;

/// A word, or two that belong together, as it stands out.
#[derive(Debug, Default)]
struct Term {
    /// As it was said first.
    text: String,
    /// How often it is said.
    count: usize,
    /// Whether it is written as a name within a sentence; in German nouns are.
    is_name: bool,
    /// Where it is said first.
    first: usize,
}

impl Term {
    const fn weight(&self) -> usize {
        self.count + self.is_name as usize
    }
}

impl Transcript {
    /// The words that stand out in what is said, the most telling first: those that come again or are names, and are
    /// none of the `common` words of the language. Names of two words are one.
    #[must_use]
    pub fn keywords(&self, common: &[&str]) -> Vec<String> {
        let common: HashSet<String> = common.iter().map(|word| fold(word)).collect();
        let mut terms: HashMap<String, Term> = HashMap::new();
        let mut at = 0;
        let mut add = |text: String, is_name: bool| {
            at += 1;
            let term = terms.entry(fold(&text)).or_insert_with(|| Term {
                text,
                first: at,
                ..Term::default()
            });
            term.count += 1;
            term.is_name |= is_name;
        };
        for passage in &self.passages {
            let mut is_begun = false;
            // The word before, if it stands out and nothing parts both.
            let mut before: Option<(&str, bool)> = None;
            for written in passage.text.split_whitespace() {
                let word = written.trim_matches(|letter: char| !letter.is_alphanumeric());
                let is_capital = word.starts_with(char::is_uppercase);
                let stands_out = word.chars().count() >= LETTERS
                    && word.contains(char::is_alphabetic)
                    && !common.contains(&fold(word));
                if stands_out {
                    add(word.to_owned(), is_capital && is_begun);
                    if let Some((last, _)) =
                        before.filter(|(_, was_capital)| *was_capital || !is_capital)
                    {
                        add(format!("{last} {word}"), is_capital);
                    }
                }
                let is_parted = !written.ends_with(word);
                before = (stands_out && !is_parted).then_some((word, is_capital));
                is_begun = !written.ends_with(['.', '!', '?', '…']);
            }
        }
        let mut terms: Vec<Term> = terms.into_values().collect();
        terms.retain(|term| term.weight() > 1);
        terms.sort_by_key(|term| (std::cmp::Reverse(term.weight()), term.first));
        without_parts(terms)
            .into_iter()
            .take(MOST)
            .map(|term| term.text)
            .collect()
    }
}

/// Leaves out words that are only said in a name of two words, and pairs whose words are said more often apart.
fn without_parts(terms: Vec<Term>) -> Vec<Term> {
    let counts: HashMap<String, usize> = terms
        .iter()
        .map(|term| (fold(&term.text), term.count))
        .collect();
    let pairs: Vec<(String, usize)> = (terms.iter())
        .filter(|term| term.text.contains(' '))
        .map(|term| (fold(&term.text), term.count))
        .collect();
    let is_only_part = |term: &Term| {
        let word = fold(&term.text);
        let has = |pair: &str| pair.split(' ').any(|part| part == word);
        pairs
            .iter()
            .any(|(pair, count)| *count == term.count && *pair != word && has(pair))
    };
    let is_chance = |term: &Term| {
        let parts = fold(&term.text);
        let most = parts.split(' ').filter_map(|part| counts.get(part)).max();
        term.text.contains(' ') && term.count == 1 && most.is_some_and(|most| *most > 1)
    };
    terms
        .into_iter()
        .filter(|term| !is_only_part(term) && !is_chance(term))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Word;
    use super::*;

    const COMMON: [&str; 24] = [
        "and", "the", "was", "our", "we", "went", "to", "every", "my", "kept", "one", "very", "in",
        "until", "us", "of", "from", "wir", "und", "auf", "die", "war", "ein", "aus",
    ];

    fn keywords(text: &str) -> Vec<String> {
        let words = text.split(' ').zip(0_u64..).map(|(word, at)| Word {
            start_ms: at * 300,
            end_ms: at * 300 + 300,
            text: format!(" {word}"),
            probability: 0.9,
        });
        Transcript::of_words(None, words.collect()).keywords(&COMMON)
    }

    #[test]
    fn what_comes_again_and_names_stand_out() {
        let farm = "We went to the farm every summer. My uncle Harald Brandt kept cows. The farm was sold in \
            spring to Anna. Harald Brandt went to Bremen.";
        assert_eq!(keywords(farm), ["Harald Brandt", "farm", "Anna", "Bremen"]);
    }

    #[test]
    fn a_word_is_the_same_in_every_case_and_is_shown_as_it_was_said_first() {
        assert_eq!(keywords("Bread and bread, and BREAD!"), ["Bread"]);
    }

    #[test]
    fn what_is_common_or_said_once_is_not_named() {
        assert_eq!(
            keywords("And the cat was in the house."),
            Vec::<String>::new()
        );
        assert_eq!(
            Transcript::default().keywords(&COMMON),
            Vec::<String>::new()
        );
        assert_eq!(keywords("12 12 12 ab ab"), Vec::<String>::new());
    }
}
