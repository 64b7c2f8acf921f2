//! Leaving somebody alone for a while who does not answer, so that nobody waits for them in vain.

/// How often something fails in a row before it is left alone.
const MOST_FAILURES: u32 = 4;
/// How long it is left alone at first, in milliseconds; each time that it fails again, twice as long.
const FIRST_REST_MS: u64 = 30_000;
/// The longest that it is left alone.
const LONGEST_REST_MS: u64 = 15 * 60_000;

/// Whether somebody is asked at all: not after too many failures in a row, and after a while by one alone, who finds out
/// whether they are back. Times are milliseconds of one clock that never goes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    rests: u32,
    /// Until when nobody asks; `None` while everybody may.
    until_ms: Option<u64>,
}

impl Breaker {
    /// Takes leave to ask. Of those who come after a rest, the first has it, and no one else until another rest has gone by.
    ///
    /// # Errors
    /// For how many milliseconds more nobody asks.
    pub fn admit(&mut self, now_ms: u64) -> Result<(), u64> {
        match self.rest_left_ms(now_ms) {
            Some(left_ms) => Err(left_ms),
            None => {
                if self.until_ms.is_some() {
                    self.until_ms = Some(now_ms + self.rest_ms());
                }
                Ok(())
            }
        }
    }

    /// For how long nobody asks, where that is so.
    #[must_use]
    pub fn rest_left_ms(&self, now_ms: u64) -> Option<u64> {
        let until_ms = self.until_ms?;
        until_ms.checked_sub(now_ms).filter(|left_ms| *left_ms > 0)
    }

    /// They answered.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }

    /// They did not answer, or not as they should.
    pub fn fail(&mut self, now_ms: u64) {
        self.failures += 1;
        if self.until_ms.is_some() {
            self.rests += 1;
            self.until_ms = Some(now_ms + self.rest_ms());
        } else if self.failures >= MOST_FAILURES {
            self.until_ms = Some(now_ms + self.rest_ms());
        }
    }

    /// They answered in a way that will not change by itself: nobody asks for a while.
    pub fn give_up(&mut self, now_ms: u64) {
        self.failures = self.failures.max(MOST_FAILURES - 1);
        self.fail(now_ms);
    }

    fn rest_ms(&self) -> u64 {
        (FIRST_REST_MS << self.rests.min(16)).min(LONGEST_REST_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(times: u32) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..times {
            breaker.fail(0);
        }
        breaker
    }

    #[test]
    fn whoever_fails_too_often_is_left_alone() {
        assert_eq!(failed(MOST_FAILURES - 1).admit(0), Ok(()));
        let mut breaker = failed(MOST_FAILURES);
        assert_eq!(breaker.admit(0), Err(FIRST_REST_MS));
        let mut refused = Breaker::default();
        refused.give_up(0);
        assert_eq!(refused.admit(0), Err(FIRST_REST_MS));
        assert_eq!(breaker.admit(FIRST_REST_MS - 1), Err(1));
    }

    #[test]
    fn after_a_rest_one_alone_finds_out() {
        let mut breaker = failed(MOST_FAILURES);
        assert_eq!(breaker.admit(FIRST_REST_MS), Ok(()));
        assert_eq!(breaker.admit(FIRST_REST_MS), Err(FIRST_REST_MS));
        breaker.succeed();
        assert_eq!(breaker, Breaker::default());
        assert_eq!(breaker.admit(FIRST_REST_MS), Ok(()));
    }

    #[test]
    fn each_rest_is_twice_as_long_up_to_a_quarter_of_an_hour() {
        let mut breaker = failed(MOST_FAILURES);
        let (mut now_ms, mut rests) = (0, Vec::new());
        for _ in 0..8 {
            let left_ms = breaker.rest_left_ms(now_ms).unwrap();
            rests.push(left_ms / 1000);
            now_ms += left_ms;
            assert_eq!(breaker.admit(now_ms), Ok(()));
            breaker.fail(now_ms);
        }
        assert_eq!(rests, [30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn failures_that_are_not_in_a_row_do_not_count() {
        let mut breaker = failed(MOST_FAILURES - 1);
        breaker.succeed();
        breaker.fail(0);
        assert_eq!(breaker.admit(0), Ok(()));
    }
}
