//! What stands in a film: in its frames, one after the other.
//!
//! Films are read on this machine alone. To a service each frame would be a page: a film a hundred.

use std::fs::File;

use heirloom_core::{
    reading::{Page, Reading},
    unit::FailureCode,
};
use tokio_util::sync::CancellationToken;

use super::{DEATHS, Eyes, Outcome, ReadingError, SoFar, is_of_the_page};
use crate::{
    confinement::ConfinementError,
    ffmpeg::Ffmpeg,
    film::{FRAME, Frame, see_film},
};

/// Reads what stands in a film, frame by frame; the same in frames that follow one another stands there once. `seen` is told
/// how far it is.
///
/// # Errors
/// [`ReadingError`]; `NothingToRead` where there are no moving pictures in it, a failure of the file where none can be seen.
pub async fn read_film(
    eyes: &Eyes,
    ffmpeg: &Ffmpeg,
    film: &File,
    cancelled: &CancellationToken,
    mut seen: impl FnMut(SoFar),
) -> Result<Outcome, ReadingError> {
    let frames = see_film(ffmpeg, film, cancelled).await;
    let frames = frames.map_err(|error| match error {
        ConfinementError::Failed {
            code: FailureCode::Empty,
            ..
        } => ReadingError::NothingToRead("There are no moving pictures in it.".to_owned()),
        error => error.into(),
    })?;
    let mut outcome = Outcome {
        count: u32::try_from(frames.len()).unwrap_or(u32::MAX),
        ..Outcome::default()
    };
    let mut read = Vec::with_capacity(frames.len());
    let mut deaths = 0;
    for (number, frame) in (1..).zip(&frames) {
        match page(eyes, ffmpeg, frame, cancelled).await {
            Ok(page) => read.push((frame.at, page)),
            Err(ReadingError::Confinement(error)) if is_of_the_page(&error) => {
                deaths += 1;
                let at_ms = frame.at.start_ms();
                let left_out = format!("What is seen after {at_ms} ms was left out: {error}");
                outcome.problems.push(left_out);
            }
            Err(error) => return Err(error),
        }
        if deaths > DEATHS {
            let left_out = "What is seen later was not read.".to_owned();
            outcome.problems.push(left_out);
            break;
        }
        let (until, count) = (number, outcome.count);
        seen(SoFar { until, count });
    }
    if read.is_empty()
        && let Some(problem) = outcome.problems.first()
    {
        let code = FailureCode::Other;
        return Err(ConfinementError::failed(code, problem.clone()).into());
    }
    outcome.reading = Reading::of_frames(read);
    Ok(outcome)
}

async fn page(
    eyes: &Eyes,
    ffmpeg: &Ffmpeg,
    frame: &Frame,
    cancelled: &CancellationToken,
) -> Result<Page, ReadingError> {
    let mut file = frame.to_file(ffmpeg)?;
    let parts = eyes.work(&mut file, FRAME, (1, None), cancelled).await?;
    let mut read = Outcome::default();
    read.take(parts, 1)?;
    Ok(read.reading.pages.pop().unwrap_or_default())
}
