//! Small pictures of moments all over a film, on one sheet: what a player shows above its bar.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
};

use heirloom_core::unit::FailureCode;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{even, no_room, seconds, upright};
use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, brief, words},
    probe::{PictureStream, Probe},
};

/// How much a storyboard shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoryboardOptions {
    /// The most pictures.
    pub most_frames: u32,
    /// How high each is, in pixels.
    pub frame_height: u32,
}

impl Default for StoryboardOptions {
    fn default() -> Self {
        Self {
            most_frames: 100,
            frame_height: 160,
        }
    }
}

/// A sheet of small pictures.
#[derive(Debug)]
pub struct Storyboard {
    /// A JPEG.
    pub sheet: File,
    /// What is where on it.
    pub header: StoryboardHeader,
}

/// What is where on a sheet. Pictures go from left to right, then from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryboardHeader {
    /// How many pictures are in a row.
    pub columns: u32,
    /// How many rows there are; the last may not be full.
    pub rows: u32,
    /// The width of each picture in pixels.
    pub frame_width: u32,
    /// The height of each picture in pixels.
    pub frame_height: u32,
    /// When each picture is seen, in milliseconds from the film's beginning. In long films it is the
    /// key frame before that moment.
    pub times_ms: Vec<u64>,
}

/// No film needs a picture more often.
const LEAST_STEP_MS: u64 = 2000;
/// From this distance on the key frame before a moment is near enough, and much cheaper.
const KEY_FRAME_STEP_MS: u64 = 15_000;
/// How many moments in a row may fail before the rest is taken for lost.
const MOST_FAILURES: u32 = 3;

/// Takes pictures of moments that are spread evenly, each by going there in the file: memory and
/// time do not grow with the film's length. Moments that are broken are left out.
///
/// # Errors
/// [`ConfinementError`]; `Failed` when no moment gives a picture.
pub async fn make_storyboard(
    ffmpeg: &Ffmpeg,
    input: &File,
    probe: &Probe,
    options: StoryboardOptions,
    cancelled: &CancellationToken,
) -> Result<Storyboard, ConfinementError> {
    let Some(picture) = &probe.picture else {
        return Err(ConfinementError::failed(
            FailureCode::Empty,
            "there are no pictures in this file",
        ));
    };
    let (step_ms, moments) = moments(probe.duration_ms.unwrap_or(0), options.most_frames);
    let size = frame_size(picture, options.frame_height);
    let frame_bytes = size.0 as usize * size.1 as usize * 3;
    let mut strip = ffmpeg.unnamed_file()?;
    let mut times_ms = Vec::with_capacity(moments.len());
    let (mut failed, mut failures) = (None, 0);
    for moment in moments {
        let is_near = step_ms < KEY_FRAME_STEP_MS;
        match frame(ffmpeg, input, picture, (moment, is_near), size, cancelled).await {
            Ok(pixels) if pixels.len() == frame_bytes => {
                strip.write_all(&pixels).map_err(no_room)?;
                times_ms.push(moment);
                failures = 0;
            }
            Ok(_) | Err(ConfinementError::Failed { .. }) if !times_ms.is_empty() => failures += 1,
            Ok(_) => failures += 1,
            Err(error @ ConfinementError::Failed { .. }) => {
                failed = Some(error);
                failures += 1;
            }
            Err(error) => return Err(error),
        }
        if failures >= MOST_FAILURES {
            break;
        }
    }
    if times_ms.is_empty() {
        // A film of one picture has none later, whatever length it claims.
        let first = frame(ffmpeg, input, picture, (0, true), size, cancelled).await;
        if let Some(pixels) = first.ok().filter(|pixels| pixels.len() == frame_bytes) {
            strip.write_all(&pixels).map_err(no_room)?;
            times_ms.push(0);
        }
    }
    let count = u32::try_from(times_ms.len()).unwrap_or(u32::MAX);
    if count == 0 {
        return Err(failed.unwrap_or(ConfinementError::failed(
            FailureCode::Damaged,
            "no picture of this film could be read",
        )));
    }
    strip.rewind().map_err(no_room)?;
    let columns = count.isqrt() + u32::from(count.isqrt().pow(2) < count);
    let header = StoryboardHeader {
        columns,
        rows: count.div_ceil(columns),
        frame_width: size.0,
        frame_height: size.1,
        times_ms,
    };
    let sheet = lay_out(ffmpeg, &strip, &header, cancelled).await?;
    Ok(Storyboard { sheet, header })
}

