//! What is said in a recording: models for speech, at work in confinement.
//!
//! FFmpeg turns a recording into samples in a file without a name. One hand of confinement, which may read the
//! folder of models and nothing else, finds in it where somebody speaks and who, and writes that down window by window.
//! Only one window is in memory, however long the recording is, and what has been said is known while the rest is
//! heard.

mod job;
pub mod live;
mod speakers;

use std::{fs::File, io, sync::Arc, time::Duration};

use bytes::Bytes;
use heirloom_core::{
    transcript::{Transcript, Word},
    unit::FailureCode,
};
use heirloom_models::{
    Ability, Store,
    speech::{FRAME, SAMPLES_PER_SECOND, STILL_LIKELY, Span, Speech, WINDOW, spans_of},
};
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    Ffmpeg,
    confinement::{Confinement, ConfinementError, HandSettings, JobHeader, JobLimits},
    loading::{Trained, TrainedHand},
    probe::{Probe, probe},
    understand::UnderstandError,
};

pub(crate) use job::{HEAR, Hearer, OVERHEAR, VOICE, VOICES};
pub use speakers::{Speaking, who_speaks};

/// What hears recordings. Cloning is cheap; the clones share one process, which starts with the first recording.
#[derive(Debug, Clone)]
pub struct Ears {
    hand: Arc<TrainedHand>,
}

/// What is known of a recording before it is heard.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The language that is spoken, by its code; else it is found out.
    pub language: Option<String>,
    /// How many speak; else it is found out.
    pub speakers: Option<usize>,
}

/// Models and ONNX Runtime with their arenas; a window of thirty seconds needs less than half of it.
pub(crate) const MEMORY_BYTES: u64 = 3 << 30;
/// So much voice after the last word means that more was said.
const UNHEARD: usize = 3 * SAMPLES_PER_SECOND / 2;
/// No word takes longer.
const LONGEST_WORD: usize = 2 * SAMPLES_PER_SECOND;
/// A window takes about two seconds of a processor; a small or busy machine is many times slower.
const WINDOW_TIME: Duration = Duration::from_secs(600);

impl Trained for Ears {
    fn hand(&self) -> Option<&TrainedHand> {
        Some(&self.hand)
    }
}

impl Ears {
    /// With the models that speech uses by default, which compute with so many threads. Nothing is loaded yet. Without
    /// the model that tells voices apart it is not told who speaks.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when one of them is not here.
    pub fn open(
        confinement: &Confinement,
        store: &Store,
        threads: usize,
    ) -> Result<Self, UnderstandError> {
        // Loading takes a second; a new process for each hour of speech or so.
        let settings = HandSettings {
            jobs_per_process: 200,
            ..HandSettings::default()
        };
        Self::with(confinement, store, threads, settings)
    }

    /// The same for one conversation that is heard [live](live::listen), with all processors: its process stays, for
    /// nobody waits while models are loaded in the middle of a word.
    ///
    /// # Errors
    /// [`UnderstandError::Model`] when one of them is not here.
    pub fn open_live(confinement: &Confinement, store: &Store) -> Result<Self, UnderstandError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let settings = HandSettings {
            jobs_per_process: u32::MAX,
            stays: true,
            ..HandSettings::default()
        };
        Self::with(confinement, store, threads, settings)
    }

    fn with(
        confinement: &Confinement,
        store: &Store,
        threads: usize,
        settings: HandSettings,
    ) -> Result<Self, UnderstandError> {
        let settings = HandSettings {
            memory_bytes: MEMORY_BYTES,
            ..settings
        };
        let hand = TrainedHand::start(confinement, store, Ability::Speech, threads, settings)?;
        Ok(Self {
            hand: Arc::new(hand),
        })
    }

    /// Why voices are not told apart, where they are not, and what to do.
    #[must_use]
    pub fn without_voices(&self) -> Option<&str> {
        self.hand.model(Ability::Speaker).err()
    }

    /// The model that writes down what is said.
    #[must_use]
    pub fn model(&self) -> &str {
        self.hand.model_id()
    }

    /// What tells all that hear apart from others: [`Store::key_for`] speech.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hand.key()
    }

    async fn work(
        &self,
        job: JobHeader,
        samples: &File,
        limits: JobLimits,
        cancelled: &CancellationToken,
    ) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
        let samples = samples.try_clone()?;
        self.hand.work(job, samples, limits, cancelled).await
    }
}

