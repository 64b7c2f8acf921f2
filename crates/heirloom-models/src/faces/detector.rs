//! Where faces may be.

use ort::{session::Session, value::Tensor};

use super::{FacesError, answer, load, pyramid::Pyramid};
use crate::{quad::Quad, runtime::Runtime};

/// Finds what looks like a face.
#[derive(Debug)]
pub(super) struct Detector {
    session: Session,
}

/// What looks like a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
    /// From 0 to 1.
    pub(super) probability: f32,
    /// How many pixels high it was when it was seen.
    seen: f32,
}

const WIDTH: usize = 320;
const HEIGHT: usize = 240;
/// So many places are looked at in each part.
const PLACES: usize = 4420;
/// Parts overlap by so much: a face that is larger is seen from further away.
const OVERLAP: f32 = 72.0;
/// A picture is looked at no closer than this, in pixels of what is seen to one of its own,
const CLOSEST: f32 = 1.5;
/// and in no more parts than so many.
const MOST_PARTS: usize = 600;
/// What is less likely is no face.
const LIKELY: f32 = 0.995;
/// What is lower when it is seen says nothing.
const LOWEST: f32 = 10.0;
/// Faces are told best when they are seen so high.
const BEST: f32 = 80.0;
/// What shares so much of its place with a likelier one, or lies in it so far, is the same.
const SAME: f32 = 0.4;
const WITHIN: f32 = 0.7;

impl Detector {
    pub(super) fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, FacesError> {
        Ok(Self {
            session: load(runtime, model)?,
        })
    }

    /// What looks like a face in a picture that is looked at once, as a whole.
    pub(super) fn glance(&mut self, picture: &Pyramid<'_>) -> Result<Vec<Candidate>, FacesError> {
        let mut found = Vec::new();
        self.look(picture, (0.0, 0.0), whole(picture), &mut found)?;
        Ok(apart(found))
    }

    /// What looks like a face in a picture, in its pixels, the likeliest first.
    pub(super) fn find(&mut self, picture: &Pyramid<'_>) -> Result<Vec<Candidate>, FacesError> {
        let (width, height) = (picture.width(), picture.height());
        let mut found = Vec::new();
        let (mut scale, mut parts) = (whole(picture), 0);
        loop {
            let (lefts, tops) = (begins(width * scale, WIDTH), begins(height * scale, HEIGHT));
            parts += lefts.len() * tops.len();
            if parts > MOST_PARTS {
                break;
            }
            for top in &tops {
                for left in &lefts {
                    self.look(picture, (*left, *top), scale, &mut found)?;
                }
            }
            scale *= 2.0;
            if scale > CLOSEST {
                break;
            }
        }
        Ok(apart(found))
    }

    /// Looks at a part of a picture; `left` and `top` are in pixels of what is seen.
    fn look(
        &mut self,
        picture: &Pyramid<'_>,
        (left, top): (f32, f32),
        scale: f32,
        found: &mut Vec<Candidate>,
    ) -> Result<(), FacesError> {
        let (all_width, all_height) = (picture.width() * scale, picture.height() * scale);
        let width = (all_width - left).round().clamp(1.0, WIDTH as f32) as usize;
        let height = (all_height - top).round().clamp(1.0, HEIGHT as f32) as usize;
        let (right, bottom) = (left + width as f32, top + height as f32);
        let part =
            Quad::of_rectangle(left, top, right, bottom).scaled(scale.recip(), scale.recip());
        let mut pixels = vec![0.0; 3 * WIDTH * HEIGHT];
        picture.sample(&part, width, height, |x, y, colour| {
            for (channel, value) in colour.into_iter().enumerate() {
                pixels[(channel * HEIGHT + y) * WIDTH + x] = (value - 127.0) / 128.0;
            }
        });
        let pixels = Tensor::from_array(([1, 3, HEIGHT, WIDTH], pixels))?;
        let answers = self.session.run(ort::inputs![pixels])?;
        let likely = answer(&answers, 0, PLACES * 2)?.chunks_exact(2);
        let corners = answer(&answers, 1, PLACES * 4)?.chunks_exact(4);
        for (likely, corners) in likely.zip(corners) {
            let (x, y) = (WIDTH as f32, HEIGHT as f32);
            let seen = Candidate {
                left: corners[0] * x,
                top: corners[1] * y,
                right: corners[2] * x,
                bottom: corners[3] * y,
                probability: likely[1],
                seen: (corners[3] - corners[1]) * y,
            };
            let is_cut = (left > 0.0 && seen.left < 2.0)
                || (top > 0.0 && seen.top < 2.0)
                || (right < all_width - 1.0 && seen.right > width as f32 - 2.0)
                || (bottom < all_height - 1.0 && seen.bottom > height as f32 - 2.0);
            let is_one =
                seen.probability >= LIKELY && seen.seen >= LOWEST && seen.right > seen.left;
            if is_one && !is_cut {
                found.push(Candidate {
                    left: (seen.left + left) / scale,
                    top: (seen.top + top) / scale,
                    right: (seen.right + left) / scale,
                    bottom: (seen.bottom + top) / scale,
                    ..seen
                });
            }
        }
        Ok(())
    }
}

