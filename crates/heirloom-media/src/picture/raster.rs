//! Pixels in memory: eight bits a channel, three or four channels.

/// Rows of pixels from the top left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Raster {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) has_alpha: bool,
    pub(super) pixels: Vec<u8>,
}

impl Raster {
    /// Takes pixels, if there are as many as the sides say.
    pub(super) fn new(width: u32, height: u32, has_alpha: bool, pixels: Vec<u8>) -> Option<Self> {
        let raster = Self {
            width,
            height,
            has_alpha,
            pixels,
        };
        let wanted = u64::from(width)
            .checked_mul(u64::from(height))?
            .checked_mul(raster.channels() as u64)?;
        (width > 0 && height > 0 && raster.pixels.len() as u64 == wanted).then_some(raster)
    }

    /// Of pixels with opacity, which is dropped where all is opaque.
    pub(super) fn from_rgba(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let is_opaque = pixels
            .chunks_exact(4)
            .all(|pixel| pixel.last() == Some(&255));
        if !is_opaque {
            return Self::new(width, height, true, pixels);
        }
        let mut opaque = Vec::with_capacity(pixels.len() / 4 * 3);
        for pixel in pixels.as_chunks::<4>().0 {
            let [red, green, blue, _] = *pixel;
            opaque.extend_from_slice(&[red, green, blue]);
        }
        Self::new(width, height, false, opaque)
    }

    /// Of pixels with so many channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
    pub(super) fn from_channels(
        width: u32,
        height: u32,
        channels: usize,
        pixels: Vec<u8>,
    ) -> Option<Self> {
        match channels {
            1 => {
                let wide = pixels.iter().flat_map(|grey| [*grey; 3]).collect();
                Self::new(width, height, false, wide)
            }
            2 => {
                let pairs = pixels.as_chunks::<2>().0.iter();
                let wide = pairs.flat_map(|[grey, alpha]| [*grey, *grey, *grey, *alpha]);
                Self::from_rgba(width, height, wide.collect())
            }
            3 => Self::new(width, height, false, pixels),
            4 => Self::from_rgba(width, height, pixels),
            _ => None,
        }
    }

    /// Bytes a pixel.
    pub(super) const fn channels(&self) -> usize {
        if self.has_alpha { 4 } else { 3 }
    }

    /// Turned and mirrored as EXIF's number for the orientation says.
    pub(super) fn turned(self, orientation: u8) -> Self {
        match orientation {
            2..=8 if self.has_alpha => self.turn::<4>(orientation),
            2..=8 => self.turn::<3>(orientation),
            _ => self,
        }
    }

    fn turn<const N: usize>(self, orientation: u8) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let source = self.pixels.as_chunks::<N>().0;
        let is_sideways = orientation >= 5;
        let (out_width, out_height) = if is_sideways {
            (height, width)
        } else {
            (width, height)
        };
        // Where the first pixel comes from, and how far apart neighbours are in the source.
        let (last_x, last_y) = (width - 1, height - 1);
        let (is_right, is_bottom) = match orientation {
            2 => (true, false),
            3 => (true, true),
            4 => (false, true),
            6 => (false, true),
            7 => (true, true),
            8 => (true, false),
            _ => (false, false),
        };
        let mut pixels = vec![0; self.pixels.len()];
        let target = pixels.as_chunks_mut::<N>().0;
        // Blocks, so that what is read sideways is still in the cache for the next row.
        const BLOCK: usize = 32;
        for block_y in (0..out_height).step_by(BLOCK) {
            for block_x in (0..out_width).step_by(BLOCK) {
                for y in block_y..(block_y + BLOCK).min(out_height) {
                    let to = block_x..(block_x + BLOCK).min(out_width);
                    let row = y * out_width;
                    let Some(out) = target.get_mut(row + to.start..row + to.end) else {
                        continue;
                    };
                    for (x, pixel) in to.zip(out) {
                        let (from_x, from_y) = if is_sideways { (y, x) } else { (x, y) };
                        let from_x = if is_right { last_x - from_x } else { from_x };
                        let from_y = if is_bottom { last_y - from_y } else { from_y };
                        if let Some(found) = source.get(from_y * width + from_x) {
                            *pixel = *found;
                        }
                    }
                }
            }
        }
        Self {
            width: out_width as u32,
            height: out_height as u32,
            has_alpha: self.has_alpha,
            pixels,
        }
    }

    /// Laid on white paper.
    pub(super) fn on_white(self) -> Self {
        if !self.has_alpha {
            return self;
        }
        let mut pixels = Vec::with_capacity(self.pixels.len() / 4 * 3);
        for [red, green, blue, alpha] in self.pixels.as_chunks::<4>().0 {
            let alpha = u32::from(*alpha);
            for channel in [red, green, blue] {
                let mixed = (u32::from(*channel) * alpha + 255 * (255 - alpha) + 127) / 255;
                pixels.push(mixed as u8);
            }
        }
        Self {
            has_alpha: false,
            pixels,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Raster;

    /// A picture of 2 × 3 pixels, each with its own grey: 1 2 / 3 4 / 5 6.
    fn small() -> Raster {
        Raster::from_channels(2, 3, 1, vec![1, 2, 3, 4, 5, 6]).unwrap()
    }

    #[test]
    fn each_orientation_is_turned_upright_as_exif_means_it() {
        // What the number says: where the first row and the first column are when looked at.
        let cases: [(u8, u32, [u8; 6]); 9] = [
            (0, 2, [1, 2, 3, 4, 5, 6]),
            (1, 2, [1, 2, 3, 4, 5, 6]),
            (2, 2, [2, 1, 4, 3, 6, 5]),
            (3, 2, [6, 5, 4, 3, 2, 1]),
            (4, 2, [5, 6, 3, 4, 1, 2]),
            (5, 3, [1, 3, 5, 2, 4, 6]),
            (6, 3, [5, 3, 1, 6, 4, 2]),
            (7, 3, [6, 4, 2, 5, 3, 1]),
            (8, 3, [2, 4, 6, 1, 3, 5]),
        ];
        for (orientation, width, wanted) in cases {
            let turned = small().turned(orientation);
            let greys: Vec<u8> = turned.pixels.chunks(3).map(|pixel| pixel[0]).collect();
            assert_eq!(
                (turned.width, greys),
                (width, wanted.to_vec()),
                "{orientation}"
            );
        }
    }

    #[test]
    fn opacity_that_hides_nothing_is_dropped_and_what_is_clear_is_white_paper() {
        let opaque = Raster::from_rgba(1, 1, vec![9, 8, 7, 255]).unwrap();
        assert_eq!((opaque.has_alpha, opaque.pixels), (false, vec![9, 8, 7]));
        let clear = Raster::from_rgba(2, 1, vec![9, 8, 7, 0, 100, 0, 0, 128]).unwrap();
        assert!(clear.has_alpha);
        assert_eq!(clear.on_white().pixels, [255, 255, 255, 177, 127, 127]);
    }

    #[test]
    fn pixels_that_do_not_fill_the_sides_are_no_picture() {
        assert_eq!(Raster::new(2, 2, false, vec![0; 11]), None);
        assert_eq!(Raster::new(0, 2, false, vec![]), None);
        assert_eq!(Raster::from_channels(1, 1, 5, vec![0; 5]), None);
    }
}
