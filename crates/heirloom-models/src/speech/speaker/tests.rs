//! With voices that are only directions: what the network says of real ones is tested with real ones.

use super::*;
use crate::speech::{FRAME, pack};

/// A voice of its own direction, a bit different each time.
fn print(voice: usize, time: usize) -> Vec<f32> {
    let mut print = vec![0.02; PRINT];
    print[voice * 8..voice * 8 + 8].fill(0.3);
    print[200 + (time * 7 + voice) % 50] = 0.3;
    super::super::voiceprint::unit(print)
}

/// Utterances, each with who speaks it and from which to which frame.
fn heard(said: &[(usize, usize, usize)]) -> Voices {
    let mut voices = Voices::default();
    for (who, begin, end) in said {
        let utterance = begin * STEP..end * STEP;
        let prints = windows_of(utterance.len())
            .flat_map(|(at, count)| pack(&print(*who, begin + at)).repeat(count));
        let packed: Vec<u8> = prints.collect();
        voices.add(utterance, &packed);
    }
    voices
}

fn speakers(told: &Told) -> Vec<usize> {
    told.turns.iter().map(|(who, _)| *who).collect()
}

#[test]
fn who_speaks_first_is_the_first() {
    let told = heard(&[(5, 0, 400), (2, 450, 2000), (5, 2050, 2500)]).tell(None);
    assert_eq!(speakers(&told), [0, 1, 0]);
    assert_eq!(told.turns[1].1, 450 * STEP..2000 * STEP);
    assert!(product(&told.voices[0], &print(5, 0)) > 0.9);
}

#[test]
fn one_voice_is_one_speaker_and_silence_none() {
    let told = heard(&[(1, 0, 300), (1, 330, 900), (1, 1000, 1040)]).tell(None);
    assert_eq!((speakers(&told), told.voices.len()), (vec![0, 0, 0], 1));
    let nobody = Voices::default().tell(None);
    assert_eq!((nobody.voices.len(), nobody.turns.len()), (0, 0));
    assert_eq!(Voices::default().tell(Some(3)).voices.len(), 0);
}

#[test]
fn as_many_are_told_apart_as_somebody_says() {
    let three = heard(&[
        (0, 0, 800),
        (1, 850, 1500),
        (2, 1550, 2000),
        (0, 2100, 2400),
    ]);
    assert_eq!(three.tell(None).voices.len(), 3);
    assert_eq!(three.tell(Some(1)).voices.len(), 1);
    assert_eq!(three.tell(Some(2)).voices.len(), 2);
    assert_eq!(
        three.tell(Some(9)).voices.len(),
        3,
        "there are no more than there are"
    );
}

#[test]
fn the_same_recording_is_told_the_same() {
    let said: Vec<_> = (0..600)
        .map(|n| (n % 7 % 4, n * 500, n * 500 + 450))
        .collect();
    let (once, again) = (heard(&said).tell(None), heard(&said).tell(None));
    assert_eq!(once, again);
    // And as long as it is, everybody keeps their label.
    assert_eq!(once.voices.len(), 4);
    let right: Vec<_> = said.iter().map(|(who, ..)| *who).collect();
    assert_eq!(speakers(&once), right);
}

#[test]
fn a_short_answer_is_its_speakers() {
    let told = heard(&[(0, 0, 700), (1, 720, 770), (0, 800, 1500), (1, 1550, 2100)]).tell(None);
    assert_eq!(speakers(&told), [0, 1, 0, 1]);
}

#[test]
fn an_utterance_ends_with_a_short_pause() {
    let speech = vec![0.9; 40];
    let likely = [
        speech.clone(),
        vec![0.1; 4],
        speech.clone(),
        vec![0.1; 12],
        speech,
    ]
    .concat();
    let utterances = utterances_of(&likely, likely.len() * FRAME);
    assert_eq!(utterances.len(), 2, "{utterances:?}");
    assert!(utterances.iter().all(|span| span.start % STEP == 0));
    let monologue = vec![0.9; 70 * SAMPLES_PER_SECOND / FRAME];
    let parts = utterances_of(&monologue, monologue.len() * FRAME);
    assert_eq!(parts.len(), 3);
    assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
}
