//! Who speaks when: how much is told wrongly of conversations, and what it costs.

use std::{fs, path::PathBuf};

use heirloom_core::transcript::{SAME_VOICE, Voiceprint, same_voice};
use heirloom_models::{
    Runtime, Store,
    speech::{FRAME, Told, Voice, Voiceprints, Voices, pack, utterances_of},
};
use heirloom_testing::{
    conversation::{
        COLLAR, Conversation, ErrorRate, RATE, Reader, conversation, error_rate, speeches,
    },
    media::sample_library,
    models,
};
use rustix::time::{ClockId, clock_gettime};

use crate::{figures::Figures, options::Options};

/// At most so much is told wrongly.
const LIMIT: f64 = 0.2;
/// Of each one and pair so many conversations of a minute, and half as many of each three and four.
const SEEDS: std::ops::Range<u64> = 100..104;
const SECONDS: usize = 60;
/// Recordings of several of a reader that are shorter are not compared.
const SHORTEST: usize = 2;

struct Ear {
    voice: Voice,
    voiceprints: Voiceprints,
    heard_s: f64,
    cpu_s: f64,
}

/// How a conversation was told.
struct Outcome {
    /// Without a quarter of a second before and after each change.
    wrong: ErrorRate,
    /// With every moment.
    strict: ErrorRate,
    are_all: bool,
}

pub(crate) fn measure(options: &Options) {
    let readers = readers(options);
    let mut ear = Ear::load();
    if options.only == "recordings" {
        return alike(&readers, &mut ear);
    }
    let names: Vec<&str> = readers.iter().map(|reader| reader.name.as_str()).collect();
    let figures = Figures::titled(
        &format!(
            "who speaks in conversations of {SECONDS} s of {}; shares of speech, overlaps included, without 0.25 s \
             before and after each change, but for \"every moment\"",
            names.join(", ")
        ),
        &[
            "wrong",
            "limit",
            "worst",
            "missed",
            "invented",
            "confused",
            "every moment",
            "as many told",
        ],
    );
    for (count, seeds) in [(1, SEEDS), (2, SEEDS), (3, 100..102), (4, 100..102)] {
        let mut all = Vec::new();
        for group in groups(&readers, count) {
            let each = seeds.clone();
            let each = each.map(|seed| ear.tell_apart(&conversation(&group, SECONDS, seed)));
            let told: Vec<Outcome> = each.collect();
            if count <= 2 {
                let names: Vec<&str> = group.iter().map(|reader| reader.name.as_str()).collect();
                row(&figures, &names.join(" and "), &told);
            }
            all.extend(told);
        }
        if !all.is_empty() {
            row(&figures, &format!("{count} in each"), &all);
        }
    }
    let pairs = groups(&readers, 2);
    let both = pairs
        .iter()
        .flat_map(|pair| [vec![pair[0], pair[1]], vec![pair[1], pair[0]]]);
    let told: Vec<Outcome> = both.map(|pair| ear.tell_apart(&speeches(&pair))).collect();
    row(&figures, "one after the other", &told);
    let cost = ear.cpu_s / ear.heard_s * 60.0;
    println!("\nprocessor time of a minute: {cost:.2} s");
    alike(&readers, &mut ear);
}

/// All choices of so many readers.
fn groups(readers: &[Reader], count: usize) -> Vec<Vec<&Reader>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let firsts = readers.iter().enumerate();
    let begun_by = |(at, first)| {
        let others = groups(&readers[at + 1..], count - 1).into_iter();
        others.map(move |others| [vec![first], others].concat())
    };
    firsts.flat_map(begun_by).collect()
}

fn row(figures: &Figures, name: &str, told: &[Outcome]) {
    let mean = |of: fn(&Outcome) -> f64| told.iter().map(of).sum::<f64>() / told.len() as f64;
    let wrong = mean(|it| it.wrong.all());
    let worst = told.iter().map(|it| it.wrong.all());
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let right = told.iter().filter(|it| it.are_all).count();
    let cells = [
        percent(wrong),
        percent(LIMIT),
        percent(worst.fold(0.0, f64::max)),
        percent(mean(|it| it.wrong.missed)),
        percent(mean(|it| it.wrong.invented)),
        percent(mean(|it| it.wrong.confused)),
        percent(mean(|it| it.strict.all())),
        format!("{right} of {}", told.len()),
    ];
    figures.row(name, &cells.each_ref().map(String::as_str), wrong > LIMIT);
}

