//! What stands in a line.

use ort::{session::Session, value::Tensor};

use super::{ReadingError, load};
use crate::{quad::Quad, runtime::Runtime, sheet::Sheet};

/// Reads lines.
#[derive(Debug)]
pub(super) struct Recogniser {
    session: Session,
    /// What each answer means; the first means nothing, the last a space.
    letters: Vec<String>,
}

/// A letter, and where in its line it is: from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) text: String,
    pub(super) at: f32,
    /// How likely it is.
    pub(super) likely: f32,
}

const HEIGHT: usize = 48;
/// Lines are made narrower by this much: it costs a quarter less, and as good as no letter.
const NARROWER: f32 = 0.75;
/// An answer is about so many pixels.
const STEP: usize = 8;
/// Where letters stand closer than so many to an answer, as in what was found from afar with much around it, some are passed
/// over: such a line is read again, so wide that they don't.
const CLOSE: f32 = 0.7;
const FREE: f32 = 0.55;
/// What is longer is made narrower still.
const LONGEST: usize = 3200;

impl Recogniser {
    pub(super) fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, ReadingError> {
        let session = load(runtime, model)?;
        let known = session.metadata()?.custom("character");
        let known = known.ok_or_else(|| {
            ReadingError::Model("it does not say which letters it knows".to_owned())
        })?;
        let known = known.split('\n').map(str::to_owned);
        let nothing = std::iter::once(String::new());
        let space = std::iter::once(" ".to_owned());
        Ok(Self {
            session,
            letters: nothing.chain(known).chain(space).collect(),
        })
    }

    /// The letters of a line, from its beginning.
    pub(super) fn read(&mut self, sheet: &Sheet, quad: &Quad) -> Result<Vec<Letter>, ReadingError> {
        let wide = quad.width() / quad.height().max(1.0) * HEIGHT as f32 * NARROWER;
        let letters = self.read_so_wide(sheet, quad, wide)?;
        let close = (letters.len() * STEP) as f32 / wide;
        if close <= CLOSE {
            return Ok(letters);
        }
        self.read_so_wide(sheet, quad, wide * close / FREE)
    }

    fn read_so_wide(
        &mut self,
        sheet: &Sheet,
        quad: &Quad,
        wide: f32,
    ) -> Result<Vec<Letter>, ReadingError> {
        let width = (wide.round() as usize).clamp(STEP * 2, LONGEST);
        let row = width.next_multiple_of(STEP);
        let pixels = sheet.take(quad, width, HEIGHT, row);
        let pixels = Tensor::from_array(([1, 3, HEIGHT, row], pixels))?;
        let answer = self.session.run(ort::inputs![pixels])?;
        let (shape, likely) = answer[0].try_extract_tensor::<f32>()?;
        if shape.last() != Some(&(self.letters.len() as i64)) {
            let why = "it knows other letters than it says".to_owned();
            return Err(ReadingError::Model(why));
        }
        let steps = likely.len() / self.letters.len();
        let mut letters = Vec::new();
        let mut before = 0;
        for (at, likely) in likely.chunks_exact(self.letters.len()).enumerate() {
            let (best, likely) = most(likely);
            if best != 0 && best != before {
                letters.push(Letter {
                    text: self.letters[best].clone(),
                    at: ((at as f32 + 0.5) / steps as f32 * row as f32 / width as f32).min(1.0),
                    likely,
                });
            }
            before = best;
        }
        narrow_marks(&mut letters);
        Ok(letters)
    }
}

/// Which of these is the most likely, and how likely it is.
fn most(likely: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::MIN);
    for (at, likely) in likely.iter().enumerate() {
        if *likely > best.1 {
            best = (at, *likely);
        }
    }
    best
}

/// Marks that are as wide as a Chinese character are those only beside one.
fn narrow_marks(letters: &mut [Letter]) {
    let is_wide = |letter: &Letter| letter.text.chars().any(is_ideograph);
    if letters.iter().any(is_wide) {
        return;
    }
    for letter in letters {
        let narrow = |mark: char| match mark {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(mark as u32 - 0xfee0).unwrap_or(mark),
            '。' => '.',
            '、' => ',',
            '\u{3000}' => ' ',
            mark => mark,
        };
        letter.text = letter.text.chars().map(narrow).collect();
    }
}

/// Whether something is written in characters that each fill a square: Chinese, Japanese or Korean.
fn is_ideograph(letter: char) -> bool {
    matches!(
        letter,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let letter = |letter: char| Letter {
            text: letter.to_string(),
            at: 0.0,
            likely: 1.0,
        };
        let mut letters: Vec<_> = text.chars().map(letter).collect();
        narrow_marks(&mut letters);
        letters.into_iter().map(|letter| letter.text).collect()
    }

    #[test]
    fn wide_marks_stay_beside_chinese_alone() {
        assert_eq!(read("（Anna，1944）。"), "(Anna,1944).");
        assert_eq!(read("你好，Anna。"), "你好，Anna。");
    }
}
