//! Places on a page.

/// A place on a page, in pixels from its top left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A quadrilateral, around writing or a face. Its corners follow one another as whoever looks at that sees them: top left, top right,
/// bottom right, bottom left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quad(pub [Point; 4]);

impl Point {
    pub(crate) fn towards(self, other: Self, share: f32) -> Self {
        Self {
            x: self.x + (other.x - self.x) * share,
            y: self.y + (other.y - self.y) * share,
        }
    }

    pub(crate) fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

impl Quad {
    /// An upright rectangle.
    pub(crate) fn of_rectangle(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        let corner = |x, y| Point { x, y };
        Self([
            corner(left, top),
            corner(right, top),
            corner(right, bottom),
            corner(left, bottom),
        ])
    }

    /// How long its lines are.
    pub(crate) fn width(&self) -> f32 {
        let [a, b, c, d] = self.0;
        a.distance(b).max(d.distance(c))
    }

    /// How high its lines are.
    pub(crate) fn height(&self) -> f32 {
        let [a, b, c, d] = self.0;
        a.distance(d).max(b.distance(c))
    }

    /// The place within, each of `u` and `v` from 0 to 1.
    pub(crate) fn at(&self, u: f32, v: f32) -> Point {
        let [a, b, c, d] = self.0;
        a.towards(b, u).towards(d.towards(c, u), v)
    }

    /// The part of it from one share of its lines to another.
    pub(crate) fn part(&self, from: f32, until: f32) -> Self {
        Self([
            self.at(from, 0.0),
            self.at(until, 0.0),
            self.at(until, 1.0),
            self.at(from, 1.0),
        ])
    }

    /// The same place, read after so many quarter turns of the page against the clock.
    pub(crate) fn turned(mut self, quarters: usize) -> Self {
        self.0.rotate_left(quarters % 4);
        self
    }

    /// How it leans, in degrees with the clock: 0 where its lines run to the right.
    pub(crate) fn angle(&self) -> f32 {
        let [a, b, c, d] = self.0;
        let (dx, dy) = (b.x - a.x + c.x - d.x, b.y - a.y + c.y - d.y);
        dy.atan2(dx).to_degrees()
    }

    /// In another measure.
    pub(crate) fn scaled(mut self, x: f32, y: f32) -> Self {
        for corner in &mut self.0 {
            corner.x *= x;
            corner.y *= y;
        }
        self
    }

    /// The rectangle of least area around points, in whatever direction; `None` of fewer than three that lie apart.
    pub(crate) fn around(points: &[Point]) -> Option<Self> {
        let hull = hull(points);
        let mut best: Option<(f32, Self)> = None;
        for (at, from) in hull.iter().enumerate() {
            let to = hull[(at + 1) % hull.len()];
            let length = from.distance(to);
            if length == 0.0 {
                continue;
            }
            let (x, y) = ((to.x - from.x) / length, (to.y - from.y) / length);
            let mut bounds = [f32::MAX, f32::MIN, f32::MAX, f32::MIN];
            for point in &hull {
                let (along, across) = (point.x * x + point.y * y, point.y * x - point.x * y);
                bounds = [
                    bounds[0].min(along),
                    bounds[1].max(along),
                    bounds[2].min(across),
                    bounds[3].max(across),
                ];
            }
            let area = (bounds[1] - bounds[0]) * (bounds[3] - bounds[2]);
            if best.is_none_or(|(least, _)| area < least) {
                let corner = |along: f32, across: f32| Point {
                    x: along * x - across * y,
                    y: along * y + across * x,
                };
                let quad = Self([
                    corner(bounds[0], bounds[2]),
                    corner(bounds[1], bounds[2]),
                    corner(bounds[1], bounds[3]),
                    corner(bounds[0], bounds[3]),
                ]);
                best = Some((area, quad.upright()));
            }
        }
        best.map(|(_, quad)| quad)
    }

    /// The same place, so that its lines lean as little as may be.
    fn upright(self) -> Self {
        let quarters = (self.angle() / 90.0).round().rem_euclid(4.0);
        self.turned((4 - quarters as usize) % 4)
    }

