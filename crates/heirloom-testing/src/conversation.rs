//! Conversations that never took place, of people who read something aloud, and how far off somebody is who tells
//! who speaks in them.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

/// Samples in a second.
pub const RATE: usize = 16_000;
/// Samples in a frame of 10 ms, which truth is known by.
const FRAME: usize = RATE / 100;
/// How loud everybody speaks.
const LOUDNESS: f32 = 0.06;

/// Somebody who reads aloud.
#[derive(Debug)]
pub struct Reader {
    /// What they are called.
    pub name: String,
    clips: Vec<Clip>,
}

/// A recording of one voice, and in which of its frames that is heard.
#[derive(Debug, Clone)]
struct Clip {
    samples: Vec<f32>,
    is_voice: Vec<bool>,
}

/// A conversation.
#[derive(Debug)]
pub struct Conversation {
    /// Its sound.
    pub samples: Vec<f32>,
    /// In which frames of 10 ms each reader is heard.
    pub truth: Vec<Vec<bool>>,
}

/// How much of the speech somebody told otherwise than it was, as shares of it. Where two speak, both count.
#[derive(Debug, Clone, Copy, Default)]
pub struct ErrorRate {
    /// Speech of which nothing was said.
    pub missed: f64,
    /// Silence that was taken for speech, and one voice for two.
    pub invented: f64,
    /// Speech that was taken for somebody else's.
    pub confused: f64,
}

impl ErrorRate {
    /// The diarisation error rate.
    #[must_use]
    pub fn all(self) -> f64 {
        self.missed + self.invented + self.confused
    }
}

/// The sound of a recording of whatever form, [`RATE`] samples a second.
///
/// # Panics
/// When FFmpeg cannot read it.
#[must_use]
pub fn samples_of(recording: &Path) -> Vec<f32> {
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(recording)
        .args(["-ac", "1", "-ar", "16000", "-f", "s16le", "-"])
        .output()
        .expect("tests of recordings need FFmpeg: apt install ffmpeg");
    assert!(decoded.status.success(), "{}", recording.display());
    let pairs = decoded.stdout.chunks_exact(2);
    let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    pairs.map(sample).collect()
}

impl Reader {
    /// Who is heard in these recordings, of whatever form.
    ///
    /// # Panics
    /// When FFmpeg cannot read one.
    #[must_use]
    pub fn of(name: &str, recordings: &[PathBuf]) -> Self {
        let clip = |recording: &PathBuf| Clip::of(samples_of(recording));
        Self {
            name: name.to_owned(),
            clips: recordings.iter().map(clip).collect(),
        }
    }

    /// Each of the recordings by itself that is at least so long; of one alone its halves.
    #[must_use]
    pub fn apart(&self, seconds: usize) -> Vec<Self> {
        let is_long = |clip: &&Clip| clip.samples.len() >= seconds * RATE;
        let long: Vec<&Clip> = self.clips.iter().filter(is_long).collect();
        if long.len() < 2 {
            return vec![self.half(false), self.half(true)];
        }
        let alone = long.into_iter().map(|clip| Self {
            name: self.name.clone(),
            clips: vec![clip.clone()],
        });
        alone.collect()
    }

    /// The same with the first half of each recording, or the second.
    #[must_use]
    pub fn half(&self, is_second: bool) -> Self {
        let clips = self.clips.iter().map(|clip| {
            let middle = clip.is_voice.len() / 2;
            let (frames, samples) = match is_second {
                true => (
                    middle..clip.is_voice.len(),
                    middle * FRAME..clip.samples.len(),
                ),
                false => (0..middle, 0..middle * FRAME),
            };
            Clip {
                samples: clip.samples[samples].to_vec(),
                is_voice: clip.is_voice[frames].to_vec(),
            }
        });
        Self {
            name: self.name.clone(),
            clips: clips.collect(),
        }
    }
}

