//! Who reads a page.

use super::{
    ReadingError,
    classifier::Classifier,
    detector::Detector,
    outline,
    recogniser::{Letter, Recogniser},
};
use crate::{flat::Flat, quad::Quad, runtime::Runtime, sheet::Sheet};

/// Reads pages and other pictures with writing on them.
#[derive(Debug)]
pub struct Reader {
    detector: Detector,
    classifier: Classifier,
    recogniser: Recogniser,
}

/// What was seen on a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// By how many degrees the page has to be turned with the clock so that it can be read: 0, 90, 180 or 270.
    pub turn: u16,
    /// By how many degrees its lines then fall to the right; less than 45 either way.
    pub lean: f32,
    /// Its lines, in no order.
    pub lines: Vec<SeenLine>,
    /// The page alone, where a camera saw it with what is around it: all places are in pixels of that.
    pub flat: Option<Flat>,
}

/// A line of writing.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenLine {
    /// Where it is, in pixels of the page.
    pub quad: Quad,
    /// Its words, in their order.
    pub words: Vec<SeenWord>,
}

/// A word, with the marks around it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenWord {
    /// Where it is, in pixels of the page.
    pub quad: Quad,
    /// Its letters.
    pub text: String,
    /// How likely it is, from 0 to 1: the mean of its letters.
    pub probability: f32,
}

/// A region that is so much longer than high is a line, and says how its page lies.
const LINE: f32 = 1.5;
/// So many lines, the longest, are asked which way up the page lies.
const ASKED: usize = 16;
/// Their answers are taken where so many agree; else lines are read both ways.
const AGREED: f32 = 0.8;
/// So many.
const READ_BOTH_WAYS: usize = 4;
/// A line that is less likely is read the other way up, too.
const DOUBTFUL: f32 = 0.75;
/// Less likely letters are none: shadows, leaves, ornaments.
const LIKELY: f32 = 0.6;
/// So few letters have to be surer.
const FEW: usize = 3;
const FEW_LIKELY: f32 = 0.85;
/// What has so many lines, or so many letters that are so likely, is a page. Where there is less, as in a photograph, it has
/// to be surer still.
const PAGE_LINES: usize = 5;
const PAGE_LETTERS: usize = 20;
const PAGE_LIKELY: f32 = 0.9;
const ALONE_LIKELY: f32 = 0.8;
const FEW_ALONE_LIKELY: f32 = 0.97;

