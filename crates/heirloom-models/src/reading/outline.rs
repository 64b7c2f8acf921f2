//! Where a page lies in a picture that a camera took of it.
//!
//! A page is paper with writing on it: the paper around lines of writing is followed until it ends, and what was found has to
//! have four straight sides that stand out from what is around them. So no picture without writing has a page in it, and
//! what a scanner saw, where paper ends with the picture, has none that would have to be cut out.

use crate::{
    quad::{Point, Quad, hull},
    sheet::{Kernel, Sheet},
};

/// The longest side at which a page is looked for, in pixels: edges are sharp then, and letters are small.
const LOOKED_AT: f32 = 400.0;
/// Letters are filled with the paper around them so far.
const STROKE: usize = 3;
/// Paper goes on where a place differs so little from the one beside it, in any colour. Where it lies on what is as bright, it is
/// followed with more care.
const SMOOTH: [f32; 3] = [7.0, 4.0, 2.5];
/// It may lie in shadow: so bright at least, compared with where the writing is.
const SHADE: f32 = 0.4;
/// A page has so many lines of writing at least, and this much of all writing is on it.
const LINES: usize = 4;
const WRITING: f32 = 0.9;
/// It takes so much of the picture.
const LARGE: std::ops::Range<f32> = 0.12..0.96;
/// How much of what four straight sides enclose is paper.
const FILLED: f32 = 0.9;
/// How steep its corners may be, as the cosine of the angle between two sides.
const STEEP: f32 = 0.64;
/// So far on both sides of an edge, in pixels, colours differ by so much, on so much of its length.
const BESIDE: f32 = 4.0;
const APART: f32 = 14.0;
const EDGE: f32 = 0.7;
/// A side that is so near to that of the picture ends there; so many may.
const AT_END: f32 = 0.012;
const ENDS: usize = 1;

/// The page in a picture on which these lines were found, if there is one that does not fill it.
pub(super) fn find(sheet: &Sheet, lines: &[Quad]) -> Option<Quad> {
    if lines.len() < LINES {
        return None;
    }
    let mut paper = Paper::of(sheet, lines);
    let found = SMOOTH.into_iter().find_map(|smooth| {
        paper.follow(smooth)?;
        paper.fill();
        paper.sides().filter(|quad| paper.is_page(quad))
    })?;
    let (across, down) = paper.scale(sheet);
    Some(found.grown(-0.5).scaled(across, down))
}

/// A small picture, and where paper is in it.
struct Paper {
    width: usize,
    height: usize,
    colours: Vec<[f32; 3]>,
    is_paper: Vec<bool>,
    /// The middles of lines of writing, each with how long it is.
    writing: Vec<(Point, f32)>,
}

impl Paper {
    fn of(sheet: &Sheet, lines: &[Quad]) -> Self {
        let (width, height) = (sheet.width() as f32, sheet.height() as f32);
        let scale = (LOOKED_AT / width.max(height)).min(1.0);
        let small = |length: f32| ((length * scale).round() as usize).max(1);
        let (across, down) = (small(width), small(height));
        let size = across * down;
        let pixels = sheet.scaled(
            &(0.0..width),
            &(0.0..height),
            (across, down),
            Kernel::Linear,
        );
        let colours = (0..size).map(|at| [0, 1, 2].map(|channel| pixels[channel * size + at]));
        let mut paper = Self {
            width: across,
            height: down,
            colours: colours.collect(),
            is_paper: vec![false; across * down],
            writing: lines
                .iter()
                .map(|line| {
                    let middle = line.at(0.5, 0.5);
                    let place = Point {
                        x: middle.x * across as f32 / width,
                        y: middle.y * down as f32 / height,
                    };
                    (place, line.width() * scale)
                })
                .collect(),
        };
        paper.spread(f32::max);
        paper.spread(f32::min);
        paper
    }

    /// From places of the small picture to those of the whole one.
    fn scale(&self, sheet: &Sheet) -> (f32, f32) {
        (
            sheet.width() as f32 / self.width as f32,
            sheet.height() as f32 / self.height as f32,
        )
    }

