//! What a film shows at a moment.

use std::{fs::File, io::Read as _};

use heirloom_core::unit::FailureCode;
use tokio_util::sync::CancellationToken;

use super::{LONGEST_SIDE, fit, no_room, seconds, upright};
use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, brief, words},
    probe::probe,
};

/// The picture that a film shows at a moment, as large as its [frames](super::see_film) are: a JPEG, upright, with square pixels.
///
/// # Errors
/// [`ConfinementError`]; `Failed` when there is no picture at that moment.
pub async fn make_still(
    ffmpeg: &Ffmpeg,
    input: &File,
    at_ms: u64,
    cancelled: &CancellationToken,
) -> Result<Vec<u8>, ConfinementError> {
    let probe = probe(ffmpeg, input, cancelled).await?;
    let nothing = || {
        let why = "there is no picture at that moment";
        ConfinementError::failed(FailureCode::Empty, why)
    };
    let picture = probe.picture.as_ref().ok_or_else(nothing)?;
    let size = fit(picture.shown_size(), LONGEST_SIDE, LONGEST_SIDE);
    // Moments are rounded to milliseconds: the picture may begin a little before.
    let mut arguments = words(["-ss", &seconds(at_ms.saturating_sub(1))]);
    arguments.extend(words(["-threads", "1"]));
    arguments.extend(words(INPUT));
    arguments.extend(words(["-map", &format!("0:{}", picture.index)]));
    arguments.extend(words(["-vf", &upright(picture, size), "-frames:v", "1"]));
    arguments.extend(words([
        "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3",
    ]));
    arguments.extend(words(["-f", "image2", "-update", "1", "still.jpg"]));
    let call = Call {
        input,
        arguments,
        outputs: words(["still.jpg"]),
        limits: brief(),
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    let mut jpeg = Vec::new();
    let mut still = finished.outputs.pop().ok_or_else(nothing)?;
    still.read_to_end(&mut jpeg).map_err(no_room)?;
    if jpeg.is_empty() {
        Err(nothing())
    } else {
        Ok(jpeg)
    }
}
