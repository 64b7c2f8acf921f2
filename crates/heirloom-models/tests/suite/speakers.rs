//! Who speaks when, with the real models and real voices.

use heirloom_models::{
    Store,
    speech::{FRAME, LENGTHS, PRINT, Told, Voice, Voiceprints, Voices, utterances_of},
};
use heirloom_testing::{
    conversation::{COLLAR, Conversation, Reader, conversation, error_rate, speeches},
    media::sample_library,
    models,
};

use crate::harness::runtime;

/// At most so much is told wrongly of a conversation.
const LIMIT: f64 = 0.2;

fn reader(name: &str, files: &[&str]) -> Reader {
    let folder = sample_library().join("Voices");
    let files: Vec<_> = files.iter().map(|file| folder.join(file)).collect();
    Reader::of(name, &files)
}

fn hilde() -> Reader {
    reader("Hilde", &["Oma Hilde erzählt.wav"])
}

fn kennedy() -> Reader {
    reader("Kennedy", &["1961-01-20 Kennedy on the radio.mp3"])
}

fn lucien() -> Reader {
    reader("Lucien", &["Grand-père Lucien.m4a"])
}

fn carmen() -> Reader {
    reader("Carmen", &["Abuela Carmen.ogg"])
}

fn grandmother() -> Reader {
    let files = [1, 2, 3].map(|n| format!("Grandmother reads Austen {n}.wav"));
    reader("grandmother", &files.each_ref().map(String::as_str))
}

/// The bytes of a model of one file.
fn model(id: &str) -> Vec<u8> {
    let files = Store::open(models::folder()).files(id);
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    std::fs::read(files.into_values().next().unwrap()).unwrap()
}

/// What hears where somebody speaks, and what that sounds like.
fn load() -> (Voice, Voiceprints) {
    (
        Voice::load(runtime(), &model("silero-vad")).unwrap(),
        Voiceprints::load(runtime(), &model("resemblyzer")).unwrap(),
    )
}

fn hear(samples: &[f32]) -> Voices {
    let (mut voice, mut voiceprints) = load();
    let frames = samples.chunks(FRAME);
    let likely: Vec<f32> = frames.map(|frame| voice.hear(frame).unwrap()).collect();
    let mut voices = Voices::default();
    let utterances = utterances_of(&likely, samples.len());
    let said: Vec<_> = utterances.iter().map(|it| &samples[it.clone()]).collect();
    let prints = voiceprints.of(&said).unwrap();
    for (utterance, packed) in utterances.into_iter().zip(prints) {
        voices.add(utterance, &packed);
    }
    voices
}

fn tell(heard: &Conversation) -> Told {
    hear(&heard.samples).tell(None)
}

