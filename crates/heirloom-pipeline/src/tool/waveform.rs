//! The tool `waveform`: how loud a film or recording is over time.

use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ResourceClass, Tool, View};
use crate::{
    probe::probe,
    sound::make_waveform,
    work::{Content, Failure, Product, Task},
};

/// How loud a film or recording is over time, in the JSON of `audiowaveform`.
pub const WAVEFORM: &str = "waveform";

/// Listens to a film or recording. Input: the original's bytes.
pub const LISTENER: Tool = Tool {
    name: "waveform",
    version: 1,
    outputs: &[WAVEFORM],
    view: View::Sound,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};

pub(crate) fn draw_waveform<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let input = task.open().await?;
        let ffmpeg = &task.ffmpeg();
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let probe = probe(ffmpeg, &input, &cancelled).await?;
        if probe.sound.is_none() {
            return Err(Failure::NothingToDo("There is no sound in it.".to_owned()));
        }
        let waveform = make_waveform(ffmpeg, &input, &probe, &cancelled).await?;
        let content = Content::Json(json!(waveform));
        Ok(vec![Product::new(WAVEFORM, content)])
    }
    .boxed()
}
