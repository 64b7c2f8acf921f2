//! When each token is said: by where the writer looks while it writes it.

use super::engine::{Step, Whisper, Window, softmax};
use crate::speech::SpeechError;

impl Whisper {
    /// The step of 20 ms at which each token of a text begins, and that at which the last one ends.
    pub(in crate::speech) fn align(
        &mut self,
        window: &Window,
        language: usize,
        text: &[usize],
        steps: usize,
    ) -> Result<Vec<usize>, SpeechError> {
        let v = &self.vocabulary;
        let prompt = [v.start, language, v.transcribe, v.no_times];
        let tokens: Vec<usize> = prompt.iter().chain(text).chain([&v.end]).copied().collect();
        let rows = tokens.len();
        let heads = self.vocabulary.alignment.len();
        let step = Step {
            tokens: &[tokens],
            before: 0,
            order: &[0],
            wanted: &[0],
            is_aligning: true,
        };
        let mut memory = self.nothing()?;
        let (_, looks) = self.step(window, &mut memory, &step)?;
        let steps = steps.clamp(1, window.steps);
        let mut sum = vec![0.0_f32; rows * steps];
        for head in 0..heads {
            let of = |row: usize| {
                let at = (head * rows + row) * window.steps;
                &looks[at..at + steps]
            };
            let mut weights: Vec<f32> = (0..rows).flat_map(|row| softmax(of(row))).collect();
            for at in 0..steps {
                let mean =
                    (0..rows).map(|row| weights[row * steps + at]).sum::<f32>() / rows as f32;
                let spread = (0..rows)
                    .map(|row| (weights[row * steps + at] - mean).powi(2))
                    .sum::<f32>()
                    / rows as f32;
                let spread = spread.sqrt().max(1e-9);
                for row in 0..rows {
                    let w = &mut weights[row * steps + at];
                    *w = (*w - mean) / spread;
                }
            }
            for (row, values) in weights.chunks(steps).enumerate() {
                for (at, value) in median(values, SMOOTHED).into_iter().enumerate() {
                    sum[row * steps + at] += value / heads as f32;
                }
            }
        }
        // From the token before the first on, whose end is the beginning of that one.
        let first = prompt.len();
        let seen = &sum[(first - 1) * steps..(rows - 1) * steps];
        Ok(warp(seen, text.len() + 1, steps))
    }
}

/// How many neighbours a value is smoothed with, itself included: 140 ms.
const SMOOTHED: usize = 7;

/// Each value replaced by the middle one of its neighbours, mirrored at both ends.
fn median(values: &[f32], width: usize) -> Vec<f32> {
    let half = width / 2;
    let at = |index: isize| -> f32 {
        let last = values.len() as isize - 1;
        let index = if index < 0 {
            -index
        } else if index > last {
            2 * last - index
        } else {
            index
        };
        values[index.clamp(0, last) as usize]
    };
    let mut window = vec![0.0; width];
    let middle = |middle: isize| {
        for (slot, index) in window.iter_mut().zip(middle - half as isize..) {
            *slot = at(index);
        }
        window.sort_unstable_by(f32::total_cmp);
        window[half]
    };
    (0..values.len() as isize).map(middle).collect()
}

/// The cheapest way through the rows from the first column to the last (dynamic time warping): the column at which
/// each row begins.
fn warp(gains: &[f32], rows: usize, columns: usize) -> Vec<usize> {
    let width = columns + 1;
    let mut cost = vec![f32::INFINITY; (rows + 1) * width];
    let mut came = vec![0_u8; (rows + 1) * width];
    cost[0] = 0.0;
    for column in 1..=columns {
        for row in 1..=rows {
            let (diagonal, up, left) = (
                cost[(row - 1) * width + column - 1],
                cost[(row - 1) * width + column],
                cost[row * width + column - 1],
            );
            let (least, from) = if diagonal <= up && diagonal <= left {
                (diagonal, 0)
            } else if up < diagonal && up < left {
                (up, 1)
            } else {
                (left, 2)
            };
            cost[row * width + column] = least - gains[(row - 1) * columns + column - 1];
            came[row * width + column] = from;
        }
    }
    let (mut row, mut column) = (rows, columns);
    let mut begins = vec![0; rows];
    while row > 0 && column > 0 {
        begins[row - 1] = column - 1;
        match came[row * width + column] {
            0 => {
                row -= 1;
                column -= 1;
            }
            1 => row -= 1,
            _ => column -= 1,
        }
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_way_follows_what_is_looked_at() {
        // Three rows over six columns: each looks at two of them.
        let gains = [
            1.0, 1.0, 0.0, 0.0, 0.0, 0.0, //
            0.0, 0.0, 1.0, 1.0, 0.0, 0.0, //
            0.0, 0.0, 0.0, 0.0, 1.0, 1.0,
        ];
        assert_eq!(warp(&gains, 3, 6), [0, 2, 4]);
    }

    #[test]
    fn a_row_that_looks_at_nothing_takes_one_column() {
        let gains = [
            1.0, 1.0, 0.0, 0.0, //
            0.0, 0.0, 0.0, 0.0, //
            0.0, 0.0, 0.0, 1.0,
        ];
        let begins = warp(&gains, 3, 4);
        assert!(begins.is_sorted() && begins[2] == 3, "{begins:?}");
    }

    #[test]
    fn the_middle_value_of_its_neighbours_removes_a_spike() {
        assert_eq!(median(&[0.0, 0.0, 9.0, 0.0, 0.0], 3), [0.0; 5]);
        assert_eq!(median(&[1.0], 7), [1.0]);
    }
}
