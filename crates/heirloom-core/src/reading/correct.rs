//! What people say is written on a page, where a machine read it wrong or did not see it.
//!
//! Their claims are anchored to a strip of the page, so they hold for whatever a better model reads there.

use super::{Block, Corners, Line, Page, Reading, Word, place_words};
use crate::{
    Strip, Subject,
    claim::{Anchored, Claim, ClaimKind, anchored},
};

impl Reading {
    /// As people corrected it. Of two corrections that overlap the later one holds where they do.
    #[must_use]
    pub fn corrected(mut self, claims: &[Claim]) -> Self {
        for page in &mut self.pages {
            page.mark_lines();
        }
        for written in anchored(ClaimKind::Written, claims, Subject::as_strip) {
            self.correct(&written);
        }
        self
    }

    fn correct(&mut self, written: &Anchored<'_, Strip>) {
        let (strip, claim) = (written.place, written.claim);
        let text = claim.words().filter(|_| !claim.is_negation);
        let text = text.filter(|text| !text.is_empty());
        let number = strip.page();
        let found = self
            .pages
            .iter()
            .position(|it| it.page.unwrap_or(1) == number);
        let at = match found {
            Some(at) => at,
            None if text.is_none() => return,
            None => self.add_page(number),
        };
        let page = &mut self.pages[at];
        let (place, taken) = page.take(strip);
        if let Some(text) = text {
            let corners = strip.corners();
            let known: Vec<Word> = taken.iter().flat_map(|line| line.words.clone()).collect();
            let words: Vec<&str> = text.split_whitespace().collect();
            let is_placed = !strip.is_margin();
            let line = Line {
                words: match is_placed {
                    true => place_words(&known, &words, corners, claim.confidence),
                    false => Vec::new(),
                },
                corners: is_placed.then_some(corners),
                margin: (!is_placed).then_some(strip),
                confidence: claim.confidence,
                correction_id: Some(claim.id),
                instead_of: read_before(&taken),
                text,
            };
            let place = place.unwrap_or_else(|| match is_placed {
                true => page.place_of(&corners),
                false => page.place_down(corners.0[0][1]),
            });
            page.put(place, line);
        }
        page.blocks.retain(|block| !block.lines.is_empty());
    }

    /// A page of which nothing was read; where it is among the others.
    fn add_page(&mut self, number: u32) -> usize {
        let is_numbered = number > 1 || self.pages.iter().any(|page| page.page.is_some());
        let page = Page {
            page: is_numbered.then_some(number),
            ..Page::default()
        };
        let at = self
            .pages
            .partition_point(|other| other.page.unwrap_or(1) < number);
        self.pages.insert(at, page);
        at
    }
}

