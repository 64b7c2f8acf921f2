//! The two networks of Whisper, built from its weights: one that listens and one that writes.

use ort::{operator::Attribute, session::Session, value::TensorElementType};

use super::weights::{Weights, half};
use crate::{graph::Net, runtime::Runtime, speech::SpeechError};

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) bands: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) layers: usize,
    pub(super) words: usize,
    pub(super) steps: usize,
    pub(super) longest: usize,
}

type Built<T> = Result<T, SpeechError>;

/// One network that listens and one that writes.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) sizes: Sizes,
    pub(super) listener: Session,
    pub(super) writer: Session,
    embedding: Vec<u8>,
}

impl Network {
    /// `heads` are those (layer, head) of the writer that look at what is being said.
    pub(super) fn build(runtime: &Runtime, bytes: &[u8], heads: &[(usize, usize)]) -> Built<Self> {
        let weights = Weights::read(bytes)?;
        let conv = weights.get("encoder/conv1/weight")?;
        let vocabulary = weights.get("decoder/embeddings/weight")?;
        let sizes = Sizes {
            bands: conv.shape[1],
            width: conv.shape[0],
            heads: weights.number("decoder/num_heads")?,
            layers: weights.layers("decoder"),
            words: vocabulary.shape[0],
            steps: weights.get("encoder/position_encodings/encodings")?.shape[0],
            longest: weights.get("decoder/position_encodings/encodings")?.shape[0],
        };
        let maker = Maker {
            weights: &weights,
            sizes,
        };
        let listener = maker.listener()?.finish(&runtime.options()?)?;
        let writer = maker.writer(heads)?.finish(&runtime.options()?)?;
        Ok(Self {
            sizes,
            listener,
            writer,
            embedding: vocabulary.halves()?.to_vec(),
        })
    }
}

impl Network {
    /// What the writer takes for a token.
    pub(super) fn embed(&self, token: usize) -> impl Iterator<Item = f32> + '_ {
        let row = self.sizes.width * 2;
        self.embedding[token * row..(token + 1) * row]
            .chunks_exact(2)
            .map(|c| half(u16::from_le_bytes([c[0], c[1]])))
    }
}

struct Maker<'a> {
    weights: &'a Weights<'a>,
    sizes: Sizes,
}

