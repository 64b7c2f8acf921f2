//! What stands for a picture in few bytes: a blurred preview, and a fingerprint that survives small changes.

use fast_image_resize::FilterType;

use super::{raster::Raster, rendition::resize};

/// The longest side that a ThumbHash is made of, in pixels.
const THUMB_SIDE: u32 = 100;

/// The ThumbHash of a picture, by Evan Wallace (<https://evanw.github.io/thumbhash>): some 25 bytes.
pub(super) fn thumbhash(raster: &Raster) -> Option<Vec<u8>> {
    let (width, height) = super::rendition::fit(raster.width, raster.height, THUMB_SIDE);
    let small = resize(raster, width, height, FilterType::Box)?;
    let rgba = if small.has_alpha {
        small.pixels
    } else {
        let pixels = small.pixels.as_chunks::<3>().0.iter();
        pixels.flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect()
    };
    Some(fast_thumbhash::rgba_to_thumb_hash(
        width as usize,
        height as usize,
        &rgba,
    ))
}

const SIDE: usize = 32;
const FREQUENCIES: usize = 8;

/// A fingerprint of 64 bits; of pictures that look alike few bits differ.
///
/// The hash by discrete cosine transform of C. Zauner, "Implementation and Benchmarking of Perceptual
/// Image Hash Functions" (2010), section 3.1: grey levels of 32 × 32 pixels, the coefficients of frequencies 1
/// to 8 in both directions, and for each a bit that says whether it is above their median. The highest bit
/// is of the lowest frequencies; rows are vertical frequencies. What is clear counts as white.
pub(super) fn perceptual_hash(raster: &Raster) -> Option<u64> {
    let small = resize(raster, SIDE as u32, SIDE as u32, FilterType::Box)?.on_white();
    let grey: Vec<f32> = small
        .pixels
        .as_chunks::<3>()
        .0
        .iter()
        .map(|[r, g, b]| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b))
        .collect();
    // The transform's rows, of the frequencies that are wanted.
    let cosines: Vec<Vec<f32>> = (1..=FREQUENCIES)
        .map(|frequency| {
            let angle = std::f32::consts::PI / SIDE as f32 * frequency as f32;
            (0..SIDE)
                .map(|at| (angle * (at as f32 + 0.5)).cos())
                .collect()
        })
        .collect();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let across: Vec<Vec<f32>> = cosines
        .iter()
        .map(|cosine| {
            grey.chunks_exact(SIDE)
                .map(|row| dot(row, cosine))
                .collect()
        })
        .collect();
    let coefficients: Vec<f32> = cosines
        .iter()
        .flat_map(|cosine| across.iter().map(|column| dot(column, cosine)))
        .collect();
    let mut sorted = coefficients.clone();
    sorted.sort_by(f32::total_cmp);
    let middle = sorted.len() / 2;
    let median = f32::midpoint(*sorted.get(middle - 1)?, *sorted.get(middle)?);
    Some(
        coefficients
            .iter()
            .fold(0, |hash, value| hash << 1 | u64::from(*value > median)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(width: u32, height: u32, brighter: f32) -> Raster {
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
                let light = 90.0 + 60.0 * (x * 7.0 + y * y * 5.0).sin() + 40.0 * (y * 11.0).cos();
                let sun = if (x - 0.7).hypot(y - 0.3) < 0.2 {
                    60.0
                } else {
                    0.0
                };
                let value = (light + sun + brighter).clamp(0.0, 255.0) as u8;
                pixels.extend([value, value / 2, 255 - value]);
            }
        }
        Raster::new(width, height, false, pixels).unwrap()
    }

    #[test]
    fn a_picture_keeps_its_fingerprint_when_it_is_made_smaller_or_brighter() {
        let of = |raster: &Raster| perceptual_hash(raster).unwrap();
        let whole = of(&scene(640, 480, 0.0));
        let distance = |other: u64| (whole ^ other).count_ones();
        assert!(distance(of(&scene(250, 188, 0.0))) <= 2);
        assert!(distance(of(&scene(640, 480, 12.0))) <= 4);
        assert!(distance(of(&scene(640, 480, 0.0).turned(6))) > 20);
        assert_eq!(
            whole.count_ones(),
            32,
            "half of the bits lie above the median"
        );
    }

    #[test]
    fn the_preview_has_the_shape_and_the_colour_of_the_picture() {
        let tall = Raster::new(90, 250, false, [200, 40, 40].repeat(90 * 250)).unwrap();
        let hash = thumbhash(&tall).unwrap();
        let (r, g, b, a) = fast_thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        assert!((r - 0.78).abs() < 0.05 && (g - 0.16).abs() < 0.05 && (b - 0.16).abs() < 0.05);
        assert_eq!(a, 1.0);
        assert!(fast_thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap() < 0.5);
    }
}
