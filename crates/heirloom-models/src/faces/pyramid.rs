//! A picture in several sizes, so that a part of it is looked at without going through all of its pixels.

use crate::{quad::Quad, sheet::Sheet};

/// A picture, half of it, half of that, and so on.
#[derive(Debug)]
pub(super) struct Pyramid<'a> {
    whole: &'a Sheet,
    smaller: Vec<Sheet>,
}

/// Nothing that is smaller is looked at.
const SMALLEST: usize = 160;

impl<'a> Pyramid<'a> {
    pub(super) fn of(whole: &'a Sheet) -> Self {
        let mut smaller: Vec<Sheet> = Vec::new();
        let mut last = whole.halved();
        while let Some(sheet) = last.filter(|it| it.width().max(it.height()) >= SMALLEST) {
            last = sheet.halved();
            smaller.push(sheet);
        }
        Self { whole, smaller }
    }

    pub(super) const fn width(&self) -> f32 {
        self.whole.width() as f32
    }

    pub(super) const fn height(&self) -> f32 {
        self.whole.height() as f32
    }

    /// Gives each pixel of a rectangle of that size with its colour, from what lies within a quadrilateral of the whole.
    pub(super) fn sample(
        &self,
        quad: &Quad,
        width: usize,
        height: usize,
        give: impl FnMut(usize, usize, [f32; 3]),
    ) {
        let finer = (quad.width() / width as f32).min(quad.height() / height as f32);
        let level = finer.max(1.0).log2() as usize;
        match level.min(self.smaller.len()).checked_sub(1) {
            None => self.whole.sample(quad, width, height, give),
            Some(at) => {
                let sheet = &self.smaller[at];
                let share = (
                    sheet.width() as f32 / self.width(),
                    sheet.height() as f32 / self.height(),
                );
                let quad = quad.scaled(share.0, share.1);
                sheet.sample(&quad, width, height, give);
            }
        }
    }
}
