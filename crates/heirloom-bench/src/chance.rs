//! Chance that is the same every time.

/// A stream of numbers: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, `end`.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 up to, not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of that likelihood, in percent, happens.
    pub(crate) const fn percent(&mut self, likely: u64) -> bool {
        self.below(100) < likely
    }

    /// A rank from 0 up to, not including, `count`, as frequencies of words fall: the first is about
    /// `ln(count)` times rarer than everything, the n-th n times rarer than the first (Zipf's law,
    /// by the inverse of its continuous form).
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks are small"
    )]
    pub(crate) fn rank(&mut self, count: usize) -> usize {
        let rank = (count as f64 + 1.0).powf(self.fraction()) - 1.0;
        (rank as usize).min(count - 1)
    }
}
