//! What tells a picture from others, and how good it is: its miniature, its quality, and a hash of what is in it.

use fast_image_resize::FilterType;
use heirloom_core::{
    ContentHash,
    duplicate::{Miniature, Quality},
};

use super::{
    jpeg,
    raster::Raster,
    rendition::{fit, resize},
    stored::Stored,
};
use crate::{
    bytes::{be16, rest, slice, u8_at},
    file_type::{FileType, Reader},
};

/// A picture with fewer pixels across or down shows too little to be told from others.
const LEAST_SIDE: u32 = 32;
/// The longest side of what sharpness and light are measured of, in pixels: as much as people see at once.
const MEASURED_SIDE: u32 = 720;
/// Sharpness is that of the sharpest of so many parts across and down: whatever else may lie out of focus.
const PARTS: usize = 8;
const SHARPEST: usize = 8;
/// From these levels on there is nothing but black or white.
const BLACK: f32 = 4.0;
const WHITE: f32 = 251.0;
/// Added to how much light and dark there is, so that noise in a grey wall is not sharp.
const LEAST_CONTRAST: f32 = 8.0;

/// The miniature of a picture that is so large; none of one that is too small or too plain.
pub(super) fn miniature(raster: &Raster, (width, height): (u32, u32)) -> Option<Miniature> {
    if width.min(height) < LEAST_SIDE {
        return None;
    }
    let side = Miniature::SIDE as u32;
    let small = resize(raster, side, side, FilterType::Box)?.on_white();
    let levels = grey(&small).into_iter().map(|level| level.round() as u8);
    Miniature::new(levels.collect())
}

/// How sharp and how well lit a picture is; none of one that is too small to say.
pub(super) fn quality(raster: &Raster) -> Option<Quality> {
    let (width, height) = fit(raster.width, raster.height, MEASURED_SIDE);
    if width.min(height) < LEAST_SIDE {
        return None;
    }
    let small = resize(raster, width, height, FilterType::Box)?.on_white();
    let (width, height) = (width as usize, height as usize);
    let levels = grey(&small);
    let count = levels.len() as f32;
    let clipped = levels.iter().filter(|it| **it <= BLACK || **it >= WHITE);
    let clipped = clipped.count() as f32 / count;
    let mean = levels.iter().sum::<f32>() / count;
    let contrast = (levels.iter().map(|it| (it - mean).powi(2)).sum::<f32>() / count).sqrt();
    // How much each pixel differs from the mean of its neighbours, by parts.
    let mut sums = [[(0.0_f32, 0_u32); PARTS]; PARTS];
    let rows: Vec<&[f32]> = levels.chunks_exact(width).collect();
    for (y, rows) in rows.windows(3).enumerate() {
        let &[above, row, below] = rows else { continue };
        let sums = sums.get_mut((y + 1) * PARTS / height)?;
        let near = row.windows(3).zip(above.iter().zip(below).skip(1));
        for (x, (row, (above, below))) in near.enumerate() {
            let &[left, level, right] = row else { continue };
            let around = (left + right + above + below) / 4.0;
            let sum = sums.get_mut((x + 1) * PARTS / width)?;
            sum.0 += (level - around).powi(2);
            sum.1 += 1;
        }
    }
    let mut edges: Vec<f32> = sums
        .iter()
        .flatten()
        .map(|(sum, count)| (sum / *count.max(&1) as f32).sqrt())
        .collect();
    edges.sort_by(|a, b| b.total_cmp(a));
    let sharpest = edges.iter().take(SHARPEST).sum::<f32>() / SHARPEST as f32;
    Some(Quality {
        sharpness: sharpest / (contrast + LEAST_CONTRAST),
        clipped,
    })
}

fn grey(raster: &Raster) -> Vec<f32> {
    let pixels = raster.pixels.as_chunks::<3>().0.iter();
    pixels
        .map(|[r, g, b]| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b))
        .collect()
}

