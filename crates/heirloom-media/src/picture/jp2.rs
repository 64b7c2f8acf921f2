//! JPEG 2000, in its container and as a bare codestream.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use super::{Limits, PictureError, colour, raster::Raster, stored::Stored};
use crate::bytes::{find, rest};

pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<Stored, PictureError> {
    let settings = DecodeSettings::default();
    let image = Image::new(bytes, &settings)
        .or_else(|error| {
            // A container with boxes that make no sense holds a picture all the same.
            let at = find(bytes, &[0xFF, 0x4F, 0xFF, 0x51]).ok_or(error)?;
            Image::new(rest(bytes, at), &settings).map_err(|_| error)
        })
        .map_err(PictureError::damaged)?;
    let (width, height) = (image.width(), image.height());
    limits.allow(width, height)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(PictureError::damaged)?;
    let count = width as usize * height as usize;
    if decoded
        .components()
        .iter()
        .any(|component| component.samples().len() != count)
    {
        return Err(PictureError::unsupported("planes of different sizes"));
    }
    let channels = decoded.components().len();
    let mut pixels = decoded.data_u8();
    let colours = channels - usize::from(image.has_alpha()).min(channels);
    let (is_ink, profile) = match image.color_space() {
        ColorSpace::CMYK => (true, None),
        ColorSpace::Icc {
            profile,
            num_channels,
        } => (*num_channels == 4, Some(profile.as_slice())),
        _ => (false, None),
    };
    let raster = if is_ink && colours == 4 {
        if image.has_alpha() {
            let all = pixels.as_chunks::<5>().0.iter();
            pixels = all.flat_map(|[c, m, y, k, _]| [*c, *m, *y, *k]).collect();
        }
        Raster::new(width, height, false, colour::from_inks(&pixels, profile))
    } else {
        Raster::from_channels(width, height, channels, pixels)
    };
    let raster = raster.ok_or_else(|| PictureError::unsupported(format!("{channels} channels")))?;
    let mut stored = Stored::of(raster).with_profile(profile.filter(|_| !is_ink));
    // A whole codestream ends with a marker that stands nowhere else in it.
    if find(bytes, &[0xFF, 0xD9]).is_none() {
        stored.problem("The picture's file ends too early; the picture is not as sharp as it was.");
    }
    Ok(stored)
}
