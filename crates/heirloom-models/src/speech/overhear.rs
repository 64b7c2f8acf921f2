//! What is being said, while it is said: quickly, without times, and with what is settled taken as it is.

use super::{
    SpeechError,
    listener::{Hearing, Listener, WINDOW},
    mel::{HOP, SAMPLES_PER_SECOND},
    whisper::{Going, words_of},
};

/// What is being said in a window that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overheard {
    /// The language that it was heard in, by its code.
    pub language: String,
    /// Its words, each with how many tokens it has; none where it is no speech, or makes no sense yet.
    pub words: Vec<(usize, String)>,
    /// The tokens of all words.
    pub tokens: Vec<usize>,
}

/// A window is heard with so much silence after it, at least.
const SILENCE: usize = SAMPLES_PER_SECOND;
/// Windows are so long, or twice so long, and so on: a network that always gets another length keeps memory for each.
const LENGTH: usize = 5 * SAMPLES_PER_SECOND;
/// Nobody says more tokens in a second.
const FASTEST: usize = 10;

impl Listener {
    /// Overhears at most [`WINDOW`] samples. The text begins with the tokens `settled`.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn overhear(
        &mut self,
        samples: &[f32],
        hearing: &Hearing,
        settled: &[usize],
    ) -> Result<Overheard, SpeechError> {
        let samples = &samples[..samples.len().min(WINDOW)];
        let length = (samples.len() + SILENCE).next_multiple_of(LENGTH);
        let frames = (length / HOP).min(self.whisper.frames());
        let window = self.whisper.listen(self.mel.of(samples, frames), frames)?;
        let (language, token, _) = self.spoken(&window, hearing)?;
        let settled: Vec<usize> = self.whisper.text_of(settled);
        let going = Going {
            language: token,
            settled: &settled,
            most: settled.len() + FASTEST * (1 + samples.len() / SAMPLES_PER_SECOND),
        };
        let tokens = match self.whisper.go_on(&window, &going)? {
            Some(written) if !self.repeats_itself(&written) => written.tokens,
            _ => settled,
        };
        let words = words_of(self.whisper.names_of(&tokens), self.has_spaces(&language));
        Ok(Overheard {
            language,
            words,
            tokens,
        })
    }
}
