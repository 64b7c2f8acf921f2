//! A rectangle on a picture.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A rectangle on a picture as it is shown: what claims about a face are anchored to. Its numbers are shares of the picture's
/// width and height, so it holds for every rendition. It is written `0.12,0.3,0.2,0.25`: left, top, width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
pub struct Area {
    /// In ten-thousandths, so that an area is the same when it was written and read.
    left: u16,
    top: u16,
    width: u16,
    height: u16,
}

/// What is no rectangle on a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no rectangle on a picture: left, top, width and height as shares of it, such as 0.12,0.3,0.2,0.25"
)]
pub struct InvalidArea(String);

impl InvalidArea {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// As exact as an area is.
const PARTS: f64 = 10_000.0;

impl Area {
    /// A rectangle, made to lie within the picture.
    ///
    /// # Errors
    /// [`InvalidArea`] where nothing of it does.
    pub fn new([left, top, width, height]: [f64; 4]) -> Result<Self, InvalidArea> {
        let refuse = || InvalidArea(format!("{left},{top},{width},{height}"));
        if ![left, top, width, height].iter().all(|it| it.is_finite()) {
            return Err(refuse());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=10 000"
        )]
        let parts = |share: f64| (share.clamp(0.0, 1.0) * PARTS).round() as u16;
        let (from_x, until_x) = (parts(left), parts(left + width));
        let (from_y, until_y) = (parts(top), parts(top + height));
        if until_x <= from_x || until_y <= from_y {
            return Err(refuse());
        }
        Ok(Self {
            left: from_x,
            top: from_y,
            width: until_x - from_x,
            height: until_y - from_y,
        })
    }

    /// Left, top, width and height as shares of the picture.
    #[must_use]
    pub fn shares(self) -> [f64; 4] {
        [self.left, self.top, self.width, self.height].map(|part| f64::from(part) / PARTS)
    }

    /// How much of both together lies in both, from 0 to 1 (intersection over union): 1 for the same rectangle.
    #[must_use]
    pub fn overlap(self, other: Self) -> f64 {
        let shared = |(a, long): (u16, u16), (b, wide): (u16, u16)| {
            let (until_a, until_b) = (a + long, b + wide);
            u32::from(until_a.min(until_b).saturating_sub(a.max(b)))
        };
        let both = shared((self.left, self.width), (other.left, other.width))
            * shared((self.top, self.height), (other.top, other.height));
        let area = |it: Self| u32::from(it.width) * u32::from(it.height);
        f64::from(both) / f64::from(area(self) + area(other) - both)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [left, top, width, height] = self.shares();
        write!(f, "{left},{top},{width},{height}")
    }
}

impl FromStr for Area {
    type Err = InvalidArea;

    fn from_str(text: &str) -> Result<Self, InvalidArea> {
        let refuse = || InvalidArea::of(text);
        let is_number = |text: &str| {
            let mut letters = text.bytes();
            letters.all(|letter| letter.is_ascii_digit() || letter == b'.')
        };
        let shares = text.split(',').map(|share| {
            let share = share.trim();
            share.parse().ok().filter(|_| is_number(share))
        });
        let shares: Option<Vec<f64>> = shares.collect();
        let shares = shares.and_then(|shares| shares.try_into().ok());
        Self::new(shares.ok_or_else(refuse)?).map_err(|_| refuse())
    }
}

impl TryFrom<[f64; 4]> for Area {
    type Error = InvalidArea;

    fn try_from(shares: [f64; 4]) -> Result<Self, InvalidArea> {
        Self::new(shares)
    }
}

impl From<Area> for [f64; 4] {
    fn from(area: Area) -> Self {
        area.shares()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(shares: [f64; 4]) -> Area {
        Area::new(shares).unwrap()
    }

    #[test]
    fn an_area_reads_back_as_it_is_written() {
        let face = area([0.12, 0.3, 0.2, 0.25]);
        assert_eq!(face.to_string(), "0.12,0.3,0.2,0.25");
        assert_eq!("0.12, 0.3, 0.2, 0.25".parse(), Ok(face));
        assert_eq!(serde_json::to_string(&face).unwrap(), "[0.12,0.3,0.2,0.25]");
        for wrong in [
            "",
            "1",
            "0.1,0.1,0.1",
            "0,0,0,0",
            "-0.1,0,1,1",
            "a,b,c,d",
            "2,2,1,1",
            "0,0,NaN,1",
            "0,0,1,1,1",
        ] {
            assert!(wrong.parse::<Area>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_reaches_beyond_the_picture_ends_at_its_edge() {
        assert_eq!(area([-0.1, 0.9, 0.3, 0.3]), area([0.0, 0.9, 0.2, 0.1]));
        assert!(Area::new([1.2, 0.0, 0.3, 0.3]).is_err());
        assert!(Area::new([0.0, 0.0, f64::INFINITY, 0.3]).is_err());
    }

    #[test]
    fn areas_overlap_by_what_they_share() {
        let one = area([0.0, 0.0, 0.5, 0.5]);
        assert!((one.overlap(one) - 1.0).abs() < 1e-9);
        assert!((one.overlap(area([0.25, 0.0, 0.5, 0.5])) - 1.0 / 3.0).abs() < 1e-9);
        assert!(one.overlap(area([0.5, 0.5, 0.5, 0.5])) < 1e-9);
    }
}
