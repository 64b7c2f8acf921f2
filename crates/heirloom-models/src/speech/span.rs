//! Stretches of a recording in which somebody speaks, and what is spoken in them end to end.

use super::{mel::SAMPLES_PER_SECOND, voice::FRAME};

/// From one sample of a recording up to another.
pub type Span = std::ops::Range<usize>;

/// From here on somebody speaks.
const LIKELY: f32 = 0.5;
/// Whoever speaks still does down to this.
pub const STILL_LIKELY: f32 = 0.35;
/// Silence that ends a stretch: two seconds.
const GAP: usize = 2 * SAMPLES_PER_SECOND;
/// What is shorter is a noise: a fifth of a second.
const SHORTEST: usize = SAMPLES_PER_SECOND / 5;
/// What is kept before and after: two seconds. The model hears the first and the last word better with the silence
/// around them.
const MARGIN: usize = 2 * SAMPLES_PER_SECOND;

/// Where a voice is heard without so long a silence.
pub(super) fn voiced(likely: &[f32], samples: usize, gap: usize) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut open: Option<Span> = None;
    for (at, likely) in likely.iter().enumerate() {
        let (begin, end) = (at * FRAME, ((at + 1) * FRAME).min(samples));
        match &mut open {
            None if *likely >= LIKELY => open = Some(begin..end),
            Some(span) if *likely >= STILL_LIKELY => span.end = end,
            Some(span) if end - span.end >= gap => found.extend(open.take()),
            _ => {}
        }
    }
    found.extend(open);
    found
}

/// Where a voice is heard without so long a silence, from its first sample to its last. What is shorter than a fifth of a
/// second is a noise.
#[must_use]
pub fn voices_of(likely: &[f32], samples: usize, gap: usize) -> Vec<Span> {
    let mut found = voiced(likely, samples, gap);
    found.retain(|span| span.len() >= SHORTEST);
    found
}

/// Where somebody speaks, by how likely that is in each frame of a recording of so many samples.
#[must_use]
pub fn spans_of(likely: &[f32], samples: usize) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for span in voices_of(likely, samples, GAP) {
        let begin = span.start.saturating_sub(MARGIN);
        let end = (span.end + MARGIN).min(samples);
        match spans.last_mut() {
            Some(before) if begin <= before.end => before.end = end,
            _ => spans.push(begin..end),
        }
    }
    spans
}

/// What is spoken, as if one span followed the other. A place in it counts samples of speech.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    spans: Vec<Span>,
}

impl Speech {
    /// Of these stretches, which follow one another.
    #[must_use]
    pub const fn new(spans: Vec<Span>) -> Self {
        Self { spans }
    }

    /// Samples of speech.
    #[must_use]
    pub fn length(&self) -> usize {
        self.spans.iter().map(ExactSizeIterator::len).sum()
    }

    /// The stretches of the recording from one place in the speech up to another.
    #[must_use]
    pub fn parts(&self, from: usize, until: usize) -> Vec<Span> {
        let mut at = 0;
        let mut parts = Vec::new();
        for span in &self.spans {
            let (begin, end) = (at.max(from), (at + span.len()).min(until));
            if begin < end {
                parts.push(span.start + begin - at..span.start + end - at);
            }
            at += span.len();
        }
        parts
    }

    /// Where a window from one place on ends, which is to have at most so many samples: between two stretches where
    /// that is not much too early, and else where it is least likely that somebody speaks.
    #[must_use]
    pub fn window_end(&self, from: usize, most: usize, likely: &[f32]) -> usize {
        let limit = from + most;
        if limit >= self.length() {
            return self.length();
        }
        let ends = self.spans.iter().scan(0, |at, span| {
            *at += span.len();
            Some(*at)
        });
        let last = ends.filter(|end| *end > from && *end <= limit).last();
        if let Some(end) = last.filter(|end| end - from >= most / 2) {
            return end;
        }
        let loudness = |place: &usize| {
            let part = self.parts(*place, place + 1);
            let frame = part.first().map_or(0, |part| part.start / FRAME);
            likely.get(frame).copied().unwrap_or_default()
        };
        (from + most * 2 / 3..=limit)
            .step_by(FRAME)
            .min_by(|a, b| loudness(a).total_cmp(&loudness(b)))
            .unwrap_or(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of speech and of silence: how many, and how likely.
    fn frames(of: &[(usize, f32)]) -> Vec<f32> {
        let each = of.iter();
        each.flat_map(|(count, likely)| vec![*likely; *count])
            .collect()
    }

    #[test]
    fn a_short_pause_belongs_to_what_is_said_and_a_long_one_does_not() {
        let likely = frames(&[(20, 0.9), (120, 0.1), (20, 0.9), (190, 0.1), (20, 0.9)]);
        let spans = spans_of(&likely, likely.len() * FRAME);
        assert_eq!(
            spans,
            [0..160 * FRAME + MARGIN, 350 * FRAME - MARGIN..370 * FRAME]
        );
    }

    #[test]
    fn a_click_is_no_speech() {
        let likely = frames(&[(40, 0.0), (3, 0.9), (40, 0.0)]);
        assert_eq!(spans_of(&likely, likely.len() * FRAME), []);
    }

    #[test]
    fn a_place_in_speech_is_a_place_in_the_recording() {
        let speech = Speech::new(vec![100..200, 1000..1300]);
        assert_eq!(speech.length(), 400);
        assert_eq!(speech.parts(50, 150), [150..200, 1000..1050]);
        assert_eq!(speech.parts(100, 400).last(), Some(&(1000..1300)));
        assert_eq!(speech.parts(100, 400).len(), 1);
        assert_eq!(speech.parts(400, 500), []);
    }

    #[test]
    fn a_window_ends_in_a_pause() {
        let second = SAMPLES_PER_SECOND;
        let speech = Speech::new(vec![0..20 * second, 30 * second..50 * second]);
        let likely = vec![1.0; 50 * second / FRAME];
        assert_eq!(speech.window_end(0, 28 * second, &likely), 20 * second);
        assert_eq!(
            speech.window_end(20 * second, 28 * second, &likely),
            40 * second
        );
    }

    #[test]
    fn who_never_pauses_is_cut_where_it_is_quietest() {
        let second = SAMPLES_PER_SECOND;
        let speech = Speech::new(std::iter::once(0..60 * second).collect());
        let mut likely = vec![1.0; 60 * second / FRAME];
        let quiet = 25 * second / FRAME;
        likely[quiet] = 0.4;
        let end = speech.window_end(0, 28 * second, &likely);
        assert_eq!(end / FRAME, quiet);
    }
}
