//! ONNX Runtime, which networks run on: a library that is loaded, so that another build of it may be put in its
//! place. It computes on the processor.

use std::path::Path;

use ort::{
    environment::Environment,
    session::{
        Session,
        builder::{GraphOptimizationLevel, SessionBuilder},
    },
};

/// What networks run on. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
    threads: usize,
}

/// Why the library cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("ONNX Runtime cannot be loaded from {path}: {reason}")]
pub struct RuntimeError {
    path: String,
    reason: String,
}

impl Runtime {
    /// Loads the library. The process keeps the first that it was given. A network computes with so many threads.
    ///
    /// # Errors
    /// When it is not there, or is no ONNX Runtime.
    pub fn load(library: &Path, threads: usize) -> Result<Self, RuntimeError> {
        let refuse = |reason: String| RuntimeError {
            path: library.display().to_string(),
            reason,
        };
        let builder = ort::init_from(library).map_err(|error| refuse(error.to_string()))?;
        let environment = builder
            .with_name("heirloom")
            .with_telemetry(false)
            .build()
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            environment,
            threads: threads.max(1),
        })
    }

    /// The same with a single thread, for networks that are so small that more would wait for one another.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self {
            threads: 1,
            ..self.clone()
        }
    }

    /// How a network is run: with as many threads as were given, none of which waits by computing.
    pub(crate) fn options(&self) -> ort::Result<SessionBuilder> {
        let options = Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            .with_config_entry("session.intra_op.allow_spinning", "0")?;
        Ok(options)
    }
}