/// What a machine read in lines that a correction takes the place of.
fn read_before(taken: &[Line]) -> Option<String> {
    let texts = taken.iter().filter_map(|line| match line.correction_id {
        Some(_) => line.instead_of.as_deref(),
        None => Some(line.text.as_str()),
    });
    let texts: Vec<&str> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// Where a line is on a page: in which block, before which line of it. A block that is not there begins with it.
type Place = (usize, usize);

impl Page {
    /// Gives what a correction is said of to lines that have no place.
    fn mark_lines(&mut self) {
        let (number, count) = (self.page.unwrap_or(1), self.lines().count());
        let lines = self.blocks.iter_mut().flat_map(|block| &mut block.lines);
        for (at, line) in lines.enumerate().filter(|(_, line)| line.corners.is_none()) {
            line.margin = Strip::margin(number, at, count);
        }
    }

    /// Where a line belongs that is so far down in the order of all.
    fn place_down(&self, share: f32) -> Place {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a page has few lines"
        )]
        let mut at = (self.lines().count() as f32 * share).round() as usize;
        for (number, block) in self.blocks.iter().enumerate() {
            if at <= block.lines.len() {
                return (number, at);
            }
            at -= block.lines.len();
        }
        (self.blocks.len(), 0)
    }

    /// Takes out what stands in a strip, and says where the first of it stood.
    fn take(&mut self, strip: Strip) -> (Option<Place>, Vec<Line>) {
        let (mut place, mut taken) = (None, Vec::new());
        for (number, block) in self.blocks.iter_mut().enumerate() {
            let mut kept = Vec::with_capacity(block.lines.len());
            for line in std::mem::take(&mut block.lines) {
                let [before, within, after] = line.split(strip);
                kept.extend(before);
                if within.is_some() {
                    place = place.or(Some((number, kept.len())));
                }
                taken.extend(within);
                kept.extend(after);
            }
            block.lines = kept;
        }
        (place, taken)
    }

    fn put(&mut self, (block, at): Place, line: Line) {
        match self.blocks.get_mut(block) {
            Some(block) => block.lines.insert(at, line),
            None => self.blocks.push(Block { lines: vec![line] }),
        }
    }

    /// Where a line belongs that nobody read: below the nearest that stands above it, or above the nearest below it.
    fn place_of(&self, corners: &Corners) -> Place {
        let new = self.upright(corners);
        let mut nearest: Option<(bool, f32, Place)> = None;
        for (number, block) in self.blocks.iter().enumerate() {
            for (at, line) in block.lines.iter().enumerate() {
                let Some(other) = line.corners.map(|corners| self.upright(&corners)) else {
                    continue;
                };
                if new.left.max(other.left) >= new.right.min(other.right) {
                    continue;
                }
                let is_below = other.at > new.at;
                let found = (is_below, (other.at - new.at).abs(), (number, at));
                if nearest.is_none_or(|it| (found.0, found.1) < (it.0, it.1)) {
                    nearest = Some(found);
                }
            }
        }
        match nearest {
            Some((false, _, (block, at))) => (block, at + 1),
            Some((true, _, place)) => place,
            None => (self.blocks.len(), 0),
        }
    }

    /// Where something is once the page is turned so that it can be read.
    fn upright(&self, corners: &Corners) -> Upright {
        let turned = corners.0.map(|[x, y]| match self.turn {
            90 => [-y, x],
            180 => [-x, -y],
            270 => [y, -x],
            _ => [x, y],
        });
        let corners = Corners(turned);
        let [left, _, width, _] = corners.rectangle();
        let [_, at] = corners.middle();
        Upright {
            left,
            right: left + width,
            at,
        }
    }
}

struct Upright {
    left: f32,
    right: f32,
    /// The middle of its height.
    at: f32,
}

impl Line {
    /// What of it stands before a strip, in it and after it.
    fn split(self, strip: Strip) -> [Option<Self>; 3] {
        if self.corners.is_none() {
            return match self.margin == Some(strip) {
                true => [None, Some(self), None],
                false => [Some(self), None, None],
            };
        }
        let is_within = |word: &Word| strip.holds(&word.corners);
        let count = self.words.iter().filter(|word| is_within(word)).count();
        if self.words.is_empty() || count == 0 || count == self.words.len() {
            let corners = self.corners.as_ref();
            let is_taken = match self.words.is_empty() {
                true => corners.is_some_and(|corners| strip.holds(corners)),
                false => count > 0,
            };
            return match is_taken {
                true => [None, Some(self), None],
                false => [Some(self), None, None],
            };
        }
        let mut parts: [Vec<Word>; 3] = Default::default();
        for word in self.words {
            let part = match () {
                () if is_within(&word) => 1,
                () if parts[1].is_empty() => 0,
                () => 2,
            };
            parts[part].push(word);
        }
        parts.map(|words| {
            let (Corners(first), Corners(last)) = (words.first()?.corners, words.last()?.corners);
            let corners = Corners([first[0], last[1], last[2], first[3]]);
            let line = Self::of_words(words, corners)?;
            Some(Self {
                correction_id: self.correction_id,
                ..line
            })
        })
    }
}

#[cfg(test)]
mod tests;
