//! Words out of characters that were set on a page one by one.
//!
//! A page says where each character stands, and not what a word, a line or a paragraph is. Characters are taken in
//! the order in which they were set, which nearly always is that of reading: where the next one stands tells
//! whether a space or a line end is between the two. Text is left as it was hyphenated.

use super::lines::tidy;

/// A character, or several that are set as one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    /// Where it begins on its base line, to the right and down; and where it ends.
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
    /// How large it is set.
    pub(super) size: f64,
    /// What it is.
    pub(super) text: String,
}

/// A gap wider than this part of the size is a space. Thin spaces of justified text have 0.2, and letters that
/// are kerned or spaced out a little less than 0.1.
const SPACE: f64 = 0.14;
/// A step back by more than this part of the size begins anew elsewhere.
const BACK: f64 = 1.0;
/// Off the base line by more than this part of the size is another line; high and low figures are nearer.
const OFF: f64 = 0.6;
/// A line further below than this many sizes begins a paragraph.
const PARAGRAPH: f64 = 1.9;

/// Text of a page under construction, bounded.
#[derive(Debug, Default)]
pub(super) struct Setting {
    text: String,
    limit: usize,
    last: Option<Set>,
    /// Whether a space was set that nothing follows yet.
    has_space: bool,
}

impl Setting {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= self.limit
    }

    /// Takes the next character.
    pub(super) fn push(&mut self, set: Set) {
        let is_sound = [set.from.0, set.from.1, set.to.0, set.to.1, set.size]
            .iter()
            .all(|number| number.is_finite());
        if self.is_full() || !is_sound {
            return;
        }
        if set.text.chars().all(char::is_whitespace) {
            self.has_space = true;
            return;
        }
        if let Some(last) = &self.last {
            match between(last, &set) {
                // Bold letters are made of thin ones by setting them twice.
                Between::Same => return,
                Between::Nothing if self.has_space => self.text.push(' '),
                Between::Nothing => {}
                Between::Space => self.text.push(' '),
                Between::Line => self.text.push('\n'),
                Between::Paragraph => self.text.push_str("\n\n"),
            }
        }
        self.has_space = false;
        for character in set.text.chars() {
            match ligature(character) {
                Some(letters) => self.text.push_str(letters),
                None => self.text.push(character),
            }
        }
        self.last = Some(set);
    }

    pub(super) fn finish(self) -> String {
        tidy(&self.text)
    }
}

enum Between {
    Same,
    Nothing,
    Space,
    Line,
    Paragraph,
}

fn between(last: &Set, next: &Set) -> Between {
    let size = last.size.max(next.size).max(f64::MIN_POSITIVE);
    let distance = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1);
    if last.text == next.text && distance(last.from, next.from) < 0.1 * size {
        return Between::Same;
    }
    let direction = direction(last)
        .or_else(|| direction(next))
        .unwrap_or((1.0, 0.0));
    let own = self::direction(next).unwrap_or(direction);
    let is_turned = direction.0 * own.0 + direction.1 * own.1 < 0.9;
    let step = (next.from.0 - last.to.0, next.from.1 - last.to.1);
    let along = step.0 * direction.0 + step.1 * direction.1;
    let off = step.1 * direction.0 - step.0 * direction.1;
    if is_turned || off.abs() > OFF * size || along < -BACK * size {
        // Down the page; what goes up is a new column or a box beside.
        let is_near = (0.0..PARAGRAPH * size).contains(&off);
        return if is_near || is_turned {
            Between::Line
        } else {
            Between::Paragraph
        };
    }
    if along > SPACE * size {
        Between::Space
    } else {
        Between::Nothing
    }
}

fn direction(set: &Set) -> Option<(f64, f64)> {
    let step = (set.to.0 - set.from.0, set.to.1 - set.from.1);
    let length = step.0.hypot(step.1);
    (length > 1e-6 * set.size).then(|| (step.0 / length, step.1 / length))
}

/// The letters of a ligature that has a character of its own.
const fn ligature(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{fb05}' | '\u{fb06}' => "st",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters of half their size, set from a place on.
    fn set(setting: &mut Setting, words: &str, from: (f64, f64), size: f64) {
        for (number, character) in (0..).zip(words.chars()) {
            let x = from.0 + f64::from(number) * size / 2.0;
            setting.push(Set {
                from: (x, from.1),
                to: (x + size / 2.0, from.1),
                size,
                text: character.to_string(),
            });
        }
    }

    #[test]
    fn words_and_lines_are_told_by_where_characters_stand() {
        /// Words, where they begin, and how large they are.
        type Run = (&'static str, (f64, f64), f64);
        let cases: [(&[Run], &str); 8] = [
            (&[("Dear Anna", (0.0, 0.0), 10.0)], "Dear Anna"),
            (
                &[("Dear", (0.0, 0.0), 10.0), ("Anna", (23.0, 0.0), 10.0)],
                "Dear Anna",
            ),
            (
                &[("Lo", (0.0, 0.0), 10.0), ("ndon", (10.9, 0.0), 10.0)],
                "London",
            ),
            (
                &[("one", (0.0, 0.0), 10.0), ("two", (0.0, 12.0), 10.0)],
                "one\ntwo",
            ),
            (
                &[("one", (0.0, 0.0), 10.0), ("two", (0.0, 30.0), 10.0)],
                "one\n\ntwo",
            ),
            (
                &[
                    ("x", (0.0, 0.0), 10.0),
                    ("2", (5.0, -4.0), 6.0),
                    ("y", (8.0, 0.0), 10.0),
                ],
                "x2y",
            ),
            (&[("bold", (0.0, 0.0), 10.0)], "bold"),
            (
                &[
                    ("below", (0.0, 500.0), 10.0),
                    ("beside", (300.0, 0.0), 10.0),
                ],
                "below\n\nbeside",
            ),
        ];
        for (runs, text) in cases {
            let mut setting = Setting::new(1000);
            for (words, from, size) in runs {
                set(&mut setting, words, *from, *size);
            }
            assert_eq!(setting.finish(), text);
        }
    }

    #[test]
    fn what_is_set_twice_or_nowhere_is_read_once_or_not() {
        let mut setting = Setting::new(1000);
        let glyph = |x: f64, text: &str| Set {
            from: (x, 0.0),
            to: (x + 5.0, 0.0),
            size: 10.0,
            text: text.to_owned(),
        };
        for set in [
            glyph(0.0, "B"),
            glyph(0.3, "B"),
            glyph(f64::NAN, "?"),
            glyph(5.0, "\u{fb01}"),
        ] {
            setting.push(set);
        }
        assert_eq!(setting.finish(), "Bfi");
    }

    #[test]
    fn lines_that_run_up_the_page_are_lines_too() {
        let mut setting = Setting::new(1000);
        for (column, words) in [(0.0, "one"), (12.0, "two")] {
            for (number, character) in (0..).zip(words.chars()) {
                let y = 100.0 - f64::from(number) * 5.0;
                setting.push(Set {
                    from: (column, y),
                    to: (column, y - 5.0),
                    size: 10.0,
                    text: character.to_string(),
                });
            }
        }
        assert_eq!(setting.finish(), "one\ntwo");
    }
}
