//! Pictures as they are looked at: the pixels of a still or animated picture, upright and in sRGB, and
//! the renditions that are shown of it.
//!
//! [`render`] decodes once and makes everything of it; [`decode`] gives the pixels of one page;
//! [`render_pixels`] makes the renditions of pixels from elsewhere, such as a film's frame. All of it is
//! a function of bytes: no file is read, no process or thread is started, and the same bytes give the
//! same result. Decoders of many makers meet hostile bytes here, some of them in C, so the
//! program runs this in a confined process; what they do wrong in Rust ends here as an error.

mod bitmap;
mod colour;
mod error;
mod fax;
mod gif;
mod hash;
mod heif;
mod jp2;
mod jpeg;
mod jxl;
mod packed;
mod png;
mod raster;
mod raw;
mod rendition;
mod stored;
mod tiff;
mod traits;
mod webp;

use std::{
    borrow::Cow,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

pub use error::PictureError;
pub(crate) use packed::{as_it_is, pack};
pub use rendition::{Rendered, Rendition, RenditionKind};

use crate::{
    file_type::{FileType, Reader},
    finding::{Facts, Problem},
};
use raster::Raster;
use stored::Stored;

/// How much a picture may cost; what would cost more is refused before memory is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels of one picture.
    pub pixels: u64,
    /// The longest side of a full-size rendition, in pixels; what is larger is made smaller.
    pub full_side: u32,
    /// The most bytes of all renditions of a picture together.
    pub output_bytes: usize,
}

/// What is said of a picture that is there in part.
const CUT_SHORT: &str = "The picture's file ends too early; the rest of the picture is missing.";

impl Default for Limits {
    fn default() -> Self {
        Self {
            pixels: 1 << 28,
            full_side: 16_000,
            output_bytes: 256 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Refuses a picture that is too large, or has no size at all.
    fn allow(&self, width: u32, height: u32) -> Result<(), PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::damaged("it has no width or no height"));
        }
        if u64::from(width) * u64::from(height) > self.pixels {
            return Err(PictureError::TooLarge {
                width,
                height,
                pixels: self.pixels,
            });
        }
        Ok(())
    }
}

/// What is wanted of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// Which page, counted from 0; only TIFF has more than one.
    pub page: u32,
    /// The longest side that is enough, in pixels: a decoder that is faster for it gives fewer pixels
    /// than the picture has, but no longest side below this one.
    pub longest_side: Option<u32>,
}

/// Pixels to look at: upright and in sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Row by row from the top left, three bytes a pixel (red, green, blue), or four with opacity last.
    pub pixels: Vec<u8>,
    /// Whether there are four bytes a pixel.
    pub has_alpha: bool,
    /// Whether this is the first frame of several that play.
    pub is_animated: bool,
    /// How many pages the file has.
    pub pages: u32,
    /// What is wrong with the picture.
    pub problems: Vec<Problem>,
}

impl Picture {
    /// Of pixels without opacity.
    #[must_use]
    pub const fn of_pixels(width: u32, height: u32, pixels: Vec<u8>) -> Self {
        Self {
            width,
            height,
            pixels,
            has_alpha: false,
            is_animated: false,
            pages: 1,
            problems: Vec::new(),
        }
    }

    /// How many pixels it has across and down where its longest side is made that long, if it is longer.
    #[must_use]
    pub fn size_within(&self, longest_side: u32) -> (u32, u32) {
        rendition::fit(self.width, self.height, longest_side)
    }

    /// The same laid on white paper: three bytes a pixel.
    #[must_use]
    pub fn on_white(mut self) -> Self {
        let Some(raster) = Raster::new(
            self.width,
            self.height,
            self.has_alpha,
            std::mem::take(&mut self.pixels),
        ) else {
            return self;
        };
        let raster = raster.on_white();
        Self {
            pixels: raster.pixels,
            has_alpha: false,
            ..self
        }
    }

    /// The same as JPEG on white paper, made smaller where its longest side is longer than that.
    ///
    /// # Errors
    /// [`PictureError`] of a picture without pixels.
    pub fn to_jpeg(self, longest_side: u32) -> Result<Vec<u8>, PictureError> {
        let picture = self.on_white();
        let raster = Raster::new(picture.width, picture.height, false, picture.pixels);
        let raster = raster.ok_or_else(|| PictureError::damaged("it has no pixels"))?;
        rendition::jpeg_of(&raster, longest_side)
    }
}

/// The pixels of a picture.
///
/// # Errors
/// Where nothing of the picture can be shown. What is damaged in part is shown in part, and
/// [`Picture::problems`] says so.
pub fn decode(
    bytes: &[u8],
    file_type: FileType,
    limits: &Limits,
    want: Want,
) -> Result<Picture, PictureError> {
    guarded(|| {
        let mut stored = open(bytes, file_type, limits, want)?;
        let raster = stored.take_upright();
        Ok(Picture {
            width: raster.width,
            height: raster.height,
            has_alpha: raster.has_alpha,
            pixels: raster.pixels,
            is_animated: stored.is_animated,
            pages: stored.pages,
            problems: stored.problems,
        })
    })
}

