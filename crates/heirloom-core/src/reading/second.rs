//! What a second reader says of a page: where it reads otherwise, a word is less sure, and it is noted what it reads.

use std::ops::Range;

use super::{Line, Page, Word};

/// So sure is a word at most that somebody else reads otherwise: not sure.
const DOUBTED: f32 = 0.5;
/// A page with fewer words says nothing of who reads it.
const WORDS: usize = 10;
/// Who reads one word in so many otherwise cannot read this hand.
const TOO_MANY: usize = 4;

impl Page {
    /// Whether so much stands on it that it can be told whether somebody else can read it.
    #[must_use]
    pub fn can_be_compared(&self) -> bool {
        self.lines().map(|line| line.words.len()).sum::<usize>() >= WORDS
    }

    /// Compares its lines with what a second reader says stands in each of them, `None` of those that it was not shown. Whether it
    /// was believed: not where it reads so much otherwise that it cannot read this hand.
    pub fn compare(&mut self, others: &[Option<String>]) -> bool {
        let read = self.lines().zip(others);
        let doubts: Vec<Vec<Option<String>>> = read
            .map(|(line, other)| match other {
                Some(other) => line.doubts(other),
                None => vec![None; line.words.len()],
            })
            .collect();
        let count = doubts.iter().map(Vec::len).sum::<usize>();
        let otherwise = doubts.iter().flatten().flatten().count();
        if count < WORDS || otherwise * TOO_MANY > count {
            return false;
        }
        let lines = self.blocks.iter_mut().flat_map(|block| &mut block.lines);
        for (line, doubts) in lines.zip(doubts) {
            for (word, doubt) in line.words.iter_mut().zip(doubts) {
                if doubt.is_some() {
                    word.probability = word.probability.min(DOUBTED);
                    word.otherwise = doubt;
                }
            }
            if !line.words.is_empty() {
                line.confidence = Word::mean(&line.words);
            }
        }
        true
    }
}

impl Line {
    /// For each of its words what another reads in its place, where that is not the same.
    fn doubts(&self, other: &str) -> Vec<Option<String>> {
        let mut ours = Vec::new();
        let mut ends = Vec::with_capacity(self.words.len());
        for word in &self.words {
            ours.extend(letters(&word.text).into_iter().map(|(letter, _)| letter));
            ends.push(ours.len());
        }
        let read = letters(other);
        let theirs: Vec<char> = read.iter().map(|(letter, _)| *letter).collect();
        let path = path(&ours, &theirs);
        let mut from = 0;
        ends.into_iter()
            .map(|end| {
                let (a, b) = (from..end, path[from]..path[end]);
                from = end;
                (ours[a] != theirs[b.clone()]).then(|| {
                    let bytes = read[b].iter().map(|(_, at)| at.clone());
                    let around = bytes.reduce(|first, last| first.start..last.end);
                    around.map_or_else(String::new, |bytes| other[bytes].trim().to_owned())
                })
            })
            .collect()
    }
}

/// The letters of a text without spaces, each as it is typed, with where it is: marks and old letters have many forms.
fn letters(text: &str) -> Vec<(char, Range<usize>)> {
    let mut letters = Vec::new();
    for (at, letter) in text
        .char_indices()
        .filter(|(_, letter)| !letter.is_whitespace())
    {
        let place = at..at + letter.len_utf8();
        let typed: &[char] = match letter {
            '“' | '”' | '„' | '«' | '»' => &['"'],
            '‘' | '’' | '‚' | '`' | '´' => &['\''],
            '–' | '—' | '‐' | '⸗' => &['-'],
            'ſ' => &['s'],
            'ﬁ' => &['f', 'i'],
            'ﬂ' => &['f', 'l'],
            'ﬀ' => &['f', 'f'],
            'ﬃ' => &['f', 'f', 'i'],
            '…' => &['.', '.', '.'],
            _ => &[],
        };
        match typed {
            [] => letters.push((letter, place)),
            typed => letters.extend(typed.iter().map(|letter| (*letter, place.clone()))),
        }
    }
    letters
}

