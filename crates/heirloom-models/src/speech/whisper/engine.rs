//! Whisper at work on one window: it listens, tells the language, and writes.

use std::borrow::Cow;

use ort::{
    memory::Allocator,
    session::SessionInputValue,
    value::{DynValue, Tensor},
};

use super::{network::Network, vocabulary::Vocabulary};
use crate::{runtime::Runtime, speech::SpeechError};

/// A window that was listened to: what the writer looks at, layer by layer.
#[derive(Debug)]
pub(in crate::speech) struct Window {
    looks: Vec<DynValue>,
    /// Its length in steps of 20 ms.
    pub(super) steps: usize,
}

/// What was written, with the logarithm of how likely each token of it was, and its end.
#[derive(Debug, Clone)]
pub(in crate::speech) struct Written {
    pub(in crate::speech) tokens: Vec<usize>,
    pub(in crate::speech) likely: Vec<f32>,
    /// How likely nothing is said.
    pub(in crate::speech) no_speech: f32,
}

impl Written {
    /// The mean of these logarithms.
    pub(in crate::speech) fn average(&self) -> f32 {
        self.likely.iter().sum::<f32>() / self.likely.len().max(1) as f32
    }
}

/// How something is to be written.
#[derive(Debug, Clone, Copy)]
pub(in crate::speech) struct Asked {
    /// The token of the language.
    pub(in crate::speech) language: usize,
    /// How many ways are followed at once.
    pub(in crate::speech) beams: usize,
    /// 0 for the likeliest; above, chance decides.
    pub(in crate::speech) temperature: f32,
    /// What chance begins with.
    pub(in crate::speech) seed: u64,
}

/// The model, ready to work.
#[derive(Debug)]
pub(in crate::speech) struct Whisper {
    pub(super) network: Network,
    pub(super) vocabulary: Vocabulary,
}

/// What the writer remembers of what it wrote.
pub(super) struct Memory(Vec<DynValue>);

/// One of several that are written at once.
#[derive(Clone)]
struct Row {
    tokens: Vec<usize>,
    likely: Vec<f32>,
    sum: f32,
}

/// A step of the writer: what it is given.
pub(super) struct Step<'a> {
    /// What is new in each row; all are of one length.
    pub(super) tokens: &'a [Vec<usize>],
    /// How many tokens each row has before these.
    pub(super) before: usize,
    /// Of the rows of the step before, that which each goes on from.
    pub(super) order: &'a [usize],
    /// Of the new tokens, those of which it is asked what follows.
    pub(super) wanted: &'a [usize],
    /// Whether it is asked where the writer looked.
    pub(super) is_aligning: bool,
}

/// No token: what may not follow.
pub(super) const NEVER: f32 = f32::NEG_INFINITY;
/// The first time is at most one second, in steps of 20 ms.
const FIRST_TIME: usize = 50;

impl Whisper {
    pub(in crate::speech) fn load(
        runtime: &Runtime,
        model: &[u8],
        config: &[u8],
        vocabulary: &[u8],
    ) -> Result<Self, SpeechError> {
        let vocabulary = Vocabulary::read(vocabulary, config).map_err(SpeechError::Model)?;
        let network = Network::build(runtime, model, &vocabulary.alignment)?;
        if vocabulary.names.len() < network.sizes.words {
            return Err(SpeechError::Model(
                "its vocabulary has too few words".to_owned(),
            ));
        }
        Ok(Self {
            network,
            vocabulary,
        })
    }

    /// Bands of the spectrogram that it hears.
    pub(in crate::speech) const fn bands(&self) -> usize {
        self.network.sizes.bands
    }

    /// Frames of the longest window.
    pub(in crate::speech) const fn frames(&self) -> usize {
        self.network.sizes.steps * 2
    }

    /// The token of a language.
    pub(in crate::speech) fn language(&self, name: &str) -> Option<usize> {
        let mut languages = self.vocabulary.languages.iter();
        languages
            .find(|(known, _)| known == name)
            .map(|(_, token)| *token)
    }

    /// Whether a token is a part of a text.
    pub(in crate::speech) const fn is_text(&self, token: usize) -> bool {
        token < self.vocabulary.end
    }

    /// The step of 20 ms that a token says.
    pub(in crate::speech) const fn time(&self, token: usize) -> Option<usize> {
        token.checked_sub(self.vocabulary.first_time)
    }