impl Clip {
    /// A voice is heard where it is not 30 dB quieter than at its loudest; pauses below 0.3 s belong to it.
    fn of(mut samples: Vec<f32>) -> Self {
        samples.truncate(samples.len() / FRAME * FRAME);
        let power = |frame: &[f32]| frame.iter().map(|sample| sample * sample).sum::<f32>();
        let each: Vec<f32> = samples.chunks(FRAME).map(power).collect();
        let smooth = |at: usize| {
            let near = &each[at.saturating_sub(2)..each.len().min(at + 3)];
            near.iter().sum::<f32>() / 5.0
        };
        let loud: Vec<f32> = (0..each.len()).map(smooth).collect();
        let mut sorted = loud.clone();
        sorted.sort_by(f32::total_cmp);
        let loudest = sorted[sorted.len() * 95 / 100];
        let mut is_voice: Vec<bool> = loud.iter().map(|power| *power > loudest / 1000.0).collect();
        settle(&mut is_voice, true, 6);
        settle(&mut is_voice, false, 30);
        let heard = each
            .iter()
            .zip(&is_voice)
            .filter(|(_, is_voice)| **is_voice);
        let (count, sum) = heard.fold((0_u16, 0.0), |(count, sum), (power, _)| {
            (count + 1, sum + power)
        });
        let mean = (sum / f32::from(count.max(1)) / 160.0).sqrt();
        samples
            .iter_mut()
            .for_each(|sample| *sample *= LOUDNESS / mean);
        Self { samples, is_voice }
    }
}

/// What lasts for fewer frames is not so.
fn settle(frames: &mut [bool], what: bool, fewest: usize) {
    let mut at = 0;
    while at < frames.len() {
        let is = frames[at];
        let end = frames[at..].iter().position(|frame| *frame != is);
        let end = end.map_or(frames.len(), |length| at + length);
        if is == what && end - at < fewest && at > 0 && end < frames.len() {
            frames[at..end].fill(!what);
        }
        at = end;
    }
}

/// Numbers that look like chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    /// From 0 up to `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap()
    }

    fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }
}

/// Readers take turns of one to five seconds. After most turns there is a pause of up to 0.6 s; three times of ten the
/// next one begins 0.3 to 1.2 s before the end. Voices are up to 3 dB louder or quieter than others.
///
/// # Panics
/// When a reader says nothing.
#[must_use]
pub fn conversation(readers: &[&Reader], seconds: usize, seed: u64) -> Conversation {
    let mut chance = Chance(seed);
    let frames = seconds * 100;
    let mut samples = vec![0.0; (frames + 800) * FRAME];
    let mut truth = vec![vec![false; frames + 800]; readers.len()];
    let gains: Vec<f32> = (readers.iter())
        .map(|_| 0.7 + 0.01 * f32::from(u16::try_from(chance.below(71)).unwrap()))
        .collect();
    let (mut at, mut who, mut end) = (chance.between(20, 100), chance.below(readers.len()), 0);
    while at < frames {
        let clips = &readers[who].clips;
        let clip = &clips[chance.below(clips.len())];
        let length = chance.between(100, 500).min(clip.is_voice.len());
        let from = chance.between(0, clip.is_voice.len() - length);
        let part = &clip.is_voice[from..from + length];
        if part.iter().filter(|is_voice| **is_voice).count() < 40 {
            continue;
        }
        let first = part.iter().position(|is_voice| *is_voice).unwrap();
        let last = part.iter().rposition(|is_voice| *is_voice).unwrap() + 1;
        let sound = &clip.samples[(from + first) * FRAME..(from + last) * FRAME];
        for (n, sample) in sound.iter().enumerate() {
            // Without a click where it begins and ends: 5 ms.
            let edge = u16::try_from(n.min(sound.len() - 1 - n).min(80)).unwrap();
            samples[at * FRAME + n] += sample * gains[who] * f32::from(edge) / 80.0;
        }
        let heard = truth[who][at..].iter_mut().zip(&part[first..last]);
        heard.for_each(|(truth, is_voice)| *truth |= is_voice);
        let length = last - first;
        end = end.max(at + length);
        at += if chance.below(10) < 3 {
            length - chance.between(30, 120).min(length * 3 / 5)
        } else {
            length + chance.between(0, 60)
        };
        if readers.len() > 1 {
            who = (who + 1 + chance.below(readers.len() - 1)) % readers.len();
        }
    }
    samples.truncate((end + 50) * FRAME);
    // No room is silent.
    for sample in &mut samples {
        let hiss = f32::from(u16::try_from(chance.below(2001)).unwrap()) / 1000.0 - 1.0;
        *sample = (*sample + hiss * 5e-4).clamp(-1.0, 1.0);
    }
    truth
        .iter_mut()
        .for_each(|frames| frames.truncate(end + 50));
    Conversation { samples, truth }
}