impl Reader {
    /// From the files of a model: what finds lines, what tells which way up they stand, and what reads them.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(
        runtime: &Runtime,
        detector: &[u8],
        classifier: &[u8],
        recogniser: &[u8],
    ) -> Result<Self, ReadingError> {
        Ok(Self {
            detector: Detector::load(runtime, detector)?,
            classifier: Classifier::load(runtime, classifier)?,
            recogniser: Recogniser::load(runtime, recogniser)?,
        })
    }

    /// Reads a page.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn read(&mut self, sheet: &Sheet) -> Result<Seen, ReadingError> {
        let regions = self.detector.find(sheet)?;
        if let Some(flat) = find_page(sheet, &regions) {
            let regions = self.detector.find(&flat.sheet)?;
            let (seen, is_page) = self.read_regions(&flat.sheet, &regions)?;
            // What has four sides and no writing was no page: a window, a painting.
            if is_page {
                return Ok(Seen {
                    flat: Some(flat),
                    ..seen
                });
            }
        }
        Ok(self.read_regions(sheet, &regions)?.0)
    }

    /// What stands in regions, and whether that is a page.
    fn read_regions(
        &mut self,
        sheet: &Sheet,
        regions: &[Quad],
    ) -> Result<(Seen, bool), ReadingError> {
        let quarters = self.turn(sheet, regions)?;
        let mut read = Vec::with_capacity(regions.len());
        for quad in regions {
            read.push(self.read_line(sheet, quad.turned(quarters))?);
        }
        let is_page = is_page(&read);
        read.retain(|(_, letters)| is_writing(letters, is_page));
        let lines: Vec<SeenLine> = read
            .iter()
            .map(|(quad, letters)| SeenLine {
                quad: *quad,
                words: words(quad, letters),
            })
            .collect();
        let mut leans: Vec<f32> = lines
            .iter()
            .filter(|line| is_line(&line.quad))
            .map(|line| line.quad.turned((4 - quarters) % 4).angle())
            // What runs down the margin, or stands on its head, says nothing of how the page lies.
            .filter(|lean| lean.abs() < 45.0)
            .collect();
        leans.sort_by(f32::total_cmp);
        let seen = Seen {
            turn: ((4 - quarters) % 4 * 90) as u16,
            lean: leans.get(leans.len() / 2).copied().unwrap_or_default(),
            lines,
            flat: None,
        };
        Ok((seen, is_page))
    }

    /// At which corner of its regions reading begins: 0 where the page lies as it is read, 1 where its top is at the
    /// right.
    fn turn(&mut self, sheet: &Sheet, regions: &[Quad]) -> Result<usize, ReadingError> {
        let (mut wide, mut tall) = (Vec::new(), Vec::new());
        for quad in regions.iter().copied() {
            if is_line(&quad) {
                wide.push(quad);
            } else if is_line(&quad.turned(1)) {
                tall.push(quad.turned(1));
            }
        }
        let length = |lines: &[Quad]| lines.iter().map(Quad::width).sum::<f32>();
        let is_sideways = length(&tall) > length(&wide);
        let mut lines = if is_sideways { tall } else { wide };
        lines.sort_by(|a, b| b.width().total_cmp(&a.width()));
        lines.truncate(ASKED);
        let (mut turned, mut asked) = (0.0, 0.0);
        for quad in &lines {
            turned += self.classifier.is_turned(sheet, quad)?.round();
            asked += 1.0;
        }
        let share = if asked > 0.0 { turned / asked } else { 0.0 };
        let is_over = if share <= 1.0 - AGREED {
            false
        } else if share >= AGREED {
            true
        } else {
            self.reads_better_turned(sheet, &lines)?
        };
        Ok(usize::from(is_sideways) + 2 * usize::from(is_over))
    }

    fn reads_better_turned(&mut self, sheet: &Sheet, lines: &[Quad]) -> Result<bool, ReadingError> {
        let (mut as_is, mut turned) = (0.0, 0.0);
        for quad in lines.iter().take(READ_BOTH_WAYS) {
            as_is += likely(&self.recogniser.read(sheet, quad)?);
            turned += likely(&self.recogniser.read(sheet, &quad.turned(2))?);
        }
        Ok(turned > as_is)
    }

    /// What stands in a line, and where its first letter's top left is.
    fn read_line(
        &mut self,
        sheet: &Sheet,
        quad: Quad,
    ) -> Result<(Quad, Vec<Letter>), ReadingError> {
        // What stands upright on a page that is read across runs up or down.
        let is_across = is_line(&quad.turned(1));
        let first = if is_across { quad.turned(1) } else { quad };
        let mut best = (first, self.recogniser.read(sheet, &first)?);
        if is_across || likely(&best.1) < DOUBTFUL {
            let turned = first.turned(2);
            let letters = self.recogniser.read(sheet, &turned)?;
            if likely(&letters) > likely(&best.1) {
                best = (turned, letters);
            }
        }
        Ok(best)
    }
}

/// The page that a camera saw, if it is not all of the picture.
fn find_page(sheet: &Sheet, regions: &[Quad]) -> Option<Flat> {
    let is_one = |quad: &&Quad| is_line(quad) || is_line(&quad.turned(1));
    let lines: Vec<Quad> = regions.iter().filter(is_one).copied().collect();
    Flat::of(sheet, outline::find(sheet, &lines)?)
}

fn is_line(quad: &Quad) -> bool {
    quad.width() >= LINE * quad.height()
}

/// How likely letters are, on average; 0 where there are none.
fn likely(letters: &[Letter]) -> f32 {
    let sum: f32 = letters.iter().map(|letter| letter.likely).sum();
    sum / letters.len().max(1) as f32
}

/// How many letters and digits there are.
fn count(letters: &[Letter]) -> usize {
    let is_one = |letter: &&Letter| letter.text.chars().any(char::is_alphanumeric);
    letters.iter().filter(is_one).count()
}

