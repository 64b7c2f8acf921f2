//! Faces in pictures and films: where each is, how well it is seen, and what tells it from others.

mod frames;
mod group;
mod word;

use serde::{Deserialize, Serialize};

pub use group::{Gathered, Whose, gather, whose};
pub(crate) use word::names_of;
pub use word::{Aside, FaceWord};

use crate::{Area, Glimpse};

/// The faces of a picture or film, as a machine found them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Faces {
    /// From the left; those of a film in the order in which they are first seen.
    pub faces: Vec<Face>,
}

/// A face in a picture, or all that is seen of one person in a film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Where it is, on the picture as it is shown.
    pub area: Area,
    /// Of a film: when it is seen best, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// Of a film: all the moments at which it was seen, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moments: Vec<u64>,
    /// How likely it is a face at all, from 0 to 1.
    pub probability: f32,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// 68 points in the order of the iBUG scheme, each to the right and down as shares of the picture: the jaw from the
    /// left, brows, nose, eyes from point 37 and 43 on, and the mouth from point 49 on, counted from 1.
    pub landmarks: Vec<[f32; 2]>,
    /// What tells it from others.
    pub print: Faceprint,
}

/// What a face looks like, in numbers that only a model means something by: 512 with the one that is pulled by default.
/// As a direction, they tell faces apart; only those of one model can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Faceprint {
    /// The model that took it, with what tells its bytes from others of that name.
    pub model: String,
    /// A byte with a sign for each number; written in hexadecimal digits.
    #[serde(with = "crate::digits")]
    pub numbers: Vec<u8>,
}

/// From this likeness on two faces are taken for one person's. How it was measured is in decision 0024.
pub const SAME_FACE: f32 = 0.45;

/// A face of less quality tells nobody from others: it is shown, and compared with none.
pub const CLEAR: f32 = 0.2;

/// What lies on this much of the same place is the same face, whoever found it.
pub const SAME_PLACE: f64 = 0.35;

impl Face {
    /// Where and when it is seen.
    #[must_use]
    pub const fn glimpse(&self) -> Glimpse {
        let (at_ms, area) = (self.at_ms, self.area);
        Glimpse { at_ms, area }
    }
}

impl Faceprint {
    /// A direction as bytes.
    #[must_use]
    pub fn of(model: &str, direction: &[f32]) -> Self {
        let most = direction
            .iter()
            .fold(0.0_f32, |most, it| most.max(it.abs()));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "between -127 and 127, and a number that is none is 0"
        )]
        let byte = |number: &f32| (number / most.max(f32::MIN_POSITIVE) * 127.0).round() as i8;
        Self {
            model: model.to_owned(),
            numbers: direction
                .iter()
                .map(|it| byte(it).cast_unsigned())
                .collect(),
        }
    }

    /// As a direction of length 1; all zeros where it says nothing.
    #[must_use]
    pub fn direction(&self) -> Vec<f32> {
        let numbers = self.numbers.iter();
        let numbers: Vec<f32> = numbers.map(|it| f32::from(it.cast_signed())).collect();
        let length = numbers.iter().map(|it| it * it).sum::<f32>().sqrt();
        let shorter = |it| if length > 0.0 { it / length } else { 0.0 };
        numbers.into_iter().map(shorter).collect()
    }
}

/// How alike two faces are: the cosine of the angle between them, 1 for the same; 0 where they are of different models, or
/// one says nothing.
#[must_use]
pub fn same_face(a: &Faceprint, b: &Faceprint) -> f32 {
    if a.model != b.model || a.numbers.len() != b.numbers.len() {
        return 0.0;
    }
    let (mut both, mut own, mut other) = (0_i32, 0_i32, 0_i32);
    for (a, b) in a.numbers.iter().zip(&b.numbers) {
        let (a, b) = (i32::from(a.cast_signed()), i32::from(b.cast_signed()));
        both += a * b;
        own += a * a;
        other += b * b;
    }
    let length = f64::from(own).sqrt() * f64::from(other).sqrt();
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 1")]
    let likeness = (f64::from(both) / length) as f32;
    if length > 0.0 { likeness } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_itself_however_strongly_it_is_seen_and_no_other() {
        let one = Faceprint::of("m", &[0.6, -0.8, 0.0]);
        let stronger = Faceprint::of("m", &[6.0, -8.0, 0.0]);
        assert!((same_face(&one, &stronger) - 1.0).abs() < 1e-6);
        assert!(same_face(&one, &Faceprint::of("m", &[-0.6, 0.8, 0.0])) < -0.99);
        assert!(same_face(&one, &Faceprint::of("m", &[0.0, 0.0, 1.0])).abs() < 1e-6);
        // Of another model, and of nothing.
        assert!(same_face(&one, &Faceprint::of("n", &[0.6, -0.8, 0.0])).abs() < 1e-6);
        let nothing = Faceprint::of("m", &[0.0, 0.0, 0.0]);
        assert!(same_face(&one, &nothing).abs() < 1e-6);
        assert_eq!(nothing.direction(), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_direction_is_kept_to_a_hundredth() {
        let direction = [0.6, -0.48, 0.64];
        let kept = Faceprint::of("m", &direction).direction();
        for (kept, given) in kept.iter().zip(direction) {
            assert!((kept - given).abs() < 0.01, "{kept} {given}");
        }
    }
}