/// Readers speak one after the other, each all that there is of them, with a second between.
#[must_use]
pub fn speeches(readers: &[&Reader]) -> Conversation {
    let mut samples = Vec::new();
    let mut truth = vec![Vec::new(); readers.len()];
    for (who, reader) in readers.iter().enumerate() {
        for clip in &reader.clips {
            let pause = vec![0.0; RATE];
            samples.extend(clip.samples.iter().chain(&pause).copied());
            truth[who].extend(clip.is_voice.iter().copied().chain([false; 100]));
        }
        let frames = samples.len() / FRAME;
        truth
            .iter_mut()
            .for_each(|frames_of| frames_of.resize(frames, false));
    }
    Conversation { samples, truth }
}

/// So many frames before and after a moment at which somebody begins or ends are mostly left out: a quarter of a second.
pub const COLLAR: usize = 25;

/// How far off somebody is who says which speaker is heard in which samples. Every moment counts, those where two speak
/// at once too, but for so many frames before and after each at which a reader begins or ends. Speakers are matched
/// with readers in the way that is best for whoever told them.
///
/// # Panics
/// When there are no readers.
#[must_use]
pub fn error_rate(truth: &[Vec<bool>], told: &[(usize, Range<usize>)], collar: usize) -> ErrorRate {
    let speakers = told.iter().map(|(who, _)| who + 1).max().unwrap_or(0);
    let frames = truth[0].len();
    let mut heard = vec![vec![false; frames]; speakers];
    for (who, span) in told {
        let (begin, end) = (span.start / FRAME, (span.end / FRAME).min(frames));
        if begin < end {
            heard[*who][begin..end].fill(true);
        }
    }
    let counts = far_from_changes(truth, collar);
    let both = |a: &[bool], b: &[bool]| {
        let all = a.iter().zip(b).zip(&counts);
        all.filter(|((a, b), counts)| **a && **b && **counts)
            .count()
    };
    let shared: Vec<Vec<usize>> = (truth.iter())
        .map(|reader| heard.iter().map(|speaker| both(reader, speaker)).collect())
        .collect();
    let right = best(&shared, &mut vec![false; speakers]);
    let (mut all, mut missed, mut invented, mut least) = (0, 0, 0, 0);
    for frame in (0..frames).filter(|frame| counts[*frame]) {
        let count = |of: &[Vec<bool>]| of.iter().filter(|frames| frames[frame]).count();
        let (is, said) = (count(truth), count(&heard));
        all += is;
        missed += is.saturating_sub(said);
        invented += said.saturating_sub(is);
        least += is.min(said);
    }
    let share = |frames: usize| {
        let frames = u32::try_from(frames).unwrap();
        f64::from(frames) / f64::from(u32::try_from(all.max(1)).unwrap())
    };
    ErrorRate {
        missed: share(missed),
        invented: share(invented),
        confused: share(least - right),
    }
}

/// The frames that are not so near to where a reader begins or ends.
fn far_from_changes(truth: &[Vec<bool>], collar: usize) -> Vec<bool> {
    let frames = truth[0].len();
    let mut counts = vec![true; frames];
    for reader in truth {
        let changes = (1..frames).filter(|frame| reader[*frame] != reader[frame - 1]);
        for change in changes {
            counts[change.saturating_sub(collar)..frames.min(change + collar)].fill(false);
        }
    }
    counts
}

/// The most frames that are right, where each reader is another speaker.
fn best(shared: &[Vec<usize>], is_taken: &mut Vec<bool>) -> usize {
    let Some((first, rest)) = shared.split_first() else {
        return 0;
    };
    let mut most = best(rest, is_taken);
    for who in 0..first.len() {
        if !is_taken[who] {
            is_taken[who] = true;
            most = most.max(first[who] + best(rest, is_taken));
            is_taken[who] = false;
        }
    }
    most
}
