//! Each moment goes to the voice that it sounds like most.

use super::{LENGTHS, STEP, Span, Window, product};

/// What a change of speakers costs: as much as so many frames that sound wholly otherwise.
const CHANGE: f32 = 4.0;
/// What a window counts that knows little, beside one that knows enough.
const LITTLE: f32 = 0.01;
/// Which of [`LENGTHS`] moments are told by: longer ones blur.
const KIND: usize = 1;

/// Which voice speaks when.
pub(super) fn turns(
    utterances: &[Span],
    windows: &[Window],
    voices: &[Vec<f32>],
) -> Vec<(usize, Span)> {
    let mut turns: Vec<(usize, Span)> = Vec::new();
    let mut from = 0;
    for utterance in utterances {
        let (first, end) = (utterance.start / STEP, utterance.end / STEP);
        let count = windows[from..]
            .iter()
            .take_while(|window| window.begin < end);
        let of_it = &windows[from..from + count.count()];
        from += of_it.len();
        let likeness = likeness(of_it, first, end - first, voices);
        for (at, who) in path(&likeness, voices.len()).into_iter().enumerate() {
            let begin = (first + at) * STEP;
            match turns.last_mut() {
                Some((last, span)) if *last == who && span.end == begin => span.end += STEP,
                _ => turns.push((who, begin..begin + STEP)),
            }
        }
    }
    turns
}

/// How much each frame sounds like each voice: frame after frame, each with all voices.
fn likeness(windows: &[Window], first: usize, frames: usize, voices: &[Vec<f32>]) -> Vec<f32> {
    let mut sums = vec![0.0; frames * voices.len()];
    let mut weights = vec![f32::MIN_POSITIVE; frames];
    for window in windows.iter().filter(|window| window.kind <= KIND) {
        let print = window.direction();
        let alike: Vec<f32> = voices.iter().map(|voice| product(&print, voice)).collect();
        for n in 0..window.length {
            // A window tells most of its middle.
            let edge = (n + 1).min(LENGTHS[KIND] - n.min(LENGTHS[KIND] - 1));
            let weight = match window.kind == KIND {
                true => edge as f32 * 2.0 / LENGTHS[KIND] as f32,
                false => LITTLE,
            };
            let frame = window.begin - first + n;
            if let Some(sum) = weights.get_mut(frame) {
                *sum += weight;
                let row = &mut sums[frame * voices.len()..][..voices.len()];
                row.iter_mut()
                    .zip(&alike)
                    .for_each(|(sum, alike)| *sum += alike * weight);
            }
        }
    }
    if !voices.is_empty() {
        let rows = sums.chunks_exact_mut(voices.len()).zip(&weights);
        rows.for_each(|(row, weight)| row.iter_mut().for_each(|sum| *sum /= weight));
    }
    sums
}

/// The likeliest voice of each frame, where changes have a price (Viterbi).
fn path(likeness: &[f32], voices: usize) -> Vec<usize> {
    if voices == 0 {
        return Vec::new();
    }
    let mut sums = vec![0.0; voices];
    let mut came_from: Vec<Vec<usize>> = Vec::new();
    let most = |sums: &[f32]| {
        let all = sums.iter().enumerate();
        all.fold(
            0,
            |most, (who, sum)| if *sum > sums[most] { who } else { most },
        )
    };
    for row in likeness.chunks_exact(voices) {
        let best = most(&sums);
        let change = sums[best] - CHANGE;
        let before = sums
            .iter()
            .enumerate()
            .map(|(who, sum)| if *sum >= change { who } else { best })
            .collect();
        for (sum, alike) in sums.iter_mut().zip(row) {
            *sum = sum.max(change) + alike;
        }
        came_from.push(before);
    }
    let mut who = most(&sums);
    let mut path = Vec::with_capacity(came_from.len());
    for before in came_from.iter().rev() {
        path.push(who);
        who = before[who];
    }
    path.reverse();
    path
}
