//! A page as it would lie before a scanner, out of a picture that a camera took of it.

use crate::{
    quad::{Point, Quad},
    sheet::Sheet,
};

/// A page that was cut out of a picture and straightened, with its way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Flat {
    /// The page alone.
    pub sheet: Sheet,
    /// Its corners in the picture, in pixels.
    pub corners: Quad,
    projection: Projection,
}

/// A page has no longer side, in pixels: more than what is needed to read A3.
const LONGEST: f32 = 4200.0;
/// How light the paper is, is looked at in squares with so many pixels on a side.
const SQUARE: usize = 32;
/// Of the pixels of a square so many are darker than paper: what is written there.
const DARKER: f32 = 0.85;
/// So light paper is shown.
const PAPER: f32 = 242.0;
/// It is made lighter by so much at most: a dark photograph on a page stays one.
const LIGHTER: f32 = 2.5;

impl Flat {
    /// What lies between these corners of a picture; `None` where that is not a quadrilateral.
    #[must_use]
    pub fn of(picture: &Sheet, corners: Quad) -> Option<Self> {
        let projection = Projection::to(&corners)?;
        let (width, height) = (corners.width(), corners.height());
        let scale = (LONGEST / width.max(height)).min(1.0);
        let side = |length: f32| ((length * scale).round() as usize).max(1);
        let (width, height) = (side(width), side(height));
        let mut pixels = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            let v = (y as f32 + 0.5) / height as f32;
            for x in 0..width {
                let u = (x as f32 + 0.5) / width as f32;
                let colour = picture.colour(projection.place(Point { x: u, y: v }));
                pixels.extend(colour.map(|level| level.round() as u8));
            }
        }
        Some(Self {
            sheet: Sheet::new(width, height, pixels)?,
            corners,
            projection,
        })
    }

    /// Where in the picture something is, in pixels, that lies at these shares of the page's width and height.
    #[must_use]
    pub fn place(&self, u: f32, v: f32) -> Point {
        self.projection.place(Point { x: u, y: v })
    }

    /// The page in one light: paper is as light in shadow as beside a window. Colours stay.
    #[must_use]
    pub fn lit(&self) -> Sheet {
        let (width, height) = (self.sheet.width(), self.sheet.height());
        let (across, down) = (width.div_ceil(SQUARE), height.div_ceil(SQUARE));
        let paper = around(&self.paper(across, down), across, down);
        let level = |x: usize, y: usize| paper[y.min(down - 1) * across + x.min(across - 1)];
        let mut pixels = self.sheet.pixels().to_vec();
        for (at, colour) in pixels.chunks_exact_mut(3).enumerate() {
            let between = |at: usize| (at as f32 / SQUARE as f32 - 0.5).max(0.0);
            let (x, y) = (between(at % width), between(at / width));
            let (left, top) = (x as usize, y as usize);
            let (dx, dy) = (x - left as f32, y - top as f32);
            let upper = level(left, top) * (1.0 - dx) + level(left + 1, top) * dx;
            let lower = level(left, top + 1) * (1.0 - dx) + level(left + 1, top + 1) * dx;
            let light = upper * (1.0 - dy) + lower * dy;
            let by = (PAPER / light.max(1.0)).clamp(1.0, LIGHTER);
            for level in colour {
                *level = (f32::from(*level) * by).min(255.0) as u8;
            }
        }
        Sheet::new(width, height, pixels).unwrap_or_else(|| self.sheet.clone())
    }

    /// How light the paper of each square is.
    fn paper(&self, across: usize, down: usize) -> Vec<f32> {
        let (width, height) = (self.sheet.width(), self.sheet.height());
        let pixels = self.sheet.pixels();
        let mut paper = Vec::with_capacity(across * down);
        for at in 0..across * down {
            let (left, top) = (at % across * SQUARE, at / across * SQUARE);
            let mut levels = Vec::new();
            for y in (top..(top + SQUARE).min(height)).step_by(2) {
                for x in (left..(left + SQUARE).min(width)).step_by(2) {
                    let colour = &pixels[(y * width + x) * 3..][..3];
                    levels.push(colour.iter().copied().max().unwrap_or_default());
                }
            }
            levels.sort_unstable();
            let at = (levels.len() as f32 * DARKER) as usize;
            paper.push(f32::from(levels.get(at).copied().unwrap_or(u8::MAX)));
        }
        paper
    }
}

