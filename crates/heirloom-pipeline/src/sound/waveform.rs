//! How loud a recording is over time, to be drawn.

use std::{fs::File, ops::ControlFlow};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::ConfinementError,
    ffmpeg::{Ffmpeg, no_sound},
    probe::Probe,
};

/// How loud a recording is over time. Its JSON is that of the BBC's `audiowaveform`, version 2, which
/// players know: `data` holds the lowest and the highest sample of each stretch, in turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waveform {
    /// The version of this form: 2.
    pub version: u8,
    /// Channels in `data`: 1, into which all are mixed.
    pub channels: u8,
    /// Samples in a second.
    pub sample_rate: u32,
    /// How many samples each stretch has; the last may have fewer.
    pub samples_per_pixel: u64,
    /// Bits of each value: 8, from -128 to 127.
    pub bits: u8,
    /// How many stretches there are, at most [`Waveform::MOST`].
    pub length: usize,
    /// The lowest and the highest sample of each stretch.
    pub data: Vec<i8>,
    /// How long the recording is in milliseconds, as it was heard: more exact than what a file says.
    pub duration_ms: u64,
}

impl Waveform {
    /// The most stretches: more than screens have pixels to draw them.
    pub const MOST: usize = 1800;
}

/// Enough for how loud a voice is, and a sixth of the work of more.
const SAMPLE_RATE: u32 = 8000;

/// Listens to all of a recording, in constant memory.
///
/// # Errors
/// [`ConfinementError`]; `Failed` when there is no sound in the file.
pub async fn make_waveform(
    ffmpeg: &Ffmpeg,
    input: &File,
    probe: &Probe,
    cancelled: &CancellationToken,
) -> Result<Waveform, ConfinementError> {
    let read = |peaks: &mut Peaks, block: &[u8]| {
        peaks.hear(block);
        ControlFlow::Continue(())
    };
    let peaks = Peaks::default();
    let peaks = ffmpeg
        .read_samples((input, probe), SAMPLE_RATE, peaks, cancelled, read)
        .await?;
    if peaks.heard == 0 {
        return Err(no_sound());
    }
    Ok(peaks.into_waveform())
}

/// Stretches of a recording whose length is not known before its end: when there are too many, each
/// two become one.
#[derive(Debug)]
struct Peaks {
    stretches: Vec<(i16, i16)>,
    /// How many samples a stretch has.
    length: u64,
    /// The stretch that is not full yet.
    current: Option<(i16, i16)>,
    in_current: u64,
    heard: u64,
    /// The first half of a sample whose second has not come yet.
    half: Option<u8>,
}

impl Default for Peaks {
    fn default() -> Self {
        Self {
            stretches: Vec::new(),
            length: 1,
            current: None,
            in_current: 0,
            heard: 0,
            half: None,
        }
    }
}

impl Peaks {
    fn hear(&mut self, block: &[u8]) {
        for byte in block {
            match self.half.take() {
                None => self.half = Some(*byte),
                Some(low) => self.push(i16::from_le_bytes([low, *byte])),
            }
        }
    }

    fn push(&mut self, sample: i16) {
        self.heard += 1;
        self.in_current += 1;
        self.current = Some(join(self.current, (sample, sample)));
        if self.in_current == self.length {
            self.close();
        }
    }

    fn close(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        self.in_current = 0;
        if self.stretches.len() == Waveform::MOST {
            self.halve();
            // What was full is half full now.
            self.current = Some(current);
            self.in_current = self.length / 2;
            return;
        }
        self.stretches.push(current);
    }

    fn halve(&mut self) {
        let pairs = self.stretches.chunks(2);
        self.stretches = pairs
            .filter_map(|pair| {
                let first = *pair.first()?;
                Some(pair.iter().skip(1).fold(first, |a, b| join(Some(a), *b)))
            })
            .collect();
        self.length *= 2;
    }

    fn into_waveform(mut self) -> Waveform {
        self.close();
        // The last piece may have made one too many.
        self.stretches.extend(self.current.take());
        if self.stretches.len() > Waveform::MOST {
            self.halve();
        }
        let eight_bits = |sample: i16| i8::try_from(sample >> 8).unwrap_or(0);
        Waveform {
            version: 2,
            channels: 1,
            sample_rate: SAMPLE_RATE,
            samples_per_pixel: self.length,
            bits: 8,
            length: self.stretches.len(),
            data: self
                .stretches
                .iter()
                .flat_map(|(lowest, highest)| [eight_bits(*lowest), eight_bits(*highest)])
                .collect(),
            duration_ms: self.heard * 1000 / u64::from(SAMPLE_RATE),
        }
    }
}

fn join(a: Option<(i16, i16)>, b: (i16, i16)) -> (i16, i16) {
    a.map_or(b, |a| (a.0.min(b.0), a.1.max(b.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_any_length_has_few_stretches_and_all_its_peaks() {
        for count in [1_usize, 1800, 1801, 3600, 3601, 7_777, 1_000_000] {
            let mut peaks = Peaks::default();
            let samples = (0..count).map(|n| if n == count - 1 { -32_768_i16 } else { 256 });
            let bytes: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
            // Blocks that end in the middle of a sample.
            for block in bytes.chunks(4097) {
                peaks.hear(block);
            }
            let wave = peaks.into_waveform();
            assert!(wave.length <= Waveform::MOST, "{count}: {}", wave.length);
            assert_eq!(wave.data.len(), wave.length * 2);
            let stretches = (count as u64).div_ceil(wave.samples_per_pixel);
            assert_eq!(wave.length as u64, stretches, "{count}");
            assert_eq!(wave.data[wave.data.len() - 2], -128, "{count}: the last");
            assert_eq!(
                wave.data[1],
                if count == 1 { -128 } else { 1 },
                "{count}: the first"
            );
        }
    }
}
