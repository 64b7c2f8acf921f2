//! Who writes down what is said in a window of speech.

use super::{
    SpeechError,
    mel::{HOP, Mel, SAMPLES_PER_SECOND},
    whisper::{Asked, Whisper, Window, Written, text_of, words_of},
};
use crate::runtime::Runtime;

/// How a window is to be heard.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    /// The language that is spoken, where it is known.
    pub language: Option<String>,
    /// The language that was spoken before: where it is not known, it is this one, unless another is clearly heard.
    pub before: Option<String>,
    /// Whether speech goes on after this window: what breaks off at its end is left to the next one then.
    pub goes_on: bool,
}

/// What is said in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The language that it was heard in, by its code.
    pub language: String,
    /// How likely that is, from 0 to 1; 1 where it was known.
    pub language_probability: f32,
    /// Its words; none where it is no speech after all.
    pub words: Vec<SaidWord>,
    /// Up to which sample everything was written down; what follows is heard again.
    pub until: usize,
}

/// A word in a window. Times are samples from its beginning; the silence before a word may count as part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SaidWord {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// As it is written, with the space before it.
    pub text: String,
    /// How likely it is, from 0 to 1.
    pub probability: f32,
}

/// The longest window: what the model hears at once, with room for silence at its end.
pub const WINDOW: usize = 28 * SAMPLES_PER_SECOND;
/// How many ways of writing are followed at once.
const BEAMS: usize = 5;
/// From what is likeliest to what is ever more left to chance, until it is not nonsense.
const TEMPERATURES: [f32; 5] = [0.0, 0.2, 0.4, 0.6, 0.8];
/// From here on another language than before is spoken.
const CLEAR: f32 = 0.8;
/// Below this mean logarithm of its tokens' probabilities it is nonsense.
const SENSE: f32 = -1.0;
/// From here on a window is taken for silence, where what is written makes little sense.
const SILENCE: f32 = 0.6;
/// Text that can be packed this small says the same again and again.
const REPETITION: f32 = 2.4;
/// What is said takes time. Where more than this share of what is written takes none, not all of it was said.
const TIMELESS: f32 = 0.25;
/// Samples of a step of the model's times: 20 ms.
const STEP: usize = SAMPLES_PER_SECOND / 50;

/// Writes down what is said.
#[derive(Debug)]
pub struct Listener {
    pub(super) whisper: Whisper,
    pub(super) mel: Mel,
}

