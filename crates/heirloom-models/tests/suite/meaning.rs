//! Pictures and texts in one space, with small networks of the names and shapes of real ones.

use std::collections::BTreeMap;

use heirloom_models::{
    Sheet,
    meaning::{Interpreter, MeaningError},
};
use heirloom_testing::image_text::Family;

use crate::harness::runtime;

fn load(files: &BTreeMap<&str, Vec<u8>>) -> Result<Interpreter, MeaningError> {
    let preprocessor = files.get("preprocessor_config.json");
    Interpreter::load(
        runtime(),
        &files["model.onnx"],
        &files["tokenizer.json"],
        preprocessor.map(Vec::as_slice),
    )
}

fn of_colour(colour: [u8; 3]) -> Sheet {
    Sheet::new(400, 300, colour.repeat(400 * 300)).unwrap()
}

fn near(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn a_picture_lies_nearest_to_what_is_said_of_it() {
    let colours = [
        ("red", [250, 10, 0]),
        ("a photo of a lake", [0, 20, 230]),
        ("Broccoli!", [10, 240, 10]),
    ];
    for family in [Family::Clip, Family::Siglip] {
        let mut interpreter = load(&family.files()).unwrap();
        let mut texts = Vec::new();
        for (text, _) in colours {
            texts.push(interpreter.read(text).unwrap());
        }
        for (at, (text, colour)) in colours.iter().enumerate() {
            let picture = interpreter.see(&of_colour(*colour)).unwrap();
            assert!((near(&picture, &picture) - 1.0).abs() < 1e-4);
            let nearness = texts.iter().map(|text| near(text, &picture));
            let nearness: Vec<f32> = nearness.collect();
            for (other, it) in nearness.iter().enumerate() {
                assert_eq!(*it > 0.9, other == at, "{family:?} {text}: {nearness:?}");
            }
        }
    }
}

#[test]
fn a_network_says_itself_how_likely_a_text_is() {
    let scale = |family: Family| load(&family.files()).unwrap().scale().unwrap();
    let (clip, siglip) = (scale(Family::Clip), scale(Family::Siglip));
    assert!(
        (clip.slope - 100.0).abs() < 0.1 && clip.offset.abs() < 0.1,
        "{clip:?}"
    );
    assert!(
        (siglip.slope - 100.0).abs() < 0.1 && (siglip.offset + 80.0).abs() < 0.1,
        "{siglip:?}"
    );
}

#[test]
fn a_model_that_is_another_or_does_not_fit_is_refused() {
    let refused = |name: &str, bytes: &[u8]| {
        let mut files = Family::Clip.files();
        *files.get_mut(name).unwrap() = bytes.to_vec();
        load(&files).unwrap_err().to_string()
    };
    assert!(refused("model.onnx", b"no network").contains("ONNX Runtime failed"));
    assert!(refused("tokenizer.json", b"{}").contains("tokenizer.json"));
    let large = refused(
        "preprocessor_config.json",
        br#"{"size": 336, "crop_size": 336}"#,
    );
    assert!(large.contains("it sees 224 by 224 pixels"), "{large}");
}