/// How alike voices of two recordings are, and how often they are rightly taken for one.
fn alike(readers: &[Reader], ear: &mut Ear) {
    let mut voices = Vec::new();
    for (who, reader) in readers.iter().enumerate() {
        for recording in reader.apart(SHORTEST) {
            let told = ear.tell(&conversation(&[&recording], 30, 1).samples);
            let voice = told.voices.into_iter().next().map(|voice| Voiceprint {
                model: String::new(),
                numbers: pack(&voice),
            });
            voices.extend(voice.map(|voice| (who, voice)));
        }
    }
    let (mut same, mut others) = (Vec::new(), Vec::new());
    for (at, (a, voice)) in voices.iter().enumerate() {
        for (b, second) in &voices[at + 1..] {
            let like = same_voice(voice, second);
            if a == b { &mut same } else { &mut others }.push(like);
        }
    }
    let (least, most) = (
        same.iter().copied().fold(1.0, f32::min),
        others.iter().copied().fold(0.0, f32::max),
    );
    println!(
        "{} recordings of {} readers: one reader's voices are at least {least:.2} alike, two readers' at most {most:.2}",
        voices.len(),
        readers.len()
    );
    let figures = Figures::titled(
        &format!(
            "pairs of recordings taken for one voice, {} of one reader and {} of two",
            same.len(),
            others.len()
        ),
        &["precision", "recall"],
    );
    for from in [0.7, 0.75, SAME_VOICE, 0.85, 0.9] {
        let taken = |likes: &[f32]| likes.iter().filter(|like| **like >= from).count();
        let (right, wrong) = (taken(&same), taken(&others));
        let share = |of: usize, all: usize| match all {
            0 => "-".to_owned(),
            all => format!("{:.1} %", of as f64 / all as f64 * 100.0),
        };
        let cells = [share(right, right + wrong), share(right, same.len())];
        let is_wrong = from == SAME_VOICE && wrong > 0;
        figures.row(
            &format!("from {from:.2}"),
            &cells.each_ref().map(String::as_str),
            is_wrong,
        );
    }
}

impl Ear {
    fn load() -> Self {
        let store = Store::open(models::folder());
        let file = |id: &str| {
            let files = store.files(id).unwrap_or_else(|error| panic!("{error}"));
            files.into_values().next().unwrap()
        };
        let runtime = Runtime::load(&file("onnxruntime"), 1).unwrap();
        let bytes = |id: &str| fs::read(file(id)).unwrap();
        Self {
            voice: Voice::load(&runtime, &bytes("silero-vad")).unwrap(),
            voiceprints: Voiceprints::load(&runtime, &bytes("resemblyzer")).unwrap(),
            heard_s: 0.0,
            cpu_s: 0.0,
        }
    }

    fn tell_apart(&mut self, heard: &Conversation) -> Outcome {
        let told = self.tell(&heard.samples);
        Outcome {
            wrong: error_rate(&heard.truth, &told.turns, COLLAR),
            strict: error_rate(&heard.truth, &told.turns, 0),
            are_all: told.voices.len() == heard.truth.len(),
        }
    }

    fn tell(&mut self, samples: &[f32]) -> Told {
        let begun_s = cpu_s();
        self.voice.begin();
        let frames = samples.chunks(FRAME);
        let likely: Vec<f32> = frames
            .map(|frame| self.voice.hear(frame).unwrap())
            .collect();
        let mut voices = Voices::default();
        let utterances = utterances_of(&likely, samples.len());
        let said: Vec<_> = utterances.iter().map(|it| &samples[it.clone()]).collect();
        let prints = self.voiceprints.of(&said).unwrap();
        for (utterance, packed) in utterances.into_iter().zip(prints) {
            voices.add(utterance, &packed);
        }
        let told = voices.tell(None);
        self.heard_s += samples.len() as f64 / RATE as f64;
        self.cpu_s += cpu_s() - begun_s;
        told
    }
}

/// Each folder in `--data` is a reader; else those of the sample library.
fn readers(options: &Options) -> Vec<Reader> {
    let Some(folder) = &options.data else {
        let voices = sample_library().join("Voices");
        let austen = [1, 2, 3].map(|n| voices.join(format!("Grandmother reads Austen {n}.wav")));
        let one = |name: &str, file: &str| Reader::of(name, &[voices.join(file)]);
        return vec![
            Reader::of("grandmother", &austen),
            one("Kennedy", "1961-01-20 Kennedy on the radio.mp3"),
            one("Hilde", "Oma Hilde erzählt.wav"),
            one("Carmen", "Abuela Carmen.ogg"),
            one("Lucien", "Grand-père Lucien.m4a"),
        ];
    };
    let list = |folder: &PathBuf| {
        let entries = fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let folders = list(folder);
    let name = |folder: &PathBuf| folder.file_name().unwrap().to_string_lossy().into_owned();
    (folders.iter())
        .map(|folder| Reader::of(&name(folder), &list(folder)))
        .collect()
}

fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