    /// Gives each place the brightest or darkest colour around it.
    fn spread(&mut self, pick: fn(f32, f32) -> f32) {
        let (width, height) = (self.width, self.height);
        for is_down in [false, true] {
            let before = self.colours.clone();
            for y in 0..height {
                for x in 0..width {
                    let (at, most) = if is_down { (y, height) } else { (x, width) };
                    let mut best = before[y * width + x];
                    for near in at.saturating_sub(STROKE)..(at + STROKE + 1).min(most) {
                        let place = if is_down {
                            near * width + x
                        } else {
                            y * width + near
                        };
                        for (best, other) in best.iter_mut().zip(before[place]) {
                            *best = pick(*best, other);
                        }
                    }
                    self.colours[y * width + x] = best;
                }
            }
        }
    }

    /// Follows the paper from where writing is; `None` where what is written on is not one colour.
    fn follow(&mut self, smooth: f32) -> Option<()> {
        self.is_paper.fill(false);
        let starts: Vec<usize> = self
            .writing
            .iter()
            .filter_map(|(place, _)| self.index(*place))
            .collect();
        let bright = |colour: &[f32; 3]| colour.iter().sum::<f32>();
        let mut seen: Vec<f32> = starts.iter().map(|at| bright(&self.colours[*at])).collect();
        seen.sort_by(f32::total_cmp);
        let usual = *seen.get(seen.len() / 2)?;
        let mut left: Vec<usize> = starts;
        left.retain(|at| bright(&self.colours[*at]) > usual * SHADE);
        for at in &left {
            self.is_paper[*at] = true;
        }
        while let Some(at) = left.pop() {
            let (x, y) = (at % self.width, at / self.width);
            let beside = [
                (x > 0).then(|| at - 1),
                (x + 1 < self.width).then(|| at + 1),
                (y > 0).then(|| at - self.width),
                (y + 1 < self.height).then(|| at + self.width),
            ];
            for next in beside.into_iter().flatten() {
                let is_same = apart(&self.colours[at], &self.colours[next]) <= smooth
                    && bright(&self.colours[next]) > usual * SHADE;
                if !self.is_paper[next] && is_same {
                    self.is_paper[next] = true;
                    left.push(next);
                }
            }
        }
        Some(())
    }

    /// Pictures and stains on paper belong to it: whatever cannot be reached from the edge of the picture.
    fn fill(&mut self) {
        let (width, height) = (self.width, self.height);
        let mut is_outside = vec![false; width * height];
        let mut left: Vec<usize> = (0..width)
            .chain((0..width).map(|x| (height - 1) * width + x))
            .collect();
        left.extend((0..height).flat_map(|y| [y * width, y * width + width - 1]));
        while let Some(at) = left.pop() {
            if is_outside[at] || self.is_paper[at] {
                continue;
            }
            is_outside[at] = true;
            let (x, y) = (at % width, at / width);
            if x > 0 {
                left.push(at - 1);
            }
            if x + 1 < width {
                left.push(at + 1);
            }
            if y > 0 {
                left.push(at - width);
            }
            if y + 1 < height {
                left.push(at + width);
            }
        }
        for (is_paper, is_outside) in self.is_paper.iter_mut().zip(is_outside) {
            *is_paper = !is_outside;
        }
    }

    /// Four straight sides around the paper, as they are where it ends.
    fn sides(&self) -> Option<Quad> {
        let mut border = Vec::new();
        for (y, row) in self.is_paper.chunks(self.width).enumerate() {
            let (Some(from), Some(until)) = (
                row.iter().position(|it| *it),
                row.iter().rposition(|it| *it),
            ) else {
                continue;
            };
            for x in [from, until + 1] {
                for y in [y, y + 1] {
                    border.push(Point {
                        x: x as f32,
                        y: y as f32,
                    });
                }
            }
        }
        let mut corners = hull(&border);
        let around = area(&corners);
        while corners.len() > 4 {
            corners = with_fewer(&corners)?;
        }
        let corners: [Point; 4] = corners.try_into().ok()?;
        (around >= FILLED * area(&corners)).then(|| Quad(corners).begun_top_left())
    }

