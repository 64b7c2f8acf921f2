//! Where the map of a detector is bright enough: connected regions of it, each with the rectangle around it.
//!
//! What is done with the map follows M. Liao and others, "Real-time Scene Text Detection with Differentiable
//! Binarization" (2020): a network is taught to see the core of each line, so that lines do not touch, and the rectangle
//! around a core is made larger by as much as the core was made smaller.

use crate::quad::{Point, Quad};

/// How likely each place of a page belongs to the core of a line.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) width: usize,
    pub(super) height: usize,
    /// From 0 to 255, row by row.
    pub(super) likely: Vec<u8>,
}

/// A place from here on belongs to a core: 0.3.
const CORE: u8 = 77;
/// A region that is less likely on average is none.
const SURE: f32 = 0.5;
/// How much smaller cores are than lines, as area to circumference.
const LARGER: f32 = 1.6;
/// No core is thinner.
const THINNEST: f32 = 3.0;
/// The most regions of a page.
const MOST: usize = 4000;

impl Map {
    /// The lines in it, in its places.
    pub(super) fn regions(&self) -> Vec<Quad> {
        let mut regions = Vec::new();
        let mut is_seen: Vec<bool> = self.likely.iter().map(|likely| *likely < CORE).collect();
        for start in 0..is_seen.len() {
            if is_seen[start] {
                continue;
            }
            let border = self.flood(start, &mut is_seen);
            regions.extend(self.region(&border));
            if regions.len() == MOST {
                break;
            }
        }
        regions
    }

    /// The corners of the pixels at both ends of each row of a region; all of it is noted as seen.
    fn flood(&self, start: usize, is_seen: &mut [bool]) -> Vec<Point> {
        let mut rows: Vec<(usize, usize, usize)> = Vec::new();
        let mut left = vec![start];
        is_seen[start] = true;
        let first = start / self.width;
        while let Some(at) = left.pop() {
            let (x, y) = (at % self.width, at / self.width);
            // The first pixel of a region is in its topmost row.
            let row = y - first;
            if rows.len() <= row {
                rows.resize(row + 1, (usize::MAX, 0, y));
            }
            rows[row] = (rows[row].0.min(x), rows[row].1.max(x), y);
            for next_y in y.saturating_sub(1)..=(y + 1).min(self.height - 1) {
                for next_x in x.saturating_sub(1)..=(x + 1).min(self.width - 1) {
                    let next = next_y * self.width + next_x;
                    if !is_seen[next] {
                        is_seen[next] = true;
                        left.push(next);
                    }
                }
            }
        }
        let rows = rows.into_iter().enumerate();
        rows.flat_map(|(row, (from, until, _))| {
            let (top, bottom) = ((first + row) as f32, (first + row + 1) as f32);
            let (from, until) = (from as f32, until as f32 + 1.0);
            [(from, top), (until, top), (from, bottom), (until, bottom)]
                .map(|(x, y)| Point { x, y })
        })
        .collect()
    }

    fn region(&self, border: &[Point]) -> Option<Quad> {
        let core = Quad::around(border)?;
        let (width, height) = (core.width(), core.height());
        if width.min(height) < THINNEST {
            return None;
        }
        let by = width * height * LARGER / (2.0 * (width + height));
        let quad = core.grown(by);
        (self.mean(&core) >= SURE).then(|| quad.within(self.width as f32, self.height as f32))
    }

    /// How likely places within are, on average.
    fn mean(&self, quad: &Quad) -> f32 {
        let (across, down) = (quad.width().ceil(), quad.height().ceil());
        let (mut sum, mut count) = (0.0, 0.0);
        for j in 0..down as usize {
            for i in 0..across as usize {
                let place = quad.at((i as f32 + 0.5) / across, (j as f32 + 0.5) / down);
                let (x, y) = (place.x as usize, place.y as usize);
                if x < self.width && y < self.height {
                    sum += f32::from(self.likely[y * self.width + x]);
                    count += 255.0;
                }
            }
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(width: usize, height: usize, bright: &[(usize, usize, usize, usize)]) -> Map {
        let mut likely = vec![0; width * height];
        for (left, top, right, bottom) in bright {
            for y in *top..*bottom {
                likely[y * width + left..y * width + right].fill(230);
            }
        }
        Map {
            width,
            height,
            likely,
        }
    }

    #[test]
    fn each_bright_stretch_is_a_line_and_larger_than_its_core() {
        let regions = map(100, 60, &[(20, 10, 80, 16), (20, 40, 60, 46)]).regions();
        assert_eq!(regions.len(), 2);
        let by = 60.0 * 6.0 * LARGER / 132.0;
        assert_eq!(
            regions[0],
            Quad::of_rectangle(20.0 - by, 10.0 - by, 80.0 + by, 16.0 + by)
        );
    }

    #[test]
    fn specks_and_nothing_are_no_lines() {
        assert!(map(50, 50, &[]).regions().is_empty());
        assert!(map(50, 50, &[(10, 10, 40, 12)]).regions().is_empty());
    }
}
