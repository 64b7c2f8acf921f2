//! What stands in the frames of a film, put together: the same words in frames that follow one another stand there once.
//!
//! Titles fade in, captions lie over what moves, and of a sign that passes each frame is read a little otherwise. So lines are
//! followed from frame to frame by their letters and not by their places, and of each the surest reading is kept. What was
//! read in one frame alone is kept where it is sure: what is no writing is read otherwise each time.

use super::{Block, Line, Page, Reading};
use crate::{Segment, text::count_edits};

/// Of two readings of a line so many letters are the same, as a share of the longer one.
const SAME_LINE: f32 = 0.7;
/// As sure as a line has to be that was read in one frame alone, and how many letters it has.
const SURE: (f32, usize) = (0.9, 4);
/// The most letters of a line that are compared.
const LETTERS: usize = 200;

/// A line that is followed.
struct Followed {
    /// Where it was read first: the frame, the block, and which line of that.
    first: (usize, usize, usize),
    /// The frame that it was read in last.
    last: usize,
    frames: usize,
    letters: Vec<char>,
    line: Line,
}

impl Reading {
    /// Of what was read in each of the frames of a film, with how long each is seen, in their order.
    #[must_use]
    pub fn of_frames(frames: Vec<(Segment, Page)>) -> Self {
        let mut all: Vec<Followed> = Vec::new();
        let mut pages: Vec<(Segment, Page)> = Vec::with_capacity(frames.len());
        for (number, (at, mut page)) in frames.into_iter().enumerate() {
            let blocks = std::mem::take(&mut page.blocks).into_iter().enumerate();
            for (block, lines) in blocks {
                for (place, line) in lines.lines.into_iter().enumerate() {
                    follow(&mut all, (number, block, place), line);
                }
            }
            pages.push((at, page));
        }
        all.retain(Followed::is_sure);
        all.sort_by_key(|it| it.first);
        let together = all.chunk_by(|a, b| a.first.0 == b.first.0);
        let pages = together.filter_map(|lines| {
            let (at, page) = pages.get(lines.first()?.first.0)?;
            let until = lines.iter().filter_map(|it| pages.get(it.last));
            let until = until.map(|(at, _)| at.end_ms()).max()?;
            let blocks = lines.chunk_by(|a, b| a.first.1 == b.first.1);
            let block = |lines: &[Followed]| Block {
                lines: lines.iter().map(|it| it.line.clone()).collect(),
            };
            Some(Page {
                at: Segment::new(at.start_ms(), until).ok(),
                blocks: blocks.map(block).collect(),
                ..page.clone()
            })
        });
        Self {
            pages: pages.collect(),
        }
    }
}

/// Takes a line for one that was read in the frame before, or follows it from here on.
fn follow(all: &mut Vec<Followed>, first: (usize, usize, usize), line: Line) {
    let letters: Vec<char> = line
        .text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(LETTERS)
        .collect();
    if letters.is_empty() {
        return;
    }
    let frame = first.0;
    // One frame between may have been read badly.
    let open = all.iter_mut().rev();
    let open = open.filter(|it| it.last < frame && it.last + 2 >= frame);
    let alike = open.map(|it| (likeness(&it.letters, &letters), it));
    let best = alike
        .filter(|(likeness, _)| *likeness >= SAME_LINE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let Some((_, known)) = best else {
        all.push(Followed {
            first,
            last: frame,
            frames: 1,
            letters,
            line,
        });
        return;
    };
    known.last = frame;
    known.frames += 1;
    if worth(&line, &letters) > worth(&known.line, &known.letters) {
        known.letters = letters;
        known.line = line;
    }
}

/// How much is known of a line by a reading of it.
#[expect(clippy::cast_precision_loss, reason = "at most 200 letters")]
fn worth(line: &Line, letters: &[char]) -> f32 {
    line.confidence.powi(4) * letters.len() as f32
}

impl Followed {
    fn is_sure(&self) -> bool {
        let (confidence, fewest) = SURE;
        self.frames > 1 || (self.line.confidence >= confidence && self.letters.len() >= fewest)
    }
}

/// How many of the letters of the longer one are in both, in the same order; of a line that is whole in another, as if all
/// were: it fades in, or comes into sight.
#[expect(clippy::cast_precision_loss, reason = "at most 200 letters")]
fn likeness(a: &[char], b: &[char]) -> f32 {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    if short.len() * 2 >= long.len() && long.windows(short.len()).any(|part| part == short) {
        return 1.0;
    }
    1.0 - count_edits(long, short) as f32 / long.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of a second, with lines and how sure each is.
    fn frame(second: u64, lines: &[(&str, f32)]) -> (Segment, Page) {
        let line = |(text, confidence): &(&str, f32)| Line {
            text: (*text).to_owned(),
            confidence: *confidence,
            ..Line::default()
        };
        let page = Page {
            blocks: vec![Block {
                lines: lines.iter().map(line).collect(),
            }],
            ..Page::default()
        };
        let at = Segment::new(second * 1000, (second + 1) * 1000).unwrap();
        (at, page)
    }

    fn told(frames: &[&[(&str, f32)]]) -> Vec<(String, String)> {
        let frames = frames.iter().enumerate();
        let frames = frames.map(|(second, lines)| frame(second as u64, lines));
        let reading = Reading::of_frames(frames.collect());
        let pages = reading.pages.iter();
        pages
            .map(|page| (page.at.unwrap().to_string(), page.to_text()))
            .collect()
    }

    fn page(at: &str, text: &str) -> (String, String) {
        (at.to_owned(), text.to_owned())
    }

    #[test]
    fn a_title_stands_there_once_from_when_to_when_as_it_was_read_best() {
        let read = told(&[
            &[],
            &[("Summer at the Iake", 0.7), ("1962", 0.9)],
            &[("Summer at the lake", 0.98), ("1962", 0.99)],
            &[("Sumner at the lake", 0.8)],
            &[("Anna and Karl", 0.97)],
            &[("Anna and Karl", 0.96)],
        ]);
        assert_eq!(
            read,
            [
                page("1000-4000", "Summer at the lake\n1962\n"),
                page("4000-6000", "Anna and Karl\n"),
            ]
        );
    }

    #[test]
    fn what_is_read_in_one_frame_alone_has_to_be_sure() {
        let read = told(&[
            &[("Railway station", 0.95), ("Il-", 0.99), ("wm wnw", 0.7)],
            &[("nwn mwmwm", 0.75)],
            &[("THE", 0.95)],
            &[("THE END", 0.95)],
        ]);
        assert_eq!(
            read,
            [
                page("0-1000", "Railway station\n"),
                // It comes into sight.
                page("2000-4000", "THE END\n")
            ]
        );
    }

    #[test]
    fn credits_that_scroll_are_read_once_and_one_frame_may_be_read_badly() {
        let read = told(&[
            &[("Camera: Emil", 0.9), ("Music: Clara", 0.9)],
            &[("Music: Clara", 0.95), ("Words: Anna", 0.9)],
            &[("Words: Anna", 0.95)],
            &[],
            &[("Words: Anna", 0.95)],
        ]);
        assert_eq!(
            read,
            [
                page("0-2000", "Camera: Emil\nMusic: Clara\n"),
                page("1000-5000", "Words: Anna\n"),
            ]
        );
    }
}
