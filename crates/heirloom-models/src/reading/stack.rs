//! Lines of a page, straight and one below the other: what another program can read without having to find them.

use crate::{quad::Quad, sheet::Sheet};

/// A grey picture of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// How light each pixel is, row by row.
    pub levels: Vec<u8>,
}

/// How high a line is, what is between two, and what is beside them, in pixels.
const HEIGHT: usize = 40;
const GAP: usize = 24;
const MARGIN: usize = 20;
/// What is longer is made narrower.
const LONGEST: usize = 4000;

impl Stack {
    /// As many lines as there may be in one: programs take pictures that are 32,767 pixels high.
    pub const MOST: usize = 400;

    /// Of what lies within these corners, in their order.
    #[must_use]
    pub fn of(sheet: &Sheet, lines: &[Quad]) -> Self {
        let long = |quad: &Quad| {
            let long = quad.width() / quad.height().max(1.0) * HEIGHT as f32;
            (long.round() as usize).clamp(1, LONGEST)
        };
        let width = lines.iter().map(long).max().unwrap_or(1) + 2 * MARGIN;
        let height = lines.len() * (HEIGHT + GAP) + GAP;
        let mut levels = vec![u8::MAX; width * height];
        for (number, quad) in lines.iter().enumerate() {
            let top = GAP + number * (HEIGHT + GAP);
            sheet.sample(quad, long(quad), HEIGHT, |x, y, [red, green, blue]| {
                let level = red * 0.299 + green * 0.587 + blue * 0.114;
                levels[(top + y) * width + MARGIN + x] = level.round() as u8;
            });
        }
        Self {
            width,
            height,
            levels,
        }
    }

    /// In which of its lines something is whose middle is at this height.
    #[must_use]
    pub fn line_at(y: f32) -> usize {
        ((y - GAP as f32 / 2.0) / (HEIGHT + GAP) as f32).max(0.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_place_in_a_stack() {
        let sheet = Sheet::new(100, 60, vec![0; 100 * 60 * 3]).unwrap();
        let line = |top: f32| Quad::of_rectangle(10.0, top, 90.0, top + 10.0);
        let stack = Stack::of(&sheet, &[line(5.0), line(25.0), line(45.0)]);
        assert_eq!((stack.width, stack.height), (360, 216));
        let rows: Vec<bool> = stack
            .levels
            .chunks(stack.width)
            .map(|row| row[180] == 0)
            .collect();
        for (y, is_ink) in rows.into_iter().enumerate() {
            let line = Stack::line_at(y as f32);
            let top = GAP + line * (HEIGHT + GAP);
            assert_eq!(is_ink, (top..top + HEIGHT).contains(&y), "{y}");
        }
        assert!(
            Stack::of(&sheet, &[])
                .levels
                .iter()
                .all(|level| *level == u8::MAX)
        );
    }
}