/// How far it is with a recording, and what was said since the last time.
#[derive(Debug, Clone, PartialEq)]
pub struct SoFar<'a> {
    /// Up to which millisecond of the recording.
    pub until_ms: u64,
    /// How long the recording is.
    pub duration_ms: u64,
    /// What was said.
    pub words: &'a [Word],
}

/// What a window's words come as.
#[derive(Debug, Deserialize)]
struct Said {
    language: String,
    probability: f32,
    until: usize,
    words: Vec<(usize, usize, String, f32)>,
}

impl Said {
    /// How much of a window of these parts was heard, so that the next one begins behind it. The model comes to an end too
    /// early now and then: where voices go on after the last word, they are heard again.
    fn until(&self, parts: &[Span], likely: &[f32]) -> usize {
        let last = self.words.last().map_or(self.until, |(_, end, ..)| *end);
        let is_voice = |frame: &usize| likely.get(*frame).is_some_and(|it| *it >= STILL_LIKELY);
        let rest = last..self.until;
        let frames =
            within(parts, &rest).flat_map(|rest| rest.start.div_ceil(FRAME)..rest.end / FRAME);
        let until = match frames.filter(is_voice).count() * FRAME >= UNHEARD {
            true => last,
            false => self.until,
        };
        let all = parts.iter().map(Span::len).sum();
        // Never less than a second: so it comes to an end.
        until.max(SAMPLES_PER_SECOND).min(all)
    }

    /// Its words where they were said in the recording, `before` samples after its beginning.
    fn words(&self, parts: &[Span], likely: &[f32], before: usize) -> Vec<Word> {
        let words = self.words.iter();
        let words = words.map(|(start, stop, text, probability)| {
            let said = place(parts, likely, &(*start..*stop));
            Word {
                start_ms: to_ms(before + said.start),
                end_ms: to_ms(before + said.end),
                text: text.clone(),
                probability: *probability,
            }
        });
        words.collect()
    }
}

