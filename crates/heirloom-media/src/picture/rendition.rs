//! The forms in which a picture is shown, made from one decoding.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use heirloom_core::duplicate::Traits;

use super::{Limits, PictureError, hash, packed::pack, raster::Raster, stored::Stored, traits};
use crate::finding::Problem;

/// The longest side of a picture in a grid, in pixels.
pub(super) const GRID_SIDE: u32 = 250;

/// The longest side of a picture that fills a screen, in pixels.
pub(super) const SCREEN_SIDE: u32 = 1440;

/// The longest side that WebP can have, in pixels.
const WEBP_SIDE: u32 = 16_383;

/// What is shown of a picture, and what stands for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Width of the picture itself in pixels, upright.
    pub width: u32,
    /// Height of the picture itself in pixels, upright.
    pub height: u32,
    /// Whether it plays; the renditions are of its first frame.
    pub is_animated: bool,
    /// How many pages the file has; the renditions are of the first.
    pub pages: u32,
    /// Its forms, at most one of each kind; none is larger than the picture.
    pub renditions: Vec<Rendition>,
    /// A blurred preview in some 25 bytes: ThumbHash, <https://evanw.github.io/thumbhash>.
    pub thumbhash: Vec<u8>,
    /// A fingerprint: of two pictures that look alike few of the 64 bits differ.
    ///
    /// It is the hash by discrete cosine transform of C. Zauner, "Implementation and Benchmarking of
    /// Perceptual Image Hash Functions" (2010), section 3.1: of 32 × 32 grey levels, whether each of the
    /// frequencies 1 to 8 in both directions is above their median.
    pub perceptual_hash: u64,
    /// What it is told from others by, and how good it is.
    pub traits: Traits,
    /// What is wrong with the picture.
    pub problems: Vec<Problem>,
}

/// What a rendition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RenditionKind {
    /// Many at once: the longest side is at most 250 pixels.
    Grid,
    /// One that fills a screen: the longest side is at most 1440 pixels.
    Screen,
    /// The whole picture, in a form that browsers show.
    Full,
}

/// A picture in a form to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// What it is for.
    pub kind: RenditionKind,
    /// `image/webp` or `image/jpeg`.
    pub media_type: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// How well JPEG is written, of 100.
const SCREEN_QUALITY: i32 = 80;
const FULL_QUALITY: i32 = 88;

/// How well WebP is written, of 100, and with how much effort, of 6: more than 1 costs more time than the
/// bytes are worth.
const GRID_QUALITY: f32 = 75.0;
const GRID_EFFORT: i32 = 1;

/// Makes everything that is shown of a picture.
pub(super) fn make(
    mut stored: Stored,
    has_full: bool,
    limits: &Limits,
) -> Result<Rendered, PictureError> {
    let too_small = || PictureError::damaged("it cannot be made smaller");
    let (width, height) = stored.upright_size();
    // Turning and colours come after making smaller, when there is less to do.
    let (screen_width, screen_height) = fit(stored.full.0, stored.full.1, SCREEN_SIDE);
    let screen = stored
        .smaller(screen_width, screen_height)
        .ok_or_else(too_small)?;
    let (grid_width, grid_height) = fit(width, height, GRID_SIDE);
    let grid =
        resize(&screen, grid_width, grid_height, FilterType::Lanczos3).ok_or_else(too_small)?;
    let thumbhash = hash::thumbhash(&grid).ok_or_else(too_small)?;
    let perceptual_hash = hash::perceptual_hash(&grid).ok_or_else(too_small)?;
    let traits = Traits {
        miniature: traits::miniature(&grid, (width, height)),
        quality: traits::quality(&screen),
        exact_hash: None,
    };

    let mut renditions = vec![
        webp(RenditionKind::Grid, &grid, GRID_QUALITY, GRID_EFFORT)?,
        jpeg(RenditionKind::Screen, screen.on_white(), SCREEN_QUALITY)?,
    ];
    if has_full {
        renditions.push(full(&mut stored, limits)?);
    }
    let bytes: usize = renditions
        .iter()
        .map(|rendition| rendition.bytes.len())
        .sum();
    if bytes > limits.output_bytes {
        return Err(PictureError::TooMuchOutput);
    }
    Ok(Rendered {
        width,
        height,
        is_animated: stored.is_animated,
        pages: stored.pages,
        renditions,
        thumbhash,
        perceptual_hash,
        traits,
        problems: stored.problems,
    })
}

