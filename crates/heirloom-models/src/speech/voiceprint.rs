//! What a voice sounds like, in 256 numbers: the network of Resemblyzer (Wan and others, "Generalized End-to-End Loss
//! for Speaker Verification", 2018), built from its weights.
//!
//! Three layers hear 40 bands of pitch, frame after frame, and what they remember after 160 frames tells voices
//! apart. After fewer they know less; both is taken from one run.

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
/// What is heard at once: more keeps a processor no busier.
const BATCH: usize = 32;
/// Each window is made so loud, 24 dB below the loudest possible: the network takes the same voice for another one
/// where it is much quieter.
const LOUDNESS: f32 = 0.06;
/// No voice is quieter than this; it is not made louder than a voice.
const SILENCE: f32 = 1e-5;

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
            &[LONGEST as i64, -1, BANDS as i64],
        );
        for layer in 0..LAYERS {
            let inputs = if layer == 0 { BANDS } else { PRINT };
            wire = remember(&mut net, &weights, &wire, layer, inputs)?;
        }
        let moments = LENGTHS.map(|length| length as i64 - 1);
        let moments = net.constant(&[moments.len()], &moments)?;
        let wire = net.node("Gather", &[&wire, &moments], [])?;
        let turned = turn(weights.get("linear.weight", &[PRINT, PRINT])?, PRINT);
        let turned = net.constant(&[PRINT, PRINT], &turned)?;
        let bias = net.constant(&[PRINT], weights.get("linear.bias", &[PRINT])?)?;
        let wire = net.node("MatMul", &[&wire, &turned], [])?;
        let wire = net.add(&wire, &bias)?;
        let wire = net.node("Relu", &[&wire], [])?;
        net.output("prints", &wire, &[LENGTHS.len() as i64, -1, PRINT as i64])?;
        Ok(Self {
            session: net.finish(&runtime.options()?)?,
            mel: Mel::new(BANDS),
        })
    }

    /// Voiceprints of what begins at each of these frames, one for each of [`LENGTHS`]. Where the samples end earlier,
    /// silence is heard.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn of(
        &mut self,
        samples: &[f32],
        begins: &[usize],
    ) -> Result<Vec<[Vec<f32>; LENGTHS.len()]>, SpeechError> {
        let mel = self.mel.power_of(samples);
        let mut prints = Vec::with_capacity(begins.len());
        for some in begins.chunks(BATCH) {
            let row = some.len() * BANDS;
            let mut input = vec![0.0; LONGEST * row];
            for (at, begin) in some.iter().enumerate() {
                let end = (begin + LONGEST) * STEP;
                let gain = gain(samples.get(begin * STEP..end.min(samples.len())));
                let frames = mel.chunks_exact(BANDS).skip(*begin).take(LONGEST);
                for (n, bands) in frames.enumerate() {
                    let slots = &mut input[n * row + at * BANDS..][..BANDS];
                    for (slot, band) in slots.iter_mut().zip(bands) {
                        *slot = band * gain * gain;
                    }
                }
            }
            let input = Tensor::from_array(([LONGEST, some.len(), BANDS], input))?;
            let answer = self.session.run(ort::inputs![input])?;
            let (_, heard) = answer[0].try_extract_tensor::<f32>()?;
            for at in 0..some.len() {
                let of = |length: usize| {
                    let from = (length * some.len() + at) * PRINT;
                    let print = heard.get(from..from + PRINT);
                    unit(print.unwrap_or_default().to_vec())
                };
                prints.push(std::array::from_fn(of));
            }
        }
        Ok(prints)
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
