//! What is said, with the real model and real voices.

use heirloom_models::{
    Store,
    speech::{Hearing, Listener, Said},
};
use heirloom_testing::{conversation::samples_of, media::sample_library, models};

use crate::harness::runtime;

fn listener() -> Listener {
    let files = Store::open(models::folder()).files("whisper-base");
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    let read = |name: &str| std::fs::read(&files[name]).unwrap();
    Listener::load(
        runtime(),
        &read("model.bin"),
        &read("config.json"),
        &read("vocabulary.txt"),
    )
    .unwrap()
}

fn voice(file: &str) -> Vec<f32> {
    samples_of(&sample_library().join("Voices").join(file))
}

fn text(said: &Said) -> String {
    said.words.iter().map(|word| word.text.as_str()).collect()
}

#[test]
fn what_is_said_again_and_again_is_written_down_as_often() {
    let mut listener = listener();
    let kennedy = voice("1961-01-20 Kennedy on the radio.mp3");
    let phrase = voice("Grandmother reads Austen 2.wav");
    let pause = vec![0.0; 8_000];
    let again = |count: usize| [phrase.as_slice(), &pause].concat().repeat(count);
    for (before, count) in [(&[][..], 6), (&kennedy, 4)] {
        let samples = [before, &again(count)].concat();
        let said = listener.hear(&samples, &Hearing::default()).unwrap();
        let text = text(&said).to_lowercase();
        assert_eq!(text.matches("young man").count(), count, "{text}");
        assert_eq!(
            text.contains("ask what you can do"),
            !before.is_empty(),
            "{text}"
        );
    }
}