impl Listener {
    /// From the files of a model: `model.bin`, `config.json` and `vocabulary.txt`, as CTranslate2 writes them.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(
        runtime: &Runtime,
        model: &[u8],
        config: &[u8],
        vocabulary: &[u8],
    ) -> Result<Self, SpeechError> {
        let whisper = Whisper::load(runtime, model, config, vocabulary)?;
        let mel = Mel::new(whisper.bands());
        Ok(Self { whisper, mel })
    }

    /// Whether it knows a language, by its code.
    #[must_use]
    pub fn knows(&self, language: &str) -> bool {
        self.whisper.language(language).is_some()
    }

    /// Hears at most [`WINDOW`] samples of speech.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn hear(&mut self, samples: &[f32], hearing: &Hearing) -> Result<Said, SpeechError> {
        let samples = &samples[..samples.len().min(WINDOW)];
        let frames = self.whisper.frames();
        let window = self.whisper.listen(self.mel.of(samples, frames), frames)?;
        let (language, token, language_probability) = self.spoken(&window, hearing)?;
        let mut said = Said {
            language,
            language_probability,
            words: Vec::new(),
            until: samples.len(),
        };
        let Some(written) = self.write(&window, token, samples.len())? else {
            return Ok(said);
        };
        let kept = self.whole(written, samples.len(), hearing.goes_on);
        said.until = kept.until;
        said.words = self.time(&window, token, &said.language, &kept, samples.len())?;
        Ok(said)
    }

    /// The language that is spoken: its name, its token, and how likely that is.
    pub(super) fn spoken(
        &mut self,
        window: &Window,
        hearing: &Hearing,
    ) -> Result<(String, usize, f32), SpeechError> {
        let find = |name: &Option<String>| {
            let name = name.as_deref()?;
            let token = self.whisper.language(name)?;
            Some((name.to_owned(), token))
        };
        if let Some((name, token)) = find(&hearing.language) {
            return Ok((name, token, 1.0));
        }
        let before = find(&hearing.before);
        let (name, token, likely) = self.whisper.spoken_language(window)?;
        match before {
            Some((before, token)) if before != name && likely < CLEAR => {
                Ok((before, token, 1.0 - likely))
            }
            _ => Ok((name, token, likely)),
        }
    }

    /// What makes sense, if anything does. Who says the same again and again is believed where each time is heard by itself;
    /// else that was only written again and again.
    fn write(
        &mut self,
        window: &Window,
        language: usize,
        samples: usize,
    ) -> Result<Option<Written>, SpeechError> {
        let mut best: Option<Written> = None;
        let mut round: Option<Written> = None;
        let is_better = |than: &Option<Written>, written: &Written| {
            let than = than.as_ref();
            than.is_none_or(|than| than.average() < written.average())
        };
        for temperature in TEMPERATURES {
            let asked = Asked {
                language,
                beams: BEAMS,
                temperature,
                seed: samples as u64,
            };
            let written = self.whisper.write(window, &asked)?;
            let is_sense = written.average() >= SENSE;
            if written.no_speech > SILENCE && !is_sense {
                return Ok(None);
            }
            if self.repeats_itself(&written)
                && !self.is_said(window, language, &written, samples)?
            {
                if is_better(&round, &written) {
                    round = Some(written);
                }
                continue;
            }
            if is_sense {
                return Ok(Some(written));
            }
            if is_better(&best, &written) {
                best = Some(written);
            }
        }
        Ok(best.or_else(|| round.map(|written| self.once(written))))
    }

    /// Whether what is written again and again is said as often: then each of its words takes time.
    fn is_said(
        &mut self,
        window: &Window,
        language: usize,
        written: &Written,
        samples: usize,
    ) -> Result<bool, SpeechError> {
        let tokens = self.whisper.text_of(&written.tokens);
        let steps = samples / HOP / 2;
        let begins = self.whisper.align(window, language, &tokens, steps)?;
        let ends = begins.iter().skip(1);
        let timeless = begins.iter().zip(ends).filter(|(begin, end)| begin >= end);
        Ok(timeless.count() as f32 <= TIMELESS * tokens.len() as f32)
    }

    /// The same without what is written again and again: up to where it begins anew.
    fn once(&self, mut written: Written) -> Written {
        let texts: Vec<(usize, usize)> = written
            .tokens
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, token)| self.whisper.is_text(*token))
            .collect();
        let tokens: Vec<usize> = texts.iter().map(|(_, token)| *token).collect();
        if let Some(end) = end_of_first_round(&tokens) {
            written.tokens.truncate(texts[end].0);
            written.likely.truncate(texts[end].0);
        }
        written
    }

    pub(super) fn repeats_itself(&self, written: &Written) -> bool {
        use std::io::Write as _;
        let text = text_of(
            self.whisper
                .names_of(&self.whisper.text_of(&written.tokens)),
        );
        let mut packed =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        let packed = packed
            .write_all(text.as_bytes())
            .and_then(|()| packed.finish());
        packed.is_ok_and(|packed| text.len() as f32 > REPETITION * packed.len() as f32)
    }

    /// Whether a language is written with spaces between words.
    pub(super) fn has_spaces(&self, language: &str) -> bool {
        !WITHOUT_SPACES.contains(&language)
    }

    /// What was written to its end. The model says by its times where it broke off.
    fn whole(&self, written: Written, samples: usize, goes_on: bool) -> Kept {
        let Written { tokens, likely, .. } = written;
        let times: Vec<Option<usize>> = tokens
            .iter()
            .map(|token| self.whisper.time(*token))
            .collect();
        let is_whole = times.last().is_none_or(Option::is_some)
            && times.iter().rev().nth(1).is_none_or(Option::is_none);
        // Two times side by side: the end of one sentence and the beginning of the next.
        let ends = times.windows(2).enumerate();
        let last = ends
            .filter_map(|(at, pair)| match pair {
                [Some(end), Some(_)] => Some((at + 1, end * STEP)),
                _ => None,
            })
            .next_back();
        let (count, until) = match last {
            Some((count, until)) if goes_on && !is_whole && until > SAMPLES_PER_SECOND => {
                (count, until.min(samples))
            }
            _ => (tokens.len(), samples),
        };
        let both = tokens.into_iter().zip(likely).take(count);
        let (tokens, likely) = both
            .filter(|(token, _)| self.whisper.is_text(*token))
            .unzip();
        Kept {
            tokens,
            likely,
            until,
        }
    }

    /// When each word is said.
    fn time(
        &mut self,
        window: &Window,
        language: usize,
        name: &str,
        kept: &Kept,
        samples: usize,
    ) -> Result<Vec<SaidWord>, SpeechError> {
        if kept.tokens.is_empty() {
            return Ok(Vec::new());
        }
        let begins = self
            .whisper
            .align(window, language, &kept.tokens, samples / HOP / 2)?;
        let names = self.whisper.names_of(&kept.tokens);
        let mut words = Vec::new();
        let mut at = 0;
        for (count, text) in words_of(names, self.has_spaces(name)) {
            let likely: f32 = kept.likely[at..at + count]
                .iter()
                .map(|likely| likely.exp())
                .sum();
            let start = (begins[at] * STEP).min(samples);
            let end = (begins[at + count] * STEP).min(samples);
            words.push(SaidWord {
                start,
                end: end.max(start + STEP),
                text,
                probability: likely / count as f32,
            });
            at += count;
        }
        Ok(words)
    }
}

/// Where what is said again and again begins for the second time: the longest stretch in which each one is the same as one a
/// fixed distance before.
fn end_of_first_round(tokens: &[usize]) -> Option<usize> {
    let stretch = |period: usize| {
        let mut longest = (0, 0);
        let mut length = 0;
        for at in period..tokens.len() {
            length = if tokens[at] == tokens[at - period] {
                length + 1
            } else {
                0
            };
            longest = longest.max((length, at + 1 - length));
        }
        longest
    };
    let all = (1..=tokens.len() / 2).map(stretch);
    // Of equal ones the shortest round counts.
    let longest = all.reduce(|best, next| if next.0 > best.0 { next } else { best });
    longest
        .filter(|(length, _)| *length > 0)
        .map(|(_, end)| end)
}

/// What is kept of what was written.
struct Kept {
    tokens: Vec<usize>,
    likely: Vec<f32>,
    /// In samples.
    until: usize,
}

/// Languages that are written without spaces between words.
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_again_and_again_ends_with_its_first_round() {
        for (tokens, end) in [
            (&[1, 2, 3, 1, 2, 3, 1, 2, 3][..], Some(3)),
            (&[9, 8, 1, 2, 1, 2, 1, 2, 1], Some(4)),
            (&[5, 5, 5, 5], Some(1)),
            (&[1, 2, 3, 4], None),
            (&[], None),
        ] {
            assert_eq!(end_of_first_round(tokens), end, "{tokens:?}");
        }
    }
}
