//! A picture in several sizes, so that a part of it is looked at without going through all of its pixels.

use crate::{
    quad::{Point, Quad},
    sheet::Sheet,
};

/// A picture, half of it, half of that, and so on, as whoever turns it sees it.
#[derive(Debug)]
pub(super) struct Pyramid<'a> {
    whole: &'a Sheet,
    smaller: Vec<Sheet>,
    /// By how many quarters it is turned with the clock.
    quarters: usize,
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
        Self {
            whole,
            smaller,
            quarters: 0,
        }
    }

    /// Turns it, by so many quarters of how it lies itself.
    pub(super) const fn turn(&mut self, quarters: usize) {
        self.quarters = quarters % 4;
    }

    /// How wide it is as it is turned.
    pub(super) const fn width(&self) -> f32 {
        match self.quarters % 2 {
            0 => self.whole.width() as f32,
            _ => self.whole.height() as f32,
        }
    }

    /// How high it is as it is turned.
    pub(super) const fn height(&self) -> f32 {
        match self.quarters % 2 {
            0 => self.whole.height() as f32,
            _ => self.whole.width() as f32,
        }
    }

    /// Where a point of it as it is turned lies in the picture itself.
    pub(super) const fn place(&self, Point { x, y }: Point) -> Point {
        let (width, height) = (self.whole.width() as f32, self.whole.height() as f32);
        match self.quarters {
            0 => Point { x, y },
            1 => Point {
                x: y,
                y: height - x,
            },
            2 => Point {
                x: width - x,
                y: height - y,
            },
            _ => Point { x: width - y, y: x },
        }
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
        let quad = Quad(quad.0.map(|corner| self.place(corner)));
        match level.min(self.smaller.len()).checked_sub(1) {
            None => self.whole.sample(&quad, width, height, give),
            Some(at) => {
                let sheet = &self.smaller[at];
                let share = (
                    sheet.width() as f32 / self.whole.width() as f32,
                    sheet.height() as f32 / self.whole.height() as f32,
                );
                let quad = quad.scaled(share.0, share.1);
                sheet.sample(&quad, width, height, give);
            }
        }
    }
}
