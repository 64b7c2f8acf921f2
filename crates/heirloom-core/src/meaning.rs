//! What pictures show and texts say, as directions in one space.

use serde::{Deserialize, Serialize};

/// What a picture shows or a text says, in numbers that only a model means something by. As a direction, they tell which
/// text is true of which picture; only those of one model can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Meaning {
    /// The model that said so, with what tells its bytes from others of that name.
    pub model: String,
    /// A byte for each number, from -127 to 127 as two's complements; written in hexadecimal digits.
    #[serde(with = "crate::digits")]
    pub numbers: Vec<u8>,
}

/// What pictures are asked for: words, and what they mean to a model once somebody asked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// As they were typed.
    pub words: String,
    /// What they mean, where that is known.
    pub meant: Option<Meant>,
}

/// What words mean that pictures are looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// A direction in the space that pictures lie in.
    Pictures {
        /// What the words say.
        words: Meaning,
        /// What [`NOTHING`] says.
        nothing: Meaning,
    },
    /// What a picture is called.
    Names {
        /// Names of tags, people and places that mean something like it, the nearest first.
        near: Vec<String>,
        /// Those of the words that say something: no articles.
        words: Vec<String>,
    },
}

/// What is true of every picture: one that is no nearer to some words than to this does not show them.
pub const NOTHING: &str = "a photo";

impl Meaning {
    /// Of a direction: the number that is furthest from 0 becomes 127 or -127.
    #[must_use]
    pub fn of(model: &str, numbers: &[f32]) -> Self {
        let most = numbers.iter().map(|it| it.abs());
        let most = most.fold(f32::MIN_POSITIVE, f32::max);
        #[expect(clippy::cast_possible_truncation, reason = "it is from -127 to 127")]
        let byte = |number: &f32| (number / most * 127.0).round() as i8;
        Self {
            model: model.to_owned(),
            numbers: numbers
                .iter()
                .map(|number| byte(number).cast_unsigned())
                .collect(),
        }
    }

    /// How near two are, from -1 to 1: the cosine of the angle between them; 0 where they are of different models, or one
    /// says nothing.
    #[must_use]
    pub fn nearness(&self, other: &Self) -> f32 {
        if self.model != other.model || self.numbers.len() != other.numbers.len() {
            return 0.0;
        }
        // Of whole numbers, and in one go: a library has hundreds of thousands.
        let (mut both, mut own, mut others) = (0_i32, 0_i32, 0_i32);
        for (a, b) in self.numbers.iter().zip(&other.numbers) {
            let (a, b) = (i32::from(a.cast_signed()), i32::from(b.cast_signed()));
            both += a * b;
            own += a * a;
            others += b * b;
        }
        let length = f64::from(own).sqrt() * f64::from(others).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "it is at most 1")]
        let nearness = (f64::from(both) / length) as f32;
        if length > 0.0 { nearness } else { 0.0 }
    }
}

/// How near a picture is to words, if it is nearer to them than to nothing in particular.
#[must_use]
pub fn is_shown(words: &Meaning, nothing: &Meaning, picture: &Meaning) -> Option<f32> {
    let nearness = words.nearness(picture);
    (nearness > nothing.nearness(picture).max(0.0)).then_some(nearness)
}

/// How far a name has to stand out from all nouns of the vocabulary: so many times as far as these usually differ.
const STANDS_OUT: f32 = 3.0;
/// The most names that are told.
const MOST_NAMES: usize = 8;

/// Which of some names mean something like some words, by how near each is to them, the nearest first. Texts are all rather
/// near to one another, more so to some words than to others: `usual` is how near plain nouns are to these words.
#[must_use]
pub fn standing_out(nearness: &[f32], usual: &[f32]) -> Vec<usize> {
    #[expect(clippy::cast_precision_loss, reason = "there are hundreds")]
    let count = usual.len().max(1) as f32;
    let mean = usual.iter().sum::<f32>() / count;
    let spread = usual.iter().map(|it| (it - mean).powi(2)).sum::<f32>() / count;
    let least = mean + STANDS_OUT * spread.sqrt();
    let mut names: Vec<usize> = (0..nearness.len()).collect();
    names.retain(|at| nearness[*at] > least);
    names.sort_by(|a, b| nearness[*b].total_cmp(&nearness[*a]));
    names.truncate(MOST_NAMES);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meaning_is_nearly_as_exact_as_its_numbers() {
        let numbers = |seed: u32| -> Vec<f32> {
            let number = |at: u32| ((at * at + seed * at) % 97) as f32 / 97.0 - 0.4;
            (0..512).map(number).collect()
        };
        let (a, b) = (numbers(3), numbers(11));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let exact = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
        let (a, b) = (Meaning::of("one", &a), Meaning::of("one", &b));
        assert!((a.nearness(&b) - exact).abs() < 0.005);
        assert!((a.nearness(&a) - 1.0).abs() < 1e-6);
        // Opposite ways, of another model, and of nothing.
        let ahead = Meaning::of("one", &[1.0, -0.5]);
        assert!((ahead.nearness(&Meaning::of("one", &[-1.0, 0.5])) + 1.0).abs() < 1e-3);
        assert!(ahead.nearness(&Meaning::of("other", &[1.0, -0.5])).abs() < 1e-6);
        assert!(ahead.nearness(&Meaning::of("one", &[0.0, 0.0])).abs() < 1e-6);
        assert!(Meaning::default().nearness(&Meaning::default()).abs() < 1e-6);
    }

    #[test]
    fn a_picture_shows_what_is_nearer_to_it_than_nothing_in_particular() {
        let of = |numbers: &[f32]| Meaning::of("one", numbers);
        let (words, nothing) = (of(&[1.0, 0.0, 0.2]), of(&[0.3, 0.3, 1.0]));
        let is_shown = |picture: &Meaning| is_shown(&words, &nothing, picture);
        assert!(is_shown(&of(&[0.9, 0.1, 0.3])).is_some());
        assert_eq!(is_shown(&of(&[0.1, 0.9, 0.3])), None);
        assert_eq!(is_shown(&of(&[-1.0, -1.0, -1.0])), None);
        // Of another model nothing is known.
        assert_eq!(is_shown(&Meaning::of("other", &[1.0, 0.0, 0.2])), None);
    }

    #[test]
    fn names_stand_out_from_what_is_usual_for_the_words() {
        let usual = [0.78, 0.80, 0.79, 0.81, 0.80, 0.82, 0.79, 0.77];
        assert_eq!(standing_out(&[0.80, 0.86, 0.82, 0.91], &usual), [3, 1]);
        assert_eq!(standing_out(&[0.80, 0.82], &usual), [0; 0]);
        assert_eq!(standing_out(&[0.9; 40], &usual).len(), MOST_NAMES);
        assert_eq!(standing_out(&[], &[]), [0; 0]);
    }
}
