//! What a voice sounds like, in 256 numbers: the network of Resemblyzer (Wan and others, "Generalized End-to-End Loss
//! for Speaker Verification", 2018), built from its weights.
//!
//! Three layers hear 40 bands of pitch, frame after frame, and what they remember after 160 frames tells voices
//! apart. After fewer they know less; both is taken from one run. Windows of many utterances are heard at once, those
//! of the same length together.

use ort::{
    operator::Attribute,
    session::Session,
    value::{Tensor, TensorElementType},
};

use super::{
    SpeechError,
    mel::{HOP, Mel},
};
use crate::{
    graph::Net,
    runtime::Runtime,
    torch::{Tensors, TorchError},
};

/// Numbers in a voiceprint.
pub const PRINT: usize = 256;
/// After so many frames of 10 ms a voiceprint is taken: the shortest that says something, one that knows enough, and
/// what the network was trained with.
pub const LENGTHS: [usize; 3] = [40, 80, 160];
/// Samples in a frame.
pub const STEP: usize = HOP;

const BANDS: usize = 40;
const LAYERS: usize = 3;
const LONGEST: usize = LENGTHS[2];
/// Frames from one window to the next: 0.4 s.
const BETWEEN: usize = 40;
/// So many frames of a window may lie in the silence after an utterance.
const OVER: usize = 4;
/// What is heard at once: more keeps a processor no busier.
const BATCH: usize = 32;
/// Each window is made so loud, 24 dB below the loudest possible: the network takes the same voice for another one
/// where it is much quieter.
const LOUDNESS: f32 = 0.06;
/// No voice is quieter than this; it is not made louder than a voice.
const SILENCE: f32 = 1e-5;

/// The windows of an utterance of so many samples: at which frame each begins, and how many of [`LENGTHS`] it has room
/// for. What is shorter than all of them has one.
pub(super) fn windows_of(samples: usize) -> impl Iterator<Item = (usize, usize)> {
    let room = samples / STEP + OVER;
    let lengths = move |begin: usize| {
        let fit = LENGTHS.iter().filter(|length| begin + **length <= room);
        fit.count()
    };
    let later = (BETWEEN..).step_by(BETWEEN);
    let later = later.map(move |begin| (begin, lengths(begin)));
    std::iter::once((0, lengths(0).max(1))).chain(later.take_while(|(_, count)| *count > 0))
}

/// A voiceprint in a byte for each number, which is as exact as voices are.
#[must_use]
pub fn pack(print: &[f32]) -> Vec<u8> {
    let most = print.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let byte = |value: &f32| (value.max(0.0) / most * 255.0).round() as u8;
    print.iter().map(byte).collect()
}

/// A window that is to be heard.
#[derive(Debug)]
struct Window {
    utterance: usize,
    begin: usize,
    /// How many of [`LENGTHS`] it is heard for.
    count: usize,
    /// Where its voiceprints go among those of its utterance.
    place: usize,
}

/// Takes voiceprints.
#[derive(Debug)]
pub struct Voiceprints {
    session: Session,
    mel: Mel,
}

impl From<TorchError> for SpeechError {
    fn from(error: TorchError) -> Self {
        Self::Speaker(error.to_string())
    }
}

