//! The tool `renditions`: pictures in forms to look at.

use std::{
    fs::File,
    io::{Cursor, Read as _},
};

use bytes::Bytes;
use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::unit::FailureCode;
use heirloom_media::picture::{Limits, PictureError, Rendered, RenditionKind, render};
use serde_json::{Value as Json, json};

use super::{ResourceClass, Tool, View};
use crate::{
    confinement::{Answer, Failure as JobFailure, JobHeader, JobLimits},
    work::{Content, Failure, Product, Task},
};

/// What stands for a picture: its size, a blurred preview, a fingerprint.
pub const LOOK: &str = "look";
/// A picture among many.
pub const GRID: &str = "grid";
/// A picture that fills a screen.
pub const SCREEN: &str = "screen";
/// The whole picture, where browsers do not show the original.
pub const FULL: &str = "full";

/// What a picture is told from others by, and how good it is.
pub use heirloom_db::duplicate::TRAITS;

/// Makes of a picture what is shown of it. Input: the original's bytes.
pub const RENDITIONS: Tool = Tool {
    name: "renditions",
    version: 4,
    outputs: &[LOOK, GRID, SCREEN, FULL, TRAITS],
    view: View::Picture,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};

/// The job that a hand does for it.
pub(crate) const JOB: &str = "render";

/// The largest file that is read into memory to be drawn.
const FILE_BYTES: u64 = 512 * 1024 * 1024;

pub(crate) fn make_renditions<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let input = task.open().await?;
        draw_in_confinement(task, input, &task.asset.name).await
    }
    .boxed()
}

/// Has a picture drawn, which lies in a file of that name.
pub(crate) async fn draw_in_confinement(
    task: &Task<'_>,
    input: File,
    name: &str,
) -> Result<Vec<Product>, Failure> {
    let job = json!({ "job": JOB, "name": name });
    let limits = JobLimits::default();
    products(task.work(job, input, limits).await?)
}

/// What became of the parts of an answer.
fn products(parts: Vec<(JobHeader, Bytes)>) -> Result<Vec<Product>, Failure> {
    let mut products = Vec::with_capacity(parts.len());
    for (mut header, bytes) in parts {
        if let Some(reason) = header["nothing"].as_str() {
            return Err(Failure::NothingToDo(reason.to_owned()));
        }
        let said = header["kind"].take();
        let kind = RENDITIONS.outputs.iter().find(|kind| said == **kind);
        let kind = kind.ok_or_else(|| {
            let reason = "what draws pictures answered with nonsense";
            Failure::Permanent(FailureCode::Crashed, reason.to_owned())
        })?;
        let about = header["about"].take();
        let content = match *kind {
            LOOK | TRAITS => Content::Json(about),
            _ => Content::Bytes(about, bytes),
        };
        products.push(Product::new(kind, content));
    }
    Ok(products)
}

/// Draws a picture; runs in confinement.
pub(crate) fn draw(
    header: &JobHeader,
    input: File,
    answer: &mut Answer<'_>,
) -> Result<(), JobFailure> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        let nothing = "The file is larger than 512 MiB and is not drawn.";
        return Ok(answer.give(&json!({ "nothing": nothing }), &[])?);
    }
    let name = header["name"].as_str().unwrap_or_default();
    let file_type = heirloom_media::sniff(&mut Cursor::new(&bytes), name)?;
    match render(&bytes, file_type, &Limits::default()) {
        Ok(rendered) => give(rendered, answer),
        // Nothing is wrong with such a file: it is kept, and it is said why nothing is shown.
        Err(nothing @ (PictureError::NotDrawn { .. } | PictureError::NoPreview)) => {
            let nothing = nothing.to_string();
            Ok(answer.give(&json!({ "nothing": nothing }), &[])?)
        }
        Err(error) => {
            Err(JobFailure::new(error.code(), error.to_string()).with_detail(error.detail()))
        }
    }
}

fn give(rendered: Rendered, answer: &mut Answer<'_>) -> Result<(), JobFailure> {
    answer.give(&part(TRAITS, json!(rendered.traits)), &[])?;
    for (header, bytes) in parts(rendered) {
        answer.give(&header, &bytes)?;
    }
    Ok(())
}

/// What is drawn as the parts of an answer: the look first.
pub(super) fn parts(rendered: Rendered) -> Vec<(JobHeader, Vec<u8>)> {
    let problems = rendered.problems.iter().map(|problem| &problem.what);
    let look = json!({
        "width": rendered.width,
        "height": rendered.height,
        "is_animated": rendered.is_animated,
        "pages": rendered.pages,
        "thumbhash": hex(&rendered.thumbhash),
        "perceptual_hash": format!("{:016x}", rendered.perceptual_hash),
        "problems": problems.collect::<Vec<_>>(),
    });
    let mut parts = vec![(part(LOOK, look), Vec::new())];
    for rendition in rendered.renditions {
        let kind = match rendition.kind {
            RenditionKind::Grid => GRID,
            RenditionKind::Screen => SCREEN,
            RenditionKind::Full => FULL,
        };
        let about = json!({
            "media_type": rendition.media_type,
            "width": rendition.width,
            "height": rendition.height,
        });
        parts.push((part(kind, about), rendition.bytes));
    }
    parts
}

fn part(kind: &str, about: Json) -> JobHeader {
    json!({ "kind": kind, "about": about })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