fn likeness(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn two_who_talk_are_told_apart() {
    for (a, b, seed) in [
        (hilde(), carmen(), 1),
        (kennedy(), lucien(), 2),
        (grandmother(), hilde(), 3),
        (grandmother(), kennedy(), 4),
    ] {
        let heard = conversation(&[&a, &b], 40, seed);
        let told = tell(&heard);
        let error = error_rate(&heard.truth, &told.turns, COLLAR);
        assert_eq!(told.voices.len(), 2, "{} and {}: {error:?}", a.name, b.name);
        assert!(error.all() <= LIMIT, "{} and {}: {error:?}", a.name, b.name);
    }
}

#[test]
fn two_who_say_a_sentence_each_are_told_apart_and_one_who_does_is_one() {
    let readers = [hilde(), carmen(), kennedy(), lucien(), grandmother()];
    for a in &readers {
        let alone = tell(&speeches(&[a]));
        assert_eq!(alone.voices.len(), 1, "{} alone", a.name);
        for b in readers.iter().filter(|b| b.name != a.name) {
            let heard = speeches(&[a, b]);
            let told = tell(&heard);
            let error = error_rate(&heard.truth, &told.turns, COLLAR);
            assert!(
                told.voices.len() == 2 && error.all() <= LIMIT,
                "{}, then {}: {} voices, {error:?}",
                a.name,
                b.name,
                told.voices.len()
            );
        }
    }
}

#[test]
fn one_who_reads_is_one_speaker() {
    for (reader, seed) in [(hilde(), 1), (kennedy(), 2), (grandmother(), 3)] {
        let heard = conversation(&[&reader], 30, seed);
        let told = tell(&heard);
        assert_eq!(told.voices.len(), 1, "{}", reader.name);
        assert!(
            error_rate(&heard.truth, &told.turns, COLLAR).all() <= LIMIT,
            "{}",
            reader.name
        );
    }
}

#[test]
fn in_silence_and_noise_nobody_speaks() {
    let mut chance = 1_u32;
    let noise = (0..160_000).map(|_| {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (chance >> 16) as f32 / 65_536.0 * 0.1 - 0.05
    });
    for samples in [vec![0.0; 160_000], noise.collect()] {
        let told = hear(&samples).tell(None);
        assert_eq!((told.turns.len(), told.voices.len()), (0, 0));
    }
}

#[test]
fn a_voice_is_known_again_in_another_recording() {
    let (hilde, kennedy, lucien) = (hilde(), kennedy(), lucien());
    let first = tell(&conversation(&[&hilde, &kennedy], 40, 6));
    let second = tell(&conversation(&[&hilde, &lucien], 40, 7));
    let mut alike: Vec<f32> = first
        .voices
        .iter()
        .flat_map(|a| second.voices.iter().map(move |b| likeness(a, b)))
        .collect();
    alike.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(alike.len(), 4);
    assert!(alike[0] > alike[1] + 0.1, "{alike:?}");
}

/// Of 1.6 s from 0.4 s on at -24 dB, by the weights of Resemblyzer 0.1.4 in NumPy, over the spectrogram of librosa 0.11.
const REFERENCE: [(usize, f32); 12] = [
    (2, 0.2391),
    (25, 0.0918),
    (57, 0.1402),
    (78, 0.0465),
    (109, 0.0752),
    (132, 0.1025),
    (144, 0.0157),
    (165, 0.0901),
    (180, 0.0275),
    (209, 0.1296),
    (236, 0.0786),
    (249, 0.1308),
];

#[test]
fn a_voiceprint_is_what_the_reference_computes() {
    let samples = hilde_as_she_is();
    let prints = load().1.of(&[&samples]).unwrap();
    let print = second(&prints[0]);
    for (at, value) in REFERENCE {
        assert!(
            (print[at] - value).abs() < 2e-3,
            "{at}: {} {value}",
            print[at]
        );
    }
    // A quieter recording is heard alike.
    let quiet: Vec<f32> = samples.iter().map(|sample| sample / 50.0).collect();
    let of_quiet = load().1.of(&[quiet]).unwrap();
    assert!(likeness(&second(&of_quiet[0]), &print) > 0.9);
}

/// The longest voiceprint of the second window.
fn second(packed: &[u8]) -> Vec<f32> {
    let print = packed.chunks(PRINT).nth(2 * LENGTHS.len() - 1).unwrap();
    let length: f32 = print.iter().map(|it| f32::from(*it).powi(2)).sum();
    print
        .iter()
        .map(|it| f32::from(*it) / length.sqrt())
        .collect()
}

#[test]
fn utterances_sound_the_same_beside_others() {
    let samples = hilde_as_she_is();
    let short = &samples[8_000..16_000];
    let (mut voiceprints, mut all) = (load().1, Vec::new());
    for said in [&samples[..], short, &samples[..40_000]] {
        all.extend(voiceprints.of(&[said]).unwrap());
    }
    let together = voiceprints
        .of(&[&samples[..], short, &samples[..40_000]])
        .unwrap();
    assert_eq!(together.len(), all.len());
    for (together, alone) in together.iter().zip(&all) {
        assert_eq!(together.len(), alone.len());
        let differ = together
            .iter()
            .zip(alone)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(differ <= Some(1), "{differ:?}");
    }
}

fn hilde_as_she_is() -> Vec<f32> {
    let file = std::fs::read(sample_library().join("Voices/Oma Hilde erzählt.wav")).unwrap();
    let data = file
        .windows(4)
        .position(|window| window == b"data")
        .unwrap()
        + 8;
    let pairs = file[data..].chunks_exact(2);
    pairs
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect()
}

#[test]
fn a_file_that_is_no_such_model_is_refused_with_why() {
    let (whole, foreign) = (model("resemblyzer"), model("silero-vad"));
    let mut evil = whole.clone();
    // A pickle can call whatever it names.
    let name = b"collections\nOrderedDict";
    let at = evil
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    evil[at..at + name.len()].copy_from_slice(b"builtins\neval__________");
    for (bytes, why) in [
        (&whole[..whole.len() / 4], "it is cut short"),
        (&whole[..1000], "it is cut short"),
        (&foreign[..], "it begins otherwise"),
        (b"PK\x03\x04", "PyTorch 1.6 and later"),
        (&[], "it begins otherwise"),
        (&evil[..], "it wants to call builtins.eval"),
    ] {
        let refused = Voiceprints::load(runtime(), bytes).unwrap_err().to_string();
        assert!(
            refused.contains("tells voices apart cannot be used"),
            "{refused}"
        );
        assert!(refused.contains(why), "{refused}");
    }
}