    /// Whether what these sides enclose is a page.
    fn is_page(&self, quad: &Quad) -> bool {
        let corners = &quad.0;
        let all = (self.width * self.height) as f32;
        let inside = area(corners);
        if !LARGE.contains(&(inside / all)) {
            return false;
        }
        let paper = self.is_paper.iter().filter(|it| **it).count() as f32;
        // It may end beyond the picture a little, but not the paper.
        if paper < FILLED * inside {
            return false;
        }
        let is_square = (0..4).all(|at| {
            let (before, here, after) = (corners[(at + 3) % 4], corners[at], corners[(at + 1) % 4]);
            let (a, b) = (
                (before.x - here.x, before.y - here.y),
                (after.x - here.x, after.y - here.y),
            );
            let lengths = a.0.hypot(a.1) * b.0.hypot(b.1);
            lengths > 0.0 && ((a.0 * b.0 + a.1 * b.1) / lengths).abs() < STEEP
        });
        let written: f32 = self.writing.iter().map(|(_, long)| long).sum();
        let on_it: f32 = self
            .writing
            .iter()
            .filter(|(place, _)| holds(corners, *place))
            .map(|(_, long)| long)
            .sum();
        let mut ends = 0;
        let has_edges = (0..4).all(|at| match self.edge(corners[at], corners[(at + 1) % 4]) {
            Some(share) => share >= EDGE,
            None => {
                ends += 1;
                ends <= ENDS
            }
        });
        is_square && on_it >= WRITING * written && has_edges
    }

    /// On how much of a side colours differ; `None` where it ends with the picture.
    fn edge(&self, from: Point, to: Point) -> Option<f32> {
        let (width, height) = (self.width as f32, self.height as f32);
        let near = AT_END * width.max(height);
        let is_end = |a: f32, b: f32, most: f32| a.max(b) <= near || a.min(b) >= most - near;
        if is_end(from.x, to.x, width) || is_end(from.y, to.y, height) {
            return None;
        }
        let length = from.distance(to).max(1.0);
        let (across, down) = (-(to.y - from.y) / length, (to.x - from.x) / length);
        let (mut seen, mut differ) = (0.0, 0.0);
        let count = length as usize;
        for step in 0..count {
            let place = from.towards(to, (step as f32 + 0.5) / count as f32);
            let beside = [BESIDE, -BESIDE].map(|by| {
                let place = Point {
                    x: place.x + across * by,
                    y: place.y + down * by,
                };
                self.index(place).map(|at| &self.colours[at])
            });
            if let [Some(inside), Some(outside)] = beside {
                seen += 1.0;
                differ += f32::from(u8::from(apart(inside, outside) >= APART));
            }
        }
        Some(if seen > 0.0 { differ / seen } else { 0.0 })
    }

    fn index(&self, place: Point) -> Option<usize> {
        let (x, y) = (place.x.floor(), place.y.floor());
        let is_inside = x >= 0.0 && y >= 0.0 && x < self.width as f32 && y < self.height as f32;
        is_inside.then(|| y as usize * self.width + x as usize)
    }
}

/// By how much two colours differ, in the channel in which they differ most.
fn apart(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    let each = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    each.fold(0.0, f32::max)
}

/// The polygon without the side that adds least when those beside it are drawn out until they meet.
fn with_fewer(corners: &[Point]) -> Option<Vec<Point>> {
    let count = corners.len();
    let corner = |at: usize| corners[at % count];
    let mut best: Option<(f32, usize, Point)> = None;
    for at in 0..count {
        let (a, b, c, d) = (corner(at), corner(at + 1), corner(at + 2), corner(at + 3));
        let Some(meeting) = meet((a, b), (d, c)) else {
            continue;
        };
        let more = area(&[b, meeting, c]);
        if best.is_none_or(|(least, ..)| more < least) {
            best = Some((more, at, meeting));
        }
    }
    let (_, at, meeting) = best?;
    // The side from at + 1 to at + 2 becomes one corner.
    let (first, second) = ((at + 1) % count, (at + 2) % count);
    let kept = (0..count).filter(|it| *it != second);
    Some(
        kept.map(|it| if it == first { meeting } else { corners[it] })
            .collect(),
    )
}