impl Maker<'_> {
    fn values(&self, name: &str) -> Built<Vec<f32>> {
        self.weights.get(name)?.values()
    }

    fn linear(&self, net: &mut Net, wire: &str, name: &str) -> Built<String> {
        let weight = self.weights.get(&format!("{name}/weight"))?;
        let bias = self.values(&format!("{name}/bias"))?;
        Ok(net.linear(wire, &weight.values()?, weight.shape[0], Some(&bias))?)
    }

    fn norm(&self, net: &mut Net, wire: &str, name: &str) -> Built<String> {
        let (gamma, beta) = (
            self.values(&format!("{name}/gamma"))?,
            self.values(&format!("{name}/beta"))?,
        );
        Ok(net.norm(wire, &gamma, &beta)?)
    }

    fn conv(&self, net: &mut Net, wire: &str, name: &str, stride: i64) -> Built<String> {
        let weight = self.weights.get(&format!("{name}/weight"))?;
        let bias = self.values(&format!("{name}/bias"))?;
        let (shape, values) = (weight.shape.clone(), weight.values()?);
        let weight = net.constant(&shape, &values)?;
        let bias = net.constant(&[bias.len()], &bias)?;
        let attributes = [
            Attribute::new("pads", &[1_i64, 1][..])?,
            Attribute::new("strides", &[stride][..])?,
            Attribute::new("kernel_shape", &[3_i64][..])?,
        ];
        let heard = net.node("Conv", &[wire, &weight, &bias], attributes)?;
        Ok(net.gelu(&heard)?)
    }

    fn split(&self, net: &mut Net, wire: &str, parts: usize) -> Built<Vec<String>> {
        let sizes = vec![self.sizes.width as i64; parts];
        let sizes = net.constant(&[parts], &sizes)?;
        Ok(net.nodes(
            "",
            "Split",
            &[wire, &sizes],
            parts,
            [Attribute::new("axis", -1_i64)?],
        )?)
    }

    fn feed(&self, net: &mut Net, wire: &str, layer: &str) -> Built<String> {
        let normed = self.norm(net, wire, &format!("{layer}/ffn/layer_norm"))?;
        let wide = self.linear(net, &normed, &format!("{layer}/ffn/linear_0"))?;
        let wide = net.gelu(&wide)?;
        let narrow = self.linear(net, &wide, &format!("{layer}/ffn/linear_1"))?;
        Ok(net.add(wire, &narrow)?)
    }

    /// From the spectrogram of a window to the keys and values that each layer of the writer looks at.
    fn listener(&self) -> Built<Net> {
        let Sizes {
            bands,
            width,
            heads,
            layers,
            steps,
            ..
        } = self.sizes;
        let mut net = Net::new()?;
        let net = &mut net;
        let features = net.input(
            "features",
            TensorElementType::Float32,
            &[1, bands as i64, -1],
        );
        let heard = self.conv(net, &features, "encoder/conv1", 1)?;
        let heard = self.conv(net, &heard, "encoder/conv2", 2)?;
        let heard = net.transpose(&heard, &[0, 2, 1])?;
        let positions = self.values("encoder/position_encodings/encodings")?;
        let positions = net.constant(&[steps, width], &positions)?;
        let (shape, zero, one) = (
            net.node("Shape", &[&heard], [])?,
            net.constant(&[1], &[0_i64])?,
            net.constant(&[1], &[1_i64])?,
        );
        let two = net.constant(&[1], &[2_i64])?;
        let length = net.node("Slice", &[&shape, &one, &two], [])?;
        let positions = net.node("Slice", &[&positions, &zero, &length, &zero], [])?;
        let mut wire = net.add(&heard, &positions)?;
        for layer in 0..self.weights.layers("encoder") {
            let layer = format!("encoder/layer_{layer}");
            let normed = self.norm(net, &wire, &format!("{layer}/self_attention/layer_norm"))?;
            let all = self.linear(net, &normed, &format!("{layer}/self_attention/linear_0"))?;
            let parts = self.split(net, &all, 3)?;
            let seen = net.attend(&parts[0], &parts[1], &parts[2], heads)?;
            let seen = self.linear(net, &seen, &format!("{layer}/self_attention/linear_1"))?;
            wire = net.add(&wire, &seen)?;
            wire = self.feed(net, &wire, &layer)?;
        }
        let heard = self.norm(net, &wire, "encoder/layer_norm")?;
        let side = (width / heads) as i64;
        for layer in 0..layers {
            let both = self.linear(
                net,
                &heard,
                &format!("decoder/layer_{layer}/attention/linear_1"),
            )?;
            let parts = self.split(net, &both, 2)?;
            for (part, name) in parts.iter().zip(["keys", "values"]) {
                let part = net.transpose(part, &[0, 2, 1])?;
                let part = net.reshape(&part, &[heads as i64, 1, side, -1])?;
                net.output(
                    &format!("{name}{layer}"),
                    &part,
                    &[heads as i64, 1, side, -1],
                )?;
            }
        }
        Ok(std::mem::replace(net, Net::new()?))
    }

    /// From tokens, and what was written before, to how likely each token follows.
    ///
    /// Inputs: `tokens` \[B, T\], `positions` \[T\], `mask` \[T, P + T\], `order` \[B\] (which of the former rows each
    /// row goes on from), `wanted` \[W\] (which of T are of interest), `past` and cross keys and values by layer.
    fn writer(&self, alignment: &[(usize, usize)]) -> Built<Net> {
        let Sizes {
            width,
            heads,
            layers,
            words,
            longest,
            ..
        } = self.sizes;
        let (side, count) = ((width / heads) as i64, heads as i64);
        let mut net = Net::new()?;
        let net = &mut net;
        let written = net.input(
            "written",
            TensorElementType::Float32,
            &[-1, -1, width as i64],
        );
        let places = net.input("positions", TensorElementType::Int64, &[-1]);
        let mask = net.input("mask", TensorElementType::Float32, &[-1, -1]);
        let order = net.input("order", TensorElementType::Int64, &[-1]);
        let wanted = net.input("wanted", TensorElementType::Int64, &[-1]);
        let vocabulary = self.values("decoder/embeddings/weight")?;
        let positions = self.values("decoder/position_encodings/encodings")?;
        let positions = net.constant(&[longest, width], &positions)?;
        let placed = net.node("Gather", &[&positions, &places], [])?;
        let mut wire = net.add(&written, &placed)?;
        let scale = net.constant(&[1], &[1.0 / (side as f32).sqrt()])?;
        let shape = net.node("Shape", &[&wire], [])?;
        let mut looks = Vec::new();
        for layer in 0..layers {
            let name = format!("decoder/layer_{layer}");
            let normed = self.norm(net, &wire, &format!("{name}/self_attention/layer_norm"))?;
            let all = self.linear(net, &normed, &format!("{name}/self_attention/linear_0"))?;
            let parts = self.split(net, &all, 3)?;
            let mut rows = Vec::new();
            for part in &parts {
                let part = net.reshape(part, &[0, 0, count, side])?;
                rows.push(net.transpose(&part, &[0, 2, 1, 3])?);
            }
            let mut grown = Vec::new();
            for (name, new) in [("keys", &rows[1]), ("values", &rows[2])] {
                let past = net.input(
                    &format!("past_{name}{layer}"),
                    TensorElementType::Float32,
                    &[-1, count, -1, side],
                );
                let past =
                    net.node("Gather", &[&past, &order], [Attribute::new("axis", 0_i64)?])?;
                let (now, along) = (format!("now_{name}{layer}"), Attribute::new("axis", 2_i64)?);
                grown.push(net.named(&now, "Concat", &[&past, new], [along])?);
                net.output(&now, &now, &[-1, count, -1, side])?;
            }
            let query = net.node("Mul", &[&rows[0], &scale], [])?;
            let keys = net.transpose(&grown[0], &[0, 1, 3, 2])?;
            let looked = net.node("MatMul", &[&query, &keys], [])?;
            let looked = net.add(&looked, &mask)?;
            let looked = net.node("Softmax", &[&looked], [Attribute::new("axis", -1_i64)?])?;
            let seen = net.node("MatMul", &[&looked, &grown[1]], [])?;
            let seen = net.transpose(&seen, &[0, 2, 1, 3])?;
            let seen = net.reshape(&seen, &[0, 0, width as i64])?;
            let seen = self.linear(net, &seen, &format!("{name}/self_attention/linear_1"))?;
            wire = net.add(&wire, &seen)?;
            // All rows look at the same recording. What stands on the right of a product is copied first, which costs more than the
            // few rows that there are: so each of them looks at the keys by itself, and the values stand on the left.
            let normed = self.norm(net, &wire, &format!("{name}/attention/layer_norm"))?;
            let query = self.linear(net, &normed, &format!("{name}/attention/linear_0"))?;
            let query = net.node("Mul", &[&query, &scale], [])?;
            let query = net.reshape(&query, &[-1, 1, count, side])?;
            let query = net.transpose(&query, &[2, 0, 1, 3])?;
            let keys = net.input(
                &format!("keys{layer}"),
                TensorElementType::Float32,
                &[count, 1, side, -1],
            );
            let values = net.input(
                &format!("values{layer}"),
                TensorElementType::Float32,
                &[count, 1, side, -1],
            );
            let looked = net.node("MatMul", &[&query, &keys], [])?;
            let of_layer: Vec<i64> = alignment
                .iter()
                .filter(|(at, _)| *at == layer)
                .map(|(_, head)| *head as i64)
                .collect();
            if !of_layer.is_empty() {
                let which = net.constant(&[of_layer.len()], &of_layer)?;
                looks.push(net.node(
                    "Gather",
                    &[&looked, &which],
                    [Attribute::new("axis", 0_i64)?],
                )?);
            }
            let looked = net.node("Softmax", &[&looked], [Attribute::new("axis", -1_i64)?])?;
            let looked = net.transpose(&looked, &[0, 2, 3, 1])?;
            let heard = net.node("MatMul", &[&values, &looked], [])?;
            let heard = net.transpose(&heard, &[3, 1, 0, 2])?;
            let heard = net.node("Reshape", &[&heard, &shape], [])?;
            let heard = self.linear(net, &heard, &format!("{name}/attention/linear_2"))?;
            wire = net.add(&wire, &heard)?;
            wire = self.feed(net, &wire, &name)?;
        }
        let looks: Vec<&str> = looks.iter().map(String::as_str).collect();
        let looks = net.node("Concat", &looks, [Attribute::new("axis", 0_i64)?])?;
        net.output("looks", &looks, &[alignment.len() as i64, -1, 1, -1])?;
        let wire = net.node(
            "Gather",
            &[&wire, &wanted],
            [Attribute::new("axis", 1_i64)?],
        )?;
        let wire = self.norm(net, &wire, "decoder/layer_norm")?;
        let scores = net.linear(&wire, &vocabulary, words, None)?;
        net.output("scores", &scores, &[-1, -1, words as i64])?;
        Ok(std::mem::replace(net, Net::new()?))
    }
}
