//! One picture that stands for a film.

use std::fs::File;

use heirloom_core::unit::FailureCode;
use tokio_util::sync::CancellationToken;

use super::{fit, seconds, upright};
use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, brief, words},
    probe::{PictureStream, Probe},
};

/// One picture that stands for a film.
#[derive(Debug)]
pub struct Poster {
    /// A PNG: upright, with square pixels, in red, green and blue, at most 4096 pixels a side.
    pub png: File,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// The most pixels of a side; larger films are scaled down.
const LONGEST_SIDE: u32 = 4096;
/// Films up to this length are looked at evenly over all of it; longer ones at their key frames.
const SHORT_MS: u64 = 20_000;
/// Among how many pictures the most typical is chosen. All of them are in memory at once.
const CANDIDATES: u64 = 16;
/// How much of a long film is looked at.
const LOOK_MS: u64 = 60_000;

/// Chooses the most typical of some pictures of the film's beginning, and so none that is black when
/// others are not. `probe` is what [`probe`](crate::probe::probe) found in the file.
///
/// # Errors
/// [`ConfinementError`]; `Failed` when the file holds no picture.
pub async fn make_poster(
    ffmpeg: &Ffmpeg,
    input: &File,
    probe: &Probe,
    cancelled: &CancellationToken,
) -> Result<Poster, ConfinementError> {
    let Some(picture) = &probe.picture else {
        return Err(ConfinementError::failed(
            FailureCode::Empty,
            "there are no pictures in this file",
        ));
    };
    let duration_ms = probe.duration_ms.unwrap_or(0);
    let ways: &[Way] = if duration_ms > SHORT_MS {
        // Beginnings are titles and darkness more often than what comes after them.
        &[
            Way::KeyFrames {
                from_ms: (duration_ms / 20).min(30_000),
            },
            Way::First,
        ]
    } else {
        &[Way::Evenly { duration_ms }, Way::First]
    };
    let mut failed = None;
    for way in ways {
        match take(ffmpeg, input, picture, *way, cancelled).await {
            Ok(poster) => return Ok(poster),
            // What is broken further on may be whole where it begins.
            Err(error @ ConfinementError::Failed { .. }) => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failed.unwrap_or(ConfinementError::Cancelled))
}

/// Which pictures are looked at.
#[derive(Debug, Clone, Copy)]
enum Way {
    Evenly { duration_ms: u64 },
    KeyFrames { from_ms: u64 },
    First,
}

async fn take(
    ffmpeg: &Ffmpeg,
    input: &File,
    picture: &PictureStream,
    way: Way,
    cancelled: &CancellationToken,
) -> Result<Poster, ConfinementError> {
    let (width, height) = fit(picture.shown_size(), LONGEST_SIDE, LONGEST_SIDE);
    let mut arguments = Vec::new();
    let choose = match way {
        Way::Evenly { duration_ms } if duration_ms > 0 => {
            // Frames in a second so that the candidates are spread over all of it.
            format!(
                "fps={}000/{duration_ms}:round=up,thumbnail={CANDIDATES},",
                CANDIDATES
            )
        }
        Way::KeyFrames { from_ms } => {
            arguments.extend(words(["-ss", &seconds(from_ms), "-noaccurate_seek"]));
            arguments.extend(words(["-skip_frame", "nokey", "-t", &seconds(LOOK_MS)]));
            format!("thumbnail={CANDIDATES},")
        }
        Way::Evenly { .. } | Way::First => String::new(),
    };
    arguments.extend(words(INPUT));
    arguments.extend(words(["-map", &format!("0:{}", picture.index)]));
    let filter = format!("{choose}{}", upright(picture, (width, height)));
    arguments.extend(words(["-vf", &filter, "-frames:v", "1"]));
    arguments.extend(words([
        "-pix_fmt",
        "rgb24",
        "-c:v",
        "png",
        "-compression_level",
        "1",
    ]));
    arguments.extend(words(["-f", "image2", "-update", "1", "poster.png"]));
    let call = Call {
        input,
        arguments,
        outputs: words(["poster.png"]),
        limits: brief(),
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    match finished.outputs.pop() {
        Some(png) => Ok(Poster { png, width, height }),
        None => Err(ConfinementError::Cancelled),
    }
}