impl Voiceprints {
    /// From the bytes of Resemblyzer's `pretrained.pt`.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, SpeechError> {
        let weights = Tensors::read(model, Some("model_state"))?;
        let mut net = Net::new()?;
        let mut wire = net.input(
            "frames",
            TensorElementType::Float32,
            &[-1, -1, BANDS as i64],
        );
        let moments = net.input("moments", TensorElementType::Int64, &[-1]);
        for layer in 0..LAYERS {
            let inputs = if layer == 0 { BANDS } else { PRINT };
            wire = remember(&mut net, &weights, &wire, layer, inputs)?;
        }
        let wire = net.node("Gather", &[&wire, &moments], [])?;
        let turned = turn(weights.get("linear.weight", &[PRINT, PRINT])?, PRINT);
        let turned = net.constant(&[PRINT, PRINT], &turned)?;
        let bias = net.constant(&[PRINT], weights.get("linear.bias", &[PRINT])?)?;
        let wire = net.node("MatMul", &[&wire, &turned], [])?;
        let wire = net.add(&wire, &bias)?;
        let wire = net.node("Relu", &[&wire], [])?;
        net.output("prints", &wire, &[-1, -1, PRINT as i64])?;
        Ok(Self {
            session: net.finish(&runtime.options()?)?,
            mel: Mel::new(BANDS),
        })
    }

    /// Voiceprints of utterances, one for each of [`LENGTHS`] that its windows have room for, one after the other and
    /// [packed](pack). Where an utterance ends earlier, silence is heard.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn of(&mut self, utterances: &[impl AsRef<[f32]>]) -> Result<Vec<Vec<u8>>, SpeechError> {
        let (mut windows, mut prints) = (Vec::new(), Vec::with_capacity(utterances.len()));
        for (utterance, samples) in utterances.iter().enumerate() {
            let mut place = 0;
            for (begin, count) in windows_of(samples.as_ref().len()) {
                windows.push(Window {
                    utterance,
                    begin,
                    count,
                    place,
                });
                place += count * PRINT;
            }
            prints.push(vec![0; place]);
        }
        let bands = utterances
            .iter()
            .map(|samples| self.mel.power_of(samples.as_ref()));
        let bands: Vec<Vec<f32>> = bands.collect();
        windows.sort_by_key(|window| window.count);
        for alike in windows.chunk_by(|a, b| a.count == b.count) {
            for some in alike.chunks(BATCH) {
                let lengths = &LENGTHS[..some[0].count];
                let heard = self.hear(utterances, &bands, some, lengths)?;
                for (at, window) in some.iter().enumerate() {
                    for nth in 0..window.count {
                        let print = &heard[(nth * some.len() + at) * PRINT..][..PRINT];
                        prints[window.utterance][window.place + nth * PRINT..][..PRINT]
                            .copy_from_slice(&pack(&unit(print.to_vec())));
                    }
                }
            }
        }
        Ok(prints)
    }

    /// What is remembered of these windows after each of these lengths: length after length, each with all windows.
    fn hear(
        &mut self,
        utterances: &[impl AsRef<[f32]>],
        bands: &[Vec<f32>],
        windows: &[Window],
        lengths: &[usize],
    ) -> Result<Vec<f32>, SpeechError> {
        let longest = lengths[lengths.len() - 1];
        let row = windows.len() * BANDS;
        let mut input = vec![0.0; longest * row];
        for (at, window) in windows.iter().enumerate() {
            let samples = utterances[window.utterance].as_ref();
            let end = (window.begin + LONGEST) * STEP;
            let gain = gain(samples.get(window.begin * STEP..end.min(samples.len())));
            let frames = bands[window.utterance].chunks_exact(BANDS);
            for (n, bands) in frames.skip(window.begin).take(longest).enumerate() {
                let slots = &mut input[n * row + at * BANDS..][..BANDS];
                for (slot, band) in slots.iter_mut().zip(bands) {
                    *slot = band * gain * gain;
                }
            }
        }
        let moments: Vec<i64> = lengths.iter().map(|length| *length as i64 - 1).collect();
        let answer = self.session.run(ort::inputs![
            Tensor::from_array(([longest, windows.len(), BANDS], input))?,
            Tensor::from_array(([moments.len()], moments))?,
        ])?;
        Ok(answer[0].try_extract_tensor::<f32>()?.1.to_vec())
    }
}

/// One layer that remembers.
fn remember(
    net: &mut Net,
    weights: &Tensors,
    wire: &str,
    layer: usize,
    inputs: usize,
) -> Result<String, SpeechError> {
    let rows = 4 * PRINT;
    let get = |name: &str, shape: &[usize]| weights.get(&format!("lstm.{name}_l{layer}"), shape);
    let (heard, known) = (
        gates(get("weight_ih", &[rows, inputs])?),
        gates(get("weight_hh", &[rows, PRINT])?),
    );
    let mut bias = gates(get("bias_ih", &[rows])?);
    bias.extend(gates(get("bias_hh", &[rows])?));
    let heard = net.constant(&[1, rows, inputs], &heard)?;
    let known = net.constant(&[1, rows, PRINT], &known)?;
    let bias = net.constant(&[1, 2 * rows], &bias)?;
    let wire = net.node(
        "LSTM",
        &[wire, &heard, &known, &bias],
        [Attribute::new("hidden_size", PRINT as i64)?],
    )?;
    let side = net.constant(&[1], &[1_i64])?;
    Ok(net.node("Squeeze", &[&wire, &side], [])?)
}

/// PyTorch has the gates of a layer as input, forget, cell, output; ONNX as input, output, forget, cell.
fn gates(weights: &[f32]) -> Vec<f32> {
    let gate = weights.len() / 4;
    let gates = [0, 3, 1, 2].map(|at| &weights[at * gate..(at + 1) * gate]);
    gates.concat()
}

/// Rows become columns.
fn turn(weights: &[f32], columns: usize) -> Vec<f32> {
    let column = |at: usize| weights.iter().skip(at).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}

/// How much louder or quieter it has to be.
fn gain(samples: Option<&[f32]>) -> f32 {
    let samples = samples.unwrap_or_default();
    let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
    let loudness = (sum / samples.len().max(1) as f32).sqrt();
    LOUDNESS / loudness.max(SILENCE)
}

/// As long as 1.
pub(super) fn unit(mut print: Vec<f32>) -> Vec<f32> {
    let length: f32 = print.iter().map(|value| value * value).sum();
    let length = length.sqrt().max(f32::MIN_POSITIVE);
    print.iter_mut().for_each(|value| *value /= length);
    print
}
