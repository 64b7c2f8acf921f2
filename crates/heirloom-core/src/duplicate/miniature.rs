//! A picture made so small that two that show the same are nearly equal.

use serde::{Deserialize, Serialize};

/// Its sides, in pixels.
const SIDE: usize = 32;
/// The sides at which parts of two are compared, in pixels.
const SEEN: usize = 16;
/// How many frequencies in each direction a fingerprint is made of.
const FREQUENCIES: usize = 8;

/// What was cut from pictures most often: nothing, a little all around, and what paper or a screen of another shape
/// leaves. Shares of width and height, from the middle.
const CROPS: [(f32, f32); PRINTS] = [
    (1.0, 1.0),
    (0.95, 0.95),
    (0.9, 0.9),
    (1.0, 8.0 / 9.0),
    (8.0 / 9.0, 1.0),
    (1.0, 0.75),
    (0.75, 1.0),
];

/// How many fingerprints a picture has: one of all of it, then one of each part that may be all that is left of it.
pub const PRINTS: usize = 7;

/// Fingerprints of a picture, 64 bits each: of all of it, then of its parts.
pub type Prints = [u64; PRINTS];

/// Below this it is too plain: a page with a line on it, a gradient, the sky.
const DETAIL: f32 = 2.0;

/// The grey levels of a picture, upright, at 32 × 32 pixels whatever its shape; in JSON as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Miniature(#[serde(with = "crate::digits")] Vec<u8>);

/// A part of a miniature, without its mean and of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Part([f32; SEEN * SEEN]);

impl Miniature {
    /// Sides in pixels.
    pub const SIDE: usize = SIDE;

    /// Of as many grey levels as it has pixels, row by row from the top; `None` of more or fewer, and of a picture that
    /// is too plain to be told from others like that.
    #[must_use]
    pub fn new(pixels: Vec<u8>) -> Option<Self> {
        let miniature = Self(pixels);
        (miniature.0.len() == SIDE * SIDE && miniature.detail() >= DETAIL).then_some(miniature)
    }

    /// Its fingerprints: for each part and each of the low frequencies, whether its coefficient of a discrete cosine
    /// transform is above 0. (C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010,
    /// section 3.1, with 0 in the place of the median: a picture that is turned or mirrored has the same coefficients
    /// at other places and with other signs, so that nothing has to be computed for these.)
    #[must_use]
    pub fn prints(&self) -> Prints {
        let cosines: [[f32; SEEN]; FREQUENCIES] = std::array::from_fn(|at| {
            let angle = std::f32::consts::PI / SEEN as f32 * (at + 1) as f32;
            std::array::from_fn(|x| (angle * (x as f32 + 0.5)).cos())
        });
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        std::array::from_fn(|crop| {
            let part = self.seen(crop);
            let across: [[f32; SEEN]; FREQUENCIES] = std::array::from_fn(|at| {
                std::array::from_fn(|y| dot(&part[y * SEEN..][..SEEN], &cosines[at]))
            });
            let mut print = 0;
            for (down, cosine) in cosines.iter().enumerate() {
                for (at, column) in across.iter().enumerate() {
                    if dot(column, cosine) > 0.0 {
                        print |= 1 << (down * FREQUENCIES + at);
                    }
                }
            }
            print
        })
    }

    /// The part of that number, 0 for all of it, to be compared.
    #[must_use]
    pub fn part(&self, crop: usize) -> Part {
        let mut seen = self.seen(crop);
        let mean = seen.iter().sum::<f32>() / seen.len() as f32;
        for value in &mut seen {
            *value -= mean;
        }
        let length = seen.iter().map(|value| value * value).sum::<f32>().sqrt();
        for value in &mut seen {
            *value /= length.max(f32::MIN_POSITIVE);
        }
        Part(seen)
    }