/// How much smaller a picture is when it is seen as a whole.
const fn whole(picture: &Pyramid<'_>) -> f32 {
    (WIDTH as f32 / picture.width()).min(HEIGHT as f32 / picture.height())
}

/// Where parts of a length begin, so that they overlap.
fn begins(length: f32, part: usize) -> Vec<f32> {
    let part = part as f32;
    if length <= part + 1.0 {
        return vec![0.0];
    }
    let count = ((length - OVERLAP) / (part - OVERLAP)).ceil();
    let step = (length - part) / (count - 1.0);
    (0..count as usize)
        .map(|at| (at as f32 * step).floor())
        .collect()
}

/// Those that are different faces: of several at one place the likeliest, and of equals the one that was seen best.
fn apart(mut found: Vec<Candidate>) -> Vec<Candidate> {
    let rank = |it: &Candidate| it.probability - 0.01 * (it.seen / BEST).log2().abs();
    found.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    let mut apart: Vec<Candidate> = Vec::new();
    for one in found {
        if !apart.iter().any(|other| one.is_at(other)) {
            apart.push(one);
        }
    }
    apart
}

impl Candidate {
    fn is_at(&self, other: &Self) -> bool {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        let both = across.max(0.0) * down.max(0.0);
        let area = |it: &Self| (it.right - it.left) * (it.bottom - it.top);
        let (own, its) = (area(self), area(other));
        both > SAME * (own + its - both) || both > WITHIN * own.min(its)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(left: f32, top: f32, side: f32, probability: f32, seen: f32) -> Candidate {
        Candidate {
            left,
            top,
            right: left + side,
            bottom: top + side,
            probability,
            seen,
        }
    }

    #[test]
    fn parts_cover_all_of_a_picture_and_overlap() {
        assert_eq!(begins(300.0, 320), [0.0]);
        for length in 322..5000 {
            let begins = begins(length as f32, 320);
            let last = begins[begins.len() - 1] + 320.0;
            assert!(last > length as f32 - 1.5, "{length}: {begins:?}");
            for pair in begins.windows(2) {
                assert!(pair[0] + 320.0 >= pair[1] + OVERLAP - 2.0, "{length}");
            }
        }
    }

    #[test]
    fn a_face_that_is_seen_several_times_is_one() {
        let whole = at(100.0, 100.0, 50.0, 0.999, 80.0);
        let found = vec![
            at(104.0, 98.0, 50.0, 0.999, 20.0),
            whole,
            // A part of it that looks like one.
            at(110.0, 110.0, 20.0, 0.996, 40.0),
            at(300.0, 100.0, 50.0, 0.996, 40.0),
        ];
        let apart = apart(found);
        assert_eq!(apart.len(), 2, "{apart:?}");
        assert_eq!(apart[0], whole);
    }
}