    /// The tokens that are text.
    pub(in crate::speech) fn text_of(&self, tokens: &[usize]) -> Vec<usize> {
        let tokens = tokens.iter().copied();
        tokens.filter(|token| self.is_text(*token)).collect()
    }

    /// How tokens are written in the vocabulary.
    pub(in crate::speech) fn names_of(&self, tokens: &[usize]) -> Vec<&str> {
        let name = |token: &usize| self.vocabulary.names[*token].as_str();
        tokens.iter().map(name).collect()
    }

    pub(in crate::speech) fn listen(
        &mut self,
        mel: Vec<f32>,
        frames: usize,
    ) -> Result<Window, SpeechError> {
        let sizes = self.network.sizes;
        let features = Tensor::from_array(([1, sizes.bands, frames], mel))?;
        let inputs = ort::inputs!["features" => features];
        let mut given = self.network.listener.run(inputs)?;
        let mut looks = Vec::with_capacity(sizes.layers * 2);
        for name in names(["keys", "values"], sizes.layers) {
            looks.push(given.remove(name).ok_or_else(less_than_it_has)?);
        }
        Ok(Window {
            looks,
            steps: frames / 2,
        })
    }

    /// The language that is likeliest spoken: its name, its token, and how likely.
    pub(in crate::speech) fn spoken_language(
        &mut self,
        window: &Window,
    ) -> Result<(String, usize, f32), SpeechError> {
        let step = Step {
            tokens: &[vec![self.vocabulary.start]],
            before: 0,
            order: &[0],
            wanted: &[0],
            is_aligning: false,
        };
        let mut memory = self.nothing()?;
        let (scores, _) = self.step(window, &mut memory, &step)?;
        let languages = &self.vocabulary.languages;
        let of: Vec<f32> = languages.iter().map(|(_, token)| scores[*token]).collect();
        let likely = softmax(&of);
        let both = languages.iter().zip(likely);
        let likeliest = both.max_by(|a, b| a.1.total_cmp(&b.1));
        likeliest
            .map(|((name, token), likely)| (name.clone(), *token, likely))
            .ok_or_else(|| SpeechError::Model("it knows no language".to_owned()))
    }

    pub(in crate::speech) fn write(
        &mut self,
        window: &Window,
        asked: &Asked,
    ) -> Result<Written, SpeechError> {
        let v = &self.vocabulary;
        let prompt = vec![v.start, asked.language, v.transcribe];
        let words = self.network.sizes.words;
        let most = self.network.sizes.longest / 2;
        let mut memory = self.nothing()?;
        let mut length = prompt.len();
        let step = Step {
            tokens: &[prompt],
            before: 0,
            order: &[0],
            wanted: &[0, length - 1],
            is_aligning: false,
        };
        let (mut scores, _) = self.step(window, &mut memory, &step)?;
        let no_speech = softmax(&scores[..words])[self.vocabulary.no_speech];
        scores.drain(..words);
        let mut chance = Chance(asked.seed | 1);
        let mut rows = vec![Row {
            tokens: Vec::new(),
            likely: Vec::new(),
            sum: 0.0,
        }];
        let mut finished: Vec<Row> = Vec::new();
        loop {
            let mut order = Vec::with_capacity(asked.beams);
            let mut next = Vec::with_capacity(asked.beams);
            for (at, token, likely) in self.follow(&rows, &mut scores, asked, &mut chance) {
                let mut row: Row = rows[at].clone();
                row.likely.push(likely);
                row.sum += likely;
                if token == self.vocabulary.end {
                    finished.push(row);
                } else if next.len() < asked.beams {
                    row.tokens.push(token);
                    order.push(at);
                    next.push(row);
                }
                if next.len() == asked.beams {
                    break;
                }
            }
            rows = next;
            let is_long = rows.first().is_some_and(|row| row.tokens.len() >= most);
            if rows.is_empty() || finished.len() >= asked.beams || is_long {
                break;
            }
            let last = |row: &Row| row.tokens.iter().rev().take(1).copied().collect();
            let tokens: Vec<Vec<usize>> = rows.iter().map(last).collect();
            let step = Step {
                tokens: &tokens,
                before: length,
                order: &order,
                wanted: &[0],
                is_aligning: false,
            };
            scores = self.step(window, &mut memory, &step)?.0;
            length += 1;
        }
        if finished.is_empty() {
            finished = rows;
        }
        let of = |row: &Row| row.sum / row.likely.len().max(1) as f32;
        let best = finished.into_iter().max_by(|a, b| of(a).total_cmp(&of(b)));
        let (tokens, likely) =
            best.map_or_else(|| (Vec::new(), vec![NEVER]), |row| (row.tokens, row.likely));
        Ok(Written {
            tokens,
            likely,
            no_speech,
        })
    }

