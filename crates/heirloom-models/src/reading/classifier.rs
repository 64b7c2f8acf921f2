//! Which way up a line stands.

use ort::{session::Session, value::Tensor};

use super::{ReadingError, load};
use crate::{quad::Quad, runtime::Runtime, sheet::Sheet};

/// Tells lines that stand on their heads.
#[derive(Debug)]
pub(super) struct Classifier {
    session: Session,
}

const HEIGHT: usize = 48;
/// No more of a line is looked at.
const WIDTH: usize = 192;

impl Classifier {
    pub(super) fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, ReadingError> {
        Ok(Self {
            session: load(&runtime.alone(), model)?,
        })
    }

    /// How likely a line stands on its head, from 0 to 1.
    pub(super) fn is_turned(&mut self, sheet: &Sheet, quad: &Quad) -> Result<f32, ReadingError> {
        let width = (quad.width() / quad.height().max(1.0) * HEIGHT as f32).ceil();
        let width = (width as usize).clamp(1, WIDTH);
        let pixels = sheet.take(quad, width, HEIGHT, WIDTH);
        let pixels = Tensor::from_array(([1, 3, HEIGHT, WIDTH], pixels))?;
        let answer = self.session.run(ort::inputs![pixels])?;
        let (_, likely) = answer[0].try_extract_tensor::<f32>()?;
        match likely {
            [_, turned] => Ok(*turned),
            _ => Err(ReadingError::Model(
                "what tells which way up lines stand gives other answers".to_owned(),
            )),
        }
    }
}
