//! What has been said since the last pause, heard again and again until the next.

use std::{
    fs::File,
    io::{self, Write as _},
};

use heirloom_core::transcript::Transcript;
use heirloom_models::speech::{SAMPLES_PER_SECOND, Span, Speech, voices_of};
use rustix::fs::{MemfdFlags, memfd_create};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    super::{Ears, HEAR, OVERHEAR, Said, WINDOW_TIME, find_voices, nonsense, to_ms},
    LiveEvent, gone,
};
use crate::{confinement::JobLimits, understand::UnderstandError};

/// A pass begins when so much has come since the last.
const STEP: usize = SAMPLES_PER_SECOND * 3 / 5;
/// An utterance is over when nobody has spoken for so long.
const PAUSE: usize = SAMPLES_PER_SECOND * 4 / 5;
/// The longest utterance: then it is cut where it is quietest.
const LONGEST: usize = 18 * SAMPLES_PER_SECOND;
/// What is kept where nobody speaks: somebody may just have begun, and is heard better with the silence before it.
const KEPT: usize = 2 * SAMPLES_PER_SECOND;
/// After so long a silence the model for speech is let go of, until somebody speaks again.
const QUIET: usize = 120 * SAMPLES_PER_SECOND;

/// What has been said since the last pause.
pub(super) struct Utterance<'a> {
    ears: &'a Ears,
    cancelled: &'a CancellationToken,
    /// The language that is spoken, where somebody told.
    told: Option<String>,
    /// That of the utterance before.
    spoken: Option<String>,
    samples: Vec<u8>,
    /// How many samples came before these.
    before: usize,
    /// How many of these the last pass heard.
    heard: usize,
    /// For how many samples nobody has spoken.
    quiet: usize,
    /// What the last pass heard, and on how many words of that it agreed with the one before.
    said: Vec<String>,
    agreed: usize,
    /// The tokens of these, and the language that they are in.
    settled: Vec<usize>,
    language: Option<String>,
    /// Whether any of it was told.
    is_told: bool,
}

/// What a pass overheard.
#[derive(Debug, Deserialize)]
struct Overheard {
    language: String,
    words: Vec<(usize, String)>,
    tokens: Vec<usize>,
}

impl<'a> Utterance<'a> {
    pub(super) fn new(
        ears: &'a Ears,
        language: Option<String>,
        cancelled: &'a CancellationToken,
    ) -> Self {
        Self {
            ears,
            cancelled,
            told: language,
            spoken: None,
            samples: Vec::new(),
            before: 0,
            heard: 0,
            quiet: 0,
            said: Vec::new(),
            agreed: 0,
            settled: Vec::new(),
            language: None,
            is_told: false,
        }
    }

    /// Has the models loaded, before anybody speaks.
    pub(super) async fn wake(&self) -> Result<(), UnderstandError> {
        let file = in_memory(&vec![0; 2 * SAMPLES_PER_SECOND])?;
        find_voices(self.ears, &file, SAMPLES_PER_SECOND, false, self.cancelled).await?;
        let all = std::iter::once(0..SAMPLES_PER_SECOND).collect::<Vec<_>>();
        self.overhear(&file, &all).await.map(drop)
    }

    pub(super) fn add(&mut self, block: &[u8]) {
        self.samples.extend_from_slice(block);
    }

    /// Whether it need not get longer before the next pass.
    pub(super) fn is_long(&self) -> bool {
        self.samples.len() / 2 > LONGEST
    }

    /// Hears all of it anew, if enough has come. Whether there is more to be heard at once.
    pub(super) async fn pass(
        &mut self,
        is_end: bool,
        events: &mpsc::Sender<LiveEvent>,
    ) -> Result<bool, UnderstandError> {
        // A block may end within a sample.
        let count = self.samples.len() / 2;
        if count == 0 || (count < self.heard + STEP && !is_end) {
            return Ok(false);
        }
        self.quiet += count.saturating_sub(self.heard);
        self.heard = count;
        let file = in_memory(&self.samples[..2 * count])?;
        let is_quiet = self.quiet > QUIET;
        let likely = find_voices(self.ears, &file, count, is_quiet, self.cancelled).await?;
        let voices = voices_of(&likely, count, PAUSE);
        let Some(voice) = voices.first() else {
            self.forget(count.saturating_sub(KEPT));
            self.retract(events).await?;
            return Ok(false);
        };
        self.quiet = 0;
        let is_over = is_end || voices.len() > 1 || count - voice.end >= PAUSE;
        let end = match is_over {
            true => (voice.end + PAUSE).min(count),
            false => count,
        };
        let begin = voice.start.saturating_sub(KEPT);
        let speech = Speech::new(std::iter::once(begin..end).collect());
        if is_over || speech.length() > LONGEST {
            let finished = self.finish(&file, &speech, &likely, is_over, events);
            let done = finished.await?;
            // The second half of a pause belongs to what comes next.
            self.forget(match is_over {
                true => (voice.end + PAUSE / 2).min(count),
                false => done,
            });
            self.heard = 0;
            return Ok(voices.len() > 1 || !is_over);
        }
        let start_ms = to_ms(self.before + voice.start);
        let until_ms = to_ms(self.before + count);
        let parts = speech.parts(0, speech.length());
        let (agreed, rest) = self.agree(self.overhear(&file, &parts).await?);
        if agreed.is_empty() && rest.is_empty() && !self.is_told {
            return Ok(false);
        }
        let partial = LiveEvent::Partial {
            start_ms,
            until_ms,
            agreed,
            rest,
        };
        // Whoever is slow misses some: the next one has it all.
        match events.try_send(partial) {
            Ok(()) => self.is_told = true,
            Err(mpsc::error::TrySendError::Full(_)) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
        }
        Ok(false)
    }