    /// What may come next: the row that it goes on from, the token and how likely it is, the best first.
    fn follow(
        &self,
        rows: &[Row],
        scores: &mut [f32],
        asked: &Asked,
        chance: &mut Chance,
    ) -> Vec<(usize, usize, f32)> {
        let mut found: Vec<(usize, usize, f32)> = Vec::new();
        let scores = scores.chunks_mut(self.network.sizes.words);
        for (at, (row, scores)) in rows.iter().zip(scores).enumerate() {
            self.forbid(&row.tokens, scores);
            if asked.temperature > 0.0 {
                let times = if row.tokens.is_empty() {
                    asked.beams
                } else {
                    1
                };
                let likely = log_softmax(scores);
                for _ in 0..times {
                    let token = chance.choose(&likely, asked.temperature);
                    found.push((at, token, likely[token]));
                }
            } else {
                let whole = log_sum(scores);
                let best = best(scores, asked.beams * 2).into_iter();
                found.extend(best.map(|token| (at, token, scores[token] - whole)));
            }
        }
        if asked.temperature <= 0.0 {
            let sum = |(at, _, likely): &(usize, usize, f32)| rows[*at].sum + likely;
            found.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
        }
        found
    }

    /// Takes away what may not follow: notes that are no speech, and times that go back or stand alone.
    fn forbid(&self, written: &[usize], scores: &mut [f32]) {
        let v = &self.vocabulary;
        for token in &v.never {
            scores[*token] = NEVER;
        }
        scores[v.start..v.first_time].fill(NEVER);
        if written.is_empty() {
            scores[..v.first_time].fill(NEVER);
            scores[v.first_time + FIRST_TIME + 1..].fill(NEVER);
            return;
        }
        let is_time = |token: &usize| *token >= v.first_time;
        let mut last = written.iter().rev();
        let (is_last, is_before) = (
            last.next().is_some_and(is_time),
            last.next().is_none_or(is_time),
        );
        if is_last && is_before {
            scores[v.first_time..].fill(NEVER);
        } else if is_last {
            scores[..v.end].fill(NEVER);
        }
        if let Some(time) = written.iter().rev().find(|token| is_time(token)) {
            let is_open = is_last && !is_before;
            let from = if is_open { *time } else { time + 1 };
            let from = from.min(scores.len());
            scores[v.first_time..from].fill(NEVER);
        }
        // Where a time of some kind is likelier than the likeliest word, it is a time.
        let (text, times) = scores.split_at(v.first_time);
        if log_sum(times) > most(text) {
            scores[..v.first_time].fill(NEVER);
        }
    }

    /// What is remembered before anything is written.
    pub(super) fn nothing(&self) -> Result<Memory, SpeechError> {
        let sizes = self.network.sizes;
        let shape = [1, sizes.heads, 0, sizes.width / sizes.heads];
        let empty = || Ok(Tensor::<f32>::new(&Allocator::default(), shape)?.into_dyn());
        let values: ort::Result<Vec<DynValue>> = (0..sizes.layers * 2).map(|_| empty()).collect();
        Ok(Memory(values?))
    }

