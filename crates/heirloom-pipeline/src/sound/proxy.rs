//! A proxy of a recording: a form that every browser plays, where the original is none.

use std::fs::File;

use tokio_util::sync::CancellationToken;

use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, lengthy, no_sound, words},
    film::sound_arguments,
    probe::Probe,
};

/// A recording that every browser plays.
#[derive(Debug)]
pub struct SoundProxy {
    /// An M4A with AAC, its table of contents first. Not Opus: Safari plays that only since lately.
    pub m4a: File,
}

/// Whether browsers play the original as it is: MP3, AAC, M4A with AAC, Ogg with Opus or Vorbis, FLAC,
/// and WAV with plain samples. `media_type` is what its bytes say it is.
#[must_use]
pub fn is_playable(probe: &Probe, media_type: &str) -> bool {
    let Some(sound) = &probe.sound else {
        return false;
    };
    let codecs: &[&str] = match media_type {
        "audio/mpeg" => &["mp3"],
        "audio/aac" | "audio/mp4" => &["aac"],
        "audio/ogg" | "audio/opus" => &["opus", "vorbis"],
        "audio/flac" => &["flac"],
        "audio/wav" => &["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"],
        _ => return false,
    };
    codecs.contains(&sound.codec.as_str())
}

/// Makes the proxy.
///
/// # Errors
/// [`ConfinementError`]; `Failed` when there is no sound in the file.
pub async fn make_proxy(
    ffmpeg: &Ffmpeg,
    input: &File,
    probe: &Probe,
    cancelled: &CancellationToken,
) -> Result<SoundProxy, ConfinementError> {
    let sound = probe.sound.as_ref().ok_or_else(no_sound)?;
    let mut arguments = words(INPUT);
    arguments.extend(words(["-map", &format!("0:{}", sound.index)]));
    arguments.extend(sound_arguments(sound));
    arguments.extend(words(["-map_metadata", "-1", "-map_chapters", "-1"]));
    arguments.extend(words([
        "-movflags",
        "+faststart",
        "-f",
        "ipod",
        "proxy.m4a",
    ]));
    let call = Call {
        input,
        arguments,
        outputs: words(["proxy.m4a"]),
        limits: lengthy(probe.duration_ms),
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    let m4a = finished.outputs.pop().ok_or(ConfinementError::Cancelled)?;
    Ok(SoundProxy { m4a })
}
