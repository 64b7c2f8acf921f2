//! JPEG, by libjpeg-turbo: also the first picture of an MPO, and the previews within RAW files.

use turbojpeg::{Colorspace, DecompressHeader, Decompressor, Image, PixelFormat, ScalingFactor};

use super::{Limits, PictureError, Want, colour, raster::Raster, stored::Stored};
use crate::{
    bytes::{be16, rest, slice, u8_at},
    finding::Facts,
};

/// The most segments that are walked before the picture.
const SEGMENT_LIMIT: usize = 2_000;

/// Decodes a JPEG, at half, a quarter or an eighth of its size where that is enough.
pub(super) fn open(
    bytes: &[u8],
    facts: &Facts,
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    let mut decoder = Decompressor::new().map_err(PictureError::unsupported)?;
    let tidy;
    let (bytes, header) = match decoder.read_header(bytes) {
        Ok(header) => (bytes, header),
        // What it warns of in a header, it reports like what it cannot read at all.
        Err(error) => {
            tidy = tidied(bytes).ok_or_else(|| PictureError::damaged(&error))?;
            let header = decoder.read_header(&tidy);
            (&*tidy, header.map_err(|_| PictureError::damaged(error))?)
        }
    };
    let (full_width, full_height) = (header.width as u32, header.height as u32);
    limits.allow(full_width, full_height)?;
    let scale = if header.is_lossless {
        ScalingFactor::ONE
    } else {
        scale(full_width.max(full_height), want.longest_side)
    };
    decoder
        .set_scaling_factor(scale)
        .map_err(PictureError::unsupported)?;
    let segments = segments(bytes);
    let (pixels, size, problem) = pixels(&mut decoder, bytes, &header.scaled(scale), &segments)?;
    let raster = Raster::new(size.0, size.1, false, pixels)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    let is_ink = is_ink(&header);
    let mut stored = Stored::of(raster)
        .turned(facts.orientation)
        .with_profile(segments.icc.as_deref().filter(|_| !is_ink));
    stored.full = (full_width, full_height);
    if let Some(problem) = problem {
        stored.problem(problem);
    }
    Ok(stored)
}

/// The smallest of the scales that decode fast and leave enough pixels.
fn scale(longest: u32, wanted: Option<u32>) -> ScalingFactor {
    let Some(wanted) = wanted else {
        return ScalingFactor::ONE;
    };
    [
        ScalingFactor::ONE_EIGHTH,
        ScalingFactor::ONE_QUARTER,
        ScalingFactor::ONE_HALF,
    ]
    .into_iter()
    .find(|scale| scale.scale(longest as usize) >= wanted as usize)
    .unwrap_or(ScalingFactor::ONE)
}

fn is_ink(header: &DecompressHeader) -> bool {
    matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK)
}

type Pixels = (Vec<u8>, (u32, u32), Option<&'static str>);

/// Red, green and blue, their size, and what is wrong.
fn pixels(
    decoder: &mut Decompressor,
    bytes: &[u8],
    header: &DecompressHeader,
    segments: &Segments,
) -> Result<Pixels, PictureError> {
    let (width, height) = (header.width, header.height);
    let (format, channels) = if is_ink(header) {
        (PixelFormat::CMYK, 4)
    } else {
        (PixelFormat::RGB, 3)
    };
    let mut pixels = vec![0; width * height * channels];
    let output = Image {
        pixels: pixels.as_mut_slice(),
        width,
        pitch: width * channels,
        height,
        format,
    };
    // What the decoder warns of, it reports like what it cannot do at all; the pixels tell which it was.
    let problem = match decoder.decompress(bytes, output) {
        Ok(()) => None,
        Err(error) => {
            if pixels.iter().all(|value| *value == 0) {
                return Err(PictureError::damaged(error));
            }
            problem(&error.to_string())
        }
    };
    if format == PixelFormat::CMYK {
        // Adobe stores how much light is left, all others how much ink there is.
        if segments.is_adobe {
            for value in &mut pixels {
                *value = 255 - *value;
            }
        }
        pixels = colour::from_inks(&pixels, segments.icc.as_deref());
    }
    Ok((pixels, (width as u32, height as u32), problem))
}

/// A warning of libjpeg-turbo in words for people; nothing for what leaves the picture whole.
fn problem(warning: &str) -> Option<&'static str> {
    if warning.contains("Premature end") {
        Some(super::CUT_SHORT)
    } else if warning.contains("extraneous bytes") || warning.contains("Invalid SOS parameters") {
        None
    } else {
        Some("Parts of the picture are damaged.")
    }
}

