//! A page of a TIFF.

use std::io::Cursor;

use tiff::{
    ColorType, TiffError,
    decoder::{Decoder, DecodingResult, Limits as TiffLimits},
    tags::Tag,
};

use super::{Limits, PictureError, Want, colour, fax, raster::Raster, raw, stored::Stored};
use crate::{
    bytes::index,
    finding::Facts,
    tiff::{self as structure, Directory, Layout},
};

const ORIENTATION: u16 = 274;

/// The most bytes of one tag's value, such as a colour profile or the places of the strips.
const VALUE_BYTES: usize = 16 * 1024 * 1024;

/// TIFF's number for the JPEG of before 1995, which is kept as a file within the file.
const OLD_JPEG: u16 = 6;

pub(super) fn open(
    bytes: &[u8],
    facts: &Facts,
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    let pages = facts.page_count.unwrap_or(1).max(1);
    if want.page > 0 && want.page >= pages {
        return Err(PictureError::NoSuchPage);
    }
    let number = structure::page_directory(bytes, want.page).ok_or(PictureError::NoSuchPage)?;
    let (layout, directory) =
        find(bytes, number).ok_or_else(|| PictureError::damaged("it has no pages"))?;
    let orientation = directory
        .value(&mut { bytes }, layout, ORIENTATION)
        .and_then(|value| u8::try_from(value.unsigned(0)?).ok());
    let opened = fax::open(bytes, &directory, layout, limits)
        .unwrap_or_else(|| decode(bytes, number, &directory, layout, limits, want));
    let mut stored = opened?;
    stored.orientation = orientation.unwrap_or(1);
    stored.pages = pages;
    Ok(stored)
}

/// A directory of the file, counted from 0, and how its numbers are stored.
fn find(bytes: &[u8], number: usize) -> Option<(Layout, Directory)> {
    let mut source = bytes;
    let header = structure::header(&mut source)?;
    let mut directory = structure::directory(&mut source, header.layout, header.first)?;
    for _ in 0..number {
        directory = structure::directory(&mut source, header.layout, directory.next)?;
    }
    Some((header.layout, directory))
}

fn decode(
    bytes: &[u8],
    number: usize,
    directory: &Directory,
    layout: Layout,
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    let declared = declare(bytes, directory, layout);
    let (bytes, told) = match &declared {
        Some((bytes, told)) => (bytes.as_slice(), Some(*told)),
        None => (bytes, None),
    };
    let mut decoder = Decoder::new(Cursor::new(bytes))
        .map_err(|error| refused(&error))?
        .with_limits(tiff_limits(limits));
    if number > 0 {
        decoder
            .seek_to_image(number)
            .map_err(|error| refused(&error))?;
    }
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).ok();
    match page(&mut decoder, told, limits) {
        Err(error) if compression == Some(Some(OLD_JPEG)) => {
            raw::largest_jpeg(bytes, limits, want).map_err(|_| error)
        }
        stored => stored,
    }
}

/// Colours that the decoder does not know, and that it is therefore told to be others, which are stored alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Numbers of colours, told to be grey levels.
    Palette,
    /// L*a*b*, told to be red, green and blue.
    Lab {
        /// Whether a* and b* are signed numbers; in those of colour profiles 128 stands for 0.
        is_signed: bool,
    },
}

/// The file with the colours of that directory declared to be others, where that is needed.
fn declare(bytes: &[u8], directory: &Directory, layout: Layout) -> Option<(Vec<u8>, Told)> {
    const PHOTOMETRIC: u16 = 262;
    let entry = directory.entry(PHOTOMETRIC)?;
    let (told, from, to) = match entry.value(&mut { bytes }, layout).unsigned(0)? {
        3 => (Told::Palette, 3, 1),
        8 => (Told::Lab { is_signed: true }, 8, 2),
        9 => (Told::Lab { is_signed: false }, 9, 2),
        _ => return None,
    };
    // The number is in one of two bytes.
    let at = index(entry.at);
    let mut changed = bytes.to_vec();
    let number = changed.get_mut(at..at.checked_add(2)?)?;
    let byte = number.iter_mut().find(|byte| **byte == from)?;
    *byte = to;
    Some((changed, told))
}