/// Where in the one text each place of the other is, with as few letters changed as may be: from the first to after the last.
fn path(ours: &[char], theirs: &[char]) -> Vec<usize> {
    let row = theirs.len() + 1;
    let mut changes = vec![0_u32; (ours.len() + 1) * row];
    let at = |i: usize, j: usize| i * row + j;
    for i in 0..=ours.len() {
        for j in 0..row {
            let least = match (i, j) {
                (0, 0) => 0,
                (0, _) => changes[at(0, j - 1)] + 1,
                (_, 0) => changes[at(i - 1, 0)] + 1,
                _ => {
                    let same = changes[at(i - 1, j - 1)] + u32::from(ours[i - 1] != theirs[j - 1]);
                    same.min(changes[at(i - 1, j)] + 1)
                        .min(changes[at(i, j - 1)] + 1)
                }
            };
            changes[at(i, j)] = least;
        }
    }
    let mut path = vec![0; ours.len() + 1];
    let (mut i, mut j) = (ours.len(), theirs.len());
    path[i] = j;
    while i > 0 {
        let here = changes[at(i, j)];
        let is_changed = |i: usize, j: usize| u32::from(ours[i - 1] != theirs[j - 1]);
        if j > 0 && changes[at(i - 1, j - 1)] + is_changed(i, j) == here {
            (i, j) = (i - 1, j - 1);
            path[i] = j;
        } else if changes[at(i - 1, j)] + 1 == here {
            i -= 1;
            path[i] = j;
        } else {
            j -= 1;
            path[i] = j;
        }
    }
    path[0] = 0;
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Block, Corners};

    fn page(lines: &[&str]) -> Page {
        let line = |text: &&str| {
            let words = text.split(' ').map(|text| Word {
                text: text.to_owned(),
                probability: 0.95,
                ..Word::default()
            });
            Line::of_words(words.collect(), Corners::default()).unwrap()
        };
        Page {
            blocks: vec![Block {
                lines: lines.iter().map(line).collect(),
            }],
            ..Page::default()
        }
    }

    fn compare(page: &mut Page, others: &[&str]) -> bool {
        let others: Vec<_> = others.iter().map(|text| Some((*text).to_owned())).collect();
        page.compare(&others)
    }

    fn doubted(page: &Page) -> Vec<(&str, &str)> {
        let words = page.lines().flat_map(|line| &line.words);
        let doubted =
            words.filter_map(|word| Some((word.text.as_str(), word.otherwise.as_deref()?)));
        doubted.collect()
    }

    const LETTER: [&str; 3] = [
        "Stade, 30 May 1944",
        "I walked down to the barbour to see",
        "the ships, and it was cold.",
    ];

    #[test]
    fn a_word_that_somebody_else_reads_otherwise_is_not_sure() {
        let mut page = page(&LETTER);
        let others = [
            "Stade, 80 May 1944",
            "I walked down tothe harbour to see",
            "the ships, and it was cold.",
        ];
        assert!(compare(&mut page, &others));
        assert_eq!(doubted(&page), [("30", "80"), ("barbour", "harbour")]);
        let lines: Vec<f32> = page.lines().map(|line| line.confidence).collect();
        assert!(lines[0] < 0.95 && lines[1] < 0.95, "{lines:?}");
        assert_eq!(lines[2], 0.95);
        let words = page.lines().flat_map(|line| &line.words);
        for word in words.filter(|word| word.otherwise.is_some()) {
            assert_eq!(word.probability, DOUBTED);
        }
    }

    #[test]
    fn marks_and_old_letters_of_another_form_are_the_same() {
        let mut page = page(&["“Der Hafen” – ſo ſagte er mir im Hauſe am Waſſer"]);
        assert!(compare(
            &mut page,
            &["\"Der Hafen\" - so sagte er mir im Hause am Wasser"]
        ));
        assert_eq!(doubted(&page), []);
    }

    #[test]
    fn who_cannot_read_a_hand_is_not_believed() {
        let mut page = page(&LETTER);
        let before = page.clone();
        assert!(!compare(
            &mut page,
            &["Slade 3O", "", "tbe sbips aud il vvas"]
        ));
        assert_eq!(page, before);
        // Nor of a sign with two words.
        let mut sign = super::tests::page(&["Gasthaus Post"]);
        assert!(!compare(&mut sign, &["Gasthaus Rost"]));
        assert_eq!(doubted(&sign), []);
    }

    #[test]
    fn a_word_that_is_not_there_for_another_is_doubted_with_nothing_instead() {
        let mut page = page(&LETTER);
        assert!(compare(
            &mut page,
            &[LETTER[0], "I walked down to the barbour see", LETTER[2]]
        ));
        assert_eq!(doubted(&page), [("to", "")]);
        // Lines that it was not shown stay as they are.
        let mut page = super::tests::page(&LETTER);
        assert!(page.compare(&[None, Some(LETTER[1].to_owned()), None]));
        assert_eq!(doubted(&page), []);
    }
}
