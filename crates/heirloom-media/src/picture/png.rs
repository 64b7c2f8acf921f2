//! PNG, and the still picture of an animated one.

use std::io::Cursor;

use png::{Decoder, Limits as PngLimits, Transformations};

use super::{Limits, PictureError, raster::Raster, stored::Stored};
use crate::finding::Facts;

/// The most bytes that the decoder takes for itself: colour profile, palette, rows.
const MEMORY: usize = 64 * 1024 * 1024;

pub(super) fn open(bytes: &[u8], facts: &Facts, limits: &Limits) -> Result<Stored, PictureError> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), PngLimits { bytes: MEMORY });
    // Eight bits a channel, palettes resolved, clear colours as opacity.
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.ignore_checksums(true);
    let header = decoder.read_header_info().map_err(PictureError::damaged)?;
    let (width, height) = (header.width, header.height);
    limits.allow(width, height)?;
    let mut reader = decoder.read_info().map_err(PictureError::damaged)?;
    let len = reader
        .output_buffer_size()
        .ok_or_else(|| PictureError::damaged("it has no size"))?;
    let channels = reader.output_color_type().0.samples();
    let mut pixels = vec![0; len];
    let failed = reader.next_frame(&mut pixels).err();
    if let Some(error) = &failed
        && pixels.iter().all(|value| *value == 0)
    {
        return Err(PictureError::damaged(error));
    }
    let raster = Raster::from_channels(width, height, channels, pixels)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    let info = reader.info();
    let mut stored = Stored::of(raster).turned(facts.orientation);
    // Whoever says sRGB means it, whatever profile lies beside it.
    if info.srgb.is_none() {
        stored = stored.with_profile(info.icc_profile.as_deref());
    }
    stored.is_animated = info
        .animation_control
        .is_some_and(|control| control.num_frames > 1);
    if failed.is_some() {
        stored.problem("Parts of the picture are damaged or missing.");
    }
    Ok(stored)
}