fn tiff_limits(limits: &Limits) -> TiffLimits {
    let bytes = usize::try_from(limits.pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    let mut tiff = TiffLimits::default();
    tiff.decoding_buffer_size = bytes;
    tiff.intermediate_buffer_size = bytes;
    tiff.ifd_value_size = VALUE_BYTES;
    tiff
}

/// What is wrong, or only not known here.
fn refused(error: &TiffError) -> PictureError {
    match error {
        TiffError::UnsupportedError(_) => PictureError::unsupported(error),
        _ => PictureError::damaged(error),
    }
}

type Pages<'b> = Decoder<Cursor<&'b [u8]>>;

fn page(
    decoder: &mut Pages<'_>,
    told: Option<Told>,
    limits: &Limits,
) -> Result<Stored, PictureError> {
    let is_palette = told == Some(Told::Palette);
    let (width, height) = decoder.dimensions().map_err(PictureError::damaged)?;
    limits.allow(width, height)?;
    let mut colours = decoder.colortype().map_err(PictureError::unsupported)?;
    let icc = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
    let mut read = DecodingResult::U8(Vec::new());
    let layout = decoder.image_buffer_layout();
    let failed = decoder.read_image_to_buffer(&mut read).err();
    if let Some(error) = &failed
        && read.as_buffer(0).as_bytes().iter().all(|byte| *byte == 0)
    {
        return Err(refused(error));
    }
    let bits = colours.bit_depth();
    let row_bytes = layout
        .ok()
        .and_then(|layout| layout.row_stride)
        .map_or(0, std::num::NonZeroUsize::get);
    let mut samples = match read {
        DecodingResult::U8(packed) if bits < 8 => unpack(
            &packed,
            bits,
            width as usize * colours.num_samples() as usize,
            row_bytes,
            is_palette,
        ),
        other => to_bytes(other, bits),
    };
    let count = width as usize * height as usize;
    let channels = samples.len() / count.max(1);
    let planar = decoder
        .find_tag_unsigned::<u16>(Tag::PlanarConfiguration)
        .ok()
        .flatten();
    if planar == Some(2) && channels > 1 {
        samples = interleave(&samples, count, channels);
    }
    if let Some(Told::Lab { is_signed }) = told {
        colours = ColorType::Lab(bits);
        for pixel in samples
            .chunks_exact_mut(channels.max(1))
            .filter(|_| is_signed)
        {
            pixel.iter_mut().skip(1).for_each(|level| *level ^= 0x80);
        }
    }
    let palette = is_palette.then(|| decoder.get_tag_u16_vec(Tag::ColorMap));
    let palette = palette.transpose().map_err(PictureError::damaged)?;
    let raster = raster(
        (width, height),
        colours,
        channels,
        samples,
        palette.as_deref(),
        icc.as_deref(),
    )
    .ok_or_else(|| PictureError::unsupported(format!("{colours:?}")))?;
    // What was computed from other colours is sRGB by now.
    let is_computed = matches!(
        colours,
        ColorType::CMYK(_) | ColorType::CMYKA(_) | ColorType::Lab(_)
    );
    // Premultiplied opacity is undone, for it is stored otherwise everywhere else.
    let is_premultiplied = decoder
        .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)
        .ok()
        .flatten()
        .is_some_and(|extra| extra.first() == Some(&1));
    let raster = if is_premultiplied && raster.has_alpha {
        unmultiply(raster)
    } else {
        raster
    };
    let mut stored = Stored::of(raster).with_profile(icc.as_deref().filter(|_| !is_computed));
    if failed.is_some() {
        stored.problem("Parts of the picture are damaged or missing.");
    }
    Ok(stored)
}

/// Samples of less than a byte, each row from a new byte on; scaled to 0 to 255 unless they are numbers of
/// colours.
fn unpack(
    packed: &[u8],
    bits: u8,
    row_samples: usize,
    row_bytes: usize,
    is_palette: bool,
) -> Vec<u8> {
    let per_byte = usize::from(8 / bits.max(1));
    let most = (1_u16 << bits) - 1;
    let mut out = Vec::with_capacity(packed.len() * per_byte);
    for row in packed.chunks_exact(row_bytes.max(1)) {
        let values = row.iter().flat_map(|byte| {
            (1..=per_byte).map(move |number| {
                let shift = 8 - number * usize::from(bits);
                u16::from(*byte) >> shift & most
            })
        });
        out.extend(values.take(row_samples).map(|value| {
            if is_palette {
                value as u8
            } else {
                (value * 255 / most) as u8
            }
        }));
    }
    out
}

/// Samples of any type as 0 to 255.
fn to_bytes(read: DecodingResult, bits: u8) -> Vec<u8> {
    let high16 = |value: u16| {
        let most = (1_u32 << bits.clamp(1, 16)) - 1;
        ((u32::from(value) * 255 + most / 2) / most).min(255) as u8
    };
    match read {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.into_iter().map(high16).collect(),
        DecodingResult::U32(samples) => samples.iter().map(|value| (value >> 24) as u8).collect(),
        DecodingResult::U64(samples) => samples.iter().map(|value| (value >> 56) as u8).collect(),
        DecodingResult::I8(samples) => samples
            .iter()
            .map(|value| (i16::from(*value) + 128) as u8)
            .collect(),
        DecodingResult::I16(samples) => samples
            .iter()
            .map(|value| ((i32::from(*value) + 32_768) >> 8) as u8)
            .collect(),
        DecodingResult::I32(samples) => samples
            .iter()
            .map(|value| ((i64::from(*value) + (1 << 31)) >> 24) as u8)
            .collect(),
        DecodingResult::I64(samples) => samples
            .iter()
            .map(|value| ((value >> 56) + 128) as u8)
            .collect(),
        DecodingResult::F16(samples) => {
            light(samples.into_iter().map(|value| value.to_f32()).collect())
        }
        DecodingResult::F32(samples) => light(samples),
        DecodingResult::F64(samples) => {
            light(samples.into_iter().map(|value| value as f32).collect())
        }
    }
}