/// Where two lines meet beyond their second points.
fn meet((a, b): (Point, Point), (d, c): (Point, Point)) -> Option<Point> {
    let (r, s) = ((b.x - a.x, b.y - a.y), (c.x - d.x, c.y - d.y));
    let cross = r.0 * s.1 - r.1 * s.0;
    if cross.abs() < f32::EPSILON {
        return None;
    }
    let t = ((d.x - a.x) * s.1 - (d.y - a.y) * s.0) / cross;
    let u = ((d.x - a.x) * r.1 - (d.y - a.y) * r.0) / cross;
    (t >= 1.0 && u >= 1.0).then(|| a.towards(b, t))
}

fn area(corners: &[Point]) -> f32 {
    let next = corners.iter().cycle().skip(1);
    let twice: f32 = corners
        .iter()
        .zip(next)
        .map(|(a, b)| a.x * b.y - b.x * a.y)
        .sum();
    twice.abs() / 2.0
}

fn holds(corners: &[Point; 4], place: Point) -> bool {
    let side = |at: usize| {
        let (a, b) = (corners[at], corners[(at + 1) % 4]);
        (b.x - a.x) * (place.y - a.y) - (b.y - a.y) * (place.x - a.x)
    };
    (0..4).all(|at| side(at) >= 0.0) || (0..4).all(|at| side(at) <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 400);

    fn at(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    fn page() -> Quad {
        Quad([
            at(70.0, 50.0),
            at(250.0, 40.0),
            at(290.0, 350.0),
            at(40.0, 330.0),
        ])
    }

    /// Six lines of writing on a page, each a twentieth of it high.
    fn lines(page: &Quad) -> Vec<Quad> {
        let line = |number: u8| {
            let top = 0.1 + 0.14 * f32::from(number);
            let corner = |u: f32, v: f32| page.at(u, v);
            Quad([
                corner(0.1, top),
                corner(0.9, top),
                corner(0.9, top + 0.05),
                corner(0.1, top + 0.05),
            ])
        };
        (0..6).map(line).collect()
    }

    /// A picture in which each place has the colour that is said of it.
    fn picture(colour: impl Fn(Point) -> [u8; 3]) -> Sheet {
        let (width, height) = SIZE;
        let pixels = (0..width * height).flat_map(|place| {
            let (x, y) = (place % width, place / width);
            colour(at(x as f32 + 0.5, y as f32 + 0.5))
        });
        Sheet::new(width, height, pixels.collect()).unwrap()
    }

    fn on_wood(page: &Quad, lines: &[Quad]) -> Sheet {
        picture(|place| {
            let is_ink = lines.iter().any(|line| holds(&line.0, place))
                && (place.x as usize).is_multiple_of(3);
            match (holds(&page.0, place), is_ink) {
                (true, true) => [30, 30, 40],
                // It is darker on one side.
                (true, false) => [(150.0 + place.x / 4.0) as u8; 3],
                (false, _) => [110, 75, 45],
            }
        })
    }

    #[test]
    fn a_page_with_writing_is_found_on_a_table() {
        let (page, lines) = (page(), lines(&page()));
        let found = find(&on_wood(&page, &lines), &lines).unwrap();
        for (found, corner) in found.0.iter().zip(page.0) {
            assert!(found.distance(corner) < 3.0, "{found:?} {corner:?}");
        }
    }

    #[test]
    fn what_has_no_writing_on_it_or_is_all_of_the_picture_is_no_page() {
        let (page, lines) = (page(), lines(&page()));
        let sheet = on_wood(&page, &lines);
        assert_eq!(find(&sheet, &[]), None);
        assert_eq!(find(&sheet, &lines[..3]), None);
        // As much is written beside it.
        let beside = Quad::of_rectangle(5.0, 360.0, 300.0, 395.0);
        let both: Vec<Quad> = lines.iter().copied().chain([beside; 6]).collect();
        assert_eq!(find(&sheet, &both), None);
        let scan = picture(|_| [240; 3]);
        assert_eq!(find(&scan, &lines), None);
    }

    #[test]
    fn what_is_not_four_sided_is_no_page() {
        let all: Vec<Quad> = lines(&page());
        let round = picture(|place| match place.distance(at(160.0, 190.0)) < 150.0 {
            true => [230; 3],
            false => [110, 75, 45],
        });
        assert_eq!(find(&round, &all), None);
    }
}