/// What the segments before the picture say of its colours.
#[derive(Default)]
pub(super) struct Segments {
    pub(super) icc: Option<Vec<u8>>,
    pub(super) is_adobe: bool,
}

pub(super) fn segments(bytes: &[u8]) -> Segments {
    const ICC: &[u8] = b"ICC_PROFILE\0";
    let mut found = Segments::default();
    let mut parts: Vec<(u8, &[u8])> = Vec::new();
    walk(bytes, |marker, body| {
        match marker {
            0xE2 if body.starts_with(ICC) => {
                if let Some(number) = u8_at(body, ICC.len()) {
                    parts.push((number, rest(body, ICC.len() + 2)));
                }
            }
            0xEE if body.starts_with(b"Adobe") => found.is_adobe = true,
            _ => {}
        }
        true
    });
    parts.sort_by_key(|(number, _)| *number);
    if !parts.is_empty() {
        found.icc = Some(
            parts
                .into_iter()
                .flat_map(|(_, part)| part)
                .copied()
                .collect(),
        );
    }
    found
}

/// A JPEG with only those segments before its data that it is decoded by, and nothing between them.
fn tidied(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut tidy = vec![0xFF, 0xD8];
    let data = walk(bytes, |marker, body| {
        let is_adobe = marker == 0xEE && body.starts_with(b"Adobe") && body.len() >= 12;
        if is_adobe || matches!(marker, 0xC0..=0xCF | 0xDB | 0xDD) {
            let len = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
            tidy.extend([0xFF, marker]);
            tidy.extend(len.to_be_bytes());
            tidy.extend(body);
        }
        true
    })?;
    tidy.extend(rest(bytes, data));
    Some(tidy)
}

/// Walks the segments up to the picture's data; `visit` is given marker and content, and says whether to
/// go on. Gives where the data begins, when it came so far.
pub(super) fn walk<'b>(
    bytes: &'b [u8],
    mut visit: impl FnMut(u8, &'b [u8]) -> bool,
) -> Option<usize> {
    let mut at = 2;
    for _ in 0..SEGMENT_LIMIT {
        at += rest(bytes, at).iter().position(|byte| *byte == 0xFF)?;
        let fill = rest(bytes, at).iter().take_while(|byte| **byte == 0xFF);
        at += fill.count();
        let marker = u8_at(bytes, at)?;
        at += 1;
        match marker {
            0 | 1 | 0xD0..=0xD8 => continue,
            0xD9 => return None,
            0xDA => return at.checked_sub(2),
            _ => {}
        }
        let len = be16(bytes, at).map(usize::from).filter(|len| *len >= 2)?;
        let body = slice(bytes, at + 2, len - 2).unwrap_or_else(|| rest(bytes, at + 2));
        if !visit(marker, body) {
            return None;
        }
        at += len;
    }
    None
}

/// The size of a JPEG that can be shown, by its header alone: with eight bits and not lossless, as the
/// sensor data in RAW files are.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut size = None;
    walk(bytes, |marker, body| {
        if !matches!(marker, 0xC0..=0xCF) || matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return true;
        }
        if matches!(marker, 0xC0..=0xC2) && u8_at(body, 0) == Some(8) {
            let side = |at| be16(body, at).map(u32::from).filter(|side| *side > 0);
            size = side(3).zip(side(1));
        }
        false
    });
    size
}
