//! WebP: a still picture, or the first frame of one that plays.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{Limits, PictureError, raster::Raster, stored::Stored};
use crate::finding::Facts;

pub(super) fn open(bytes: &[u8], facts: &Facts, limits: &Limits) -> Result<Stored, PictureError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(PictureError::damaged)?;
    let (width, height) = decoder.dimensions();
    limits.allow(width, height)?;
    decoder
        .set_memory_limit(usize::try_from(limits.pixels.saturating_mul(4)).unwrap_or(usize::MAX));
    let len = decoder
        .output_buffer_size()
        .ok_or_else(|| PictureError::damaged("it has no size"))?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let is_animated = decoder.is_animated() && decoder.num_frames() > 1;
    let profile = decoder.icc_profile().ok().flatten();
    let mut pixels = vec![0; len];
    decoder
        .read_image(&mut pixels)
        .map_err(PictureError::damaged)?;
    let raster = Raster::from_channels(width, height, channels, pixels)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    let mut stored = Stored::of(raster)
        .turned(facts.orientation)
        .with_profile(profile.as_deref());
    stored.is_animated = is_animated;
    Ok(stored)
}
