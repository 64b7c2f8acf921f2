//! A picture with other sides.

use std::ops::Range;

use super::{CHANNELS, Sheet};

impl Sheet {
    /// A part of it with other sides, channel by channel (red, green, blue), from 0 to 255.
    pub(crate) fn scaled(
        &self,
        across: &Range<f32>,
        down: &Range<f32>,
        (width, height): (usize, usize),
        kernel: Kernel,
    ) -> Vec<f32> {
        let columns = taps(across, self.width, width, kernel);
        let rows = taps(down, self.height, height, kernel);
        let first = columns.iter().map(|taps| taps.first).min().unwrap_or(0);
        let end = columns.iter().map(Taps::end).max().unwrap_or(0);
        let mut view = vec![0.0; CHANNELS * width * height];
        // First columns become shorter, whole rows at a time, then each row.
        let mut long = vec![0.0; (end - first) * CHANNELS];
        for (y, taps) in rows.iter().enumerate() {
            long.fill(0.0);
            for (row, weight) in (taps.first..).zip(&taps.weights) {
                let pixels = &self.pixels[(row * self.width + first) * CHANNELS..];
                for (sum, value) in long.iter_mut().zip(pixels) {
                    *sum += f32::from(*value) * weight;
                }
            }
            let pixels = long.as_chunks::<CHANNELS>().0;
            for (x, taps) in columns.iter().enumerate() {
                let mut colour = [0.0; CHANNELS];
                for (pixel, weight) in pixels[taps.first - first..].iter().zip(&taps.weights) {
                    for (sum, value) in colour.iter_mut().zip(pixel) {
                        *sum += value * weight;
                    }
                }
                for (channel, value) in colour.into_iter().enumerate() {
                    view[(channel * height + y) * width + x] = value;
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