/// Floating samples, of which 1 is white unless there are greater ones.
fn light(samples: Vec<f32>) -> Vec<u8> {
    let most = samples
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .fold(1.0, f32::max);
    samples
        .into_iter()
        .map(|value| (value / most * 255.0 + 0.5) as u8)
        .collect()
}

/// Planes one after the other as pixels.
fn interleave(planes: &[u8], count: usize, channels: usize) -> Vec<u8> {
    let mut out = vec![0; planes.len()];
    for (channel, plane) in planes.chunks_exact(count).enumerate() {
        for (pixel, value) in out.chunks_exact_mut(channels).zip(plane) {
            if let Some(to) = pixel.get_mut(channel) {
                *to = *value;
            }
        }
    }
    out
}

fn raster(
    (width, height): (u32, u32),
    colours: ColorType,
    channels: usize,
    samples: Vec<u8>,
    palette: Option<&[u16]>,
    icc: Option<&[u8]>,
) -> Option<Raster> {
    // Channels beyond those of the colours are for printers and programs.
    let first = |wanted: usize| -> Vec<u8> {
        if channels == wanted {
            return samples.clone();
        }
        let pixels = samples.chunks_exact(channels.max(1));
        pixels
            .flat_map(|pixel| pixel.iter().take(wanted).copied())
            .collect()
    };
    match colours {
        ColorType::Gray(bits) if let Some(map) = palette => {
            // All reds, all greens, all blues, of 16 bits each.
            let size = 1_usize << bits.min(16);
            let colour = |number: u8, channel: usize| {
                let value = map.get(usize::from(number) + channel * size);
                value.map_or(0, |value| (value >> 8) as u8)
            };
            let pixels = first(1);
            let pixels = pixels
                .iter()
                .flat_map(|number| [0, 1, 2].map(|channel| colour(*number, channel)));
            Raster::new(width, height, false, pixels.collect())
        }
        ColorType::CMYK(_) | ColorType::CMYKA(_) => {
            Raster::new(width, height, false, colour::from_inks(&first(4), icc))
        }
        ColorType::YCbCr(_) => {
            let pixels = first(3);
            let pixels = pixels.as_chunks::<3>().0.iter();
            Raster::new(width, height, false, pixels.flat_map(from_ycc).collect())
        }
        ColorType::Lab(_) => {
            let pixels = first(3);
            let pixels = pixels.as_chunks::<3>().0.iter();
            Raster::new(width, height, false, pixels.flat_map(from_lab).collect())
        }
        ColorType::Gray(_) => Raster::from_channels(width, height, 1, first(1)),
        ColorType::GrayA(_) => Raster::from_channels(width, height, 2, first(2)),
        ColorType::RGB(_) => Raster::from_channels(width, height, 3, first(3)),
        ColorType::RGBA(_) => Raster::from_channels(width, height, 4, first(4)),
        ColorType::Multiband { num_samples: 2, .. } => {
            Raster::from_channels(width, height, 2, first(2))
        }
        ColorType::Multiband { .. } => Raster::from_channels(width, height, 1, first(1)),
        _ => None,
    }
}

/// Full-range YCbCr with the weights of ITU-R BT.601, as TIFF has it by default.
fn from_ycc([y, cb, cr]: &[u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (
        f32::from(*y),
        f32::from(*cb) - 128.0,
        f32::from(*cr) - 128.0,
    );
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|value| (value + 0.5) as u8)
}

/// CIE L*a*b* with white D50, as print shops write it.
fn from_lab([lightness, a, b]: &[u8; 3]) -> [u8; 3] {
    let fy = (f32::from(*lightness) / 2.55 + 16.0) / 116.0;
    let fx = fy + (f32::from(*a) - 128.0) / 500.0;
    let fz = fy - (f32::from(*b) - 128.0) / 200.0;
    let back = |f: f32| {
        if f > 6.0 / 29.0 {
            f * f * f
        } else {
            (f - 16.0 / 116.0) * 3.0 * (6.0_f32 / 29.0).powi(2)
        }
    };
    let (x, y, z) = (back(fx) * 0.9642, back(fy), back(fz) * 0.8249);
    // To sRGB's primaries, with Bradford's adaptation to D65 in the matrix.
    [
        3.1339 * x - 1.6169 * y - 0.4906 * z,
        -0.9788 * x + 1.9161 * y + 0.0335 * z,
        0.0719 * x - 0.2290 * y + 1.4052 * z,
    ]
    .map(|light| (colour::srgb_curve(light.max(0.0)) * 255.0 + 0.5) as u8)
}

fn unmultiply(mut raster: Raster) -> Raster {
    for [red, green, blue, alpha] in raster.pixels.as_chunks_mut::<4>().0 {
        let opacity = u16::from(*alpha);
        for channel in [red, green, blue] {
            let light = (u16::from(*channel) * 255).checked_div(opacity);
            *channel = light.unwrap_or(0).min(255) as u8;
        }
    }
    raster
}
