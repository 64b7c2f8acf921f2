//! The pixels of a picture, as the network sees them.

use std::ops::Range;

/// A picture to be looked at: rows of pixels from the top left, three bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

const CHANNELS: usize = 3;
/// What the network takes for no light and no dark, and how far it is from there to the end.
const MIDDLE: f32 = 127.0;
const REACH: f32 = 128.0;

impl Photo {
    /// Takes pixels (red, green, blue), if there are as many as the sides say.
    #[must_use]
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        let wanted = width.checked_mul(height)?.checked_mul(CHANNELS)?;
        (wanted > 0 && pixels.len() == wanted).then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// All of it and its middle, each as a square with sides of so many pixels, channel by channel from -1 to 1.
    pub(super) fn views(&self, side: usize) -> [Vec<f32>; 2] {
        let shorter = self.width.min(self.height);
        let middle = |length: usize| (length - shorter) / 2..(length - shorter) / 2 + shorter;
        [
            self.view(0..self.width, 0..self.height, side),
            self.view(middle(self.width), middle(self.height), side),
        ]
    }

    fn view(&self, across: Range<usize>, down: Range<usize>, side: usize) -> Vec<f32> {
        // First each row becomes shorter, then each column.
        let columns = taps(&across, side);
        let rows = taps(&down, side);
        let mut short = vec![0.0; down.len() * side * CHANNELS];
        for (y, line) in down.clone().zip(short.chunks_exact_mut(side * CHANNELS)) {
            let row = &self.pixels[y * self.width * CHANNELS..][..self.width * CHANNELS];
            for (taps, colour) in columns.iter().zip(line.as_chunks_mut::<CHANNELS>().0) {
                let pixels = row.as_chunks::<CHANNELS>().0[taps.first..].iter();
                for (pixel, weight) in pixels.zip(&taps.weights) {
                    for (sum, value) in colour.iter_mut().zip(pixel) {
                        *sum += f32::from(*value) * weight;
                    }
                }
            }
        }
        let mut view = vec![0.0; CHANNELS * side * side];
        for (y, taps) in rows.iter().enumerate() {
            let first = taps.first - down.start;
            let lines = short.chunks_exact(side * CHANNELS).skip(first);
            let mut sums = vec![0.0; side * CHANNELS];
            for (line, weight) in lines.zip(&taps.weights) {
                for (sum, value) in sums.iter_mut().zip(line) {
                    *sum += value * weight;
                }
            }
            for (x, colour) in sums.chunks_exact(CHANNELS).enumerate() {
                for (channel, value) in colour.iter().enumerate() {
                    view[(channel * side + y) * side + x] = (value - MIDDLE) / REACH;
                }
            }
        }
        view
    }
}

/// From which pixels another one is made, and how much each counts.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// So many pixels of a stretch: each is made of all that lie within it, and of its neighbours where there are fewer.
fn taps(stretch: &Range<usize>, count: usize) -> Vec<Taps> {
    let scale = stretch.len() as f32 / count as f32;
    let reach = scale.max(1.0);
    let tap = |at: usize| {
        let centre = (at as f32 + 0.5) * scale - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor().max(0.0) as usize).min(stretch.len() - 1);
        let weight = |pixel: usize| (1.0 - (pixel as f32 - centre).abs() / reach).max(0.0);
        let mut weights: Vec<f32> = (first..=last).map(weight).collect();
        let sum: f32 = weights.iter().sum();
        if sum > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        Taps {
            first: stretch.start + first,
            weights,
        }
    };
    (0..count).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture that becomes lighter from left to right, with a red stripe on top.
    fn photo(width: usize, height: usize) -> Photo {
        let pixel = |at: usize| {
            let (x, y) = (at % width, at / width);
            let light = (x * 255 / width.max(2)) as u8;
            if y < height / 10 {
                [255, 0, 0]
            } else {
                [light; 3]
            }
        };
        let pixels = (0..width * height).flat_map(pixel).collect();
        Photo::new(width, height, pixels).unwrap()
    }

    fn is_near(a: f32, b: f32) -> bool {
        (a - b).abs() < 0.06
    }

    #[test]
    fn both_views_are_squares_however_the_picture_lies() {
        for (width, height) in [
            (1, 1),
            (3, 700),
            (1200, 20),
            (26, 26),
            (400, 300),
            (90, 1000),
        ] {
            for view in photo(width, height).views(26) {
                assert_eq!(view.len(), 3 * 26 * 26);
                assert!(view.iter().all(|value| (-1.0..=1.01).contains(value)));
            }
        }
        assert_eq!(Photo::new(2, 2, vec![0; 11]), None);
        assert_eq!(Photo::new(0, 2, Vec::new()), None);
    }

    #[test]
    fn the_whole_has_its_edges_and_the_middle_has_not() {
        let [whole, middle] = photo(800, 400).views(20);
        let at =
            |view: &[f32], channel: usize, x: usize, y: usize| view[(channel * 20 + y) * 20 + x];
        // The stripe is red, in both.
        for view in [&whole, &middle] {
            assert!(is_near(at(view, 0, 10, 0), 1.0) && is_near(at(view, 1, 10, 0), -1.0));
        }
        assert!(is_near(at(&whole, 1, 0, 10), -0.94) && is_near(at(&whole, 1, 19, 10), 0.95));
        assert!(is_near(at(&middle, 1, 0, 10), -0.5) && is_near(at(&middle, 1, 19, 10), 0.5));
        assert!(is_near(at(&whole, 2, 10, 10), 0.0));
    }
}