/// Writes down what is said in a film or recording, in one language, and who says it. `heard` is told what was said as
/// soon as it is known.
///
/// # Errors
/// [`UnderstandError`]; a failure of the recording where there is no sound in it.
pub async fn transcribe(
    ffmpeg: &Ffmpeg,
    ears: &Ears,
    input: &File,
    asked: &Asked,
    cancelled: &CancellationToken,
    mut heard: impl FnMut(SoFar<'_>),
) -> Result<Transcript, UnderstandError> {
    let sound = Sound::find(ffmpeg, ears, input, cancelled).await?;
    let speaking = speakers::find(ears, &sound, asked.speakers, cancelled).await?;
    let Sound {
        samples,
        count,
        likely,
    } = sound;
    let speech = Speech::new(spans_of(&likely, count));
    let (mut at, mut all) = (0, Vec::new());
    let mut languages = Languages::new(asked.language.as_deref());
    while at < speech.length() {
        let end = speech.window_end(at, WINDOW, &likely);
        let parts = speech.parts(at, end);
        let job = json!({
            "job": HEAR,
            "parts": parts.iter().map(|part| [part.start, part.end]).collect::<Vec<_>>(),
            "language": languages.known(),
            "goes_on": end < speech.length(),
        });
        let limits = JobLimits {
            wall: WINDOW_TIME,
            cpu: WINDOW_TIME,
            answer_bytes: 4 << 20,
        };
        let answer = ears.work(job, &samples, limits, cancelled).await?;
        let said = answer.into_iter().next().map(|(said, _)| said);
        let said: Said = said
            .and_then(|said| serde_json::from_value(said).ok())
            .ok_or_else(|| nonsense("what was heard"))?;
        let from = all.len();
        all.extend(said.words(&parts, &likely, 0));
        let until = said.until(&parts, &likely);
        languages.hear(said.language, said.probability, end - at);
        at += until;
        heard(SoFar {
            until_ms: to_ms(parts.last().map_or(0, |part| part.end)),
            duration_ms: to_ms(count),
            words: &all[from..],
        });
    }
    let language = (!all.is_empty()).then(|| languages.most());
    let Speaking { turns, speakers } = speaking;
    Ok(Transcript::of_turns(
        language.flatten(),
        all,
        &turns,
        speakers,
    ))
}

/// A recording as it is heard.
struct Sound {
    samples: File,
    count: usize,
    /// How likely somebody speaks in each frame.
    likely: Vec<f32>,
}

impl Sound {
    async fn find(
        ffmpeg: &Ffmpeg,
        ears: &Ears,
        input: &File,
        cancelled: &CancellationToken,
    ) -> Result<Self, UnderstandError> {
        let probe = probe(ffmpeg, input, cancelled).await?;
        let samples = decode(ffmpeg, input, &probe, cancelled).await?;
        let count = usize::try_from(samples.metadata()?.len()).unwrap_or(usize::MAX) / 2;
        let likely = find_voices(ears, &samples, count, false, cancelled).await?;
        Ok(Self {
            samples,
            count,
            likely,
        })
    }
}

/// The languages that windows were heard in. After the first minute it is that of most of it.
pub(crate) struct Languages {
    told: Option<String>,
    found: Vec<(String, f64)>,
    heard: usize,
}

/// After so much speech it is known which language is spoken.
const ENOUGH: usize = 60 * SAMPLES_PER_SECOND;

impl Languages {
    pub(crate) fn new(told: Option<&str>) -> Self {
        Self {
            told: told.map(str::to_owned),
            found: Vec::new(),
            heard: 0,
        }
    }

    pub(crate) fn known(&self) -> Option<String> {
        let is_clear = self.heard >= ENOUGH;
        self.told
            .clone()
            .or_else(|| is_clear.then(|| self.most()).flatten())
    }

    pub(crate) fn hear(&mut self, language: String, probability: f32, samples: usize) {
        self.heard += samples;
        let weight = f64::from(probability) * samples as f64;
        match self.found.iter_mut().find(|(known, _)| *known == language) {
            Some((_, sum)) => *sum += weight,
            None => self.found.push((language, weight)),
        }
    }

    pub(crate) fn most(&self) -> Option<String> {
        let most = self.found.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        most.map(|(language, _)| language.clone())
    }
}

/// The samples of a recording, of one channel, 16 bits each, in a file without a name.
pub(crate) async fn decode(
    ffmpeg: &Ffmpeg,
    input: &File,
    probe: &Probe,
    cancelled: &CancellationToken,
) -> Result<File, UnderstandError> {
    let samples = ffmpeg.unnamed_file()?;
    let state = (samples, None::<io::Error>);
    let write = |(samples, failed): &mut (File, Option<io::Error>), block: &[u8]| {
        use io::Write as _;
        match samples.write_all(block) {
            Ok(()) => std::ops::ControlFlow::Continue(()),
            Err(error) => {
                *failed = Some(error);
                std::ops::ControlFlow::Break(())
            }
        }
    };
    let (samples, failed) = ffmpeg
        .read_samples((input, probe), SAMPLES_PER_SECOND, state, cancelled, write)
        .await?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(samples),
    }
}

/// How likely somebody speaks in each frame. Where it is quiet, models that hear more than that are let go of.
async fn find_voices(
    ears: &Ears,
    samples: &File,
    count: usize,
    is_quiet: bool,
    cancelled: &CancellationToken,
) -> Result<Vec<f32>, UnderstandError> {
    let seconds = (count / SAMPLES_PER_SECOND) as u64;
    let limits = JobLimits {
        wall: WINDOW_TIME + Duration::from_secs(seconds),
        cpu: WINDOW_TIME + Duration::from_secs(seconds),
        answer_bytes: (1 << 20) + (count / 256) as u64,
    };
    let answer = ears
        .work(
            json!({ "job": VOICE, "is_quiet": is_quiet }),
            samples,
            limits,
            cancelled,
        )
        .await?;
    let bytes = answer.into_iter().next().map(|(_, bytes)| bytes);
    let bytes = bytes.ok_or_else(|| nonsense("where somebody speaks"))?;
    Ok(bytes
        .iter()
        .map(|likely| f32::from(*likely) / 255.0)
        .collect())
}

fn nonsense(what: &str) -> UnderstandError {
    let reason = format!("the model gave nonsense for {what}");
    ConfinementError::failed(FailureCode::Other, reason).into()
}

/// Where a stretch of a window lies in the recording, part by part.
fn within<'a>(parts: &'a [Span], window: &'a Span) -> impl Iterator<Item = Span> + 'a {
    let mut before = 0;
    parts.iter().filter_map(move |part| {
        let (from, until) = (
            window.start.max(before),
            window.end.min(before + part.len()),
        );
        let lies =
            part.start + from.saturating_sub(before)..part.start + until.saturating_sub(before);
        before += part.len();
        (from < until).then_some(lies)
    })
}

