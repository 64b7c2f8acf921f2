//! The frames of a film, looked at one after the other.

use std::fs::File;

use heirloom_core::{Segment, unit::FailureCode};
use tokio_util::sync::CancellationToken;

use super::see_film;
use crate::{Ffmpeg, confinement::ConfinementError, understand::UnderstandError};

/// So many frames may each end a process; after one more no others are tried.
const DEATHS: usize = 3;

/// What somebody makes of the frames of a film.
pub(crate) struct Looked<T> {
    /// Of each frame that could be looked at, with when it is seen.
    pub(crate) frames: Vec<(Segment, T)>,
    /// What was left out.
    pub(crate) problems: Vec<String>,
}

/// Looks at each frame of a film. `seen` is told how many of how many there were.
///
/// # Errors
/// `Nothing` where there are no moving pictures in it, a failure of the file where none can be seen; else why nobody can look.
pub(crate) async fn look_at_each<T, Looking: Future<Output = Result<T, UnderstandError>>>(
    ffmpeg: &Ffmpeg,
    film: &File,
    cancelled: &CancellationToken,
    mut look: impl FnMut(File) -> Looking,
    mut seen: impl FnMut(usize, usize),
) -> Result<Looked<T>, UnderstandError> {
    let all = see_film(ffmpeg, film, cancelled).await;
    let all = all.map_err(|error| match error {
        ConfinementError::Failed {
            code: FailureCode::Empty,
            ..
        } => UnderstandError::Nothing("There are no moving pictures in it.".to_owned()),
        error => error.into(),
    })?;
    let mut frames = Vec::with_capacity(all.len());
    let mut problems = Vec::new();
    for (number, frame) in (1..).zip(&all) {
        match look(frame.to_file(ffmpeg)?).await {
            Ok(looked) => frames.push((frame.at, looked)),
            Err(UnderstandError::Confinement(error)) if error.is_about_the_file() => {
                let at_ms = frame.at.start_ms();
                let left_out = format!("What is seen after {at_ms} ms was left out: {error}");
                problems.push(left_out);
            }
            Err(error) => return Err(error),
        }
        if problems.len() > DEATHS {
            problems.push("What is seen later was not looked at.".to_owned());
            break;
        }
        seen(number, all.len());
    }
    match problems.first() {
        Some(problem) if frames.is_empty() => {
            Err(ConfinementError::failed(FailureCode::Other, problem.clone()).into())
        }
        _ => Ok(Looked { frames, problems }),
    }
}
