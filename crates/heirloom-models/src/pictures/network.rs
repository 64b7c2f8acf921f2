//! The network, layer by layer, as its authors describe it.

use ort::{operator::Attribute, value::TensorElementType};

use super::{CLASSES, FEATURES, PicturesError, SIDE};
use crate::{graph::Net, torch::Tensors};

/// A row of blocks: how many, how many channels come out, how large the filter is, and by how much the first makes the
/// picture smaller.
struct Stage {
    blocks: usize,
    channels: usize,
    filter: usize,
    stride: usize,
}

const fn stage(blocks: usize, channels: usize, filter: usize, stride: usize) -> Stage {
    Stage {
        blocks,
        channels,
        filter,
        stride,
    }
}

const STAGES: [Stage; 7] = [
    stage(1, 16, 3, 1),
    stage(3, 24, 3, 2),
    stage(3, 48, 5, 2),
    stage(4, 88, 3, 2),
    stage(4, 120, 5, 1),
    stage(5, 208, 5, 2),
    stage(1, 352, 3, 1),
];
/// The channels of the first layer.
const STEM: usize = 32;
/// By how much a block has more channels within than come into it; the first has no more.
const WIDER: usize = 6;
/// Added to variances, so that none is 0.
const EPSILON: f32 = 1e-3;

/// The network under construction, and how large the picture is at this point.
struct Building<'a> {
    net: Net,
    weights: &'a Tensors,
    side: usize,
    /// From 0 to 6, between which each number is kept.
    bounds: [String; 2],
}

/// What a convolution is.
struct Layer {
    /// Its weights, and what they are normalised by.
    names: [String; 2],
    inputs: usize,
    outputs: usize,
    filter: usize,
    stride: usize,
    /// Whether each channel is by itself.
    is_apart: bool,
    /// Whether what comes out is kept within bounds.
    is_bounded: bool,
}

/// Builds the network: it takes `pixels` and gives `likely` and `features`.
pub(super) fn build(weights: &Tensors) -> Result<Net, PicturesError> {
    let mut net = Net::new()?;
    let side = SIDE as i64;
    let mut wire = net.input("pixels", TensorElementType::Float32, &[-1, 3, side, side]);
    let bounds = [
        net.constant(&[], &[0.0_f32])?,
        net.constant(&[], &[6.0_f32])?,
    ];
    let mut building = Building {
        net,
        weights,
        side: SIDE,
        bounds,
    };
    let point = |names, inputs, outputs, is_bounded| Layer {
        names,
        inputs,
        outputs,
        filter: 1,
        stride: 1,
        is_apart: false,
        is_bounded,
    };
    wire = building.layer(
        &wire,
        &Layer {
            filter: 3,
            stride: 2,
            ..point(["_conv_stem", "_bn0"].map(str::to_owned), 3, STEM, true)
        },
    )?;
    let (mut inputs, mut number) = (STEM, 0);
    for stage in STAGES {
        for at in 0..stage.blocks {
            let name = |part: &str| format!("_blocks.{number}.{part}");
            let came = wire.clone();
            let within = if number == 0 { inputs } else { inputs * WIDER };
            if number > 0 {
                let names = [name("_expand_conv"), name("_bn0")];
                wire = building.layer(&wire, &point(names, inputs, within, true))?;
            }
            let names = [name("_depthwise_conv"), name("_bn1")];
            let apart = Layer {
                filter: stage.filter,
                stride: if at == 0 { stage.stride } else { 1 },
                is_apart: true,
                ..point(names, within, within, true)
            };
            wire = building.layer(&wire, &apart)?;
            let names = [name("_project_conv"), name("_bn2")];
            wire = building.layer(&wire, &point(names, within, stage.channels, false))?;
            if at > 0 {
                wire = building.net.add(&wire, &came)?;
            }
            (inputs, number) = (stage.channels, number + 1);
        }
    }
    let names = ["_conv_head", "_bn1"].map(str::to_owned);
    wire = building.layer(&wire, &point(names, inputs, FEATURES, true))?;
    let Building { mut net, .. } = building;
    let pooled = net.node("GlobalAveragePool", &[&wire], [])?;
    let features = net.node("Flatten", &[&pooled], [])?;
    let rows = weights.get("_fc.weight", &[CLASSES, FEATURES])?;
    let rows = net.constant(&[CLASSES, FEATURES], rows)?;
    let bias = net.constant(&[CLASSES], weights.get("_fc.bias", &[CLASSES])?)?;
    let turned = [Attribute::new("transB", 1_i64)?];
    let classes = net.node("Gemm", &[&features, &rows, &bias], turned)?;
    let likely = net.node("Softmax", &[&classes], [])?;
    net.output("likely", &likely, &[-1, CLASSES as i64])?;
    net.output("features", &features, &[-1, FEATURES as i64])?;
    Ok(net)
}

impl Building<'_> {
    /// A convolution with what normalises it, as one: its weights are made so much larger, and the rest is its bias.
    fn layer(&mut self, wire: &str, layer: &Layer) -> Result<String, PicturesError> {
        let [conv, norm] = &layer.names;
        let &Layer {
            outputs,
            filter,
            stride,
            ..
        } = layer;
        let inputs = if layer.is_apart { 1 } else { layer.inputs };
        let shape = [outputs, inputs, filter, filter];
        let mut filters = self
            .weights
            .get(&format!("{conv}.weight"), &shape)?
            .to_vec();
        let of_norm = |part: &str| self.weights.get(&format!("{norm}.{part}"), &[outputs]);
        let (gamma, beta) = (of_norm("weight")?, of_norm("bias")?);
        let (mean, variance) = (of_norm("running_mean")?, of_norm("running_var")?);
        let mut bias = Vec::with_capacity(outputs);
        let size = inputs * filter * filter;
        for (channel, values) in filters.chunks_exact_mut(size).enumerate() {
            let scale = gamma[channel] / (variance[channel] + EPSILON).sqrt();
            values.iter_mut().for_each(|value| *value *= scale);
            bias.push(beta[channel] - mean[channel] * scale);
        }
        let filters = self.net.constant(&shape, &filters)?;
        let bias = self.net.constant(&[outputs], &bias)?;
        // As TensorFlow lays a border around: what is odd of it to the right and below.
        let next = self.side.div_ceil(stride);
        let border = ((next - 1) * stride + filter).saturating_sub(self.side);
        let (before, after) = ((border / 2) as i64, border.div_ceil(2) as i64);
        self.side = next;
        let (filter, stride) = (filter as i64, stride as i64);
        let groups = if layer.is_apart { outputs as i64 } else { 1 };
        let attributes = [
            Attribute::new("kernel_shape", vec![filter, filter])?,
            Attribute::new("strides", vec![stride, stride])?,
            Attribute::new("pads", vec![before, before, after, after])?,
            Attribute::new("group", groups)?,
        ];
        let wire = self
            .net
            .node("Conv", &[wire, &filters, &bias], attributes)?;
        if !layer.is_bounded {
            return Ok(wire);
        }
        let [least, most] = &self.bounds;
        Ok(self.net.node("Clip", &[&wire, least, most], [])?)
    }
}
