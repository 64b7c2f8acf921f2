//! The pixels of a picture that networks look at.

mod scaled;

pub(crate) use self::scaled::Kernel;

use crate::quad::{Point, Quad};

/// A picture to be looked at: rows of pixels from the top left, three bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// Networks see pixels from -1 to 1, channel by channel; those for reading blue first.
const CHANNELS: usize = 3;

impl Sheet {
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

    /// In pixels.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// In pixels.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Red, green and blue of each, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// What lies within a quadrilateral as a rectangle of that size, as networks for reading see it; `row` is how long a
    /// row is, and what is beyond the rectangle is grey.
    pub(crate) fn take(&self, quad: &Quad, width: usize, height: usize, row: usize) -> Vec<f32> {
        let mut taken = vec![0.0; CHANNELS * height * row];
        self.sample(quad, width, height, |x, y, colour| {
            for (channel, value) in colour.iter().rev().enumerate() {
                taken[(channel * height + y) * row + x] = value / 127.5 - 1.0;
            }
        });
        taken
    }

    /// Gives each pixel of a rectangle of that size with its colour, from what lies within a quadrilateral.
    pub(crate) fn sample(
        &self,
        quad: &Quad,
        width: usize,
        height: usize,
        mut give: impl FnMut(usize, usize, [f32; CHANNELS]),
    ) {
        // So many points to a pixel in each direction: none of what lies between is passed over.
        let finer = |length: f32, count: usize| {
            let count = (length / count as f32).round();
            count.clamp(1.0, 8.0) as usize
        };
        let (across, down) = (finer(quad.width(), width), finer(quad.height(), height));
        let share = 1.0 / (across * down) as f32;
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; CHANNELS];
                for at in 0..across * down {
                    let (i, j) = (at % across, at / across);
                    let u = (x as f32 + (i as f32 + 0.5) / across as f32) / width as f32;
                    let v = (y as f32 + (j as f32 + 0.5) / down as f32) / height as f32;
                    let colour = self.colour(quad.at(u, v));
                    for (sum, value) in sum.iter_mut().zip(colour) {
                        *sum += value;
                    }
                }
                give(x, y, sum.map(|sum| sum * share));
            }
        }
    }

    /// The same with half as many pixels in each direction; `None` where none would be left.
    pub(crate) fn halved(&self) -> Option<Self> {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width * height * CHANNELS);
        for pair in self
            .pixels
            .chunks_exact(self.width * CHANNELS * 2)
            .take(height)
        {
            let (upper, lower) = pair.split_at(self.width * CHANNELS);
            for at in 0..width {
                for channel in 0..CHANNELS {
                    let at = at * 2 * CHANNELS + channel;
                    let sum = [
                        upper[at],
                        upper[at + CHANNELS],
                        lower[at],
                        lower[at + CHANNELS],
                    ];
                    let sum: u16 = sum.into_iter().map(u16::from).sum();
                    pixels.push(((sum + 2) / 4) as u8);
                }
            }
        }
        Self::new(width, height, pixels)
    }

    /// The colour at a place, between the pixels around it.
    pub(crate) fn colour(&self, place: Point) -> [f32; CHANNELS] {
        let limit = |at: f32, most: usize| (at - 0.5).clamp(0.0, (most - 1) as f32);
        let (x, y) = (limit(place.x, self.width), limit(place.y, self.height));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = (
            (left + 1).min(self.width - 1),
            (top + 1).min(self.height - 1),
        );
        let (dx, dy) = (x - left as f32, y - top as f32);
        let pixel =
            |x: usize, y: usize| &self.pixels[(y * self.width + x) * CHANNELS..][..CHANNELS];
        let corners = [
            (pixel(left, top), (1.0 - dx) * (1.0 - dy)),
            (pixel(right, top), dx * (1.0 - dy)),
            (pixel(left, bottom), (1.0 - dx) * dy),
            (pixel(right, bottom), dx * dy),
        ];
        let mut colour = [0.0; CHANNELS];
        for (pixel, weight) in corners {
            for (sum, value) in colour.iter_mut().zip(pixel) {
                *sum += f32::from(*value) * weight;
            }
        }
        colour
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_picture_is_the_mean_of_four_pixels_each() {
        let pixels = (0_u8..15).flat_map(|at| [at, at, 100]).collect();
        let half = Sheet::new(5, 3, pixels).unwrap().halved().unwrap();
        assert_eq!((half.width(), half.height()), (2, 1));
        assert_eq!(half.pixels, [3, 3, 100, 5, 5, 100]);
        assert_eq!(half.halved(), None);
    }
}
