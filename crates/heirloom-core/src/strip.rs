//! A part of a page.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::reading::Corners;

/// A quadrilateral on a page of an original: what claims about what is written there are anchored to. Lines lean, so it has
/// four corners, in ten-thousandths of the page's width and height as it is shown. It is written
/// `2:0.1,0.2,0.5,0.21,0.5,0.26,0.1,0.25`, with the page before the corners; where it is upright
/// `2:0.1,0.2,0.4,0.05` is read as well, from the left and the top, with its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Strip {
    page: u32,
    corners: [[u16; 2]; 4],
}

/// What is no part of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no part of a page: the page, from 1, and its corners, or left, top, width and height, as shares of it, such as \
     1:0.1,0.2,0.4,0.05"
)]
pub struct InvalidStrip(String);

/// What a side of a page has.
const WHOLE: f32 = 10_000.0;

impl Strip {
    /// A part of a page, from 1, whose corners follow one another around it; the only sheet of a picture is its first page.
    ///
    /// # Errors
    /// [`InvalidStrip`] where a corner is not on the page, or nothing lies between them.
    pub fn new(page: u32, Corners(corners): Corners) -> Result<Self, InvalidStrip> {
        let written = || {
            let numbers = corners.as_flattened().iter().map(ToString::to_string);
            let numbers: Vec<_> = numbers.collect();
            InvalidStrip(format!("{page}:{}", numbers.join(",")))
        };
        let rounded = corners.map(|corner| corner.map(|share| (share * WHOLE).round()));
        let is_on_page = |at: &f32| (0.0..=WHOLE).contains(at);
        if page == 0 || !rounded.as_flattened().iter().all(is_on_page) {
            return Err(written());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "they are from 0 to 10,000"
        )]
        let corners = rounded.map(|corner| corner.map(|at| at as u16));
        let strip = Self { page, corners };
        let sides = strip.sides([0, 1, 2, 3].map(|at| corners[(at + 2) % 4]));
        match sides.iter().any(|side| *side != 0) && is_one_side(sides) {
            true => Ok(strip),
            false => Err(written()),
        }
    }

    /// What a line is said of that nobody knows the place of: a mark at the left edge of its page, as far down as the line is in the
    /// order of so many. No word stands there, so it never takes the place of what stands elsewhere.
    #[must_use]
    pub fn margin(page: u32, line: usize, of: usize) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is from 0 to 10,000 where the line is one of these"
        )]
        let down = |line: usize| (line * 10_000 / of.max(1)) as u16;
        let (top, bottom) = (down(line), down(line + 1));
        let corners = [[0, top], [1, top], [1, bottom], [0, bottom]];
        let is_on_page = page > 0 && line < of && top < bottom;
        is_on_page.then_some(Self { page, corners })
    }

    /// Whether it is such a mark.
    #[must_use]
    pub const fn is_margin(self) -> bool {
        let [[a, _], [b, _], [c, _], [d, _]] = self.corners;
        matches!((a, b, c, d), (0, 1, 1, 0))
    }

    /// Which page, from 1.
    #[must_use]
    pub const fn page(self) -> u32 {
        self.page
    }

    /// Where on it.
    #[must_use]
    pub fn corners(self) -> Corners {
        Corners(
            self.corners
                .map(|corner| corner.map(|share| f32::from(share) / WHOLE)),
        )
    }

    /// Whether what lies between these corners is in it: whether its middle is. So it is the same words also where another
    /// model finds them a little larger, or in a line that is cut otherwise.
    #[must_use]
    pub fn holds(self, corners: &Corners) -> bool {
        let [x, y] = corners.middle();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and places are shares from 0 to 1"
        )]
        let middle = [(x * WHOLE).round() as u16, (y * WHOLE).round() as u16];
        is_one_side(self.sides([middle; 4]))
    }

    /// On which side of each of its edges a point lies: twice the area of the triangle between them.
    fn sides(self, points: [[u16; 2]; 4]) -> [i64; 4] {
        std::array::from_fn(|at| {
            let [from, until] = [self.corners[at], self.corners[(at + 1) % 4]].map(wide);
            let point = wide(points[at]);
            (until[0] - from[0]) * (point[1] - from[1])
                - (until[1] - from[1]) * (point[0] - from[0])
        })
    }
}

