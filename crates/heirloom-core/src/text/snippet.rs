//! The part of a text that shows why it was found.

use std::ops::Range;

use serde::Serialize;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::{
    phrase::Phrase,
    tokens::{Token, tokens},
};

/// A piece of a text with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// The piece on one line, with `…` where text was left out.
    pub text: String,
    /// The bytes of `text` to highlight: in order, apart, and never through a character.
    pub highlights: Vec<Range<usize>>,
}

/// The window of at most `max_chars` characters in which most of the `phrases` are found, and of
/// several such the one with most finds, and of those the first. Without any find it is the
/// beginning. Line breaks and other controls become single spaces; windows begin and end between
/// words where there are spaces, and never within what people see as one character.
#[must_use]
pub fn snippet(text: &str, phrases: &[Phrase], max_chars: usize) -> Snippet {
    let line = on_one_line(text);
    let finds = find_all(&line, phrases);
    let window = if is_at_most(&line, max_chars) {
        0..line.len()
    } else {
        // Two characters are for the dots.
        choose_window(&line, &finds, max_chars.saturating_sub(2))
    };
    cut(&line, window, &finds, max_chars)
}

/// A phrase in the line.
struct Find {
    phrase: usize,
    range: Range<usize>,
    /// The same in characters.
    chars: Range<usize>,
}

fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    for part in text.split(is_gap).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(part);
    }
    line
}

fn is_at_most(text: &str, max_chars: usize) -> bool {
    text.len() <= max_chars || text.chars().nth(max_chars).is_none()
}

fn find_all(line: &str, phrases: &[Phrase]) -> Vec<Find> {
    let words: Vec<Token> = tokens(line).collect();
    let mut finds = Vec::new();
    let (mut counted_bytes, mut counted_chars) = (0, 0);
    for at in 0..words.len() {
        for (phrase, it) in phrases.iter().enumerate() {
            let Some(range) = it.match_at(&words, at) else {
                continue;
            };
            let range = widen_to_graphemes(line, range);
            // A widened find may begin before where the last one did, but never by more than one
            // grapheme; then it is counted from the beginning of that.
            if range.start < counted_bytes {
                counted_chars -= line[range.start..counted_bytes].chars().count();
            } else {
                counted_chars += line[counted_bytes..range.start].chars().count();
            }
            counted_bytes = range.start;
            let length = line[range.clone()].chars().count();
            finds.push(Find {
                phrase,
                range,
                chars: counted_chars..counted_chars + length,
            });
        }
    }
    finds
}

fn widen_to_graphemes(line: &str, range: Range<usize>) -> Range<usize> {
    let is_boundary = |at| {
        GraphemeCursor::new(at, line.len(), true)
            .is_boundary(line, 0)
            .unwrap_or(true)
    };
    let boundary = |at, next: bool| {
        let mut cursor = GraphemeCursor::new(at, line.len(), true);
        let found = if next {
            cursor.next_boundary(line, 0)
        } else {
            cursor.prev_boundary(line, 0)
        };
        found.ok().flatten().unwrap_or(at)
    };
    let Range { start, end } = range;
    let start = if is_boundary(start) {
        start
    } else {
        boundary(start, false)
    };
    start..if is_boundary(end) {
        end
    } else {
        boundary(end, true)
    }
}

/// Where to look: the finds to show, with what stands around them.
fn choose_window(line: &str, finds: &[Find], budget: usize) -> Range<usize> {
    let Some(core) = choose_finds(finds, budget) else {
        return 0..step_forward(line, 0, budget);
    };
    // A find may lie within another, so that the last one need not be the one that ends last.
    let start = finds[core.clone()]
        .iter()
        .map(|find| find.range.start)
        .min()
        .unwrap_or(0);
    let end = finds[core]
        .iter()
        .map(|find| find.range.end)
        .max()
        .unwrap_or(0);
    let core_chars = line[start..end].chars().count();
    if core_chars > budget {
        return start..step_forward(line, start, budget);
    }
    let spare = budget - core_chars;
    // A third before, because people read on; more of it where the text ends soon after.
    let lead = step_back(line, start, spare / 3);
    let until = step_forward(line, end, spare - line[lead..start].chars().count());
    let unused = spare.saturating_sub(line[end..until].chars().count());
    if until == line.len() {
        step_back(line, start, unused)..until
    } else {
        lead..until
    }
}

