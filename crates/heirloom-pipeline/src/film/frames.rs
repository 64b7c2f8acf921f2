//! The pictures of a film that are worth looking at, with when each is seen.

use std::{
    fs::File,
    io::{Read as _, Seek as _, Write as _},
};

use heirloom_core::{Segment, unit::FailureCode};
use tokio_util::sync::CancellationToken;

use super::{LONGEST_SIDE, fit, no_room, seconds, upright};
use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, lengthy, words},
    probe::{PictureStream, probe},
};

/// A picture of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// From when on it is seen, until the next one is.
    pub at: Segment,
    /// A JPEG: upright, with square pixels, in red, green and blue.
    pub jpeg: Vec<u8>,
}

/// What a frame is called where its name tells what it is.
pub(crate) const FRAME: &str = "frame.jpg";

/// The most frames of a film, however long it is.
const MOST: u64 = 160;
/// No two frames are closer, and where nothing changes none is missed for longer.
const LEAST_MS: u64 = 1_000;
const OFTEN_MS: u64 = 2_000;
/// As many frames as are taken of a long film in which one scene never becomes another.
const FEW: u64 = 100;
/// Of longer films only the key frames are decoded.
const LONG_MS: u64 = 120_000;
/// So few key frames are no film: it has one at its beginning, and hardly any later.
const TOO_FEW: usize = 4;
/// From such a change on it is another scene.
const SCENE: f32 = 0.25;