    /// Hears it a last time, and tells that. Where it is not over, only as much as was said to an end: up to the sample that
    /// it gives.
    async fn finish(
        &mut self,
        file: &File,
        speech: &Speech,
        likely: &[f32],
        is_over: bool,
        events: &mpsc::Sender<LiveEvent>,
    ) -> Result<usize, UnderstandError> {
        let (mut at, mut said, mut language) = (0, Vec::new(), None);
        while at < speech.length() {
            let end = speech.window_end(at, LONGEST, likely);
            let parts = speech.parts(at, end);
            let goes_on = !is_over || end < speech.length();
            let heard = self.hear(file, &parts, goes_on).await?;
            at += heard.until(&parts, likely);
            said.extend(heard.words(&parts, likely, self.before));
            if !heard.words.is_empty() {
                self.spoken = Some(heard.language.clone());
                language = language.or(Some(heard.language));
            }
            if !is_over {
                break;
            }
        }
        if !said.is_empty() || self.is_told {
            let passages = Transcript::of_words(None, said).passages;
            let sent = events.send(LiveEvent::Final { language, passages }).await;
            sent.map_err(|_| gone())?;
        }
        self.is_told = false;
        Ok(speech.parts(0, at).last().map_or(0, |part| part.end))
    }

    /// Takes back what was told and turns out to be no speech.
    async fn retract(&mut self, events: &mpsc::Sender<LiveEvent>) -> Result<(), UnderstandError> {
        if !std::mem::take(&mut self.is_told) {
            return Ok(());
        }
        let nothing = LiveEvent::Final {
            language: None,
            passages: Vec::new(),
        };
        events.send(nothing).await.map_err(|_| gone())
    }

    async fn hear(
        &self,
        file: &File,
        parts: &[Span],
        goes_on: bool,
    ) -> Result<Said, UnderstandError> {
        let job = json!({
            "job": HEAR, "parts": pairs(parts), "language": self.told, "before": self.spoken, "goes_on": goes_on,
        });
        self.work(job, file).await
    }

    async fn overhear(&self, file: &File, parts: &[Span]) -> Result<Overheard, UnderstandError> {
        let job = json!({
            "job": OVERHEAR, "parts": pairs(parts), "language": self.told.as_ref().or(self.language.as_ref()),
            "before": self.spoken, "settled": self.settled,
        });
        self.work(job, file).await
    }

    async fn work<T: for<'de> Deserialize<'de>>(
        &self,
        job: Json,
        file: &File,
    ) -> Result<T, UnderstandError> {
        let limits = JobLimits {
            wall: WINDOW_TIME,
            cpu: WINDOW_TIME,
            answer_bytes: 4 << 20,
        };
        let answer = self.ears.work(job, file, limits, self.cancelled).await?;
        let said = answer.into_iter().next().map(|(said, _)| said);
        said.and_then(|said| serde_json::from_value(said).ok())
            .ok_or_else(|| nonsense("what was heard"))
    }

    /// Notes up to where this pass says what the last one said, and gives the text up to there and the rest of it.
    fn agree(&mut self, overheard: Overheard) -> (String, String) {
        let words = &overheard.words;
        let said: Vec<String> = words.iter().map(|(_, text)| plain(text)).collect();
        let both = self.said.iter().zip(&said);
        let mut same = both.take_while(|(before, now)| before == now).count();
        // What seems to end there may go on: a mark after the last word is not settled.
        if same == words.len() && words.last().is_some_and(|(_, text)| ends_with_mark(text)) {
            same -= 1;
        }
        self.agreed = same.max(self.agreed).min(words.len());
        self.said = said;
        let (agreed, rest) = words.split_at(self.agreed);
        let count = agreed.iter().map(|(count, _)| count).sum();
        self.settled = overheard.tokens.get(..count).unwrap_or_default().to_vec();
        self.language = (count > 0).then_some(overheard.language);
        let text = |words: &[(usize, String)]| -> String {
            words.iter().map(|(_, text)| text.as_str()).collect()
        };
        let (agreed, rest) = (text(agreed), text(rest));
        match agreed.is_empty() {
            true => (agreed, rest.trim_start().to_owned()),
            false => (agreed.trim_start().to_owned(), rest),
        }
    }

    /// Lets go of what came first.
    fn forget(&mut self, count: usize) {
        self.samples.drain(..2 * count);
        self.before += count;
        self.said.clear();
        self.agreed = 0;
        self.settled.clear();
        self.language = None;
        self.heard = self.heard.saturating_sub(count);
    }
}

/// A file that is never on a disk, to hand to the process that hears.
fn in_memory(samples: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("utterance", MemfdFlags::CLOEXEC)?);
    file.write_all(samples)?;
    Ok(file)
}

fn pairs(parts: &[Span]) -> Vec<[usize; 2]> {
    parts.iter().map(|part| [part.start, part.end]).collect()
}

fn ends_with_mark(text: &str) -> bool {
    !text.ends_with(char::is_alphanumeric)
}

/// A word without its marks.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
