//! Runs that derive: started, paused, resumed, cancelled and tried again.
//!
//! Where a run stands is in the catalogue, and every process that shares it works on the same runs.
//! This process's part is the [`Engine`].

mod batch;
mod drive;
mod engine;

pub use engine::{Engine, EngineError, Waiting};
