//! JPEG XL.

use jxl_oxide::{
    AllocTracker, EnumColourEncoding, InitializeResult, JxlImage, JxlThreadPool, Moxcms,
    RenderingIntent,
};

use super::{Limits, PictureError, raster::Raster, stored::Stored};

/// The bytes that decoding takes for a pixel: three planes of floating point, and as much again for filters.
const BYTES_PER_PIXEL: u64 = 40;

pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<Stored, PictureError> {
    let memory = limits.pixels.saturating_mul(BYTES_PER_PIXEL);
    let mut reader = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(
            usize::try_from(memory).unwrap_or(usize::MAX),
        ))
        .build_uninit();
    // The header first: nothing is decoded of a picture that is too large.
    let (head, body) = bytes.split_at(bytes.len().min(64 * 1024));
    reader.feed_bytes(head).map_err(PictureError::damaged)?;
    let mut image = match reader.try_init().map_err(PictureError::damaged)? {
        InitializeResult::Initialized(image) => image,
        InitializeResult::NeedMoreData(mut reader) => {
            reader.feed_bytes(body).map_err(PictureError::damaged)?;
            match reader.try_init().map_err(PictureError::damaged)? {
                InitializeResult::Initialized(image) => return draw(image, &[], limits),
                InitializeResult::NeedMoreData(_) => {
                    return Err(PictureError::damaged("it ends before its header does"));
                }
            }
        }
    };
    limits.allow(image.width(), image.height())?;
    image.set_cms(Moxcms);
    draw(image, body, limits)
}

fn draw(mut image: JxlImage, body: &[u8], limits: &Limits) -> Result<Stored, PictureError> {
    limits.allow(image.width(), image.height())?;
    let mut is_cut = image.feed_bytes(body).is_err();
    image.set_cms(Moxcms);
    let is_grey = image.pixel_format().is_grayscale();
    image.request_color_encoding(if is_grey {
        EnumColourEncoding::gray_srgb(RenderingIntent::Relative)
    } else {
        EnumColourEncoding::srgb(RenderingIntent::Relative)
    });
    let frame = if image.num_loaded_keyframes() > 0 {
        image.render_frame(0)
    } else {
        is_cut = true;
        image.render_loading_frame()
    }
    .map_err(PictureError::damaged)?;
    let mut stream = frame.stream();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels());
    limits.allow(width, height)?;
    let mut pixels = vec![0_u8; width as usize * height as usize * channels as usize];
    stream.write_to_buffer(&mut pixels);
    let raster = Raster::from_channels(width, height, channels as usize, pixels)
        .ok_or_else(|| PictureError::unsupported(format!("{channels} channels")))?;
    // The decoder has applied orientation and colours.
    let mut stored = Stored::of(raster);
    stored.is_animated = image.image_header().metadata.animation.is_some();
    if is_cut {
        stored.problem("The picture's file ends too early; the picture is not as sharp as it was.");
    }
    Ok(stored)
}
