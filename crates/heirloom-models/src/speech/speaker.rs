//! Who speaks when: voiceprints of what is said, put together to those who say it.
//!
//! Nobody tells how many there are. Windows in which one voice speaks are joined to clusters for as long as they
//! sound alike on average; clusters that are a blend of two others, or hardly anything, are nobody's. Then each
//! moment goes to whose cluster it sounds like most, with a price on every change.

mod cluster;
mod turns;

use super::{
    mel::SAMPLES_PER_SECOND,
    span::{Span, voiced},
    voiceprint::{LENGTHS, PRINT, STEP, windows_of},
};

/// Silence that ends an utterance: a quarter of a second. Whoever answers mostly lets so much pass.
const GAP: usize = SAMPLES_PER_SECOND / 4;
/// What is shorter is a noise.
const SHORTEST: usize = SAMPLES_PER_SECOND * 3 / 20;
/// What is kept before and after.
const EDGE: usize = SAMPLES_PER_SECOND / 50;
/// A longer utterance is taken for several: half a minute.
const LONGEST: usize = 30 * SAMPLES_PER_SECOND;
/// More speakers are not told apart in a recording.
pub const MOST_SPEAKERS: usize = 8;

/// Where somebody speaks without a pause, by how likely that is in each frame of a recording of so many samples.
/// Each begins and ends with a step of [`STEP`], but for the recording's end.
#[must_use]
pub fn utterances_of(likely: &[f32], samples: usize) -> Vec<Span> {
    let found = voiced(likely, samples, GAP);
    let long_enough = found.into_iter().filter(|span| span.len() >= SHORTEST);
    let mut utterances = Vec::new();
    for span in long_enough {
        let begin = span.start.saturating_sub(EDGE) / STEP * STEP;
        let end = (span.end + EDGE).min(samples) / STEP * STEP;
        let parts = (begin..end).step_by(LONGEST);
        utterances.extend(parts.map(|part| part..end.min(part + LONGEST)));
    }
    utterances
}

/// What was heard of a recording: its utterances, and voiceprints of their windows.
#[derive(Debug, Default)]
pub struct Voices {
    utterances: Vec<Span>,
    windows: Vec<Window>,
}

/// A window of an utterance. It lies in frames of the recording.
#[derive(Debug)]
struct Window {
    begin: usize,
    length: usize,
    /// Which of [`LENGTHS`] its voiceprint was taken at.
    kind: usize,
    /// Whether no longer one fits into its utterance.
    is_longest: bool,
    print: Vec<u8>,
}

/// Who speaks in a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Their voiceprints, in the order in which they first speak.
    pub voices: Vec<Vec<f32>>,
    /// Which of them speaks when, sorted by where that begins.
    pub turns: Vec<(usize, Span)>,
}

impl Voices {
    /// Adds an utterance, which follows those before it, with its [voiceprints](super::Voiceprints::of).
    pub fn add(&mut self, utterance: Span, packed: &[u8]) {
        let frames = utterance.len() / STEP;
        let first = utterance.start / STEP;
        let mut prints = packed.chunks_exact(PRINT);
        let mut most = 0;
        for (begin, count) in windows_of(utterance.len()) {
            most = most.max(count);
            for (kind, print) in (0..count).zip(&mut prints) {
                self.windows.push(Window {
                    begin: first + begin,
                    length: LENGTHS[kind].min(frames - begin),
                    kind,
                    is_longest: kind + 1 == most,
                    print: print.to_vec(),
                });
            }
        }
        self.utterances.push(utterance);
    }

    /// Tells who speaks when; `wanted` is how many they are, where somebody knows.
    #[must_use]
    pub fn tell(&self, wanted: Option<usize>) -> Told {
        let wanted = wanted.map(|wanted| wanted.clamp(1, MOST_SPEAKERS));
        let voices = cluster::voices(&self.windows, wanted);
        let turns = turns::turns(&self.utterances, &self.windows, &voices);
        // Whoever speaks first comes first; who never does is nobody.
        let mut order: Vec<usize> = Vec::new();
        for (who, _) in &turns {
            if !order.contains(who) {
                order.push(*who);
            }
        }
        let place = |who: usize| order.iter().position(|known| *known == who);
        let turns = turns.into_iter();
        Told {
            turns: turns
                .filter_map(|(who, span)| Some((place(who)?, span)))
                .collect(),
            voices: order.iter().map(|who| voices[*who].clone()).collect(),
        }
    }
}

impl Window {
    /// As a direction as long as 1.
    fn direction(&self) -> Vec<f32> {
        super::voiceprint::unit(self.print.iter().map(|value| f32::from(*value)).collect())
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
