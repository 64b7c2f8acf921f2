//! The network, layer by layer: what BERT is.

use ort::value::TensorElementType;

use super::{TextsError, packed::Packed};
use crate::graph::{Net, Wire};

/// Builds the network: it takes what tokens are at their places, and gives what they mean beside one another.
pub(super) fn build(packed: &Packed) -> Result<Net, TextsError> {
    let mut net = Net::new()?;
    let width = packed.width as i64;
    let words = net.input("words", TensorElementType::Float32, &[-1, -1, width]);
    let mut wire = norm(&mut net, packed, &words, "emb.ln")?;
    for layer in 0..packed.layers {
        let linear = |net: &mut Net, wire: &str, name: &str, rows: usize| {
            linear(net, packed, wire, &format!("l{layer}.{name}"), rows)
        };
        let [query, key, value] = [
            linear(&mut net, &wire, "q", packed.width)?,
            linear(&mut net, &wire, "k", packed.width)?,
            linear(&mut net, &wire, "v", packed.width)?,
        ];
        let seen = net.attend(&query, &key, &value, packed.heads)?;
        let seen = linear(&mut net, &seen, "ao", packed.width)?;
        let sum = net.add(&wire, &seen)?;
        wire = norm(&mut net, packed, &sum, &format!("l{layer}.aln"))?;
        let inner = linear(&mut net, &wire, "fi", packed.inner)?;
        let inner = net.gelu(&inner)?;
        let outer = linear(&mut net, &inner, "fo", packed.width)?;
        let sum = net.add(&wire, &outer)?;
        wire = norm(&mut net, packed, &sum, &format!("l{layer}.oln"))?;
    }
    net.output("hidden", &wire, &[-1, -1, width])?;
    Ok(net)
}

fn linear(
    net: &mut Net,
    packed: &Packed,
    wire: &str,
    name: &str,
    rows: usize,
) -> Result<Wire, TextsError> {
    let columns = match name.ends_with(".fo") {
        true => packed.inner,
        false => packed.width,
    };
    let weights = packed.weights(&format!("{name}.w"), rows * columns);
    let bias = packed.numbers(&format!("{name}.b"), rows);
    let (weights, bias) = (
        weights.map_err(TextsError::Model)?,
        bias.map_err(TextsError::Model)?,
    );
    Ok(net.linear(wire, &weights, rows, Some(&bias))?)
}

fn norm(net: &mut Net, packed: &Packed, wire: &str, name: &str) -> Result<Wire, TextsError> {
    let part = |part: &str| {
        let numbers = packed.numbers(&format!("{name}.{part}"), packed.width);
        numbers.map_err(TextsError::Model)
    };
    Ok(net.norm(wire, &part("w")?, &part("b")?)?)
}