/// Whether there is so much writing that it is what the picture is about.
fn is_page(lines: &[(Quad, Vec<Letter>)]) -> bool {
    let lines = lines.iter().map(|(_, letters)| letters);
    let long = lines.filter(|letters| count(letters) > FEW && likely(letters) >= LIKELY);
    let sure = long
        .clone()
        .filter(|letters| likely(letters) >= PAGE_LIKELY);
    let letters: usize = sure.map(|letters| count(letters)).sum();
    letters >= PAGE_LETTERS || long.count() >= PAGE_LINES
}

/// Whether it is writing at all.
fn is_writing(letters: &[Letter], is_page: bool) -> bool {
    let count = count(letters);
    let least = match (count <= FEW, is_page) {
        (false, true) => LIKELY,
        (true, true) => FEW_LIKELY,
        (false, false) => ALONE_LIKELY,
        (true, false) => FEW_ALONE_LIKELY,
    };
    count > 0 && likely(letters) >= least
}

/// The words of a line with their places. A word reaches as far beyond its letters as half the way to the next one, and
/// no further than a letter is wide.
fn words(quad: &Quad, letters: &[Letter]) -> Vec<SeenWord> {
    let gaps = letters.windows(2).map(|pair| pair[1].at - pair[0].at);
    let mut gaps: Vec<f32> = gaps.collect();
    gaps.sort_by(f32::total_cmp);
    let wide = gaps.get(gaps.len() / 2).copied().unwrap_or(1.0);
    let mut words = Vec::new();
    let is_apart = |a: &Letter, b: &Letter| a.text == " " || b.text == " ";
    let mut at = 0;
    for word in letters.chunk_by(|a, b| !is_apart(a, b)) {
        let (first, next) = (at, at + word.len());
        at = next;
        if word.iter().all(|letter| letter.text.trim().is_empty()) {
            continue;
        }
        let before = first.checked_sub(1).map(|before| letters[before].at);
        let after = letters.get(next).map(|letter| letter.at);
        let (begin, end) = (word[0].at, word[word.len() - 1].at);
        let from = before.map_or(begin - wide, |before| {
            (begin - wide).max((begin + before) / 2.0)
        });
        let until = after.map_or(end + wide, |after| (end + wide).min((end + after) / 2.0));
        words.push(SeenWord {
            quad: quad.part(from.max(0.0), until.min(1.0)),
            text: word.iter().map(|letter| letter.text.as_str()).collect(),
            probability: likely(word),
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str, likely: f32) -> Vec<Letter> {
        let count = text.chars().count() as f32;
        let letters = text.chars().enumerate();
        letters
            .map(|(at, letter)| Letter {
                text: letter.to_string(),
                at: (at as f32 + 0.5) / count,
                likely,
            })
            .collect()
    }

    #[test]
    fn words_lie_where_their_letters_are_and_do_not_overlap() {
        let quad = Quad::of_rectangle(0.0, 0.0, 110.0, 10.0);
        let words = words(&quad, &letters("Dear  Emil.", 0.9));
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["Dear", "Emil."]);
        let (first, second) = (words[0].quad, words[1].quad);
        assert!(
            first.0[0].x < 5.0 && first.0[1].x <= second.0[0].x,
            "{words:?}"
        );
        assert!(second.0[0].x > 50.0 && second.0[1].x > 105.0, "{words:?}");
    }

    #[test]
    fn few_letters_have_to_be_surer_and_surer_still_outside_a_page() {
        assert!(is_writing(&letters("Gasthaus", 0.7), true));
        assert!(!is_writing(&letters("Gasthaus", 0.7), false));
        assert!(!is_writing(&letters("Gasthaus", 0.5), true));
        assert!(is_writing(&letters("42", 0.9), true));
        assert!(!is_writing(&letters("42", 0.9), false));
        assert!(!is_writing(&letters("...", 0.99), true));
        assert!(!is_writing(&[], true));
    }

    #[test]
    fn many_lines_or_many_sure_letters_are_a_page() {
        let line = |text: &str, likely| (Quad::default(), letters(text, likely));
        assert!(is_page(&[line("A printed line of a letter", 0.95)]));
        assert!(!is_page(&[line("A printed line of a letter", 0.7)]));
        assert!(is_page(&vec![line("scrawl", 0.7); 5]));
        assert!(!is_page(&vec![line("il", 0.99); 50]));
    }
}
