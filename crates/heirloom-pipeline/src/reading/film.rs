//! What stands in a film: in its frames, one after the other.
//!
//! Films are read on this machine alone. To a service each frame would be a page: a film a hundred.

use std::fs::File;

use heirloom_core::reading::{Page, Reading};
use tokio_util::sync::CancellationToken;

use super::{Eyes, Outcome};
use crate::{
    Ffmpeg,
    film::{FRAME, look_at_each},
    understand::UnderstandError,
};

/// Reads what stands in a film, frame by frame; the same in frames that follow one another stands there once. `seen` is told
/// how many of how many frames were read.
///
/// # Errors
/// [`UnderstandError`]; `Nothing` where there are no moving pictures in it, a failure of the file where none can be seen.
pub async fn read_film(
    eyes: &Eyes,
    ffmpeg: &Ffmpeg,
    film: &File,
    cancelled: &CancellationToken,
    seen: impl FnMut(usize, usize),
) -> Result<Outcome, UnderstandError> {
    let read = |frame| page(eyes, frame, cancelled);
    let looked = look_at_each(ffmpeg, film, cancelled, read, seen).await?;
    Ok(Outcome {
        reading: Reading::of_frames(looked.frames),
        problems: looked.problems,
        ..Outcome::default()
    })
}

async fn page(
    eyes: &Eyes,
    mut frame: File,
    cancelled: &CancellationToken,
) -> Result<Page, UnderstandError> {
    let parts = eyes.work(&mut frame, FRAME, (1, None), cancelled).await?;
    let mut read = Outcome::default();
    read.take(parts, 1)?;
    Ok(read.reading.pages.pop().unwrap_or_default())
}