    /// Goes on by some tokens: the scores of all tokens that could follow, for each row and each wanted place, and
    /// where the writer looked.
    pub(super) fn step(
        &mut self,
        window: &Window,
        memory: &mut Memory,
        step: &Step<'_>,
    ) -> Result<(Vec<f32>, Vec<f32>), SpeechError> {
        let sizes = self.network.sizes;
        let (rows, length) = (step.tokens.len(), step.tokens[0].len());
        let tokens = step.tokens.iter().flatten();
        let written: Vec<f32> = tokens
            .flat_map(|token| self.network.embed(*token))
            .collect();
        let width = step.before + length;
        let mut mask = vec![0.0; length * width];
        for (at, row) in mask.chunks_mut(width).enumerate() {
            row[step.before + at + 1..].fill(NEVER);
        }
        let whole = |numbers: &mut dyn Iterator<Item = usize>| -> ort::Result<_> {
            let numbers: Vec<i64> = numbers.map(|number| number as i64).collect();
            Tensor::from_array(([numbers.len()], numbers))
        };
        let mut inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = vec![
            (
                "written".into(),
                Tensor::from_array(([rows, length, sizes.width], written))?.into(),
            ),
            ("positions".into(), whole(&mut (step.before..width))?.into()),
            (
                "mask".into(),
                Tensor::from_array(([length, width], mask))?.into(),
            ),
            (
                "order".into(),
                whole(&mut step.order.iter().copied())?.into(),
            ),
            (
                "wanted".into(),
                whole(&mut step.wanted.iter().copied())?.into(),
            ),
        ];
        let past = names(["past_keys", "past_values"], sizes.layers).zip(&memory.0);
        let looks = names(["keys", "values"], sizes.layers).zip(&window.looks);
        for (name, value) in past.chain(looks) {
            inputs.push((name.into(), value.into()));
        }
        let mut given = self.network.writer.run(inputs)?;
        let numbers = |name: &str| -> ort::Result<Vec<f32>> {
            Ok(given[name].try_extract_tensor::<f32>()?.1.to_vec())
        };
        let scores = numbers("scores")?;
        let looked = match step.is_aligning {
            true => numbers("looks")?,
            false => Vec::new(),
        };
        let mut kept = Vec::with_capacity(sizes.layers * 2);
        for name in names(["now_keys", "now_values"], sizes.layers) {
            kept.push(given.remove(name).ok_or_else(less_than_it_has)?);
        }
        memory.0 = kept;
        Ok((scores, looked))
    }
}

/// What is called so in each layer, in turn.
fn names(each: [&'static str; 2], layers: usize) -> impl Iterator<Item = String> {
    (0..layers).flat_map(move |layer| each.map(|name| format!("{name}{layer}")))
}

fn less_than_it_has() -> ort::Error {
    ort::Error::new("a network gave less than it has")
}

/// A row of numbers that look like chance and are the same each time (xorshift).
struct Chance(u64);

impl Chance {
    fn choose(&mut self, likely: &[f32], temperature: f32) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let mut left = (self.0 >> 40) as f32 / (1_u64 << 24) as f32;
        let cooled: Vec<f32> = likely.iter().map(|likely| likely / temperature).collect();
        for (token, weight) in softmax(&cooled).into_iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return token;
            }
        }
        best(likely, 1).first().copied().unwrap_or_default()
    }
}

/// The likeliest tokens, the best first.
pub(super) fn best(likely: &[f32], count: usize) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::with_capacity(count + 1);
    for (token, value) in likely.iter().enumerate() {
        let is_worse = found
            .get(count - 1)
            .is_some_and(|worst| *value <= likely[*worst]);
        if *value == NEVER || is_worse {
            continue;
        }
        let at = found.partition_point(|other| likely[*other] >= *value);
        found.insert(at, token);
        found.truncate(count);
    }
    found
}

/// The largest of them, found in several places at once.
fn most(scores: &[f32]) -> f32 {
    let mut most = [NEVER; 16];
    let parts = scores.chunks_exact(most.len());
    let rest = parts.remainder();
    for part in parts {
        for (most, score) in most.iter_mut().zip(part) {
            *most = if *score > *most { *score } else { *most };
        }
    }
    let all = most.iter().chain(rest);
    all.copied().fold(NEVER, f32::max)
}

/// The logarithm of the sum of what they are logarithms of.
fn log_sum(scores: &[f32]) -> f32 {
    let most = most(scores);
    if most == NEVER {
        return NEVER;
    }
    let sum: f32 = scores.iter().map(|score| (score - most).exp()).sum();
    most + sum.ln()
}

pub(super) fn log_softmax(scores: &[f32]) -> Vec<f32> {
    let whole = log_sum(scores);
    scores.iter().map(|score| score - whole).collect()
}

pub(super) fn softmax(scores: &[f32]) -> Vec<f32> {
    log_softmax(scores).into_iter().map(f32::exp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first() {
        let likely = [0.1, 0.7, NEVER, 0.5, 0.6];
        assert_eq!(best(&likely, 3), [1, 4, 3]);
        assert_eq!(best(&likely, 9), [1, 4, 3, 0]);
    }

    #[test]
    fn chance_is_the_same_each_time_and_never_takes_what_may_not_be() {
        let likely = log_softmax(&[1.0, NEVER, 1.5]);
        let row = |seed: u64| {
            let mut chance = Chance(seed | 1);
            let row: Vec<usize> = (0..50).map(|_| chance.choose(&likely, 1.0)).collect();
            row
        };
        assert_eq!(row(7), row(7));
        assert!(row(7).contains(&0) && row(7).contains(&2) && !row(7).contains(&1));
    }
}