    /// A part at the size at which it is compared: each pixel is the mean of what it covers.
    fn seen(&self, crop: usize) -> [f32; SEEN * SEEN] {
        let (width, height) = CROPS.get(crop).copied().unwrap_or((1.0, 1.0));
        let (across, down) = (cover(width), cover(height));
        let mut narrow = [[0.0; SEEN]; SIDE];
        for (row, pixels) in narrow.iter_mut().zip(self.0.chunks_exact(SIDE)) {
            for (value, weights) in row.iter_mut().zip(&across) {
                let of = weights.iter().zip(pixels);
                *value = of.map(|(weight, pixel)| weight * f32::from(*pixel)).sum();
            }
        }
        std::array::from_fn(|at| {
            let (y, x) = (at / SEEN, at % SEEN);
            let of = down[y].iter().zip(&narrow);
            of.map(|(weight, row)| weight * row[x]).sum()
        })
    }

    /// How much there is besides large shapes: the deviation from the mean of the pixels around, in grey levels.
    fn detail(&self) -> f32 {
        let at = |y: usize, x: usize| f32::from(self.0[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)]);
        let mut sum = 0.0;
        for y in 0..SIDE {
            for x in 0..SIDE {
                let rows = [y.saturating_sub(1), y, y + 1];
                let columns = [x.saturating_sub(1), x, x + 1];
                let around = rows.iter().flat_map(|y| columns.map(|x| at(*y, x)));
                sum += (at(y, x) - around.sum::<f32>() / 9.0).powi(2);
            }
        }
        (sum / (SIDE * SIDE) as f32).sqrt()
    }
}

/// How much of each pixel of a miniature lies in each pixel of that share of it, taken from the middle.
fn cover(share: f32) -> [[f32; SIDE]; SEEN] {
    let first = SIDE as f32 * (1.0 - share) / 2.0;
    let step = SIDE as f32 * share / SEEN as f32;
    std::array::from_fn(|to| {
        let (begin, end) = (first + to as f32 * step, first + (to + 1) as f32 * step);
        std::array::from_fn(|from| {
            let from = from as f32;
            (end.min(from + 1.0) - begin.max(from)).max(0.0) / step
        })
    })
}

/// How alike two parts are when the first is turned so: their normalised correlation, 1 for the same whatever its light
/// and contrast. `turn` is the sum of 4 (rows become columns first), 2 (mirrored top to bottom) and 1 (left to right).
#[must_use]
pub fn likeness(one: &Part, turn: u8, other: &Part) -> f32 {
    let last = SEEN - 1;
    let mut sum = 0.0;
    for y in 0..SEEN {
        for x in 0..SEEN {
            let from_x = if turn & 1 == 0 { x } else { last - x };
            let from_y = if turn & 2 == 0 { y } else { last - y };
            let (from_y, from_x) = match turn & 4 {
                0 => (from_y, from_x),
                _ => (from_x, from_y),
            };
            sum += one.0[from_y * SEEN + from_x] * other.0[y * SEEN + x];
        }
    }
    sum
}

/// The fingerprint of the same turned so.
pub(super) const fn turned(print: u64, turn: u8) -> u64 {
    let mut print = if turn & 4 == 0 {
        print
    } else {
        transposed(print)
    };
    // Odd frequencies change their sign when they are mirrored; the first is 1.
    if turn & 1 != 0 {
        print ^= 0x5555_5555_5555_5555;
    }
    if turn & 2 != 0 {
        print ^= 0x00FF_00FF_00FF_00FF;
    }
    print
}