fn wide(corner: [u16; 2]) -> [i64; 2] {
    corner.map(i64::from)
}

fn is_one_side(sides: [i64; 4]) -> bool {
    sides.iter().all(|side| *side >= 0) || sides.iter().all(|side| *side <= 0)
}

impl fmt::Display for Strip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.page)?;
        for (number, share) in self.corners.as_flattened().iter().enumerate() {
            let mark = if number == 0 { ':' } else { ',' };
            write!(f, "{mark}{}", f64::from(*share) / f64::from(WHOLE))?;
        }
        Ok(())
    }
}

impl FromStr for Strip {
    type Err = InvalidStrip;

    fn from_str(text: &str) -> Result<Self, InvalidStrip> {
        let invalid = || InvalidStrip(text.to_owned());
        let (page, shares) = text.split_once(':').ok_or_else(invalid)?;
        let is_number = page.bytes().all(|byte| byte.is_ascii_digit());
        let page = page.parse().ok().filter(|_| is_number);
        let shares: Option<Vec<f32>> = shares
            .split(',')
            .map(|share| {
                let is_plain = share
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.');
                share.parse().ok().filter(|_| is_plain)
            })
            .collect();
        let corners = match shares.as_deref() {
            Some(&[left, top, width, height]) => Corners::of_rectangle([left, top, width, height]),
            Some(&[a, b, c, d, e, f, g, h]) => Corners([[a, b], [c, d], [e, f], [g, h]]),
            _ => return Err(invalid()),
        };
        let strip = page.and_then(|page| Self::new(page, corners).ok());
        strip.ok_or_else(invalid)
    }
}

impl TryFrom<String> for Strip {
    type Error = InvalidStrip;

    fn try_from(text: String) -> Result<Self, InvalidStrip> {
        text.parse()
    }
}

impl From<Strip> for String {
    fn from(strip: Strip) -> Self {
        strip.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_reads_back_as_it_is_written() {
        let written = "2:0.1,0.2,0.5,0.21,0.5,0.2612,0.1,0.25";
        let strip: Strip = written.parse().unwrap();
        assert_eq!((strip.page(), strip.to_string().as_str()), (2, written));
        assert_eq!(Strip::new(2, strip.corners()), Ok(strip));
        let upright: Strip = "1:0,0,1,0.5".parse().unwrap();
        assert_eq!(upright.to_string(), "1:0,0,1,0,1,0.5,0,0.5");
        for wrong in [
            "",
            "1",
            "0:0,0,1,1",
            "1:0,0,1",
            "1:0,0,1.1,1",
            "1:0.5,0.5,0.6,0.1",
            "1:-0.1,0,0.5,0.5",
            "1:0,0,NaN,1",
            "1:0,0,0.00001,1",
            "1:0,0,1,1,1,0,0,1",
            "+1:0,0,1,1",
            "1:0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1",
        ] {
            assert!(wrong.parse::<Strip>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_that_leans_holds_its_own_words_and_not_those_of_the_next() {
        let strip: Strip = "1:0.1,0.2,0.9,0.23,0.9,0.25,0.1,0.22".parse().unwrap();
        let word = |left: f32, top: f32| Corners::of_rectangle([left, top, 0.05, 0.02]);
        assert!(strip.holds(&word(0.1, 0.202)) && strip.holds(&word(0.84, 0.229)));
        assert!(!strip.holds(&word(0.84, 0.202)) && !strip.holds(&word(0.1, 0.229)));
        // Whichever way around it is drawn.
        let other: Strip = "1:0.1,0.22,0.9,0.25,0.9,0.23,0.1,0.2".parse().unwrap();
        assert!(other.holds(&word(0.84, 0.229)));
    }
}
