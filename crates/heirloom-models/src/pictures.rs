//! What a picture shows: how likely each class of ImageNet is, and what it looks like, as numbers that can be compared.
//!
//! EfficientNet-Lite2 (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; Lite:
//! without what small machines are slow at), built from its weights. A picture is looked at twice: all of it, and its
//! middle as it is. Which words its classes are worth is no question for a network: `heirloom_core::tag` answers it.

mod network;
mod views;

use ort::{session::Session, value::Tensor};

use crate::{
    runtime::Runtime,
    sheet::Sheet,
    torch::{Tensors, TorchError},
};

/// Numbers that say what a picture looks like.
pub const FEATURES: usize = 1280;
/// What is told apart in pictures.
pub const CLASSES: usize = 1000;
/// A side of what the network sees, in pixels.
const SIDE: usize = 260;

/// Why nothing can be seen: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum PicturesError {
    /// The file of the model is not what it is to be.
    #[error("the model for pictures cannot be used: {0}")]
    Model(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}

impl From<TorchError> for PicturesError {
    fn from(error: TorchError) -> Self {
        Self::Model(error.to_string())
    }
}

/// Looks at pictures.
#[derive(Debug)]
pub struct Looker {
    session: Session,
}

/// What was seen in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// How likely each of the [`CLASSES`] is, from 0 to 1: in all of the picture, and in its middle.
    pub views: Vec<Vec<f32>>,
    /// What it looks like: [`FEATURES`] numbers, as a vector of length 1.
    pub features: Vec<f32>,
}

impl Looker {
    /// From the bytes of `efficientnet-lite2.pth`.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, PicturesError> {
        let weights = Tensors::read(model, None)?;
        Ok(Self {
            session: network::build(&weights)?.finish(&runtime.options()?)?,
        })
    }

    /// Looks at one.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn look(&mut self, sheet: &Sheet) -> Result<Sight, PicturesError> {
        let views = views::views(sheet, SIDE);
        let count = views.len();
        let input = Tensor::from_array(([count, 3, SIDE, SIDE], views.concat()))?;
        let answer = self.session.run(ort::inputs![input])?;
        let (_, likely) = answer["likely"].try_extract_tensor::<f32>()?;
        let (_, seen) = answer["features"].try_extract_tensor::<f32>()?;
        let mut features = vec![0.0; FEATURES];
        for view in seen.chunks_exact(FEATURES) {
            let view = unit(view.to_vec()).into_iter();
            features
                .iter_mut()
                .zip(view)
                .for_each(|(sum, value)| *sum += value);
        }
        Ok(Sight {
            views: likely.chunks_exact(CLASSES).map(<[f32]>::to_vec).collect(),
            features: unit(features),
        })
    }
}

/// As long as 1.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length: f32 = vector.iter().map(|value| value * value).sum();
    let length = length.sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}