/// Everything that is shown of a picture, from decoding it once.
///
/// A full-size rendition is made only where browsers do not show the original.
///
/// # Errors
/// As [`decode`], and where the renditions would be larger than allowed.
pub fn render(
    bytes: &[u8],
    file_type: FileType,
    limits: &Limits,
) -> Result<Rendered, PictureError> {
    let has_full = !is_shown_by_browsers(file_type);
    let want = Want {
        page: 0,
        longest_side: (!has_full).then_some(rendition::SCREEN_SIDE),
    };
    guarded(|| {
        let stored = open(bytes, file_type, limits, want)?;
        let exact_hash = traits::exact_hash(bytes, file_type, &stored);
        let mut rendered = rendition::make(stored, has_full, limits)?;
        rendered.traits.exact_hash = exact_hash;
        Ok(rendered)
    })
}

/// Everything that is shown of one page of a picture, counted from 0.
///
/// # Errors
/// As [`render`], and [`PictureError::NoSuchPage`].
pub fn render_page(
    bytes: &[u8],
    file_type: FileType,
    limits: &Limits,
    page: u32,
) -> Result<Rendered, PictureError> {
    let want = Want {
        page,
        longest_side: None,
    };
    guarded(|| {
        let stored = open(bytes, file_type, limits, want)?;
        rendition::make(stored, !is_shown_by_browsers(file_type), limits)
    })
}

/// How many pages a picture has: one, unless it is a TIFF with more.
#[must_use]
pub fn count_pages(bytes: &[u8], file_type: FileType) -> u32 {
    match file_type.reader {
        Reader::Tiff => facts(bytes, file_type).page_count.unwrap_or(1).max(1),
        _ => 1,
    }
}

/// The renditions of pixels that were got elsewhere: of a film's frame, or a page of a document.
///
/// `has_full` asks for a full-size rendition too.
///
/// # Errors
/// Where the number of pixels is not what the sides say, and as [`render`].
pub fn render_pixels(
    picture: Picture,
    has_full: bool,
    limits: &Limits,
) -> Result<Rendered, PictureError> {
    limits.allow(picture.width, picture.height)?;
    let raster = Raster::new(
        picture.width,
        picture.height,
        picture.has_alpha,
        picture.pixels,
    )
    .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    guarded(|| {
        let mut stored = Stored::of(raster);
        stored.is_animated = picture.is_animated;
        stored.pages = picture.pages;
        stored.problems = picture.problems;
        rendition::make(stored, has_full, limits)
    })
}

/// Whether the browsers of today show the original.
///
/// Not all show a HEIC or a JPEG XL, and none a RAW.
#[must_use]
pub fn is_shown_by_browsers(file_type: FileType) -> bool {
    matches!(
        file_type.media_type,
        "image/jpeg"
            | "image/png"
            | "image/webp"
            | "image/gif"
            | "image/avif"
            | "image/bmp"
            | "image/vnd.microsoft.icon"
            | "image/svg+xml"
    )
}

fn open(
    bytes: &[u8],
    file_type: FileType,
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    if want.page > 0 && file_type.reader != Reader::Tiff {
        return Err(PictureError::NoSuchPage);
    }
    let facts = facts(bytes, file_type);
    match file_type.reader {
        Reader::Jpeg => jpeg::open(bytes, &facts, limits, want),
        Reader::Png => png::open(bytes, &facts, limits),
        Reader::Webp => webp::open(bytes, &facts, limits),
        Reader::Gif => gif::open(bytes, &facts, limits),
        Reader::Bitmap => bitmap::open(bytes, limits),
        Reader::Tiff => tiff::open(bytes, &facts, limits, want),
        Reader::Heif => heif::open(bytes, limits),
        Reader::Jxl | Reader::JxlCodestream => jxl::open(bytes, limits),
        Reader::Jp2 | Reader::J2k => jp2::open(bytes, limits),
        _ if file_type.is_raw => raw::open(bytes, file_type, &facts, limits, want),
        _ => Err(PictureError::NotDrawn {
            name: file_type.name,
        }),
    }
}

/// What the file states of its picture: orientation, frames, pages.
fn facts(bytes: &[u8], file_type: FileType) -> Facts {
    crate::metadata(&mut Cursor::new(bytes), file_type, "")
        .map(|metadata| metadata.facts)
        .unwrap_or_default()
}

/// Of a file that was cut short, more than one part in so many has to be there.
const LEAST_PART: usize = 8;
/// The longest that one is filled up to.
const FILLED_BYTES: usize = 256 * 1024 * 1024;

/// A file of that stated length with zeros in the place of what is missing at its end, and whether anything
/// is: a decoder that knows no other way than to the end draws what is there on its way.
fn filled(bytes: &[u8], stated: Option<usize>) -> (Cow<'_, [u8]>, bool) {
    let whole = stated.filter(|whole| {
        *whole > bytes.len() && *whole <= FILLED_BYTES && bytes.len() > *whole / LEAST_PART
    });
    match whole {
        Some(whole) => {
            let mut filled = bytes.to_vec();
            filled.resize(whole, 0);
            (filled.into(), true)
        }
        None => (bytes.into(), false),
    }
}

/// Decoders should not panic, and some do; that is an answer about the picture.
pub(crate) fn guarded<T>(
    work: impl FnOnce() -> Result<T, PictureError>,
) -> Result<T, PictureError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(PictureError::damaged("its decoder gave up")))
}

/// A sentence about a picture.
fn problem(what: impl Into<String>) -> Problem {
    Problem { what: what.into() }
}