impl Stored {
    /// The picture at this size, which is of the stored form, upright and in sRGB.
    fn smaller(&self, width: u32, height: u32) -> Option<Raster> {
        let raster = resize(&self.raster, width, height, FilterType::Lanczos3)?;
        Some(self.finish(raster))
    }
}

fn full(stored: &mut Stored, limits: &Limits) -> Result<Rendition, PictureError> {
    let (width, height) = (stored.raster.width, stored.raster.height);
    let (to_width, to_height) = fit(width, height, limits.full_side);
    let raster = if (to_width, to_height) == (width, height) {
        stored.take_upright()
    } else {
        stored
            .smaller(to_width, to_height)
            .ok_or_else(|| PictureError::damaged("it cannot be made smaller"))?
    };
    if raster.has_alpha && raster.width.max(raster.height) <= WEBP_SIDE {
        webp(
            RenditionKind::Full,
            &raster,
            FULL_QUALITY as f32,
            GRID_EFFORT,
        )
    } else {
        jpeg(RenditionKind::Full, raster.on_white(), FULL_QUALITY)
    }
}

/// The size of what is at most so long, with the same shape; nothing is enlarged or vanishes.
pub(super) fn fit(width: u32, height: u32, longest: u32) -> (u32, u32) {
    let side = width.max(height);
    if side <= longest {
        return (width, height);
    }
    let scale = |length: u32| {
        let scaled =
            (u64::from(length) * u64::from(longest) + u64::from(side) / 2) / u64::from(side);
        u32::try_from(scaled).unwrap_or(longest).max(1)
    };
    (scale(width), scale(height))
}

/// The picture at exactly this size.
pub(super) fn resize(
    raster: &Raster,
    width: u32,
    height: u32,
    filter: FilterType,
) -> Option<Raster> {
    if (raster.width, raster.height) == (width, height) {
        return Some(raster.clone());
    }
    let pixel_type = if raster.has_alpha {
        PixelType::U8x4
    } else {
        PixelType::U8x3
    };
    let source = ImageRef::new(raster.width, raster.height, &raster.pixels, pixel_type).ok()?;
    let mut target = Image::new(width, height, pixel_type);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Raster::new(width, height, raster.has_alpha, target.into_vec())
}

fn jpeg(kind: RenditionKind, raster: Raster, quality: i32) -> Result<Rendition, PictureError> {
    Ok(Rendition {
        kind,
        media_type: "image/jpeg",
        width: raster.width,
        height: raster.height,
        bytes: encode_jpeg(&raster, quality)?,
    })
}

/// A picture of three bytes a pixel as JPEG, made smaller where its longest side is longer than that.
pub(super) fn jpeg_of(raster: &Raster, longest: u32) -> Result<Vec<u8>, PictureError> {
    let (width, height) = fit(raster.width, raster.height, longest);
    let smaller = resize(raster, width, height, FilterType::Lanczos3);
    let smaller = smaller.ok_or_else(|| PictureError::damaged("it cannot be made smaller"))?;
    encode_jpeg(&smaller, SCREEN_QUALITY)
}

fn encode_jpeg(raster: &Raster, quality: i32) -> Result<Vec<u8>, PictureError> {
    pack(&raster.pixels, 3, (raster.width, raster.height), quality)
}

fn webp(
    kind: RenditionKind,
    raster: &Raster,
    quality: f32,
    effort: i32,
) -> Result<Rendition, PictureError> {
    let layout = if raster.has_alpha {
        webp::PixelLayout::Rgba
    } else {
        webp::PixelLayout::Rgb
    };
    let failed = || PictureError::unsupported("WebP was not written");
    let mut config = webp::WebPConfig::new().map_err(|()| failed())?;
    config.quality = quality;
    config.method = effort;
    let bytes = webp::Encoder::new(&raster.pixels, layout, raster.width, raster.height)
        .encode_advanced(&config)
        .map_err(|_| failed())?;
    Ok(Rendition {
        kind,
        media_type: "image/webp",
        width: raster.width,
        height: raster.height,
        bytes: bytes.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn a_picture_is_made_smaller_in_its_shape_and_never_larger() {
        let cases = [
            ((4000, 3000, 1440), (1440, 1080)),
            ((3000, 4000, 250), (188, 250)),
            ((1440, 900, 1440), (1440, 900)),
            ((8, 12, 250), (8, 12)),
            ((1, 60_000, 250), (1, 250)),
            ((60_000, 1, 1440), (1440, 1)),
        ];
        for ((width, height, longest), wanted) in cases {
            assert_eq!(fit(width, height, longest), wanted);
        }
    }
}
