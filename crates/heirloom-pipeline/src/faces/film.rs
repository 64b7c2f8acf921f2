//! The faces of a film: those of its frames, each person once.

use std::fs::File;

use heirloom_core::{face::Faces, unit::FailureCode};
use tokio_util::sync::CancellationToken;

use super::{FaceFinder, FacesError, Found};
use crate::{
    confinement::ConfinementError,
    ffmpeg::Ffmpeg,
    film::{FRAME, see_film},
};

/// So many frames may each end a process; after one more no others are tried.
const DEATHS: usize = 3;

/// The faces of a film: all that is seen of one person is one face, with the moments at which it is seen. `seen` is told how
/// many of how many frames were looked at.
///
/// # Errors
/// [`FacesError`]; `NoPicture` where there are no moving pictures in it, a failure of the file where none can be seen.
pub async fn find_in_film(
    finder: &FaceFinder,
    ffmpeg: &Ffmpeg,
    film: &File,
    cancelled: &CancellationToken,
    mut seen: impl FnMut(usize, usize),
) -> Result<Found, FacesError> {
    let frames = see_film(ffmpeg, film, cancelled).await;
    let frames = frames.map_err(|error| match error {
        ConfinementError::Failed {
            code: FailureCode::Empty,
            ..
        } => FacesError::NoPicture("There are no moving pictures in it.".to_owned()),
        error => error.into(),
    })?;
    let mut problems = Vec::new();
    let mut faces = Vec::with_capacity(frames.len());
    for (number, frame) in frames.iter().enumerate() {
        let at_ms = frame.at.start_ms();
        let mut file = frame.to_file(ffmpeg)?;
        match finder.find(&mut file, FRAME, cancelled).await {
            Ok(found) => faces.push((at_ms, found.faces.faces)),
            Err(FacesError::Confinement(error)) if error.is_about_the_file() => {
                problems.push(format!(
                    "What is seen after {at_ms} ms was left out: {error}"
                ));
                if problems.len() > DEATHS {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error),
        }
        seen(number + 1, frames.len());
    }
    Ok(Found {
        faces: Faces::of_frames(faces),
        problems,
    })
}
