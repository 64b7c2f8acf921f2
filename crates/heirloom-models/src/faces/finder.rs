//! Who finds faces.

use ort::{session::Session, value::Tensor};

use super::{
    FacesError,
    align::{SIDE, Similarity, features},
    answer,
    detector::{Candidate, Detector},
    load,
    pyramid::Pyramid,
};
use crate::{
    quad::{Point, Quad},
    runtime::Runtime,
    sheet::Sheet,
};

/// Finds faces in pictures.
#[derive(Debug)]
pub struct Finder {
    detector: Detector,
    landmarks: Session,
    features: Session,
}

/// A face, in pixels of its picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenFace {
    /// Its left, top, width and height.
    pub rectangle: [f32; 4],
    /// How likely it is one, from 0 to 1.
    pub probability: f32,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// 68 points: the jaw, brows, nose, eyes and mouth.
    pub landmarks: Vec<Point>,
    /// What tells it from others: 512 numbers, of which the direction counts.
    pub direction: Vec<f32>,
}

/// The side of what is looked at for 68 points.
const LANDMARK_SIDE: usize = 64;
const POINTS: usize = 68;
const NUMBERS: usize = 512;
/// What tells faces apart says little of what is none: its numbers are short then.
const STRENGTH: f32 = 2.2;
/// So long they are of a face that is seen well.
const GOOD_STRENGTH: f32 = 3.2;
/// A face whose features lie further from those of an upright one is none, or its back is almost turned.
const FURTHEST: f32 = 9.5;
/// The features of a face that looks ahead are this near.
const NEAR: f32 = 3.0;
/// A face of which so many pixels are one of the upright face is seen well.
const GOOD_SCALE: f32 = 0.5;
/// Edges of a face that is sharp are so steep, as a share of how much its light differs.
const SHARP: f32 = 0.12;

/// By how many quarters a picture is turned in which nobody is found: on either side, then upside down.
const TURNS: [usize; 3] = [1, 3, 2];
/// A picture is taken for one that lies on its side where somebody is seen so well.
const PLAIN: f32 = 0.2;

impl SeenFace {
    /// Brings what was seen in a picture that is turned to where it is in the picture itself.
    fn lie_in(&mut self, picture: &Pyramid<'_>) {
        let [left, top, width, height] = self.rectangle;
        let corner = |x, y| picture.place(Point { x, y });
        let (one, other) = (corner(left, top), corner(left + width, top + height));
        self.rectangle = [
            one.x.min(other.x),
            one.y.min(other.y),
            (one.x - other.x).abs(),
            (one.y - other.y).abs(),
        ];
        for point in &mut self.landmarks {
            *point = picture.place(*point);
        }
    }
}

