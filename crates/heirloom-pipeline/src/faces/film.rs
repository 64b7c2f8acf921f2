//! The faces of a film: those of its frames, each person once.

use std::fs::File;

use heirloom_core::face::Faces;
use tokio_util::sync::CancellationToken;

use super::{FaceFinder, Found};
use crate::{
    Ffmpeg,
    film::{FRAME, look_at_each},
    understand::UnderstandError,
};

/// The faces of a film: all that is seen of one person is one face, with the moments at which it is seen. `seen` is told how
/// many of how many frames were looked at.
///
/// # Errors
/// [`UnderstandError`]; `Nothing` where there are no moving pictures in it, a failure of the file where none can be seen.
pub async fn find_in_film(
    finder: &FaceFinder,
    ffmpeg: &Ffmpeg,
    film: &File,
    cancelled: &CancellationToken,
    seen: impl FnMut(usize, usize),
) -> Result<Found, UnderstandError> {
    let find = |mut frame| async move { finder.find(&mut frame, FRAME, cancelled).await };
    let looked = look_at_each(ffmpeg, film, cancelled, find, seen).await?;
    let frames = looked.frames.into_iter();
    let faces = frames.map(|(at, found)| (at.start_ms(), found.faces.faces));
    Ok(Found {
        faces: Faces::of_frames(faces.collect()),
        problems: looked.problems,
    })
}