/// Where a word of a window was said in the recording: in the first stretch in which its voice is heard, from where it
/// is. The model counts the silence before a word as part of it.
fn place(parts: &[Span], likely: &[f32], word: &Span) -> Span {
    let mut silent = None;
    for said in within(parts, word) {
        if let Some(start) = first_voice(likely, &said) {
            return start..said.end.min(start + LONGEST_WORD);
        }
        silent.get_or_insert(said.start..said.end.min(said.start + LONGEST_WORD));
    }
    silent.unwrap_or_else(|| {
        let end = parts.last().map_or(0, |part| part.end);
        end..end
    })
}

/// From where on a voice is heard, if any is.
fn first_voice(likely: &[f32], said: &Span) -> Option<usize> {
    let is_heard = |frame: &usize| likely.get(*frame).is_some_and(|it| *it >= STILL_LIKELY);
    let first = (said.start / FRAME..said.end.div_ceil(FRAME)).find(is_heard);
    first.map(|frame| said.start.max(frame * FRAME))
}

pub(crate) const fn to_ms(samples: usize) -> u64 {
    (samples / (SAMPLES_PER_SECOND / 1000)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_that_go_on_after_the_last_word_are_heard_again() {
        let second = SAMPLES_PER_SECOND;
        let parts: Vec<Span> = std::iter::once(0..10 * second).collect();
        let said = |end: usize| Said {
            language: "en".to_owned(),
            probability: 1.0,
            until: 10 * second,
            words: vec![(0, end, " So".to_owned(), 1.0)],
        };
        let (voice, silence) = (
            vec![1.0; 10 * second / FRAME],
            vec![0.0; 10 * second / FRAME],
        );
        assert_eq!(said(4 * second).until(&parts, &voice), 4 * second);
        assert_eq!(said(4 * second).until(&parts, &silence), 10 * second);
        assert_eq!(said(9 * second).until(&parts, &voice), 10 * second);
        assert_eq!(said(second / 2).until(&parts, &voice), second);
        let nothing = Said {
            words: Vec::new(),
            ..said(0)
        };
        assert_eq!(nothing.until(&parts, &voice), 10 * second);
    }

    #[test]
    fn a_word_lies_where_it_was_said() {
        let (second, half) = (SAMPLES_PER_SECOND, SAMPLES_PER_SECOND / 2);
        let parts = [10 * second..12 * second, 60 * second..63 * second];
        let voice = vec![1.0; 63 * second / FRAME];
        let placed = |word: Span| place(&parts, &voice, &word);
        assert_eq!(
            placed(second..second + half),
            11 * second..11 * second + half
        );
        assert_eq!(placed(3 * second..4 * second), 61 * second..62 * second);
        // It does not last over what was left out, nor for ever.
        assert_eq!(
            placed(second + half..3 * second),
            11 * second + half..12 * second
        );
        assert_eq!(placed(2 * second..5 * second), 60 * second..62 * second);
        // Nothing is beyond the end.
        assert_eq!(placed(6 * second..7 * second), 63 * second..63 * second);
    }

    #[test]
    fn a_word_begins_with_its_voice() {
        let parts = [0..4 * FRAME, 100 * FRAME..104 * FRAME];
        let mut likely = vec![0.0; 104];
        likely[2..4].fill(0.9);
        likely[101] = 0.9;
        let placed = |word: Span| place(&parts, &likely, &word);
        assert_eq!(placed(100..4 * FRAME), 2 * FRAME..4 * FRAME);
        assert_eq!(placed(3 * FRAME + 7..4 * FRAME), 3 * FRAME + 7..4 * FRAME);
        // The silence at the end of one stretch belongs to the first word of the next.
        likely[2..4].fill(0.0);
        let placed = |word: Span| place(&parts, &likely, &word);
        assert_eq!(placed(3 * FRAME..7 * FRAME), 101 * FRAME..103 * FRAME);
        // Where no voice is, it stays where it is.
        assert_eq!(placed(0..FRAME), 0..FRAME);
    }

    #[test]
    fn a_language_that_was_told_holds_and_else_that_of_most() {
        let mut languages = Languages::new(None);
        languages.hear("en".to_owned(), 0.5, 10 * SAMPLES_PER_SECOND);
        assert_eq!(languages.known(), None);
        languages.hear("de".to_owned(), 0.9, 60 * SAMPLES_PER_SECOND);
        assert_eq!(languages.known().as_deref(), Some("de"));
        assert_eq!(Languages::new(Some("it")).known().as_deref(), Some("it"));
    }
}
