//! BMP, and the largest picture of an ICO.

use std::io::Cursor;

use image::{
    ColorType, ImageDecoder,
    codecs::{bmp::BmpDecoder, ico::IcoDecoder},
};

use super::{Limits, PictureError, raster::Raster, stored::Stored};

pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<Stored, PictureError> {
    if bytes.starts_with(b"BM") {
        read(
            BmpDecoder::new(Cursor::new(bytes)).map_err(PictureError::damaged)?,
            limits,
        )
    } else {
        read(
            IcoDecoder::new(Cursor::new(bytes)).map_err(PictureError::damaged)?,
            limits,
        )
    }
}

fn read(decoder: impl ImageDecoder, limits: &Limits) -> Result<Stored, PictureError> {
    let (width, height) = decoder.dimensions();
    limits.allow(width, height)?;
    let channels = match decoder.color_type() {
        ColorType::L8 => 1,
        ColorType::La8 => 2,
        ColorType::Rgb8 => 3,
        ColorType::Rgba8 => 4,
        other => return Err(PictureError::unsupported(format!("{other:?}"))),
    };
    let mut pixels = vec![0; width as usize * height as usize * channels];
    let failed = decoder.read_image(&mut pixels).err();
    if let Some(error) = &failed
        && pixels.iter().all(|value| *value == 0)
    {
        return Err(PictureError::damaged(error));
    }
    let raster = Raster::from_channels(width, height, channels, pixels)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    let mut stored = Stored::of(raster);
    if failed.is_some() {
        stored.problem("Parts of the picture are damaged or missing.");
    }
    Ok(stored)
}