/// The light of each square as those around it have it: a square that is all ink has none of its own.
fn around(paper: &[f32], across: usize, down: usize) -> Vec<f32> {
    let each = |pick: &dyn Fn(&mut dyn Iterator<Item = f32>) -> f32, from: &[f32], far: usize| {
        let of = |at: usize| {
            let (x, y) = (at % across, at / across);
            let mut near = (y.saturating_sub(far)..(y + far + 1).min(down)).flat_map(|y| {
                (x.saturating_sub(far)..(x + far + 1).min(across))
                    .map(move |x| from[y * across + x])
            });
            pick(&mut near)
        };
        (0..across * down).map(of).collect::<Vec<f32>>()
    };
    let lightest = each(&|near| near.fold(0.0, f32::max), paper, 1);
    let mean = |near: &mut dyn Iterator<Item = f32>| {
        let (sum, count) = near.fold((0.0, 0.0), |(sum, count), level| (sum + level, count + 1.0));
        sum / f32::max(count, 1.0)
    };
    each(&mean, &lightest, 2)
}

/// What takes a page, whose places are shares of its width and height, to a quadrilateral, and back (P. Heckbert,
/// "Fundamentals of Texture Mapping and Image Warping", 1989).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection([f32; 9]);

impl Projection {
    /// To these corners, in whatever measure; `None` where they enclose nothing.
    #[must_use]
    pub fn to(Quad([p, q, r, s]): &Quad) -> Option<Self> {
        let (dx1, dy1) = (q.x - r.x, q.y - r.y);
        let (dx2, dy2) = (s.x - r.x, s.y - r.y);
        let (sx, sy) = (p.x - q.x + r.x - s.x, p.y - q.y + r.y - s.y);
        let all = dx1 * dy2 - dx2 * dy1;
        if all.abs() < f32::EPSILON {
            return None;
        }
        let (g, h) = ((sx * dy2 - dx2 * sy) / all, (dx1 * sy - sx * dy1) / all);
        Some(Self([
            q.x - p.x + g * q.x,
            s.x - p.x + h * s.x,
            p.x,
            q.y - p.y + g * q.y,
            s.y - p.y + h * s.y,
            p.y,
            g,
            h,
            1.0,
        ]))
    }

    /// The way back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        // The adjugate: what is the same multiple of every number is the same projection.
        Self([
            e * i - f * h,
            c * h - b * i,
            b * f - c * e,
            f * g - d * i,
            a * i - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ])
    }

    /// Where a place goes.
    #[must_use]
    pub fn place(&self, Point { x, y }: Point) -> Point {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let far = g * x + h * y + i;
        Point {
            x: (a * x + b * y + c) / far,
            y: (d * x + e * y + f) / far,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page that a camera saw from below: its upper side is shorter.
    fn corners() -> Quad {
        let at = |x: f32, y: f32| Point { x, y };
        Quad([
            at(60.0, 20.0),
            at(140.0, 20.0),
            at(180.0, 260.0),
            at(20.0, 260.0),
        ])
    }

    #[test]
    fn each_place_of_the_page_has_its_place_in_the_picture() {
        let picture = Sheet::new(200, 300, vec![200; 200 * 300 * 3]).unwrap();
        let flat = Flat::of(&picture, corners()).unwrap();
        assert_eq!((flat.sheet.width(), flat.sheet.height()), (160, 243));
        for (corner, (u, v)) in
            corners()
                .0
                .iter()
                .zip([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
        {
            assert!(corner.distance(flat.place(u, v)) < 0.01, "{corner:?}");
            let back = flat.projection.inverse().place(*corner);
            assert!(back.distance(Point { x: u, y: v }) < 0.001, "{back:?}");
        }
        // What is half way down the page is nearer to its far side in the picture.
        let middle = flat.place(0.5, 0.5);
        assert!(
            (middle.x - 100.0).abs() < 0.01 && middle.y < 120.0,
            "{middle:?}"
        );
        assert_eq!(Flat::of(&picture, Quad::default()), None);
    }

    #[test]
    fn shadow_goes_and_writing_stays() {
        // Paper that grows darker to the right, with a dark line every eight rows.
        let (width, height) = (256, 128);
        let pixels = (0..width * height).flat_map(|at| {
            let (x, y) = (at % width, at / width);
            let light = 240 - x / 4;
            let level = if y % 8 == 0 { light / 4 } else { light };
            [level as u8; 3]
        });
        let picture = Sheet::new(width, height, pixels.collect()).unwrap();
        let all = Quad::of_rectangle(0.0, 0.0, width as f32, height as f32);
        let lit = Flat::of(&picture, all).unwrap().lit();
        let level = |x: usize, y: usize| lit.pixels()[(y * width + x) * 3];
        for x in [20, 120, 240] {
            assert!(level(x, 60) > 212, "{x}: {}", level(x, 60));
            assert!(level(x, 64) < 80, "{x}: {}", level(x, 64));
        }
    }
}