/// Goes through a film once: takes its first picture, what begins a scene, and one every few seconds, and leaves out what
/// looks like the one before. How far they are apart grows with the film, so that there are never more than a few.
/// What of a broken film can be seen is seen.
///
/// # Errors
/// [`ConfinementError`]; `Failed` when there are no moving pictures in it, or none of them can be read.
pub async fn see_film(
    ffmpeg: &Ffmpeg,
    input: &File,
    cancelled: &CancellationToken,
) -> Result<Vec<Frame>, ConfinementError> {
    let probe = probe(ffmpeg, input, cancelled).await?;
    let Some(picture) = &probe.picture else {
        return Err(ConfinementError::failed(
            FailureCode::Empty,
            "there are no pictures in this file",
        ));
    };
    let duration_ms = probe.duration_ms;
    let look =
        async |of_keys| take(ffmpeg, input, picture, (duration_ms, of_keys), cancelled).await;
    if duration_ms.is_none_or(|duration_ms| duration_ms > LONG_MS) {
        match look(true).await {
            Ok(frames) if frames.len() >= TOO_FEW => return Ok(frames),
            Ok(_) | Err(ConfinementError::Failed { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let frames = look(false).await?;
    match frames.is_empty() {
        true => Err(ConfinementError::failed(
            FailureCode::Damaged,
            "no picture of this film could be read",
        )),
        false => Ok(frames),
    }
}

async fn take(
    ffmpeg: &Ffmpeg,
    input: &File,
    picture: &PictureStream,
    (duration_ms, of_keys): (Option<u64>, bool),
    cancelled: &CancellationToken,
) -> Result<Vec<Frame>, ConfinementError> {
    // One that does not say how long it is may last an evening.
    let long_ms = duration_ms.unwrap_or(4 * 3_600_000);
    let least = seconds((long_ms / MOST).max(LEAST_MS));
    let often = seconds((long_ms / FEW).max(OFTEN_MS));
    let chosen = format!(
        "select='isnan(prev_selected_t)+gte(t-prev_selected_t,{often})+gt(scene,{SCENE})*gte(t-prev_selected_t,{least})'"
    );
    let size = fit(picture.shown_size(), LONGEST_SIDE, LONGEST_SIDE);
    let filter = format!(
        "{chosen},{},mpdecimate,metadata=print:file=-",
        upright(picture, size)
    );
    let mut arguments = Vec::new();
    if of_keys {
        arguments.extend(words(["-skip_frame", "nokey"]));
    }
    arguments.extend(words(INPUT));
    arguments.extend(words(["-map", &format!("0:{}", picture.index)]));
    arguments.extend(words(["-vf", &filter, "-vsync", "0"]));
    arguments.extend(words(["-frames:v", &MOST.to_string()]));
    arguments.extend(words([
        "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3",
    ]));
    arguments.extend(words(["-f", "mpjpeg", "frames"]));
    let call = Call {
        input,
        arguments,
        outputs: words(["frames"]),
        limits: lengthy(duration_ms),
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    let mut bytes = Vec::new();
    if let Some(mut frames) = finished.outputs.pop() {
        frames.read_to_end(&mut bytes).map_err(no_room)?;
    }
    let said = String::from_utf8_lossy(&finished.stdout);
    let times = moments(&said);
    Ok(timed(&times, jpegs(&bytes), duration_ms))
}

/// When frames are seen, as FFmpeg notes it: `frame:1    pts:60060   pts_time:2.002`.
fn moments(said: &str) -> Vec<u64> {
    let times = said
        .lines()
        .filter_map(|line| line.split("pts_time:").nth(1));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and nothing is seen before the beginning"
    )]
    let ms = |time: &str| Some((time.trim().parse::<f64>().ok()? * 1000.0).round().max(0.0) as u64);
    times.filter_map(ms).collect()
}

/// The pictures of a stream of parts, each of which says how long it is.
fn jpegs(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut jpegs = Vec::new();
    while let Some((head, rest)) = split_at(stream, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(head);
        let length = head.split("Content-length:").nth(1);
        let length = length.and_then(|length| length.trim().parse::<usize>().ok());
        let Some((jpeg, rest)) = length.and_then(|length| rest.split_at_checked(length)) else {
            break;
        };
        jpegs.push(jpeg);
        stream = rest;
    }
    jpegs
}

fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|part| part == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// Frames with when they are seen: each until the next one, the last until the end.
fn timed(times: &[u64], jpegs: Vec<&[u8]>, duration_ms: Option<u64>) -> Vec<Frame> {
    let ends = times.iter().skip(1).copied().chain(duration_ms);
    let ends = ends.chain(std::iter::repeat(0));
    let frames = times.iter().zip(ends).zip(jpegs);
    let frames = frames.filter_map(|((start, end), jpeg)| {
        Some(Frame {
            at: Segment::new(*start, end.max(start + 1)).ok()?,
            jpeg: jpeg.to_vec(),
        })
    });
    frames.collect()
}

impl Frame {
    /// Its picture as a file that nobody else sees.
    pub(crate) fn to_file(&self, ffmpeg: &Ffmpeg) -> Result<File, ConfinementError> {
        let mut file = ffmpeg.unnamed_file()?;
        file.write_all(&self.jpeg).map_err(no_room)?;
        file.rewind().map_err(no_room)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_seen_until_the_next_one_is() {
        let said = "frame:0    pts:0       pts_time:0\nlavfi.scene_score=0.0\nframe:1    pts:60060   pts_time:2.002\n";
        let times = moments(said);
        assert_eq!(times, [0, 2002]);
        let stream = b"--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: 6\r\n\r\n\r\n\r\nab\r\n--ffmpeg\r\n\
            Content-type: image/jpeg\r\nContent-length: 2\r\n\r\ncd\r\n--ffmpeg\r\n";
        let pictures = jpegs(stream);
        assert_eq!(pictures, [b"\r\n\r\nab".as_slice(), b"cd"]);
        let frames = timed(&times, pictures, Some(5000));
        let seen: Vec<String> = frames.iter().map(|frame| frame.at.to_string()).collect();
        assert_eq!(seen, ["0-2002", "2002-5000"]);
        // One that says that it is over before, and one that does not say.
        let short = timed(&times, vec![b"ab", b"cd"], None);
        assert_eq!(short[1].at.to_string(), "2002-2003");
    }

    #[test]
    fn what_is_cut_short_gives_what_is_whole() {
        let stream =
            b"--ffmpeg\r\nContent-length: 2\r\n\r\nab\r\n--ffmpeg\r\nContent-length: 9\r\n\r\ncd";
        assert_eq!(jpegs(stream), [b"ab"]);
        assert_eq!(jpegs(b"nothing"), [] as [&[u8]; 0]);
    }
}