/// Rows of eight bits become columns (H. S. Warren, "Hacker's Delight", section 7-3).
const fn transposed(mut bits: u64) -> u64 {
    let mut swap = (bits ^ (bits >> 7)) & 0x00AA_00AA_00AA_00AA;
    bits ^= swap ^ (swap << 7);
    swap = (bits ^ (bits >> 14)) & 0x0000_CCCC_0000_CCCC;
    bits ^= swap ^ (swap << 14);
    swap = (bits ^ (bits >> 28)) & 0x0000_0000_F0F0_F0F0;
    bits ^ swap ^ (swap << 28)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A picture that a number stands for, as if it were so large; `at` says where in it a pixel is taken from.
    pub(crate) fn scene(seed: u32, at: impl Fn(f32, f32) -> (f32, f32)) -> Miniature {
        let seed = seed as f32;
        let pixels = (0..SIDE * SIDE).map(|pixel| {
            let mut sum = 0.0;
            // Each pixel is the mean of what it covers.
            for part in 0..64 {
                let part = [part % 8, part / 8].map(|at| (at as f32 + 0.5) / 8.0);
                let x = ((pixel % SIDE) as f32 + part[0]) / SIDE as f32;
                let y = ((pixel / SIDE) as f32 + part[1]) / SIDE as f32;
                let (x, y) = at(x, y);
                let light = (x * (7.0 + seed * 1.7) + y * y * 5.0).sin() * 60.0;
                let line = (y * (11.0 + seed * 0.9) + x * 3.0 + seed).cos() * 40.0;
                let sun = (x - 0.7).hypot(y - 0.1 * (seed % 9.0)) < 0.2;
                sum += 110.0 + light + line + if sun { 40.0 } else { 0.0 };
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a grey level"
            )]
            let level = (sum / 64.0).clamp(0.0, 255.0) as u8;
            level
        });
        Miniature::new(pixels.collect()).unwrap()
    }

    pub(crate) fn plain(seed: u32) -> Miniature {
        scene(seed, |x, y| (x, y))
    }

    #[test]
    fn a_picture_that_is_turned_has_the_same_bits_at_other_places() {
        let whole = plain(1);
        for turn in 0..8 {
            let other = scene(1, |x, y| {
                let x = if turn & 1 == 0 { x } else { 1.0 - x };
                let y = if turn & 2 == 0 { y } else { 1.0 - y };
                if turn & 4 == 0 { (x, y) } else { (y, x) }
            });
            let distance = (turned(whole.prints()[0], turn) ^ other.prints()[0]).count_ones();
            // As many as two pictures that show the same may differ in.
            assert!(distance <= 6, "turn {turn}: {distance} bits");
            let like = likeness(&whole.part(0), turn, &other.part(0));
            assert!(like > 0.999, "turn {turn}: {like}");
            let unturned = likeness(&whole.part(0), 0, &other.part(0));
            assert!(turn == 0 || unturned < 0.9, "turn {turn}: {unturned}");
        }
    }

    #[test]
    fn a_part_is_like_what_was_cut_out() {
        let whole = plain(2);
        for (crop, (width, height)) in CROPS.into_iter().enumerate() {
            let cut = scene(2, |x, y| {
                ((x - 0.5) * width + 0.5, (y - 0.5) * height + 0.5)
            });
            let distance = (whole.prints()[crop] ^ cut.prints()[0]).count_ones();
            assert!(distance <= 3, "crop {crop}: {distance} bits");
            let like = likeness(&whole.part(crop), 0, &cut.part(0));
            assert!(like > 0.99, "crop {crop}: {like}");
        }
    }

    #[test]
    fn light_and_contrast_make_no_difference_and_another_picture_does() {
        let whole = plain(3);
        let pixels = whole.0.iter().map(|level| level / 2 + 90).collect();
        let faded = Miniature::new(pixels).unwrap();
        assert!(likeness(&whole.part(0), 0, &faded.part(0)) > 0.999);
        for seed in 4..40 {
            let like = likeness(&whole.part(0), 0, &plain(seed).part(0));
            assert!(like < 0.9, "{seed}: {like}");
        }
    }

    #[test]
    fn what_is_plain_cannot_be_told_from_others() {
        assert_eq!(Miniature::new(vec![255; SIDE * SIDE]), None);
        let gradient = (0..SIDE * SIDE).map(|at| (at % SIDE * 8) as u8).collect();
        assert_eq!(Miniature::new(gradient), None);
        assert_eq!(Miniature::new(vec![0; 12]), None);
    }
}
