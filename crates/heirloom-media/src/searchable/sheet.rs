//! The picture of a page as it lies in the document.

use serde::{Deserialize, Serialize};

use crate::{
    FileType,
    picture::{self, Limits, Picture, PictureError, Want},
};

/// A picture of a page, packed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// Pixels across, as it is stored.
    pub width: u32,
    /// Pixels down, as it is stored.
    pub height: u32,
    /// How it is to be turned: EXIF orientation, 1 to 8.
    pub orientation: u8,
    /// How it is packed.
    pub form: Form,
    /// How long the longest side of the page is, in points of which 72 are an inch, where that is known.
    pub longest_points: Option<f32>,
    /// The colours that it is in, where these are not those of sRGB: an ICC profile.
    #[serde(skip)]
    pub profile: Option<Vec<u8>>,
    /// The packed bytes.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// How a picture is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A JPEG of red, green and blue.
    Colour,
    /// A JPEG of grey.
    Gray,
    /// Black and white, a bit each, deflated.
    Bits,
}

/// How well JPEG is written, of 100.
const QUALITY: i32 = 85;

impl Sheet {
    /// Of a picture of a single page: a JPEG as it is, where a PDF may have it so, and the pixels of any other.
    ///
    /// # Errors
    /// Where nothing of it can be shown.
    pub fn of_picture(
        bytes: Vec<u8>,
        file_type: FileType,
        limits: &Limits,
    ) -> Result<Self, PictureError> {
        if let Some((sheet, length)) = picture::as_it_is(&bytes, file_type) {
            let mut bytes = bytes;
            bytes.truncate(length);
            return Ok(Self { bytes, ..sheet });
        }
        let decoded = picture::decode(&bytes, file_type, limits, Want::default())?;
        Self::of_pixels(decoded.on_white())
    }

    /// Of pixels without opacity.
    ///
    /// # Errors
    /// Where they cannot be packed.
    pub fn of_pixels(picture: Picture) -> Result<Self, PictureError> {
        let (pixels, _) = picture.pixels.as_chunks::<3>();
        let is_gray = pixels.iter().all(|[r, g, b]| r == g && g == b);
        let is_bits = is_gray && pixels.iter().all(|[r, ..]| matches!(r, 0 | 255));
        let size = (picture.width, picture.height);
        let (form, bytes) = match (is_bits, is_gray) {
            (true, _) => return Ok(Self::of_bits(&picture)),
            (false, true) => {
                let levels: Vec<u8> = pixels.iter().map(|[level, ..]| *level).collect();
                (Form::Gray, picture::pack(&levels, 1, size, QUALITY)?)
            }
            (false, false) => {
                let packed = picture::pack(&picture.pixels, 3, size, QUALITY)?;
                (Form::Colour, packed)
            }
        };
        Ok(Self::upright(&picture, form, bytes))
    }

    /// Of pixels that are black or white; what is darker than half is black.
    #[must_use]
    pub fn of_bits(picture: &Picture) -> Self {
        let (pixels, _) = picture.pixels.as_chunks::<3>();
        let bytes = bits(pixels, picture.width as usize);
        Self::upright(picture, Form::Bits, bytes)
    }

    fn upright(picture: &Picture, form: Form, bytes: Vec<u8>) -> Self {
        Self {
            width: picture.width,
            height: picture.height,
            orientation: 1,
            form,
            longest_points: None,
            profile: None,
            bytes,
        }
    }
}

/// A bit for each pixel, rows from their first bit, deflated.
fn bits(pixels: &[[u8; 3]], width: usize) -> Vec<u8> {
    let rows = pixels.chunks(width.max(1));
    let rows = rows.flat_map(|row| {
        row.chunks(8).map(|eight| {
            let bits = eight.iter().enumerate();
            bits.fold(0_u8, |byte, (at, [level, ..])| {
                byte | (u8::from(*level > 127) << (7 - at))
            })
        })
    });
    let rows: Vec<u8> = rows.collect();
    miniz_oxide::deflate::compress_to_vec_zlib(&rows, 6)
}