/// The finds that fit together into `budget` characters and have most different phrases.
fn choose_finds(finds: &[Find], budget: usize) -> Option<std::ops::RangeInclusive<usize>> {
    let phrases = finds.iter().map(|find| find.phrase + 1).max()?;
    let mut counts = vec![0_usize; phrases];
    let (mut different, mut left) = (0, 0);
    let mut best = (0, 0, 0..=0);
    for (right, find) in finds.iter().enumerate() {
        different += usize::from(counts[find.phrase] == 0);
        counts[find.phrase] += 1;
        while left < right && find.chars.end.saturating_sub(finds[left].chars.start) > budget {
            let gone = &mut counts[finds[left].phrase];
            *gone -= 1;
            different -= usize::from(*gone == 0);
            left += 1;
        }
        let total = right - left + 1;
        if (different, total) > (best.0, best.1) {
            best = (different, total, left..=right);
        }
    }
    Some(best.2)
}

/// From `at` back over at most `chars` characters, to the beginning of a word if there is one.
fn step_back(line: &str, at: usize, chars: usize) -> usize {
    let (mut reached, mut word, mut left) = (at, None, chars);
    for grapheme in line[..at].graphemes(true).rev() {
        if grapheme == " " {
            word = Some(reached);
        }
        let Some(rest) = left.checked_sub(grapheme.chars().count()) else {
            return word.unwrap_or(reached);
        };
        left = rest;
        reached -= grapheme.len();
    }
    reached
}

/// From `at` on over at most `chars` characters, to the end of a word if there is one.
fn step_forward(line: &str, at: usize, chars: usize) -> usize {
    let (mut reached, mut word, mut left) = (at, None, chars);
    for grapheme in line[at..].graphemes(true) {
        if grapheme == " " {
            word = Some(reached);
        }
        let Some(rest) = left.checked_sub(grapheme.chars().count()) else {
            return word.unwrap_or(reached);
        };
        left = rest;
        reached += grapheme.len();
    }
    reached
}

fn cut(line: &str, window: Range<usize>, finds: &[Find], max_chars: usize) -> Snippet {
    const DOTS: &str = "…";
    let Range { start, end } = trim_graphemes(line, window);
    let piece = &line[start..end];
    if piece.is_empty() {
        let text = if line.is_empty() || max_chars == 0 {
            ""
        } else {
            DOTS
        };
        return Snippet {
            text: text.to_owned(),
            highlights: Vec::new(),
        };
    }
    let before = if start > 0 { DOTS } else { "" };
    let after = if end < line.len() { DOTS } else { "" };
    let mut highlights: Vec<Range<usize>> = Vec::new();
    for find in finds
        .iter()
        .filter(|find| start <= find.range.start && find.range.end <= end)
    {
        let shift = |at: usize| at - start + before.len();
        let range = shift(find.range.start)..shift(find.range.end);
        match highlights.last_mut() {
            Some(last) if range.start < last.end => {
                last.start = last.start.min(range.start);
                last.end = last.end.max(range.end);
            }
            _ => highlights.push(range),
        }
    }
    Snippet {
        text: format!("{before}{piece}{after}"),
        highlights,
    }
}

/// Without the spaces at both ends, but with those that carry an accent.
fn trim_graphemes(line: &str, window: Range<usize>) -> Range<usize> {
    let spaces = |graphemes: &mut dyn Iterator<Item = &str>| {
        graphemes.take_while(|grapheme| *grapheme == " ").count()
    };
    let piece = &line[window.clone()];
    let start = window.start + spaces(&mut piece.graphemes(true));
    let end = window.end - spaces(&mut piece.graphemes(true).rev());
    start.min(end)..end
}
