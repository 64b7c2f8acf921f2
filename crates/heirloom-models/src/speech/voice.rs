//! Where somebody speaks: silero's model of voice activity, in frames of 32 ms.

use ort::{session::Session, value::Tensor};

use super::SpeechError;
use crate::runtime::Runtime;

/// Samples in a frame: 32 ms at 16 kHz.
pub const FRAME: usize = 512;
/// Samples of the frame before that are heard with each.
const CONTEXT: usize = 64;
/// What the model remembers from frame to frame: two layers of it.
const MEMORY: [usize; 3] = [2, 1, 128];

/// Listens for voices, frame after frame of one recording.
#[derive(Debug)]
pub struct Voice {
    session: Session,
    memory: Vec<f32>,
    context: Vec<f32>,
}

impl Voice {
    /// From the bytes of `silero_vad_openvino_16k.onnx`.
    ///
    /// # Errors
    /// When they are no such model.
    pub fn load(runtime: &Runtime, model: &[u8]) -> Result<Self, SpeechError> {
        let session = runtime.options()?.commit_from_memory(model);
        let session = session.map_err(|error| SpeechError::Model(error.to_string()))?;
        let mut voice = Self {
            session,
            memory: Vec::new(),
            context: Vec::new(),
        };
        voice.begin();
        Ok(voice)
    }

    /// Forgets what it heard: another recording begins.
    pub fn begin(&mut self) {
        self.memory = vec![0.0; MEMORY.iter().product()];
        self.context = vec![0.0; CONTEXT];
    }

    /// How likely somebody speaks in a frame, from 0 to 1. A shorter one is taken for followed by silence.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn hear(&mut self, frame: &[f32]) -> Result<f32, SpeechError> {
        let mut input = std::mem::take(&mut self.context);
        input.extend_from_slice(frame);
        input.resize(CONTEXT + FRAME, 0.0);
        self.context = input[FRAME..].to_vec();
        let memory = std::mem::take(&mut self.memory);
        let answer = self.session.run(ort::inputs![
            Tensor::from_array(([1, CONTEXT + FRAME], input))?,
            Tensor::from_array((MEMORY, memory))?,
        ])?;
        let (_, likely) = answer[0].try_extract_tensor::<f32>()?;
        let (_, memory) = answer[1].try_extract_tensor::<f32>()?;
        self.memory = memory.to_vec();
        Ok(likely.first().copied().unwrap_or_default())
    }
}
