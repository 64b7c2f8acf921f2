//! A stretch of a recording or film.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// From one millisecond of a recording to another: what claims about what is said there are anchored to. It is written
/// `12000-15500`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Segment {
    start_ms: u64,
    end_ms: u64,
}

/// What is no stretch of a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no stretch of a recording: its beginning and its end in milliseconds, such as 12000-15500"
)]
pub struct InvalidSegment(String);

impl Segment {
    /// No recording is longer: a hundred years.
    const MOST_MS: u64 = 100 * 366 * 24 * 3_600_000;

    /// A stretch that ends after it begins.
    ///
    /// # Errors
    /// [`InvalidSegment`] where it does not.
    pub fn new(start_ms: u64, end_ms: u64) -> Result<Self, InvalidSegment> {
        if start_ms < end_ms && end_ms <= Self::MOST_MS {
            Ok(Self { start_ms, end_ms })
        } else {
            Err(InvalidSegment(format!("{start_ms}-{end_ms}")))
        }
    }

    /// Where it begins, in milliseconds.
    #[must_use]
    pub const fn start_ms(self) -> u64 {
        self.start_ms
    }

    /// Where it ends, in milliseconds.
    #[must_use]
    pub const fn end_ms(self) -> u64 {
        self.end_ms
    }

    /// Whether what lasts from one millisecond to another is said in it: whether its middle is. So it is the same words
    /// also when another model hears them begin a little earlier or later.
    #[must_use]
    pub const fn holds(self, start_ms: u64, end_ms: u64) -> bool {
        let middle = start_ms.midpoint(end_ms);
        self.start_ms <= middle && middle < self.end_ms
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start_ms, self.end_ms)
    }
}

impl FromStr for Segment {
    type Err = InvalidSegment;

    fn from_str(text: &str) -> Result<Self, InvalidSegment> {
        let number = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_number)
        };
        let parts = text.split_once('-');
        parts
            .and_then(|(start, end)| number(start).zip(number(end)))
            .and_then(|(start, end)| Self::new(start, end).ok())
            .ok_or_else(|| InvalidSegment(text.to_owned()))
    }
}

impl TryFrom<String> for Segment {
    type Error = InvalidSegment;

    fn try_from(text: String) -> Result<Self, InvalidSegment> {
        text.parse()
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_reads_back_as_it_is_written() {
        let segment = Segment::new(12_000, 15_500).unwrap();
        assert_eq!(segment.to_string(), "12000-15500");
        assert_eq!("12000-15500".parse(), Ok(segment));
        for wrong in [
            "",
            "12000",
            "5-5",
            "9-3",
            "+1-5",
            "1-99999999999999",
            "1 - 2",
            "-1-5",
            "a-b",
        ] {
            assert!(wrong.parse::<Segment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_in_it_may_begin_a_little_earlier() {
        let segment = Segment::new(1_000, 2_000).unwrap();
        assert!(segment.holds(950, 1_200));
        assert!(segment.holds(1_800, 2_100));
        assert!(!segment.holds(700, 1_100));
        assert!(!segment.holds(1_950, 2_200));
    }
}
