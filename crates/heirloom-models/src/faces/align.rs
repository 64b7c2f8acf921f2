//! How a face lies, and what of the picture is it when it is turned upright.

use crate::quad::{Point, Quad};

/// A turn, a size and a shift that take one set of points as near as may be to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Similarity {
    cosine: f32,
    sine: f32,
    x: f32,
    y: f32,
}

/// The side of a face that is turned upright, in pixels.
pub(super) const SIDE: usize = 112;

/// Where the eyes, the tip of the nose and the corners of the mouth are then: what networks of this kind were taught with
/// (ArcFace, J. Deng and others, 2019).
const UPRIGHT: [Point; 5] = [
    Point {
        x: 38.2946,
        y: 51.6963,
    },
    Point {
        x: 73.5318,
        y: 51.5014,
    },
    Point {
        x: 56.0252,
        y: 71.7366,
    },
    Point {
        x: 41.5493,
        y: 92.3655,
    },
    Point {
        x: 70.7299,
        y: 92.2041,
    },
];

/// The eyes, the tip of the nose and the corners of the mouth, of 68 points.
pub(super) fn features(points: &[Point]) -> Option<[Point; 5]> {
    let mean = |at: &[usize]| {
        let mut sum = Point::default();
        for at in at {
            let point = points.get(*at)?;
            (sum.x, sum.y) = (sum.x + point.x, sum.y + point.y);
        }
        let share = (at.len() as f32).recip();
        Some(Point {
            x: sum.x * share,
            y: sum.y * share,
        })
    };
    Some([
        mean(&[37, 38, 40, 41])?,
        mean(&[43, 44, 46, 47])?,
        mean(&[30])?,
        mean(&[48, 60])?,
        mean(&[54, 64])?,
    ])
}

impl Similarity {
    /// What takes features to where they are in an upright face; `None` where they are all at one place.
    pub(super) fn upright(features: &[Point; 5]) -> Option<Self> {
        let middle = |points: &[Point; 5]| {
            let sum = |of: fn(&Point) -> f32| points.iter().map(of).sum::<f32>() / 5.0;
            (sum(|point| point.x), sum(|point| point.y))
        };
        let ((from_x, from_y), (to_x, to_y)) = (middle(features), middle(&UPRIGHT));
        let (mut spread, mut along, mut across) = (0.0, 0.0, 0.0);
        for (from, to) in features.iter().zip(&UPRIGHT) {
            let (a, b) = (from.x - from_x, from.y - from_y);
            let (c, d) = (to.x - to_x, to.y - to_y);
            spread += a * a + b * b;
            along += a * c + b * d;
            across += a * d - b * c;
        }
        let (cosine, sine) = (along / spread, across / spread);
        let is_one = cosine.hypot(sine) > f32::EPSILON && cosine.is_finite() && sine.is_finite();
        is_one.then_some(Self {
            cosine,
            sine,
            x: to_x - (cosine * from_x - sine * from_y),
            y: to_y - (sine * from_x + cosine * from_y),
        })
    }

    fn of(&self, point: Point) -> Point {
        Point {
            x: self.cosine * point.x - self.sine * point.y + self.x,
            y: self.sine * point.x + self.cosine * point.y + self.y,
        }
    }

    /// How far features then are from where they are in an upright face, in pixels of it: little for a face that looks
    /// ahead, much for a profile, and for what is none.
    pub(super) fn distance(&self, features: &[Point; 5]) -> f32 {
        let squares = features.iter().zip(&UPRIGHT).map(|(from, to)| {
            let at = self.of(*from);
            at.distance(*to).powi(2)
        });
        (squares.sum::<f32>() / 5.0).sqrt()
    }

    /// How many pixels of the picture one of the upright face is.
    pub(super) fn scale(&self) -> f32 {
        self.cosine.hypot(self.sine).recip()
    }

    /// By how many degrees the face leans to its right or left; less than 180 either way.
    pub(super) fn lean(&self) -> f32 {
        self.sine.atan2(self.cosine).to_degrees()
    }

    /// What of the picture the upright face is.
    pub(super) fn quad(&self) -> Quad {
        let square = self.cosine * self.cosine + self.sine * self.sine;
        let back = |x: f32, y: f32| {
            let (x, y) = (x - self.x, y - self.y);
            Point {
                x: (self.cosine * x + self.sine * y) / square,
                y: (self.cosine * y - self.sine * x) / square,
            }
        };
        let side = SIDE as f32;
        Quad([
            back(0.0, 0.0),
            back(side, 0.0),
            back(side, side),
            back(0.0, side),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_turned_upright_wherever_it_is() {
        // Turned by a quarter, three times as large, and elsewhere.
        let features = UPRIGHT.map(|point| Point {
            x: 500.0 - 3.0 * point.y,
            y: 200.0 + 3.0 * point.x,
        });
        let upright = Similarity::upright(&features).unwrap();
        assert!(upright.distance(&features) < 0.01);
        assert!((upright.scale() - 3.0).abs() < 0.01);
        assert!((upright.lean() + 90.0).abs() < 0.1);
        let Quad(corners) = upright.quad();
        assert!(corners[0].distance(Point { x: 500.0, y: 200.0 }) < 0.1);
        assert!(corners[1].distance(Point { x: 500.0, y: 536.0 }) < 0.1);
    }

    #[test]
    fn features_at_one_place_are_no_face() {
        assert_eq!(Similarity::upright(&[Point { x: 3.0, y: 4.0 }; 5]), None);
        assert_eq!(features(&[Point::default(); 64]), None);
    }
}
