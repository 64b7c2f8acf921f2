//! Where lines of writing are.

use std::ops::Range;

use ort::{session::Session, value::Tensor};

use super::{ReadingError, load, region::Map};
use crate::{
    quad::Quad,
    runtime::Runtime,
    sheet::{Kernel, Sheet},
};

/// Finds lines of writing.
#[derive(Debug)]
pub(super) struct Detector {
    session: Session,
}

/// The longest side at which a page is first looked at: letters of a page of a book are seen at this size.
const FIRST_LOOK: f32 = 960.0;
/// The shorter side of what is long and thin is seen at this size.
const NARROW: f32 = 320.0;
/// The sides of what is looked at are multiples of this.
const GRAIN: usize = 32;
/// What is larger is looked at part by part, which overlap.
const TILE: usize = 1280;
const OVERLAP: usize = 128;
/// Lines that are lower than this are looked at again, closer, so that they become as high as that.
const LOW: f32 = 11.0;
const GOOD: f32 = 18.0;
/// How much closer at most, and how many pixels are looked at then.
const CLOSER: f32 = 3.0;
const MOST_PIXELS: f32 = 6e6;

impl Detector {
    pub(super) fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, ReadingError> {
        Ok(Self {
            session: load(runtime, model)?,
        })
    }

    /// The lines of a page, in its pixels, in no order.
    pub(super) fn find(&mut self, sheet: &Sheet) -> Result<Vec<Quad>, ReadingError> {
        let (width, height) = (sheet.width() as f32, sheet.height() as f32);
        let (longer, shorter) = (width.max(height), width.min(height));
        let most = (MOST_PIXELS / (width * height)).sqrt();
        let first = (FIRST_LOOK / longer).max((NARROW / shorter).min(most));
        let scale = first.min(1.0);
        let found = self.look(sheet, scale)?;
        let mut heights: Vec<f32> = found
            .iter()
            .map(|quad| quad.width().min(quad.height()) * scale)
            .collect();
        heights.sort_by(f32::total_cmp);
        let closer = heights.get(heights.len() / 2).map(|middle| GOOD / middle);
        let closer = closer.filter(|closer| *closer > GOOD / LOW);
        let nearer = closer.map(|closer| (scale * closer.min(CLOSER)).min(1.0).min(most));
        match nearer.filter(|nearer| *nearer > scale * 1.1) {
            Some(nearer) => self.look(sheet, nearer),
            None => Ok(found),
        }
    }

    /// What is seen at a scale.
    fn look(&mut self, sheet: &Sheet, scale: f32) -> Result<Vec<Quad>, ReadingError> {
        let grain = |length: usize| {
            let grains = (length as f32 * scale / GRAIN as f32).round() as usize;
            grains.max(1) * GRAIN
        };
        let (width, height) = (grain(sheet.width()), grain(sheet.height()));
        let mut map = Map {
            width,
            height,
            likely: vec![0; width * height],
        };
        let across = sheet.width() as f32 / width as f32;
        let down = sheet.height() as f32 / height as f32;
        for (top, bottom) in tiles(height) {
            for (left, right) in tiles(width) {
                let part = |from: usize, until: usize, scale: f32| {
                    let reach = from as f32 * scale..until as f32 * scale;
                    (from..until, reach)
                };
                let (columns, across) = part(left, right, across);
                let (rows, down) = part(top, bottom, down);
                let size = (columns.len(), rows.len());
                let pixels = sheet.scaled(&across, &down, size, Kernel::Linear);
                self.see(pixels, columns, rows, &mut map)?;
            }
        }
        let regions = map.regions().into_iter();
        Ok(regions.map(|quad| quad.scaled(across, down)).collect())
    }

    /// Looks at the pixels of a part of a page, and notes in the map what is likely there.
    fn see(
        &mut self,
        mut pixels: Vec<f32>,
        columns: Range<usize>,
        rows: Range<usize>,
        map: &mut Map,
    ) -> Result<(), ReadingError> {
        let (width, height) = (columns.len(), rows.len());
        blue_first(&mut pixels, width * height);
        let pixels = Tensor::from_array(([1, 3, height, width], pixels))?;
        let answer = self.session.run(ort::inputs![pixels])?;
        let (shape, likely) = answer[0].try_extract_tensor::<f32>()?;
        if shape.iter().product::<i64>() != (width * height) as i64 {
            let why = "what finds lines gives a map of another size".to_owned();
            return Err(ReadingError::Model(why));
        }
        for (y, row) in likely.chunks_exact(width).enumerate() {
            let to = &mut map.likely[(rows.start + y) * map.width + columns.start..][..width];
            for (to, likely) in to.iter_mut().zip(row) {
                *to = (*to).max((likely.clamp(0.0, 1.0) * 255.0) as u8);
            }
        }
        Ok(())
    }
}

/// Pixels as the network sees them, of which a channel has so many: from -1 to 1, blue first.
fn blue_first(pixels: &mut [f32], size: usize) {
    let (red, rest) = pixels.split_at_mut(size);
    red.swap_with_slice(&mut rest[size..]);
    for value in pixels {
        *value = *value / 127.5 - 1.0;
    }
}

/// From where to where each part of a length is.
fn tiles(length: usize) -> Vec<(usize, usize)> {
    if length <= TILE {
        return vec![(0, length)];
    }
    let count = (length - OVERLAP).div_ceil(TILE - OVERLAP);
    let step = (length - TILE).div_ceil(count - 1).next_multiple_of(GRAIN);
    (0..count)
        .map(|at| (at * step).min(length - TILE))
        .map(|from| (from, from + TILE))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_all_of_a_page_and_overlap() {
        assert_eq!(tiles(960), [(0, 960)]);
        for length in (TILE + GRAIN..20_000).step_by(GRAIN) {
            let tiles = tiles(length);
            assert_eq!(tiles[0].0, 0);
            assert_eq!(tiles.last().unwrap().1, length);
            for pair in tiles.windows(2) {
                assert!(pair[0].1 >= pair[1].0 + OVERLAP / 2, "{length}: {pair:?}");
            }
        }
    }
}