    /// The same place, so that it begins with the corner that is nearest to the top left, and goes on with the clock.
    pub(crate) fn begun_top_left(mut self) -> Self {
        let [a, b, _, d] = self.0;
        if (b.x - a.x) * (d.y - a.y) < (b.y - a.y) * (d.x - a.x) {
            self.0.reverse();
        }
        let nearest = (0..4).min_by(|a, b| {
            let far = |at: usize| self.0[at].x + self.0[at].y;
            far(*a).total_cmp(&far(*b))
        });
        self.turned(nearest.unwrap_or_default())
    }

    /// Larger by this much on each side.
    pub(crate) fn grown(&self, by: f32) -> Self {
        let (across, down) = (by / self.width().max(1.0), by / self.height().max(1.0));
        Self([
            self.at(-across, -down),
            self.at(1.0 + across, -down),
            self.at(1.0 + across, 1.0 + down),
            self.at(-across, 1.0 + down),
        ])
    }

    /// Within a page of that size.
    pub(crate) fn within(mut self, width: f32, height: f32) -> Self {
        for corner in &mut self.0 {
            corner.x = corner.x.clamp(0.0, width);
            corner.y = corner.y.clamp(0.0, height);
        }
        self
    }
}

/// The points around all others, one after another.
pub(crate) fn hull(points: &[Point]) -> Vec<Point> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    points.dedup();
    if points.len() < 3 {
        return Vec::new();
    }
    let turn = |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let mut hull: Vec<Point> = Vec::new();
    let back: Vec<Point> = points.iter().rev().skip(1).copied().collect();
    let mut least = 2;
    for (is_back, half) in [(false, points), (true, back)] {
        if is_back {
            least = hull.len() + 1;
        }
        for point in half {
            while hull.len() >= least
                && turn(hull[hull.len() - 2], hull[hull.len() - 1], point) <= 0.0
            {
                hull.pop();
            }
            hull.push(point);
        }
    }
    hull.pop();
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(of: &[(f32, f32)]) -> Vec<Point> {
        of.iter().map(|(x, y)| Point { x: *x, y: *y }).collect()
    }

    #[test]
    fn a_leaning_line_has_a_leaning_rectangle() {
        // A line of 100 by 10 that falls by one in ten.
        let (x, y) = (0.995_037_2, 0.099_503_72);
        let place = |along: f32, across: f32| (along * x - across * y, along * y + across * x);
        let corners = [
            place(0.0, 0.0),
            place(100.0, 0.0),
            place(100.0, 10.0),
            place(0.0, 10.0),
        ];
        let quad = Quad::around(&points(&corners)).unwrap();
        assert!((quad.width() - 100.0).abs() < 0.01, "{quad:?}");
        assert!((quad.height() - 10.0).abs() < 0.01, "{quad:?}");
        assert!((quad.angle() - 5.71).abs() < 0.01, "{}", quad.angle());
        assert!(quad.0[0].distance(Point::default()) < 0.01, "{quad:?}");
    }

    #[test]
    fn points_on_one_line_or_none_have_no_rectangle() {
        assert_eq!(Quad::around(&[]), None);
        assert_eq!(Quad::around(&points(&[(1.0, 1.0), (2.0, 2.0)])), None);
    }

    #[test]
    fn a_quarter_turn_begins_at_the_next_corner() {
        let quad = Quad::of_rectangle(0.0, 0.0, 2.0, 8.0);
        let turned = quad.turned(1);
        assert_eq!((turned.width(), turned.height()), (8.0, 2.0));
        assert_eq!(turned.0[0], Point { x: 2.0, y: 0.0 });
        assert_eq!(quad.turned(4), quad);
    }

    #[test]
    fn a_part_of_a_line_lies_within_it() {
        let part = Quad::of_rectangle(10.0, 5.0, 20.0, 7.0).part(0.5, 1.0);
        assert_eq!(part, Quad::of_rectangle(15.0, 5.0, 20.0, 7.0));
    }
}
