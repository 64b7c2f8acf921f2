//! What a voice sounds like.

use serde::{Deserialize, Serialize};

use crate::digits;

/// What a voice sounds like, in numbers that only a model means something by: 256 with Resemblyzer's. As a direction,
/// they tell voices apart; only those of one model can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Voiceprint {
    /// The model that took it, with what tells its bytes from others of that name.
    pub model: String,
    /// A byte for each number, which is as exact as voices are; written in hexadecimal digits.
    #[serde(with = "crate::digits")]
    pub numbers: Vec<u8>,
}

/// From this likeness on two voiceprints of Resemblyzer's are taken for one person's. How it was measured is in
/// decision 0018.
pub const SAME_VOICE: f32 = 0.8;

/// How alike two voices are: the cosine of the angle between them, 1 for the same; 0 where they are of different
/// models, or one says nothing.
#[must_use]
pub fn same_voice(a: &Voiceprint, b: &Voiceprint) -> f32 {
    if a.model != b.model || a.numbers.len() != b.numbers.len() {
        return 0.0;
    }
    digits::cosine(&a.numbers, &b.numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(model: &str, numbers: &[u8]) -> Voiceprint {
        Voiceprint {
            model: model.to_owned(),
            numbers: numbers.to_vec(),
        }
    }

    #[test]
    fn a_voice_is_itself_however_loud_and_no_other() {
        let a = print("one", &[60, 80, 0]);
        let louder = print("one", &[120, 160, 0]);
        let other = print("one", &[0, 0, 100]);
        assert!((same_voice(&a, &louder) - 1.0).abs() < 1e-6);
        assert!(same_voice(&a, &other) < SAME_VOICE);
        // Of another model, and of nothing.
        assert!(same_voice(&a, &print("other", &[60, 80, 0])).abs() < 1e-6);
        assert!(same_voice(&Voiceprint::default(), &Voiceprint::default()).abs() < 1e-6);
    }

    #[test]
    fn a_voice_is_written_in_digits_and_read_again() {
        let voice = print("one", &[0, 15, 255]);
        let written = serde_json::to_value(&voice).unwrap();
        assert_eq!(written["numbers"], "000fff");
        assert_eq!(
            serde_json::from_value::<Voiceprint>(written).unwrap(),
            voice
        );
        for wrong in ["0", "zz", "ää", "+1"] {
            let wrong = serde_json::json!({ "model": "one", "numbers": wrong });
            assert!(serde_json::from_value::<Voiceprint>(wrong).is_err());
        }
    }
}
