//! Sound as networks hear it: how loud each band of pitch is, a hundred times a second.

use std::{f32::consts::PI, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex};

/// Samples of one channel in a second.
pub const SAMPLES_PER_SECOND: usize = 16_000;
/// Samples from one frame to the next: 10 ms.
pub(super) const HOP: usize = 160;
const WINDOW: usize = 400;
const BINS: usize = WINDOW / 2 + 1;

/// Turns samples into a mel spectrogram.
pub(super) struct Mel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Of each band: the first bin that it hears, and how well it hears this and the following.
    bands: Vec<(usize, Vec<f32>)>,
}

impl Mel {
    /// For a model that hears so many bands: Whisper 80, or 128 with the newest.
    pub(super) fn new(bands: usize) -> Self {
        let window = (0..WINDOW).map(|n| {
            let turn = 2.0 * PI * n as f32 / WINDOW as f32;
            0.5 - 0.5 * turn.cos()
        });
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
            window: window.collect(),
            bands: filters(bands),
        }
    }

    /// As Whisper hears it: the logarithm of the spectrogram of these samples and of silence after them, `frames` long: band after band, each with
    /// all its frames.
    pub(super) fn of(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        // As if the sound was mirrored at its beginning, and silent after its end.
        let at = |index: isize| samples.get(index.unsigned_abs()).copied();
        let mut mel = vec![1e-10_f32.log10(); self.bands.len() * frames];
        let heard = (samples.len() + WINDOW / 2).div_ceil(HOP).min(frames);
        self.hear(heard, at, |frame, band, power| {
            mel[band * frames + frame] = power.max(1e-10).log10();
        });
        let loudest = mel.iter().copied().fold(f32::MIN, f32::max);
        for value in &mut mel {
            *value = (value.max(loudest - 8.0) + 4.0) / 4.0;
        }
        mel
    }

    /// How loud each band is, as it is: frame after frame, each with all its bands. Before and after the samples
    /// there is silence.
    pub(super) fn power_of(&self, samples: &[f32]) -> Vec<f32> {
        let at = |index: isize| {
            let index = usize::try_from(index).ok();
            index.and_then(|index| samples.get(index)).copied()
        };
        let (bands, frames) = (self.bands.len(), samples.len() / HOP + 1);
        let mut mel = vec![0.0; bands * frames];
        self.hear(frames, at, |frame, band, power| {
            mel[frame * bands + band] = power;
        });
        mel
    }

    /// Goes through frames, of which the first is centred at the first sample.
    fn hear(
        &self,
        frames: usize,
        at: impl Fn(isize) -> Option<f32>,
        mut tell: impl FnMut(usize, usize, f32),
    ) {
        let mut input = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = vec![0.0_f32; BINS];
        for frame in 0..frames {
            let begin = (frame * HOP) as isize - (WINDOW / 2) as isize;
            for (n, (slot, weight)) in input.iter_mut().zip(&self.window).enumerate() {
                *slot = at(begin + n as isize).unwrap_or_default() * weight;
            }
            if self
                .fft
                .process_with_scratch(&mut input, &mut spectrum, &mut scratch)
                .is_err()
            {
                continue;
            }
            for (slot, bin) in power.iter_mut().zip(&spectrum) {
                *slot = bin.norm_sqr();
            }
            for (band, (first, weights)) in self.bands.iter().enumerate() {
                let heard = power.iter().skip(*first).zip(weights);
                tell(
                    frame,
                    band,
                    heard.map(|(power, weight)| power * weight).sum(),
                );
            }
        }
    }
}

/// Triangles over the bins of a spectrum, evenly spaced on the mel scale of Slaney and of equal area.
fn filters(count: usize) -> Vec<(usize, Vec<f32>)> {
    let top = to_mel(SAMPLES_PER_SECOND as f64 / 2.0);
    let edges: Vec<f64> = (0..count + 2)
        .map(|n| to_hertz(top * n as f64 / (count + 1) as f64))
        .collect();
    let hertz = |bin: usize| bin as f64 * SAMPLES_PER_SECOND as f64 / WINDOW as f64;
    edges
        .windows(3)
        .map(|edge| {
            let weight = |bin: usize| {
                let up = (hertz(bin) - edge[0]) / (edge[1] - edge[0]);
                let down = (edge[2] - hertz(bin)) / (edge[2] - edge[1]);
                (up.min(down).max(0.0) * 2.0 / (edge[2] - edge[0])) as f32
            };
            let first = (0..BINS).find(|bin| weight(*bin) > 0.0).unwrap_or(0);
            let weights = (first..BINS).map(weight).take_while(|weight| *weight > 0.0);
            (first, weights.collect())
        })
        .collect()
}

/// Linear up to 1 kHz, logarithmic above.
fn to_mel(hertz: f64) -> f64 {
    if hertz < 1000.0 {
        hertz * 3.0 / 200.0
    } else {
        15.0 + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln()
    }
}

fn to_hertz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp()
    }
}

impl std::fmt::Debug for Mel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mel")
            .field("bands", &self.bands.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, seconds: usize) -> Vec<f32> {
        let sample = |n: usize| (2.0 * PI * hertz * n as f32 / SAMPLES_PER_SECOND as f32).sin();
        (0..seconds * SAMPLES_PER_SECOND).map(sample).collect()
    }

    /// The band that is loudest in a frame.
    fn loudest(mel: &[f32], frames: usize, frame: usize) -> usize {
        let bands = mel.chunks(frames).enumerate();
        let loudest = bands.max_by(|a, b| a.1[frame].total_cmp(&b.1[frame]));
        loudest.unwrap().0
    }

    #[test]
    fn a_higher_tone_is_heard_in_a_higher_band() {
        let heard = [200.0, 400.0, 1000.0, 3000.0, 7000.0].map(|hertz| {
            let mel = Mel::new(80).of(&tone(hertz, 1), 100);
            loudest(&mel, 100, 50)
        });
        assert!(heard.is_sorted(), "{heard:?}");
        // 1 kHz is at 15 of the 45 or so mels up to 8 kHz.
        assert_eq!(heard[2], 26);
    }

    #[test]
    fn after_the_sound_there_is_silence() {
        let mel = Mel::new(80).of(&tone(440.0, 1), 300);
        let of = |frame: usize| {
            mel.iter()
                .skip(frame)
                .step_by(300)
                .copied()
                .fold(f32::MIN, f32::max)
        };
        assert!(of(50) > of(200) + 1.0, "{} {}", of(50), of(200));
        assert_eq!(mel.len(), 80 * 300);
    }
}
