//! JPEG as a PDF takes it: as it is, or packed anew.

use moxcms::DataColorSpace;
use turbojpeg::{Colorspace, Compressor, Decompressor, Image, PixelFormat, Subsamp};

use super::{PictureError, colour, facts, jpeg};
use crate::{
    bytes::{be16, u8_at},
    file_type::{FileType, Reader},
    searchable::{Form, Sheet},
};

/// A JPEG that a PDF may have as it is, without its bytes: eight bits, grey or colour, and whole. What lies behind the picture,
/// such as a moving one, is left away: it is so many bytes long.
pub(crate) fn as_it_is(bytes: &[u8], file_type: FileType) -> Option<(Sheet, usize)> {
    if file_type.reader != Reader::Jpeg {
        return None;
    }
    let header = Decompressor::new().ok()?.read_header(bytes).ok()?;
    let segments = jpeg::segments(bytes);
    let form = match header.colorspace {
        Colorspace::Gray => Form::Gray,
        Colorspace::YCbCr => Form::Colour,
        // Without that mark every reader of PDF takes it for something else.
        Colorspace::RGB if segments.is_adobe => Form::Colour,
        _ => return None,
    };
    let (width, height) = jpeg::size(bytes)?;
    let end = end_of(bytes, jpeg::walk(bytes, |_, _| true)?)?;
    let sheet = Sheet {
        width,
        height,
        orientation: facts(bytes, file_type).orientation.unwrap_or(1),
        form,
        longest_points: None,
        profile: segments.icc.filter(|icc| is_other(icc, form)),
        bytes: Vec::new(),
    };
    Some((sheet, end))
}

/// Whether a profile is of such a picture, and of other colours than those of sRGB.
fn is_other(icc: &[u8], form: Form) -> bool {
    let Ok(Some(profile)) = colour::read_profile(icc) else {
        return false;
    };
    match form {
        Form::Colour => profile.color_space == DataColorSpace::Rgb,
        Form::Gray | Form::Bits => profile.color_space == DataColorSpace::Gray,
    }
}

/// Where the picture ends whose data begins there: a progressive one has segments in between.
fn end_of(bytes: &[u8], data: usize) -> Option<usize> {
    let mut at = data;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
        match u8_at(bytes, at + 1)? {
            0xD9 => return Some(at + 2),
            0x00 | 0xD0..=0xD7 => at += 2,
            0xFF => at += 1,
            _ => at += 2 + usize::from(be16(bytes, at + 2)?.max(2)),
        }
    }
}

/// Packs pixels of one or three bytes each, with this quality of 100.
pub(crate) fn pack(
    pixels: &[u8],
    bytes_each: usize,
    (width, height): (u32, u32),
    quality: i32,
) -> Result<Vec<u8>, PictureError> {
    let (format, sampling) = match bytes_each {
        1 => (PixelFormat::GRAY, Subsamp::Gray),
        _ => (PixelFormat::RGB, Subsamp::Sub2x2),
    };
    let image = Image {
        pixels,
        width: width as usize,
        pitch: width as usize * bytes_each,
        height: height as usize,
        format,
    };
    Compressor::new()
        .and_then(|mut compressor| {
            compressor.set_quality(quality)?;
            compressor.set_subsamp(sampling)?;
            compressor.compress_to_vec(image)
        })
        .map_err(PictureError::unsupported)
}
