//! Writing what is still being said: the likeliest token after the other, without times.

use super::engine::{NEVER, Step, Whisper, Window, Written, best, log_softmax, softmax};
use crate::speech::SpeechError;

/// What is being written.
#[derive(Debug, Clone, Copy)]
pub(in crate::speech) struct Going<'a> {
    /// The token of the language.
    pub(in crate::speech) language: usize,
    /// What it begins with.
    pub(in crate::speech) settled: &'a [usize],
    /// As many tokens at most.
    pub(in crate::speech) most: usize,
}

/// From here on a window is taken for silence, where nothing is settled.
const SILENCE: f32 = 0.6;

impl Whisper {
    /// Goes on from what is settled. Nothing where nobody speaks, and where it does not come to an end.
    pub(in crate::speech) fn go_on(
        &mut self,
        window: &Window,
        going: &Going<'_>,
    ) -> Result<Option<Written>, SpeechError> {
        let v = &self.vocabulary;
        let mut new = vec![v.start, going.language, v.transcribe, v.no_times];
        new.extend(going.settled);
        let most = going.most.min(self.network.sizes.longest / 2);
        let words = self.network.sizes.words;
        let mut memory = self.nothing()?;
        let mut before = 0;
        let mut written = Written {
            tokens: going.settled.to_vec(),
            likely: Vec::new(),
            no_speech: 0.0,
        };
        while written.tokens.len() < most {
            let last = new.len() - 1;
            let step = Step {
                tokens: &[std::mem::take(&mut new)],
                before,
                order: &[0],
                // What follows the very first token tells whether anybody speaks.
                wanted: if before == 0 { &[0, last] } else { &[last] },
                is_aligning: false,
            };
            let (mut scores, _) = self.step(window, &mut memory, &step)?;
            if before == 0 {
                written.no_speech = softmax(&scores[..words])[self.vocabulary.no_speech];
                if written.no_speech > SILENCE && going.settled.is_empty() {
                    return Ok(None);
                }
                scores.drain(..words);
            }
            before += last + 1;
            for token in &self.vocabulary.never {
                scores[*token] = NEVER;
            }
            scores[self.vocabulary.start..].fill(NEVER);
            let likely = log_softmax(&scores);
            let Some(token) = best(&likely, 1).first().copied() else {
                return Ok(None);
            };
            written.likely.push(likely[token]);
            if !self.is_text(token) {
                return Ok(Some(written));
            }
            written.tokens.push(token);
            new.push(token);
        }
        Ok(None)
    }
}
