//! What a picture looks like.

use serde::{Deserialize, Serialize};

use crate::digits;

/// What a picture looks like, in numbers that only a model means something by: 1,280 with EfficientNet's. As a direction,
/// they tell which pictures are alike; only those of one model can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Imprint {
    /// The model that saw it, with what tells its bytes from others of that name.
    pub model: String,
    /// A byte for each number, written in hexadecimal digits.
    #[serde(with = "crate::digits")]
    pub numbers: Vec<u8>,
}

impl Imprint {
    /// Of numbers none of which is below 0: the largest becomes 255.
    #[must_use]
    pub fn of(model: &str, numbers: &[f32]) -> Self {
        let most = numbers.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 255"
        )]
        let byte = |number: &f32| (number.max(0.0) / most * 255.0).round() as u8;
        Self {
            model: model.to_owned(),
            numbers: numbers.iter().map(byte).collect(),
        }
    }

    /// What several pictures look like on the whole, each as much as the others; nothing of none. All are of one model.
    #[must_use]
    pub fn mean<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut model, mut sum) = ("", Vec::new());
        for imprint in all {
            model = &imprint.model;
            sum.resize(imprint.numbers.len(), 0.0);
            let squares = imprint.numbers.iter().map(|it| f32::from(*it).powi(2));
            let length = squares.sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            for (sum, number) in sum.iter_mut().zip(&imprint.numbers) {
                *sum += f32::from(*number) / length;
            }
        }
        Self::of(model, &sum)
    }

    /// How alike two pictures are: 1 for the same; 0 where they were seen by different models, or nothing was seen.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f32 {
        if self.model != other.model || self.numbers.len() != other.numbers.len() {
            return 0.0;
        }
        digits::cosine(&self.numbers, &other.numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pictures_look_like_on_the_whole_is_like_each_of_them() {
        let (dark, bright) = (
            Imprint::of("one", &[0.1, 0.0]),
            Imprint::of("one", &[0.0, 9.0]),
        );
        let both = Imprint::mean([&dark, &bright]);
        assert!((both.likeness(&dark) - both.likeness(&bright)).abs() < 0.01);
        assert!(both.likeness(&dark) > 0.7);
        assert_eq!(Imprint::mean([&bright]), bright);
        assert_eq!(Imprint::mean([]), Imprint::default());
    }

    #[test]
    fn an_imprint_is_nearly_as_exact_as_its_numbers() {
        let numbers = |seed: u32| -> Vec<f32> {
            let number = |at: u32| ((at * at + seed * at) % 97) as f32 / 97.0;
            (0..1280).map(number).collect()
        };
        let (a, b) = (numbers(3), numbers(11));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let exact = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
        let likeness = Imprint::of("one", &a).likeness(&Imprint::of("one", &b));
        assert!((likeness - exact).abs() < 0.001, "{likeness}, {exact}");
        // Of another model, and of nothing.
        assert!(
            Imprint::of("one", &a)
                .likeness(&Imprint::of("other", &a))
                .abs()
                < 1e-6
        );
        assert!(
            Imprint::of("one", &[0.0; 4])
                .likeness(&Imprint::of("one", &[0.0; 4]))
                .abs()
                < 1e-6
        );
    }
}
