//! A proxy of a film: a form that every browser plays, where the original is none.

use std::fs::File;

use heirloom_core::unit::FailureCode;
use tokio_util::sync::CancellationToken;

use super::{even, fit, upright};
use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, lengthy, words},
    probe::{PictureStream, Probe, SoundStream},
};

/// A film that every browser plays.
#[derive(Debug)]
pub struct FilmProxy {
    /// An MP4 with H.264 (8 bits, 4:2:0, upright) and AAC, its table of contents first.
    pub mp4: File,
    /// Whether the pictures are the original's own, bit by bit, and only packed anew.
    pub has_original_pictures: bool,
    /// Whether the film has sound and the proxy does not: what there is of it makes no sense.
    pub lacks_sound: bool,
}

/// Whether browsers play the original as it is: MP4 and QuickTime with H.264 and AAC or MP3, WebM with
/// VP8, VP9 or AV1 and Opus or Vorbis. `media_type` is what its bytes say it is.
#[must_use]
pub fn is_playable(probe: &Probe, media_type: &str) -> bool {
    let Some(picture) = &probe.picture else {
        return false;
    };
    let (pictures, sounds): (&[&str], &[&str]) = match media_type {
        "video/mp4" | "video/quicktime" | "video/x-m4v" => (&["h264"], &["aac", "mp3"]),
        "video/webm" => (&["vp8", "vp9", "av1"], &["opus", "vorbis"]),
        _ => return false,
    };
    let has_sound = |sound: &SoundStream| sounds.contains(&sound.codec.as_str());
    pictures.contains(&picture.codec.as_str())
        && is_plain(picture)
        && probe.sound.as_ref().is_none_or(has_sound)
}

/// Whether pictures are stored as every decoder takes them.
fn is_plain(picture: &PictureStream) -> bool {
    matches!(picture.pixel_format.as_str(), "yuv420p" | "yuvj420p")
        && !picture.is_interlaced
        && !picture.is_hdr
}

/// Makes the proxy. Pictures that browsers play are kept as they are; so is such sound. Others become at
/// most 16:9 with a short side of so many pixels.
///
/// # Errors
/// [`ConfinementError`].
pub async fn make_proxy(
    ffmpeg: &Ffmpeg,
    input: &File,
    probe: &Probe,
    short_side: u32,
    cancelled: &CancellationToken,
) -> Result<FilmProxy, ConfinementError> {
    let Some(picture) = &probe.picture else {
        return Err(ConfinementError::failed(
            FailureCode::Empty,
            "there are no pictures in this file",
        ));
    };
    let can_keep_pictures = picture.codec == "h264" && is_plain(picture);
    let sound = probe.sound.as_ref();
    // Some files pack H.264 in ways that cannot be packed anew; in some only the sound is broken.
    let attempts = [
        (can_keep_pictures, sound),
        (false, sound),
        (can_keep_pictures, None),
        (false, None),
    ];
    let mut tried = Vec::with_capacity(attempts.len());
    let mut failed = None;
    for (keeps_pictures, sound) in attempts {
        if tried.contains(&(keeps_pictures, sound.is_some())) {
            continue;
        }
        tried.push((keeps_pictures, sound.is_some()));
        let kept = Kept {
            picture,
            keeps_pictures,
            short_side,
            sound,
        };
        match make(ffmpeg, input, probe.duration_ms, kept, cancelled).await {
            Ok(mp4) => {
                return Ok(FilmProxy {
                    mp4,
                    has_original_pictures: keeps_pictures,
                    lacks_sound: probe.sound.is_some() && sound.is_none(),
                });
            }
            // What was said first is what is wrong.
            Err(error @ ConfinementError::Failed { .. }) => {
                failed.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(failed.unwrap_or(ConfinementError::Cancelled))
}

/// What of a film goes into its proxy.
#[derive(Debug, Clone, Copy)]
struct Kept<'a> {
    picture: &'a PictureStream,
    keeps_pictures: bool,
    short_side: u32,
    sound: Option<&'a SoundStream>,
}

async fn make(
    ffmpeg: &Ffmpeg,
    input: &File,
    duration_ms: Option<u64>,
    kept: Kept<'_>,
    cancelled: &CancellationToken,
) -> Result<File, ConfinementError> {
    let Kept {
        picture,
        keeps_pictures,
        short_side,
        sound,
    } = kept;
    // Old cameras and broken files leave times out.
    let mut arguments = words(["-fflags", "+genpts"]);
    arguments.extend(words(INPUT));
    arguments.extend(words(["-map", &format!("0:{}", picture.index)]));
    if keeps_pictures {
        arguments.extend(words(["-c:v", "copy"]));
    } else {
        let long_side = short_side.saturating_mul(16) / 9;
        let size = even(fit(picture.shown_size(), long_side, short_side));
        arguments.extend(words(["-vf", &upright(picture, size)]));
        arguments.extend(words([
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "22",
        ]));
        arguments.extend(words(["-pix_fmt", "yuv420p", "-profile:v", "high"]));
        // A player can go to any moment within some seconds.
        arguments.extend(words(["-force_key_frames", "expr:gte(t,n_forced*4)"]));
        // Beyond this nobody sees more, and some old files claim a thousand.
        if picture.frame_rate.is_none_or(|rate| rate > 60.0) {
            arguments.extend(words(["-fpsmax", "60"]));
        }
    }
    if let Some(sound) = sound {
        arguments.extend(words(["-map", &format!("0:{}", sound.index)]));
        arguments.extend(sound_arguments(sound));
    }
    arguments.extend(words(["-map_metadata", "-1", "-map_chapters", "-1"]));
    arguments.extend(words(["-max_muxing_queue_size", "4096"]));
    arguments.extend(words(["-movflags", "+faststart", "-f", "mp4", "proxy.mp4"]));
    let mut limits = lengthy(duration_ms);
    if keeps_pictures {
        // As large as the original can be, whatever its rate.
        limits.scratch_bytes += input.metadata().map_or(0, |metadata| metadata.len());
    }
    let call = Call {
        input,
        arguments,
        outputs: words(["proxy.mp4"]),
        limits,
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    finished.outputs.pop().ok_or(ConfinementError::Cancelled)
}

/// How sound becomes AAC, which every browser plays.
pub(crate) fn sound_arguments(sound: &SoundStream) -> Vec<String> {
    if sound.codec == "aac" {
        return words(["-c:a", "copy"]);
    }
    let channels = sound.channels.unwrap_or(2).clamp(1, 2);
    let mut arguments = words(["-c:a", "aac", "-ac", &channels.to_string()]);
    arguments.extend(words(["-b:a", if channels == 1 { "96k" } else { "160k" }]));
    // Telephones of 2003 recorded at 8 kHz, studios record at 192: both are brought into AAC's range.
    if sound
        .sample_rate
        .is_none_or(|rate| !(8000..=48_000).contains(&rate))
    {
        arguments.extend(words(["-ar", "48000"]));
    }
    arguments
}
