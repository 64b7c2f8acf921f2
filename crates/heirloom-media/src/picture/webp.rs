//! WebP: a still picture, or the first frame of one that plays. Of one that was cut short, the upper part.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{Limits, PictureError, filled, raster::Raster, stored::Stored};
use crate::{bytes::le32, finding::Facts};

pub(super) fn open(bytes: &[u8], facts: &Facts, limits: &Limits) -> Result<Stored, PictureError> {
    // What follows the first eight bytes (https://www.rfc-editor.org/rfc/rfc9649#section-2.4).
    let stated = le32(bytes, 4).and_then(|rest| usize::try_from(rest).ok()?.checked_add(8));
    let (whole, is_cut) = filled(bytes, stated);
    let mut decoder = WebPDecoder::new(Cursor::new(&*whole)).map_err(PictureError::damaged)?;
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
    if is_cut {
        stored.problem(super::CUT_SHORT);
    }
    Ok(stored)
}
