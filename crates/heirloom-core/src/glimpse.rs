//! Where and when a face is seen.

use std::{fmt, str::FromStr};

use crate::{Area, area::InvalidArea};

/// A rectangle on a picture, or on a film at a moment: what claims about a face are anchored to. It is written
/// `0.12,0.3,0.2,0.25`, in a film with the milliseconds from its beginning before it: `12000:0.12,0.3,0.2,0.25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glimpse {
    /// When it is seen in a film; `None` on a picture.
    pub at_ms: Option<u64>,
    /// Where it is.
    pub area: Area,
}

/// What is seen so much earlier or later at the same place is the same.
const SAME_MOMENT_MS: u64 = 1_000;

impl Glimpse {
    /// How much of both together lies in both, from 0 to 1, as it is with [areas](Area::overlap); 0 for what is not seen at
    /// the same time.
    #[must_use]
    pub fn overlap(self, other: Self) -> f64 {
        let is_same_moment = match (self.at_ms, other.at_ms) {
            (None, None) => true,
            (Some(own), Some(other)) => own.abs_diff(other) <= SAME_MOMENT_MS,
            _ => false,
        };
        if is_same_moment {
            self.area.overlap(other.area)
        } else {
            0.0
        }
    }
}

impl From<Area> for Glimpse {
    fn from(area: Area) -> Self {
        Self { at_ms: None, area }
    }
}

impl fmt::Display for Glimpse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at_ms) = self.at_ms {
            write!(f, "{at_ms}:")?;
        }
        self.area.fmt(f)
    }
}

impl FromStr for Glimpse {
    type Err = InvalidArea;

    fn from_str(text: &str) -> Result<Self, InvalidArea> {
        let Some((at_ms, area)) = text.split_once(':') else {
            return text.parse::<Area>().map(Self::from);
        };
        let is_number = at_ms.bytes().all(|byte| byte.is_ascii_digit());
        let at_ms = at_ms.parse().ok().filter(|_| is_number);
        Ok(Self {
            at_ms: Some(at_ms.ok_or_else(|| InvalidArea::of(text))?),
            area: area.parse().map_err(|_| InvalidArea::of(text))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glimpse_reads_back_as_it_is_written() {
        for written in ["0.12,0.3,0.2,0.25", "12000:0.12,0.3,0.2,0.25"] {
            let glimpse: Glimpse = written.parse().unwrap();
            assert_eq!(glimpse.to_string(), written);
        }
        for wrong in ["", "12000", "12000:", ":0,0,1,1", "+1:0,0,1,1", "a:0,0,1,1"] {
            assert!(wrong.parse::<Glimpse>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_seen_at_another_time_is_not_the_same() {
        let seen = |text: &str| text.parse::<Glimpse>().unwrap();
        let face = seen("12000:0.1,0.1,0.2,0.2");
        assert!(face.overlap(seen("12900:0.1,0.1,0.2,0.2")) > 0.99);
        assert!(face.overlap(seen("14000:0.1,0.1,0.2,0.2")) < 0.01);
        assert!(face.overlap(seen("0.1,0.1,0.2,0.2")) < 0.01);
    }
}
