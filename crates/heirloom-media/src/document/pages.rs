//! The pages of a document as pictures.

use super::{DocumentError, Layer, guarded, pdf::Pdf};
use crate::{
    file_type::{self as types, FileType},
    picture::{self, Limits, Picture, PictureError, Rendered, Want},
};

/// The longest side of a page of a PDF that is shown, in pixels.
const SCREEN: u32 = 1440;

/// A document or picture whose pages can be drawn.
pub struct Pages(Kind);

enum Kind {
    Pdf(Pdf),
    Picture {
        bytes: Vec<u8>,
        file_type: FileType,
        count: u32,
    },
}

impl Pages {
    /// Opens a PDF, or a TIFF.
    ///
    /// # Errors
    /// [`DocumentError`] where no page can be drawn.
    pub fn open(bytes: Vec<u8>, file_type: FileType) -> Result<Self, DocumentError> {
        match file_type {
            types::PDF => guarded(|| Pdf::open(bytes)).map(|pdf| Self(Kind::Pdf(pdf))),
            types::TIFF => Ok(Self(Kind::Picture {
                count: picture::count_pages(&bytes, file_type),
                bytes,
                file_type,
            })),
            _ => Err(DocumentError::NotRead {
                name: file_type.name,
            }),
        }
    }

    /// How many pages there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        match &self.0 {
            Kind::Pdf(pdf) => pdf.count(),
            Kind::Picture { count, .. } => *count,
        }
    }

    /// What a page, counted from 1, says itself; `None` where it says nothing, or its reader gives up on it.
    #[must_use]
    pub fn layer(&self, page: u32) -> Option<Layer> {
        let number = page.checked_sub(1)?;
        match &self.0 {
            Kind::Pdf(pdf) => guarded(|| Ok(pdf.look(number))).ok().flatten(),
            Kind::Picture { .. } => None,
        }
    }

    /// What is shown of a page, counted from 1.
    ///
    /// A page of a PDF is drawn as large as a screen, and no finer than 300 pixels an inch.
    ///
    /// # Errors
    /// Where nothing of the page can be shown.
    pub fn draw(&self, page: u32, limits: &Limits) -> Result<Rendered, PictureError> {
        let number = page.checked_sub(1).ok_or(PictureError::NoSuchPage)?;
        match &self.0 {
            Kind::Pdf(pdf) => {
                let picture = picture::guarded(|| pdf.draw(number, SCREEN))?;
                picture::render_pixels(picture, false, limits)
            }
            Kind::Picture {
                bytes, file_type, ..
            } => picture::render_page(bytes, *file_type, limits, number),
        }
    }

    /// How long the longest side of a page, counted from 1, is in points of which 72 are an inch; `None` where it does not say.
    #[must_use]
    pub fn longest_points(&self, page: u32) -> Option<f32> {
        match &self.0 {
            Kind::Pdf(pdf) => pdf.longest_points(page.checked_sub(1)?),
            Kind::Picture { .. } => None,
        }
    }

    /// The pixels of a page, counted from 1. A page of a PDF is drawn so that its longest side has that many.
    ///
    /// # Errors
    /// Where nothing of the page can be shown.
    pub fn pixels(
        &self,
        page: u32,
        longest_side: u32,
        limits: &Limits,
    ) -> Result<Picture, PictureError> {
        let number = page.checked_sub(1).ok_or(PictureError::NoSuchPage)?;
        match &self.0 {
            Kind::Pdf(pdf) => picture::guarded(|| pdf.draw(number, longest_side)),
            Kind::Picture {
                bytes, file_type, ..
            } => {
                let want = Want {
                    page: number,
                    longest_side: Some(longest_side),
                };
                picture::decode(bytes, *file_type, limits, want)
            }
        }
    }
}
