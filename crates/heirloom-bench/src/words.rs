//! A language: words, and how often each is used.

use crate::chance::Chance;

/// How many different words captions are made of.
pub(crate) const WORDS: usize = 60_000;
pub(crate) const PLACES: usize = 3_000;
pub(crate) const PERSONS: usize = 400;

/// The most common words, so that figures can be read.
const COMMON: [&str; 40] = [
    "photo",
    "the",
    "family",
    "and",
    "with",
    "at",
    "summer",
    "day",
    "old",
    "home",
    "beach",
    "garden",
    "oma",
    "opa",
    "birthday",
    "christmas",
    "house",
    "party",
    "school",
    "winter",
    "holiday",
    "trip",
    "lake",
    "wedding",
    "mountain",
    "dinner",
    "children",
    "new",
    "evening",
    "snow",
    "boat",
    "church",
    "dog",
    "market",
    "letter",
    "kitchen",
    "station",
    "bridge",
    "tree",
    "morning",
];

/// The word of that rank, 0 being the most common.
pub(crate) fn word(rank: usize) -> String {
    COMMON
        .get(rank)
        .map_or_else(|| syllables(rank, 3), |word| (*word).to_owned())
}

/// The name of a place: one word or two.
pub(crate) fn place(number: usize) -> String {
    let name = capital(&syllables(number * 7 + 11, 2));
    match number % 4 {
        0 => format!("San {name}"),
        1 => format!("{name} {}", capital(&syllables(number % 50 + 900, 2))),
        _ => name,
    }
}

/// The name of a person: a first name that several have, and a family's name.
pub(crate) fn person(number: usize) -> String {
    let first = capital(&syllables(number % 60 + 5_000, 2));
    format!("{first} {}", capital(&syllables(number / 8 + 7_000, 2)))
}

pub(crate) fn text(chance: &mut Chance, words: u64) -> String {
    let words: Vec<String> = (0..words).map(|_| word(chance.rank(WORDS))).collect();
    words.join(" ")
}

fn syllables(number: usize, least: usize) -> String {
    const HEADS: &[u8] = b"bdfghjklmnprstvwz";
    const VOWELS: &[u8] = b"aeiou";
    let mut rest = number;
    let mut text = String::new();
    for at in 0.. {
        let pair = rest % (HEADS.len() * VOWELS.len());
        rest /= HEADS.len() * VOWELS.len();
        text.push(char::from(HEADS[pair / VOWELS.len()]));
        text.push(char::from(VOWELS[pair % VOWELS.len()]));
        if rest == 0 && at + 1 >= least {
            return text;
        }
    }
    text
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
