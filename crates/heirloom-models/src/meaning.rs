//! Pictures and texts in one space: what is shown and what is said about it lie in nearly one direction.
//!
//! Any network of the CLIP family does (Radford et al., "Learning Transferable Visual Models From Natural Language
//! Supervision", 2021; Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023): one file in the ONNX format
//! that takes `pixel_values` and `input_ids`, and `attention_mask` where it wants that, and gives `image_embeds`,
//! `text_embeds` and, where it says how likely a text is, `logits_per_image`. Beside it lie its tokens and, if it sees
//! pictures otherwise than CLIP, `preprocessor_config.json`.

mod bpe;
mod tokeniser;
mod view;

use ort::{
    session::Session,
    value::{Tensor, ValueType},
};

use crate::{runtime::Runtime, sheet::Sheet};
use tokeniser::Tokeniser;
use view::View;

/// Why pictures and texts cannot be compared: the fault is the model's or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum MeaningError {
    /// A file of the model is not what it is to be.
    #[error("the model for pictures and text cannot be used: {0}")]
    Model(String),
    /// ONNX Runtime could not compute.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
}

/// Tells what pictures and texts mean.
#[derive(Debug)]
pub struct Interpreter {
    session: Session,
    tokeniser: Tokeniser,
    view: View,
    has_mask: bool,
    scale: Option<Scale>,
}

/// How likely it is that a text is true of a picture, by how near they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What nearness is multiplied by.
    pub slope: f32,
    /// What is added to that: far below 0 where each text is likely or not by itself, and 0 where it is only more or less
    /// likely than others.
    pub offset: f32,
}

/// Texts so different that it can be told from them how likely a model takes what is near.
const DIFFERENT: [&str; 4] = ["a photo of a dog", "1939", "red", "a letter"];

impl Interpreter {
    /// From the bytes of a network, of its tokens (`tokenizer.json`, or the list of merges that CLIP was published with,
    /// packed by gzip), and of `preprocessor_config.json`.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(
        runtime: &Runtime,
        network: &[u8],
        tokens: &[u8],
        preprocessor: Option<&[u8]>,
    ) -> Result<Self, MeaningError> {
        let session = runtime.options()?.commit_from_memory(network)?;
        let missing = |what: &str| MeaningError::Model(format!("it has no {what}"));
        for output in ["image_embeds", "text_embeds"] {
            if session.outputs().iter().all(|it| it.name() != output) {
                return Err(missing(output));
            }
        }
        let input = |name: &str| session.inputs().iter().find(|it| it.name() == name);
        let pixels = input("pixel_values").ok_or_else(|| missing("pixel_values"))?;
        input("input_ids").ok_or_else(|| missing("input_ids"))?;
        let has_mask = input("attention_mask").is_some();
        let view = View::read(preprocessor).map_err(MeaningError::Model)?;
        if let ValueType::Tensor { shape, .. } = pixels.dtype()
            && let [.., height, width] = shape[..]
            && ![(height, view.height), (width, view.width)]
                .iter()
                .all(|(wanted, is)| *wanted < 0 || *wanted == *is as i64)
        {
            return Err(MeaningError::Model(format!(
                "it sees {width} by {height} pixels, and its preprocessor_config.json makes {} by {}",
                view.width, view.height
            )));
        }
        let tokeniser = Tokeniser::read(tokens, has_mask).map_err(MeaningError::Model)?;
        let has_scale = session.outputs().iter().any(|it| it.name() == LOGITS);
        let mut interpreter = Self {
            session,
            tokeniser,
            view,
            has_mask,
            scale: None,
        };
        if has_scale {
            interpreter.scale = interpreter.find_scale()?;
        }
        Ok(interpreter)
    }

    /// How likely texts are, if the model says that.
    #[must_use]
    pub const fn scale(&self) -> Option<Scale> {
        self.scale
    }

    /// What a picture shows, as a vector of length 1.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn see(&mut self, sheet: &Sheet) -> Result<Vec<f32>, MeaningError> {
        let pixels = self.view.of(sheet);
        Ok(self.run(pixels, "")?.image)
    }

    /// What a text says, as a vector of length 1.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn read(&mut self, text: &str) -> Result<Vec<f32>, MeaningError> {
        // The network wants both at once.
        let nothing = self.view.nothing();
        Ok(self.run(nothing, text)?.text)
    }

    /// What is likely follows from what is near along a straight line, on which a picture and some texts are points.
    fn find_scale(&mut self) -> Result<Option<Scale>, MeaningError> {
        let mut points = Vec::new();
        for text in DIFFERENT {
            let nothing = self.view.nothing();
            let answer = self.run(nothing, text)?;
            let both = answer.image.iter().zip(&answer.text);
            let near: f32 = both.map(|(image, text)| image * text).sum();
            points.push((near, answer.likely));
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let [(far, unlikely), .., (near, likely)] = points[..] else {
            return Ok(None);
        };
        let slope = (likely - unlikely) / (near - far);
        let scale = Scale {
            slope,
            offset: likely - slope * near,
        };
        Ok((slope.is_finite() && slope > 1.0).then_some(scale))
    }

    fn run(&mut self, pixels: Vec<f32>, text: &str) -> Result<Answer, MeaningError> {
        let View { width, height, .. } = self.view;
        let tokens = self.tokeniser.read_text(text);
        let count = tokens.len();
        let mask = Tensor::from_array(([1, count], vec![1_i64; count]))?;
        let pixels = Tensor::from_array(([1, 3, height, width], pixels))?;
        let tokens = Tensor::from_array(([1, count], tokens))?;
        let mut inputs = ort::inputs!["pixel_values" => pixels, "input_ids" => tokens];
        if self.has_mask {
            inputs.push(("attention_mask".into(), mask.into()));
        }
        let answer = self.session.run(inputs)?;
        let vector = |name: &str| -> Result<Vec<f32>, MeaningError> {
            let (_, numbers) = answer[name].try_extract_tensor::<f32>()?;
            let length = numbers.iter().map(|it| it * it).sum::<f32>().sqrt();
            let length = length.max(f32::MIN_POSITIVE);
            match numbers.iter().all(|number| number.is_finite()) && !numbers.is_empty() {
                true => Ok(numbers.iter().map(|number| number / length).collect()),
                false => Err(MeaningError::Model(format!("its {name} are no numbers"))),
            }
        };
        let likely = match answer.get(LOGITS) {
            Some(likely) => likely.try_extract_tensor::<f32>()?.1.first().copied(),
            None => None,
        };
        Ok(Answer {
            image: vector("image_embeds")?,
            text: vector("text_embeds")?,
            likely: likely.unwrap_or_default(),
        })
    }
}

const LOGITS: &str = "logits_per_image";

/// What the network says of a picture and a text.
struct Answer {
    image: Vec<f32>,
    text: Vec<f32>,
    /// How likely the text is of the picture, as the network sees it.
    likely: f32,
}