/// A hash that two files have in common only if the very same picture is in them, whatever else they say: of a JPEG over
/// what it is decoded from, of what is stored without loss and with eight bits a channel over its pixels. None where that
/// is not certain: of several pictures in one file, of what is damaged, of what has a colour profile.
pub(super) fn exact_hash(
    bytes: &[u8],
    file_type: FileType,
    stored: &Stored,
) -> Option<ContentHash> {
    if stored.is_animated || stored.pages > 1 || !stored.problems.is_empty() || file_type.is_raw {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    match file_type.reader {
        Reader::Jpeg => {
            hasher.update(b"jpeg");
            hash_jpeg(bytes, &mut hasher)?;
            hasher.update(&[stored.orientation]);
        }
        Reader::Png | Reader::Webp | Reader::Gif | Reader::Bitmap
            if stored.profile.is_none()
                && stored.full == (stored.raster.width, stored.raster.height)
                && has_eight_bits(bytes, file_type) =>
        {
            hasher.update(b"pixels");
            hasher.update(&stored.raster.width.to_le_bytes());
            hasher.update(&stored.raster.height.to_le_bytes());
            hasher.update(&[stored.orientation, u8::from(stored.raster.has_alpha)]);
            hasher.update(&stored.raster.pixels);
        }
        _ => return None,
    }
    Some(ContentHash::from_bytes(*hasher.finalize().as_bytes()))
}

/// Whether no channel had more bits than were decoded.
fn has_eight_bits(bytes: &[u8], file_type: FileType) -> bool {
    match file_type.reader {
        // PNG, section 11.2.1: the header comes first, and the depth after the sides.
        Reader::Png => u8_at(bytes, 24).is_some_and(|bits| bits <= 8),
        _ => true,
    }
}

/// Everything that a JPEG is decoded from, up to its end: frames, tables, colour profile, scans. Nothing that stands behind
/// the first picture.
fn hash_jpeg(bytes: &[u8], hasher: &mut blake3::Hasher) -> Option<()> {
    let mut at = jpeg::walk(bytes, |marker, body| {
        // Frames and tables, the interval of restarts, colours by ICC and by Adobe.
        let is_decoded = matches!(marker, 0xC0..=0xCF | 0xDB | 0xDD)
            || marker == 0xE2 && body.starts_with(b"ICC_PROFILE\0")
            || marker == 0xEE && body.starts_with(b"Adobe");
        if is_decoded {
            hasher.update(&[marker]);
            hasher.update(&(body.len() as u64).to_le_bytes());
            hasher.update(body);
        }
        true
    })?;
    // Scans, with tables between them (ITU-T T.81, annex B).
    let first = at;
    loop {
        let marker = rest(bytes, at).iter().position(|byte| *byte == 0xFF)? + at + 1;
        at = match u8_at(bytes, marker)? {
            // A byte of the data that looks like a marker, a restart, and what fills up.
            0x00 | 0xD0..=0xD7 => marker + 1,
            0xFF => marker,
            0xD9 => {
                hasher.update(slice(bytes, first, marker + 1 - first)?);
                return Some(());
            }
            _ => marker + 1 + usize::from(be16(bytes, marker + 1)?),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(blur: f32, gain: f32) -> Raster {
        let (width, height) = (320_u32, 240_u32);
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let edge = ((x as f32 * 0.21).sin() * (y as f32 * 0.17).cos() / blur).tanh();
                let level = (110.0 + 70.0 * edge) * gain;
                pixels.extend([level.clamp(0.0, 255.0) as u8; 3]);
            }
        }
        Raster::new(width, height, false, pixels).unwrap()
    }

    #[test]
    fn the_sharper_of_two_is_told_whatever_its_light() {
        let of = |blur, gain| quality(&scene(blur, gain)).unwrap().sharpness;
        assert!(of(0.05, 1.0) > of(0.3, 1.0) * 1.2);
        assert!((of(0.05, 1.0) / of(0.05, 0.7) - 1.0).abs() < 0.1);
        assert!(of(0.05, 0.7) > of(0.3, 1.3));
    }

    #[test]
    fn what_is_nothing_but_white_is_counted() {
        let clipped = |gain| quality(&scene(0.3, gain)).unwrap().clipped;
        assert!(clipped(1.0) < 0.01, "{}", clipped(1.0));
        assert!(clipped(2.0) > 0.3, "{}", clipped(2.0));
    }

    #[test]
    fn a_picture_that_is_too_small_or_too_plain_says_nothing() {
        let tiny = Raster::new(8, 12, false, vec![90; 8 * 12 * 3]).unwrap();
        assert_eq!(quality(&tiny), None);
        assert_eq!(miniature(&tiny, (8, 12)), None);
        let white = Raster::new(100, 100, false, vec![255; 30_000]).unwrap();
        assert_eq!(miniature(&white, (100, 100)), None);
        assert!(miniature(&scene(0.3, 1.0), (320, 240)).is_some());
    }
}
