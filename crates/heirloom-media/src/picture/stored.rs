//! A picture as it came out of its decoder: not yet upright, not yet in sRGB.

use moxcms::ColorProfile;

use super::{colour, raster::Raster};
use crate::finding::Problem;

/// What a decoder gives. Turning and colours are left for later, when there are fewer pixels.
pub(super) struct Stored {
    pub(super) raster: Raster,
    /// The size of the whole picture, where the raster was decoded smaller.
    pub(super) full: (u32, u32),
    /// How the raster has to be turned, as EXIF numbers it.
    pub(super) orientation: u8,
    /// What its colours mean; none where they are sRGB.
    pub(super) profile: Option<Box<ColorProfile>>,
    pub(super) is_animated: bool,
    pub(super) pages: u32,
    pub(super) problems: Vec<Problem>,
}

impl Stored {
    /// A still, upright picture in sRGB.
    pub(super) fn of(raster: Raster) -> Self {
        Self {
            full: (raster.width, raster.height),
            raster,
            orientation: 1,
            profile: None,
            is_animated: false,
            pages: 1,
            problems: Vec::new(),
        }
    }

    /// Turns it as these facts say.
    pub(super) fn turned(mut self, orientation: Option<u8>) -> Self {
        self.orientation = orientation.unwrap_or(1);
        self
    }

    /// Gives its colours the meaning of an ICC profile; one that cannot be read leaves them as they are.
    pub(super) fn with_profile(mut self, icc: Option<&[u8]>) -> Self {
        if let Some(icc) = icc {
            match colour::read_profile(icc) {
                Ok(profile) => self.profile = profile,
                Err(()) => self.problem(
                    "The picture's colour profile cannot be read; its colours may differ a little.",
                ),
            }
        }
        self
    }

    /// Says what is wrong.
    pub(super) fn problem(&mut self, what: &str) {
        self.problems.push(super::problem(what));
    }

    /// The size of the whole picture when it is upright.
    pub(super) fn upright_size(&self) -> (u32, u32) {
        let (width, height) = self.full;
        if (5..=8).contains(&self.orientation) {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Makes a raster of this picture, at whatever size, upright and sRGB.
    pub(super) fn finish(&self, raster: Raster) -> Raster {
        let raster = match &self.profile {
            Some(profile) => colour::to_srgb(raster, profile),
            None => raster,
        };
        raster.turned(self.orientation)
    }

    /// All its pixels, upright and sRGB; the raster is gone from here then.
    pub(super) fn take_upright(&mut self) -> Raster {
        let raster = std::mem::take(&mut self.raster);
        self.finish(raster)
    }
}
