//! The pixels of a picture, and how they become as many as a network sees.

use std::ops::Range;

/// A picture to be looked at: rows of pixels from the top left, three bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

const CHANNELS: usize = 3;

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

    /// How many pixels a row has.
    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// A part of it with other sides, channel by channel, from 0 to 255.
    pub(crate) fn scaled(
        &self,
        across: &Range<f32>,
        down: &Range<f32>,
        (width, height): (usize, usize),
        kernel: Kernel,
    ) -> Vec<f32> {
        // First each row becomes shorter, then each column.
        let columns = taps(across, self.width, width, kernel);
        let rows = taps(down, self.height, height, kernel);
        let first = rows.iter().map(|taps| taps.first).min().unwrap_or(0);
        let end = rows.iter().map(Taps::end).max().unwrap_or(0);
        let mut short = vec![0.0; (end - first) * width * CHANNELS];
        for (y, line) in (first..end).zip(short.chunks_exact_mut(width * CHANNELS)) {
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
        let mut view = vec![0.0; CHANNELS * width * height];
        for (y, taps) in rows.iter().enumerate() {
            let lines = short
                .chunks_exact(width * CHANNELS)
                .skip(taps.first - first);
            let mut sums = vec![0.0; width * CHANNELS];
            for (line, weight) in lines.zip(&taps.weights) {
                for (sum, value) in sums.iter_mut().zip(line) {
                    *sum += value * weight;
                }
            }
            for (x, colour) in sums.chunks_exact(CHANNELS).enumerate() {
                for (channel, value) in colour.iter().enumerate() {
                    view[(channel * height + y) * width + x] = *value;
                }
            }
        }
        view
    }
}

/// By how much a pixel counts that is so far away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Less and less, up to the next pixel.
    Linear,
    /// Along a curve, up to the one after that, which makes edges a little sharper (Keys, "Cubic Convolution
    /// Interpolation for Digital Image Processing", 1981, with a = -0.5).
    Cubic,
}

impl Kernel {
    /// How far away a pixel counts.
    const fn reach(self) -> f32 {
        match self {
            Self::Linear => 1.0,
            Self::Cubic => 2.0,
        }
    }

    fn weight(self, distance: f32) -> f32 {
        let far = distance.abs();
        match self {
            Self::Linear => (1.0 - far).max(0.0),
            Self::Cubic if far < 1.0 => (1.5 * far - 2.5) * far * far + 1.0,
            Self::Cubic if far < 2.0 => ((-0.5 * far + 2.5) * far - 4.0) * far + 2.0,
            Self::Cubic => 0.0,
        }
    }
}

/// From which pixels another one is made, and how much each counts.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    fn end(&self) -> usize {
        self.first + self.weights.len()
    }
}

/// So many pixels of a stretch of a row that is `length` long: each is made of all that lie within it, and of its neighbours
/// where there are fewer.
fn taps(stretch: &Range<f32>, length: usize, count: usize, kernel: Kernel) -> Vec<Taps> {
    let scale = (stretch.end - stretch.start) / count as f32;
    let wide = scale.max(1.0);
    let reach = wide * kernel.reach();
    let tap = |at: usize| {
        let centre = stretch.start + (at as f32 + 0.5) * scale - 0.5;
        let last = length - 1;
        let first = ((centre - reach).ceil().max(0.0) as usize).min(last);
        let last = ((centre + reach).floor().max(0.0) as usize).clamp(first, last);
        let weight = |pixel: usize| kernel.weight((pixel as f32 - centre) / wide);
        let mut weights: Vec<f32> = (first..=last).map(weight).collect();
        let sum: f32 = weights.iter().sum();
        match sum > 0.0 {
            true => weights.iter_mut().for_each(|weight| *weight /= sum),
            // Beyond the edge there is only the edge.
            false => weights.fill(1.0 / (last - first + 1) as f32),
        }
        Taps { first, weights }
    };
    (0..count).map(tap).collect()
}
