//! GIF: the first frame, on the canvas that it is drawn on.

use std::{io::Cursor, num::NonZeroU64};

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::{Limits, PictureError, raster::Raster, stored::Stored};
use crate::finding::Facts;

pub(super) fn open(bytes: &[u8], facts: &Facts, limits: &Limits) -> Result<Stored, PictureError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    if let Some(limit) = NonZeroU64::new(limits.pixels.saturating_mul(4)) {
        options.set_memory_limit(MemoryLimit::Bytes(limit));
    }
    let mut decoder = options
        .read_info(Cursor::new(bytes))
        .map_err(PictureError::damaged)?;
    let (mut width, mut height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    let (left, top, frame_width, frame_height) = {
        let frame = decoder
            .next_frame_info()
            .map_err(PictureError::damaged)?
            .ok_or_else(|| PictureError::damaged("it has no frame"))?;
        let side = |side: u16| side as usize;
        (
            side(frame.left),
            side(frame.top),
            side(frame.width),
            side(frame.height),
        )
    };
    // Some writers leave the canvas without a size.
    if width == 0 || height == 0 {
        (width, height) = ((left + frame_width) as u32, (top + frame_height) as u32);
    }
    limits.allow(width, height)?;
    limits.allow(frame_width as u32, frame_height as u32)?;
    let mut frame = vec![0; decoder.buffer_size()];
    let failed = decoder.read_into_buffer(&mut frame).err();
    if let Some(error) = &failed
        && frame.iter().all(|value| *value == 0)
    {
        return Err(PictureError::damaged(error));
    }
    let mut canvas = vec![0; width as usize * height as usize * 4];
    let rows = canvas.chunks_exact_mut(width as usize * 4).skip(top);
    for (row, line) in rows.zip(frame.chunks_exact(frame_width * 4)) {
        for (to, from) in row.chunks_exact_mut(4).skip(left).zip(line.chunks_exact(4)) {
            to.copy_from_slice(from);
        }
    }
    let raster = Raster::from_rgba(width, height, canvas)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    let mut stored = Stored::of(raster).with_profile(decoder.icc_profile());
    stored.is_animated = facts.frame_count.is_some_and(|count| count > 1);
    if failed.is_some() {
        stored.problem("Parts of the picture are damaged or missing.");
    }
    Ok(stored)
}