/// Moments in the middle of equal parts, and how far they are apart.
fn moments(duration_ms: u64, most: u32) -> (u64, Vec<u64>) {
    let most = u64::from(most.max(1));
    let count = (duration_ms / LEAST_STEP_MS).clamp(1, most);
    let step = duration_ms / count;
    let moments = (0..count).map(|part| part * step + step / 2).collect();
    (step, moments)
}

fn frame_size(picture: &PictureStream, height: u32) -> (u32, u32) {
    let (shown_width, shown_height) = picture.shown_size();
    let height = height.clamp(16, 1080);
    let width = u64::from(shown_width) * u64::from(height) / u64::from(shown_height.max(1));
    // A panorama is cut to a strip that still fits beside others.
    let width = u32::try_from(width)
        .unwrap_or(u32::MAX)
        .clamp(16, height * 4);
    even((width, height))
}

/// One picture as bytes: red, green and blue, row by row.
async fn frame(
    ffmpeg: &Ffmpeg,
    input: &File,
    picture: &PictureStream,
    (moment_ms, is_near): (u64, bool),
    size: (u32, u32),
    cancelled: &CancellationToken,
) -> Result<Vec<u8>, ConfinementError> {
    let mut arguments = words(["-ss", &seconds(moment_ms)]);
    if !is_near {
        arguments.extend(words(["-noaccurate_seek", "-skip_frame", "nokey"]));
    }
    // One picture gives threads nothing to do, and each costs memory.
    arguments.extend(words(["-threads", "1"]));
    arguments.extend(words(INPUT));
    arguments.extend(words(["-map", &format!("0:{}", picture.index)]));
    arguments.extend(words(["-vf", &upright(picture, size), "-frames:v", "1"]));
    arguments.extend(words(["-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]));
    let call = Call {
        input,
        arguments,
        outputs: Vec::new(),
        limits: brief(),
    };
    Ok(ffmpeg.ffmpeg(call, cancelled).await?.stdout)
}

async fn lay_out(
    ffmpeg: &Ffmpeg,
    strip: &File,
    header: &StoryboardHeader,
    cancelled: &CancellationToken,
) -> Result<File, ConfinementError> {
    let size = format!("{}x{}", header.frame_width, header.frame_height);
    let tile = format!("tile={}x{}", header.columns, header.rows);
    let mut arguments = words(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size]);
    arguments.extend(words(INPUT));
    arguments.extend(words(["-vf", &tile, "-frames:v", "1", "-c:v", "mjpeg"]));
    arguments.extend(words(["-pix_fmt", "yuvj420p", "-q:v", "4"]));
    arguments.extend(words(["-f", "image2", "-update", "1", "sheet.jpg"]));
    let call = Call {
        input: strip,
        arguments,
        outputs: words(["sheet.jpg"]),
        limits: brief(),
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    finished.outputs.pop().ok_or(ConfinementError::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spread_evenly() {
        assert_eq!(moments(0, 100), (0, vec![0]));
        assert_eq!(moments(1300, 100), (1300, vec![650]));
        assert_eq!(
            moments(10_000, 100),
            (2000, vec![1000, 3000, 5000, 7000, 9000])
        );
        let (step, hours) = moments(3 * 3_600_000, 100);
        assert_eq!((step, hours.len(), hours[0]), (108_000, 100, 54_000));
    }
}