impl Finder {
    /// From the files of a model: what finds faces, what finds their features, and what tells them apart.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(
        runtime: &Runtime,
        detector: &[u8],
        landmarks: &[u8],
        features: &[u8],
    ) -> Result<Self, FacesError> {
        Ok(Self {
            detector: Detector::load(runtime, detector)?,
            landmarks: load(runtime, landmarks)?,
            features: load(runtime, features)?,
        })
    }

    /// The faces of a picture, from the left. One in which there are none is turned, for it may be a print that was scanned
    /// on its side, and looked at closely where a glance shows somebody.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn find(&mut self, sheet: &Sheet) -> Result<Vec<SeenFace>, FacesError> {
        let mut picture = Pyramid::of(sheet);
        let found = self.detector.find(&picture)?;
        let mut faces = self.look_at(&picture, found)?;
        for quarters in TURNS {
            if !faces.is_empty() {
                break;
            }
            picture.turn(quarters);
            let found = self.detector.glance(&picture)?;
            let glanced = self.look_at(&picture, found)?;
            if glanced.iter().any(|face| face.quality >= PLAIN) {
                let found = self.detector.find(&picture)?;
                faces = self.look_at(&picture, found)?;
            }
        }
        for face in &mut faces {
            face.lie_in(&picture);
        }
        faces.sort_by(|a, b| a.rectangle[0].total_cmp(&b.rectangle[0]));
        Ok(faces)
    }

    /// Those that are faces of what looks like some, in pixels of the picture as it is turned.
    fn look_at(
        &mut self,
        picture: &Pyramid<'_>,
        found: Vec<Candidate>,
    ) -> Result<Vec<SeenFace>, FacesError> {
        let mut faces = Vec::new();
        for candidate in found {
            faces.extend(self.look(picture, &candidate)?);
        }
        Ok(faces)
    }

    /// Looks closely at what looks like a face; `None` where it is none.
    fn look(
        &mut self,
        picture: &Pyramid<'_>,
        candidate: &Candidate,
    ) -> Result<Option<SeenFace>, FacesError> {
        let landmarks = self.landmarks(picture, candidate)?;
        let Some(features) = features(&landmarks) else {
            return Ok(None);
        };
        let Some(upright) = Similarity::upright(&features) else {
            return Ok(None);
        };
        let distance = upright.distance(&features);
        if distance > FURTHEST || upright.lean().abs() > 60.0 {
            return Ok(None);
        }
        let (direction, sharpness) = self.direction(picture, &upright.quad())?;
        let strength = direction.iter().map(|it| it * it).sum::<f32>().sqrt();
        if strength < STRENGTH {
            return Ok(None);
        }
        let share = |of: f32, good: f32| (of / good).clamp(0.0, 1.0);
        let quality = share(strength - STRENGTH + 0.2, GOOD_STRENGTH - STRENGTH + 0.2)
            * share(upright.scale(), GOOD_SCALE)
            * share(FURTHEST - distance, FURTHEST - NEAR).sqrt()
            * share(sharpness, SHARP).sqrt();
        let Candidate { left, top, .. } = *candidate;
        Ok(Some(SeenFace {
            rectangle: [left, top, candidate.right - left, candidate.bottom - top],
            probability: candidate.probability,
            quality,
            landmarks,
            direction,
        }))
    }

    fn landmarks(
        &mut self,
        picture: &Pyramid<'_>,
        candidate: &Candidate,
    ) -> Result<Vec<Point>, FacesError> {
        let (top, side) = (candidate.top, candidate.bottom - candidate.top);
        let left = (candidate.left + candidate.right - side) / 2.0;
        let quad = Quad::of_rectangle(left, top, left + side, top + side);
        let mut pixels = vec![0.0; LANDMARK_SIDE * LANDMARK_SIDE];
        picture.sample(&quad, LANDMARK_SIDE, LANDMARK_SIDE, |x, y, colour| {
            pixels[y * LANDMARK_SIDE + x] = light(colour) / 256.0;
        });
        let pixels = Tensor::from_array(([1, 1, LANDMARK_SIDE, LANDMARK_SIDE], pixels))?;
        let answers = self.landmarks.run(ort::inputs![pixels])?;
        let points = answer(&answers, 0, POINTS * 2)?.chunks_exact(2);
        let points = points.map(|at| Point {
            x: left + at[0] * side,
            y: top + at[1] * side,
        });
        Ok(points.collect())
    }

    /// What tells an upright face from others, and how sharp it is.
    fn direction(
        &mut self,
        picture: &Pyramid<'_>,
        quad: &Quad,
    ) -> Result<(Vec<f32>, f32), FacesError> {
        let mut pixels = vec![0.0; 3 * SIDE * SIDE];
        let mut lights = vec![0.0; SIDE * SIDE];
        picture.sample(quad, SIDE, SIDE, |x, y, colour| {
            lights[y * SIDE + x] = light(colour);
            for (channel, value) in colour.into_iter().enumerate() {
                pixels[(channel * SIDE + y) * SIDE + x] = (value - 127.0) / 128.0;
            }
        });
        let pixels = Tensor::from_array(([1, 3, SIDE, SIDE], pixels))?;
        let answers = self.features.run(ort::inputs![pixels])?;
        Ok((answer(&answers, 0, NUMBERS)?.to_vec(), sharpness(&lights)))
    }
}

/// How light a colour is.
fn light([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// How steep the edges of an upright face are, as a share of how much its light differs.
fn sharpness(lights: &[f32]) -> f32 {
    let count = lights.len() as f32;
    let mean = lights.iter().sum::<f32>() / count;
    let spread = (lights.iter().map(|it| (it - mean).powi(2)).sum::<f32>() / count).sqrt();
    let mut steep = 0.0;
    for row in lights.chunks_exact(SIDE) {
        steep += row
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .sum::<f32>();
    }
    steep / count / spread.max(1.0)
}
